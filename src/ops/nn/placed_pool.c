/* Maxima of windows that lie at random, and maxima put back to their places. */
#include "ops/nn/placed_pool.h"

#include <string.h>

#include "launch/index/lines.h"
#include "launch/nn/pool.h"
#include "ops/index/gather.h"
#include "ops/index/mask.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/math/rounding.h"
#include "ops/nn/extents.h"
#include "ops/nn/pool.h"
#include "ops/random/random.h"
#include "ops/shape/factory.h"
#include "ops/shape/cat_split.h"
#include "ops/shape/view.h"

/* The shape of t with other sizes in the place of its last n dimensions. */
static Ints with_sizes(Call *call, const Tensor *t, int n, const int64_t *sizes, int m)
{
  int64_t shape[MAX_DIMS];
  int first = t->ndim - n;
  for (int i = 0; i < first; i++) shape[i] = t->shape[i];
  for (int i = 0; i < m; i++) shape[first + i] = sizes[i];
  return arena_ints(call->ctx, shape, first + m);
}

static void check_images(Call *call, const Tensor *x, int n)
{
  bool fits = x->ndim == n + 1 || x->ndim == n + 2;
  for (int i = x->ndim - n - 1; fits && i < x->ndim; i++) fits = x->shape[i] > 0;
  if (!fits)
    raise(call, "input has shape %s; %s or without N is wanted, none but N being 0", shape_text(call, tensor_shape(x)),
          (const char *[]){"[N, C, L]", "[N, C, H, W]", "[N, C, D, H, W]"}[n - 1]);
}

/* -------------------------------------------------------------------- the way back */

/* The sizes that were pooled: those given, which must be less than a stride from those that follow, or these. */
static void unpooled_sizes(Call *call, const Tensor *x, int n, const int64_t *kernel, const int64_t *stride,
                           const int64_t *padding, Ints given, int64_t *size)
{
  if (given.n > n) given = (Ints){given.v + given.n - n, n};
  if (given.n >= 0 && given.n != n) raise(call, "output_size has %lld sizes, not %d", (long long)given.n, n);
  for (int i = 0; i < n; i++) {
    size[i] = (x->shape[x->ndim - n + i] - 1) * stride[i] - 2 * padding[i] + kernel[i];
    if (given.n < 0) continue;
    if (given.v[i] <= size[i] - stride[i] || given.v[i] >= size[i] + stride[i])
      raise(call, "output_size is %lld along a dimension; between %lld and %lld is possible", (long long)given.v[i],
            (long long)(size[i] - stride[i] + 1), (long long)(size[i] + stride[i] - 1));
    size[i] = given.v[i];
  }
}

/* Images in the order in memory that their maxima came in. */
static Tensor *channels_put_last(Call *call, Tensor *y)
{
  Tensor *last = op(contiguous, op(movedim, y, INTS(-3), INTS(-1)));
  return op(movedim, last, INTS(-1), INTS(-3));
}

static Tensor *unpooled(Call *call, Tensor *x, Tensor *indices, int n, Ints kernel, Ints stride, Ints padding,
                        Ints output_size)
{
  int64_t k[MOST_SPATIAL], s[MOST_SPATIAL], p[MOST_SPATIAL], size[MOST_SPATIAL], flat = 1;
  check_images(call, x, n);
  if (indices->dtype != DTYPE_i64) raise(call, "indices are %s, not int64", dtype_name(tensor_dtype(indices)));
  if (!tensor_same_shape(x, indices))
    raise(call, "indices have shape %s, input %s", shape_text(call, tensor_shape(indices)),
          shape_text(call, tensor_shape(x)));
  extents_of(call, kernel, "kernel_size", n, 1, k);
  extents_of(call, stride.n > 0 ? stride : (Ints){k, n}, "stride", n, 1, s);
  extents_of(call, padding, "padding", n, 0, p);
  for (int i = 0; i < n; i++) check_extent(call, "stride", s[i], 1);
  unpooled_sizes(call, x, n, k, s, p, output_size, size);
  for (int i = 0; i < n; i++) flat *= size[i];
  Tensor *zeros = op(new_zeros, x, with_sizes(call, x, n, &flat, 1), DTYPE_NONE, DEVICE_NONE, false);
  int64_t places = 1;
  for (int i = 0; i < n; i++) places *= x->shape[x->ndim - n + i];
  Ints lines = with_sizes(call, x, n, &places, 1);
  Tensor *y = op(scatter, zeros, -1, op(reshape, indices, lines), op(reshape, x, lines));
  y = op(view, y, with_sizes(call, x, n, size, n));
  return n == 2 && has_channels_last(x->ndim == 4 ? x : op(unsqueeze, x, 0)) ? channels_put_last(call, y) : y;
}

