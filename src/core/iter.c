/* The strided iterator: how the dimensions of several tensors are ordered, merged and walked. */
#include "core/iter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/parallel.h"

void iter_init(Iter *it, Ints shape)
{
  it->ndim = (int)shape.n;
  it->operands = 0;
  it->numel = 1;
  for (int64_t i = 0; i < shape.n; i++) {
    it->shape[i] = shape.v[i];
    it->numel *= shape.v[i];
  }
}

void iter_add(Iter *it, const Tensor *t)
{
  if (it->operands == ITER_OPERANDS) { /* only a fault of the core itself gets here */
    fprintf(stderr, "nnlua: more than %d operands in an iterator\n", ITER_OPERANDS);
    abort();
  }
  int k = it->operands++;
  int64_t size = (int64_t)dtype_size(tensor_dtype(t));
  int missing = it->ndim - t->ndim;
  for (int i = 0; i < it->ndim; i++) {
    bool repeats = i < missing || (t->shape[i - missing] == 1 && it->shape[i] != 1);
    it->strides[k][i] = repeats ? 0 : t->strides[i - missing] * size;
  }
  it->data[k] = tensor_data(t);
}

/* Whether dimension a should lie outside of b: the first operand that tells them apart decides. */
static bool lies_outside(const Iter *it, int a, int b)
{
  for (int k = 0; k < it->operands; k++) {
    int64_t sa = it->strides[k][a], sb = it->strides[k][b];
    if (sa < 0) sa = -sa;
    if (sb < 0) sb = -sb;
    if (sa == 0 || sb == 0 || sa == sb) continue;
    return sa > sb;
  }
  return true; /* as they stand */
}

static void move_dim(Iter *it, int to, int from)
{
  it->shape[to] = it->shape[from];
  for (int k = 0; k < it->operands; k++) it->strides[k][to] = it->strides[k][from];
}

static void drop_single(Iter *it)
{
  int n = 0;
  for (int i = 0; i < it->ndim; i++)
    if (it->shape[i] != 1) move_dim(it, n++, i);
  it->ndim = n;
}

void iter_swap(Iter *it, int a, int b)
{
  int64_t t = it->shape[a];
  it->shape[a] = it->shape[b];
  it->shape[b] = t;
  for (int k = 0; k < it->operands; k++) {
    t = it->strides[k][a];
    it->strides[k][a] = it->strides[k][b];
    it->strides[k][b] = t;
  }
}

static void order_dims(Iter *it)
{
  for (int i = 1; i < it->ndim; i++)
    for (int j = i; j > 0 && !lies_outside(it, j - 1, j); j--) iter_swap(it, j - 1, j);
}

static bool can_merge(const Iter *it, int outer, int inner)
{
  for (int k = 0; k < it->operands; k++)
    if (it->strides[k][outer] != it->strides[k][inner] * it->shape[inner]) return false;
  return true;
}

static void merge_dims(Iter *it)
{
  if (it->ndim == 0) return;
  int last = 0;
  for (int i = 1; i < it->ndim; i++) {
    if (can_merge(it, last, i)) {
      int64_t size = it->shape[last] * it->shape[i];
      move_dim(it, last, i);
      it->shape[last] = size;
    } else {
      move_dim(it, ++last, i);
    }
  }
  it->ndim = last + 1;
}

void iter_plan(Iter *it)
{
  drop_single(it);
  if (it->ndim > 1) {
    order_dims(it);
    merge_dims(it);
  }
}

void iter_runs(const Iter *it, int64_t begin, int64_t end, IterRun run, void *arg)
{
  int64_t at[MAX_DIMS], strides[ITER_OPERANDS], rest = begin;
  char *p[ITER_OPERANDS];
  int inner = it->ndim - 1;
  if (begin >= end) return;
  memcpy(p, it->data, sizeof p);
  for (int k = 0; k < it->operands; k++) strides[k] = inner >= 0 ? it->strides[k][inner] : 0;
  if (inner < 0) {
    run(arg, 1, p, strides);
    return;
  }
  for (int d = inner; d >= 0; d--) {
    at[d] = rest % it->shape[d];
    rest /= it->shape[d];
    for (int k = 0; k < it->operands; k++) p[k] += at[d] * it->strides[k][d];
  }
  for (;;) {
    int64_t n = it->shape[inner] - at[inner];
    if (n > end - begin) n = end - begin;
    run(arg, n, p, strides);
    begin += n;
    if (begin >= end) return;
    /* to the start of the next run */
    for (int k = 0; k < it->operands; k++) p[k] -= at[inner] * strides[k];
    at[inner] = 0;
    for (int d = inner - 1; d >= 0; d--) {
      for (int k = 0; k < it->operands; k++) p[k] += it->strides[k][d];
      if (++at[d] < it->shape[d]) break;
      for (int k = 0; k < it->operands; k++) p[k] -= at[d] * it->strides[k][d];
      at[d] = 0;
    }
  }
}

typedef struct Work {
  const Iter *it;
  IterRun run;
  void *arg;
} Work;

static void work_part(void *arg, int64_t begin, int64_t end)
{
  Work *work = arg;
  iter_runs(work->it, begin, end, work->run, work->arg);
}

void iter_parallel(const Iter *it, int64_t grain, IterRun run, void *arg)
{
  if (it->numel <= grain) {
    iter_runs(it, 0, it->numel, run, arg);
    return;
  }
  Work work = {it, run, arg};
  parallel_for(it->numel, grain, work_part, &work);
}
