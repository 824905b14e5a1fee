/* The elements of a tensor in another order, or repeated. */
#include "ops/shape/permute_repeat.h"

#include <string.h>

#include "launch/math/generate.h"
#include "launch/look.h"
#include "ops/index/gather.h"
#include "ops/shape/copy.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

/* -------------------------------------------------------- orders of dimensions */

static Tensor *move_dims(Call *call, Tensor *x, Ints source, Ints destination)
{
  int64_t order[MAX_DIMS];
  int from[MAX_DIMS];
  uint32_t moved = 0, filled = 0;
  if (source.n != destination.n)
    raise(call, "source and destination have %d and %d dimensions", (int)source.n, (int)destination.n);
  if (source.n > MAX_DIMS) raise(call, "a tensor has at most %d dimensions", MAX_DIMS);
  for (int64_t i = 0; i < source.n; i++) {
    int s = shape_dim(call, source.v[i], x->ndim), d = shape_dim(call, destination.v[i], x->ndim);
    if (moved >> s & 1) raise(call, "source has dimension %d twice", s + 1);
    if (filled >> d & 1) raise(call, "destination has dimension %d twice", d + 1);
    moved |= 1u << s;
    filled |= 1u << d;
    from[d] = s;
  }
  if (x->ndim == 0) return op(alias, x);
  for (int d = 0, next = 0; d < x->ndim; d++) {
    if (filled >> d & 1) {
      order[d] = from[d];
      continue;
    }
    while (moved >> next & 1) next++;
    order[d] = next++;
  }
  return op(permute, x, (Ints){order, x->ndim});
}

FORWARD(movedim) { y[0] = move_dims(call, a->input, a->source, a->destination); }

FORWARD(moveaxis) { y[0] = move_dims(call, a->input, a->source, a->destination); }

FORWARD(adjoint)
{
  if (a->input->ndim == 1) raise(call, "a matrix is needed, not a vector");
  y[0] = op(conj, a->input->ndim == 0 ? a->input : op(transpose, a->input, -2, -1));
}

/* ----------------------------------------------------------------- reversals */

FORWARD(flip)
{
  const Tensor *x = a->input;
  uint32_t mask = a->dims.n > 0 ? shape_dims(call, a->dims, x->ndim) : 0;
  y[0] = result_like(call, x, tensor_dtype(x), device_of(x));
  if (y[0]->numel == 0) return;
  int64_t strides[MAX_DIMS], offset = x->offset;
  for (int d = 0; d < x->ndim; d++) {
    bool turned = mask >> d & 1;
    strides[d] = turned ? -x->strides[d] : x->strides[d];
    if (turned) offset += (x->shape[d] - 1) * x->strides[d];
  }
  launch_copy(call, y[0], tensor_view(call, x, tensor_shape(x), (Ints){strides, x->ndim}, offset));
}

BACKWARD(flip) { GRAD(input) = op(flip, dy[0], a->dims); }

FORWARD(fliplr)
{
  if (a->input->ndim < 2)
    raise(call, "at least 2 dimensions are needed, not shape %s", shape_text(call, tensor_shape(a->input)));
  y[0] = op(flip, a->input, INTS(1));
}

FORWARD(flipud)
{
  if (a->input->ndim < 1) raise(call, "a tensor without dimensions has no rows");
  y[0] = op(flip, a->input, INTS(0));
}

FORWARD(rot90)
{
  Tensor *x = a->input;
  Ints plane = a->dims.n < 0 ? INTS(0, 1) : a->dims;
  if (plane.n != 2) raise(call, "dims are two dimensions, not %d", (int)plane.n);
  if (x->ndim < 2) raise(call, "at least 2 dimensions are needed, not shape %s", shape_text(call, tensor_shape(x)));
  int i = shape_dim(call, plane.v[0], x->ndim), j = shape_dim(call, plane.v[1], x->ndim);
  if (i == j) raise(call, "both of dims are %d", i + 1);
  switch (((a->k % 4) + 4) % 4) {
    case 0: y[0] = op(contiguous, op(clone, x)); break;
    case 1: y[0] = op(transpose, op(flip, x, INTS(j)), i, j); break;
    case 2: y[0] = op(flip, x, INTS(i, j)); break;
    default: y[0] = op(transpose, op(flip, x, INTS(i)), i, j);
  }
}

