/* Searching, counting, and finding what is equal. */
#include <math.h>
#include <string.h>

#include "core/blocks.h"
#include "ops/helpers.h"
#include "ops/indexing.h"

static void check_has_elements(Call *call, const Tensor *t)
{
  if (t->device == DEVICE_META) raise(call, "the shape of the result depends on elements, which meta tensors don't have");
}

/* The dtype in which elements of one are compared: it holds them all. */
static DType compared_as(Call *call, DType d)
{
  if (dtype_is_complex(d)) raise(call, "complex numbers have no order");
  if (d == DTYPE_f64) return d;
  return dtype_is_floating(d) ? DTYPE_f32 : DTYPE_i64;
}

/* ------------------------------------------------------------- in sorted rows */

typedef struct SearchJob {
  DType dtype;
  const char *rows, *values;
  const int64_t *order;
  int64_t size, m, row_step, n, *places;
  bool right;
} SearchJob;

static void search_rows(void *arg, int64_t begin, int64_t end)
{
  const SearchJob *j = arg;
  for (int64_t r = begin; r < end; r++) {
    int64_t row = r * j->row_step, value = r * j->n;
    search_sorted(j->dtype, j->rows + row * j->size, j->order ? j->order + row : NULL, j->m, j->values + value * j->size,
                  j->n, j->right, j->places + value);
  }
}

/* Values of the same stretch are searched in one call, so that threads share a long row. */
static void search_stretches(void *arg, int64_t begin, int64_t end)
{
  const SearchJob *j = arg;
  search_sorted(j->dtype, j->rows, j->order, j->m, j->values + begin * j->size, end - begin, j->right, j->places + begin);
}

static bool searches_right(Call *call, bool right, const char *side)
{
  if (!side) return right;
  if (strcmp(side, "left") != 0 && strcmp(side, "right") != 0) raise(call, "side is \"left\" or \"right\", not \"%s\"", side);
  if (right && strcmp(side, "left") == 0) raise(call, "side is \"left\", but right is set");
  return strcmp(side, "right") == 0;
}

static void check_search(Call *call, const Tensor *rows, const Tensor *values)
{
  if (rows->ndim == 0) raise(call, "sorted_sequence must have a dimension");
  bool fits = rows->ndim == 1 || rows->ndim == values->ndim;
  for (int d = 0; d < rows->ndim - 1 && fits; d++) fits = rows->shape[d] == values->shape[d];
  if (!fits)
    raise(call, "sorted_sequence of shape %s and values of shape %s must be alike but for the last dimension",
          shape_text(call, tensor_shape(rows)), shape_text(call, tensor_shape(values)));
  if (rows->dtype != values->dtype && !values->is_wrapped_number)
    raise(call, "sorted_sequence is %s, but values are %s", dtype_name(tensor_dtype(rows)), dtype_name(tensor_dtype(values)));
}

/* The places, from 0, in a contiguous int64 tensor of the shape of values. */
static void launch_search(Call *call, Tensor *rows, Tensor *values, const Tensor *order, bool right, Tensor *places)
{
  Tensor *both[] = {rows, values};
  DType dtype = compared_as(call, promote_operands(call, both, 2));
  rows = contiguous_as(call, rows, dtype);
  values = contiguous_as(call, values, dtype);
  int64_t m = rows->shape[rows->ndim - 1], count = rows->ndim > 1 && m > 0 ? rows->numel / m : 1;
  SearchJob job = {.dtype = dtype, .rows = tensor_data(rows), .values = tensor_data(values),
                   .order = order ? tensor_data(order) : NULL, .size = (int64_t)dtype_size(dtype), .m = m,
                   .row_step = m, .n = values->numel / count, .places = tensor_data(places), .right = right};
  if (count == 1) parallel_for(values->numel, SEARCH_GRAIN, search_stretches, &job);
  else parallel_for(count, grain_of(SEARCH_GRAIN, job.n), search_rows, &job);
}

