/* Pooling of planes. A strip of a result's line is kept while the taps of its windows go by. */
#include "core/arith.h"
#include "core/blocks.h"
#include "kernels/pool.h"
#include "kernels/typed/typed.h"

#if T_FLOATING || T_i64

/* Part of a line of results. For the first taps of a window's line: the results, as places in the strip, for which the
   tap is within the image. They hold for the strips below, so they are worked out again only when `first` changes. */
typedef struct Strip {
  int64_t line, first, n;
  int64_t known_first, begin[POOL_TAPS], end[POOL_TAPS];
} Strip;

/* The results of a strip for which first * stride + offset is within 0..size - 1. */
INLINE void find_within(const Strip *s, int64_t offset, int64_t stride, int64_t size, int64_t *begin, int64_t *end)
{
  int64_t at = s->first * stride + offset;
  *begin = at < 0 ? min_i64((-at + stride - 1) / stride, s->n) : 0;
  *end = at >= size ? 0 : min_i64((size - at + stride - 1) / stride, s->n);
  if (*end < *begin) *end = *begin;
}

static int64_t offset_of(const Pool *p, int64_t kx) { return kx * p->dilation[1] - p->padding[1]; }

static void know_taps(const Pool *p, Strip *s)
{
  if (s->known_first == s->first) return;
  s->known_first = s->first;
  for (int64_t kx = 0; kx < p->kernel[1] && kx < POOL_TAPS; kx++)
    find_within(s, offset_of(p, kx), p->stride[1], p->size[1], &s->begin[kx], &s->end[kx]);
}

INLINE void within(const Pool *p, const Strip *s, int64_t kx, int64_t *begin, int64_t *end)
{
  if (kx < POOL_TAPS) {
    *begin = s->begin[kx];
    *end = s->end[kx];
  } else {
    find_within(s, offset_of(p, kx), p->stride[1], p->size[1], begin, end);
  }
}

/* Calls body for each tap that meets the image, with x, a pointer to what the strip's first result meets (perhaps
   outside of the image), and begin and end. */
#define FOR_TAPS(p, s, plane, type, body)                                                       \
  for (int64_t ky = 0; ky < (p)->kernel[0]; ky++) {                                             \
    int64_t y_at = (s)->line * (p)->stride[0] - (p)->padding[0] + ky * (p)->dilation[0];        \
    if (y_at < 0 || y_at >= (p)->size[0]) continue;                                             \
    for (int64_t kx = 0; kx < (p)->kernel[1]; kx++) {                                           \
      int64_t begin, end;                                                                       \
      within(p, s, kx, &begin, &end);                                                           \
      type *x = (plane) + y_at * (p)->size[1] + (s)->first * (p)->stride[1] + offset_of(p, kx); \
      body                                                                                      \
    }                                                                                           \
  }

/* All strips of a plane. */
#define FOR_STRIPS(p, s)                                                                                            \
  for (s.line = 0; s.line < (p)->result[0]; s.line++)                                                               \
    for (s.first = 0;                                                                                               \
         s.n = min_i64((p)->result[1] - s.first, POOL_STRIP), s.first < (p)->result[1] && (know_taps(p, &s), true); \
         s.first += POOL_STRIP)

/* Strides of 1 and 2 as constants, so that loops become vectors. */
#define WITH_STRIDE(stride, body) \
  switch (stride) {               \
    case 1: {                     \
      enum { S = 1 };             \
      body                        \
    } break;                      \
    case 2: {                     \
      enum { S = 2 };             \
      body                        \
    } break;                      \
    default: {                    \
      const int64_t S = stride;   \
      body                        \
    }                             \
  }

/* ---- averages ---- */

/* What the windows of a strip are divided by. */
static void divisors(const Pool *p, const Strip *s, T *to)
{
  int64_t y = s->line * p->stride[0] - p->padding[0], y_end = min_i64(y + p->kernel[0], p->size[0] + p->padding[0]);
  int64_t rows = min_i64(y_end, p->size[0]) - (y > 0 ? y : 0);
  for (int64_t i = 0; i < s->n; i++) {
    int64_t x = (s->first + i) * p->stride[1] - p->padding[1],
            x_end = min_i64(x + p->kernel[1], p->size[1] + p->padding[1]);
    int64_t columns = min_i64(x_end, p->size[1]) - (x > 0 ? x : 0);
    to[i] = (T)(p->divisor ? p->divisor : p->count_padding ? (y_end - y) * (x_end - x) : rows * columns);
  }
}

static void avg_strip(const Pool *p, const Strip *s, const T *plane, T *restrict y)
{
  T sum[POOL_STRIP] = {0}, divisor[POOL_STRIP];
  FOR_TAPS(p, s, plane, const T, {WITH_STRIDE(p->stride[1], {
             for (int64_t i = begin; i < end; i++) sum[i] += x[i * S];
           })})
  divisors(p, s, divisor);
  for (int64_t i = 0; i < s->n; i++) y[i] = divisor[i] == 0 ? (T)0 : sum[i] / divisor[i];
}