/* --------------------------------------------------------------------- shifts */

FORWARD(roll)
{
  Tensor *x = a->input;
  if (a->dims != NONE_DIM && x->ndim == 0) raise(call, "a tensor without dimensions has no dimension to roll along");
  int dim = a->dims == NONE_DIM ? 0 : shape_dim(call, a->dims, x->ndim);
  bool flat = a->dims == NONE_DIM || x->ndim == 0;
  y[0] = flat ? result_new(call, tensor_dtype(x), device_of(x), tensor_shape(x))
              : result_of_images(call, tensor_dtype(x), tensor_shape(x), x);
  if (y[0]->numel == 0) return;
  Tensor *to = y[0];
  if (flat) {
    Tensor *line = contiguous_as(call, x, tensor_dtype(x));
    x = tensor_view(call, line, INTS(x->numel), INTS(1), line->offset);
    to = tensor_view(call, y[0], INTS(x->numel), INTS(1), y[0]->offset);
  }
  int64_t n = x->shape[dim], shift = ((a->shifts % n) + n) % n;
  if (shift > 0) launch_copy(call, stretch(call, to, dim, 0, shift), stretch(call, x, dim, n - shift, shift));
  launch_copy(call, stretch(call, to, dim, shift, n - shift), stretch(call, x, dim, 0, n - shift));
}

BACKWARD(roll) { GRAD(input) = op(roll, dy[0], a->shifts == INT64_MIN ? 0 : -a->shifts, a->dims); }

FORWARD(roll_dims)
{
  if (a->dims.n < 0 && a->shifts.n == 1) {
    y[0] = op(roll, a->input, a->shifts.v[0], NONE_DIM);
    return;
  }
  if (a->shifts.n == 0 || a->shifts.n != a->dims.n)
    raise(call, "there are %d shifts for %d dimensions", (int)a->shifts.n, a->dims.n < 0 ? 0 : (int)a->dims.n);
  y[0] = a->input;
  for (int64_t i = 0; i < a->shifts.n; i++) y[0] = op(roll, y[0], a->shifts.v[i], a->dims.v[i]);
}

/* ------------------------------------------------------------------ repetitions */

FORWARD(narrow_copy) { y[0] = op(contiguous, op(clone, op(narrow, a->input, a->dim, a->start, a->length))); }

static void check_output_size(Call *call, int64_t wanted, int64_t is)
{
  if (wanted != NO_INT && wanted != is)
    raise(call, "output_size is %lld, but the result has %lld slices", (long long)wanted, (long long)is);
}

FORWARD(repeat_interleave)
{
  Tensor *x = a->dim == NONE_DIM ? op(reshape, a->input, INTS(-1)) : a->input;
  int dim = a->dim == NONE_DIM ? 0 : shape_dim(call, a->dim, x->ndim);
  if (a->repeats < 0) raise(call, "repeats must not be negative: %lld", (long long)a->repeats);
  if (x->ndim == 0) x = op(reshape, x, INTS(1));
  if (x->ndim == MAX_DIMS) raise(call, "a tensor has at most %d dimensions", MAX_DIMS);
  int64_t wide[MAX_DIMS], joined[MAX_DIMS];
  for (int d = 0; d < x->ndim; d++) wide[d + (d > dim)] = joined[d] = x->shape[d];
  wide[dim + 1] = a->repeats;
  if (__builtin_mul_overflow(joined[dim], a->repeats, &joined[dim])) raise(call, "so many repeats are too large");
  check_output_size(call, a->output_size, joined[dim]);
  Tensor *each = op(expand, op(unsqueeze, x, dim + 1), (Ints){wide, x->ndim + 1});
  Tensor *copied = each->is_contiguous ? op(clone, each) : op(contiguous, each);
  y[0] = op(reshape, copied, (Ints){joined, x->ndim});
}

