/*
 * Products of matrices. By their shape they go through blocks, with b packed once for all rows of a where those are
 * many, or as vectors by dot products or sums of rows. Each element's terms are added in an order that depends on
 * the shape alone, whatever the pieces and the threads.
 */
#include "launch/linalg/gemm.h"

#include <string.h>

#include "core/arith.h"
#include "core/blocks.h"
#include "core/parallel.h"
#include "kernels/matmul.h"
#include "kernels/table.h"
#include "launch/math/chain.h"
#include "launch/packed.h"
#include "launch/scratch.h"

bool gemm_takes(const Matrix *m)
{
  if (m->rows == 1) return m->cols == 1 || m->col_step == 1;
  return m->row_step == 1 || (m->cols > 1 && m->col_step == 1);
}

/* LOOPS: the plain ones of integers. PACKED: blocks, with b packed once for all rows. STRIPS: likewise, of few rows,
   some columns of b after the other. */
typedef enum Route { LOOPS, BLOCKS, STRIPS, PACKED, DOTS, ROW_SUMS, PAIR_ROW } Route;

typedef struct Plan {
  const MatmulKernels *kernels;
  Product p;
  int64_t size;           /* bytes of an element, */
  int64_t a_size, b_size; /* of one of a and of b, as they are stored, */
  int64_t packed_size;    /* and packed, of b: each complex one becomes two */
  int64_t depth;          /* terms that blocks take at a time */
  bool bytes;             /* it is a product of bytes into int32 */
  bool pairs, turned;     /* elements are complex; a column was made a row */
  Route route;
  bool keeps; /* b is kept packed from call to call, if it is packed as a whole */
  bool packs_left;
  int64_t row_edge, col_edge;      /* of pieces of the result, or of stages, */
  int64_t piece_cols;              /* whose pieces have so many columns */
  int64_t left_bytes, right_bytes; /* memory that each piece needs, and, for b, all together */
} Plan;

/* ------------------------------------------------------------------- plans */

/* A part of a product: rows from i on, columns from j on, terms from q on. */
static Product part_of(const Plan *plan, const Product *whole, int64_t i, int64_t m, int64_t j, int64_t n, int64_t q,
                       int64_t k)
{
  const int64_t size = plan->size;
  Product p = *whole;
  p.m = m < p.m - i ? m : p.m - i;
  p.n = n < p.n - j ? n : p.n - j;
  p.k = k < p.k - q ? k : p.k - q;
  p.a = (const char *)p.a + (i * p.a_row + q * p.a_col) * plan->a_size;
  p.b = (const char *)p.b + (q * p.b_row + j * p.b_col) * plan->b_size;
  p.c = (char *)p.c + (i * p.c_row + j) * size;
  if (q > 0) {
    p.addend = p.c;
    p.addend_row = p.c_row;
    p.beta = 1;
  } else if (p.addend) {
    p.addend = (const char *)p.addend + (i * p.addend_row + j) * size;
  }
  return p;
}

/* Columns of b that are packed by a thread at a time. */
static int64_t group_of(const Plan *plan) { return GEMM_GROUP * plan->kernels->width / (plan->pairs ? 2 : 1); }

static bool is_vector(const Plan *plan) { return plan->route >= DOTS; }

enum { DOT_COLUMNS = 4 }; /* what the edges of pieces of dot products are multiples of */

/* Halves the longer edge while pieces are too few for threads and large enough. */
static void choose_edges(Plan *plan)
{
  const Product *p = &plan->p;
  int64_t least = is_vector(plan) ? GEMM_VECTOR_WORK : GEMM_PIECE_WORK, n = p->n;
  const int64_t column_unit = plan->route == DOTS ? DOT_COLUMNS : GEMM_COL_UNIT;
  plan->row_edge = p->m < GEMM_ROW_EDGE || is_vector(plan) ? p->m : GEMM_ROW_EDGE;
  plan->col_edge = n < GEMM_COL_EDGE || is_vector(plan) ? n : GEMM_COL_EDGE;
  while (ceil_div_i64(p->m, plan->row_edge) * ceil_div_i64(n, plan->col_edge) < 4
         && plan->row_edge * plan->col_edge * p->k >= 2 * least) {
    bool rows = !is_vector(plan) && plan->row_edge * GEMM_COL_UNIT >= plan->col_edge * GEMM_ROW_UNIT;
    int64_t *edge = rows ? &plan->row_edge : &plan->col_edge, unit = rows ? GEMM_ROW_UNIT : column_unit;
    if (*edge <= unit) break;
    *edge = ceil_div_i64(ceil_div_i64(*edge, 2), unit) * unit;
  }
}

