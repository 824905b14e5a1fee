/* The memory of a program: blocks that are filled one after another, and go together. */
#ifndef NNLUA_PROGRAM_BLOCK_H
#define NNLUA_PROGRAM_BLOCK_H

#include "core/call.h"

typedef struct Block {
  struct Block *next;
  size_t size, used;
  _Alignas(16) char data[];
} Block;

/* Room of so many bytes, unset, in the first block or a new one before it. Raises without memory. */
void *blocks_allocate(Context *ctx, Block **blocks, size_t bytes);

/* A copy of so many bytes there; NULL of NULL. */
void *blocks_copy(Context *ctx, Block **blocks, const void *bytes, size_t n);

void blocks_free(Context *ctx, Block *blocks);

#endif
