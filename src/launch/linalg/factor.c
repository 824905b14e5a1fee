/* LU, Cholesky and LDL factors, and solutions by them. */
#include "launch/linalg/factor.h"

#include <string.h>

#include "kernels/lapack.h"
#include "kernels/matrices.h"
#include "launch/copy.h"
#include "launch/launch.h"
#include "launch/linalg/matrices.h"

/* From here on LAPACK is faster than the plain loops. */
enum { LARGE = 24 };

bool takes_factors(DType dtype) { return lapack_takes(dtype); }

/* What the steps of a batch have in common. */
typedef struct Factor {
  const MatrixKernels *k; /* NULL: LAPACK does it */
  DType dtype;
  int m, n, nrhs, lda, ldb;
  bool flag; /* upper, adjoint or Hermitian */
  char *work;
  int lwork;
} Factor;

static Ints batch_of(const Tensor *x) { return (Ints){x->shape, x->ndim - 2}; }

static int rows_of(const Tensor *x) { return (int)x->shape[x->ndim - 2]; }
static int cols_of(const Tensor *x) { return (int)x->shape[x->ndim - 1]; }

static const MatrixKernels *small_kernels(Call *call, const Tensor *x)
{
  check_lapack_sizes(call, x);
  if (rows_of(x) < LARGE && cols_of(x) < LARGE) return kernels_for(x, tensor_dtype(x))->matrices;
  library_load(call, &lapack);
  return NULL;
}

static Factor factor_of(Call *call, const Tensor *a)
{
  return (Factor){
    .k = small_kernels(call, a), .dtype = tensor_dtype(a), .m = rows_of(a), .n = cols_of(a), .lda = columns_apart(a)};
}

/* Raises if pivots, which may be the user's, don't name rows of m; in pairs they are negative twice, as sytrf has
   them. */
static void check_pivots(Call *call, Tensor *pivots, int64_t m, bool pairs)
{
  const int32_t *v = tensor_data(contiguous_as(call, pivots, DTYPE_i32));
  int64_t n = pivots->shape[pivots->ndim - 1];
  for (int64_t i = 0; i < pivots->numel; i++) {
    bool pair = pairs && v[i] < 0;
    int64_t row = pair ? -(int64_t)v[i] : v[i];
    if (row < 1 || row > m)
      raise(call, "the pivots have %d; they are from 1 to %lld, the number of rows", (int)v[i], (long long)m);
    if (!pair) continue;
    if (i % n == n - 1 || v[i + 1] >= 0 || v[i + 1] < -m) raise(call, "the pivots are none that ldl_factor gives");
    i++;
  }
}

/* -------------------------------------------------------------------------- LU */

static int lu_of(const Factor *f, void *a, int *pivots)
{
  int info = 0;
  if (f->k) return f->k->lu(f->m, f->n, a, f->lda, pivots);
  lapack_functions.getrf[lapack_type(f->dtype)](&f->m, &f->n, a, &f->lda, pivots, &info);
  return info;
}

static void lu_step(const void *params, char *const *at)
{
  int info = lu_of(params, at[0], (int *)(void *)at[1]);
  if (at[2]) *(int *)(void *)at[2] = info;
}

void launch_lu(Call *call, Tensor *a, Tensor *pivots, Tensor *info)
{
  if (a->device == DEVICE_META) return;
  if (a->numel == 0) {
    if (info) launch_fill(call, info, scalar_int(0));
    return;
  }
  Factor f = factor_of(call, a);
  each_matrix(call, batch_of(a), TENSOR_LIST(a, pivots, info), lu_step, &f);
}

