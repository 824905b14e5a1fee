/* Padding: with a value, or with a tensor's own elements. Negative sizes cut off. */
#include "ops/nn/pad.h"

#include <string.h>

#include "launch/math/generate.h"
#include "ops/nn/extents.h"
#include "ops/shape/copy.h"
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

FORWARD(constant_pad_nd)
{
  Tensor *x = a->input;
  int64_t shape[MAX_DIMS];
  check_pad(call, x, a->pad);
  for (int i = 0; i < x->ndim; i++) shape[i] = padded_size(call, x, a->pad, i);
  y[0] = result_of_images(call, tensor_dtype(x), (Ints){shape, x->ndim}, x);
  launch_fill(call, y[0], a->value);
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
  switch (mode) {
    case REFLECT: return at < 0 ? -at : 2 * (size - 1) - at;
    case REPLICATE: return at < 0 ? 0 : size - 1;
    default: return at < 0 ? at + size : at - size;
  }
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

/* A dimension and how it is padded. */
typedef struct Edges {
  PadMode mode;
  int64_t before, size, padded_size;
} Edges;

static void fill_positions(const void *params, int64_t *to)
{
  const Edges *e = params;
  for (int64_t i = 0; i < e->padded_size; i++) to[i] = source_of(e->mode, i - e->before, e->size) + 1;
}

/* For each place of a padded dimension the position of what stands there. */
static Tensor *positions_of(Call *call, PadMode mode, const Tensor *x, Ints pad, int dim)
{
  int64_t n = padded_size(call, x, pad, dim);
  if (n == 0) raise(call, "pad leaves no elements of dimension %d", dim + 1);
  check_reach(call, mode, x, pad, dim);
  Edges edges = {mode, before(pad, x->ndim, dim), x->shape[dim], n};
  Tensor *positions = tensor_new(call, DTYPE_i64, device_behind(x), INTS(n));
  launch_positions_of(call, fill_positions, &edges, positions);
  return positions;
}

static Tensor *padded(Call *call, PadMode mode, Tensor *x, Ints pad)
{
  for (int i = x->ndim - 1; i >= x->ndim - pad.n / 2; i--) {
    if (before(pad, x->ndim, i) == 0 && behind(pad, x->ndim, i) == 0) continue;
    Tensor *positions = positions_of(call, mode, x, pad, i);
    x = mode == CIRCULAR ? op(index_select, x, i, positions) : select_of_images(call, x, i, positions);
  }
  return x;
}

static PadMode mode_of(Call *call, const char *text)
{
  if (strcmp(text, "reflect") == 0) return REFLECT;
  if (strcmp(text, "replicate") == 0) return REPLICATE;
  if (strcmp(text, "circular") == 0) return CIRCULAR;
  raise(call, "mode is \"%s\"; it is \"constant\", \"reflect\", \"replicate\" or \"circular\"", text);
}

/* A new tensor with the result: what index_select gave, or a copy of what needed no padding. */
FORWARD(pad_edges)
{
  Tensor *x = padded(call, mode_of(call, a->mode), a->input, a->pad);
  y[0] = x == a->input ? result_copy(call, x) : x;
}

BACKWARD(pad_edges) { GRAD(input) = op(pad_edges_backward, dy[0], a->input, a->pad, a->mode); }

FORWARD(pad_edges_backward)
{
  Tensor *d = a->grad, *x = a->input;
  PadMode mode = mode_of(call, a->mode);
  for (int i = x->ndim - a->pad.n / 2; i < x->ndim; i++) {
    if (before(a->pad, x->ndim, i) == 0 && behind(a->pad, x->ndim, i) == 0) continue;
    int64_t shape[MAX_DIMS];
    memcpy(shape, d->shape, (size_t)d->ndim * sizeof *shape);
    shape[i] = x->shape[i];
    Tensor *zeros = zeros_for(call, d, (Ints){shape, d->ndim});
    d = op(index_add, zeros, i, positions_of(call, mode, x, a->pad, i), d, scalar_int(1));
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
  int64_t cut[2 * MAX_DIMS], rest[2 * MAX_DIMS];
  bool cuts = false;
  for (int64_t i = 0; i < pad.n; i++) {
    cut[i] = pad.v[i] < 0 ? pad.v[i] : 0;
    rest[i] = pad.v[i] - cut[i];
    cuts |= cut[i] != 0;
  }
  if (cuts) x = op(constant_pad_nd, x, (Ints){cut, pad.n}, scalar_int(0));
  return padded(call, CIRCULAR, x, (Ints){rest, pad.n});
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
