/* How often values occur: positions, and elements in bins. */
#include "ops/index/histogram.h"

#include <math.h>

#include "launch/index/lines.h"
#include "launch/look.h"
#include "launch/index/search.h"
#include "ops/reduce/max_min.h"
#include "ops/shape/factory.h"
#include "ops/table/helpers.h"

FORWARD(bincount)
{
  Tensor *x = a->input, *weights = a->weights;
  if (x->ndim != 1 || !dtype_is_integral(tensor_dtype(x)) || x->dtype == DTYPE_b8)
    raise(call, "a vector of integers is needed, not %s of shape %s", dtype_name(tensor_dtype(x)),
          shape_text(call, tensor_shape(x)));
  if (weights && !tensor_same_shape(weights, x))
    raise(call, "weights of shape %s don't fit input of shape %s", shape_text(call, tensor_shape(weights)),
          shape_text(call, tensor_shape(x)));
  if (weights && dtype_is_complex(tensor_dtype(weights))) raise(call, "complex weights are not taken");
  if (a->minlength < 0) raise(call, "minlength must not be negative: %lld", (long long)a->minlength);
  check_can_look(call, x);
  PositionRange range = range_of(call, x, (PositionRange){1, a->minlength > 0 ? a->minlength : 1, false});
  if (range.low < 1) raise(call, "%lld is no position: they count from 1", (long long)range.low);
  int64_t n = x->numel == 0 ? a->minlength : range.high;
  DType dtype = !weights ? DTYPE_i64 : weights->dtype == DTYPE_f32 ? DTYPE_f32 : DTYPE_f64;
  y[0] = result_new(call, dtype, device_of(x), INTS(n));
  launch_fill(call, y[0], scalar_int(0));
  Tensor *positions = cast(x, DTYPE_i64),
         *each = cast(weights ? weights : tensor_from_number(call, scalar_int(1)), dtype);
  combine_along(call, SCATTER_ADD, y[0], expanded_to(call, each, tensor_shape(x)), positions, 0);
}

/* Bounds, or those of all elements if the two are equal. */
static void take_bounds(Call *call, Tensor *x, double *low, double *high)
{
  if (*low == *high && x->numel && can_look(x)) {
    *low = scalar_real(tensor_item(op(min, x)));
    *high = scalar_real(tensor_item(op(max, x)));
  }
  if (!isfinite(*low) || !isfinite(*high)) raise(call, "the range from %g to %g is not finite", *low, *high);
  if (*low != *high) return;
  *low -= 1;
  *high += 1;
}

FORWARD(histc)
{
  Tensor *x = a->input;
  DType dtype = tensor_dtype(x), wide = dtype_compute(dtype); /* bfloat16 counts to 256 only */
  double low = scalar_real(a->min), high = scalar_real(a->max);
  if (wide != DTYPE_f32 && wide != DTYPE_f64)
    raise(call, "a floating point tensor is wanted, not %s", dtype_name(dtype));
  if (a->bins <= 0) raise(call, "bins must be positive, not %lld", (long long)a->bins);
  if (low > high) raise(call, "max %g is less than min %g", high, low);
  Tensor *counts = result_new(call, wide, device_of(x), INTS(a->bins));
  x = cast(x, wide);
  take_bounds(call, x, &low, &high);
  launch_count_bins(call, x, low, high, counts);
  y[0] = wide == dtype ? counts : cast(counts, dtype);
}

static void check_histogram(Call *call, const Tensor *x, const Tensor *weight)
{
  if (x->dtype != DTYPE_f32 && x->dtype != DTYPE_f64)
    raise(call, "float32 or float64 is needed, not %s", dtype_name(tensor_dtype(x)));
  if (weight && (weight->dtype != x->dtype || !tensor_same_shape(weight, x)))
    raise(call, "weight must be as input, not %s of shape %s", dtype_name(tensor_dtype(weight)),
          shape_text(call, tensor_shape(weight)));
}

static Tensor *sums_of_bins(Call *call, Tensor *x, Tensor *edges, Tensor *weight, bool density)
{
  Tensor *y = new_beside(call, x, tensor_dtype(x), INTS(edges->numel - 1));
  launch_sum_bins(call, x, edges, weight, density, y);
  return y;
}

FORWARD(histogram_edges)
{
  Tensor *edges = a->bins;
  check_histogram(call, a->input, a->weight);
  if (edges->ndim != 1 || edges->numel < 2 || edges->dtype != a->input->dtype)
    raise(call, "bins must be a %s vector of at least 2 edges, not %s of shape %s", dtype_name(tensor_dtype(a->input)),
          dtype_name(tensor_dtype(edges)), shape_text(call, tensor_shape(edges)));
  y[0] = sums_of_bins(call, a->input, edges, a->weight, a->density);
  y[1] = copy_of(call, edges, tensor_dtype(edges));
}

FORWARD(histogram)
{
  Tensor *x = a->input;
  double low = 0, high = 1;
  check_histogram(call, x, a->weight);
  if (a->bins <= 0) raise(call, "bins must be positive, not %lld", (long long)a->bins);
  if (a->range.n >= 0 && a->range.n != 2) raise(call, "range is two numbers, not %lld", (long long)a->range.n);
  if (a->range.n == 2) {
    low = a->range.v[0];
    high = a->range.v[1];
  } else if (x->numel && can_look(x)) {
    low = scalar_real(tensor_item(op(min, x)));
    high = scalar_real(tensor_item(op(max, x)));
  }
  if (!isfinite(low) || !isfinite(high)) raise(call, "the range from %g to %g is not finite", low, high);
  if (low > high) raise(call, "the range's end %g is less than its start %g", high, low);
  if (low == high) {
    low -= 0.5;
    high += 0.5;
  }
  y[1] = op(linspace, scalar_float(low), scalar_float(high), a->bins + 1, tensor_dtype(x), device_behind(x), false);
  y[0] = sums_of_bins(call, x, y[1], a->weight, a->density);
}
