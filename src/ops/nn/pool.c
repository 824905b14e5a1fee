/* Pooling: maxima and means of windows. */
#include "ops/nn/pool.h"

#include "launch/nn/pool.h"
#include "ops/index/gather.h"
#include "ops/math/activation.h"
#include "ops/math/arithmetic.h"
#include "ops/math/composed_arithmetic.h"
#include "ops/math/exponential.h"
#include "ops/nn/extents.h"
#include "ops/nn/resample.h"
#include "ops/reduce/sum.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

/* ------------------------------------------------------------------ geometry */

static void check_geometry(Call *call, const Pool *p, bool halves)
{
  for (int i = 0; i < MOST_SPATIAL; i++) {
    check_extent(call, "kernel_size", p->kernel[i], 1);
    check_extent(call, "stride", p->stride[i], 1);
    check_extent(call, "dilation", p->dilation[i], 1);
    check_extent(call, "padding", p->padding[i], 0);
    if (halves && p->padding[i] > p->kernel[i] / 2)
      raise(call, "padding is %lld; it can be half of kernel_size %lld at most", (long long)p->padding[i],
            (long long)p->kernel[i]);
  }
}

/* With ceil_mode a last window may hang over the end, if it begins within the image or the padding before it. */
static int64_t pool_result_size(Call *call, const Pool *p, int i, bool ceil_mode)
{
  int64_t extent = p->dilation[i] * (p->kernel[i] - 1) + 1, room = p->size[i] + 2 * p->padding[i] - extent;
  int64_t last = room + (ceil_mode ? p->stride[i] - 1 : 0);
  int64_t n = last < 0 ? 0 : last / p->stride[i] + 1;
  if (ceil_mode && n > 0 && (n - 1) * p->stride[i] >= p->size[i] + p->padding[i]) n--;
  if (n < 1)
    raise(call, "windows of %lld elements don't fit into %lld", (long long)extent,
          (long long)(p->size[i] + 2 * p->padding[i]));
  return n;
}

/* The geometry over the last dimensions of x, as many as kernel_size has. */
static Pool pool_of(Call *call, Ints size, Ints kernel, Ints stride, Ints padding, Ints dilation, bool ceil_mode)
{
  Pool p;
  int n = (int)kernel.n;
  for (int i = 0; i < MOST_SPATIAL; i++) {
    int from = i - (MOST_SPATIAL - n);
    p.size[i] = from < 0 ? 1 : size.v[size.n - n + from];
    p.kernel[i] = from < 0 ? 1 : kernel.v[from];
    p.stride[i] = from < 0 ? 1 : stride.v[from];
    p.padding[i] = from < 0 ? 0 : padding.v[from];
    p.dilation[i] = from < 0 || dilation.n < 0 ? 1 : dilation.v[from];
  }
  check_geometry(call, &p, true);
  for (int i = 0; i < MOST_SPATIAL; i++) p.result[i] = pool_result_size(call, &p, i, ceil_mode);
  p.count_padding = true;
  p.divisor = 0;
  return p;
}

/* The shape of x with the results' sizes in the last n dimensions. */
static Ints pooled_shape(Call *call, Ints size, int64_t n, const int64_t *result)
{
  int64_t shape[MAX_DIMS];
  for (int64_t i = 0; i < size.n; i++) shape[i] = i < size.n - n ? size.v[i] : result[MOST_SPATIAL - size.n + i];
  return arena_ints(call->ctx, shape, size.n);
}

/* ------------------------------------------------------------------ maxima */

static void check_volume(Call *call, const Pool *p)
{
  int64_t elements;
  bool fits = !__builtin_mul_overflow(p->size[0] * p->size[1], p->size[2], &elements) && elements <= INT32_MAX;
  if (!fits) raise(call, "planes and volumes of more than 2^31 elements are not taken");
}

static void check_real(Call *call, const Tensor *x)
{
  if (x->dtype == DTYPE_b8 || dtype_is_complex(tensor_dtype(x)))
    raise(call, "input is %s; a floating point or integer tensor is wanted", dtype_name(tensor_dtype(x)));
}

