/* Rows of tables: copied out by position, some rows a thread; added up by position, some columns a thread. */
#include "launch/nn/embedding.h"

#include <string.h>

#include "core/blocks.h"
#include "kernels/moves.h"
#include "launch/launch.h"
#include "launch/index/lines.h"

/* Rows that are copied or added up: how wide they are, and which position is left out. */
typedef struct Rows {
  void (*kernel)(const IndexedLines *l);
  int64_t size, width, padding; /* bytes of an element, elements of a row */
} Rows;

static void gather_rows(const Launch *l, int64_t begin, int64_t end)
{
  const Rows *r = l->params;
  int64_t row = r->width * r->size;
  r->kernel(&(IndexedLines){r->width, end - begin, operand_at(l, 1, begin), 0, sizeof(int64_t), operand_at(l, 0, 0),
                            r->size, row, result_at(l, 0, begin * r->width), r->size, row});
}

void launch_embedding(Call *call, Tensor *weight, Tensor *positions, Tensor *y)
{
  static const Driver driver = {.run = gather_rows, .results = {MOVED}, .operands = {MOVED, AS_INT64}};
  DType dtype = tensor_dtype(weight);
  positions = checked_positions(call, positions, weight->shape[0], 0, false);
  Rows r = {.kernel = movers_of(dtype)->moves->gather, .size = (int64_t)dtype_size(dtype), .width = weight->shape[1]};
  launch(call, &driver, dtype, TENSOR_LIST(y), TENSOR_LIST(weight, positions), (Work){positions->numel, r.width}, &r);
}

/* Adds up some columns of `count` rows that stand one after the other, the first one at `at`. */
static void add_run(const Launch *l, const Rows *r, int64_t at, int64_t count, int64_t begin, int64_t end)
{
  int64_t row = r->width * r->size;
  l->k->moves->scatter_add(&(IndexedLines){end - begin, count, operand_at(l, 1, at), 0, sizeof(int64_t),
                                           operand_at(l, 0, at * r->width + begin), r->size, row,
                                           result_at(l, 0, begin), r->size, row});
}

static void add_columns(const Launch *l, int64_t begin, int64_t end)
{
  const Rows *r = l->params;
  const int64_t *p = operand_at(l, 1, 0), n = l->x[1]->numel;
  begin *= EMBEDDING_COLUMNS;
  end = end * EMBEDDING_COLUMNS < r->width ? end * EMBEDDING_COLUMNS : r->width;
  for (int64_t i = 0; i < n; i++) {
    int64_t first = i;
    while (i < n && p[i] != r->padding) i++;
    if (i > first) add_run(l, r, first, i - first, begin, end);
  }
}

void launch_embedding_gradient(Call *call, Tensor *dy, Tensor *positions, int64_t padding, Tensor *dw)
{
  static const Driver driver = {.run = add_columns, .results = {ZEROED}, .operands = {DENSE, AS_INT64}};
  DType dtype = tensor_dtype(dw);
  Rows r = {.size = (int64_t)dtype_size(dtype_compute(dtype)), .width = dw->shape[1], .padding = padding};
  launch(call, &driver, dtype, TENSOR_LIST(dw), TENSOR_LIST(dy, positions),
         (Work){(r.width + EMBEDDING_COLUMNS - 1) / EMBEDDING_COLUMNS, EMBEDDING_COLUMNS * positions->numel}, &r);
}

typedef struct Factors {
  int64_t padding, *counts;
  bool by_frequency;
} Factors;

/* All in one item: each factor depends on all positions. */
static void find_factors(const Launch *l, int64_t begin, int64_t end)
{
  const Factors *f = l->params;
  const int64_t *p = operand_at(l, 0, 0), n = l->x[0]->numel;
  double *factor = result_at(l, 0, 0);
  (void)begin, (void)end;
  for (int64_t i = 0; i < n; i++) f->counts[p[i] - 1]++;
  for (int64_t i = 0; i < n; i++)
    factor[i] = p[i] == f->padding ? 0 : f->by_frequency ? 1.0 / (double)f->counts[p[i] - 1] : 1;
}

void launch_embedding_factors(Call *call, Tensor *positions, int64_t rows, int64_t padding, bool by_frequency,
                              Tensor *y)
{
  static const Driver driver = {.run = find_factors, .results = {AS_DOUBLE}, .operands = {AS_INT64}};
  if (!launch_runs(y)) return;
  Tensor *counts = new_beside(call, y, DTYPE_i64, INTS(rows));
  memset(tensor_data(counts), 0, tensor_bytes(counts));
  Factors f = {padding, tensor_data(counts), by_frequency};
  launch(call, &driver, tensor_dtype(y), TENSOR_LIST(y), TENSOR_LIST(positions), (Work){1, positions->numel}, &f);
}
