/* Products of matrices: chooses by shape between our loops and BLAS, and cuts large ones into pieces for threads. */
#include "kernels/gemm.h"

#include <string.h>

#include "core/arith.h"
#include "core/blocks.h"
#include "core/parallel.h"
#include "kernels/cblas.h"
#include "kernels/matmul.h"
#include "kernels/table.h"

/* BLAS counts in 32 bits: what has larger sizes or steps is cut in halves. Test builds get there with small ones. */
#if NNLUA_SMALL_BLOCKS
enum { BLAS_MOST = 1000 };
#else
enum { BLAS_MOST = INT32_MAX };
#endif
_Static_assert(sizeof(blasint) >= sizeof(int32_t), "a blasint holds BLAS_MOST");

static bool rows_are_contiguous(const Matrix *m) { return m->cols == 1 || m->col_step == 1; }
static bool cols_are_contiguous(const Matrix *m) { return m->rows == 1 || m->row_step == 1; }

bool gemm_takes(const Matrix *m)
{
  if (rows_are_contiguous(m)) return m->rows == 1 || m->row_step >= m->cols;
  return cols_are_contiguous(m) && m->col_step >= m->rows;
}

/* Who computes: our loops, our dot products, or BLAS. */
typedef enum Route { OWN, OWN_DOTS, BLAS_VECTOR, BLAS } Route;

/* A matrix as BLAS sees it: row-major or transposed, and the distance of its lines. A single line has no distance. */
typedef struct Operand {
  CBLAS_TRANSPOSE trans;
  int64_t step;
} Operand;

static Operand operand_of(const Matrix *m)
{
  if (rows_are_contiguous(m)) {
    int64_t step = m->rows == 1 ? m->cols : m->row_step;
    return (Operand){CblasNoTrans, max_i64(step, max_i64(m->cols, 1))};
  }
  return (Operand){CblasTrans, max_i64(m->col_step, max_i64(m->rows, 1))};
}

typedef struct Product {
  DType dtype;
  Matrix a, b;
  Scalar alpha, beta;
  char *c;
  int64_t c_row;
  int64_t size;                     /* bytes of an element */
  int64_t row_edge, col_edge, cols; /* of pieces, and pieces in a row of them */
  Route route;
} Product;

static void scale_elements(const Product *p, blasint n, void *c)
{
  double beta[2] = {scalar_real(p->beta), p->beta.im};
  float fbeta[2] = {(float)beta[0], (float)beta[1]};
  switch (p->dtype) {
    case DTYPE_f32: cblas_sscal(n, fbeta[0], c, 1); break;
    case DTYPE_f64: cblas_dscal(n, beta[0], c, 1); break;
    case DTYPE_c64: cblas_cscal(n, fbeta, c, 1); break;
    default: cblas_zscal(n, beta, c, 1);
  }
}

/* c *= beta, or zeros: what is left of a product without terms. */
static void scale_result(const Product *p)
{
  if (scalar_equals(p->beta, 1)) return;
  int64_t cols = p->b.cols;
  for (int64_t i = 0; i < p->a.rows; i++) {
    char *row = p->c + i * p->c_row * p->size;
    if (scalar_equals(p->beta, 0)) {
      memset(row, 0, (size_t)(cols * p->size));
      continue;
    }
    for (int64_t j = 0; j < cols; j += BLAS_MOST)
      scale_elements(p, (blasint)(cols - j < BLAS_MOST ? cols - j : BLAS_MOST), row + j * p->size);
  }
}