static void avg_strip_backward(const Pool *p, const Strip *s, const T *restrict dy, T *plane)
{
  T share[POOL_STRIP];
  divisors(p, s, share);
  for (int64_t i = 0; i < s->n; i++) share[i] = share[i] == 0 ? (T)0 : dy[i] / share[i];
  FOR_TAPS(p, s, plane, T, {WITH_STRIDE(p->stride[1], {
             for (int64_t i = begin; i < end; i++) x[i * S] += share[i];
           })})
}

/* x: [planes, size]; y: [planes, result] */
static void avg_pool(const Pool *p, int64_t planes, const void *x, void *y)
{
  Strip s = {.known_first = -1};
  for (int64_t i = 0; i < planes; i++) {
    const T *from = (const T *)x + i * p->size[0] * p->size[1];
    T *to = (T *)y + i * p->result[0] * p->result[1];
    FOR_STRIPS(p, s) avg_strip(p, &s, from, to + s.line * p->result[1] + s.first);
  }
}

/* dy: [planes, result]; dx: [planes, size] */
static void avg_pool_backward(const Pool *p, int64_t planes, const void *dy, void *dx)
{
  Strip s = {.known_first = -1};
  memset(dx, 0, (size_t)(planes * p->size[0] * p->size[1]) * sizeof(T));
  for (int64_t i = 0; i < planes; i++) {
    const T *from = (const T *)dy + i * p->result[0] * p->result[1];
    T *to = (T *)dx + i * p->size[0] * p->size[1];
    FOR_STRIPS(p, s) avg_strip_backward(p, &s, from + s.line * p->result[1] + s.first, to);
  }
}

#endif

/* Not of AVX-512 (POOL_MAXIMA, kernels/isa.def), whose masks make these loops slower than AVX2's: with it the set below
   stays. */
#define HAS_MAXIMA (T_FLOATING && POOL_MAXIMA)

#if HAS_MAXIMA

/* ---- maxima ---- */

#if T_f32
typedef int32_t Offset;
#else
typedef int64_t Offset;
#endif

/* Whether a comes before b as a maximum: nan before all. A number of T's width, which gcc takes into vectors more
   readily than a truth. */
INLINE Offset before(T a, T b)
{
  Offset larger = a > b ? 1 : 0;
  return a != a ? 1 : larger;
}

static void max_strip(const Pool *p, const Strip *s, const T *plane, T *restrict best)
{
  for (int64_t i = 0; i < s->n; i++) best[i] = -(T)INFINITY;
  FOR_TAPS(p, s, plane, const T, {WITH_STRIDE(p->stride[1], {
             for (int64_t i = begin; i < end; i++) best[i] = before(x[i * S], best[i]) ? x[i * S] : best[i];
           })})
}

/* The first tap of each window that is within the image, from the window's beginning: where nothing is over -inf. */
static void first_offsets(const Pool *p, const Strip *s, Offset *at)
{
  int64_t y = s->line * p->stride[0] - p->padding[0];
  int64_t ky = y < 0 ? (-y + p->dilation[0] - 1) / p->dilation[0] : 0;
  for (int64_t i = 0; i < s->n; i++) {
    int64_t x = (s->first + i) * p->stride[1] - p->padding[1];
    int64_t kx = x < 0 ? (-x + p->dilation[1] - 1) / p->dilation[1] : 0;
    at[i] = (Offset)(ky * p->dilation[0] * p->size[1] + kx * p->dilation[1]);
  }
}

/* The maxima of a strip, and how far from its window's beginning each is. */
static void max_strip_at(const Pool *p, const Strip *s, const T *plane, T *restrict best, Offset *restrict at)
{
  for (int64_t i = 0; i < s->n; i++) best[i] = -(T)INFINITY;
  first_offsets(p, s, at);
  FOR_TAPS(p, s, plane, const T, {
    Offset here = (Offset)(ky * p->dilation[0] * p->size[1] + kx * p->dilation[1]);
    WITH_STRIDE(p->stride[1], {
      for (int64_t i = begin; i < end; i++) {
        Offset better = before(x[i * S], best[i]);
        best[i] = better ? x[i * S] : best[i];
        at[i] = better ? here : at[i];
      }
    })
  })
}

/* Where the window of a strip's first result begins in its plane. */
static int64_t window_of(const Pool *p, const Strip *s)
{
  return (s->line * p->stride[0] - p->padding[0]) * p->size[1] + s->first * p->stride[1] - p->padding[1];
}

