/* Functions of matrices, and of tensors taken for matrices. */
#include "ops/linalg/functions.h"

#include <math.h>

#include "launch/look.h"
#include "ops/index/mask.h"
#include "ops/linalg/matmul.h"
#include "ops/linalg/matrices.h"
#include "ops/linalg/solve.h"
#include "ops/linalg/svd.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/math/exponential.h"
#include "ops/math/rounding.h"
#include "ops/reduce/max_min.h"
#include "ops/reduce/sum.h"
#include "ops/reduce/vector_norm.h"
#include "ops/shape/cat_split.h"
#include "ops/shape/copy.h"
#include "ops/shape/factory.h"
#include "ops/shape/permute_repeat.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

/* ------------------------------------------------------------------ exponentials */

/* A quotient of polynomials of this degree, p(A) / p(-A), that is exact to machine precision up to this 1-norm.
   (N. Higham, "The scaling and squaring method for the matrix exponential revisited", 2005) */
typedef struct Pade {
  int degree;
  double most, coefficients[14];
} Pade;

static const double most_of_single[] = {4.258730016922831e-1, 1.880152677804762, 3.925724783138660};
static const Pade pades[] = {
  {3, 1.495585217958292e-2, {120, 60, 12, 1}},
  {5, 2.539398330063230e-1, {30240, 15120, 3360, 420, 30, 1}},
  {7, 9.504178996162932e-1, {17297280, 8648640, 1995840, 277200, 25200, 1512, 56, 1}},
  {9, 2.097847961257068, {17643225600, 8821612800, 2075673600, 302702400, 30270240, 2162160, 110880, 3960, 90, 1}},
  {13,
   5.371920351148152,
   {64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600,
    670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1}}};

typedef struct Choice {
  const Pade *pade;
  double most;
} Choice;

/* The least degree that does for a norm, or the largest one. */
static Choice pade_for(DType d, double norm)
{
  bool single = dtype_to_real(d) == DTYPE_f32;
  int n = single ? 3 : 5, i = 0;
  const double *of_single = most_of_single;
  while (i < n - 1 && norm > (single ? of_single[i] : pades[i].most)) i++;
  return (Choice){&pades[i], single ? of_single[i] : pades[i].most};
}

/* c[from] P[0] + c[from + 2] P[1] + …: of count powers. */
static Tensor *combined(Call *call, Tensor *const *powers, const double *c, int from, int count)
{
  Tensor *sum = NULL;
  for (int i = 0; i < count; i++) {
    Tensor *term = scaled(powers[i], c[from + 2 * i]);
    sum = sum ? plus(sum, term) : term;
  }
  return sum;
}

/* exp(A) of matrices of a norm that the quotient is for. */
static Tensor *exp_by_quotient(Call *call, Tensor *A, const Pade *pade)
{
  const double *c = pade->coefficients;
  bool large = pade->degree == 13;
  int count = large ? 4 : (pade->degree + 1) / 2; /* of the even powers, the identity first */
  Tensor *powers[5] = {op(expand, identity_of(cols_of(A), A), tensor_shape(A)), product_of(A, A)};
  for (int i = 2; i < count; i++) powers[i] = product_of(powers[i - 1], powers[1]);
  Tensor *odd = combined(call, powers, c, 1, count), *even = combined(call, powers, c, 0, count);
  if (large) {
    odd = plus(odd, product_of(powers[3], combined(call, powers + 1, c, 9, 3)));
    even = plus(even, product_of(powers[3], combined(call, powers + 1, c, 8, 3)));
  }
  odd = product_of(A, odd);
  return op(solve_factored, minus(even, odd), plus(even, odd), true, false).v[0];
}

/* Matrices beyond the bound are divided by 2^s, and the exponentials squared s times. */
static Tensor *exponential_of(Call *call, Tensor *A)
{
  Tensor *norm = op(amax, op(sum, op(abs, A), INTS(-2), false, DTYPE_NONE), INTS(-1), false);
  double largest = can_look(norm) ? scalar_real(tensor_item(op(max, norm))) : 0;
  Choice choice = pade_for(tensor_dtype(A), largest);
  if (!(largest > choice.most) || !isfinite(largest)) return exp_by_quotient(call, A, choice.pade);
  Tensor *halvings = op(ceil, op(log2, scaled(norm, 1 / choice.most)));
  halvings = op(unsqueeze, op(unsqueeze, op(clamp_from, halvings, scalar_int(0)), -1), -1);
  Tensor *e = exp_by_quotient(call, op(mul, A, op(exp2, op(neg, halvings))), choice.pade);
  int most = (int)ceil(log2(largest / choice.most));
  for (int i = 0; i < most; i++) {
    check_interrupt(call);
    e = op(where, op(gt, halvings, number(i)), product_of(e, e), e);
  }
  return e;
}

FORWARD(matrix_exp)
{
  Tensor *A = a->A;
  DType d = tensor_dtype(A);
  if (!dtype_is_inexact(d)) raise(call, "%s tensors are not taken", dtype_name(d));
  check_square(call, widened(A), "A");
  if (A->numel == 0) y[0] = op(clone, A);
  else y[0] = op(contiguous, cast(exponential_of(call, widened(A)), d));
}

