/* Blocks of memory for programs. */
#include "program/block.h"

#include <string.h>

enum { BLOCK_BYTES = 4096 };

void *blocks_allocate(Context *ctx, Block **blocks, size_t bytes)
{
  if (bytes > SIZE_MAX / 2) raise_no_memory(ctx, bytes);
  bytes = (bytes + 15) & ~(size_t)15;
  if (!*blocks || (*blocks)->size - (*blocks)->used < bytes) {
    size_t size = bytes > BLOCK_BYTES - sizeof(Block) ? bytes : BLOCK_BYTES - sizeof(Block);
    Block *block = core_allocate(ctx, sizeof *block + size);
    *block = (Block){.next = *blocks, .size = size};
    *blocks = block;
  }
  void *room = (*blocks)->data + (*blocks)->used;
  (*blocks)->used += bytes;
  return room;
}

void *blocks_copy(Context *ctx, Block **blocks, const void *bytes, size_t n)
{
  return bytes ? memcpy(blocks_allocate(ctx, blocks, n ? n : 1), bytes, n) : NULL;
}

void blocks_free(Context *ctx, Block *blocks)
{
  while (blocks) {
    Block *block = blocks;
    blocks = block->next;
    memory_free(&ctx->memory, block, sizeof *block + block->size);
  }
}