/* The sum of repeats. */
static int64_t sum_of_repeats(Call *call, const Tensor *repeats)
{
  const int64_t *each = tensor_data(repeats);
  int64_t sum = 0;
  for (int64_t i = 0; i < repeats->numel; i++) {
    if (each[i] < 0) raise(call, "repeats must not be negative: %lld", (long long)each[i]);
    if (__builtin_add_overflow(sum, each[i], &sum)) raise(call, "so many repeats are too large");
  }
  return sum;
}

static void fill_repeats(const void *params, int64_t *to)
{
  const Tensor *repeats = params;
  const int64_t *each = tensor_data(repeats);
  for (int64_t i = 0; i < repeats->numel; i++)
    for (int64_t k = 0; k < each[i]; k++) *to++ = i + 1;
}

FORWARD(repeat_interleave_positions)
{
  Tensor *repeats = a->repeats;
  if (repeats->ndim != 1)
    raise(call, "repeats must be a vector, not of shape %s", shape_text(call, tensor_shape(repeats)));
  if (repeats->dtype != DTYPE_i64 && repeats->dtype != DTYPE_i32)
    raise(call, "repeats must be int64 or int32, not %s", dtype_name(tensor_dtype(repeats)));
  if (!can_look(repeats) && a->output_size == NO_INT)
    raise(call, "the shape of the result depends on elements, which meta tensors don't have: give output_size");
  Tensor *wide = contiguous_as(call, repeats, DTYPE_i64);
  int64_t sum = can_look(repeats) ? sum_of_repeats(call, wide) : a->output_size;
  check_output_size(call, a->output_size, sum);
  y[0] = result_new(call, tensor_dtype(repeats), device_of(repeats), INTS(sum));
  if (can_look(repeats)) launch_positions_of(call, fill_repeats, wide, y[0]);
}

FORWARD(repeat_interleave_each)
{
  Tensor *x = a->dim == NONE_DIM ? op(reshape, a->input, INTS(-1)) : a->input, *repeats = a->repeats;
  int dim = a->dim == NONE_DIM ? 0 : shape_dim(call, a->dim, x->ndim);
  if (x->ndim == 0) x = op(reshape, x, INTS(1));
  if (repeats->ndim == 0 || (repeats->ndim == 1 && repeats->shape[0] == 1))
    repeats = op(expand, op(reshape, repeats, INTS(1)), INTS(x->shape[dim]));
  if (repeats->ndim != 1 || repeats->shape[0] != x->shape[dim])
    raise(call, "repeats of shape %s don't fit the %lld slices of dimension %d",
          shape_text(call, tensor_shape(a->repeats)), (long long)x->shape[dim], dim + 1);
  y[0] = op(index_select, x, dim, op(repeat_interleave_positions, repeats, a->output_size));
}

/* --------------------------------------------------------- numbers of dimensions */

static Tensor *with_dims(Call *call, Tensor *x, int ndim)
{
  if (x->ndim >= ndim) return x;
  int64_t shape[3] = {1, 1, 1};
  if (x->ndim == 2) {
    shape[0] = x->shape[0];
    shape[1] = x->shape[1];
  } else if (x->ndim == 1) {
    shape[1] = x->shape[0];
  }
  return op(reshape, x, (Ints){shape, ndim});
}

static void give_each_with_dims(Call *call, Tensors tensors, int ndim)
{
  Tensor **list = arena_allocate(call->ctx, (size_t)(tensors.n > 0 ? tensors.n : 1) * sizeof *list);
  for (int64_t i = 0; i < tensors.n; i++) list[i] = with_dims(call, tensors.v[i], ndim);
  give_list(call, (Tensors){list, tensors.n});
}

FORWARD(atleast_1d) { y[0] = with_dims(call, a->input, 1); }
FORWARD(atleast_2d) { y[0] = with_dims(call, a->input, 2); }
FORWARD(atleast_3d) { y[0] = with_dims(call, a->input, 3); }
FORWARD(atleast_1d_list) { (void)y, give_each_with_dims(call, a->tensors, 1); }
FORWARD(atleast_2d_list) { (void)y, give_each_with_dims(call, a->tensors, 2); }
FORWARD(atleast_3d_list) { (void)y, give_each_with_dims(call, a->tensors, 3); }