/* The upper right block of exp([[A^H, dy], [0, A^H]]). (R. Mathias, "A chain rule for matrix functions and
   applications", 1996) */
BACKWARD(matrix_exp)
{
  Tensor *A = adjoint(a->A);
  int64_t n = cols_of(A);
  Tensor *upper[] = {A, dy[0]}, *lower[] = {zeros_like_of(A), A};
  Tensor *rows[] = {op(cat, ((Tensors){upper, 2}), -1), op(cat, ((Tensors){lower, 2}), -1)};
  Tensor *both = op(matrix_exp, op(cat, ((Tensors){rows, 2}), -2));
  GRAD(A) = op(narrow, op(narrow, both, -2, 0, n), -1, n, n);
}

/* ------------------------------------------------------------- condition numbers */

/* The norm of a matrix times that of its inverse, infinite where there is none. */
static Tensor *times_norm_of_inverse(Call *call, Tensor *norm, Tensor *inverse_norm, Tensor *info)
{
  return op(where, op(eq, info, number(0)), op(mul, norm, inverse_norm), number((double)INFINITY));
}

FORWARD(linalg_cond)
{
  Tensor *A = a->A;
  double p = a->p.kind == SCALAR_NONE ? 2 : scalar_real(a->p);
  if (fabs(p) == 2) {
    check_matrices(call, A, "A");
    if (A->numel == 0) {
      y[0] = op(zeros, batch_shape(A), dtype_to_real(tensor_dtype(A)), device_behind(A), false);
      return;
    }
    Tensor *s = op(svdvals, A), *first = op(select, s, -1, 0), *last = op(select, s, -1, s->shape[s->ndim - 1] - 1);
    y[0] = p > 0 ? op(div, first, last) : op(div, last, first);
    return;
  }
  check_square(call, A, "A");
  Tensors inverse = op(inverse_of, A);
  if (A->numel == 0) y[0] = op(zeros, batch_shape(A), dtype_to_real(tensor_dtype(A)), device_behind(A), false);
  else
    y[0] = times_norm_of_inverse(call, op(matrix_norm_of_order, A, a->p, NO_INTS, false, DTYPE_NONE),
                                 op(matrix_norm_of_order, inverse.v[0], a->p, NO_INTS, false, DTYPE_NONE),
                                 inverse.v[1]);
}

FORWARD(linalg_cond_named)
{
  Tensor *A = a->A;
  check_square(call, A, "A");
  Tensors inverse = op(inverse_of, A);
  Tensor *regular = op(where, op(unsqueeze, op(unsqueeze, op(eq, inverse.v[1], number(0)), -1), -1), inverse.v[0], A);
  y[0] = times_norm_of_inverse(call, op(matrix_norm, A, a->p, NO_INTS, false, DTYPE_NONE),
                               op(matrix_norm, regular, a->p, NO_INTS, false, DTYPE_NONE), inverse.v[1]);
}

/* -------------------------------------------------------------- tensors as matrices */

static int64_t product_of_sizes(const int64_t *sizes, int64_t n)
{
  int64_t product = 1;
  for (int64_t i = 0; i < n; i++) product *= sizes[i];
  return product;
}

FORWARD(linalg_tensorinv)
{
  Tensor *A = a->A;
  if (a->ind < 1) raise(call, "ind is %lld; it is the number of first dimensions, 1 at least", (long long)a->ind);
  int64_t first = a->ind < A->ndim ? a->ind : A->ndim, shape[MAX_DIMS], n = 0;
  int64_t rows = product_of_sizes(A->shape, first), cols = product_of_sizes(A->shape + first, A->ndim - first);
  if (rows != cols)
    raise(call, "the first %lld dimensions of shape %s have %lld elements, the others %lld; they must have as many",
          (long long)a->ind, shape_text(call, tensor_shape(A)), (long long)rows, (long long)cols);
  for (int64_t i = first; i < A->ndim; i++) shape[n++] = A->shape[i];
  for (int64_t i = 0; i < first; i++) shape[n++] = A->shape[i];
  y[0] = op(reshape, op(linalg_inv, op(reshape, A, INTS(rows, cols))), ((Ints){shape, n}));
}

FORWARD(linalg_tensorsolve)
{
  Tensor *A = a->A, *B = a->B;
  if (a->dims.n > 0) {
    int64_t ends[MAX_DIMS];
    for (int64_t i = 0; i < a->dims.n && i < MAX_DIMS; i++) ends[i] = A->ndim - a->dims.n + i;
    A = op(movedim, A, a->dims, ((Ints){ends, a->dims.n}));
  }
  int64_t first = B->ndim < A->ndim ? B->ndim : A->ndim;
  Ints rest = {A->shape + first, A->ndim - first};
  int64_t rows = B->numel, cols = product_of_sizes(rest.v, rest.n);
  if (A->numel != rows * cols || rows != cols)
    raise(call,
          "A of shape %s and B of shape %s don't fit: of A %lld elements are left for the result, of B there are "
          "%lld",
          shape_text(call, tensor_shape(A)), shape_text(call, tensor_shape(B)), (long long)cols, (long long)rows);
  Tensor *x = op(linalg_solve, op(reshape, A, INTS(rows, cols)), op(reshape, B, INTS(rows)), true);
  y[0] = op(reshape, x, rest);
}
