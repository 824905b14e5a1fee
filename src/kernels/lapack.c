/* LAPACK's functions, loaded at their first use. */
#include "kernels/lapack.h"

#include "core/text.h"
#include "kernels/openblas.h"

LapackFunctions lapack_functions;

#define F lapack_functions
Library lapack = {.what = "LAPACK",
                  .package = "libopenblas0-pthread",
                  .files = (const char *const[]){"libopenblas.so.0", "liblapack.so.3", NULL},
                  .functions =
                    (const LibraryFunction[]){
#define BOTH(name, s, d, c, z, ...) {#s, &F.name[0]}, {#d, &F.name[1]}, {#c, &F.name[2]}, {#z, &F.name[3]},
#define REAL(name, s, d, ...) {#s, &F.name[0]}, {#d, &F.name[1]},
#define COMPLEX(name, c, z, ...) {#c, &F.name[0]}, {#z, &F.name[1]},
#include "kernels/lapack.def"
                      {NULL, NULL}},
                  .open = openblas_open};

void lapack_describe(char *text, size_t size)
{
  char why[160];
  if (library_try(&lapack, why, sizeof why)) openblas_describe(text, size);
  else text_format(text, size, "no LAPACK (%s)", why);
}