/* What some terms of a row of a take when they are packed, */
static int64_t row_bytes(const Plan *plan, int64_t terms)
{
  return plan->bytes ? packed_line_bytes(plan->kernels, terms)
                     : ceil_div_i64(terms, plan->kernels->terms) * plan->size;
}

/* and of a column of b. */
static int64_t column_bytes(const Plan *plan, int64_t terms)
{
  return plan->bytes ? packed_line_bytes(plan->kernels, terms)
                     : ceil_div_i64(terms, plan->kernels->terms) * plan->packed_size;
}

/* The rows of a that are packed at a time: equal parts, some for each thread; fewer parts read b less often. */
static void choose_rows(Plan *plan)
{
  const MatmulKernels *k = plan->kernels;
  const int64_t most = k->left_bytes / row_bytes(plan, plan->depth),
                parts = max_i64(ceil_div_i64(plan->p.m, most), parallel_threads() > 1 ? 2 * parallel_threads() : 1);
  plan->row_edge = ceil_div_i64(ceil_div_i64(plan->p.m, parts), k->rows) * k->rows;
  const int64_t group = group_of(plan);
  plan->col_edge = max_i64(k->right_bytes / column_bytes(plan, plan->depth) / group, 1) * group;
  plan->piece_cols = plan->col_edge;
  const int64_t pieces = ceil_div_i64(plan->p.m, plan->row_edge), columns = min_i64(plan->p.n, plan->col_edge);
  if (pieces < parallel_threads())
    plan->piece_cols = ceil_div_i64(ceil_div_i64(columns, 2 * parallel_threads()), group) * group;
}

/* Whether packing a pays: where blocks would wait for its lines. */
static bool packing_pays(const Plan *plan)
{
  const Product *p = &plan->p;
  if (p->a_col != 1) return plan->pairs || p->n >= GEMM_PACK_COLUMNS;
  return p->m > plan->kernels->rows && p->n >= GEMM_PACK_COLUMNS
         && (p->a_row * plan->size % 1024 == 0 || p->n >= GEMM_PACK_MANY);
}

/* Whether rows of a are read so few times, for the panels of a narrow b, that packing them takes longer than blocks
   lose where they lie. */
static bool lies_well(const Plan *plan)
{
  const Product *p = &plan->p;
  return p->a_col == 1 && p->n <= GEMM_NARROW && !plan->pairs && !p->a_stored;
}

/* Whether blocks would read b, which lies by rows, in short pieces from far off: again for each block of rows, or from
   memory. */
static bool wants_strips(const Plan *plan)
{
  const Product *p = &plan->p;
  if (p->b_col != 1 || plan->pairs || p->n < group_of(plan) || p->k * p->n < GEMM_STRIP_ELEMENTS) return false;
  return p->m > 2 * plan->kernels->rows
         || (p->m > GEMM_STRIP_ROWS && p->k * p->n * plan->size > 2 * plan->kernels->right_bytes);
}

/* As many columns as the second cache holds, of few terms, so that pieces of b's rows are long. */
static void choose_strips(Plan *plan)
{
  const int64_t group = group_of(plan), threads = parallel_threads();
  plan->depth = min_i64(plan->depth, GEMM_STRIP_DEPTH);
  const int64_t most = max_i64(plan->kernels->left_bytes / (plan->depth * plan->size) / group, 1) * group;
  const int64_t share = ceil_div_i64(plan->p.n, threads > 1 ? 2 * threads : 1);
  plan->row_edge = plan->p.m;
  plan->col_edge = min_i64(most, ceil_div_i64(share, group) * group);
  plan->left_bytes = plan->col_edge * plan->depth * plan->size;
}

/* Whether b is kept packed for products that would go through blocks all the same: their sums are in the same order. */
static bool keeping_pays(const Plan *plan)
{
  const Product *p = &plan->p;
  return plan->keeps && !plan->pairs && (p->b_col != 1 || p->k * p->n >= GEMM_STRIP_ELEMENTS);
}

/* Whether it would go through strips, did it not: their sums are of fewer terms. */
static bool keeps_strips(const Plan *plan)
{
  const Product *p = &plan->p;
  return plan->keeps && p->m < GEMM_PACKED_ROWS && !p->a_stored && !p->b_stored && wants_strips(plan);
}

