/* Eigenvalues and eigenvectors, by LAPACK on one thread. Matrices lie by columns (launch/linalg/matrices.h) and are of
   a dtype that LAPACK takes; elements that are infinite or nan are raised for. */
#ifndef NNLUA_LAUNCH_EIGEN_H
#define NNLUA_LAUNCH_EIGEN_H

#include "core/tensor.h"

/* Of a [*, n, n], symmetric or Hermitian, of which one triangle is read: values (real, [*, n]) ascend; a becomes the
   vectors if they are wanted, else its elements are lost. */
void launch_eigh(Call *call, Tensor *a, bool upper, bool vectors, Tensor *values);

/* Of a [*, n, n], whose elements are lost: values [*, n], and vectors [*, n, n] of length 1 unless NULL, both
   complex. */
void launch_eig(Call *call, Tensor *a, Tensor *values, Tensor *vectors);

#endif