FORWARD(searchsorted)
{
  Tensor *rows = a->sorted_sequence, *values = a->values, *order = a->sorter;
  bool right = searches_right(call, a->right, a->side);
  check_search(call, rows, values);
  if (order && !tensor_same_shape(order, rows))
    raise(call, "sorter of shape %s doesn't fit sorted_sequence of shape %s", shape_text(call, tensor_shape(order)),
          shape_text(call, tensor_shape(rows)));
  if (order && order->dtype != DTYPE_i64) raise(call, "sorter must be int64, not %s", dtype_name(tensor_dtype(order)));
  if (order) order = checked_positions(call, order, rows->shape[rows->ndim - 1], rows->ndim - 1, false);
  y[0] = result_new(call, a->out_int32 ? DTYPE_i32 : DTYPE_i64, device_of(rows), tensor_shape(values));
  if (y[0]->device == DEVICE_META || y[0]->numel == 0) return;
  Tensor *places = a->out_int32 ? tensor_new(call, DTYPE_i64, DEVICE_CPU, tensor_shape(values)) : y[0];
  launch_search(call, rows, values, order, right, places);
  int64_t *position = tensor_data(places);
  for (int64_t i = 0; i < places->numel; i++) position[i]++;
  if (places != y[0]) launch_copy(call, y[0], places);
}

FORWARD(bucketize)
{
  if (a->boundaries->ndim != 1)
    raise(call, "boundaries must be a vector, not of shape %s", shape_text(call, tensor_shape(a->boundaries)));
  y[0] = op(searchsorted, a->boundaries, a->input, a->out_int32, a->right, NULL, NULL);
}

FORWARD(isin)
{
  Tensor *both[] = {a->elements, a->test_elements}, *tests = a->test_elements, *x = a->elements;
  DType dtype = promote_operands(call, both, 2);
  Device device = x->device == DEVICE_META || tests->device == DEVICE_META ? DEVICE_META : DEVICE_CPU;
  (void)compared_as(call, dtype);
  y[0] = result_new(call, DTYPE_b8, device, tensor_shape(x));
  if (y[0]->device == DEVICE_META || y[0]->numel == 0) return;
  if (tests->numel == 0) {
    launch_fill(call, y[0], scalar_bool(a->invert));
    return;
  }
  tests = op(sort, op(reshape, op(to_dtype, tests, dtype, false, false), INTS(-1)), 0, false, false).v[0];
  x = op(to_dtype, x, dtype, false, false);
  Tensor *places = tensor_new(call, DTYPE_i64, DEVICE_CPU, tensor_shape(x));
  launch_search(call, tests, x, NULL, false, places);
  int64_t *place = tensor_data(places), last = tests->numel - 1;
  for (int64_t i = 0; i < places->numel; i++) place[i] = (place[i] < last ? place[i] : last) + 1;
  Tensor *found = op(take, tests, places);
  launch_copy(call, y[0], a->invert ? op(ne, found, x) : op(eq, found, x));
}

/* ---------------------------------------------------------------- what is equal */

/* Whether each slice of a first dimension differs from the one before it; the first one does. */
static Tensor *beginnings(Call *call, Tensor *rows)
{
  int64_t n = rows->shape[0];
  Tensor *y = op(ones, INTS(n), DTYPE_b8, DEVICE_CPU, false);
  if (n < 2) return y;
  Tensor *differs = op(ne, op(narrow, rows, 0, 1, n - 1), op(narrow, rows, 0, 0, n - 1));
  if (rows->ndim > 1) differs = op(any, op(reshape, differs, INTS(n - 1, rows->numel / n)), 1, false);
  launch_copy(call, stretch(call, y, 0, 1, n - 1), differs);
  return y;
}

static Tensor *lengths_of_groups(Call *call, Tensor *begins)
{
  Tensor *y = op(reshape, op(argwhere, begins), INTS(-1));
  int64_t *at = tensor_data(y), n = y->numel;
  for (int64_t i = 0; i < n; i++) at[i] = (i + 1 < n ? at[i + 1] : begins->numel + 1) - at[i];
  return y;
}

typedef struct Wanted { bool inverse, counts; int dim; } Wanted;

/*
 * Gives the first slices of groups of equal ones that lie side by side, and what else is wanted. order: the positions
 * that they had in the input, or NULL.
 */
