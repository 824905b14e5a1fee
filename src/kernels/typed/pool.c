/* Pooling of volumes. A strip of a result's line is kept while the taps of its windows go by. */
#include "core/arith.h"
#include "core/blocks.h"
#include "kernels/pool.h"
#include "kernels/typed/typed.h"

#if T_FLOATING || T_INTEGRAL

/* Part of a line of results. For the first taps of a window's line: the results, as places in the strip, for which the
   tap is within the image. They hold for the strips below, so they are worked out again only when `first` changes. */
typedef struct Strip {
  int64_t plane, line, first, n;
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

static int64_t offset_of(const Pool *p, int64_t kx) { return kx * p->dilation[2] - p->padding[2]; }

static void know_taps(const Pool *p, Strip *s)
{
  if (s->known_first == s->first) return;
  s->known_first = s->first;
  for (int64_t kx = 0; kx < p->kernel[2] && kx < POOL_TAPS; kx++)
    find_within(s, offset_of(p, kx), p->stride[2], p->size[2], &s->begin[kx], &s->end[kx]);
}

INLINE void within(const Pool *p, const Strip *s, int64_t kx, int64_t *begin, int64_t *end)
{
  if (kx < POOL_TAPS) {
    *begin = s->begin[kx];
    *end = s->end[kx];
  } else {
    find_within(s, offset_of(p, kx), p->stride[2], p->size[2], begin, end);
  }
}

/* Calls body for each tap that meets the volume, with x, a pointer to what the strip's first result meets (perhaps
   outside of the volume), and begin and end. */
#define FOR_TAPS(p, s, volume, type, body)                                                                \
  for (int64_t kz = 0; kz < (p)->kernel[0]; kz++) {                                                       \
    int64_t z_at = (s)->plane * (p)->stride[0] - (p)->padding[0] + kz * (p)->dilation[0];                 \
    if (z_at < 0 || z_at >= (p)->size[0]) continue;                                                       \
    for (int64_t ky = 0; ky < (p)->kernel[1]; ky++) {                                                     \
      int64_t y_at = (s)->line * (p)->stride[1] - (p)->padding[1] + ky * (p)->dilation[1];                \
      if (y_at < 0 || y_at >= (p)->size[1]) continue;                                                     \
      type *line_ = (volume) + (z_at * (p)->size[1] + y_at) * (p)->size[2] + (s)->first * (p)->stride[2]; \
      for (int64_t kx = 0; kx < (p)->kernel[2]; kx++) {                                                   \
        int64_t begin, end;                                                                               \
        within(p, s, kx, &begin, &end);                                                                   \
        type *x = line_ + offset_of(p, kx);                                                               \
        body                                                                                              \
      }                                                                                                   \
    }                                                                                                     \
  }

/* All strips of a volume. */
#define FOR_STRIPS(p, s)                                                                                              \
  for (s.plane = 0; s.plane < (p)->result[0]; s.plane++)                                                              \
    for (s.line = 0; s.line < (p)->result[1]; s.line++)                                                               \
      for (s.first = 0;                                                                                               \
           s.n = min_i64((p)->result[2] - s.first, POOL_STRIP), s.first < (p)->result[2] && (know_taps(p, &s), true); \
           s.first += POOL_STRIP)

/* The elements of a volume and of its results; where a strip's first result is in these. */
static int64_t inside_of(const Pool *p) { return p->size[0] * p->size[1] * p->size[2]; }
static int64_t outside_of(const Pool *p) { return p->result[0] * p->result[1] * p->result[2]; }
static int64_t place_of(const Pool *p, const Strip *s)
{
  return (s->plane * p->result[1] + s->line) * p->result[2] + s->first;
}

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

#endif

/* ---- averages ---- */

#if T_FLOATING || T_i64

/* How much of a window along a dimension lies within the volume and the padding around it, and within the volume. */
static void window_extent(const Pool *p, int dim, int64_t result, int64_t *padded, int64_t *inside)
{
  int64_t begin = result * p->stride[dim] - p->padding[dim];
  int64_t end = min_i64(begin + p->kernel[dim], p->size[dim] + p->padding[dim]);
  *padded = end - begin;
  *inside = min_i64(end, p->size[dim]) - (begin > 0 ? begin : 0);
}

/* What the windows of a strip are divided by. */
static void divisors(const Pool *p, const Strip *s, T *to)
{
  int64_t planes, lines, padded_planes, padded_lines;
  window_extent(p, 0, s->plane, &padded_planes, &planes);
  window_extent(p, 1, s->line, &padded_lines, &lines);
  for (int64_t i = 0; i < s->n; i++) {
    int64_t columns, padded;
    window_extent(p, 2, s->first + i, &padded, &columns);
    int64_t count = p->count_padding ? padded_planes * padded_lines * padded : planes * lines * columns;
    to[i] = (T)(p->divisor ? p->divisor : count);
  }
}

static void avg_strip(const Pool *p, const Strip *s, const T *volume, T *restrict y)
{
  T sum[POOL_STRIP] = {0}, divisor[POOL_STRIP];
  FOR_TAPS(p, s, volume, const T, {WITH_STRIDE(p->stride[2], {
             for (int64_t i = begin; i < end; i++) sum[i] += x[i * S];
           })})
  divisors(p, s, divisor);
  for (int64_t i = 0; i < s->n; i++) y[i] = divisor[i] == 0 ? (T)0 : sum[i] / divisor[i];
}

static void avg_strip_backward(const Pool *p, const Strip *s, const T *restrict dy, T *volume)
{
  T share[POOL_STRIP];
  divisors(p, s, share);
  for (int64_t i = 0; i < s->n; i++) share[i] = share[i] == 0 ? (T)0 : dy[i] / share[i];
  FOR_TAPS(p, s, volume, T, {WITH_STRIDE(p->stride[2], {
             for (int64_t i = begin; i < end; i++) x[i * S] += share[i];
           })})
}

/* x: [volumes, size]; y: [volumes, result] */
static void avg_pool(const Pool *p, int64_t volumes, const void *x, void *y)
{
  Strip s = {.known_first = -1};
  for (int64_t i = 0; i < volumes; i++) {
    const T *from = (const T *)x + i * inside_of(p);
    T *to = (T *)y + i * outside_of(p);
    FOR_STRIPS(p, s) avg_strip(p, &s, from, to + place_of(p, &s));
  }
}

/* dy: [volumes, result]; dx: [volumes, size] */
static void avg_pool_backward(const Pool *p, int64_t volumes, const void *dy, void *dx)
{
  Strip s = {.known_first = -1};
  memset(dx, 0, (size_t)(volumes * inside_of(p)) * sizeof(T));
  for (int64_t i = 0; i < volumes; i++) {
    const T *from = (const T *)dy + i * outside_of(p);
    T *to = (T *)dx + i * inside_of(p);
    FOR_STRIPS(p, s) avg_strip_backward(p, &s, from + place_of(p, &s), to);
  }
}

#endif

/* Not of AVX-512 (POOL_MAXIMA, kernels/isa.def), whose masks make these loops slower than AVX2's: with it the set below
   stays. */
#define HAS_MAXIMA ((T_FLOATING || T_INTEGRAL) && POOL_MAXIMA)

#if HAS_MAXIMA

/* ---- maxima ---- */

#if T_f64 || T_i64
typedef int64_t Offset;
#else
typedef int32_t Offset;
#endif

#if T_FLOATING
#define LOWEST (-(T)INFINITY)
#else
#define LOWEST ((T)-1 < 0 ? (T)((uint64_t)1 << (8 * sizeof(T) - 1)) : 0)
#endif

/* Whether a comes before b as a maximum: nan before all. A number of T's width, which gcc takes into vectors more
   readily than a truth. */
INLINE Offset before(T a, T b)
{
  Offset larger = a > b ? 1 : 0;
#if T_FLOATING
  larger = a != a ? 1 : larger;
#endif
  return larger;
}

/* The one that comes before the other, b if neither does. */
INLINE T first_of(T a, T b)
{
  const T larger = a > b ? a : b; /* an instruction of machines, which gives b if either is nan */
#if T_FLOATING
  return a != a ? a : larger;
#else
  return larger;
#endif
}

static void max_strip(const Pool *p, const Strip *s, const T *volume, T *restrict best)
{
  for (int64_t i = 0; i < s->n; i++) best[i] = LOWEST;
  FOR_TAPS(p, s, volume, const T, {WITH_STRIDE(p->stride[2], {
             for (int64_t i = begin; i < end; i++) best[i] = first_of(x[i * S], best[i]);
           })})
}

/* How far a tap is from its window's beginning. */
INLINE int64_t tap_offset(const Pool *p, int64_t kz, int64_t ky, int64_t kx)
{
  return (kz * p->dilation[0] * p->size[1] + ky * p->dilation[1]) * p->size[2] + kx * p->dilation[2];
}

/* The first tap of a window along a dimension that is within the volume. */
static int64_t first_tap(const Pool *p, int dim, int64_t result)
{
  int64_t begin = result * p->stride[dim] - p->padding[dim];
  return begin < 0 ? (-begin + p->dilation[dim] - 1) / p->dilation[dim] : 0;
}

/* The first tap of each window that is within the volume, from the window's beginning: where none is over the lowest
   number. */
static void first_offsets(const Pool *p, const Strip *s, Offset *at)
{
  int64_t kz = first_tap(p, 0, s->plane), ky = first_tap(p, 1, s->line);
  for (int64_t i = 0; i < s->n; i++) at[i] = (Offset)tap_offset(p, kz, ky, first_tap(p, 2, s->first + i));
}

/* The maxima of a strip, and how far from its window's beginning each is. */
static void max_strip_at(const Pool *p, const Strip *s, const T *volume, T *restrict best, Offset *restrict at)
{
  for (int64_t i = 0; i < s->n; i++) best[i] = LOWEST;
  first_offsets(p, s, at);
  FOR_TAPS(p, s, volume, const T, {
    Offset here = (Offset)tap_offset(p, kz, ky, kx);
    WITH_STRIDE(p->stride[2], {
      for (int64_t i = begin; i < end; i++) {
        Offset better = before(x[i * S], best[i]);
        best[i] = better ? x[i * S] : best[i];
        at[i] = better ? here : at[i];
      }
    })
  })
}

/* Where the window of a strip's first result begins in its volume. */
static int64_t window_of(const Pool *p, const Strip *s)
{
  int64_t plane = s->plane * p->stride[0] - p->padding[0], line = s->line * p->stride[1] - p->padding[1];
  return (plane * p->size[1] + line) * p->size[2] + s->first * p->stride[2] - p->padding[2];
}

/* Whether windows are of 2 by 2 side by side, the common ones, with nothing left over: all lines of all volumes are
   then alike. */
static bool are_pairs(const Pool *p)
{
  if (p->kernel[0] != 1 || p->stride[0] != 1 || p->padding[0] != 0) return false;
  for (int i = 1; i < 3; i++)
    if (p->kernel[i] != 2 || p->stride[i] != 2 || p->padding[i] != 0 || p->dilation[i] != 1
        || p->size[i] != 2 * p->result[i])
      return false;
  return true;
}

enum { PAIRS = 1024 };

/* The maxima of elements beside each other. */
INLINE void max_beside(const T *x, int64_t n, T *restrict y)
{
  for (int64_t i = 0; i < n; i++) y[i] = first_of(x[2 * i + 1], x[2 * i]);
}

/* The maxima of such windows, of lines of so many results, up to PAIRS / 2: first of the elements beside each other, of
   many lines on end, then of those below each other. */
static void max_pairs(const T *x, int64_t lines, int64_t width, T *restrict y)
{
  T beside[PAIRS];
  int64_t most = PAIRS / (2 * width);
  for (int64_t first = 0; first < lines; first += most) {
    int64_t n = min_i64(lines - first, most);
    const T *from = x + first * 4 * width;
    max_beside(from, 2 * n * width, beside);
    for (int64_t k = 0; k < n; k++) {
      const T *upper = beside + 2 * k * width, *lower = upper + width;
      T *to = y + (first + k) * width;
      for (int64_t i = 0; i < width; i++) to[i] = first_of(lower[i], upper[i]);
    }
  }
}

/* Whether windows are of 2 side by side along lines alone, with nothing left over. */
static bool are_line_pairs(const Pool *p)
{
  for (int i = 0; i < 3; i++) {
    const int64_t width = i == 2 ? 2 : 1;
    if (p->kernel[i] != width || p->stride[i] != width || p->padding[i] != 0 || p->size[i] != width * p->result[i])
      return false;
  }
  return p->dilation[2] == 1;
}

/* Images whose windows of a line of results meet no more columns than MAXIMA_LINE: first maxima of the lines that
   windows meet, with their padding, then of the columns of that. Lines are rounded up to vectors where there is room
   behind them. */
enum { MAXIMA_LINE = POOL_STRIP * 16, PIECE = VECTOR_BYTES / (int)sizeof(T) };

static int64_t whole_pieces(int64_t n) { return (n + PIECE - 1) & -PIECE; }

static int64_t columns_met(const Pool *p, int64_t results)
{
  return (results - 1) * p->stride[2] + (p->kernel[2] - 1) * p->dilation[2] + 1;
}

static bool are_lines(const Pool *p)
{
  return p->size[0] == 1 && p->result[0] == 1 && p->kernel[0] == 1 && p->result[2] > 0
         && columns_met(p, whole_pieces(p->result[2])) + p->padding[2] + PIECE <= MAXIMA_LINE;
}

INLINE void max_of_three(const T *a, const T *b, const T *c, int64_t n, T *restrict to)
{
  for (int64_t i = 0; i < n; i++) to[i] = first_of(c[i], first_of(b[i], a[i]));
}

/* The maxima of n columns of the lines that windows of a line of results meet. */
INLINE void max_of_lines(const Pool *p, int64_t result, const T *image, int64_t n, T *restrict to)
{
  const T *first[3] = {NULL};
  int count = 0; /* the first three are taken at once */
  for (int64_t k = 0; k < p->kernel[1]; k++) {
    const int64_t at = result * p->stride[1] - p->padding[1] + k * p->dilation[1];
    if (at < 0 || at >= p->size[1]) continue;
    const T *line = image + at * p->size[2];
    if (count < 3) {
      first[count++] = line;
      continue;
    }
    if (count++ == 3) max_of_three(first[0], first[1], first[2], n, to);
    for (int64_t i = 0; i < n; i++) to[i] = first_of(line[i], to[i]);
  }
  if (count > 0 && count <= 3) max_of_three(first[0], first[count > 1], first[count - 1], n, to);
  for (int64_t i = 0; count == 0 && i < n; i++) to[i] = LOWEST;
}

/* Of windows of columns; n results, which may be more than there are. */
INLINE void max_of_columns(const Pool *p, const T *columns, int64_t n, int64_t stride, T *restrict y)
{
  if (p->kernel[2] == 3 && p->dilation[2] == 1) {
    for (int64_t i = 0; i < n; i++)
      y[i] = first_of(columns[i * stride + 2], first_of(columns[i * stride + 1], columns[i * stride]));
    return;
  }
  for (int64_t i = 0; i < n; i++) y[i] = columns[i * stride];
  for (int64_t k = 1; k < p->kernel[2]; k++) {
    const T *at = columns + k * p->dilation[2];
    for (int64_t i = 0; i < n; i++) y[i] = first_of(at[i * stride], y[i]);
  }
}

static void max_by_lines(const Pool *p, int64_t images, const T *x, T *y)
{
  T columns[MAXIMA_LINE], maxima[MAXIMA_LINE];
  const int64_t n = p->result[2], rounded = whole_pieces(n), left = p->padding[2], met = columns_met(p, n);
  const int64_t inside = min_i64(p->size[2], met - left), whole = whole_pieces(inside);
  const T *end = x + images * inside_of(p), *y_end = y + images * outside_of(p);
  for (int64_t i = 0; i < MAXIMA_LINE; i++) columns[i] = LOWEST;
  for (int64_t i = 0; i < images; i++, x += inside_of(p))
    for (int64_t result = 0; result < p->result[1]; result++, y += n) {
      const bool has_room = end - x >= inside_of(p) + PIECE;
      max_of_lines(p, result, x, has_room ? whole : inside, columns + left);
      for (int64_t k = left + inside; has_room && k < met; k++) columns[k] = LOWEST;
      T *to = y_end - y >= rounded ? y : maxima;
      WITH_STRIDE(p->stride[2], { max_of_columns(p, columns, rounded, S, to); })
      if (to != y) memcpy(y, maxima, (size_t)n * sizeof(T));
    }
}

/* x: [volumes, size]; y, positions: [volumes, result] */
static void max_pool(const Pool *p, int64_t volumes, const void *x, void *y, int64_t *positions)
{
  if (!positions && are_pairs(p) && p->result[2] > 0 && p->result[2] <= PAIRS / 2) {
    max_pairs(x, volumes * p->result[0] * p->result[1], p->result[2], y);
    return;
  }
  if (!positions && are_line_pairs(p)) {
    max_beside(x, volumes * outside_of(p), y);
    return;
  }
  if (!positions && are_lines(p)) {
    max_by_lines(p, volumes, x, y);
    return;
  }
  Strip s = {.known_first = -1};
  Offset at[POOL_STRIP];
  for (int64_t i = 0; i < volumes; i++) {
    const T *from = (const T *)x + i * inside_of(p);
    FOR_STRIPS(p, s)
    {
      int64_t to = i * outside_of(p) + place_of(p, &s), window = window_of(p, &s);
      if (!positions) {
        max_strip(p, &s, from, (T *)y + to);
        continue;
      }
      max_strip_at(p, &s, from, (T *)y + to, at);
      for (int64_t j = 0; j < s.n; j++) positions[to + j] = window + j * p->stride[2] + at[j] + 1;
    }
  }
}

#if T_FLOATING

#include "kernels/typed/vector.h"

/* Of windows of 2 by 2 side by side each element of dx is written once. */
static void max_pairs_backward(const T *x, int64_t lines, int64_t width, const T *restrict dy, T *restrict dx)
{
  for (int64_t line = 0; line < lines; line++, x += 4 * width, dx += 4 * width, dy += width) {
    const T *x0 = x, *x1 = x0 + 2 * width;
    T *restrict d0 = dx, *restrict d1 = d0 + 2 * width;
    for (int64_t i = 0; i < width; i++) {
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
}

/* x, dx: [volumes, size]; dy: [volumes, result] */
static void max_pool_backward(const Pool *p, int64_t volumes, const void *x, const void *dy, void *dx)
{
  Strip s = {.known_first = -1};
  T best[POOL_STRIP];
  Offset at[POOL_STRIP];
  if (are_pairs(p)) {
    max_pairs_backward(x, volumes * p->result[0] * p->result[1], p->result[2], dy, dx);
    return;
  }
  memset(dx, 0, (size_t)(volumes * inside_of(p)) * sizeof(T));
  for (int64_t i = 0; i < volumes; i++) {
    const T *from = (const T *)x + i * inside_of(p), *d = (const T *)dy + i * outside_of(p);
    T *to = (T *)dx + i * inside_of(p);
    FOR_STRIPS(p, s)
    {
      const T *line = d + place_of(p, &s);
      max_strip_at(p, &s, from, best, at);
      T *window = to + window_of(p, &s);
      for (int64_t j = 0; j < s.n; j++, window += p->stride[2]) window[at[j]] += line[j];
    }
  }
}

/* From first to before last of planes, lines and columns: a window. */
typedef struct Box {
  int64_t first[3], last[3];
} Box;

/* The largest of a line of two vectors and more, nan before all. */
static T max_of_line(const T *x, int64_t n)
{
  Vector best = load(x), other = load(x + n - V);
  for (int64_t i = V; i + 2 * V <= n; i += 2 * V) {
    const Vector a = load(x + i), b = load(x + i + V);
    best = choose((a > best) | (a != a), a, best);
    other = choose((b > other) | (b != b), b, other);
  }
  const Vector last = load(x + n - 2 * V);
  best = choose((last > best) | (last != last), last, best);
  T lane[2 * V];
  store(lane, best);
  store(lane + V, other);
  for (int j = 1; j < 2 * V; j++) lane[0] = before(lane[j], lane[0]) ? lane[j] : lane[0];
  return lane[0];
}

/* Where a line's largest number is: the first place of it, and the last one of nan. */
static int64_t place_in_line(const T *x, int64_t n, T best)
{
  int64_t i = 0;
  if (best != best) {
    for (i = n - 1; x[i] == x[i];) i--;
  } else {
    while (i + V <= n && !lanes_set(load(x + i) == AS_VECTOR(best))) i += V;
    while (x[i] != best) i++;
  }
  return i;
}

static int64_t place_of_max(const Pool *p, const T *volume, const Box *b)
{
  int64_t at = (b->first[0] * p->size[1] + b->first[1]) * p->size[2] + b->first[2];
  T best = -(T)INFINITY;
  for (int64_t z = b->first[0]; z < b->last[0]; z++)
    for (int64_t y = b->first[1]; y < b->last[1]; y++) {
      const int64_t line = (z * p->size[1] + y) * p->size[2] + b->first[2], columns = b->last[2] - b->first[2];
      if (columns >= 2 * V) {
        const T largest = max_of_line(volume + line, columns);
        if (!before(largest, best)) continue;
        best = largest;
        at = line + place_in_line(volume + line, columns, best);
        continue;
      }
      for (int64_t here = line; here < line + columns; here++) {
        if (!before(volume[here], best)) continue;
        best = volume[here];
        at = here;
      }
    }
  return at;
}

/* begins: [result] of this dimension, or NULL for an adaptive window */
INLINE void set_window(const Pool *p, int dim, const int64_t *begins, int64_t result, Box *b)
{
  b->first[dim] = begins ? begins[result] - 1 : adaptive_first(result, p->size[dim], p->result[dim]);
  b->last[dim] = begins ? b->first[dim] + p->kernel[dim] : adaptive_last(result, p->size[dim], p->result[dim]);
}

/* x: [volumes, size]; begins: [volumes, the sum of result] or NULL; y, positions: [volumes, result] */
static void placed_max_pool(const Pool *p, int64_t volumes, const int64_t *begins, const void *x, void *y,
                            int64_t *positions)
{
  T *to = y;
  Box b;
  for (int64_t i = 0; i < volumes; i++) {
    const T *volume = (const T *)x + i * inside_of(p);
    const int64_t *of[3];
    for (int dim = 0; dim < 3; dim++) {
      of[dim] = begins;
      if (begins) begins += p->result[dim];
    }
    for (int64_t plane = 0; plane < p->result[0]; plane++) {
      set_window(p, 0, of[0], plane, &b);
      for (int64_t line = 0; line < p->result[1]; line++) {
        set_window(p, 1, of[1], line, &b);
        for (int64_t column = 0; column < p->result[2]; column++) {
          set_window(p, 2, of[2], column, &b);
          int64_t at = place_of_max(p, volume, &b);
          *to++ = volume[at];
          *positions++ = at + 1;
        }
      }
    }
  }
}

#endif
#endif

void TYPED(fill_pool)(PoolKernels *t) AT_START;
void TYPED(fill_pool)(PoolKernels *t)
{
#if T_FLOATING || T_i64
  t->average = avg_pool;
  t->average_backward = avg_pool_backward;
#endif
#if HAS_MAXIMA
  t->max = max_pool;
#endif
#if HAS_MAXIMA && T_FLOATING
  t->max_backward = max_pool_backward;
  t->placed_max = placed_max_pool;
#endif
  (void)t;
}
