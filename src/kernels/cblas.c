/* BLAS, for products that our own loops don't compute. */
#include "kernels/cblas.h"

#include "kernels/openblas.h"

#define DEFINE(name, S, T) __typeof__(name) name;
CBLAS_GEMMS(DEFINE)
CBLAS_GEMVS(DEFINE)
CBLAS_SCALS(DEFINE)
#undef DEFINE

#define ROW(name, S, T) {#name, &name},
Library blas = {.what = "BLAS",
                .package = "libopenblas0-pthread",
                .files = (const char *const[]){"libopenblas.so.0", "libblas.so.3", NULL},
                .functions = (const LibraryFunction[]){CBLAS_GEMMS(ROW) CBLAS_GEMVS(ROW) CBLAS_SCALS(ROW){NULL, NULL}},
                .open = openblas_open};
#undef ROW
