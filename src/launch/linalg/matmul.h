/* Products of matrices and vectors. Operands have the dtype of the result, which may have any strides. Matrices whose
   rows or columns lie side by side are taken as they are, others copied. */
#ifndef NNLUA_LAUNCH_MATMUL_H
#define NNLUA_LAUNCH_MATMUL_H

#include "core/tensor.h"

/* y [m, n] = l [m, k] @ r [k, n]. A vector l [k] is a row, and y has no m then; a vector r [k] is a column, and y has
   no n. */
void launch_product(Call *call, Tensor *l, Tensor *r, Tensor *y);

/* y [m, n] = beta input + alpha l [m, k] @ r [k, n], where input broadcasts to y and isn't read if beta is 0. Not of
   integers. */
void launch_addmm(Call *call, Tensor *input, Tensor *l, Tensor *r, double beta, double alpha, Tensor *y);

/* y [b, m, n] = l [b, m, k] @ r [b, k, n], for each of b. */
void launch_bmm(Call *call, Tensor *l, Tensor *r, Tensor *y);

/* y [b, m, n] = beta input + alpha l [b, m, k] @ r [b, k, n], as launch_addmm. */
void launch_baddbmm(Call *call, Tensor *input, Tensor *l, Tensor *r, double beta, double alpha, Tensor *y);

/* y [*, out] = x [*, in] @ weight [out, in]^T + bias, which broadcasts to [out] or is NULL. */
void launch_linear(Call *call, Tensor *x, Tensor *weight, Tensor *bias, Tensor *y);

/* y [*, out] = x [*, in] @ weight [out, in]^T in float32: x of float32 or halves, weight of int8. */
void launch_linear_int8(Call *call, Tensor *x, Tensor *weight, Tensor *y);

/* y [m, n] = l [m, k] @ r [k, n] in int32, each of them of int8 or uint8. */
void launch_bytes_product(Call *call, Tensor *l, Tensor *r, Tensor *y);

/* Whether launch_linear_backward takes dy and those of x and weight that it needs, which are not NULL: small ones of
   floating point, in row-major order. */
bool takes_linear_backward(const Tensor *dy, const Tensor *x, const Tensor *weight);

/* The gradients of linear from dy [rows, out], at once: dx [rows, in] = dy @ weight, dweight [out, in] = dy^T @ x, and
   dbias [out] = the sums of dy's columns. They are new, or NULL if not wanted. */
void launch_linear_backward(Call *call, const Tensor *dy, const Tensor *x, const Tensor *weight, Tensor *dx,
                            Tensor *dweight, Tensor *dbias);

#endif