static Route route_of(const Plan *plan)
{
  const Product *p = &plan->p;
  if (plan->bytes) return p->m <= GEMM_BYTE_ROWS && p->b_col == 1 && !plan->keeps ? ROW_SUMS : PACKED;
  if (!plan->kernels->dots) return LOOPS;
  if (plan->pairs && p->m == 1 && (p->b_col == 1 || p->b_row == 1)) return PAIR_ROW;
  const bool large = p->k * p->n * plan->size
                     > 4 * plan->kernels->right_bytes; /* by rows it comes from memory sooner */
  if (!plan->pairs && p->b_col == 1 && p->n > 1 && (p->m == 1 || (p->m <= 4 && large))) return ROW_SUMS;
  if (!plan->pairs && p->b_row == 1 && p->a_col == 1 && p->k >= GEMM_DOT_DEPTH && p->m <= GEMM_DOT_ROWS) return DOTS;
  if (p->a_stored || p->b_stored) return PACKED;
  if (p->m >= GEMM_PACKED_ROWS && p->m * p->n * p->k >= GEMM_PACKED_WORK) return PACKED;
  return keeping_pays(plan) ? PACKED : wants_strips(plan) ? STRIPS : BLOCKS;
}

/* The addend's rows go where the result's will be. */
static void move_addend(Product *p, int64_t size)
{
  if (!p->addend || p->addend == p->c) return;
  for (int64_t i = 0; i < p->m; i++)
    memmove((char *)p->c + i * p->c_row * size, (const char *)p->addend + i * p->addend_row * size,
            (size_t)(p->n * size));
  p->addend = p->c;
  p->addend_row = p->c_row;
}

/* A column is a row of the transposed product, if it lies as one. */
static bool turn_column(Product *p, int64_t size)
{
  if (p->n != 1 || p->m == 1 || p->c_row != 1) return false;
  if (p->addend_row != 1) move_addend(p, size);
  const Product q = *p;
  p->m = q.n, p->n = q.m;
  p->a = q.b, p->a_row = q.b_col, p->a_col = q.b_row, p->a_stored = q.b_stored;
  p->b = q.a, p->b_row = q.a_col, p->b_col = q.a_row, p->b_stored = q.a_stored;
  p->c_row = p->addend_row = p->n;
  return true;
}

static void plan_product(Plan *plan, DType dtype, const Product *p, bool keeps)
{
  const int64_t size = (int64_t)dtype_size(dtype);
  const bool pairs = dtype_is_complex(dtype);
  const MatmulKernels *k = kernels_of(dtype_to_real(dtype))->matmul;
  *plan = (Plan){.kernels = k, .p = *p, .size = size, .pairs = pairs, .packed_size = pairs ? 2 * size : size};
  plan->bytes = dtype == DTYPE_i32 && p->a_stored;
  if (k->dots) plan->turned = turn_column(&plan->p, size);
  plan->a_size = stored_size(plan->p.a_stored, size);
  plan->b_size = stored_size(plan->p.b_stored, size);
  if (plan->p.k == 1) plan->p.a_col = 1; /* the step along a single element says nothing */
  plan->keeps = keeps && !plan->turned;
  if (k->bfloats && plan->p.a_stored == STORED_BF16 && plan->p.b_stored == STORED_BF16 && plan->p.m > 1)
    plan->kernels = k = k->bfloats;
  plan->depth = pairs ? k->depth / 2 : k->depth * k->terms;
  plan->route = route_of(plan);
  plan->packs_left = plan->route == PACKED ? !lies_well(plan) : plan->route == BLOCKS && packing_pays(plan);
  if (plan->route == PACKED && keeps_strips(plan)) plan->depth = min_i64(plan->depth, GEMM_STRIP_DEPTH);
  if (plan->route == PACKED) choose_rows(plan);
  else if (plan->route == STRIPS) choose_strips(plan);
  else choose_edges(plan);
  if (plan->packs_left) {
    plan->left_bytes = ceil_div_i64(plan->row_edge, k->rows) * k->rows * row_bytes(plan, plan->depth) + 64;
    if (plan->p.a_stored && k->terms == 1) plan->left_bytes *= 2;
  }
  if (plan->route == PAIR_ROW) plan->left_bytes = 2 * (plan->p.k + plan->col_edge) * size;
  if (plan->route == PACKED) {
    int64_t n = plan->p.n < plan->col_edge ? plan->p.n : plan->col_edge, group = group_of(plan);
    plan->right_bytes = ceil_div_i64(n, group) * group * column_bytes(plan, plan->depth);
  }
}