static void give_groups(Call *call, Tensor *rows, Tensor *order, Wanted w, Ints inverse_shape)
{
  Tensor *begins = beginnings(call, rows), *found = op(index, rows, ((Tensors){&begins, 1}));
  Tensor **list = result_list(call, 1 + w.inverse + w.counts);
  *list++ = w.dim > 0 ? op(contiguous, op(movedim, found, INTS(0), INTS(w.dim))) : found;
  if (w.inverse) {
    Tensor *groups = op(cumsum, begins, 0, DTYPE_i64);
    if (order) groups = op(scatter, op(zeros, tensor_shape(groups), DTYPE_i64, DEVICE_CPU, false), 0, order, groups);
    *list++ = op(reshape, groups, inverse_shape);
  }
  if (w.counts) *list++ = lengths_of_groups(call, begins);
}

/* The slices of a dimension as the first one, contiguous. */
static Tensor *slices_first(Call *call, Tensor *x, int64_t dim_, int *dim)
{
  *dim = shape_dim(call, dim_, x->ndim);
  if (x->ndim == 0) raise(call, "a tensor without dimensions has no slices");
  for (int d = 0; d < x->ndim; d++)
    if (d != *dim && x->shape[d] == 0)
      raise(call, "slices of a tensor of shape %s have no elements", shape_text(call, tensor_shape(x)));
  return op(contiguous, op(movedim, x, INTS(*dim), INTS(0)));
}

/* ---- of integers that lie close together, by counting ---- */

/* Whether they lie within so few that a table of all takes less time than sorting. */
static bool are_close(const Tensor *flat, PositionRange *range)
{
  *range = (PositionRange){INT64_MAX, INT64_MIN, false};
  if (flat->numel == 0) return false;
  positions_range(flat->numel, tensor_data(flat), range);
  uint64_t width = (uint64_t)range->high - (uint64_t)range->low;
  return width < (uint64_t)flat->numel * 2;
}

static void give_counted(Call *call, const Tensor *flat, PositionRange range, Wanted w, DType dtype, Ints inverse_shape)
{
  int64_t width = range.high - range.low + 1, n = flat->numel, groups = 0;
  Tensor *table = tensor_new(call, DTYPE_i64, DEVICE_CPU, INTS(width));
  int64_t *count = tensor_data(table);
  const int64_t *x = tensor_data(flat);
  memset(count, 0, (size_t)width * sizeof *count);
  for (int64_t i = 0; i < n; i++) count[x[i] - range.low]++;
  for (int64_t k = 0; k < width; k++) groups += count[k] > 0;
  Tensor *values = tensor_new(call, DTYPE_i64, DEVICE_CPU, INTS(groups)), *counts = tensor_new(call, DTYPE_i64, DEVICE_CPU, INTS(groups));
  int64_t *value = tensor_data(values), *each = tensor_data(counts), group = 0;
  for (int64_t k = 0; k < width; k++) {
    if (count[k] == 0) continue;
    value[group] = range.low + k;
    each[group++] = count[k];
    count[k] = group; /* from now on the group's position */
  }
  Tensor **list = result_list(call, 1 + w.inverse + w.counts);
  *list++ = op(to_dtype, values, dtype, false, false);
  if (w.inverse) {
    Tensor *inverse = tensor_new(call, DTYPE_i64, DEVICE_CPU, inverse_shape);
    int64_t *to = tensor_data(inverse);
    for (int64_t i = 0; i < n; i++) to[i] = count[x[i] - range.low];
    *list++ = inverse;
  }
  if (w.counts) *list = counts;
}

FORWARD(unique)
{
  (void)y;
  Tensor *x = a->input;
  Wanted w = {a->return_inverse, a->return_counts, 0};
  check_has_elements(call, x);
  if (a->dim == NONE_DIM && dtype_is_integral(tensor_dtype(x))) {
    Tensor *flat = contiguous_as(call, x, DTYPE_i64);
    PositionRange range;
    if (are_close(flat, &range)) {
      give_counted(call, flat, range, w, tensor_dtype(x), tensor_shape(x));
      return;
    }
  }
  if (a->dim == NONE_DIM) {
    Tensors sorted = op(sort, op(reshape, x, INTS(-1)), 0, false, false);
    give_groups(call, sorted.v[0], sorted.v[1], w, tensor_shape(x));
    return;
  }
  Tensor *rows = slices_first(call, x, a->dim, &w.dim);
  int64_t n = rows->shape[0];
  if (dtype_is_complex(tensor_dtype(x))) raise(call, "complex numbers have no order");
  DType compute = kernel_dtype(tensor_dtype(x));
  Tensor *keys = contiguous_as(call, rows, compute), *order = tensor_new(call, DTYPE_i64, DEVICE_CPU, INTS(n));
  Tensor *scratch = tensor_new(call, DTYPE_i64, DEVICE_CPU, INTS(n));
  if (n > 0)
    kernels_of(compute)->sort_rows(n, rows->numel / n, tensor_data(keys), tensor_data(order), tensor_data(scratch));
  give_groups(call, op(index_select, rows, 0, order), order, w, INTS(n));
}

