/*
 * Plans of transforms: a length's factors, and the tables of each pass. All roots of unity come from C's sine and
 * cosine in double precision, of angles up to an eighth of the circle. A context keeps its plans in a list, the one
 * used last first, up to FFT_PLAN_BYTES.
 */
#include "launch/fft/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/blocks.h"
#include "core/upward.h"
#include "kernels/table.h"

typedef enum KeptKind { PLAN_ALONE, PLAN_TOGETHER, HALF_ROOTS } KeptKind;

/* In one block with its tables. */
typedef struct FftPlans {
  struct FftPlans *next;
  int64_t n;
  DType real;
  KeptKind kind;
  size_t bytes; /* of the block */
  FftPlan plan, longer;
  const void *roots;
} FftPlans;

/* ------------------------------------------------------------------- tables */

/* e^(-2 pi i k / n) for k below n. */
static void unit_root(int64_t k, int64_t n, double *re, double *im)
{
  int64_t eighths = 8 * k; /* of an eighth of the circle are n */
  bool below = eighths <= 4 * n, left, steep;
  if (!below) eighths = 8 * n - eighths;
  left = eighths > 2 * n;
  if (left) eighths = 4 * n - eighths;
  steep = eighths > n;
  if (steep) eighths = 2 * n - eighths;
  double angle = acos(-1) / 4 * (double)eighths / (double)n;
  double c = steep ? sin(angle) : cos(angle), s = steep ? cos(angle) : sin(angle);
  *re = left ? -c : c;
  *im = below ? -s : s;
}

/* Tables are laid out twice: first to count their bytes, then in the block. */
typedef struct Tables {
  char *block; /* NULL: only counted */
  size_t bytes;
  bool is_single;
  int lanes;
  const double *roots; /* e^(-2 pi i k / n) of the plan's length, pairs */
} Tables;

static void *table(Tables *t, int64_t numbers)
{
  void *at = t->block ? t->block + t->bytes : NULL;
  t->bytes += ((size_t)numbers * (t->is_single ? sizeof(float) : sizeof(double)) + 63) / 64 * 64;
  return at;
}

static void put(const Tables *t, void *table, int64_t i, double value)
{
  if (t->is_single) ((float *)table)[i] = (float)value;
  else ((double *)table)[i] = value;
}

/* Both arrays of a table of split parts have a vector's lanes more than n. */
static void *split_table(Tables *t, int64_t n) { return table(t, 2 * (n + t->lanes)); }

static void put_split(const Tables *t, void *table, int64_t n, int64_t k, double re, double im)
{
  put(t, table, k, re);
  put(t, table, n + t->lanes + k, im);
}

static const void *twiddles(Tables *t, int64_t n, int64_t radix, int64_t m, bool turned)
{
  if (m == 1) return NULL;
  void *to = table(t, 2 * m * (radix - 1));
  if (!t->block) return NULL;
  int64_t apart = n / (radix * m);
  for (int64_t p = 0; p < m; p++)
    for (int64_t q = 1; q < radix; q++) {
      const double *root = t->roots + 2 * (p * q * apart);
      int64_t pair = (p * (radix - 1) + q - 1) * 2;
      put(t, to, turned ? (2 * q - 2) * m + p : pair, root[0]);
      put(t, to, turned ? (2 * q - 1) * m + p : pair + 1, root[1]);
    }
  return to;
}

static const void *odd_roots(Tables *t, int64_t radix)
{
  const int64_t h = radix / 2;
  void *to = table(t, 2 * h * h);
  for (int64_t k = 0; k < h && t->block; k++)
    for (int64_t j = 0; j < h; j++) {
      double re, im;
      unit_root((k + 1) * (j + 1) % radix, radix, &re, &im);
      put(t, to, k * h + j, re);
      put(t, to, h * h + k * h + j, -im);
    }
  return to;
}

/* -------------------------------------------------------------------- plans */

