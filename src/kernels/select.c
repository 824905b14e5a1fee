/* Fills the kernel tables from the instruction sets that were built and that the machine has. */
#include "kernels/select.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/copy.h"
#include "kernels/kernels.h"
#include "kernels/random_fill.h"
#include "kernels/storage.h"

/* The rows of this machine: MACHINE(ROW, name, …) -> ROW(name, …). */
#if __x86_64__
#define X86_64(...) ISA(__VA_ARGS__)
#define OTHER(...)
#if NNLUA_PLAIN_AVX512
#define HAS(feature) (strncmp(#feature, "avx512", 6) == 0 || __builtin_cpu_supports(#feature))
#else
#define HAS(feature) __builtin_cpu_supports(#feature)
#endif
#else
#define X86_64(...)
#define OTHER(...) ISA(__VA_ARGS__)
#endif

typedef enum IsaId {
#define ISA(name, ...) ISA_##name,
#include "kernels/isa.def"
#undef ISA
  ISA_COUNT
} IsaId;

#define ISA(name, flags, categories, blocks, test) \
  static bool runs_##name(void) { return test; }
#include "kernels/isa.def"
#undef ISA

static const struct {
  const char *name;
  bool (*runs)(void);
} isas[ISA_COUNT] = {
#define ISA(name, ...) {#name, runs_##name},
#include "kernels/isa.def"
};

/* What was built: the build file says it. */
#define SET(isa)                         \
  void fill_casts_##isa(CastKernels *);  \
  void fill_copies_##isa(CopyKernels *); \
  void fill_random_fills_##isa(RandomFills *);
NNLUA_BUILT_SETS
#undef SET
#define KERNELS(isa, dtype) void fill_kernels_##isa##_##dtype(KernelStorage *);
NNLUA_BUILT_KERNELS
#undef KERNELS

static const struct {
  void (*casts)(CastKernels *);
  void (*copies)(CopyKernels *);
  void (*random_fills)(RandomFills *);
} sets[ISA_COUNT] = {
#define SET(isa) [ISA_##isa] = {fill_casts_##isa, fill_copies_##isa, fill_random_fills_##isa},
  NNLUA_BUILT_SETS};

static const struct {
  IsaId isa;
  DType dtype;
  void (*fill)(KernelStorage *);
} kernels[] = {
#define KERNELS(isa, dtype) {ISA_##isa, DTYPE_##dtype, fill_kernels_##isa##_##dtype},
  NNLUA_BUILT_KERNELS};

#define FAMILY(name, Type) static Type name##_kernels[DTYPE_COUNT];
KERNEL_FAMILIES(FAMILY)
#undef FAMILY
static KernelStorage storage[DTYPE_COUNT];
static CastKernels casts[DTYPE_COUNT];
KernelTable kernel_tables[DTYPE_COUNT];
CopyKernels copy_kernels;
RandomFills random_fills;
static IsaId selected;

static void fill_tables(IsaId isa)
{
  sets[isa].casts(casts);
  sets[isa].copies(&copy_kernels);
  sets[isa].random_fills(&random_fills);
  for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++)
    if (kernels[i].isa == isa) kernels[i].fill(&storage[kernels[i].dtype]);
  selected = isa;
}

/* Whether a set is the one that NNLUA_ISA names: sets are taken in order up to that. */
static bool is_last(IsaId isa)
{
  const char *limit = getenv("NNLUA_ISA");
  return limit && strcmp(isas[isa].name, limit) == 0;
}

static void select_all(void)
{
  for (int d = 0; d < DTYPE_COUNT; d++) {
#define FAMILY(name, Type) .name = &name##_kernels[d],
    storage[d] = (KernelStorage){KERNEL_FAMILIES(FAMILY)};
#undef FAMILY
  }
  for (IsaId isa = 0; isa < ISA_COUNT; isa++) {
    if (sets[isa].casts && isas[isa].runs()) fill_tables(isa);
    if (is_last(isa)) break;
  }
  for (int d = 0; d < DTYPE_COUNT; d++) {
    KernelStorage *s = &storage[d];
#define FAMILY(name, Type) .name = s->name,
    kernel_tables[d] = (KernelTable){.pointwise = s->pointwise, .cast = &casts[d], KERNEL_FAMILIES(FAMILY)};
  }
}

void kernels_select(void)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT; /* other states may be running when one begins */
  pthread_once(&once, select_all);
}

const char *kernels_isa(void) { return isas[selected].name; }