static void lu_solve_small(const Factor *f, const void *lu, const int *pivots, void *b)
{
  Triangle lower = {.unit = true, .n = f->n, .row = 1, .col = f->lda, .a = lu};
  Triangle upper = {.upper = true, .n = f->n, .row = 1, .col = f->lda, .a = lu};
  if (!f->flag) {
    f->k->swap_rows(f->n, f->nrhs, pivots, false, b, f->ldb);
    f->k->triangle(&lower, f->nrhs, b, 1, f->ldb);
    f->k->triangle(&upper, f->nrhs, b, 1, f->ldb);
    return;
  }
  lower.upper = lower.conjugated = upper.conjugated = true;
  upper.upper = false;
  lower.row = upper.row = f->lda;
  lower.col = upper.col = 1;
  f->k->triangle(&upper, f->nrhs, b, 1, f->ldb);
  f->k->triangle(&lower, f->nrhs, b, 1, f->ldb);
  f->k->swap_rows(f->n, f->nrhs, pivots, true, b, f->ldb);
}

static void lu_solve_step(const void *params, char *const *at)
{
  const Factor *f = params;
  int info = 0;
  if (f->k) lu_solve_small(f, at[0], (const int *)(const void *)at[1], at[2]);
  else
    lapack_functions.getrs[lapack_type(f->dtype)](f->flag ? "C" : "N", &f->n, &f->nrhs, at[0], &f->lda,
                                                  (const int *)(const void *)at[1], at[2], &f->ldb, &info, 1);
}

void launch_lu_solve(Call *call, Tensor *lu, Tensor *pivots, bool adjoint, Tensor *b)
{
  if (!launch_runs(b)) return;
  Factor f = factor_of(call, lu);
  check_lapack_sizes(call, b);
  check_pivots(call, pivots, f.n, false);
  pivots = contiguous_as(call, pivots, DTYPE_i32);
  f.flag = adjoint;
  f.nrhs = cols_of(b);
  f.ldb = columns_apart(b);
  each_matrix(call, batch_of(b), TENSOR_LIST(lu, pivots, b), lu_solve_step, &f);
}

/* ------------------------------------------------------------------ determinants */

static void determinant_step(const void *params, char *const *at)
{
  const Factor *f = params;
  const MatrixKernels *k = kernels_of(f->dtype)->matrices;
  int *pivots = (int *)(void *)f->work;
  lu_of(f, at[0], pivots);
  if (at[2]) k->log_determinant(f->n, at[0], f->lda, pivots, at[1], at[2]);
  else k->determinant(f->n, at[0], f->lda, pivots, at[1]);
}

static void determinants(Call *call, Tensor *a, Tensor *det, Tensor *log)
{
  if (!launch_runs(det)) return;
  Tensor *copy = new_by_columns(call, a, tensor_dtype(a), tensor_shape(a));
  launch_copy(call, copy, a);
  Factor f = factor_of(call, copy);
  f.work = scratch_of(call, DTYPE_i32, f.n);
  each_matrix(call, batch_of(a), TENSOR_LIST(copy, det, log), determinant_step, &f);
}

void launch_determinant(Call *call, Tensor *a, Tensor *det) { determinants(call, a, det, NULL); }

void launch_log_determinant(Call *call, Tensor *a, Tensor *sign, Tensor *log) { determinants(call, a, sign, log); }

/* -------------------------------------------------------------------- triangles */

/* The columns of what lies outside of a triangle, without the diagonal, become 0. */
static void clear_other(const Factor *f, char *a)
{
  int64_t size = (int64_t)dtype_size(f->dtype);
  for (int64_t c = 0; c < f->n; c++) {
    char *column = a + c * f->lda * size;
    if (f->flag) memset(column + (c + 1) * size, 0, (size_t)((f->n - c - 1) * size));
    else memset(column, 0, (size_t)(c * size));
  }
}

static void cholesky_step(const void *params, char *const *at)
{
  const Factor *f = params;
  int info = 0;
  if (f->k) info = f->k->cholesky(f->flag, f->n, at[0], f->lda);
  else lapack_functions.potrf[lapack_type(f->dtype)](f->flag ? "U" : "L", &f->n, at[0], &f->lda, &info, 1);
  *(int *)(void *)at[1] = info;
  clear_other(f, at[0]);
}

