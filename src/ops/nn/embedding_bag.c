/* Bags of rows of a table. */
#include "ops/nn/embedding_bag.h"

#include <math.h>
#include <string.h>

#include "launch/index/lines.h"
#include "ops/index/gather.h"
#include "ops/index/mask.h"
#include "ops/index/scatter_reduce.h"
#include "ops/index/search.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/math/composed_arithmetic.h"
#include "ops/nn/embedding.h"
#include "ops/reduce/sum.h"
#include "ops/shape/factory.h"
#include "ops/shape/permute_repeat.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

/* What is put into bags: the positions in the table, the bag of each, both from 1; whether each counts, or NULL. */
typedef struct Bags {
  Tensor *positions, *bag, *counts;
  int64_t n, each; /* bags; positions in each, -1 where that differs */
} Bags;

static Tensor *from_one_to(Call *call, const Tensor *like, int64_t n)
{
  return op(arange_start, scalar_int(1), scalar_int(n + 1), scalar_int(1), DTYPE_i64, device_behind(like), false);
}

/* Each row of a matrix is a bag. */
static Bags bags_of_rows(Call *call, Tensor *input)
{
  int64_t n = input->shape[0], each = input->shape[1];
  Tensor *bag = op(expand, op(unsqueeze, from_one_to(call, input, n), 1), INTS(n, each));
  return (Bags){op(reshape, input, INTS(-1)), op(reshape, bag, INTS(-1)), NULL, n, each};
}

/* A bag goes from one offset to the next; the last offset may only tell where the last bag ends. */
static Bags bags_at(Call *call, Tensor *input, Tensor *offsets, bool include_last)
{
  int64_t n = offsets->shape[0] - include_last;
  if (n < 0) raise(call, "include_last_offset wants an offset behind the last bag, but there is none");
  offsets = checked_positions(call, offsets, input->shape[0] + 1, 0, false);
  if (include_last) offsets = op(narrow, offsets, 0, 0, n);
  Tensor *places = from_one_to(call, input, input->shape[0]);
  Tensor *bag = op(searchsorted, cast(offsets, DTYPE_i64), places, false, true, NULL, NULL); /* from 1: one more */
  return (Bags){input, op(sub, bag, cast(number(1), DTYPE_i64), scalar_int(1)), NULL, n, -1};
}

static Bags bags_of(Call *call, const struct embedding_bag_args *a)
{
  const Tensor *x = a->input;
  if (x->ndim != 1 && x->ndim != 2)
    raise(call, "input has shape %s; one or two dimensions are wanted", shape_text(call, tensor_shape(x)));
  if ((x->ndim == 1) != (a->offsets != NULL))
    raise(call, "offsets belong to an input of one dimension: a matrix has a bag in each row");
  if (a->offsets && a->offsets->ndim != 1) raise(call, "offsets must be a vector");
  if (a->per_sample_weights && strcmp(a->mode, "sum") != 0)
    raise(call, "per_sample_weights go with mode \"sum\" only, not with \"%s\"", a->mode);
  if (a->per_sample_weights && !tensor_same_shape(a->per_sample_weights, x))
    raise(call, "per_sample_weights have shape %s, input %s", shape_text(call, tensor_shape(a->per_sample_weights)),
          shape_text(call, tensor_shape(x)));
  return x->ndim == 2 ? bags_of_rows(call, a->input) : bags_at(call, a->input, a->offsets, a->include_last_offset);
}

/* How many rows count in each bag, [n, 1]. */
static Tensor *sizes_of(Call *call, const Bags *b, const Tensor *rows)
{
  Tensor *ones = b->counts ? cast(b->counts, tensor_dtype(rows))
                           : op(ones, tensor_shape(b->bag), tensor_dtype(rows), device_behind(rows), false);
  Tensor *none = op(zeros, INTS(b->n), tensor_dtype(rows), device_behind(rows), false);
  return op(unsqueeze, op(index_add, none, 0, b->bag, ones, scalar_int(1)), 1);
}

static Tensor *sums_of(Call *call, const Bags *b, Tensor *rows)
{
  if (b->each >= 0) {
    Tensor *bags = op(reshape, rows, INTS(b->n, b->each, rows->shape[1]));
    return op(sum, bags, INTS(1), false, tensor_dtype(rows));
  }
  Tensor *none = op(new_zeros, rows, INTS(b->n, rows->shape[1]), DTYPE_NONE, DEVICE_NONE, false);
  return op(index_add, none, 0, b->bag, rows, scalar_int(1));
}

/* The first of equal maxima gets the gradient: it is found, and taken. Empty bags have zeros. */
static Tensor *maxima_of(Call *call, const Bags *b, Tensor *rows)
{
  int64_t m = rows->shape[0], width = rows->shape[1];
  if (m == 0) return sums_of(call, b, rows); /* zeros, whose gradient is zeros */
  Tensor *values = op(detach, rows), *bag = op(expand, op(unsqueeze, b->bag, 1), INTS(m, width));
  if (b->counts) values = op(where, op(unsqueeze, b->counts, 1), values, number(-(double)INFINITY));
  Tensor *low = op(full, INTS(b->n, width), scalar_float(-(double)INFINITY), tensor_dtype(values), device_behind(rows),
                   false);
  Tensor *best = op(scatter_reduce, low, 0, bag, values, "amax", true);
  Tensor *is_best = op(eq, values, op(gather, best, 0, bag, false));
  if (b->counts) is_best = op(logical_and, is_best, op(unsqueeze, b->counts, 1));
  Tensor *beyond = cast(number((double)(m + 1)), DTYPE_i64);
  Tensor *place = op(where, is_best, op(unsqueeze, from_one_to(call, rows, m), 1), beyond);
  Tensor *far = op(full, INTS(b->n, width), scalar_int(m + 1), DTYPE_i64, device_behind(rows), false);
  Tensor *first = op(scatter_reduce, far, 0, bag, place, "amin", true);
  Tensor *found = op(le, first, number((double)m));
  Tensor *taken = op(gather, rows, 0, op(where, found, first, cast(number(1), DTYPE_i64)), false);
  return op(where, found, taken, number(0));
}

FORWARD(embedding_bag)
{
  Bags b = bags_of(call, a);
  bool takes_mean = strcmp(a->mode, "mean") == 0, takes_max = strcmp(a->mode, "max") == 0;
  if (!takes_mean && !takes_max && strcmp(a->mode, "sum") != 0)
    raise(call, "mode is \"%s\"; it is \"sum\", \"mean\" or \"max\"", a->mode);
  Tensor *rows = op(embedding, b.positions, a->weight, a->padding_idx, a->max_norm, a->norm_type, a->scale_grad_by_freq,
                    a->sparse);
  if (a->padding_idx != NO_INT) {
    int64_t padding = a->padding_idx < 0 ? a->padding_idx + a->weight->shape[0] : a->padding_idx;
    b.counts = op(ne, b.positions, cast(number((double)(padding + 1)), DTYPE_i64));
    if (!takes_max) rows = op(where, op(unsqueeze, b.counts, 1), rows, number(0));
  }
  if (a->per_sample_weights) {
    Tensor *weights = op(reshape, a->per_sample_weights, INTS(-1, 1));
    rows = op(mul, rows, weights);
  }
  if (takes_max) y[0] = maxima_of(call, &b, rows);
  else y[0] = sums_of(call, &b, rows);
  if (takes_mean) y[0] = op(div, y[0], op(clamp, sizes_of(call, &b, rows), scalar_int(1), NO_SCALAR));
}
