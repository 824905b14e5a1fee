/* Numbers as bytes, the lowest first. */
#ifndef NNLUA_IO_LITTLE_H
#define NNLUA_IO_LITTLE_H

#include <stdint.h>

static inline uint64_t little_get(const void *bytes, int n)
{
  const unsigned char *b = bytes;
  uint64_t value = 0;
  while (n-- > 0) value = value << 8 | b[n];
  return value;
}

static inline void little_put(void *bytes, uint64_t value, int n)
{
  unsigned char *b = bytes;
  for (int i = 0; i < n; i++, value >>= 8) b[i] = (unsigned char)value;
}

#endif
