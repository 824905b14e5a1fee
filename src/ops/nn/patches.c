/* Images as columns of patches, and channels as places. */
#include "ops/nn/patches.h"

#include "ops/index/gather.h"
#include "ops/math/arithmetic.h"
#include "ops/math/exponential.h"
#include "ops/nn/extents.h"
#include "ops/nn/pad.h"
#include "ops/nn/pool.h"
#include "ops/shape/factory.h"
#include "ops/shape/permute_repeat.h"
#include "ops/shape/view.h"

/* ------------------------------------------------------------------------ patches */

/* The windows over an image of H lines and W columns: two of each. */
typedef struct Windows {
  int64_t size[2], kernel[2], dilation[2], padding[2], stride[2], result[2];
} Windows;

static Windows windows_of(Call *call, const int64_t *size, Ints kernel, Ints dilation, Ints padding, Ints stride)
{
  Windows w = {.size = {size[0], size[1]}};
  extents_of(call, kernel, "kernel_size", 2, 1, w.kernel);
  extents_of(call, dilation, "dilation", 2, 1, w.dilation);
  extents_of(call, padding, "padding", 2, 0, w.padding);
  extents_of(call, stride, "stride", 2, 1, w.stride);
  for (int i = 0; i < 2; i++) {
    check_extent(call, "kernel_size", w.kernel[i], 1);
    check_extent(call, "dilation", w.dilation[i], 1);
    check_extent(call, "padding", w.padding[i], 0);
    check_extent(call, "stride", w.stride[i], 1);
    int64_t room = size[i] + 2 * w.padding[i] - w.dilation[i] * (w.kernel[i] - 1) - 1;
    if (size[i] < 0 || room < 0)
      raise(call, "windows of %lld elements don't fit into %lld", (long long)(w.dilation[i] * (w.kernel[i] - 1) + 1),
            (long long)(size[i] + 2 * w.padding[i]));
    w.result[i] = room / w.stride[i] + 1;
  }
  return w;
}

static Tensor *with_batch(Call *call, Tensor *x, int ndim) { return x->ndim == ndim ? op(unsqueeze, x, 0) : x; }

/* The windows along one dimension, their taps in a new last one. */
static Tensor *windows_along(Call *call, Tensor *x, const Windows *w, int i)
{
  Tensor *all = op(unfold, x, 2 + i, w->dilation[i] * (w->kernel[i] - 1) + 1, w->stride[i]);
  return w->dilation[i] == 1 ? all : op(slice, all, -1, NO_INT, NO_INT, w->dilation[i]);
}

FORWARD(unfold_patches)
{
  Tensor *x = a->input;
  bool fits = (x->ndim == 3 || x->ndim == 4) && x->shape[x->ndim - 1] > 0 && x->shape[x->ndim - 2] > 0
              && x->shape[x->ndim - 3] > 0;
  if (!fits)
    raise(call, "input has shape %s; [N, C, H, W] or [C, H, W] is wanted, none but N being 0",
          shape_text(call, tensor_shape(x)));
  Windows w = windows_of(call, x->shape + x->ndim - 2, a->kernel_size, a->dilation, a->padding, a->stride);
  Tensor *images = with_batch(call, x, 3);
  if (w.padding[0] || w.padding[1])
    images = op(constant_pad_nd, images, INTS(w.padding[1], w.padding[1], w.padding[0], w.padding[0]), scalar_int(0));
  Tensor *taps = windows_along(call, windows_along(call, images, &w, 0), &w, 1); /* N C oh ow kh kw */
  taps = op(permute, taps, INTS(0, 1, 4, 5, 2, 3));
  int64_t rows = images->shape[1] * w.kernel[0] * w.kernel[1], places = w.result[0] * w.result[1];
  y[0] = op(reshape, taps, x->ndim == 3 ? INTS(rows, places) : INTS(images->shape[0], rows, places));
}