FORWARD(max_pool)
{
  Tensor *x = a->input;
  check_real(call, x);
  Pool p = pool_of(call, tensor_shape(x), a->kernel_size, a->stride, a->padding, a->dilation, a->ceil_mode);
  check_volume(call, &p);
  y[0] = result_of_images(call, tensor_dtype(x), pooled_shape(call, tensor_shape(x), a->kernel_size.n, p.result), x);
  launch_max_pool(call, &p, x, y[0], NULL);
}

BACKWARD(max_pool)
{
  GRAD(input) = op(max_pool_backward, dy[0], a->input, a->kernel_size, a->stride, a->padding, a->dilation,
                   a->ceil_mode);
}

FORWARD(max_pool_positions)
{
  Tensor *x = a->input;
  check_real(call, x);
  Pool p = pool_of(call, tensor_shape(x), a->kernel_size, a->stride, a->padding, a->dilation, a->ceil_mode);
  check_volume(call, &p);
  Ints shape = pooled_shape(call, tensor_shape(x), a->kernel_size.n, p.result);
  y[0] = result_of_images(call, tensor_dtype(x), shape, x);
  y[1] = result_of_images(call, DTYPE_i64, shape, x);
  launch_max_pool(call, &p, x, y[0], y[1]);
}

BACKWARD(max_pool_positions)
{
  if (!dy[0]) return;
  GRAD(input) = op(max_pool_backward, dy[0], a->input, a->kernel_size, a->stride, a->padding, a->dilation,
                   a->ceil_mode);
}

FORWARD(max_pool_backward)
{
  Tensor *x = a->input;
  y[0] = result_of_images(call, tensor_dtype(a->grad), tensor_shape(x), x);
  Pool p = pool_of(call, tensor_shape(x), a->kernel_size, a->stride, a->padding, a->dilation, a->ceil_mode);
  launch_max_pool_backward(call, &p, x, a->grad, y[0]);
}

/* The last n dimensions as one. */
static Tensor *flat_planes(Call *call, Tensor *t, int64_t n)
{
  if (n == 1) return t;
  int64_t shape[MAX_DIMS];
  int64_t first = t->ndim - n;
  for (int64_t i = 0; i < first; i++) shape[i] = t->shape[i];
  shape[first] = 1;
  for (int64_t i = first; i < t->ndim; i++) shape[first] *= t->shape[i];
  return op(reshape, t, (Ints){shape, first + 1});
}

static Tensor *at_positions(Call *call, Tensor *t, Tensor *positions, int64_t n)
{
  Tensor *taken = op(gather, flat_planes(call, t, n), -1, flat_planes(call, positions, n), false);
  return op(reshape, taken, tensor_shape(positions));
}

BACKWARD(max_pool_backward)
{
  if (WANTS(input)) GRAD(input) = zeros_for(call, dy[0], tensor_shape(a->input));
  if (!WANTS(grad)) return;
  Tensors found = op(max_pool_positions, a->input, a->kernel_size, a->stride, a->padding, a->dilation, a->ceil_mode);
  GRAD(grad) = at_positions(call, dy[0], found.v[1], a->kernel_size.n);
}

/* ------------------------------------------------------------------ adaptive maxima */

/* A geometry without strides: as many windows as results. */
static Pool adaptive_pool(Ints size, Ints results)
{
  Pool p = {.size = {1, 1, 1}, .result = {1, 1, 1}};
  for (int64_t i = 0; i < results.n; i++) {
    p.size[MOST_SPATIAL - results.n + i] = size.v[size.n - results.n + i];
    p.result[MOST_SPATIAL - results.n + i] = results.v[i];
  }
  return p;
}

FORWARD(adaptive_max_pool)
{
  Tensor *x = a->input;
  check_argument_floating(call, "input", x);
  Pool p = adaptive_pool(tensor_shape(x), a->output_size);
  Ints shape = pooled_shape(call, tensor_shape(x), a->output_size.n, p.result);
  y[0] = result_of_images(call, tensor_dtype(x), shape, x);
  y[1] = result_of_images(call, DTYPE_i64, shape, x);
  launch_placed_max_pool(call, &p, x, NULL, y[0], y[1]);
}

BACKWARD(adaptive_max_pool)
{
  if (dy[0]) GRAD(input) = op(pool_positions_backward, dy[0], a->input, y[1], a->output_size.n);
}

