/* LAPACK, which comes with OpenBLAS. The library is to be loaded before any of the functions is called. */
#ifndef NNLUA_KERNELS_LAPACK_H
#define NNLUA_KERNELS_LAPACK_H

#include "core/dtype.h"
#include "core/library.h"

/* OpenBLAS, or what else the system has as its LAPACK. */
extern Library lapack;

/* Its functions: those for all dtypes by lapack_type, those for real or for complex ones by lapack_is_double. */
typedef struct LapackFunctions {
#define BOTH(name, s, d, c, z, ...) void(*name[4]) __VA_ARGS__;
#define REAL(name, s, d, ...) void(*name[2]) __VA_ARGS__;
#define COMPLEX(name, c, z, ...) void(*name[2]) __VA_ARGS__;
#include "kernels/lapack.def"
} LapackFunctions;

extern LapackFunctions lapack_functions;

/* Whether it has functions for a dtype: float32, float64 and complex ones. */
static inline bool lapack_takes(DType d) { return dtype_is_inexact(d) && !dtype_is_half(d); }

static inline int lapack_is_double(DType d) { return dtype_to_real(d) == DTYPE_f64; }
static inline int lapack_type(DType d) { return 2 * dtype_is_complex(d) + lapack_is_double(d); }

/* Loads it and says which one it is: "OpenBLAS 0.3.21 for Zen"; or why there is none. */
void lapack_describe(char *text, size_t size);

#endif
