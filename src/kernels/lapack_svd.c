/* Singular values by LAPACK on matrices as they lie in memory. */
#include "kernels/lapack_svd.h"

#include <limits.h>
#include <math.h>

#include "core/arith.h"
#include "kernels/lapack.h"

/* A row-major matrix is the transpose of a column-major one. So the transpose is decomposed: its u is our vh in
   row-major order, its vt our u, and nothing is copied. */
typedef struct Svd {
  DType dtype;
  const char *job;
  int rows, cols;    /* of the transpose */
  int u_row, vt_row; /* the distances of columns */
  void *a, *s, *u, *vt;
  void *work, *rwork;
  int *iwork, lwork;
} Svd;

static int call_gesdd(const Svd *d)
{
  int info = 0, wide = dtype_to_real(d->dtype) == DTYPE_f64;
  if (dtype_is_complex(d->dtype))
    lapack_functions.gesdd_complex[wide](d->job, &d->rows, &d->cols, d->a, &d->rows, d->s, d->u, &d->u_row, d->vt,
                                         &d->vt_row, d->work, &d->lwork, d->rwork, d->iwork, &info, 1);
  else
    lapack_functions.gesdd[wide](d->job, &d->rows, &d->cols, d->a, &d->rows, d->s, d->u, &d->u_row, d->vt, &d->vt_row,
                                 d->work, &d->lwork, d->iwork, &info, 1);
  return info;
}

static Svd svd_of(const SvdPlan *p)
{
  static const char *const jobs[] = {[SVD_NONE] = "N", [SVD_THIN] = "S", [SVD_FULL] = "A"};
  return (Svd){.dtype = p->dtype,
               .job = jobs[p->vectors],
               .rows = p->n,
               .cols = p->m,
               .u_row = p->n,
               .vt_row = p->vectors == SVD_FULL ? p->m : (int)min_i64(p->m, p->n)};
}

/* The size of work that gesdd asks for; 0 if it is no int. A float answer may have been rounded down. */
static int work_size(const SvdPlan *p)
{
  union {
    float single;
    double wide[2];
  } answer = {.wide = {0, 0}}, nothing;
  int number = 0;
  Svd d = svd_of(p);
  d.a = d.s = d.u = d.vt = d.rwork = &nothing;
  d.work = &answer;
  d.iwork = &number;
  d.lwork = -1;
  if (call_gesdd(&d) != 0) return 0;
  bool single = dtype_to_real(p->dtype) == DTYPE_f32;
  double size = single ? ceil((double)answer.single * (1 + 0x1p-20)) : answer.wide[0];
  return size < 1 ? 1 : size > INT_MAX ? 0 : (int)size;
}

/* Bytes of scratch: of work, of the real numbers that complex matrices need besides (the most of all jobs, by gesdd's
   manual), of integers. */
typedef struct Scratch {
  size_t work, real, integers;
} Scratch;

static size_t padded(size_t bytes) { return (bytes + 63) / 64 * 64; }

static Scratch scratch_of(const SvdPlan *p)
{
  size_t k = (size_t)min_i64(p->m, p->n), larger = (size_t)max_i64(p->m, p->n);
  size_t some = 5 * k * k + 5 * k, other = 2 * larger * k + 2 * k * k + k;
  size_t real = dtype_is_complex(p->dtype) ? (some > other ? some : other) + 7 * k : 0;
  return (Scratch){padded((size_t)p->work * dtype_size(p->dtype)), padded(real * dtype_size(dtype_to_real(p->dtype))),
                   8 * k * sizeof(int)};
}

/* Whether ints hold all that gesdd counts in them: with vectors also the elements of the matrix, and the places of some
   squares of the smaller size in its scratch, of which there are fewer than six
   (3 of dbdsdc, one or two of products). */
static bool ints_hold(SvdVectors vectors, int64_t m, int64_t n)
{
  int64_t k = m < n ? m : n;
  if (m > INT_MAX || n > INT_MAX) return false;
  return vectors == SVD_NONE || (m * n <= INT_MAX && k * k <= INT_MAX / 6);
}

SvdPlan lapack_svd_plan(DType dtype, SvdVectors vectors, int64_t m, int64_t n)
{
  if (!ints_hold(vectors, m, n)) return (SvdPlan){.dtype = dtype, .vectors = vectors};
  SvdPlan p = {.dtype = dtype, .vectors = vectors, .m = (int)m, .n = (int)n};
  p.work = work_size(&p);
  Scratch s = scratch_of(&p);
  if (p.work) p.room = s.work + s.real + s.integers;
  return p;
}

bool lapack_svd(const SvdPlan *plan, void *a, void *s, void *u, void *vh, void *room)
{
  Scratch scratch = scratch_of(plan);
  Svd d = svd_of(plan);
  bool vectors = plan->vectors != SVD_NONE;
  d.a = a;
  d.s = s;
  d.u = vectors ? vh : a;
  d.vt = vectors ? u : a;
  d.work = room;
  d.rwork = (char *)room + scratch.work;
  d.iwork = (int *)(void *)((char *)d.rwork + scratch.real);
  d.lwork = plan->work;
  return call_gesdd(&d) == 0;
}
