/* One process-wide pool of threads for loops over independent chunks. */
#ifndef NNLUA_CORE_PARALLEL_H
#define NNLUA_CORE_PARALLEL_H

#include <stdint.h>

/* The work on items [begin, end) of a loop; it must neither raise nor fork. */
typedef void (*ParallelBody)(void *arg, int64_t begin, int64_t end);

/* Runs body over [0, n) in chunks of grain items, the last one shorter; chunks depend on n and grain alone, so
   results that are kept per chunk don't depend on the number of threads. Raises "interrupted!" when the user asks for
   it, with chunks left undone: so nothing that needs to be released may be held around it (core/interrupt.h). */
void parallel_for(int64_t n, int64_t grain, ParallelBody body, void *arg);

/* How many items of so many elements each a thread takes at a time, for `enough` elements. */
static inline int64_t grain_of(int64_t enough, int64_t elements)
{
  return elements < enough ? enough / (elements > 0 ? elements : 1) : 1;
}

/* Returns how many threads a loop may use, the caller included. */
int parallel_threads(void);

/* Sets how many threads loops use from now on; below 1 means the default (NNLUA_NUM_THREADS, or the CPUs at hand). */
void parallel_set_threads(int n);

#endif
