/* Least squares by LAPACK's four drivers. */
#include "launch/linalg/least_squares.h"

#include "core/arith.h"
#include "kernels/lapack.h"
#include "launch/copy.h"
#include "launch/launch.h"
#include "launch/linalg/matrices.h"

typedef struct Lstsq {
  LeastSquares driver;
  DType dtype;
  bool complex, wide;
  int m, n, k, lda, ldb;
  const void *rcond;
  void *work, *rwork, *singular; /* for a matrix whose values nobody wants */
  int *integers;                 /* pivots, or what gelsd works with */
  int lwork;
} Lstsq;

#define CALL(name, ...) lapack_functions.name[l->wide](&l->m, &l->n, &l->k, a, &l->lda, b, &l->ldb, __VA_ARGS__)

static int call_driver(const Lstsq *l, void *a, void *b, int *rank, void *s)
{
  int info = 0;
  switch (l->driver) {
    case GELS:
      lapack_functions.gels[lapack_type(l->dtype)]("N", &l->m, &l->n, &l->k, a, &l->lda, b, &l->ldb, l->work, &l->lwork,
                                                   &info, 1);
      break;
    case GELSY:
      for (int i = 0; i < l->n; i++) l->integers[i] = 0; /* all columns may be moved */
      if (l->complex) CALL(gelsy_complex, l->integers, l->rcond, rank, l->work, &l->lwork, l->rwork, &info);
      else CALL(gelsy, l->integers, l->rcond, rank, l->work, &l->lwork, &info);
      break;
    case GELSS:
      if (l->complex) CALL(gelss_complex, s, l->rcond, rank, l->work, &l->lwork, l->rwork, &info);
      else CALL(gelss, s, l->rcond, rank, l->work, &l->lwork, &info);
      break;
    case GELSD:
      if (l->complex) CALL(gelsd_complex, s, l->rcond, rank, l->work, &l->lwork, l->rwork, l->integers, &info);
      else CALL(gelsd, s, l->rcond, rank, l->work, &l->lwork, l->integers, &info);
  }
  return info;
}

static void least_squares_step(const void *params, char *const *at)
{
  const Lstsq *l = params;
  int rank = 0;
  *(int *)(void *)at[4] = call_driver(l, at[0], at[1], &rank, at[3] ? at[3] : l->singular);
  if (at[2]) *(int64_t *)(void *)at[2] = rank;
}

/* What gelsd says that it needs of real numbers and integers, which the others need less of. */
static void make_room(Call *call, Lstsq *l)
{
  DType real = dtype_to_real(l->dtype);
  WorkAnswer work = {.wide = {0, 0}}, rwork = work, nothing = work;
  int integers = 0, rank;
  int64_t k = min_i64(l->m, l->n);
  bool is_gelsd = l->driver == GELSD;
  l->singular = scratch_of(call, real, k);
  l->integers = is_gelsd ? &integers : scratch_of(call, DTYPE_i32, l->n);
  l->work = &work;
  l->rwork = is_gelsd ? (void *)&rwork : scratch_of(call, real, 5 * k + 2 * (int64_t)l->n);
  l->lwork = -1;
  call_driver(l, &nothing, &nothing, &rank, l->singular);
  l->lwork = work_asked_for(call, l->dtype, &work);
  l->work = scratch_of(call, l->dtype, l->lwork);
  if (!is_gelsd) return;
  l->rwork = scratch_of(call, real, work_asked_for(call, real, &rwork));
  l->integers = scratch_of(call, DTYPE_i32, integers);
}

void launch_least_squares(Call *call, LeastSquares driver, Tensor *a, double rcond, Tensor *b, Tensor *rank,
                          Tensor *singular)
{
  if (b->device == DEVICE_META) return;
  if (a->numel == 0 || b->numel == 0) { /* x = 0 is the shortest */
    launch_fill(call, b, scalar_int(0));
    if (rank) launch_fill(call, rank, scalar_int(0));
    return;
  }
  check_lapack_sizes(call, a);
  check_lapack_sizes(call, b);
  check_finite(call, a);
  library_load(call, &lapack);
  float single = (float)rcond;
  Lstsq l = {.driver = driver,
             .dtype = tensor_dtype(a),
             .complex = dtype_is_complex(tensor_dtype(a)),
             .wide = lapack_is_double(tensor_dtype(a)),
             .m = (int)a->shape[a->ndim - 2],
             .n = (int)a->shape[a->ndim - 1],
             .k = (int)b->shape[b->ndim - 1],
             .lda = columns_apart(a),
             .ldb = columns_apart(b)};
  l.rcond = l.wide ? (const void *)&rcond : &single;
  make_room(call, &l);
  Ints batch = {a->shape, a->ndim - 2};
  Tensor *info = new_beside(call, a, DTYPE_i32, batch);
  each_matrix(call, batch, TENSOR_LIST(a, b, rank, singular, info), least_squares_step, &l);
  int value;
  int64_t i = first_failure(info, &value);
  if (i < 0) return;
  const char *what = driver == GELS ? "has not full rank" : "has singular values that did not converge";
  raise(call, "matrix %lld of %lld %s", (long long)i + 1, (long long)info->numel, what);
}
