/* Blocks for tensors: counted, kept for reuse by size class, and made to fail on request by the specs. */
#ifndef NNLUA_CORE_MEMORY_H
#define NNLUA_CORE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MEMORY_CLASSES = 8 * 48, MEMORY_ALIGNMENT = 64, MEMORY_SMALL = 4096, MEMORY_MEDIUM = 8 << 20 };

typedef struct MemoryBlock MemoryBlock;

typedef struct Memory {
  size_t allocated; /* bytes in blocks handed out */
  size_t peak;      /* the most that ever was */
  size_t cached;    /* bytes in free blocks kept for reuse */
  size_t high;      /* the most handed out at once, lately: what is kept follows it */
  size_t recent;    /* the same since the last memory_look but some */
  int looks;        /* how many there were since */
  size_t live_blocks;
  size_t limit;        /* pressure: above this the host looks for garbage */
  size_t live_after;   /* bytes that the last full collection left */
  size_t small_since;  /* bytes handed out in blocks of up to MEMORY_SMALL since the host last looked for garbage */
  size_t medium_since; /* and in larger ones of up to MEMORY_MEDIUM */
  size_t small_limit, medium_limit; /* how many make it look again */
  uint64_t handed_out;              /* bytes in all, since the start */
  int64_t fail_after;               /* the allocation that fails, counted down; negative: none */
  bool injected;                    /* the last allocation failed on request: collecting garbage is no help */
  int64_t allocations;              /* how many were asked for */
  MemoryBlock *free_blocks[MEMORY_CLASSES];
  int64_t asked_at[MEMORY_CLASSES]; /* what `allocations` was when a block of the class was last asked for */
} Memory;

void memory_init(Memory *m);

/* Counts memory that tensors have from elsewhere as handed out, and as returned: for the host to look for garbage. */
void memory_borrow(Memory *m, size_t bytes);
void memory_return(Memory *m, size_t bytes);

/* Gives all cached blocks back to the system; live ones stay with their owners. */
void memory_trim(Memory *m);

/* Forgets slowly how much was needed once; to be called now and then, after garbage was collected. */
void memory_look(Memory *m);

/* Counts the peak anew, from what is handed out now. */
void memory_reset_peak(Memory *m);

/* At least `bytes` bytes, aligned to 64, unset; NULL if there are none. */
void *memory_allocate(Memory *m, size_t bytes);

/* Returns a block of memory_allocate with the size it was asked for. */
void memory_free(Memory *m, void *block, size_t bytes);

#endif