FORWARD(pool_positions_backward)
{
  Tensor *zeros = zeros_for(call, a->grad, tensor_shape(a->input));
  Tensor *sums = op(scatter_add, flat_planes(call, zeros, a->dims), -1, flat_planes(call, a->positions, a->dims),
                    flat_planes(call, a->grad, a->dims));
  y[0] = op(reshape, sums, tensor_shape(a->input));
}

BACKWARD(pool_positions_backward)
{
  if (WANTS(input)) GRAD(input) = zeros_for(call, dy[0], tensor_shape(a->input));
  if (WANTS(grad)) GRAD(grad) = at_positions(call, dy[0], a->positions, a->dims);
}

/* ------------------------------------------------------------------ means */

static Pool avg_pool_of(Call *call, Ints size, Ints kernel, Ints stride, Ints padding, bool ceil_mode,
                        bool count_padding, int64_t divisor)
{
  Pool p = pool_of(call, size, kernel, stride, padding, NO_INTS, ceil_mode);
  p.count_padding = count_padding;
  if (divisor == 0) raise(call, "divisor_override is 0");
  p.divisor = divisor == NO_INT ? 0 : divisor;
  return p;
}

FORWARD(avg_pool)
{
  Tensor *x = a->input;
  if (!dtype_is_floating(tensor_dtype(x)) && x->dtype != DTYPE_i64)
    raise(call, "input is %s; a floating point or int64 tensor is wanted", dtype_name(tensor_dtype(x)));
  Pool p = avg_pool_of(call, tensor_shape(x), a->kernel_size, a->stride, a->padding, a->ceil_mode, a->count_include_pad,
                       a->divisor_override);
  y[0] = result_of_images(call, tensor_dtype(x), pooled_shape(call, tensor_shape(x), a->kernel_size.n, p.result), x);
  launch_avg_pool(call, &p, x, y[0]);
}

BACKWARD(avg_pool)
{
  GRAD(input) = op(avg_pool_backward, dy[0], a->input, a->kernel_size, a->stride, a->padding, a->ceil_mode,
                   a->count_include_pad, a->divisor_override);
}

FORWARD(avg_pool_backward)
{
  y[0] = result_of_images(call, tensor_dtype(a->grad), tensor_shape(a->input), a->input);
  Pool p = avg_pool_of(call, tensor_shape(a->input), a->kernel_size, a->stride, a->padding, a->ceil_mode,
                       a->count_include_pad, a->divisor_override);
  launch_avg_pool_backward(call, &p, a->grad, y[0]);
}

BACKWARD(avg_pool_backward)
{
  if (WANTS(input)) GRAD(input) = zeros_for(call, dy[0], tensor_shape(a->input));
  if (WANTS(grad))
    GRAD(grad) = op(avg_pool, dy[0], a->kernel_size, a->stride, a->padding, a->ceil_mode, a->count_include_pad,
                    a->divisor_override);
}

/* ------------------------------------------------------------------ public forms */

/* The arguments of a public form over n dimensions. */
typedef struct Form {
  int64_t kernel[MOST_SPATIAL], stride[MOST_SPATIAL], padding[MOST_SPATIAL], dilation[MOST_SPATIAL];
  int n;
} Form;

static void check_input(Call *call, const Tensor *x, int n)
{
  bool fits = x->ndim == n + 1 || x->ndim == n + 2;
  for (int i = x->ndim == n + 2 ? 1 : 0; fits && i < x->ndim; i++) fits = x->shape[i] > 0;
  if (!fits)
    raise(call, "input has shape %s; %s or without N is wanted, none but N being 0", shape_text(call, tensor_shape(x)),
          (const char *[]){"[N, C, L]", "[N, C, H, W]", "[N, C, D, H, W]"}[n - 1]);
}

static Form pool_form(Call *call, const Tensor *x, int n, Ints kernel, Ints stride, Ints padding, Ints dilation)
{
  Form f = {.n = n};
  check_input(call, x, n);
  extents_of(call, kernel, "kernel_size", n, 1, f.kernel);
  if (stride.n <= 0) stride = (Ints){f.kernel, n};
  extents_of(call, stride, "stride", n, 1, f.stride);
  extents_of(call, padding, "padding", n, 0, f.padding);
  extents_of(call, dilation, "dilation", n, 1, f.dilation);
  return f;
}