void launch_cholesky(Call *call, Tensor *a, bool upper, Tensor *info)
{
  if (a->device == DEVICE_META) return;
  if (a->numel == 0) {
    launch_fill(call, info, scalar_int(0));
    return;
  }
  Factor f = factor_of(call, a);
  f.flag = upper;
  each_matrix(call, batch_of(a), TENSOR_LIST(a, info), cholesky_step, &f);
}

typedef struct TriangleSolve {
  Factor f;
  TriangleForm form;
  Triangle small;
  int64_t row, col; /* of b as the small kernel takes it */
  int64_t columns;
} TriangleSolve;

static void triangle_step(const void *params, char *const *at)
{
  const TriangleSolve *s = params;
  const Factor *f = &s->f;
  if (f->k) {
    Triangle t = s->small;
    t.a = at[0];
    f->k->triangle(&t, (int)s->columns, at[1], s->row, s->col);
    return;
  }
  double one[2] = {1, 0};
  float single[2] = {1, 0};
  lapack_functions.trsm[lapack_type(f->dtype)](s->form.right ? "R" : "L", s->form.upper ? "U" : "L",
                                               s->form.adjoint      ? "C"
                                               : s->form.transposed ? "T"
                                                                    : "N",
                                               s->form.unit ? "U" : "N", &f->m, &f->nrhs,
                                               lapack_is_double(f->dtype) ? (void *)one : (void *)single, at[0],
                                               &f->lda, at[1], &f->ldb, 1, 1, 1, 1);
}

/* op(a) x = b with rows and columns of a taken for each other where op transposes; x op(a) = b is op(a)^T x^T = b^T. */
static Triangle small_triangle(const Tensor *a, TriangleForm form)
{
  int64_t row = a->strides[a->ndim - 2], col = a->strides[a->ndim - 1];
  bool swapped = (form.transposed || form.adjoint) != form.right;
  return (Triangle){.upper = form.upper != swapped,
                    .unit = form.unit,
                    .conjugated = form.adjoint,
                    .n = rows_of(a),
                    .row = swapped ? col : row,
                    .col = swapped ? row : col};
}

void launch_triangle_solve(Call *call, Tensor *a, TriangleForm form, Tensor *b)
{
  if (!launch_runs(b)) return;
  check_lapack_sizes(call, b);
  TriangleSolve s = {.form = form, .f = {.k = small_kernels(call, a), .dtype = tensor_dtype(a)}};
  int64_t row = b->strides[b->ndim - 2], col = b->strides[b->ndim - 1];
  s.small = small_triangle(a, form);
  s.row = form.right ? col : row;
  s.col = form.right ? row : col;
  s.columns = form.right ? rows_of(b) : cols_of(b);
  if (!s.f.k) a = by_columns(call, a);
  s.f.m = rows_of(b);
  s.f.nrhs = cols_of(b);
  s.f.lda = columns_apart(a);
  s.f.ldb = columns_apart(b);
  each_matrix(call, batch_of(b), TENSOR_LIST(a, b), triangle_step, &s);
}

/* -------------------------------------------------------------------------- LDL */

static int call_sytrf(const Factor *f, void *a, int *pivots, void *work, const int *lwork)
{
  int info = 0;
  if (f->flag && dtype_is_complex(f->dtype))
    lapack_functions.hetrf[lapack_is_double(f->dtype)]("L", &f->n, a, &f->lda, pivots, work, lwork, &info, 1);
  else lapack_functions.sytrf[lapack_type(f->dtype)]("L", &f->n, a, &f->lda, pivots, work, lwork, &info, 1);
  return info;
}

static void ldl_step(const void *params, char *const *at)
{
  const Factor *f = params;
  *(int *)(void *)at[2] = call_sytrf(f, at[0], (int *)(void *)at[1], f->work, &f->lwork);
}

