/* Reductions of segments: each place of a dimension is told which segment it is in, and joins that one's result. */
#include "ops/index/segment.h"

#include <math.h>
#include <string.h>

#include "launch/look.h"
#include "ops/index/mask.h"
#include "ops/index/scatter_reduce.h"
#include "ops/index/search.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/reduce/cumulative.h"
#include "ops/reduce/max_min.h"
#include "ops/reduce/sum.h"
#include "ops/shape/cat_split.h"
#include "ops/shape/factory.h"
#include "ops/shape/permute_repeat.h"
#include "ops/shape/series.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

typedef struct Segments {
  Tensor *starts;       /* int64 [rows, n + 1], from 0: where each segment begins, and where the last one has ended */
  int64_t rows, n, per; /* rows of the dimensions before axis, segments and places in each */
} Segments;

/* A reduction's name as scatter_reduce has it, and what a segment without elements gives. */
typedef struct Rule {
  const char *name, *scatter;
  double start;
} Rule;

static const Rule *rule_of(Call *call, const char *name)
{
  static const Rule rules[] = {
    {"sum", "sum", 0}, {"mean", "sum", 0}, {"max", "amax", -HUGE_VAL}, {"min", "amin", HUGE_VAL}, {"prod", "prod", 1}};
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
    if (strcmp(name, rules[i].name) == 0) return &rules[i];
  raise(call, "reduce is \"sum\", \"mean\", \"max\", \"min\" or \"prod\", not \"%s\"", name);
}

static Tensor *whole(Call *call, int64_t n) { return tensor_from_number(call, scalar_int(n)); }

/* lengths or offsets, as int64: of data's dimensions before axis, and one more. */
static Tensor *checked_list(Call *call, const char *name, Tensor *t, const Tensor *data, int axis)
{
  if (!dtype_is_integral(tensor_dtype(t)) || t->dtype == DTYPE_b8)
    raise(call, "%s must be integers, not %s", name, dtype_name(tensor_dtype(t)));
  bool fits = t->ndim == axis + 1;
  for (int d = 0; d < axis && fits; d++) fits = t->shape[d] == data->shape[d];
  if (!fits)
    raise(call, "%s of shape %s must have the dimensions of data, %s, up to axis %d, which is their last one", name,
          shape_text(call, tensor_shape(t)), shape_text(call, tensor_shape(data)), axis + 1);
  return cast(t, DTYPE_i64);
}

static void check_lengths(Call *call, Tensor *lengths, const Tensor *data, int axis)
{
  if (lengths->numel && scalar_integer(tensor_item(op(min, lengths))) < 0) raise(call, "a length is negative");
  Tensor *total = op(sum, lengths, INTS(axis), false, DTYPE_i64), *size = whole(call, data->shape[axis]);
  if (scalar_integer(tensor_item(op(all, op(eq, total, size), NO_INTS, false))) == 0)
    raise(call, "lengths must add up to the %lld places of axis %d; unsafe leaves this check out",
          (long long)data->shape[axis], axis + 1);
}

static Segments segments_of(Call *call, const struct segment_reduce_args *a, int axis)
{
  Tensor *data = a->data, *starts;
  if (a->indices) raise(call, "indices are not taken: give lengths or offsets");
  if (a->lengths) {
    Tensor *lengths = checked_list(call, "lengths", a->lengths, data, axis);
    if (!a->unsafe) check_lengths(call, lengths, data, axis);
    Tensor *ends = op(cumsum, lengths, axis, DTYPE_i64);
    int64_t first[MAX_DIMS];
    memcpy(first, ends->shape, (size_t)ends->ndim * sizeof *first);
    first[axis] = 1;
    Tensor *both[] = {zeros_for(call, ends, (Ints){first, ends->ndim}), ends};
    starts = op(cat, ((Tensors){both, 2}), axis);
  } else if (a->offsets) {
    starts = minus(checked_list(call, "offsets", a->offsets, data, axis), whole(call, 1));
  } else {
    raise(call, "give lengths or offsets");
  }
  int64_t bounds = starts->shape[axis], rows = slabs_of(data, axis).outer;
  if (bounds < 1) raise(call, "offsets need at least one element, where the last segment has ended");
  return (Segments){op(reshape, starts, INTS(rows, bounds)), rows, bounds - 1, data->shape[axis]};
}