static Ints list_of(const Form *f, const int64_t *v) { return (Ints){v, f->n}; }

static Tensors maxima_with_positions(Call *call, Tensor *x, const Form *f, bool ceil_mode)
{
  return op(max_pool_positions, x, list_of(f, f->kernel), list_of(f, f->stride), list_of(f, f->padding),
            list_of(f, f->dilation), ceil_mode);
}

static void maxima(Call *call, Tensor *x, const Form *f, bool ceil_mode, bool return_indices)
{
  Tensor **list = result_list(call, return_indices ? 2 : 1);
  if (return_indices) {
    Tensors both = maxima_with_positions(call, x, f, ceil_mode);
    list[0] = both.v[0];
    list[1] = both.v[1];
  } else {
    list[0] = op(max_pool, x, list_of(f, f->kernel), list_of(f, f->stride), list_of(f, f->padding),
                 list_of(f, f->dilation), ceil_mode);
  }
}

FORWARD(max_pool1d)
{
  Form f = pool_form(call, a->input, 1, a->kernel_size, a->stride, a->padding, a->dilation);
  maxima(call, a->input, &f, a->ceil_mode, a->return_indices);
}

FORWARD(max_pool2d)
{
  Form f = pool_form(call, a->input, 2, a->kernel_size, a->stride, a->padding, a->dilation);
  maxima(call, a->input, &f, a->ceil_mode, a->return_indices);
}

FORWARD(max_pool3d)
{
  Form f = pool_form(call, a->input, 3, a->kernel_size, a->stride, a->padding, a->dilation);
  maxima(call, a->input, &f, a->ceil_mode, a->return_indices);
}

FORWARD(max_pool1d_with_indices)
{
  Form f = pool_form(call, a->input, 1, a->kernel_size, a->stride, a->padding, a->dilation);
  Tensors both = maxima_with_positions(call, a->input, &f, a->ceil_mode);
  y[0] = both.v[0];
  y[1] = both.v[1];
}

FORWARD(max_pool2d_with_indices)
{
  Form f = pool_form(call, a->input, 2, a->kernel_size, a->stride, a->padding, a->dilation);
  Tensors both = maxima_with_positions(call, a->input, &f, a->ceil_mode);
  y[0] = both.v[0];
  y[1] = both.v[1];
}

FORWARD(max_pool3d_with_indices)
{
  Form f = pool_form(call, a->input, 3, a->kernel_size, a->stride, a->padding, a->dilation);
  Tensors both = maxima_with_positions(call, a->input, &f, a->ceil_mode);
  y[0] = both.v[0];
  y[1] = both.v[1];
}

FORWARD(avg_pool1d)
{
  Form f = pool_form(call, a->input, 1, a->kernel_size, a->stride, a->padding, NO_INTS);
  y[0] = op(avg_pool, a->input, list_of(&f, f.kernel), list_of(&f, f.stride), list_of(&f, f.padding), a->ceil_mode,
            a->count_include_pad, NO_INT);
}

FORWARD(avg_pool2d)
{
  Form f = pool_form(call, a->input, 2, a->kernel_size, a->stride, a->padding, NO_INTS);
  y[0] = op(avg_pool, a->input, list_of(&f, f.kernel), list_of(&f, f.stride), list_of(&f, f.padding), a->ceil_mode,
            a->count_include_pad, a->divisor_override);
}

FORWARD(avg_pool3d)
{
  Form f = pool_form(call, a->input, 3, a->kernel_size, a->stride, a->padding, NO_INTS);
  y[0] = op(avg_pool, a->input, list_of(&f, f.kernel), list_of(&f, f.stride), list_of(&f, f.padding), a->ceil_mode,
            a->count_include_pad, a->divisor_override);
}

/* The wanted sizes; NO_INT keeps a dimension's. */
static Ints output_sizes(Call *call, const Tensor *x, Ints wanted, int n, int64_t *to)
{
  check_input(call, x, n);
  extents_of(call, wanted, "output_size", n, 1, to);
  for (int i = 0; i < n; i++) {
    if (to[i] == NO_INT) to[i] = x->shape[x->ndim - n + i];
    if (to[i] < 0) raise(call, "output_size is %lld; it can't be negative", (long long)to[i]);
  }
  return (Ints){to, n};
}

