/* How OpenBLAS is loaded: on one thread, and for the processor that there is. */
#ifndef NNLUA_KERNELS_OPENBLAS_H
#define NNLUA_KERNELS_OPENBLAS_H

#include <stddef.h>

/* Opens a library of BLAS or LAPACK, OpenBLAS or another one; NULL and why if it can't. On one thread at a time. */
void *openblas_open(const char *file, char *why, size_t size);

/* What has been opened: "OpenBLAS 0.3.21 for Zen". */
void openblas_describe(char *text, size_t size);

#endif