/* For each place of all rows the row, from 1, of its result: each row has n results between two that take the places
   before the first segment and behind the last one. */
static Tensor *results_of_places(Call *call, const Segments *s)
{
  Device device = device_behind(s->starts);
  Tensor *places = op(arange, scalar_int(s->per), DTYPE_i64, device, false);
  places = op(contiguous, op(expand, places, INTS(s->rows, s->per)));
  Tensor *in_row = op(searchsorted, op(contiguous, s->starts), places, false, true, NULL, NULL);
  Tensor *before = op(mul, op(arange, scalar_int(s->rows), DTYPE_i64, device, false), whole(call, s->n + 2));
  return op(reshape, plus(in_row, op(unsqueeze, before, 1)), INTS(s->rows * s->per, 1));
}

/* How many places each segment has, as [rows, n, 1]. */
static Tensor *sizes_of(Call *call, const Segments *s, DType dtype)
{
  Tensor *from = op(narrow, s->starts, 1, 0, s->n), *to = op(narrow, s->starts, 1, 1, s->n);
  return op(unsqueeze, cast(minus(to, from), dtype), 2);
}

/* A mean from a sum; that of no elements is the sum, which is initial, or nan without one. */
static Tensor *mean_of(Call *call, const Segments *s, Tensor *sum, bool has_initial)
{
  Tensor *count = sizes_of(call, s, tensor_dtype(sum)), *is_empty = op(eq, count, number(0));
  Tensor *mean = op(div, sum, op(masked_fill, count, is_empty, whole(call, 1)));
  return has_initial ? mean : op(masked_fill, mean, is_empty, tensor_from_number(call, scalar_float(NAN)));
}

/* Extremes together with initial, to which no gradient goes where an element is equal to it. */
static Tensor *with_initial(Call *call, Tensor *y, Scalar initial, bool is_max)
{
  Tensor *bound = tensor_from_number(call, initial);
  return op(masked_fill, y, is_max ? op(lt, y, bound) : op(gt, y, bound), bound);
}

FORWARD(segment_reduce)
{
  Tensor *x = a->data;
  check_argument_floating(call, "data", x);
  if (x->ndim == 0) raise(call, "data must have a dimension");
  const Rule *rule = rule_of(call, a->reduce);
  int axis = shape_dim(call, a->axis, x->ndim);
  check_can_look(call, x);
  Segments s = segments_of(call, a, axis);
  bool has_initial = a->initial.kind != SCALAR_NONE, extreme = rule->scatter[0] == 'a';
  int64_t inner = slabs_of(x, axis).inner, total = s.rows * s.per;
  Tensor *wide = op(reshape, widened(x), INTS(total, inner));
  Tensor *index = op(expand, results_of_places(call, &s), INTS(total, inner));
  Scalar start = has_initial && !extreme ? a->initial : scalar_float(rule->start);
  Tensor *base = op(full, INTS(s.rows * (s.n + 2), inner), start, tensor_dtype(wide), device_behind(x), false);
  Tensor *y_ = op(scatter_reduce, base, 0, index, wide, rule->scatter, !extreme);
  y_ = op(narrow, op(reshape, y_, INTS(s.rows, s.n + 2, inner)), 1, 1, s.n);
  if (strcmp(rule->name, "mean") == 0) y_ = mean_of(call, &s, y_, has_initial);
  if (has_initial && extreme) y_ = with_initial(call, y_, a->initial, rule->start < 0);
  int64_t shape[MAX_DIMS];
  memcpy(shape, x->shape, (size_t)x->ndim * sizeof *shape);
  shape[axis] = s.n;
  y[0] = cast(op(contiguous, op(reshape, y_, (Ints){shape, x->ndim})), tensor_dtype(x));
}
