/* Matrices with orthonormal columns and what they are made of, by LAPACK on one thread. Tensors lie by columns
   (launch/linalg/matrices.h), all of one dtype that LAPACK takes, and have one batch. */
#ifndef NNLUA_LAUNCH_QR_H
#define NNLUA_LAUNCH_QR_H

#include "core/tensor.h"

/* a [*, m, n] becomes R and, below its diagonal, the vectors of the reflections I - tau v v^H, whose product is Q, with
   a = Q R; tau is [*, min(m, n)]. */
void launch_qr(Call *call, Tensor *a, Tensor *tau);

/* q [*, m, n], m >= n, of which the first k columns have the vectors of reflections, with tau [*, k], becomes the first
   columns of the product of these. */
void launch_reflections(Call *call, Tensor *q, Tensor *tau);

/* c [*, m, n] becomes Q c, or c Q if `right`, or with Q^H in its place if `adjoint`; a has the vectors of the
   reflections in its first columns, as many as there are tau [*, k]. */
void launch_reflect(Call *call, Tensor *a, Tensor *tau, bool right, bool adjoint, Tensor *c);

#endif