FORWARD(max_unpool1d)
{
  y[0] = unpooled(call, a->input, a->indices, 1, a->kernel_size, a->stride, a->padding, a->output_size);
}
FORWARD(max_unpool2d)
{
  y[0] = unpooled(call, a->input, a->indices, 2, a->kernel_size, a->stride, a->padding, a->output_size);
}
FORWARD(max_unpool3d)
{
  y[0] = unpooled(call, a->input, a->indices, 3, a->kernel_size, a->stride, a->padding, a->output_size);
}

/* -------------------------------------------------------------- windows at random */

/* The sizes of the result: given, or a part of the input's. */
static void fractional_sizes(Call *call, const Tensor *x, int n, Ints size, Numbers ratio, const int64_t *kernel,
                             int64_t *result)
{
  if ((size.n >= 0) == (ratio.n >= 0)) raise(call, "one of output_size and output_ratio is wanted");
  if (ratio.n >= 0 && ratio.n != 1 && ratio.n != n) raise(call, "output_ratio has %lld numbers", (long long)ratio.n);
  if (size.n >= 0) extents_of(call, size, "output_size", n, 1, result);
  for (int i = 0; i < n; i++) {
    int64_t in = x->shape[x->ndim - n + i];
    double part = ratio.n < 0 ? 0 : ratio.v[ratio.n == 1 ? 0 : i];
    if (ratio.n >= 0 && !(part > 0 && part < 1)) raise(call, "output_ratio must lie between 0 and 1, not be %g", part);
    if (ratio.n >= 0) result[i] = (int64_t)((double)in * part);
    check_extent(call, "kernel_size", kernel[i], 1);
    check_extent(call, "output_size", result[i], 1);
    if (result[i] + kernel[i] - 1 > in)
      raise(call, "windows of %lld elements in %lld places don't fit into %lld", (long long)kernel[i],
            (long long)result[i], (long long)in);
  }
}

/* Where the windows of a dimension begin, from 1, [N, C, result], from random samples [N, C]: B. Graham, "Fractional
   max-pooling", 2015, as PyTorch computes it. The last window ends at the end. */
static Tensor *beginnings(Call *call, Tensor *samples, int64_t in, int64_t kernel, int64_t result)
{
  DType dtype = tensor_dtype(samples);
  Tensor *u = op(unsqueeze, samples, -1), *last = number((double)(in - kernel));
  if (result == 1) return op(new_full, u, tensor_shape(u), scalar_int(in - kernel + 1), DTYPE_i64, DEVICE_NONE, false);
  Tensor *alpha = op(div, cast(last, dtype), number((double)(result - 1)));
  Tensor *i = op(arange, scalar_int(result), dtype, device_behind(samples), false);
  Tensor *places = minus(op(trunc, op(mul, plus(i, u), alpha)), op(trunc, op(mul, u, alpha)));
  Tensor *is_last = op(arange, scalar_int(result), DTYPE_i64, device_behind(samples), false);
  is_last = op(eq, is_last, number((double)(result - 1)));
  return plus(cast(op(where, is_last, last, places), DTYPE_i64), cast(number(1), DTYPE_i64));
}

/* Windows of the kernel's size, whose beginnings must leave room for it. */
static Pool placed_windows(Call *call, const Tensor *x, Tensor *begins, Ints output_size, Ints kernel)
{
  Pool p = {.size = {1, 1, 1}, .result = {1, 1, 1}, .kernel = {1, 1, 1}};
  int first = MOST_SPATIAL - (int)kernel.n;
  for (int i = 0; i < kernel.n; i++) {
    p.size[first + i] = x->shape[x->ndim - kernel.n + i];
    p.result[first + i] = output_size.v[i];
    p.kernel[first + i] = kernel.v[i];
  }
  for (int64_t i = 0, at = 0; i < MOST_SPATIAL; at += p.result[i++])
    checked_positions(call, op(narrow, begins, -1, at, p.result[i]), p.size[i] - p.kernel[i] + 1, (int)i, false);
  return p;
}