void launch_ldl(Call *call, Tensor *a, bool hermitian, Tensor *pivots, Tensor *info)
{
  if (a->device == DEVICE_META) return;
  if (a->numel == 0) {
    launch_fill(call, info, scalar_int(0));
    return;
  }
  check_lapack_sizes(call, a);
  library_load(call, &lapack);
  Factor f = {.dtype = tensor_dtype(a), .n = cols_of(a), .lda = columns_apart(a), .flag = hermitian};
  WorkAnswer answer = {.wide = {0, 0}};
  call_sytrf(&f, tensor_data(a), tensor_data(pivots), &answer, &(int){-1});
  f.lwork = work_asked_for(call, f.dtype, &answer);
  f.work = scratch_of(call, f.dtype, f.lwork);
  each_matrix(call, batch_of(a), TENSOR_LIST(a, pivots, info), ldl_step, &f);
}

static void ldl_solve_step(const void *params, char *const *at)
{
  const Factor *f = params;
  const int *pivots = (const int *)(const void *)at[1];
  int info = 0;
  if (f->flag && dtype_is_complex(f->dtype))
    lapack_functions.hetrs[lapack_is_double(f->dtype)]("L", &f->n, &f->nrhs, at[0], &f->lda, pivots, at[2], &f->ldb,
                                                       &info, 1);
  else
    lapack_functions.sytrs[lapack_type(f->dtype)]("L", &f->n, &f->nrhs, at[0], &f->lda, pivots, at[2], &f->ldb, &info,
                                                  1);
}

void launch_ldl_solve(Call *call, Tensor *ld, Tensor *pivots, bool hermitian, Tensor *b)
{
  if (!launch_runs(b)) return;
  check_lapack_sizes(call, b);
  check_pivots(call, pivots, cols_of(ld), true);
  pivots = contiguous_as(call, pivots, DTYPE_i32);
  library_load(call, &lapack);
  Factor f = {.dtype = tensor_dtype(b),
              .n = cols_of(ld),
              .nrhs = cols_of(b),
              .lda = columns_apart(ld),
              .ldb = columns_apart(b),
              .flag = hermitian};
  each_matrix(call, batch_of(b), TENSOR_LIST(ld, pivots, b), ldl_solve_step, &f);
}

/* ------------------------------------------------------------------ permutations */

typedef struct Permutation {
  int64_t m, k, size; /* rows, pivots, bytes of an element */
  const char *one;
  int64_t *order;
} Permutation;

/* What was in row order[i] has come to row i. */
static void permutation_step(const void *params, char *const *at)
{
  const Permutation *p = params;
  const int *pivots = (const int *)(const void *)at[0];
  for (int64_t i = 0; i < p->m; i++) p->order[i] = i;
  for (int64_t i = 0; i < p->k; i++) {
    int64_t other = pivots[i] - 1, moved = p->order[i];
    p->order[i] = p->order[other];
    p->order[other] = moved;
  }
  memset(at[1], 0, (size_t)(p->m * p->m * p->size));
  for (int64_t i = 0; i < p->m; i++) memcpy(at[1] + (p->order[i] * p->m + i) * p->size, p->one, (size_t)p->size);
}

void launch_row_swaps(Call *call, Tensor *pivots, Tensor *p)
{
  if (!launch_runs(p)) return;
  int64_t m = p->shape[p->ndim - 1], k = pivots->shape[pivots->ndim - 1];
  check_pivots(call, pivots, m, false);
  pivots = contiguous_as(call, pivots, DTYPE_i32);
  Tensor *one = new_beside(call, p, tensor_dtype(p), INTS(1));
  launch_fill(call, one, scalar_int(1));
  Permutation s = {.m = m,
                   .k = k,
                   .size = (int64_t)dtype_size(tensor_dtype(p)),
                   .one = tensor_data(one),
                   .order = scratch_of(call, DTYPE_i64, m)};
  each_matrix(call, batch_of(p), TENSOR_LIST(pivots, p), permutation_step, &s);
}
