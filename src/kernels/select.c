/* Fills the kernel tables from the best instruction set that was built and that the machine has. */
#include <stdlib.h>
#include <string.h>

#include "kernels/gemm.h"
#include "kernels/kernels.h"
#include "kernels/random_fill.h"

/* The template files; each has a function fill_<file>_<isa>_<dtype>. */
#define TEMPLATES(FILL, isa, dtype) \
  FILL(pointwise, isa, dtype)       \
  FILL(comparison, isa, dtype)      \
  FILL(bitwise, isa, dtype)         \
  FILL(rounding, isa, dtype)        \
  FILL(exponential, isa, dtype)     \
  FILL(trigonometric, isa, dtype)   \
  FILL(activation, isa, dtype)      \
  FILL(special, isa, dtype)         \
  FILL(penalty, isa, dtype)         \
  FILL(reduce, isa, dtype)          \
  FILL(cumulative, isa, dtype)      \
  FILL(matmul, isa, dtype)          \
  FILL(conv, isa, dtype)            \
  FILL(pool, isa, dtype)            \
  FILL(resample, isa, dtype)        \
  FILL(indexing, isa, dtype)        \
  FILL(sort, isa, dtype)            \
  FILL(softmax, isa, dtype)         \
  FILL(attention, isa, dtype)       \
  FILL(recurrent, isa, dtype)       \
  FILL(normalization, isa, dtype)   \
  FILL(optim, isa, dtype)

/* What is built for a set; the build file has the same lists. */
#define INTEGER_DTYPES(X, isa) X(isa, i8) X(isa, i16) X(isa, i32) X(isa, i64) X(isa, u8) X(isa, b8)
#define DTYPES_base(X) X(base, f32) X(base, f64) INTEGER_DTYPES(X, base) X(base, c64) X(base, c128)
#define DTYPES_avx2(X) X(avx2, f32) X(avx2, f64) INTEGER_DTYPES(X, avx2)
#define DTYPES_avx512(X) X(avx512, f32) X(avx512, f64)

static KernelTable tables[DTYPE_COUNT];
const KernelTable *kernel_tables[DTYPE_COUNT];
RandomFills random_fills;
static const char *selected = "base";

#define DECLARE(file, isa, dtype) void fill_##file##_##isa##_##dtype(KernelTable *);
#define CALL(file, isa, dtype) fill_##file##_##isa##_##dtype(&tables[DTYPE_##dtype]);
#define DECLARE_ALL(isa, dtype) TEMPLATES(DECLARE, isa, dtype)
#define CALL_ALL(isa, dtype) TEMPLATES(CALL, isa, dtype)

#define SET(isa)                                  \
  DTYPES_##isa(DECLARE_ALL)                       \
  void fill_casts_##isa(KernelTable *);           \
  void fill_random_fills_##isa(RandomFills *);    \
  static void fill_##isa(void)                    \
  {                                               \
    selected = #isa;                              \
    DTYPES_##isa(CALL_ALL)                        \
    fill_casts_##isa(tables);                     \
    fill_random_fills_##isa(&random_fills);       \
  }

SET(base)
#if NNLUA_HAVE_AVX2
SET(avx2)
#endif
#if NNLUA_HAVE_AVX512
SET(avx512)
#endif

/* Whether NNLUA_ISA, if set, allows a set: sets are taken in order up to the named one. */
static bool allowed(const char *isa)
{
  static const char *const order[] = {"base", "avx2", "avx512"};
  const char *limit = getenv("NNLUA_ISA");
  if (!limit || !*limit) return true;
  for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
    if (strcmp(order[i], isa) == 0) return true;
    if (strcmp(order[i], limit) == 0) return false;
  }
  return true;
}

void kernels_select(void)
{
  gemm_prepare();
  fill_base();
#if NNLUA_HAVE_AVX2
  if (allowed("avx2") && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) fill_avx2();
#endif
#if NNLUA_HAVE_AVX512
  if (allowed("avx512") && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw"))
    fill_avx512();
#endif
  (void)allowed;
  for (int d = 0; d < DTYPE_COUNT; d++) kernel_tables[d] = &tables[d];
}

const char *kernels_isa(void) { return selected; }
