/* Searches in sorted rows; tables and bins that are counted. */
#include "launch/index/search.h"

#include <string.h>

#include "kernels/search.h"
#include "launch/launch.h"

/* --------------------------------------------------------------- in sorted rows */

typedef struct Search {
  int64_t m, n, rows; /* elements of a row, values of a row, rows */
  bool right;
} Search;

/* The places from `begin` on, in row `row`. */
static void search_stretch(const Launch *l, int64_t row, int64_t begin, int64_t end)
{
  const Search *s = l->params;
  int64_t *places = result_at(l, 0, begin);
  search_sorted(l->dtype, operand_at(l, 0, row * s->m), operand_at(l, 2, row * s->m), s->m, operand_at(l, 1, begin),
                end - begin, s->right, places);
  for (int64_t i = 0; i < end - begin; i++) places[i]++;
}

static void search_rows(const Launch *l, int64_t begin, int64_t end)
{
  const Search *s = l->params;
  for (int64_t row = begin; row < end; row++) search_stretch(l, row, row * s->n, (row + 1) * s->n);
}

/* Values of the same stretch are searched in one call, so that threads share a long row. */
static void search_values(const Launch *l, int64_t begin, int64_t end) { search_stretch(l, 0, begin, end); }

void launch_search(Call *call, DType dtype, Tensor *rows, Tensor *values, Tensor *order, bool right, Tensor *y)
{
  static const Driver by_rows = {.run = search_rows, .results = {AS_INT64}, .operands = {DENSE, DENSE, AS_INT64}};
  static const Driver by_values = {.run = search_values, .results = {AS_INT64}, .operands = {DENSE, DENSE, AS_INT64}};
  enum { STEPS_OF_ONE = 8 }; /* a search takes as long as so many plain elements */
  int64_t m = rows->shape[rows->ndim - 1], count = rows->ndim > 1 && m > 0 ? rows->numel / m : 1;
  Search s = {m, values->numel / count, count, right};
  Work work = count == 1 ? (Work){values->numel, STEPS_OF_ONE} : (Work){count, s.n * STEPS_OF_ONE};
  launch(call, count == 1 ? &by_values : &by_rows, dtype, TENSOR_LIST(y), TENSOR_LIST(rows, values, order), work, &s);
}

/* ----------------------------------------------------------------------- tables */

static void count_values(const Launch *l, int64_t begin, int64_t end)
{
  (void)begin, (void)end;
  const int64_t *x = operand_at(l, 0, 0), low = *(const int64_t *)l->params;
  int64_t *table = result_at(l, 0, 0);
  memset(table, 0, (size_t)l->y[0]->numel * sizeof *table);
  for (int64_t i = 0; i < l->x[0]->numel; i++) table[x[i] - low]++;
}

void launch_count_values(Call *call, Tensor *x, int64_t low, Tensor *table)
{
  static const Driver driver = {.run = count_values, .results = {AS_INT64}, .operands = {AS_INT64}};
  launch(call, &driver, DTYPE_i64, TENSOR_LIST(table), TENSOR_LIST(x), (Work){1, x->numel}, &low);
}

static void look_up_values(const Launch *l, int64_t begin, int64_t end)
{
  const int64_t *x = operand_at(l, 0, 0), *table = operand_at(l, 1, 0), low = *(const int64_t *)l->params;
  int64_t *y = result_at(l, 0, 0);
  for (int64_t i = begin; i < end; i++) y[i] = table[x[i] - low];
}

void launch_look_up_values(Call *call, Tensor *x, int64_t low, Tensor *table, Tensor *y)
{
  static const Driver driver = {.run = look_up_values, .results = {AS_INT64}, .operands = {AS_INT64, AS_INT64}};
  launch(call, &driver, DTYPE_i64, TENSOR_LIST(y), TENSOR_LIST(x, table), (Work){x->numel, 1}, &low);
}

/* ------------------------------------------------------------------------- bins */

typedef struct Bins {
  double low, high;
} Bins;

static void count_bins_single(int64_t n, const float *x, float low, float high, int64_t bins, float *counts)
{
  for (int64_t i = 0; i < n; i++) {
    if (!(x[i] >= low && x[i] <= high)) continue;
    float place = (x[i] - low) * (float)bins / (high - low);
    counts[place < (float)bins ? (int64_t)place : bins - 1] += 1;
  }
}

static void count_bins_double(int64_t n, const double *x, double low, double high, int64_t bins, double *counts)
{
  for (int64_t i = 0; i < n; i++) {
    if (!(x[i] >= low && x[i] <= high)) continue;
    double place = (x[i] - low) * (double)bins / (high - low);
    counts[place < (double)bins ? (int64_t)place : bins - 1] += 1;
  }
}

static void count_bins(const Launch *l, int64_t begin, int64_t end)
{
  (void)begin, (void)end;
  const Bins *b = l->params;
  int64_t n = l->x[0]->numel, bins = l->y[0]->numel;
  memset(result_at(l, 0, 0), 0, (size_t)(bins * l->size));
  if (l->dtype == DTYPE_f32)
    count_bins_single(n, operand_at(l, 0, 0), (float)b->low, (float)b->high, bins, result_at(l, 0, 0));
  else count_bins_double(n, operand_at(l, 0, 0), b->low, b->high, bins, result_at(l, 0, 0));
}

void launch_count_bins(Call *call, Tensor *x, double low, double high, Tensor *counts)
{
  static const Driver driver = {.run = count_bins, .results = {DENSE}, .operands = {DENSE}};
  launch(call, &driver, tensor_dtype(counts), TENSOR_LIST(counts), TENSOR_LIST(x), (Work){1, x->numel},
         &(Bins){low, high});
}

/* Results: the sums, and room for the elements' places. Operands: elements, edges, weights. */
static void sum_bins(const Launch *l, int64_t begin, int64_t end)
{
  (void)begin, (void)end;
  bool density = *(const bool *)l->params;
  int64_t bins = l->y[0]->numel, n = l->x[0]->numel, *place = result_at(l, 1, 0);
  const double *x = operand_at(l, 0, 0), *edge = operand_at(l, 1, 0), *weight = operand_at(l, 2, 0);
  double *sum = result_at(l, 0, 0), total = 0;
  search_sorted(DTYPE_f64, edge, NULL, bins + 1, x, n, true, place);
  memset(sum, 0, (size_t)bins * sizeof *sum);
  for (int64_t i = 0; i < n; i++) {
    int64_t bin = x[i] == edge[bins] ? bins - 1 : place[i] - 1;
    if (!(x[i] >= edge[0] && x[i] <= edge[bins]) || bin < 0) continue;
    sum[bin] += weight ? weight[i] : 1;
  }
  for (int64_t k = 0; k < bins; k++) total += sum[k];
  for (int64_t k = 0; k < bins && density; k++) sum[k] /= total * (edge[k + 1] - edge[k]);
}

void launch_sum_bins(Call *call, Tensor *x, Tensor *edges, Tensor *weight, bool density, Tensor *y)
{
  static const Driver driver = {
    .run = sum_bins, .results = {AS_DOUBLE, AS_INT64}, .operands = {AS_DOUBLE, AS_DOUBLE, AS_DOUBLE}};
  Tensor *places = new_beside(call, x, DTYPE_i64, INTS(x->numel));
  launch(call, &driver, DTYPE_f64, TENSOR_LIST(y, places), TENSOR_LIST(x, edges, weight), (Work){1, x->numel},
         &density);
}
