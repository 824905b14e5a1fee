/* Blocks for tensors: counted, cached by size class, and made to fail on request by the specs. */
#ifndef NNLUA_CORE_MEMORY_H
#define NNLUA_CORE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MEMORY_CLASSES = 8 * 48, MEMORY_ALIGNMENT = 64, MEMORY_SMALL = 4096, MEMORY_SMALL_LIMIT = 256 << 10 };

typedef struct MemoryBlock MemoryBlock;

typedef struct Memory {
  size_t allocated; /* bytes in blocks handed out */
  size_t peak;      /* the most that ever was */
  size_t cached;    /* bytes in free blocks kept for reuse */
  size_t live_blocks;
  size_t limit;        /* pressure: above this a collection is worth its price */
  size_t live_after;   /* bytes that the last collection left */
  size_t small_since;  /* bytes handed out in small blocks since the host last looked for garbage */
  size_t small_limit;  /* and how many make it look again */
  int64_t fail_after;  /* the allocation that fails, counted down; negative: none */
  bool injected;       /* the last allocation failed on request: collecting garbage is no help */
  int64_t allocations; /* how many were asked for */
  MemoryBlock *free_blocks[MEMORY_CLASSES];
} Memory;

void memory_init(Memory *m);

/* Gives all cached blocks back to the system; live ones stay with their owners. */
void memory_trim(Memory *m);

/* At least `bytes` bytes, aligned to 64, unset; NULL if there are none. */
void *memory_allocate(Memory *m, size_t bytes);

/* Returns a block of memory_allocate with the size it was asked for. */
void memory_free(Memory *m, void *block, size_t bytes);

#endif