FORWARD(unique_consecutive)
{
  (void)y;
  Tensor *x = a->input;
  Wanted w = {a->return_inverse, a->return_counts, 0};
  check_has_elements(call, x);
  if (a->dim == NONE_DIM) {
    give_groups(call, op(reshape, x, INTS(-1)), NULL, w, tensor_shape(x));
    return;
  }
  Tensor *rows = slices_first(call, x, a->dim, &w.dim);
  give_groups(call, rows, NULL, w, INTS(rows->shape[0]));
}

/* ---------------------------------------------------------------------- counts */

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
  check_has_elements(call, x);
  Tensor *positions = contiguous_as(call, x, DTYPE_i64);
  PositionRange range = {1, a->minlength > 0 ? a->minlength : 1, false};
  positions_range(x->numel, tensor_data(positions), &range);
  if (range.low < 1) raise(call, "%lld is no position: they count from 1", (long long)range.low);
  int64_t n = x->numel == 0 ? a->minlength : range.high;
  DType dtype = !weights ? DTYPE_i64 : weights->dtype == DTYPE_f32 ? DTYPE_f32 : DTYPE_f64;
  y[0] = result_new(call, dtype, DEVICE_CPU, INTS(n));
  launch_fill(call, y[0], scalar_int(0));
  Tensor *each = weights ? contiguous_as(call, weights, dtype) : tensor_from_number(call, scalar_int(1));
  IndexedLines lines = {.n = 1, .count = x->numel, .index = tensor_data(positions), .index_step = sizeof(int64_t),
    .from = tensor_data(each), .from_step = weights ? (int64_t)dtype_size(dtype) : 0, .to = tensor_data(y[0]),
    .to_step = (int64_t)dtype_size(dtype)};
  kernels_of(dtype)->scatter_add_lines(&lines);
}

/* The bins of elements between two bounds, counted in the elements' own type, as PyTorch does. */
#define COUNT_BINS(name, T)                                                                  \
  static void name(int64_t n, const T *x, T low, T high, int64_t bins, T *counts)            \
  {                                                                                          \
    for (int64_t i = 0; i < n; i++) {                                                        \
      if (!(x[i] >= low && x[i] <= high)) continue;                                          \
      int64_t bin = (int64_t)((x[i] - low) / (high - low) * (T)bins);                        \
      counts[bin < bins ? bin : bins - 1] += 1;                                              \
    }                                                                                        \
  }
COUNT_BINS(count_bins_f32, float)
COUNT_BINS(count_bins_f64, double)

/* Adds the elements between low and high to counts, which is of their dtype; of all elements if the two are equal. */
static void count_bins(Call *call, Tensor *x, double low, double high, Tensor *counts)
{
  launch_fill(call, counts, scalar_int(0));
  if (low == high && x->numel) {
    low = scalar_real(tensor_item(op(min, x)));
    high = scalar_real(tensor_item(op(max, x)));
  }
  if (!isfinite(low) || !isfinite(high)) raise(call, "the range from %g to %g is not finite", low, high);
  if (low == high) {
    low -= 1;
    high += 1;
  }
  int64_t n = x->numel, bins = counts->numel;
  if (tensor_dtype(x) == DTYPE_f32) count_bins_f32(n, tensor_data(x), (float)low, (float)high, bins, tensor_data(counts));
  else count_bins_f64(n, tensor_data(x), low, high, bins, tensor_data(counts));
}

