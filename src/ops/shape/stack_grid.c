/* Several tensors joined, divided or brought to one shape. */
#include "ops/shape/stack_grid.h"

#include <string.h>

#include "launch/math/generate.h"
#include "launch/look.h"
#include "ops/index/gather.h"
#include "ops/shape/cat_split.h"
#include "ops/shape/permute_repeat.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

/* ----------------------------------------------------------------------- join */

static Tensors each_with_dims(Call *call, Tensors tensors, int ndim)
{
  if (tensors.n == 0) raise(call, "at least one tensor is needed");
  if (ndim == 1) return op(atleast_1d_list, tensors);
  return ndim == 2 ? op(atleast_2d_list, tensors) : op(atleast_3d_list, tensors);
}

FORWARD(hstack)
{
  Tensors list = each_with_dims(call, a->tensors, 1);
  y[0] = op(cat, list, list.v[0]->ndim == 1 ? 0 : 1);
}

FORWARD(vstack) { y[0] = op(cat, each_with_dims(call, a->tensors, 2), 0); }

FORWARD(row_stack) { y[0] = op(cat, each_with_dims(call, a->tensors, 2), 0); }

FORWARD(dstack) { y[0] = op(cat, each_with_dims(call, a->tensors, 3), 2); }

FORWARD(column_stack)
{
  if (a->tensors.n == 0) raise(call, "at least one tensor is needed");
  Tensors list = {arena_allocate(call->ctx, (size_t)a->tensors.n * sizeof *list.v), a->tensors.n};
  for (int64_t i = 0; i < list.n; i++) {
    Tensor *t = a->tensors.v[i];
    list.v[i] = t->ndim < 2 ? op(reshape, t, INTS(t->numel, 1)) : t;
  }
  y[0] = op(cat, list, 1);
}

/* ------------------------------------------------------------------------ split */

/* Gives the parts between neighbouring borders, the first one from 0, the last one to the end. */
static void split_at(Call *call, Tensor *x, const int64_t *borders, int64_t n, int dim)
{
  int64_t size = x->shape[dim], start = 0;
  Tensor **parts = result_list(call, n + 1);
  for (int64_t i = 0; i <= n; i++) {
    int64_t stop = i < n ? borders[i] : size;
    parts[i] = op(slice, x, dim, start, stop, 1);
    start = stop;
  }
}

/* The same, beginning at positions that count from 1. */
static void split_at_positions(Call *call, Tensor *x, const int64_t *positions, int64_t n, int dim)
{
  int64_t *borders = arena_allocate(call->ctx, (size_t)(n > 0 ? n : 1) * sizeof *borders);
  for (int64_t i = 0; i < n; i++) {
    if (positions[i] == 0) raise(call, "index 0 is out of range: positions count from 1");
    borders[i] = positions[i] > 0 ? positions[i] - 1 : positions[i];
  }
  split_at(call, x, borders, n, dim);
}

static void split_evenly(Call *call, Tensor *x, int64_t sections, int dim)
{
  if (sections <= 0) raise(call, "sections must be positive, not %lld", (long long)sections);
  if (sections > 1 << 26) raise(call, "%lld sections are too many", (long long)sections);
  int64_t size = x->shape[dim], part = size / sections, larger = size % sections;
  int64_t *borders = arena_allocate(call->ctx, (size_t)sections * sizeof *borders);
  for (int64_t i = 0; i < sections - 1; i++) borders[i] = (i + 1) * part + (i + 1 < larger ? i + 1 : larger);
  split_at(call, x, borders, sections - 1, dim);
}

FORWARD(tensor_split)
{
  (void)y;
  split_evenly(call, a->input, a->sections, divided_dim(call, a->input, a->dim));
}

FORWARD(tensor_split_indices)
{
  (void)y;
  split_at_positions(call, a->input, a->indices.v, a->indices.n, divided_dim(call, a->input, a->dim));
}

FORWARD(tensor_split_tensor)
{
  (void)y;
  Tensor *t = a->tensor_indices_or_sections, *x = a->input;
  int dim = divided_dim(call, x, a->dim);
  if (t->dtype != DTYPE_i64 || t->ndim > 1)
    raise(call, "tensor_indices_or_sections must be an int64 number or vector, not %s of shape %s",
          dtype_name(tensor_dtype(t)), shape_text(call, tensor_shape(t)));
  if (!can_look(t)) raise(call, "tensor_indices_or_sections is a meta tensor, which has no elements");
  if (t->ndim == 0) {
    split_evenly(call, x, tensor_item(t).i, dim);
    return;
  }
  const int64_t *positions = tensor_data(contiguous_as(call, t, DTYPE_i64));
  split_at_positions(call, x, positions, t->numel, dim);
}

static void check_rank(Call *call, const Tensor *x, int ndim)
{
  if (x->ndim < ndim)
    raise(call, "at least %d dimension%s needed, not shape %s", ndim, ndim > 1 ? "s are" : " is",
          shape_text(call, tensor_shape(x)));
}

static void split_equally(Call *call, Tensor *x, int64_t sections, int ndim, int dim)
{
  check_rank(call, x, ndim);
  if (sections <= 0) raise(call, "sections must be positive, not %lld", (long long)sections);
  if (x->shape[dim] % sections)
    raise(call, "dimension %d of size %lld can't be divided into %lld equal parts", dim + 1, (long long)x->shape[dim],
          (long long)sections);
  split_evenly(call, x, sections, dim);
}

static void split_where(Call *call, Tensor *x, Ints positions, int ndim, int dim)
{
  check_rank(call, x, ndim);
  split_at_positions(call, x, positions.v, positions.n, dim);
}

