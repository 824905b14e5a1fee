/* Eigenvalue decompositions. */
#include "launch/linalg/eigen.h"

#include <limits.h>

#include "kernels/lapack.h"
#include "launch/launch.h"
#include "launch/linalg/matrices.h"

typedef struct Eigen {
  DType dtype;
  bool complex, wide, vectors, upper;
  int n, lda, ldv;
  void *work, *rwork, *parts, *real_vectors;
  int *iwork, lwork, lrwork, liwork;
} Eigen;

static Ints batch_of(const Tensor *x) { return (Ints){x->shape, x->ndim - 2}; }

static Eigen eigen_of(Call *call, const Tensor *a, bool vectors)
{
  check_lapack_sizes(call, a);
  check_finite(call, a);
  library_load(call, &lapack);
  return (Eigen){.dtype = tensor_dtype(a),
                 .complex = dtype_is_complex(tensor_dtype(a)),
                 .wide = lapack_is_double(tensor_dtype(a)),
                 .vectors = vectors,
                 .n = (int)a->shape[a->ndim - 1],
                 .lda = columns_apart(a)};
}

static void check_converged(Call *call, const Tensor *info)
{
  int value;
  int64_t i = first_failure(info, &value);
  if (i >= 0)
    raise(call, "the decomposition of matrix %lld of %lld did not converge", (long long)i + 1, (long long)info->numel);
}

/* ---------------------------------------------------------- symmetric and Hermitian */

static void eigh_step(const void *params, char *const *at)
{
  const Eigen *e = params;
  const char *job = e->vectors ? "V" : "N", *uplo = e->upper ? "U" : "L";
  int info = 0;
  if (e->complex)
    lapack_functions.heevd[e->wide](job, uplo, &e->n, at[0], &e->lda, at[1], e->work, &e->lwork, e->rwork, &e->lrwork,
                                    e->iwork, &e->liwork, &info, 1, 1);
  else
    lapack_functions.syevd[e->wide](job, uplo, &e->n, at[0], &e->lda, at[1], e->work, &e->lwork, e->iwork, &e->liwork,
                                    &info, 1, 1);
  *(int *)(void *)at[2] = info;
}

void launch_eigh(Call *call, Tensor *a, bool upper, bool vectors, Tensor *values)
{
  if (!launch_runs(values)) return;
  Eigen e = eigen_of(call, a, vectors);
  DType real = dtype_to_real(e.dtype);
  WorkAnswer work = {.wide = {0, 0}}, rwork = work, nothing = work;
  int iwork = 0, info = 0;
  e.upper = upper;
  e.work = &work;
  e.rwork = &rwork;
  e.iwork = &iwork;
  e.lwork = e.lrwork = e.liwork = -1;
  eigh_step(&e, (char *[]){(char *)&nothing, (char *)&nothing, (char *)&info});
  e.lwork = work_asked_for(call, e.dtype, &work);
  e.lrwork = work_asked_for(call, real, &rwork);
  e.liwork = iwork;
  e.work = scratch_of(call, e.dtype, e.lwork);
  e.rwork = scratch_of(call, real, e.lrwork);
  e.iwork = scratch_of(call, DTYPE_i32, e.liwork);
  Tensor *infos = new_beside(call, a, DTYPE_i32, batch_of(a));
  each_matrix(call, batch_of(a), TENSOR_LIST(a, values, infos), eigh_step, &e);
  check_converged(call, infos);
}

/* ------------------------------------------------------------------------- others */

static int call_geev(const Eigen *e, void *a, void *values, void *vectors)
{
  const char *job = e->vectors ? "V" : "N";
  int info = 0, one = 1;
  if (e->complex) {
    lapack_functions.geev_complex[e->wide]("N", job, &e->n, a, &e->lda, values, NULL, &one, vectors, &e->ldv, e->work,
                                           &e->lwork, e->rwork, &info, 1, 1);
    return info;
  }
  char *imaginary = (char *)e->parts + (size_t)e->n * dtype_size(e->dtype);
  lapack_functions.geev[e->wide]("N", job, &e->n, a, &e->lda, e->parts, imaginary, NULL, &one, e->real_vectors, &e->ldv,
                                 e->work, &e->lwork, &info, 1, 1);
  return info;
}

/* LAPACK's real form as complex numbers: real and imaginary parts apart; of a pair of conjugates, whose first has the
   positive imaginary part, the two columns are the real and the imaginary part of the first one's vector. */
#define COMPLEX_FROM_REAL(name, T)                                              \
  static void name(const Eigen *e, T *values, T *vectors)                       \
  {                                                                             \
    const T *re = e->parts, *im = re + e->n, *from = e->real_vectors;           \
    int64_t n = e->n;                                                           \
    for (int64_t j = 0; j < n; j++) {                                           \
      values[2 * j] = re[j];                                                    \
      values[2 * j + 1] = im[j];                                                \
    }                                                                           \
    for (int64_t j = 0; vectors && j < n; j++) {                                \
      bool pair = im[j] != 0 && j + 1 < n;                                      \
      for (int64_t i = 0; i < n; i++) {                                         \
        T real = from[j * n + i], imaginary = pair ? from[(j + 1) * n + i] : 0; \
        vectors[2 * (j * n + i)] = real;                                        \
        vectors[2 * (j * n + i) + 1] = imaginary;                               \
        if (!pair) continue;                                                    \
        vectors[2 * ((j + 1) * n + i)] = real;                                  \
        vectors[2 * ((j + 1) * n + i) + 1] = -imaginary;                        \
      }                                                                         \
      j += pair;                                                                \
    }                                                                           \
  }
COMPLEX_FROM_REAL(complex_singles, float)
COMPLEX_FROM_REAL(complex_doubles, double)

static void eig_step(const void *params, char *const *at)
{
  const Eigen *e = params;
  *(int *)(void *)at[3] = call_geev(e, at[0], at[1], at[2]);
  if (e->complex) return;
  if (e->wide) complex_doubles(e, (double *)(void *)at[1], (double *)(void *)at[2]);
  else complex_singles(e, (float *)(void *)at[1], (float *)(void *)at[2]);
}

void launch_eig(Call *call, Tensor *a, Tensor *values, Tensor *vectors)
{
  if (!launch_runs(values)) return;
  Eigen e = eigen_of(call, a, vectors != NULL);
  DType real = dtype_to_real(e.dtype);
  int64_t n = e.n;
  WorkAnswer work = {.wide = {0, 0}};
  e.ldv = e.n;
  e.rwork = scratch_of(call, real, 2 * n);
  e.parts = scratch_of(call, real, 2 * n);
  e.real_vectors = e.complex || !vectors ? e.parts : scratch_of(call, real, n * n);
  e.work = &work;
  e.lwork = -1;
  call_geev(&e, tensor_data(a), e.parts, e.real_vectors);
  e.lwork = work_asked_for(call, e.dtype, &work);
  e.work = scratch_of(call, e.dtype, e.lwork);
  Tensor *infos = new_beside(call, a, DTYPE_i32, batch_of(a));
  each_matrix(call, batch_of(a), TENSOR_LIST(a, values, vectors, infos), eig_step, &e);
  check_converged(call, infos);
}
