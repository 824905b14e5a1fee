/* QR decompositions, and products of their reflections. */
#include "launch/linalg/qr.h"

#include "kernels/lapack.h"
#include "launch/launch.h"
#include "launch/linalg/matrices.h"

typedef struct Reflections {
  int type; /* lapack_type */
  int m, n, k, lda, ldc;
  bool right, adjoint;
  void *work;
  int lwork;
} Reflections;

static Ints batch_of(const Tensor *x) { return (Ints){x->shape, x->ndim - 2}; }

static Reflections reflections_of(Call *call, const Tensor *a, const Tensor *tau)
{
  check_lapack_sizes(call, a);
  library_load(call, &lapack);
  return (Reflections){.type = lapack_type(tensor_dtype(a)),
                       .m = (int)a->shape[a->ndim - 2],
                       .n = (int)a->shape[a->ndim - 1],
                       .k = (int)tau->shape[tau->ndim - 1],
                       .lda = columns_apart(a)};
}

/* Asks a step for the size of its work, which it writes to `work` where lwork is -1, and makes that. */
static void make_work(Call *call, Reflections *r, DType dtype, MatrixStep step)
{
  WorkAnswer answer = {.wide = {0, 0}}, nothing = answer;
  char *at[] = {(char *)&nothing, (char *)&nothing, (char *)&nothing};
  r->work = &answer;
  r->lwork = -1;
  step(r, at);
  r->lwork = work_asked_for(call, dtype, &answer);
  r->work = scratch_of(call, dtype, r->lwork);
}

static void qr_step(const void *params, char *const *at)
{
  const Reflections *r = params;
  int info;
  lapack_functions.geqrf[r->type](&r->m, &r->n, at[0], &r->lda, at[1], r->work, &r->lwork, &info);
}

void launch_qr(Call *call, Tensor *a, Tensor *tau)
{
  if (!launch_runs(tau)) return;
  Reflections r = reflections_of(call, a, tau);
  make_work(call, &r, tensor_dtype(a), qr_step);
  each_matrix(call, batch_of(a), TENSOR_LIST(a, tau), qr_step, &r);
}

static void product_step(const void *params, char *const *at)
{
  const Reflections *r = params;
  int info;
  lapack_functions.orgqr[r->type](&r->m, &r->n, &r->k, at[0], &r->lda, at[1], r->work, &r->lwork, &info);
}

void launch_reflections(Call *call, Tensor *q, Tensor *tau)
{
  if (!launch_runs(q)) return;
  Reflections r = reflections_of(call, q, tau);
  make_work(call, &r, tensor_dtype(q), product_step);
  each_matrix(call, batch_of(q), TENSOR_LIST(q, tau), product_step, &r);
}

static void reflect_step(const void *params, char *const *at)
{
  const Reflections *r = params;
  const char *trans = !r->adjoint ? "N" : r->type >= 2 ? "C" : "T";
  int info;
  lapack_functions.ormqr[r->type](r->right ? "R" : "L", trans, &r->m, &r->n, &r->k, at[0], &r->lda, at[1], at[2],
                                  &r->ldc, r->work, &r->lwork, &info, 1, 1);
}

void launch_reflect(Call *call, Tensor *a, Tensor *tau, bool right, bool adjoint, Tensor *c)
{
  if (!launch_runs(c)) return;
  check_lapack_sizes(call, c);
  Reflections r = reflections_of(call, a, tau);
  r.m = (int)c->shape[c->ndim - 2];
  r.n = (int)c->shape[c->ndim - 1];
  r.ldc = columns_apart(c);
  r.right = right;
  r.adjoint = adjoint;
  make_work(call, &r, tensor_dtype(c), reflect_step);
  each_matrix(call, batch_of(c), TENSOR_LIST(a, tau, c), reflect_step, &r);
}