/* ------------------------------------------------------------------- pieces */

/* A plan that runs. */
typedef struct Run {
  const Plan *plan;
  bool on_threads;
  Scratch scratch;          /* for a packed, of each thread, */
  char *left, *right;       /* or of a lone one; b packed, a stage of it or all stages one behind the other */
  bool is_whole, is_filled; /* the latter; and they are there */
  Product stage;            /* of the route PACKED: the part of the product that the packed part of b makes, */
  int64_t column;           /* and where its columns begin */
  const ChainRun *then;     /* what follows on the result, of the route PACKED; or NULL */
  int64_t cols;             /* pieces in a row of them */
} Run;

static char *take_left(Run *r) { return r->left || r->plan->left_bytes == 0 ? r->left : scratch_take(&r->scratch); }

static void give_left(Run *r, char *left)
{
  if (left != r->left) scratch_give(&r->scratch, left);
}

static void for_all(Run *r, int64_t n, ParallelBody body)
{
  if (r->on_threads) parallel_for(n, 1, body, r);
  else body(r, 0, n);
}

/* memory: for the terms of its columns that are packed at a time. */
static void multiply_strip(const Plan *plan, const Product *strip, char *memory)
{
  for (int64_t q = 0; q < strip->k; q += plan->depth) {
    const Product p = part_of(plan, strip, 0, strip->m, 0, strip->n, q, plan->depth);
    plan->kernels->pack_right(&p, false, memory);
    plan->kernels->blocks(&p, false, memory, NULL);
  }
}

static void run_pieces(void *arg, int64_t begin, int64_t end)
{
  Run *r = arg;
  const Plan *plan = r->plan;
  char *left = take_left(r);
  for (int64_t piece = begin; piece < end; piece++) {
    Product p = part_of(plan, &plan->p, piece / r->cols * plan->row_edge, plan->row_edge,
                        piece % r->cols * plan->col_edge, plan->col_edge, 0, plan->p.k);
    switch (plan->route) {
      case DOTS: plan->kernels->dots(&p); break;
      case ROW_SUMS: plan->kernels->row_sums(&p); break;
      case PAIR_ROW: plan->kernels->pair_row(&p, left); break;
      case LOOPS:
        move_addend(&p, plan->size);
        plan->kernels->product(p.m, p.n, p.k, p.a, p.a_row, p.a_col, p.b, p.b_row, p.b_col, p.addend, p.c, p.c_row);
        break;
      case STRIPS: multiply_strip(plan, &p, left); break;
      default: plan->kernels->blocks(&p, plan->pairs, NULL, left);
    }
  }
  give_left(r, left);
}

/* ------------------------------------------------------------------- stages */

static char *bytes_new(Call *call, int64_t n) { return tensor_data(tensor_new(call, DTYPE_u8, DEVICE_CPU, INTS(n))); }

static void pack_groups(void *arg, int64_t begin, int64_t end)
{
  const Run *r = arg;
  const Product *stage = &r->stage;
  const int64_t group = group_of(r->plan);
  const Product p = part_of(r->plan, stage, 0, stage->m, begin * group, (end - begin) * group, 0, stage->k);
  r->plan->kernels->pack_right(&p, r->plan->pairs, r->right + begin * group * column_bytes(r->plan, stage->k));
}

/* Runs what follows on some rows of some columns, whose sums are whole. */
static void finish_rows(const Run *r, ChainWorker *w, int64_t first, int64_t rows, int64_t column, int64_t cols)
{
  const int64_t n = r->plan->p.n;
  if (cols == n) chain_part(w, first * n, (first + rows) * n);
  else
    for (int64_t at = first * n + column; rows > 0; rows--, at += n) chain_part(w, at, at + cols);
}

static void multiply_rows(void *arg, int64_t begin, int64_t end)
{
  Run *r = arg;
  const Plan *plan = r->plan;
  const int64_t rows = plan->row_edge, cols = plan->piece_cols;
  char *left = take_left(r);
  ChainWorker then;
  if (r->then) chain_open(&then, r->then);
  for (int64_t piece = begin; piece < end; piece++) {
    const int64_t i = piece / r->cols * rows, j = piece % r->cols * cols;
    Product p = part_of(plan, &r->stage, i, rows, j, cols, 0, r->stage.k);
    plan->kernels->blocks(&p, plan->pairs, r->right + j * column_bytes(plan, p.k), left);
    if (r->then) finish_rows(r, &then, i, p.m, r->column + j, p.n);
  }
  give_left(r, left);
}

