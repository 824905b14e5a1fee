/* Least squares, by LAPACK on one thread. */
#ifndef NNLUA_LAUNCH_LEAST_SQUARES_H
#define NNLUA_LAUNCH_LEAST_SQUARES_H

#include "core/tensor.h"

/* How: by QR, for matrices of full rank; by QR with pivots; by singular values, in two ways. */
typedef enum LeastSquares { GELS, GELSY, GELSS, GELSD } LeastSquares;

/*
 * a [*, m, n] and b [*, max(m, n), k] lie by columns (launch/linalg/matrices.h), of one dtype that LAPACK takes. The
 * first n rows of b become x, of the least length where several have the least |a x - b|; a's elements are lost. What
 * is below rcond times the largest singular value counts as 0, by GELSY a triangle's diagonal. rank (int64, [*]) and
 * singular (real, [*, min(m, n)]), the singular values, may be NULL. Raises if a has not full rank, by GELS, or if
 * there is no convergence.
 */
void launch_least_squares(Call *call, LeastSquares driver, Tensor *a, double rcond, Tensor *b, Tensor *rank,
                          Tensor *singular);

#endif
