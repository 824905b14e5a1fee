/*
 * Freed blocks wait in lists by size for the next of their size; large ones ask the system for huge pages.
 *
 * A fresh page costs more than what most kernels do with it, so free blocks stay as long as they and what is handed out
 * together are no more than a program has lately had handed out at once, and something for the mixture of sizes. Then a
 * new block takes the place of those whose size has not been asked for longest: a large one gets their very pages.
 */
#define _GNU_SOURCE
#include "core/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct MemoryBlock {
  MemoryBlock *next;
};

enum {
  KEPT_FLOOR = 64 << 20, /* bytes in blocks, handed out or free, that are always worth keeping */
  HUGE_PAGE = 2 << 20,
  PAGE = 4096,
  FIRST_MAPPED = 8 * (20 - 8) + 7, /* the class of HUGE_PAGE bytes */
  LOOKS = 64                       /* of memory_look, after which a peak that did not come again is forgotten */
};

void memory_init(Memory *m)
{
  memset(m, 0, sizeof *m);
  m->fail_after = -1;
  m->limit = m->small_limit = m->medium_limit = SIZE_MAX; /* until the host sets them */
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

static size_t whole_pages(size_t bytes) { return (bytes + PAGE - 1) & ~(size_t)(PAGE - 1); }

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

/* The most that may be in blocks, handed out or free. */
static size_t most_kept(const Memory *m)
{
  size_t wanted = m->high + m->high / 8;
  return wanted > KEPT_FLOOR ? wanted : KEPT_FLOOR;
}

static bool is_full(const Memory *m, size_t bytes) { return m->allocated + m->cached + bytes > most_kept(m); }

/* The class with free blocks that has not been asked for longest, of those from `first` on; -1: none has any. */
static int stalest_class(const Memory *m, int first)
{
  int stalest = -1;
  for (int c = first; c < MEMORY_CLASSES; c++)
    if (m->free_blocks[c] && (stalest < 0 || m->asked_at[c] < m->asked_at[stalest])) stalest = c;
  return stalest;
}

/* Takes a free block of a class that has one; `bytes` is the class's. */
static inline void *take_free(Memory *m, int class, size_t bytes)
{
  MemoryBlock *block = m->free_blocks[class];
  m->free_blocks[class] = block->next;
  __builtin_prefetch(block->next, 1); /* the next call wants it, and has left the nearest cache by then */
  m->cached -= bytes;
  return block;
}

static inline void put_free(Memory *m, int class, size_t bytes, void *pointer)
{
  MemoryBlock *block = pointer;
  block->next = m->free_blocks[class];
  m->free_blocks[class] = block;
  m->cached += bytes;
}

/* Gives free blocks back until there is room for `bytes` more, if it takes all. */
static void make_room(Memory *m, size_t bytes)
{
  while (m->cached && is_full(m, bytes)) {
    int class = stalest_class(m, 0);
    size_t size = class_bytes(class);
    while (m->free_blocks[class] && is_full(m, bytes)) system_free(take_free(m, class, size), size);
  }
}

/* Keeps what lies in [from, to) as a free block, or gives it back if it is too short for a class that is mapped. */
static void keep_rest(Memory *m, char *from, char *to)
{
  char *start = (char *)(((uintptr_t)from + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1));
  int class = FIRST_MAPPED;
  while (start < to && class_bytes(class) <= (size_t)(to - start)) class += 1;
  if (class == FIRST_MAPPED) {
    if (from < to) munmap(from, (size_t)(to - from));
    return;
  }
  size_t size = class_bytes(class - 1);
  if (from < start) munmap(from, (size_t)(start - from));
  if (start + size < to) munmap(start + size, (size_t)(to - start) - size);
  put_free(m, class - 1, size, start);
}

/*
 * A block whose pages are those of free blocks, as far as there are any: moving one takes a fraction of what a fresh
 * one does. Of a block that is not enough only whole huge pages are of use.
 */
static void *rebuilt(Memory *m, size_t bytes)
{
  char *block = map_pages(bytes);
  if (!block) return NULL;
  for (size_t done = 0, whole = whole_pages(bytes); done < whole;) {
    int class = stalest_class(m, FIRST_MAPPED);
    if (class < 0) break;
    size_t size = class_bytes(class), wanted = whole - done;
    size_t moved = size < wanted ? size & ~(size_t)(HUGE_PAGE - 1) : wanted;
    char *from = take_free(m, class, size);
    for (size_t at = 0; at < moved; at += HUGE_PAGE) {
      size_t piece = moved - at < HUGE_PAGE ? moved - at : HUGE_PAGE;
      if (mremap(from + at, piece, piece, MREMAP_MAYMOVE | MREMAP_FIXED, block + done + at) == MAP_FAILED)
        munmap(from + at, piece);
    }
    done += moved;
    keep_rest(m, from + moved, from + size);
  }
  return block;
}

/* A block that none is kept for. */
static void *new_block(Memory *m, size_t bytes)
{
  void *block = MAPS_LARGE && bytes >= HUGE_PAGE && is_full(m, bytes) ? rebuilt(m, bytes) : NULL;
  make_room(m, bytes);
  return block ? block : system_allocate(bytes);
}

static void note_peak(Memory *m)
{
  m->recent = m->allocated;
  if (m->allocated > m->high) m->high = m->allocated;
  if (m->allocated > m->peak) m->peak = m->allocated;
}

void memory_reset_peak(Memory *m) { m->peak = m->recent = m->allocated; }

void memory_look(Memory *m)
{
  if (++m->looks < LOOKS) return;
  m->looks = 0;
  m->high = m->recent;
  m->recent = m->allocated;
  make_room(m, 0);
}

/* Counts bytes that are handed out. */
static inline void count_out(Memory *m, size_t bytes)
{
  m->allocated += bytes;
  m->handed_out += bytes;
  if (bytes <= MEMORY_SMALL) m->small_since += bytes;
  else if (bytes <= MEMORY_MEDIUM) m->medium_since += bytes;
  if (m->allocated > m->recent) note_peak(m);
}

void memory_borrow(Memory *m, size_t bytes)
{
  count_out(m, bytes);
  m->live_blocks++;
}

void memory_return(Memory *m, size_t bytes)
{
  m->allocated -= bytes;
  m->live_blocks--;
}

void *memory_allocate(Memory *m, size_t bytes)
{
  m->allocations++;
  if ((m->fail_after >= 0 && must_fail(m)) || bytes > MOST_BYTES) return NULL;
  size_t rounded;
  int class = size_class(bytes, &rounded);
  m->asked_at[class] = m->allocations;
  void *block = m->free_blocks[class] ? take_free(m, class, rounded) : new_block(m, rounded);
  if (!block) return NULL;
  count_out(m, rounded);
  m->live_blocks++;
  return block;
}

void memory_free(Memory *m, void *pointer, size_t bytes)
{
  size_t rounded;
  int class = size_class(bytes, &rounded);
  put_free(m, class, rounded, pointer);
  m->allocated -= rounded;
  m->live_blocks--;
}

void memory_trim(Memory *m)
{
  for (int c = 0; c < MEMORY_CLASSES; c++) {
    size_t size = class_bytes(c);
    while (m->free_blocks[c]) system_free(take_free(m, c, size), size);
  }
}