/* x: [planes, size]; y, positions: [planes, result] */
static void max_pool(const Pool *p, int64_t planes, const void *x, void *y, int64_t *positions)
{
  Strip s = {.known_first = -1};
  Offset at[POOL_STRIP];
  for (int64_t i = 0; i < planes; i++) {
    const T *from = (const T *)x + i * p->size[0] * p->size[1];
    FOR_STRIPS(p, s)
    {
      int64_t to = (i * p->result[0] + s.line) * p->result[1] + s.first, window = window_of(p, &s);
      if (!positions) {
        max_strip(p, &s, from, (T *)y + to);
        continue;
      }
      max_strip_at(p, &s, from, (T *)y + to, at);
      for (int64_t j = 0; j < s.n; j++) positions[to + j] = window + j * p->stride[1] + at[j] + 1;
    }
  }
}

/* Windows of 2 by 2 side by side, the common ones: each element of dx is written once. */
static void max_pairs_backward(const Pool *p, const Strip *s, const T *plane, const T *restrict dy, T *restrict dx)
{
  int64_t from = 2 * s->line * p->size[1] + 2 * s->first;
  const T *x0 = plane + from, *x1 = x0 + p->size[1];
  T *restrict d0 = dx + from, *restrict d1 = d0 + p->size[1];
  for (int64_t i = 0; i < s->n; i++) {
    T best = x0[2 * i], rest = dy[i];
    Offset second = before(x0[2 * i + 1], best);
    best = second ? x0[2 * i + 1] : best;
    Offset third = before(x1[2 * i], best);
    best = third ? x1[2 * i] : best;
    Offset fourth = before(x1[2 * i + 1], best);
    d1[2 * i + 1] = fourth ? rest : 0;
    rest = fourth ? 0 : rest;
    d1[2 * i] = third ? rest : 0;
    rest = third ? 0 : rest;
    d0[2 * i + 1] = second ? rest : 0;
    d0[2 * i] = second ? 0 : rest;
  }
}

static bool are_pairs(const Pool *p)
{
  for (int i = 0; i < 2; i++)
    if (p->kernel[i] != 2 || p->stride[i] != 2 || p->padding[i] != 0 || p->dilation[i] != 1
        || p->size[i] != 2 * p->result[i])
      return false;
  return true;
}

/* x, dx: [planes, size]; dy: [planes, result] */
static void max_pool_backward(const Pool *p, int64_t planes, const void *x, const void *dy, void *dx)
{
  Strip s = {.known_first = -1};
  bool pairs = are_pairs(p);
  T best[POOL_STRIP];
  Offset at[POOL_STRIP];
  if (!pairs) memset(dx, 0, (size_t)(planes * p->size[0] * p->size[1]) * sizeof(T));
  for (int64_t i = 0; i < planes; i++) {
    const T *from = (const T *)x + i * p->size[0] * p->size[1], *d = (const T *)dy + i * p->result[0] * p->result[1];
    T *to = (T *)dx + i * p->size[0] * p->size[1];
    FOR_STRIPS(p, s)
    {
      const T *line = d + s.line * p->result[1] + s.first;
      if (pairs) {
        max_pairs_backward(p, &s, from, line, to);
        continue;
      }
      max_strip_at(p, &s, from, best, at);
      T *window = to + window_of(p, &s);
      for (int64_t j = 0; j < s.n; j++, window += p->stride[1]) window[at[j]] += line[j];
    }
  }
}

/* The place of the maximum of lines [top, bottom) and columns [left, right) of a plane. */
static int64_t place_of_max(const T *plane, int64_t columns, int64_t top, int64_t bottom, int64_t left, int64_t right)
{
  int64_t at = top * columns + left;
  T best = -(T)INFINITY;
  for (int64_t y = top; y < bottom; y++)
    for (int64_t x = left; x < right; x++) {
      T candidate = plane[y * columns + x];
      if (!before(candidate, best)) continue;
      best = candidate;
      at = y * columns + x;
    }
  return at;
}

/* x: [planes, size]; y, positions: [planes, result] */
static void adaptive_max_pool(const Pool *p, int64_t planes, const void *x, void *y, int64_t *positions)
{
  const int64_t lines = p->size[0], columns = p->size[1], inside = lines * columns;
  T *to = y;
  for (const T *plane = x; plane < (const T *)x + planes * inside; plane += inside)
    for (int64_t l = 0; l < p->result[0]; l++)
      for (int64_t c = 0; c < p->result[1]; c++) {
        int64_t top = adaptive_first(l, lines, p->result[0]), bottom = adaptive_last(l, lines, p->result[0]);
        int64_t left = adaptive_first(c, columns, p->result[1]), right = adaptive_last(c, columns, p->result[1]);
        int64_t at = place_of_max(plane, columns, top, bottom, left, right);
        *to++ = plane[at];
        *positions++ = at + 1;
      }
}

#endif

void TYPED(fill_pool)(PoolKernels *t);
void TYPED(fill_pool)(PoolKernels *t)
{
#if T_FLOATING || T_i64
  t->average = avg_pool;
  t->average_backward = avg_pool_backward;
#endif
#if HAS_MAXIMA
  t->max = max_pool;
  t->max_backward = max_pool_backward;
  t->adaptive_max = adaptive_max_pool;
#endif
  (void)t;
}