static void run_stages(Run *r)
{
  const Plan *plan = r->plan;
  const Product *p = &plan->p;
  const ChainRun *then = r->then;
  for (int64_t j = 0; j < p->n; j += plan->col_edge)
    for (int64_t q = 0; q < p->k; q += plan->depth) {
      r->stage = part_of(plan, p, 0, p->m, j, plan->col_edge, q, plan->depth);
      r->column = j;
      r->then = q + plan->depth >= p->k ? then : NULL;
      if (!r->is_filled) for_all(r, ceil_div_i64(r->stage.n, group_of(plan)), pack_groups);
      r->cols = ceil_div_i64(r->stage.n, plan->piece_cols);
      for_all(r, ceil_div_i64(p->m, plan->row_edge) * r->cols, multiply_rows);
      if (r->is_whole) r->right += plan->right_bytes;
    }
}

/* How many stages there are. */
static int64_t count_stages(const Plan *plan)
{
  return ceil_div_i64(plan->p.n, plan->col_edge) * ceil_div_i64(plan->p.k, plan->depth);
}

/* Memory for b packed: for one stage after the other, or, where a plan keeps it, for all. */
static void take_right(Call *call, Run *r)
{
  const Plan *plan = r->plan;
  r->is_whole = plan->keeps;
  if (r->is_whole)
    r->right = packed_memory(call, PACKED_PRODUCT, plan->right_bytes * count_stages(plan), &r->is_filled);
  else r->right = bytes_new(call, plan->right_bytes);
}

static void run_plan(Run *r)
{
  const Plan *plan = r->plan;
  if (plan->route == PACKED) {
    run_stages(r);
    return;
  }
  r->cols = ceil_div_i64(plan->p.n, plan->col_edge);
  for_all(r, ceil_div_i64(plan->p.m, plan->row_edge) * r->cols, run_pieces);
}

/* ----------------------------------------------------------------- products */

/* Whether kernels of vectors want rows of a that are as wide as the product. */
static bool widens_rows(const Plan *plan)
{
  if (!is_vector(plan) || !plan->p.a_stored) return false;
  return plan->route == ROW_SUMS ? !plan->bytes : plan->kernels->terms == 1;
}

/* The few rows of a for them. */
static void widen_rows(Call *call, Plan *plan)
{
  Product *p = &plan->p;
  void *wide = bytes_new(call, p->m * p->k * plan->size);
  plan->kernels->widen(p->a_stored, p->m, p->k, p->a, &p->a_row, &p->a_col, wide);
  p->a = wide;
  p->a_stored = STORED_SAME;
  plan->a_size = plan->size;
}

/* y: the tensor that the product is all of, on which a chain that the call is planned with may run; or NULL. */
static void run_product(Call *call, DType dtype, const Product *p, Tensor *y)
{
  Plan plan;
  ChainRun then;
  plan_product(&plan, dtype, p, keeps_packed(call));
  if (widens_rows(&plan)) widen_rows(call, &plan);
  Run run = {.plan = &plan, .on_threads = true};
  if (plan.right_bytes > 0) take_right(call, &run);
  if (y && plan.route == PACKED && !plan.turned && chain_begin_planned(call, y, &then)) run.then = &then;
  if (plan.left_bytes > 0) {
    const int64_t cols = plan.route == PACKED ? plan.piece_cols : plan.col_edge;
    const int64_t pieces = ceil_div_i64(plan.p.m, plan.row_edge) * ceil_div_i64(plan.p.n, cols);
    scratch_init(call, &run.scratch, pieces, plan.left_bytes);
  }
  run_plan(&run);
  if (run.is_whole) packed_filled(call);
}

static Product product_of(const Matrix *a, const Matrix *b, double alpha, Addend addend, void *c, int64_t c_row)
{
  return (Product){.m = a->rows,
                   .n = b->cols,
                   .k = a->cols,
                   .a = a->data,
                   .a_row = a->row_step,
                   .a_col = a->col_step,
                   .b = b->data,
                   .b_row = b->row_step,
                   .b_col = b->col_step,
                   .alpha = alpha,
                   .addend = addend.factor != 0 ? addend.data : NULL,
                   .addend_row = addend.row_step,
                   .beta = addend.factor,
                   .c = c,
                   .c_row = c_row,
                   .a_stored = a->stored,
                   .b_stored = b->stored};
}