/* What is left of n without the prime factors that passes take. */
static int64_t large_factor(int64_t n)
{
  for (int64_t p = 2; p < FFT_LARGE_PRIME; p++)
    while (n % p == 0) n /= p;
  return n;
}

/* The next radix of n: eights and fours rather than twos, odd ones from the largest on. */
static int64_t next_radix(int64_t n)
{
  for (int64_t p = FFT_LARGE_PRIME - 1; p > 2; p--)
    if (p % 2 && n % p == 0 && large_factor(p) == 1) {
      bool prime = true;
      for (int64_t q = 3; q * q <= p; q += 2) prime &= p % q != 0;
      if (prime) return p;
    }
  return n % 8 == 0 && n != 16 ? 8 : n % 4 == 0 ? 4 : n;
}

static void lay_passes(Tables *t, FftPlan *plan)
{
  int64_t left = plan->n;
  plan->passes = 0;
  for (bool turned = plan->turned; left > 1; turned = false) {
    int64_t radix = turned ? t->lanes : next_radix(left);
    left /= radix;
    FftPass *f = &plan->pass[plan->passes++];
    *f = (FftPass){.radix = radix, .m = left, .twiddles = twiddles(t, plan->n, radix, left, turned)};
    if (radix % 2) f->roots = odd_roots(t, radix);
  }
}

/* Whether a transform alone can be cut into as many as a vector has lanes. */
static bool can_turn(const Tables *t, int64_t n) { return n % t->lanes == 0 && n / t->lanes >= t->lanes; }

/* What passes of a length cost, about, each number. */
static double cost_of(int64_t n)
{
  double cost = 1;
  for (int64_t left = n, radix; left > 1; left /= radix) {
    radix = next_radix(left);
    cost += radix <= 4 ? 1 : radix == 8 ? 1.3 : 1 + 0.15 * (double)radix;
  }
  return cost * (double)n;
}

/* The length of a chirp's convolution: at least 2 n - 1, cheap, and one that can be turned. */
static int64_t longer_length(const Tables *t, int64_t n)
{
  int64_t least = 2 * n - 1, power = t->lanes * t->lanes;
  while (power < least) power *= 2;
  int64_t best = power;
  double cost = cost_of(best);
  for (int64_t length = (least + t->lanes - 1) / t->lanes * t->lanes; length < power; length += t->lanes) {
    int64_t smooth = length;
    for (int p = 2; p <= 7; p++)
      while (smooth % p == 0) smooth /= p;
    if (smooth > 1 || !can_turn(t, length)) continue;
    double c = cost_of(length);
    if (c >= cost) continue;
    best = length;
    cost = c;
  }
  return best;
}

/* e^(-pi i k^2 / n): k^2 modulo 2 n goes by odd steps. */
static void *lay_chirp(Tables *t, int64_t n)
{
  void *to = split_table(t, n);
  int64_t square = 0;
  for (int64_t k = 0; k < n && t->block; k++) {
    double re, im;
    unit_root(square, 2 * n, &re, &im);
    put_split(t, to, n, k, re, im);
    square = (square + 2 * k + 1) % (2 * n);
  }
  return to;
}

/* For all k up to n / 4 and a vector more. */
static void *lay_half_roots(Tables *t, int64_t n)
{
  const int64_t count = n / 4 + 1;
  void *to = split_table(t, count);
  for (int64_t k = 0; k < count + t->lanes && t->block; k++) {
    double re, im;
    unit_root(k % n, n, &re, &im);
    if (k < count) put_split(t, to, count, k, re, im);
    else {
      put(t, to, k, re);
      put(t, to, count + t->lanes + k, im);
    }
  }
  return to;
}