/* The positions, from 1, that taps have in padded lines or columns: [kernel, result]. */
static Tensor *tap_positions(Call *call, const Windows *w, int i, Device device)
{
  Tensor *taps = op(arange, scalar_int(w->kernel[i]), DTYPE_i64, device, false);
  Tensor *windows = op(arange, scalar_int(w->result[i]), DTYPE_i64, device, false);
  taps = op(mul, op(unsqueeze, taps, 1), cast(number((double)w->dilation[i]), DTYPE_i64));
  return plus(taps, op(mul, windows, cast(number((double)w->stride[i]), DTYPE_i64)));
}

/* The place of each element of a column in the padded plane, from 1: [kh * kw * oh * ow]. */
static Tensor *places_in_plane(Call *call, const Windows *w, Device device)
{
  int64_t columns = w->size[1] + 2 * w->padding[1];
  Tensor *lines = op(mul, tap_positions(call, w, 0, device), cast(number((double)columns), DTYPE_i64));
  lines = op(view, lines, INTS(w->kernel[0], 1, w->result[0], 1));
  Tensor *all = plus(lines, op(view, tap_positions(call, w, 1, device), INTS(1, w->kernel[1], 1, w->result[1])));
  return op(reshape, plus(all, cast(number(1), DTYPE_i64)), INTS(-1));
}

FORWARD(fold)
{
  Tensor *x = a->input;
  int64_t size[2];
  extents_of(call, a->output_size, "output_size", 2, 1, size);
  Windows w = windows_of(call, size, a->kernel_size, a->dilation, a->padding, a->stride);
  int64_t taps = w.kernel[0] * w.kernel[1], places = w.result[0] * w.result[1];
  bool fits = (x->ndim == 2 || x->ndim == 3) && x->shape[x->ndim - 2] > 0 && x->shape[x->ndim - 2] % taps == 0
              && x->shape[x->ndim - 1] == places;
  if (!fits)
    raise(call, "input has shape %s; its last dimensions must be a multiple of %lld and %lld",
          shape_text(call, tensor_shape(x)), (long long)taps, (long long)places);
  Tensor *columns = with_batch(call, x, 2);
  int64_t n = columns->shape[0], c = columns->shape[1] / taps;
  int64_t lines = size[0] + 2 * w.padding[0], width = size[1] + 2 * w.padding[1];
  Tensor *planes = op(new_zeros, columns, INTS(n, c, lines * width), DTYPE_NONE, DEVICE_NONE, false);
  Tensor *sums = op(index_add, planes, 2, places_in_plane(call, &w, device_behind(x)),
                    op(reshape, columns, INTS(n, c, taps * places)), scalar_int(1));
  sums = op(view, sums, INTS(n, c, lines, width));
  if (w.padding[0] || w.padding[1])
    sums = op(narrow, op(narrow, sums, 2, w.padding[0], size[0]), 3, w.padding[1], size[1]);
  sums = op(contiguous, sums);
  y[0] = x->ndim == 2 ? op(select, sums, 0, 0) : sums;
}

/* ------------------------------------------------------------------------ channels */

/* The shape of x with other sizes for its last three dimensions. */
static Ints with_last(Call *call, const Tensor *x, const int64_t *sizes, int n)
{
  int64_t shape[MAX_DIMS];
  int first = x->ndim - 3;
  if (first + n > MAX_DIMS) raise(call, "input has too many dimensions: %d", x->ndim);
  for (int i = 0; i < first; i++) shape[i] = x->shape[i];
  for (int i = 0; i < n; i++) shape[first + i] = sizes[i];
  return arena_ints(call->ctx, shape, first + n);
}

/* The five dimensions behind the first ones, in another order. */
static Tensor *rearranged(Call *call, Tensor *x, const int64_t *order)
{
  int64_t dims[MAX_DIMS];
  int first = x->ndim - 5;
  for (int i = 0; i < first; i++) dims[i] = i;
  for (int i = 0; i < 5; i++) dims[first + i] = first + order[i];
  return op(permute, x, (Ints){dims, x->ndim});
}

