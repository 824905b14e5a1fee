/* Padding: with a value, or with a tensor's own elements. Negative sizes cut off. */
#include "ops/nn/pad.h"

#include <string.h>

#include "core/arith.h"
#include "launch/index/lines.h"
#include "launch/math/generate.h"
#include "ops/nn/extents.h"
#include "ops/shape/copy.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

/* The sizes before and behind a dimension; those of the last one come first. */
static int64_t before(Ints pad, int ndim, int dim)
{
  int64_t at = 2 * (int64_t)(ndim - 1 - dim);
  return at < pad.n ? pad.v[at] : 0;
}

static int64_t behind(Ints pad, int ndim, int dim)
{
  int64_t at = 2 * (int64_t)(ndim - 1 - dim) + 1;
  return at < pad.n ? pad.v[at] : 0;
}

static void check_pad(Call *call, const Tensor *x, Ints pad)
{
  if (pad.n % 2 != 0) raise(call, "pad has %lld elements; pairs are wanted", (long long)pad.n);
  if (pad.n / 2 > x->ndim)
    raise(call, "pad has %lld pairs, and input of shape %s fewer dimensions", (long long)pad.n / 2,
          shape_text(call, tensor_shape(x)));
  for (int64_t i = 0; i < pad.n; i++)
    if (pad.v[i] > INT64_MAX / 4 || pad.v[i] < -(INT64_MAX / 4)) raise(call, "a size in pad is too large");
}

static int64_t padded_size(Call *call, const Tensor *x, Ints pad, int dim)
{
  int64_t first = before(pad, x->ndim, dim), last = behind(pad, x->ndim, dim), size = x->shape[dim] + first + last;
  if (size < 0 || x->shape[dim] + (first < 0 ? first : 0) < 0 || x->shape[dim] + (last < 0 ? last : 0) < 0)
    raise(call, "pad %lld, %lld cuts off more than dimension %d has, which is %lld", (long long)first, (long long)last,
          dim + 1, (long long)x->shape[dim]);
  return size;
}

/* The elements that x and the padded y share, as views of both. */
static void copy_inside(Call *call, Tensor *x, Ints pad, Tensor *y)
{
  int64_t shape[MAX_DIMS], from = x->offset, to = y->offset;
  for (int i = 0; i < x->ndim; i++) {
    int64_t first = before(pad, x->ndim, i), last = behind(pad, x->ndim, i);
    shape[i] = x->shape[i] + (first < 0 ? first : 0) + (last < 0 ? last : 0);
    if (shape[i] <= 0) return;
    from += (first < 0 ? -first : 0) * x->strides[i];
    to += (first > 0 ? first : 0) * y->strides[i];
  }
  Ints inside = {shape, x->ndim};
  launch_copy(call, tensor_view(call, y, inside, tensor_strides(y), to),
              tensor_view(call, x, inside, tensor_strides(x), from));
}

/* Fills what lies before and behind x along a dimension, of all that y has of the dimensions behind and x of those
   before; all of y where x has nothing inside. */
static void fill_outside(Call *call, const Tensor *x, Ints pad, Scalar value, Tensor *y)
{
  int64_t shape[MAX_DIMS], at = y->offset;
  memcpy(shape, y->shape, (size_t)y->ndim * sizeof *shape);
  for (int i = 0; i < x->ndim; i++) {
    const int64_t first = max_i64(before(pad, x->ndim, i), 0), last = max_i64(behind(pad, x->ndim, i), 0);
    const Ints part = {shape, x->ndim};
    shape[i] = min_i64(first, y->shape[i]);
    launch_fill(call, tensor_view(call, y, part, tensor_strides(y), at), value);
    shape[i] = min_i64(last, y->shape[i]);
    const int64_t behind_all = at + (y->shape[i] - shape[i]) * y->strides[i];
    launch_fill(call, tensor_view(call, y, part, tensor_strides(y), behind_all), value);
    shape[i] = y->shape[i] - first - last;
    if (shape[i] <= 0) return;
    at += first * y->strides[i];
  }
}

FORWARD(constant_pad_nd)
{
  Tensor *x = a->input;
  int64_t shape[MAX_DIMS];
  check_pad(call, x, a->pad);
  for (int i = 0; i < x->ndim; i++) shape[i] = padded_size(call, x, a->pad, i);
  y[0] = result_of_images(call, tensor_dtype(x), (Ints){shape, x->ndim}, x);
  fill_outside(call, x, a->pad, a->value, y[0]);
  copy_inside(call, x, a->pad, y[0]);
}

