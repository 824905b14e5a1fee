/* Hashes of numbers and bytes. */
#ifndef NNLUA_PROGRAM_HASH_H
#define NNLUA_PROGRAM_HASH_H

#include <stddef.h>
#include <stdint.h>

static inline uint64_t hash_mixed(uint64_t hash, uint64_t value)
{
  return (hash ^ value) * 0x9e3779b97f4a7c15u + (hash >> 29);
}

static inline uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t n)
{
  const unsigned char *b = bytes;
  for (size_t i = 0; i < n; i++) hash = hash_mixed(hash, b[i]);
  return hash_mixed(hash, n);
}

#endif
