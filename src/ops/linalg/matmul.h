/* The rows of ops/linalg/matmul.def, and what products share. */
#ifndef NNLUA_OPS_LINALG_MATMUL_H
#define NNLUA_OPS_LINALG_MATMUL_H

#define ROWS "ops/linalg/matmul.def"
#include "ops/table/declare.h"

/* Raises if a tensor is no vector (1), matrix (2) or batch of matrices (3). */
void check_rank(Call *call, const Tensor *t, const char *name, int ndim);

#endif