/* Without terms, a product is one of zeros. */
static void without_terms(Product *p)
{
  static const double zeros[2];
  p->k = 1;
  p->a = p->b = zeros;
  p->a_row = p->a_col = p->b_row = p->b_col = 0;
  p->a_stored = p->b_stored = STORED_SAME;
}

static void multiply(Call *call, DType dtype, const Matrix *a, const Matrix *b, double alpha, Addend addend, void *c,
                     int64_t c_row, Tensor *y)
{
  Product p = product_of(a, b, alpha, addend, c, c_row);
  if (p.m == 0 || p.n == 0) return;
  if (p.k == 0 || alpha == 0) without_terms(&p);
  /* So small that choosing how to compute it would take longer than doing it. */
  if (dtype_is_floating(dtype) && p.m * p.n * p.k <= GEMM_SMALL && !a->stored && !b->stored)
    kernels_of(dtype)->matmul->blocks(&p, false, NULL, NULL);
  else run_product(call, dtype, &p, y);
}

void gemm(Call *call, DType dtype, const Matrix *a, const Matrix *b, double alpha, Addend addend, void *c,
          int64_t c_row)
{
  multiply(call, dtype, a, b, alpha, addend, c, c_row, NULL);
}

void gemm_result(Call *call, const Matrix *a, const Matrix *b, double alpha, Addend addend, Tensor *y)
{
  multiply(call, tensor_dtype(y), a, b, alpha, addend, tensor_data(y), b->cols, y->is_contiguous ? y : NULL);
}

typedef struct Batch {
  Plan plan;
  BatchSteps step; /* bytes */
  Scratch scratch;
} Batch;

static void run_batch(void *arg, int64_t begin, int64_t end)
{
  Batch *s = arg;
  Plan plan = s->plan;
  const bool simple = plan.route == BLOCKS && !plan.packs_left && plan.row_edge == plan.p.m
                      && plan.col_edge == plan.p.n;
  const bool needs_memory = plan.left_bytes + plan.right_bytes > 0;
  char *memory = needs_memory ? scratch_take(&s->scratch) : NULL;
  Run run = {.plan = &plan, .left = plan.left_bytes > 0 ? memory : NULL, .right = memory + plan.left_bytes};
  for (int64_t i = begin; i < end; i++) {
    plan.p.a = (const char *)s->plan.p.a + i * s->step.a;
    plan.p.b = (const char *)s->plan.p.b + i * s->step.b;
    plan.p.c = (char *)s->plan.p.c + i * s->step.c;
    if (plan.p.addend) plan.p.addend = plan.p.c;
    if (simple) plan.kernels->blocks(&plan.p, plan.pairs, NULL, NULL);
    else run_plan(&run);
  }
  if (needs_memory) scratch_give(&s->scratch, memory);
}

void gemm_batch(Call *call, DType dtype, int64_t batches, Matrix a, Matrix b, double alpha, double beta, void *c,
                BatchSteps step)
{
  const int64_t work = max_i64(a.rows * a.cols * b.cols, 1), size = (int64_t)dtype_size(dtype);
  if (batches < 4 && work >= 2 * GEMM_PIECE_WORK) { /* few and large: threads within each */
    for (int64_t i = 0; i < batches; i++) {
      gemm(call, dtype, &a, &b, alpha, (Addend){c, b.cols, beta}, c, b.cols);
      a.data = (const char *)a.data + step.a * size;
      b.data = (const char *)b.data + step.b * size;
      c = (char *)c + step.c * size;
    }
    return;
  }
  Product p = product_of(&a, &b, alpha, (Addend){c, b.cols, beta}, c, b.cols);
  if (p.m == 0 || p.n == 0) return;
  if (p.k == 0 || alpha == 0) {
    step.a = step.b = 0;
    without_terms(&p);
  }
  Batch s = {.step.c = step.c * size};
  plan_product(&s.plan, dtype, &p, false);
  s.step.a = (s.plan.turned ? step.b : step.a) * size;
  s.step.b = (s.plan.turned ? step.a : step.b) * size;
  const int64_t bytes = s.plan.left_bytes + s.plan.right_bytes;
  if (bytes > 0) scratch_init(call, &s.scratch, batches, bytes);
  parallel_for(batches, grain_of(GEMM_BATCH_WORK, work), run_batch, &s);
}
