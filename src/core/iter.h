/*
 * The one strided iterator: walks several tensors over one shape as few, long, one-dimensional
 * runs. Dimensions of size 1 are dropped, the rest ordered by stride and merged where every
 * operand allows it; a broadcast operand has stride 0.
 */
#ifndef NNLUA_CORE_ITER_H
#define NNLUA_CORE_ITER_H

#include "core/tensor.h"

enum { ITER_OPERANDS = 6 };

typedef struct Iter {
  int ndim, operands;
  int64_t numel;
  int64_t shape[MAX_DIMS];                  /* outermost first */
  int64_t strides[ITER_OPERANDS][MAX_DIMS]; /* in bytes */
  char *data[ITER_OPERANDS];
} Iter;

void iter_init(Iter *it, Ints shape);

/* Adds an operand whose shape broadcasts to the iterator's. Operand 0 decides the order of dimensions. */
void iter_add(Iter *it, const Tensor *t);

/* Orders and merges the dimensions; call it once, after the last iter_add. */
void iter_plan(Iter *it);

/* Makes two dimensions change places: another order of the same elements. */
void iter_swap(Iter *it, int a, int b);

/* A run: n elements, pointers to the first one of each operand, and strides in bytes. */
typedef void (*IterRun)(void *arg, int64_t n, char *const *p, const int64_t *strides);

/* Calls run for the elements begin..end-1 in the iterator's order. */
void iter_runs(const Iter *it, int64_t begin, int64_t end, IterRun run, void *arg);

/* The same for all elements, on several threads when there are many; run must not raise. */
void iter_parallel(const Iter *it, int64_t grain, IterRun run, void *arg);

#endif
