/* Discrete Fourier transforms of several dimensions, one after the other, and their gradients. */
#include "ops/fft/transform.h"

#include "launch/fft/fft.h"
#include "launch/math/generate.h"
#include "ops/math/arithmetic.h"
#include "ops/math/complex.h"
#include "ops/table/helpers.h"

/* Dimensions from the largest stride to the smallest, those of equal ones as they come. */
static void sort_by_stride(const Tensor *x, int64_t *dims, int64_t n)
{
  for (int64_t i = 1; i < n; i++)
    for (int64_t j = i; j > 0 && x->strides[dims[j - 1]] < x->strides[dims[j]]; j--) {
      int64_t dim = dims[j];
      dims[j] = dims[j - 1];
      dims[j - 1] = dim;
    }
}

/* A transform's dimensions, counted from the front, the outermost first; the last one stays if it is a half's. */
static Ints dims_of(Call *call, const Tensor *x, Ints given, bool keeps_last)
{
  int64_t dims[MAX_DIMS];
  for (int64_t i = 0; i < given.n; i++) dims[i] = shape_dim(call, given.v[i], x->ndim);
  sort_by_stride(x, dims, given.n - (keeps_last && given.n > 0));
  return arena_ints(call->ctx, dims, given.n);
}

/* A result as PyTorch's MKL transforms leave it: the transformed dimensions innermost, the others before them in the
   order of x's memory. The last of dims has the size given. */
static Tensor *result_for(Call *call, DType dtype, const Tensor *x, Ints dims, int64_t last_size)
{
  int64_t order[MAX_DIMS], shape[MAX_DIMS], strides[MAX_DIMS], count = 0, step = 1;
  uint32_t transformed = 0;
  for (int64_t i = 0; i < dims.n; i++) transformed |= 1u << dims.v[i];
  for (int d = 0; d < x->ndim; d++) {
    shape[d] = x->shape[d];
    if (!(transformed >> d & 1)) order[count++] = d;
  }
  shape[dims.v[dims.n - 1]] = last_size;
  sort_by_stride(x, order, count);
  for (int64_t i = 0; i < dims.n; i++) order[count++] = dims.v[i];
  for (int i = x->ndim - 1; i >= 0; i--) {
    strides[order[i]] = step;
    step *= shape[order[i]];
  }
  Ints sizes = arena_ints(call->ctx, shape, x->ndim);
  return result_strided(call, dtype, device_of(x), sizes, arena_ints(call->ctx, strides, x->ndim));
}

static int64_t last_of(const Tensor *x, Ints dims) { return x->shape[dims.v[dims.n - 1]]; }

/* y in place, along all dims but the last. */
static void transform_others(Call *call, bool inverse, Ints dims, Tensor *y, double scale)
{
  for (int64_t i = dims.n - 2; i >= 0; i--)
    launch_fft(call, FFT_COMPLEX, inverse, y, (int)dims.v[i], i == 0 ? scale : 1, y);
}

FORWARD(fft_c2c)
{
  Ints dims = dims_of(call, a->input, a->dim, false);
  y[0] = result_for(call, tensor_dtype(a->input), a->input, dims, last_of(a->input, dims));
  launch_fft(call, FFT_COMPLEX, !a->forward, a->input, (int)dims.v[dims.n - 1], dims.n == 1 ? a->scale : 1, y[0]);
  transform_others(call, !a->forward, dims, y[0], a->scale);
}

BACKWARD(fft_c2c) { GRAD(input) = op(fft_c2c, dy[0], a->dim, a->scale, !a->forward); }

FORWARD(fft_r2c)
{
  Ints dims = dims_of(call, a->input, a->dim, a->onesided);
  int64_t n = last_of(a->input, dims);
  y[0] = result_for(call, dtype_to_complex(tensor_dtype(a->input)), a->input, dims, a->onesided ? n / 2 + 1 : n);
  launch_fft(call, a->onesided ? FFT_FROM_REAL : FFT_FROM_REAL_WHOLE, false, a->input, (int)dims.v[dims.n - 1],
             dims.n == 1 ? a->scale : 1, y[0]);
  transform_others(call, false, dims, y[0], a->scale);
}

FORWARD(fft_c2r)
{
  Ints dims = dims_of(call, a->input, a->dim, true);
  Ints others = {dims.v, dims.n - 1}, last = {dims.v + dims.n - 1, 1};
  Tensor *half = others.n ? op(fft_c2c, a->input, others, 1, false) : a->input;
  y[0] = result_for(call, dtype_to_real(tensor_dtype(half)), half, last, a->last_dim_size);
  launch_fft(call, FFT_TO_REAL, true, half, (int)last.v[0], a->scale, y[0]);
}

/* ------------------------------------------------------------------ gradients */

/* The length of the whole, and what the numbers count of which it has two. */
typedef struct HalfWeights {
  int64_t n;
  double inner;
} HalfWeights;

static void half_weights(const void *params, int64_t first, int n, double *to)
{
  const HalfWeights *w = params;
  for (int i = 0; i < n; i++) to[i] = first + i == 0 || 2 * (first + i) == w->n ? 1 : w->inner;
}

/* A half times what its numbers count. */
static Tensor *weighted(Call *call, Tensor *half, int64_t dim, int64_t n, double inner)
{
  int64_t shape[MAX_DIMS];
  for (int d = 0; d < half->ndim; d++) shape[d] = d == dim ? half->shape[d] : 1;
  Tensor *weights = tensor_new(call, dtype_to_real(tensor_dtype(half)), device_behind(half), (Ints){shape, half->ndim});
  HalfWeights w = {n, inner};
  launch_by_index(call, half_weights, &w, weights);
  return op(mul, half, weights);
}

/* The real part of an inverse transform of a half without the rest: of numbers that have a conjugate, c2r takes two. */
BACKWARD(fft_r2c)
{
  int64_t dim = shape_dim(call, a->dim.v[a->dim.n - 1], a->input->ndim), n = a->input->shape[dim];
  if (a->onesided) GRAD(input) = op(fft_c2r, weighted(call, dy[0], dim, n, 0.5), a->dim, a->scale, n);
  else GRAD(input) = op(real, op(fft_c2c, dy[0], a->dim, a->scale, false));
}

BACKWARD(fft_c2r)
{
  int64_t dim = shape_dim(call, a->dim.v[a->dim.n - 1], a->input->ndim);
  GRAD(input) = weighted(call, op(fft_r2c, dy[0], a->dim, a->scale, true), dim, a->last_dim_size, 2);
}
