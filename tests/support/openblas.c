/*
 * Stands in for OpenBLAS (tests/spec/library_spec.lua): takes each processor for a Prescott, unless OPENBLAS_CORETYPE
 * says otherwise while it is loaded. Its version is 0.0 and the number of threads that it was to have. It computes
 * nothing.
 */
#include <stdio.h>
#include <stdlib.h>

#pragma GCC visibility push(default)
char *openblas_get_config(void);
char *openblas_get_corename(void);
#define NONE(name) \
  void name(void); \
  void name(void) {}
#define BOTH(name, s, d, c, z, ...) NONE(s) NONE(d) NONE(c) NONE(z)
#define REAL(name, s, d, ...) NONE(s) NONE(d)
#define COMPLEX(name, c, z, ...) NONE(c) NONE(z)
#include "kernels/lapack.def"
#pragma GCC visibility pop

static char config[64], core[32];

__attribute__((constructor)) static void read_environment(void)
{
  const char *threads = getenv("OPENBLAS_NUM_THREADS"), *type = getenv("OPENBLAS_CORETYPE");
  snprintf(config, sizeof config, "OpenBLAS 0.0.%s NONE", threads ? threads : "unset");
  snprintf(core, sizeof core, "%s", type ? type : "Prescott");
}

char *openblas_get_config(void) { return config; }
char *openblas_get_corename(void) { return core; }