BACKWARD(constant_pad_nd)
{
  int64_t *cut = arena_allocate(call->ctx, (size_t)(a->pad.n + 1) * sizeof *cut);
  for (int64_t i = 0; i < a->pad.n; i++) cut[i] = -a->pad.v[i];
  GRAD(input) = op(constant_pad_nd, dy[0], (Ints){cut, a->pad.n}, scalar_int(0));
}

typedef enum PadMode { REFLECT, REPLICATE, CIRCULAR } PadMode;

/* Which element of a dimension stands at a place of the padded one. */
static int64_t source_of(PadMode mode, int64_t at, int64_t size)
{
  if (at >= 0 && at < size) return at;
  if (mode == CIRCULAR) return at < 0 ? at + size : at - size;
  if (mode == REFLECT) return at < 0 ? -at : 2 * (size - 1) - at;
  return at < 0 ? 0 : size - 1;
}

static void check_reach(Call *call, PadMode mode, const Tensor *x, Ints pad, int dim)
{
  int64_t size = x->shape[dim], first = before(pad, x->ndim, dim), last = behind(pad, x->ndim, dim);
  int64_t most = first > last ? first : last;
  if (mode == REFLECT && most > 0 && most >= size)
    raise(call, "reflected padding must be less than the dimension: %lld, %lld at dimension %d of input %s",
          (long long)first, (long long)last, dim + 1, shape_text(call, tensor_shape(x)));
  if (mode == CIRCULAR && most > size)
    raise(call, "circular padding goes around once at most: %lld, %lld at dimension %d of input %s", (long long)first,
          (long long)last, dim + 1, shape_text(call, tensor_shape(x)));
  if (mode == REPLICATE && most > 0 && size == 0) raise(call, "dimension %d has no element to repeat", dim + 1);
}

static bool is_padded(const Tensor *x, Ints pad, int dim)
{
  return before(pad, x->ndim, dim) != 0 || behind(pad, x->ndim, dim) != 0;
}

static void check_edges(Call *call, PadMode mode, const Tensor *x, Ints pad)
{
  for (int i = x->ndim - 1; i >= x->ndim - pad.n / 2; i--) {
    if (!is_padded(x, pad, i)) continue;
    if (padded_size(call, x, pad, i) == 0) raise(call, "pad leaves no elements of dimension %d", i + 1);
    check_reach(call, mode, x, pad, i);
  }
}

/* Places of a padded dimension, counted from the first of its own `size`. */
typedef struct Edges {
  PadMode mode;
  int64_t first, count, size;
} Edges;

static void fill_positions(const void *params, int64_t *to)
{
  const Edges *e = params;
  for (int64_t i = 0; i < e->count; i++) to[i] = source_of(e->mode, e->first + i, e->size) + 1;
}

/* For each of the places the position of what stands there. */
static Tensor *positions_of(Call *call, const Tensor *x, Edges edges)
{
  Tensor *positions = tensor_new(call, DTYPE_i64, device_behind(x), INTS(edges.count));
  launch_positions_of(call, fill_positions, &edges, positions);
  return positions;
}

/* Fills places of y beyond an edge of x, of all that y has of the dimensions behind and x of those before. */
static void fill_edge(Call *call, const Tensor *x, Ints pad, int dim, Edges edges, Tensor *y)
{
  static const int64_t none[MAX_DIMS];
  int64_t shape[MAX_DIMS], at = y->offset;
  if (edges.count <= 0) return;
  for (int i = 0; i < x->ndim; i++) {
    shape[i] = i == dim ? 1 : i < dim ? x->shape[i] : y->shape[i];
    if (i <= dim) at += before(pad, x->ndim, i) * y->strides[i];
  }
  const Ints first = {shape, x->ndim};
  const int64_t step = y->strides[dim];
  Tensor *from = tensor_view(call, y, first, tensor_strides(y), at);
  Tensor *to = tensor_view(call, y, first, tensor_strides(y), at + edges.first * step);
  Tensor *positions = tensor_view(call, positions_of(call, x, edges), first, (Ints){none, x->ndim}, 0);
  launch_lines(call, GATHER, (Side){to, step}, (Side){from, step}, (Side){positions, 1}, edges.count);
}

/* The negative sizes of pad, or the others. Returns whether there are any. */
static bool sizes_of(Call *call, Ints pad, bool negative, Ints *to)
{
  int64_t *sizes = arena_allocate(call->ctx, (size_t)(pad.n + 1) * sizeof *sizes);
  bool some = false;
  for (int64_t i = 0; i < pad.n; i++) {
    sizes[i] = (pad.v[i] < 0) == negative ? pad.v[i] : 0;
    some |= sizes[i] != 0;
  }
  *to = (Ints){sizes, pad.n};
  return some;
}

