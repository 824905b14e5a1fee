/* Squared errors in parts of fixed size, so that sums don't depend on the number of threads; lists of labels. */
#include "launch/nn/losses.h"

#include <string.h>

#include "core/blocks.h"
#include "kernels/reduce.h"
#include "launch/launch.h"

void store_single(Tensor *y, double value) { scalar_store(scalar_float(value), tensor_dtype(y), tensor_data(y)); }

/* --------------------------------------------------------------- squared errors */

typedef struct SquaredError {
  int64_t n;
  double *parts;
} SquaredError;

static void squared_error_parts(const Launch *l, int64_t begin, int64_t end)
{
  const SquaredError *e = l->params;
  for (int64_t i = begin; i < end; i++) {
    int64_t at = i * LOSS_SPLIT, n = e->n - at < LOSS_SPLIT ? e->n - at : LOSS_SPLIT;
    e->parts[i] = l->k->reduce->squared_error(n, operand_at(l, 0, at), operand_at(l, 1, at));
  }
}

void launch_squared_error(Call *call, Tensor *x, Tensor *target, Reduction reduction, Tensor *y)
{
  static const Driver driver = {.run = squared_error_parts, .results = {MOVED}};
  if (!launch_runs(y)) return;
  int64_t parts = (x->numel + LOSS_SPLIT - 1) / LOSS_SPLIT;
  SquaredError e = {x->numel, arena_allocate(call->ctx, (size_t)parts * sizeof *e.parts)};
  launch(call, &driver, tensor_dtype(y), TENSOR_LIST(y), TENSOR_LIST(x, target), (Work){parts, LOSS_SPLIT}, &e);
  double total = 0;
  for (int64_t i = 0; i < parts; i++) total += e.parts[i];
  store_single(y, reduction == MEAN ? total / (double)x->numel : total);
}

/* ------------------------------------------------------------------------ labels */

static void check_labels(Call *call, const Tensor *labels)
{
  int64_t rows = labels->shape[0], classes = labels->shape[1];
  const int64_t *t = tensor_data(labels);
  for (int64_t r = 0; r < rows; r++)
    for (int64_t j = r * classes; j < (r + 1) * classes && t[j] != -1; j++)
      if (t[j] < 1 || t[j] > classes)
        raise(call, "target %lld is no class: there are %lld, counted from 1, and -1 ends a row", (long long)t[j],
              (long long)classes);
}

static void list_labels(const Launch *l, int64_t begin, int64_t end)
{
  int64_t classes = l->y[0]->shape[1], n = (end - begin) * classes;
  const int64_t *t = operand_at(l, 0, 0);
  int64_t *position = result_at(l, 0, 0);
  bool *counts = result_at(l, 1, 0), *named = result_at(l, 2, 0);
  memset(counts + begin * classes, false, (size_t)n);
  memset(named + begin * classes, false, (size_t)n);
  for (int64_t i = begin * classes; i < end * classes; i++) position[i] = 1;
  for (int64_t r = begin; r < end; r++)
    for (int64_t j = r * classes; j < (r + 1) * classes && t[j] != -1; j++) {
      position[j] = t[j];
      counts[j] = named[r * classes + t[j] - 1] = true;
    }
}

void launch_listed_labels(Call *call, Tensor *labels, Tensor *positions, Tensor *counts, Tensor *named)
{
  static const Driver driver = {.run = list_labels, .results = {AS_INT64, MOVED, MOVED}, .operands = {AS_INT64}};
  if (!launch_runs(positions)) return;
  labels = contiguous_as(call, labels, DTYPE_i64);
  check_labels(call, labels);
  launch(call, &driver, DTYPE_i64, TENSOR_LIST(positions, counts, named), TENSOR_LIST(labels),
         (Work){labels->shape[0], labels->shape[1]}, NULL);
}