/* The filter's place, for the kernel to fill. */
static void *lay_plan(Tables *t, FftPlans *kept)
{
  FftPlan *plan = &kept->plan, *passes = plan;
  plan->n = kept->n;
  void *filter = NULL;
  if (large_factor(plan->n) > 1) {
    if (!t->block) kept->longer.n = longer_length(t, plan->n);
    plan->longer = passes = &kept->longer;
    plan->chirp = lay_chirp(t, plan->n);
    filter = split_table(t, kept->longer.n);
  }
  passes->turned = kept->kind == PLAN_ALONE && can_turn(t, passes->n);
  lay_passes(t, passes);
  return filter;
}

static _Noreturn void no_memory(Call *call, void *a, void *b, size_t bytes)
{
  free(a);
  free(b);
  raise_no_memory(call->ctx, bytes);
}

static void *block_of(size_t bytes) { return aligned_alloc(64, (bytes + 63) / 64 * 64); }

/* All roots that the passes' tables pick from. */
static double *roots_of(int64_t n)
{
  double *roots = block_of((size_t)n * 2 * sizeof(double));
  for (int64_t k = 0; roots && k < n; k++) unit_root(k, n, &roots[2 * k], &roots[2 * k + 1]);
  return roots;
}

static void *lay_out(Tables *t, FftPlans *kept)
{
  t->bytes = (sizeof *kept + 63) / 64 * 64;
  if (kept->kind != HALF_ROOTS) return lay_plan(t, kept);
  kept->roots = lay_half_roots(t, kept->n);
  return NULL;
}

static FftPlans *make(Call *call, int64_t n, DType real, KeptKind kind)
{
  const FftKernels *kernels = kernels_of(real)->fft;
  FftPlans counted = {.n = n, .real = real, .kind = kind};
  Tables t = {.is_single = real == DTYPE_f32, .lanes = kernels->lanes};
  lay_out(&t, &counted);
  size_t bytes = counted.bytes = t.bytes;
  FftPlans *kept = block_of(bytes);
  int64_t length = counted.plan.longer ? counted.longer.n : n;
  double *roots = kind == HALF_ROOTS ? NULL : roots_of(length);
  if (!kept || (kind != HALF_ROOTS && !roots)) no_memory(call, kept, roots, bytes);
  *kept = counted;
  t.block = (char *)kept;
  t.roots = roots;
  void *filter = lay_out(&t, kept);
  if (filter) {
    size_t room = (size_t)(length + 2 * t.lanes) * 4 * dtype_size(real);
    void *memory = block_of(room);
    if (!memory) no_memory(call, kept, roots, room);
    kernels->fill_filter(&kept->plan, filter, memory);
    kept->plan.filter = filter;
    free(memory);
  }
  free(roots);
  return kept;
}

/* --------------------------------------------------------------------- list */

static const FftPlans *kept_for(Call *call, int64_t n, DType real, KeptKind kind)
{
  FftPlans **at = &call->ctx->fft_plans, *found;
  while ((found = *at) && !(found->n == n && found->real == real && found->kind == kind)) at = &found->next;
  if (found) *at = found->next;
  else found = make(call, n, real, kind);
  found->next = call->ctx->fft_plans;
  call->ctx->fft_plans = found;
  return found;
}

const FftPlan *fft_plan(Call *call, int64_t n, DType real, bool alone)
{
  return &kept_for(call, n, real, alone ? PLAN_ALONE : PLAN_TOGETHER)->plan;
}

const void *fft_half_roots(Call *call, int64_t n, DType real) { return kept_for(call, n, real, HALF_ROOTS)->roots; }

static void drop_from(FftPlans **at)
{
  FftPlans *kept = *at;
  *at = NULL;
  while (kept) {
    FftPlans *next = kept->next;
    free(kept);
    kept = next;
  }
}

void fft_plans_trim(Context *ctx)
{
  size_t bytes = 0;
  int count = 0;
  FftPlans **at = &ctx->fft_plans;
  for (; *at; at = &(*at)->next) {
    bytes += (*at)->bytes;
    if (bytes > FFT_PLAN_BYTES || ++count > FFT_PLANS) break;
  }
  drop_from(at);
}

void fft_plans_free(Context *ctx) { drop_from(&ctx->fft_plans); }