/* x goes inside, then each dimension's edges are filled from what is there, the last dimension's first. */
static Tensor *padded(Call *call, PadMode mode, Tensor *x, Ints pad)
{
  Ints more, less;
  int64_t shape[MAX_DIMS];
  check_edges(call, mode, x, pad);
  const bool cuts = sizes_of(call, pad, true, &less);
  if (!sizes_of(call, pad, false, &more) && !cuts) return result_copy(call, x);
  for (int i = 0; i < x->ndim; i++) shape[i] = padded_size(call, x, more, i);
  const Ints size_of_all = {shape, x->ndim};
  Tensor *y = mode == CIRCULAR ? result_new(call, tensor_dtype(x), device_of(x), size_of_all) /* as PyTorch has it */
                               : result_of_images(call, tensor_dtype(x), size_of_all, x);
  copy_inside(call, x, more, y);
  for (int i = x->ndim - 1; i >= x->ndim - pad.n / 2; i--) {
    const int64_t size = x->shape[i], first = before(more, x->ndim, i);
    fill_edge(call, x, more, i, (Edges){mode, -first, first, size}, y);
    fill_edge(call, x, more, i, (Edges){mode, size, behind(more, x->ndim, i), size}, y);
  }
  return cuts ? op(constant_pad_nd, y, less, scalar_int(0)) : y;
}

static PadMode mode_of(Call *call, const char *text)
{
  if (strcmp(text, "reflect") == 0) return REFLECT;
  if (strcmp(text, "replicate") == 0) return REPLICATE;
  if (strcmp(text, "circular") == 0) return CIRCULAR;
  raise(call, "mode is \"%s\"; it is \"constant\", \"reflect\", \"replicate\" or \"circular\"", text);
}

FORWARD(pad_edges) { y[0] = padded(call, mode_of(call, a->mode), a->input, a->pad); }

BACKWARD(pad_edges) { GRAD(input) = op(pad_edges_backward, dy[0], a->input, a->pad, a->mode); }

FORWARD(pad_edges_backward)
{
  Tensor *d = a->grad, *x = a->input;
  PadMode mode = mode_of(call, a->mode);
  for (int i = x->ndim - a->pad.n / 2; i < x->ndim; i++) {
    if (!is_padded(x, a->pad, i)) continue;
    int64_t shape[MAX_DIMS];
    memcpy(shape, d->shape, (size_t)d->ndim * sizeof *shape);
    shape[i] = x->shape[i];
    Tensor *zeros = zeros_for(call, d, (Ints){shape, d->ndim});
    const Edges all = {mode, -before(a->pad, x->ndim, i), d->shape[i], x->shape[i]};
    d = op(index_add, zeros, i, positions_of(call, x, all), d, scalar_int(1));
  }
  y[0] = d == a->grad ? result_copy(call, d) : d;
}

BACKWARD(pad_edges_backward)
{
  if (WANTS(grad)) GRAD(grad) = op(pad_edges, dy[0], a->pad, a->mode);
  if (WANTS(input)) GRAD(input) = zeros_for(call, dy[0], tensor_shape(a->input));
}

/* What is cut off is not gone around. */
static Tensor *circular(Call *call, Tensor *x, Ints pad)
{
  Ints more, less;
  if (sizes_of(call, pad, true, &less)) x = op(constant_pad_nd, x, less, scalar_int(0));
  return sizes_of(call, pad, false, &more) ? op(pad_edges, x, more, "circular") : x;
}

FORWARD(pad)
{
  Tensor *x = a->input;
  if (strcmp(a->mode, "constant") == 0) {
    y[0] = op(constant_pad_nd, x, a->pad, a->value.kind == SCALAR_NONE ? scalar_int(0) : a->value);
    return;
  }
  PadMode mode = mode_of(call, a->mode);
  check_pad(call, x, a->pad);
  if (a->value.kind != SCALAR_NONE && !scalar_equals(a->value, 0)) raise(call, "mode \"%s\" takes no value", a->mode);
  int64_t dims = a->pad.n / 2;
  if (dims < 1 || dims > 3 || (x->ndim != dims + 1 && x->ndim != dims + 2))
    raise(call,
          "mode \"%s\" pads the last 1, 2 or 3 dimensions of a tensor with 1 or 2 more; pad has %lld pairs, and input "
          "has shape %s",
          a->mode, (long long)dims, shape_text(call, tensor_shape(x)));
  if (mode != CIRCULAR) {
    y[0] = op(pad_edges, x, a->pad, a->mode);
    return;
  }
  Tensor *around = circular(call, x, a->pad);
  y[0] = around == x ? op(clone, x) : around;
}
