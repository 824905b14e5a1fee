/* What the harnesses of libFuzzer share. Each reads bytes with one reader of src/io, which must not crash, leak, read
   outside or take memory beyond a multiple of the bytes; the CMake preset "fuzz" builds them, run.sh runs them. */
#ifndef NNLUA_FUZZ_H
#define NNLUA_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* What must hold; ends the process if it doesn't. */
static inline void must(int truth)
{
  if (!truth) __builtin_trap();
}

/* Looks at each byte, so that those outside of a block are noticed. */
static inline unsigned look_at(const void *bytes, size_t size)
{
  const volatile uint8_t *b = bytes;
  unsigned sum = 0;
  for (size_t i = 0; i < size; i++) sum += b[i];
  return sum;
}

#endif