FORWARD(histc)
{
  Tensor *x = a->input;
  DType dtype = tensor_dtype(x), wide = dtype == DTYPE_bf16 ? DTYPE_f32 : dtype; /* bfloat16 counts to 256 only */
  double low = scalar_real(a->min), high = scalar_real(a->max);
  if (wide != DTYPE_f32 && wide != DTYPE_f64)
    raise(call, "float32, float64 or bfloat16 is needed, not %s", dtype_name(dtype));
  if (a->bins <= 0) raise(call, "bins must be positive, not %lld", (long long)a->bins);
  if (low > high) raise(call, "max %g is less than min %g", high, low);
  Tensor *counts = result_new(call, wide, device_of(x), INTS(a->bins));
  if (counts->device != DEVICE_META) count_bins(call, contiguous_as(call, x, wide), low, high, counts);
  y[0] = wide == dtype ? counts : op(to_dtype, counts, dtype, false, false);
}

static void check_histogram(Call *call, const Tensor *x, const Tensor *weight)
{
  if (x->dtype != DTYPE_f32 && x->dtype != DTYPE_f64)
    raise(call, "float32 or float64 is needed, not %s", dtype_name(tensor_dtype(x)));
  if (weight && (weight->dtype != x->dtype || !tensor_same_shape(weight, x)))
    raise(call, "weight must be as input, not %s of shape %s", dtype_name(tensor_dtype(weight)),
          shape_text(call, tensor_shape(weight)));
}

/* The sums of weights (1 without) between edges; the last bin has its upper edge too. As a density their integral is 1. */
static Tensor *fill_bins(Call *call, Tensor *x, Tensor *edges, Tensor *weight, bool density)
{
  DType dtype = tensor_dtype(x);
  int64_t bins = edges->numel - 1;
  Tensor *y = tensor_new(call, dtype, device_of(x), INTS(bins)), *wide = tensor_new(call, DTYPE_f64, device_of(x), INTS(bins));
  launch_fill(call, wide, scalar_int(0));
  if (y->device == DEVICE_META) return y;
  Tensor *places = tensor_new(call, DTYPE_i64, DEVICE_CPU, INTS(x->numel)), *values = contiguous_as(call, x, DTYPE_f64);
  Tensor *all_edges = contiguous_as(call, edges, DTYPE_f64), *weights = weight ? contiguous_as(call, weight, DTYPE_f64) : NULL;
  search_sorted(DTYPE_f64, tensor_data(all_edges), NULL, bins + 1, tensor_data(values), x->numel, true, tensor_data(places));
  const double *value = tensor_data(values), *edge = tensor_data(all_edges), *w = weights ? tensor_data(weights) : NULL;
  const int64_t *place = tensor_data(places);
  double *sum = tensor_data(wide), total = 0;
  for (int64_t i = 0; i < x->numel; i++) {
    int64_t bin = value[i] == edge[bins] ? bins - 1 : place[i] - 1;
    if (!(value[i] >= edge[0] && value[i] <= edge[bins]) || bin < 0) continue;
    sum[bin] += w ? w[i] : 1;
  }
  for (int64_t k = 0; k < bins; k++) total += sum[k];
  for (int64_t k = 0; k < bins && density; k++) sum[k] /= total * (edge[k + 1] - edge[k]);
  launch_copy(call, y, wide);
  return y;
}

FORWARD(histogram_edges)
{
  Tensor *edges = a->bins;
  check_histogram(call, a->input, a->weight);
  if (edges->ndim != 1 || edges->numel < 2 || edges->dtype != a->input->dtype)
    raise(call, "bins must be a %s vector of at least 2 edges, not %s of shape %s", dtype_name(tensor_dtype(a->input)),
          dtype_name(tensor_dtype(edges)), shape_text(call, tensor_shape(edges)));
  y[0] = fill_bins(call, a->input, edges, a->weight, a->density);
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
  } else if (x->numel && x->device != DEVICE_META) {
    low = scalar_real(tensor_item(op(min, x)));
    high = scalar_real(tensor_item(op(max, x)));
  }
  if (!isfinite(low) || !isfinite(high)) raise(call, "the range from %g to %g is not finite", low, high);
  if (low > high) raise(call, "the range's end %g is less than its start %g", high, low);
  if (low == high) {
    low -= 0.5;
    high += 0.5;
  }
  y[1] = op(linspace, scalar_float(low), scalar_float(high), a->bins + 1, tensor_dtype(x), device_of(x), false);
  y[0] = fill_bins(call, x, y[1], a->weight, a->density);
}
