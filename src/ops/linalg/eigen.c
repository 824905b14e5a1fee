/* Eigenvalue decompositions and functions of matrices by them. */
#include "ops/linalg/eigen.h"

#include "launch/linalg/eigen.h"
#include "launch/linalg/matrices.h"
#include "ops/linalg/matmul.h"
#include "ops/linalg/matrices.h"
#include "ops/linalg/solve.h"
#include "ops/linalg/svd.h"
#include "ops/math/arithmetic.h"
#include "ops/math/complex.h"
#include "ops/math/exponential.h"
#include "ops/shape/diagonal.h"
#include "ops/shape/factory.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

static Ints vector_shape(const Tensor *A) { return (Ints){A->shape, A->ndim - 1}; }

/* By columns, its elements to be lost. */
static Tensor *work_copy(Call *call, Tensor *A)
{
  Tensor *copy = new_by_columns(call, A, tensor_dtype(A), tensor_shape(A));
  launch_copy(call, copy, A);
  return copy;
}

/* As many columns as there are factors, each multiplied by its one. */
static Tensor *scaled_columns(Call *call, Tensor *v, Tensor *factors) { return op(mul, v, op(unsqueeze, factors, -2)); }

/* The differences l[j] - l[i] of a vector, 1 on the diagonal. */
static Tensor *differences(Call *call, Tensor *l)
{
  Tensor *apart = minus(op(unsqueeze, l, -2), op(unsqueeze, l, -1));
  return plus(apart, identity_of(l->shape[l->ndim - 1], l));
}

/* inner / apart off the diagonal, the values' gradient on it. */
static Tensor *divided(Call *call, Tensor *inner, Tensor *apart, Tensor *values)
{
  Tensor *eye = identity_of(cols_of(inner), inner);
  Tensor *outside = op(div, op(mul, inner, minus(ones_like_of(eye), eye)), apart);
  return values ? plus(outside, op(mul, op(unsqueeze, values, -1), eye)) : outside;
}

/* ---------------------------------------------------------- symmetric and Hermitian */

static bool is_upper(Call *call, const char *uplo)
{
  bool upper = *uplo == 'U' || *uplo == 'u';
  if ((!upper && *uplo != 'L' && *uplo != 'l') || uplo[1]) raise(call, "UPLO is \"%s\"; it is \"L\" or \"U\"", uplo);
  return upper;
}

FORWARD(eigh_factors)
{
  DType d = tensor_dtype(a->A);
  check_square(call, a->A, "A");
  y[0] = result_new(call, dtype_to_real(d), result_device(call), vector_shape(a->A));
  y[1] = copied_by_columns(call, a->A, tensor_shape(a->A));
  launch_eigh(call, y[1], a->upper, true, y[0]);
}

/* Of A = V diag(L) V^H it is V (diag(dL) + skew(V^H dV) / E) V^H, with E[i][j] = L[j] - L[i], by differentiating A and
   V^H V = I. */
BACKWARD(eigh_factors)
{
  Tensor *v = y[1], *inner;
  if (dy[1]) {
    Tensor *turn = product_of(adjoint(v), dy[1]);
    turn = scaled(minus(turn, adjoint(turn)), 0.5);
    inner = divided(call, turn, differences(call, y[0]), dy[0]);
    GRAD(A) = product_of(v, product_of(cast(inner, tensor_dtype(v)), adjoint(v)));
  } else {
    GRAD(A) = product_of(scaled_columns(call, v, dy[0]), adjoint(v));
  }
}

FORWARD(eigh_values)
{
  check_square(call, a->A, "A");
  y[0] = result_new(call, dtype_to_real(tensor_dtype(a->A)), result_device(call), vector_shape(a->A));
  launch_eigh(call, work_copy(call, a->A), a->upper, false, y[0]);
}

FORWARD(linalg_eigh)
{
  Tensors r = op(eigh_factors, a->A, is_upper(call, a->UPLO));
  y[0] = r.v[0];
  y[1] = r.v[1];
}

FORWARD(linalg_eigvalsh)
{
  bool recorded = wants_derivative(call, a->A), upper = is_upper(call, a->UPLO);
  y[0] = recorded ? op(eigh_factors, a->A, upper).v[0] : op(eigh_values, a->A, upper);
}

/* ------------------------------------------------------------------------- others */

static DType complex_of_precision(DType d) { return dtype_is_complex(d) ? d : dtype_to_complex(d); }

FORWARD(eig_factors)
{
  check_square(call, a->A, "A");
  DType d = complex_of_precision(tensor_dtype(a->A));
  y[0] = result_new(call, d, result_device(call), vector_shape(a->A));
  y[1] = result_by_columns(call, d, tensor_shape(a->A));
  launch_eig(call, work_copy(call, a->A), y[0], y[1]);
}