static void adaptive_maxima(Call *call, Tensor *x, Ints wanted, int n, bool return_indices)
{
  int64_t sizes[MOST_SPATIAL];
  Tensors both = op(adaptive_max_pool, x, output_sizes(call, x, wanted, n, sizes));
  Tensor **list = result_list(call, return_indices ? 2 : 1);
  list[0] = both.v[0];
  if (return_indices) list[1] = both.v[1];
}

FORWARD(adaptive_max_pool1d) { adaptive_maxima(call, a->input, a->output_size, 1, a->return_indices); }
FORWARD(adaptive_max_pool2d) { adaptive_maxima(call, a->input, a->output_size, 2, a->return_indices); }
FORWARD(adaptive_max_pool3d) { adaptive_maxima(call, a->input, a->output_size, 3, a->return_indices); }
FORWARD(adaptive_max_pool1d_with_indices) { adaptive_maxima(call, a->input, a->output_size, 1, true); }
FORWARD(adaptive_max_pool2d_with_indices) { adaptive_maxima(call, a->input, a->output_size, 2, true); }
FORWARD(adaptive_max_pool3d_with_indices) { adaptive_maxima(call, a->input, a->output_size, 3, true); }

/* Windows of one size side by side are an average pool; others go one dimension at a time. */
static Tensor *adaptive_means(Call *call, Tensor *x, Ints wanted, int n)
{
  int64_t to[MOST_SPATIAL], kernel[MOST_SPATIAL], zeros[MOST_SPATIAL] = {0};
  Ints sizes = output_sizes(call, x, wanted, n, to);
  bool even = true, single = true;
  for (int i = 0; i < n; i++) {
    int64_t size = x->shape[x->ndim - n + i];
    even &= to[i] > 0 && size % to[i] == 0;
    single &= to[i] == 1;
    kernel[i] = to[i] > 0 ? size / to[i] : 1;
  }
  check_argument_floating(call, "input", x);
  if (single) return op(mean, x, (Ints){(const int64_t[]){-1, -2, -3}, n}, true, DTYPE_NONE);
  if (even) return op(avg_pool, x, (Ints){kernel, n}, (Ints){kernel, n}, (Ints){zeros, n}, false, true, NO_INT);
  for (int i = 0; i < n; i++) x = op(resample, x, x->ndim - n + i, sizes.v[i], "area", false, 0);
  return x;
}

FORWARD(adaptive_avg_pool1d) { y[0] = adaptive_means(call, a->input, a->output_size, 1); }
FORWARD(adaptive_avg_pool2d) { y[0] = adaptive_means(call, a->input, a->output_size, 2); }
FORWARD(adaptive_avg_pool3d) { y[0] = adaptive_means(call, a->input, a->output_size, 3); }

/* ------------------------------------------------------------------ powers */

/* The sums are the means times the windows' size, also where a window hangs over the end, as PyTorch has it. */
static Tensor *power_means(Call *call, Tensor *x, double power, int n, Ints kernel, Ints stride, bool ceil_mode)
{
  Form f = pool_form(call, x, n, kernel, stride, NO_INTS, NO_INTS);
  double elements = 1;
  for (int i = 0; i < n; i++) elements *= (double)f.kernel[i];
  Tensor *means = op(avg_pool, op(pow, x, number(power)), list_of(&f, f.kernel), list_of(&f, f.stride),
                     list_of(&f, f.padding), ceil_mode, true, NO_INT);
  Tensor *sums = scaled(op(mul, op(sign, means), op(relu, op(abs, means), false)), elements);
  return op(pow, sums, number(1 / power));
}

FORWARD(lp_pool1d) { y[0] = power_means(call, a->input, a->norm_type, 1, a->kernel_size, a->stride, a->ceil_mode); }
FORWARD(lp_pool2d) { y[0] = power_means(call, a->input, a->norm_type, 2, a->kernel_size, a->stride, a->ceil_mode); }
FORWARD(lp_pool3d) { y[0] = power_means(call, a->input, a->norm_type, 3, a->kernel_size, a->stride, a->ceil_mode); }
