#include "lua/machine.h"

#include <lua.h>

#include "core/parallel.h"
#include "kernels/kernels.h"
#include "lua/nnlua.h"

void machine_set_threads(int threads) { parallel_set_threads(threads); }

void machine_describe(FILE *out)
{
  BlasVersion blas = kernels_blas();
  fprintf(out, "nnlua %s, %s\n", NNLUA_VERSION, LUA_RELEASE);
  fprintf(out, "%.*s for %s\n", blas.length, blas.name, blas.core);
  fprintf(out, "%s kernels, %d thread%s\n", kernels_isa(), parallel_threads(), parallel_threads() == 1 ? "" : "s");
}