FORWARD(placed_max_pool)
{
  Tensor *x = a->input;
  Pool p = placed_windows(call, x, a->begins, a->output_size, a->kernel_size);
  Ints shape = with_sizes(call, x, (int)a->kernel_size.n, a->output_size.v, (int)a->output_size.n);
  y[0] = result_new(call, tensor_dtype(x), device_of(x), shape);
  y[1] = result_new(call, DTYPE_i64, device_of(x), shape);
  launch_placed_max_pool(call, &p, x, a->begins, y[0], y[1]);
}

BACKWARD(placed_max_pool)
{
  if (dy[0]) GRAD(input) = op(pool_positions_backward, dy[0], a->input, y[1], a->kernel_size.n);
}

static void fractional(Call *call, Tensor *input, int n, Ints kernel_size, Ints output_size, Numbers ratio,
                       bool return_indices, Tensor *samples, Generator *generator)
{
  int64_t kernel[MOST_SPATIAL], result[MOST_SPATIAL];
  check_images(call, input, n);
  check_argument_floating(call, "input", input);
  extents_of(call, kernel_size, "kernel_size", n, 1, kernel);
  fractional_sizes(call, input, n, output_size, ratio, kernel, result);
  Tensor *x = input->ndim == n + 2 ? input : op(unsqueeze, input, 0);
  if (!samples)
    samples = op(rand, INTS(x->shape[0], x->shape[1], n), generator, tensor_dtype(x), device_behind(x), false);
  if (input->ndim == n + 1 && samples->ndim == 3 && samples->shape[0] > 1) samples = op(narrow, samples, 0, 0, 1);
  if (samples->ndim != 3 || samples->shape[0] != x->shape[0] || samples->shape[1] != x->shape[1]
      || samples->shape[2] != n)
    raise(call, "_random_samples have shape %s, not (%lld, %lld, %d)", shape_text(call, tensor_shape(samples)),
          (long long)x->shape[0], (long long)x->shape[1], n);
  if (samples->dtype != x->dtype)
    raise(call, "_random_samples are %s, input %s", dtype_name(tensor_dtype(samples)), dtype_name(tensor_dtype(x)));
  Tensor *begins[MOST_SPATIAL];
  for (int i = 0, missing = MOST_SPATIAL - n; i < MOST_SPATIAL; i++) {
    if (i < missing) { /* a plane is a volume of one */
      begins[i] = op(new_full, samples, INTS(x->shape[0], x->shape[1], 1), scalar_int(1), DTYPE_i64, DEVICE_NONE,
                     false);
      continue;
    }
    int d = i - missing; /* a plane's samples are for columns, then lines; a volume's in its own order */
    begins[i] = beginnings(call, op(select, samples, 2, n == 2 ? 1 - d : d), x->shape[2 + d], kernel[d], result[d]);
  }
  Tensors best = op(placed_max_pool, x, op(cat, ((Tensors){begins, MOST_SPATIAL}), -1), (Ints){result, n},
                    (Ints){kernel, n});
  Tensor **list = result_list(call, return_indices ? 2 : 1);
  for (int i = 0; i < (return_indices ? 2 : 1); i++) list[i] = best.v[i];
  for (int i = 0; i < (return_indices ? 2 : 1); i++)
    if (input->ndim == n + 1) list[i] = op(select, list[i], 0, 0);
}

FORWARD(fractional_max_pool2d)
{
  fractional(call, a->input, 2, a->kernel_size, a->output_size, a->output_ratio, a->return_indices, a->_random_samples,
             a->generator);
}
FORWARD(fractional_max_pool3d)
{
  fractional(call, a->input, 3, a->kernel_size, a->output_size, a->output_ratio, a->return_indices, a->_random_samples,
             a->generator);
}

FORWARD(fractional_max_pool2d_with_indices)
{
  fractional(call, a->input, 2, a->kernel_size, a->output_size, a->output_ratio, true, a->_random_samples,
             a->generator);
}
FORWARD(fractional_max_pool3d_with_indices)
{
  fractional(call, a->input, 3, a->kernel_size, a->output_size, a->output_ratio, true, a->_random_samples,
             a->generator);
}
