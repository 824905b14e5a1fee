/* Freed blocks wait in lists by size for the next of their size; large ones ask the system for huge pages. */
#define _GNU_SOURCE
#include "core/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct MemoryBlock {
  MemoryBlock *next;
};

enum {
  CACHE_FLOOR = 16 << 20, /* bytes of free blocks that are always worth keeping */
  HUGE_PAGE = 2 << 20,
  PRESSURE_FLOOR = 20 << 20
};

void memory_init(Memory *m)
{
  memset(m, 0, sizeof *m);
  m->fail_after = -1;
  m->limit = PRESSURE_FLOOR;
  m->small_limit = MEMORY_SMALL_LIMIT;
}

/* Steps of 64 bytes up to 512, then eight classes an octave: at most an eighth of a block is unused. */
static inline int size_class(size_t bytes, size_t *rounded)
{
  if (bytes <= 512) {
    size_t n = bytes ? (bytes + 63) / 64 : 1;
    *rounded = n * 64;
    return (int)n - 1;
  }
  int octave = 63 - __builtin_clzll((unsigned long long)(bytes - 1)); /* 2^octave <= bytes-1 */
  size_t step = (size_t)1 << (octave - 3);
  *rounded = (bytes + step - 1) & ~(step - 1);
  return 8 * (octave - 8) + (int)((*rounded - 1 - ((size_t)1 << octave)) / step);
}

/* How many bytes a class's blocks have: what size_class rounds to. */
static size_t class_bytes(int class)
{
  if (class < 8) return 64 * ((size_t) class + 1);
  size_t octave = (size_t)1 << (class / 8 + 8);
  return octave + (size_t)(class % 8 + 1) * (octave / 8);
}

static size_t whole_pages(size_t bytes) { return (bytes + HUGE_PAGE - 1) & ~(size_t)(HUGE_PAGE - 1); }

#if defined(__SANITIZE_ADDRESS__)
enum { MAPS_LARGE = false }; /* the sanitizer watches what malloc gives */
#else
enum { MAPS_LARGE = true };
#endif

/*
 * Whole huge pages: first touches of 4 KB pages cost more than most kernels (docs/architecture.md). They are mapped one
 * by one, for aligned blocks of many sizes tear malloc's heap to pieces: the training of examples/char_gpt.lua, with at
 * most 180 MB in tensors, grew to 2 GB.
 */
static void *map_pages(size_t bytes)
{
  size_t whole = whole_pages(bytes);
  char *span = mmap(NULL, whole + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (span == MAP_FAILED) return NULL;
  char *block = (char *)(((uintptr_t)span + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1));
  if (block > span) munmap(span, (size_t)(block - span));
  if (block < span + HUGE_PAGE) munmap(block + whole, (size_t)(span + HUGE_PAGE - block));
  madvise(block, whole, MADV_HUGEPAGE);
  return block;
}

static void *system_allocate(size_t bytes)
{
  if (MAPS_LARGE && bytes >= HUGE_PAGE) return map_pages(bytes);
  return aligned_alloc(MEMORY_ALIGNMENT, bytes);
}

static void system_free(void *block, size_t bytes)
{
  if (MAPS_LARGE && bytes >= HUGE_PAGE) munmap(block, whole_pages(bytes));
  else free(block);
}

/* Whether the specs want this allocation to fail. */
static inline bool must_fail(Memory *m)
{
  m->injected = m->fail_after-- == 0;
  return m->injected;
}

/* More than any machine has; under its sanitizer aligned_alloc ends the process above 1 TB, where others give NULL. */
#ifdef __SANITIZE_ADDRESS__
#define MOST_BYTES ((size_t)1 << 39)
#else
#define MOST_BYTES ((size_t)1 << 46)
#endif

void *memory_allocate(Memory *m, size_t bytes)
{
  m->allocations++;
  if ((m->fail_after >= 0 && must_fail(m)) || bytes > MOST_BYTES) return NULL;
  size_t rounded;
  int class = size_class(bytes, &rounded);
  MemoryBlock *block = m->free_blocks[class];
  if (block) {
    m->free_blocks[class] = block->next;
    m->cached -= rounded;
  } else {
    block = system_allocate(rounded);
    if (!block) return NULL;
  }
  m->allocated += rounded;
  if (rounded <= MEMORY_SMALL) m->small_since += rounded;
  if (m->allocated > m->peak) m->peak = m->allocated;
  m->live_blocks++;
  return block;
}

void memory_free(Memory *m, void *pointer, size_t bytes)
{
  size_t rounded;
  int class = size_class(bytes, &rounded);
  m->allocated -= rounded;
  m->live_blocks--;
  /* The cache may hold a quarter of what is live: more would be a second working set. */
  size_t cap = m->allocated / 4 > CACHE_FLOOR ? m->allocated / 4 : CACHE_FLOOR;
  if (m->cached + rounded > cap) {
    system_free(pointer, rounded);
    return;
  }
  MemoryBlock *block = pointer;
  block->next = m->free_blocks[class];
  m->free_blocks[class] = block;
  m->cached += rounded;
}

void memory_trim(Memory *m)
{
  for (int c = 0; c < MEMORY_CLASSES; c++) {
    while (m->free_blocks[c]) {
      MemoryBlock *block = m->free_blocks[c];
      m->free_blocks[c] = block->next;
      system_free(block, class_bytes(c));
    }
  }
  m->cached = 0;
}