/* V^-H (diag(dL) + (V^H dV - V^H V Re diag(V^H dV)) / E) V^H with E[i][j] the conjugate of L[j] - L[i]: columns stay of
   length 1. (C. Boeddeker et al., "On the computation of complex-valued gradients", 2017, 4.77) */
BACKWARD(eig_factors)
{
  Tensor *v = y[1], *vh = adjoint(v), *inner;
  if (dy[1]) {
    Tensor *turn = product_of(vh, dy[1]);
    Tensor *along = op(real, op(diagonal, turn, 0, -2, -1));
    turn = minus(turn, product_of(vh, scaled_columns(call, v, along)));
    inner = product_of(divided(call, turn, conjugate(differences(call, y[0])), dy[0]), vh);
  } else {
    inner = op(mul, op(unsqueeze, dy[0], -1), vh);
  }
  Tensor *dx = op(solve_factored, vh, inner, true, false).v[0];
  GRAD(A) = dtype_is_complex(tensor_dtype(a->A)) ? dx : op(real, dx);
}

FORWARD(eig_values)
{
  check_square(call, a->A, "A");
  y[0] = result_new(call, complex_of_precision(tensor_dtype(a->A)), result_device(call), vector_shape(a->A));
  launch_eig(call, work_copy(call, a->A), y[0], NULL);
}

FORWARD(linalg_eig)
{
  Tensors r = op(eig_factors, a->A);
  y[0] = r.v[0];
  y[1] = r.v[1];
}

FORWARD(linalg_eigvals)
{
  bool recorded = wants_derivative(call, a->A);
  y[0] = recorded ? op(eig_factors, a->A).v[0] : op(eig_values, a->A);
}

/* --------------------------------------------------------------- roots and polar */

/* With H = V diag(L) V^H it is V (V^H S V / (L[i] + L[j])) V^H. */
FORWARD(lyapunov)
{
  Tensors e = op(eigh_factors, a->H, false);
  Tensor *l = e.v[0], *v = e.v[1], *sums = plus(op(unsqueeze, l, -2), op(unsqueeze, l, -1));
  Tensor *inner = op(div, product_of(adjoint(v), product_of(a->S, v)), sums);
  y[0] = product_of(v, product_of(inner, adjoint(v)));
}

/* The operator is its own adjoint, and dH X + X dH takes from S. */
BACKWARD(lyapunov)
{
  Tensor *w = op(lyapunov, a->H, dy[0]);
  if (WANTS(S)) GRAD(S) = w;
  if (WANTS(H)) GRAD(H) = op(neg, plus(product_of(w, adjoint(y[0])), product_of(adjoint(y[0]), w)));
}

FORWARD(linalg_matrix_sqrth)
{
  check_square(call, a->A, "A");
  Tensors e = op(eigh_factors, a->A, false);
  y[0] = op(contiguous, product_of(scaled_columns(call, e.v[1], op(sqrt, e.v[0])), adjoint(e.v[1])));
}

/* Of X X = A: X dX + dX X = dA, where all are Hermitian. */
BACKWARD(linalg_matrix_sqrth) { GRAD(A) = op(lyapunov, y[0], scaled(plus(dy[0], adjoint(dy[0])), 0.5)); }

FORWARD(linalg_polar)
{
  check_matrices(call, a->A, "A");
  if (rows_of(a->A) < cols_of(a->A))
    raise(call, "A has shape %s; it has no more columns than rows", shape_text(call, tensor_shape(a->A)));
  Tensors f = op(svd, a->A, false);
  Tensor *h = product_of(scaled_columns(call, adjoint(f.v[2]), f.v[1]), f.v[2]);
  y[0] = op(contiguous, product_of(f.v[0], f.v[2]));
  y[1] = op(contiguous, scaled(plus(h, adjoint(h)), 0.5));
}

/*
 * With W the solution of H W + W H = U^H dU - dH H it is U (dH + W - W^H) + (I - U U^H) dU H^-1, since
 * T = U^H dU' of a change solves H T + T H = U^H dA - dA^H U, and its part outside of U's columns is dA H^-1.
 */
BACKWARD(linalg_polar)
{
  Tensor *u = y[0], *h = y[1], *uh = adjoint(u), *inside = dy[0] ? product_of(uh, dy[0]) : NULL;
  Tensor *of_h = dy[1] ? op(neg, product_of(dy[1], h)) : NULL;
  Tensor *w = op(lyapunov, h, inside && of_h ? plus(inside, of_h) : inside ? inside : of_h);
  Tensor *turn = minus(w, adjoint(w));
  Tensor *dx = product_of(u, dy[1] ? plus(dy[1], turn) : turn);
  if (dy[0] && rows_of(u) > cols_of(u))
    dx = plus(dx, op(solve_factored, h, minus(dy[0], product_of(u, inside)), false, false).v[0]);
  GRAD(A) = dx;
}