static void call_gemm(const Product *p)
{
  const void *a = p->a.data, *b = p->b.data;
  void *c = p->c;
  Operand oa = operand_of(&p->a), ob = operand_of(&p->b);
  blasint m = (blasint)p->a.rows, n = (blasint)p->b.cols, k = (blasint)p->a.cols;
  blasint lda = (blasint)oa.step, ldb = (blasint)ob.step, ldc = m == 1 ? n : (blasint)max_i64(p->c_row, n);
  double alpha[2] = {scalar_real(p->alpha), p->alpha.im}, beta[2] = {scalar_real(p->beta), p->beta.im};
  float falpha[2] = {(float)alpha[0], (float)alpha[1]}, fbeta[2] = {(float)beta[0], (float)beta[1]};
  switch (p->dtype) {
    case DTYPE_f32:
      cblas_sgemm(CblasRowMajor, oa.trans, ob.trans, m, n, k, falpha[0], a, lda, b, ldb, fbeta[0], c, ldc);
      break;
    case DTYPE_f64:
      cblas_dgemm(CblasRowMajor, oa.trans, ob.trans, m, n, k, alpha[0], a, lda, b, ldb, beta[0], c, ldc);
      break;
    case DTYPE_c64:
      cblas_cgemm(CblasRowMajor, oa.trans, ob.trans, m, n, k, falpha, a, lda, b, ldb, fbeta, c, ldc);
      break;
    default: cblas_zgemm(CblasRowMajor, oa.trans, ob.trans, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
  }
}

/* y = alpha m x + beta y, x and y with steps. */
static void multiply_vector(const Product *p, const Matrix *m, const void *x, int64_t x_step, void *y, int64_t y_step)
{
  Operand o = operand_of(m);
  int64_t rows = o.trans == CblasNoTrans ? m->rows : m->cols, cols = o.trans == CblasNoTrans ? m->cols : m->rows;
  double alpha = scalar_real(p->alpha), beta = scalar_real(p->beta);
  if (p->dtype == DTYPE_f32)
    cblas_sgemv(CblasRowMajor, o.trans, (blasint)rows, (blasint)cols, (float)alpha, m->data, (blasint)o.step, x,
                (blasint)x_step, (float)beta, y, (blasint)y_step);
  else
    cblas_dgemv(CblasRowMajor, o.trans, (blasint)rows, (blasint)cols, alpha, m->data, (blasint)o.step, x,
                (blasint)x_step, beta, y, (blasint)y_step);
}

static Matrix transposed(const Matrix *m) { return (Matrix){m->data, m->cols, m->rows, m->col_step, m->row_step}; }

static Matrix part_of_matrix(const Matrix *m, int64_t size, int64_t row, int64_t rows, int64_t col, int64_t cols)
{
  const char *data = (const char *)m->data + (row * m->row_step + col * m->col_step) * size;
  return (Matrix){data, rows, cols, m->row_step, m->col_step};
}

static int64_t step_of(int64_t size, int64_t step) { return size == 1 ? 1 : step; }

static void call_gemv(const Product *p)
{
  Matrix columns = transposed(&p->b);
  int64_t k = p->a.cols;
  if (p->a.rows == 1) multiply_vector(p, &columns, p->a.data, step_of(k, p->a.col_step), p->c, 1);
  else multiply_vector(p, &p->a, p->b.data, step_of(k, p->b.row_step), p->c, max_i64(p->c_row, 1));
}

/* In which direction a product is cut: which size is too large for BLAS, or has lines too far apart. */
typedef enum Cut { CUT_NOWHERE, CUT_ROWS, CUT_COLUMNS, CUT_DEPTH } Cut;

static Cut cut_of(const Product *p)
{
  Operand a = operand_of(&p->a), b = operand_of(&p->b);
  if (p->a.rows > BLAS_MOST) return CUT_ROWS;
  if (p->b.cols > BLAS_MOST) return CUT_COLUMNS;
  if (p->a.cols > BLAS_MOST) return CUT_DEPTH;
  if (a.step > BLAS_MOST) return a.trans == CblasNoTrans ? CUT_ROWS : CUT_DEPTH;
  if (b.step > BLAS_MOST) return b.trans == CblasNoTrans ? CUT_DEPTH : CUT_COLUMNS;
  return p->a.rows > 1 && p->c_row > BLAS_MOST ? CUT_ROWS : CUT_NOWHERE;
}

static void run_blas(const Product *p)
{
  Cut cut = cut_of(p);
  if (cut == CUT_NOWHERE) {
    if (p->route == BLAS_VECTOR) call_gemv(p);
    else call_gemm(p);
    return;
  }
  int64_t m = p->a.rows, n = p->b.cols, k = p->a.cols, at = (cut == CUT_ROWS ? m : cut == CUT_COLUMNS ? n : k) / 2;
  Product low = *p, high = *p;
  if (cut == CUT_ROWS) {
    low.a = part_of_matrix(&p->a, p->size, 0, at, 0, k);
    high.a = part_of_matrix(&p->a, p->size, at, m - at, 0, k);
    high.c += at * p->c_row * p->size;
  } else if (cut == CUT_COLUMNS) {
    low.b = part_of_matrix(&p->b, p->size, 0, k, 0, at);
    high.b = part_of_matrix(&p->b, p->size, 0, k, at, n - at);
    high.c += at * p->size;
  } else {
    low.a = part_of_matrix(&p->a, p->size, 0, m, 0, at);
    low.b = part_of_matrix(&p->b, p->size, 0, at, 0, n);
    high.a = part_of_matrix(&p->a, p->size, 0, m, at, k - at);
    high.b = part_of_matrix(&p->b, p->size, at, k - at, 0, n);
    high.beta = scalar_int(1);
  }
  run_blas(&low);
  run_blas(&high);
}

/* One piece of the result: rows i.. and columns j.. of it. */
static void run_piece(const Product *p, int64_t i, int64_t j)
{
  int64_t m = p->a.rows - i < p->row_edge ? p->a.rows - i : p->row_edge;
  int64_t n = p->b.cols - j < p->col_edge ? p->b.cols - j : p->col_edge, k = p->a.cols;
  Matrix a = part_of_matrix(&p->a, p->size, i, m, 0, k), b = part_of_matrix(&p->b, p->size, 0, k, j, n);
  char *c = p->c + (i * p->c_row + j) * p->size;
  const MatmulKernels *own = kernels_of(p->dtype)->matmul;
  bool add = !scalar_equals(p->beta, 0);
  switch (p->route) {
    case OWN:
      own->product(m, n, k, a.data, a.row_step, a.col_step, b.data, b.row_step, b.col_step, add, c, p->c_row);
      break;
    case OWN_DOTS: own->dots(m, n, k, a.data, a.row_step, b.data, b.col_step, add, c, p->c_row); break;
    default: {
      Product piece = *p;
      piece.a = a;
      piece.b = b;
      piece.c = c;
      run_blas(&piece);
    }
  }
}

static void run_pieces(void *arg, int64_t begin, int64_t end)
{
  const Product *p = arg;
  for (int64_t piece = begin; piece < end; piece++)
    run_piece(p, piece / p->cols * p->row_edge, piece % p->cols * p->col_edge);
}

/* Halves the longer edge while pieces are too few for threads and large enough. Depends on the shape alone. */
static void choose_edges(Product *p, int64_t m, int64_t n, int64_t k)
{
  bool vector = m == 1 || n == 1 || p->route == OWN_DOTS;
  int64_t least = vector ? GEMM_VECTOR_WORK : GEMM_PIECE_WORK;
  p->row_edge = m < GEMM_ROW_EDGE || vector ? m : GEMM_ROW_EDGE;
  p->col_edge = n < GEMM_COL_EDGE || vector ? n : GEMM_COL_EDGE;
  while (ceil_div_i64(m, p->row_edge) * ceil_div_i64(n, p->col_edge) < 4
         && p->row_edge * p->col_edge * k >= 2 * least) {
    bool rows = p->row_edge * GEMM_COL_UNIT >= p->col_edge * GEMM_ROW_UNIT;
    int64_t *edge = rows ? &p->row_edge : &p->col_edge, unit = rows ? GEMM_ROW_UNIT : GEMM_COL_UNIT;
    if (*edge <= unit) break;
    *edge = ceil_div_i64(ceil_div_i64(*edge, 2), unit) * unit;
  }
  p->cols = ceil_div_i64(n, p->col_edge);
}

static bool is_plain(Scalar alpha, Scalar beta)
{
  return scalar_equals(alpha, 1) && (scalar_equals(beta, 0) || scalar_equals(beta, 1));
}

bool gemm_needs_blas(DType dtype, Scalar alpha, Scalar beta)
{
  return dtype_is_inexact(dtype) && !is_plain(alpha, beta);
}

/* By shape, as measured: BLAS has a price a call, is slow for few rows,
   and knows no more than AVX2 on some machines. */
static Route route_of(const Product *p, int64_t m, int64_t n, int64_t k)
{
  if (!dtype_is_inexact(p->dtype)) return OWN;
  bool plain = is_plain(p->alpha, p->beta);
  if (dtype_is_complex(p->dtype)) return plain && m * n * k <= GEMM_OWN_COMPLEX ? OWN : BLAS;
  bool vector = m == 1 || n == 1;
  if (!plain) return vector ? BLAS_VECTOR : BLAS;
  bool dots = rows_are_contiguous(&p->a) && cols_are_contiguous(&p->b);
  if (dots && m <= GEMM_DOT_ROWS && k >= GEMM_DOT_DEPTH) return OWN_DOTS;
  if (vector && m * n * k > GEMM_OWN_VECTOR) return BLAS_VECTOR;
  return m * n * k <= kernels_of(p->dtype)->matmul->own_product ? OWN : BLAS;
}

/* Whether BLAS is there; plain products can do without. */
static bool has_blas(void)
{
  char why[1];
  return library_try(&blas, why, sizeof why);
}

static void run_product(Product *p, bool on_threads)
{
  int64_t m = p->a.rows, n = p->b.cols, k = p->a.cols;
  if (m == 0 || n == 0) return;
  if (k == 0) {
    scale_result(p);
    return;
  }
  p->route = route_of(p, m, n, k);
  if ((p->route == BLAS || p->route == BLAS_VECTOR) && !has_blas()) p->route = OWN;
  choose_edges(p, m, n, k);
  int64_t pieces = ceil_div_i64(m, p->row_edge) * p->cols;
  if (pieces == 1 || !on_threads) run_pieces(p, 0, pieces);
  else parallel_for(pieces, 1, run_pieces, p);
}

/* Products so small that choosing how to compute them would take longer than they do. */
static bool run_small(DType dtype, const Matrix *a, const Matrix *b, Scalar alpha, Scalar beta, void *c, int64_t c_row)
{
  int64_t work = a->rows * b->cols * a->cols;
  if (!dtype_is_floating(dtype) || work == 0 || work > GEMM_SMALL) return false;
  if (alpha.kind != SCALAR_INT || alpha.i != 1 || beta.kind != SCALAR_INT || (uint64_t)beta.i > 1) return false;
  kernels_of(dtype)->matmul->product(a->rows, b->cols, a->cols, a->data, a->row_step, a->col_step, b->data, b->row_step,
                                     b->col_step, beta.i, c, c_row);
  return true;
}

void gemm(DType dtype, const Matrix *a, const Matrix *b, Scalar alpha, Scalar beta, void *c, int64_t c_row)
{
  if (run_small(dtype, a, b, alpha, beta, c, c_row)) return;
  Product p = {.dtype = dtype,
               .a = *a,
               .b = *b,
               .alpha = alpha,
               .beta = beta,
               .c = c,
               .c_row = c_row,
               .size = (int64_t)dtype_size(dtype)};
  run_product(&p, true);
}

typedef struct Batch {
  DType dtype;
  Matrix a, b;
  int64_t a_step, b_step, c_step, size;
  char *c;
} Batch;

static void run_batch(void *arg, int64_t begin, int64_t end)
{
  const Batch *s = arg;
  for (int64_t i = begin; i < end; i++) {
    Matrix a = s->a, b = s->b;
    char *c = s->c + i * s->c_step * s->size;
    a.data = (const char *)a.data + i * s->a_step * s->size;
    b.data = (const char *)b.data + i * s->b_step * s->size;
    if (run_small(s->dtype, &a, &b, scalar_int(1), scalar_int(0), c, b.cols)) continue;
    Product p = {.dtype = s->dtype,
                 .a = a,
                 .b = b,
                 .alpha = scalar_int(1),
                 .beta = scalar_int(0),
                 .c = c,
                 .c_row = b.cols,
                 .size = s->size};
    run_product(&p, false);
  }
}

void gemm_batch(DType dtype, int64_t batches, Matrix a, int64_t a_step, Matrix b, int64_t b_step, void *c,
                int64_t c_step)
{
  int64_t work = max_i64(a.rows * a.cols * b.cols, 1);
  if (batches < 4 && work >= 2 * GEMM_PIECE_WORK) { /* few and large: threads within each */
    for (int64_t i = 0; i < batches; i++) {
      Matrix ai = part_of_matrix(&a, 0, 0, a.rows, 0, a.cols), bi = b;
      ai.data = (const char *)a.data + i * a_step * (int64_t)dtype_size(dtype);
      bi.data = (const char *)b.data + i * b_step * (int64_t)dtype_size(dtype);
      gemm(dtype, &ai, &bi, scalar_int(1), scalar_int(0), (char *)c + i * c_step * (int64_t)dtype_size(dtype), b.cols);
    }
    return;
  }
  Batch s = {dtype, a, b, a_step, b_step, c_step, (int64_t)dtype_size(dtype), c};
  parallel_for(batches, work < GEMM_BATCH_WORK ? GEMM_BATCH_WORK / work : 1, run_batch, &s);
}