static void check_factor(Call *call, const Tensor *x, const char *name, int64_t r)
{
  check_extent(call, name, r, 1);
  if (x->ndim < 3)
    raise(call, "input has shape %s; at least three dimensions are wanted", shape_text(call, tensor_shape(x)));
}

FORWARD(pixel_shuffle)
{
  Tensor *x = a->input;
  int64_t r = a->upscale_factor;
  check_factor(call, x, "upscale_factor", r);
  const int64_t *last = x->shape + x->ndim - 3;
  if (last[0] % (r * r) != 0) raise(call, "%lld channels are no multiple of %lld^2", (long long)last[0], (long long)r);
  int64_t c = last[0] / (r * r), parted[] = {c, r, r, last[1], last[2]}, joined[] = {c, last[1] * r, last[2] * r};
  Tensor *places = rearranged(call, op(reshape, x, with_last(call, x, parted, 5)), (const int64_t[]){0, 3, 1, 4, 2});
  y[0] = op(reshape, op(contiguous, places), with_last(call, x, joined, 3));
}

FORWARD(pixel_unshuffle)
{
  Tensor *x = a->input;
  int64_t r = a->downscale_factor;
  check_factor(call, x, "downscale_factor", r);
  const int64_t *last = x->shape + x->ndim - 3;
  if (last[1] % r != 0 || last[2] % r != 0)
    raise(call, "an image of %lld by %lld has no multiples of %lld", (long long)last[1], (long long)last[2],
          (long long)r);
  int64_t h = last[1] / r, w = last[2] / r, parted[] = {last[0], h, r, w, r}, joined[] = {last[0] * r * r, h, w};
  Tensor *places = rearranged(call, op(reshape, x, with_last(call, x, parted, 5)), (const int64_t[]){0, 2, 4, 1, 3});
  y[0] = op(reshape, op(contiguous, places), with_last(call, x, joined, 3));
}

FORWARD(channel_shuffle)
{
  Tensor *x = a->input;
  int64_t groups = a->groups;
  if (x->ndim < 3)
    raise(call, "input has shape %s; more than two dimensions are wanted", shape_text(call, tensor_shape(x)));
  if (groups < 1 || x->shape[1] % groups != 0)
    raise(call, "%lld channels can't be in %lld groups", (long long)x->shape[1], (long long)groups);
  if (x->numel == 0) {
    y[0] = op(clone, x);
    return;
  }
  Tensor *parted = op(reshape, x, INTS(x->shape[0], groups, x->shape[1] / groups, -1));
  y[0] = op(reshape, op(transpose, parted, 1, 2), tensor_shape(x));
}

/* The channels are the lines of a plane, whose windows are `size` high. */
FORWARD(local_response_norm)
{
  Tensor *x = a->input;
  check_extent(call, "size", a->size, 1);
  if (x->ndim < 3)
    raise(call, "input has shape %s; at least three dimensions are wanted", shape_text(call, tensor_shape(x)));
  if (x->numel == 0) {
    y[0] = x;
    return;
  }
  if (!dtype_is_inexact(tensor_dtype(x))) x = cast(x, call->ctx->default_dtype); /* means of integers are cut off */
  Tensor *squares = op(reshape, op(mul, x, x), INTS(x->shape[0], 1, x->shape[1], -1));
  squares = op(constant_pad_nd, squares, INTS(0, 0, a->size / 2, (a->size - 1) / 2), scalar_int(0));
  Tensor *means = op(avg_pool, squares, INTS(a->size, 1), INTS(1, 1), INTS(0, 0), false, true, NO_INT);
  means = op(reshape, means, tensor_shape(x));
  Tensor *norm = op(pow, plus(scaled(means, a->alpha), number(a->k)), number(a->beta));
  y[0] = op(div, x, norm);
}