#define SPLIT(row, ndim, dim)                                                      \
  FORWARD(row) { (void)y, split_equally(call, a->input, a->sections, ndim, dim); } \
  FORWARD(row##_indices) { (void)y, split_where(call, a->input, a->indices, ndim, dim); }
SPLIT(hsplit, 1, a->input->ndim > 1)
SPLIT(vsplit, 2, 0)
SPLIT(dsplit, 3, 2)

/* ------------------------------------------------------------------- one shape */

FORWARD(meshgrid)
{
  (void)y;
  Tensors list = a->tensors;
  bool exchanged = strcmp(a->indexing, "xy") == 0 && list.n >= 2;
  if (strcmp(a->indexing, "xy") != 0 && strcmp(a->indexing, "ij") != 0)
    raise(call, "indexing is \"ij\" or \"xy\", not \"%s\"", a->indexing);
  if (list.n == 0) raise(call, "at least one tensor is needed");
  if (list.n > MAX_DIMS) raise(call, "a tensor has at most %d dimensions", MAX_DIMS);
  int64_t shape[MAX_DIMS], place[MAX_DIMS];
  for (int64_t i = 0; i < list.n; i++) {
    const Tensor *t = list.v[i];
    place[i] = exchanged && i < 2 ? 1 - i : i;
    if (t->ndim > 1)
      raise(call, "tensor %d has shape %s; a vector is wanted", (int)i + 1, shape_text(call, tensor_shape(t)));
    if (t->dtype != list.v[0]->dtype)
      raise(call, "tensors must have one dtype, not %s and %s", dtype_name(tensor_dtype(list.v[0])),
            dtype_name(tensor_dtype(t)));
    shape[place[i]] = t->numel;
  }
  Tensor **grids = result_list(call, list.n);
  for (int64_t i = 0; i < list.n; i++) {
    int64_t line[MAX_DIMS];
    for (int64_t d = 0; d < list.n; d++) line[d] = d == place[i] ? list.v[i]->numel : 1;
    grids[i] = op(expand, op(reshape, list.v[i], (Ints){line, list.n}), (Ints){shape, list.n});
  }
}

FORWARD(broadcast_tensors)
{
  (void)y;
  Tensors list = a->tensors;
  if (list.n == 0) raise(call, "at least one tensor is needed");
  Ints shape = broadcast_operands(call, list.v, (int)list.n);
  Tensor **wide = result_list(call, list.n);
  for (int64_t i = 0; i < list.n; i++) { /* one that has the shape is given itself */
    bool fits = shape_equal(tensor_shape(list.v[i]), shape);
    wide[i] = fits ? list.v[i] : op(expand, list.v[i], shape);
  }
}

FORWARD(cartesian_prod)
{
  Tensors list = a->tensors;
  if (list.n == 0) raise(call, "at least one tensor is needed");
  for (int64_t i = 0; i < list.n; i++)
    if (list.v[i]->ndim != 1)
      raise(call, "tensor %d has shape %s; a vector is wanted", (int)i + 1, shape_text(call, tensor_shape(list.v[i])));
  if (list.n == 1) {
    y[0] = list.v[0];
    return;
  }
  Tensors grids = op(meshgrid, list, "ij");
  for (int64_t i = 0; i < grids.n; i++) grids.v[i] = op(reshape, grids.v[i], INTS(-1));
  y[0] = op(stack, grids, 1);
}

/* The next choice of r of n places in order; false after the last one. */
static bool next_choice(int64_t *at, int64_t r, int64_t n, bool repeats)
{
  int64_t i = r - 1;
  while (i >= 0 && at[i] == (repeats ? n : n - (r - 1 - i))) i--;
  if (i < 0) return false;
  at[i]++;
  for (int64_t k = i + 1; k < r; k++) at[k] = repeats ? at[i] : at[k - 1] + 1;
  return true;
}

/* How many choices there are: n (n - 1) ... / r!, of n + r - 1 with repeats. */
static int64_t count_choices(Call *call, int64_t r, int64_t n, bool repeats)
{
  if (repeats) n = n > 0 ? n + r - 1 : 0;
  if (r > n) return 0;
  int64_t count = 1;
  for (int64_t i = 1; i <= r; i++) {
    if (__builtin_mul_overflow(count, n - r + i, &count)) raise(call, "the result is too large");
    count /= i;
  }
  return count;
}

typedef struct Choices {
  int64_t *at, r, n;
  bool repeats;
} Choices;

/* All choices of r of n positions, in order; `at` is room for one. */
static void fill_choices(const void *params, int64_t *to)
{
  const Choices *c = params;
  for (int64_t k = 0; k < c->r; k++) c->at[k] = c->repeats ? 1 : k + 1;
  do {
    memcpy(to, c->at, (size_t)c->r * sizeof *to);
    to += c->r;
  } while (next_choice(c->at, c->r, c->n, c->repeats));
}

FORWARD(combinations)
{
  Tensor *x = a->input;
  int64_t r = a->r, n = x->numel;
  if (x->ndim != 1) raise(call, "input must be a vector, not of shape %s", shape_text(call, tensor_shape(x)));
  if (r < 0) raise(call, "r must not be negative: %lld", (long long)r);
  if (r == 0) {
    y[0] = zeros_for(call, x, INTS(0));
    return;
  }
  int64_t count = count_choices(call, r, n, a->with_replacement);
  Tensor *places = tensor_new(call, DTYPE_i64, device_behind(x), INTS(count, r));
  Choices c = {arena_allocate(call->ctx, (size_t)r * sizeof *c.at), r, n, a->with_replacement};
  launch_positions_of(call, fill_choices, &c, places);
  y[0] = op(reshape, op(index_select, x, 0, op(reshape, places, INTS(-1))), INTS(count, r));
}
