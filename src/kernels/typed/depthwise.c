/*
 * Convolutions of one channel a group (kernels/depthwise.h). Vectors go along the lines of an image as it lies; those
 * at its edges are loaded in parts, the rest being 0. Several lines of the result are made at a time, so that a weight
 * or a line of the image serves them all.
 */
#include "kernels/depthwise.h"

#include "core/blocks.h"
#include "kernels/typed/typed.h"

#if T_FLOATING

#include "kernels/typed/turns.h"

enum {
  SUM_LINES = BLOCK_SIZE(8, 2), /* of a result at a time, at most */
  DOT_LINES = 4,
  DOT_STRIP = BLOCK_SIZE(16, 4), /* lines that stay in the first cache while their columns go by */
  DOT_COLUMNS = 5,               /* taps of a line at a time, at most */
  MOST_WIDE = 7,
  ORDERED_TAPS = 64,
  FLAT_MASKS = 2048, /* of a plane that is one run, at most */
  FLAT_VECTORS = 4,  /* of its results at a time */
  FLAT_TAPS = 9      /* of its dot products at a time */
};

/* ---- loads ---- */

/* Lanes from memory from one to before another, the others 0; nothing else is read. */
INLINE Vector load_between(const T *p, int begin, int end)
{
#if __AVX512F__
  return load_lanes(p, (Lanes)(lanes_of(end) & ~lanes_of(begin)));
#elif __AVX2__
  return load_lanes(p, _mm256_andnot_si256(lanes_of(begin), lanes_of(end)));
#else
  T line[V] = {0};
  for (int j = begin; j < end; j++) line[j] = p[j];
  return load(line);
#endif
}

/* What the lanes of a vector meet for a tap: of a line, elements [begin, end) counted from the first lane's. */
typedef struct Reach {
  int begin, end;
} Reach;

INLINE int within(int64_t n, int most) { return n < 0 ? 0 : n > most ? most : (int)n; }

INLINE Reach reach_at(int64_t at, int64_t size)
{
  const int begin = within(-at, 2 * V), end = within(size - at, 2 * V);
  return (Reach){begin, end < begin ? begin : end};
}

/* Whether loads of some lanes cost more than those of all. */
#if __AVX512F__
enum { PARTS_COST = 0 };
#else
enum { PARTS_COST = 1 };
#endif

/* Whether taps meet nothing but elements of a line, at a vector of places. */
INLINE bool is_inside(const PlaneTaps *t, int64_t column, int64_t size)
{
  const int64_t first = column * t->stride + t->first, reach = (t->count - 1) * t->apart;
  return first + (reach < 0 ? reach : 0) >= 0 && first + (reach < 0 ? 0 : reach) + (V - 1) * t->stride < size;
}

/* The numbers that a tap meets, `stride` apart. */
INLINE Vector load_tap(const T *p, int stride, bool inside, Reach r)
{
  if (stride == 1) return inside ? load(p) : load_between(p, within(r.begin, V), within(r.end, V));
  if (inside) return load_every_other(p);
  return every_other(load_between(p, within(r.begin, V), within(r.end, V)),
                     load_between(p + V - 1, within(r.begin - (V - 1), V), within(r.end - (V - 1), V)));
}

/* ---- sums ---- */

/* A block of vectors of results: of the lines from `line` on, or of one line side by side. */
typedef struct Block {
  const PlaneSums *k;
  int64_t line, column;
  bool side_by_side;
  T ordered[ORDERED_TAPS]; /* weights, line by line */
} Block;

/* Places beside each other, all inside of a line, or below each other, of which a tap may miss the image. */
INLINE void tap_sums(const Block *b, const PlaneTaps *t, int vectors, int stride, bool inside, Vector *sum)
{
  const PlaneSums *k = b->k;
  const int64_t step = b->side_by_side ? V * stride : k->s->line.stride * k->s->x_line;
  const int64_t below = b->side_by_side ? 0 : k->s->line.stride, column = b->column * stride + t->first;
  for (int64_t n = 0; n < k->terms; n++)
    for (int64_t l = 0; l < k->s->line.count; l++) {
      const int64_t line = b->line * k->s->line.stride + k->s->line.first + l * k->s->line.apart;
      const T *x = (const T *)k->x + n * k->x_term + line * k->s->x_line + column;
      const T *w = (const T *)k->w + n * k->w_term + k->s->line.weight_first + l * k->s->line.weight + t->weight_first;
      const bool all = line >= 0 && line + (vectors - 1) * below < k->s->x_lines;
      for (int64_t c = 0; c < t->count; c++, x += t->apart, w += t->weight) {
        const Reach reach = inside ? (Reach){0, 0} : reach_at(column + c * t->apart, k->s->x_columns);
        if (all) {
          UNROLL for (int i = 0; i < vectors; i++) sum[i] += *w * load_tap(x + i * step, stride, inside, reach);
        } else {
          UNROLL for (int i = 0; i < vectors; i++) if ((uint64_t)(line + i * below) < (uint64_t)k->s->x_lines)
            sum[i] += *w * load_tap(x + i * step, stride, inside, reach);
        }
      }
    }
}

/* Three taps of a line by three, one element apart: each line of the image is loaded once. */
INLINE void sums_of_nine(const Block *b, int vectors, int stride, bool inside, Vector *sum)
{
  const PlaneSums *k = b->k;
  const PlaneTaps *t = k->s->column;
  const int64_t column = b->column * stride + t->first, first = b->line * stride + k->s->line.first;
  const Reach left = reach_at(column, k->s->x_columns), middle = reach_at(column + 1, k->s->x_columns);
  const Reach right = reach_at(column + 2, k->s->x_columns);
  for (int64_t n = 0; n < k->terms; n++) {
    const T *x = (const T *)k->x + n * k->x_term + first * k->s->x_line + column;
    const T *at = (const T *)k->w + n * k->w_term + k->s->line.weight_first + t->weight_first;
    T w[3][3];
    UNROLL for (int i = 0; i < 9; i++) w[i / 3][i % 3] = at[i / 3 * k->s->line.weight + i % 3 * t->weight];
    UNROLL for (int l = 0; l < (vectors - 1) * stride + 3; l++, x += k->s->x_line)
    {
      if ((uint64_t)(first + l) >= (uint64_t)k->s->x_lines) continue;
      const Vector a = load_tap(x, stride, inside, left), c = load_tap(x + 1, stride, inside, middle);
      const Vector d = load_tap(x + 2, stride, inside, right);
      UNROLL for (int i = 0; i < vectors; i++)
      {
        const int tap = l - i * stride;
        if (tap < 0 || tap > 2) continue;
        sum[i] += w[tap][0] * a;
        sum[i] += w[tap][1] * c;
        sum[i] += w[tap][2] * d;
      }
    }
  }
}

INLINE void start_sums(const PlaneSums *k, int vectors, Vector *sum)
{
  const T start = k->start ? *(const T *)k->start : 0;
  UNROLL for (int i = 0; i < vectors; i++) sum[i] = (Vector){0} + start;
}

/* So many lanes of them from a result's column on. */
INLINE void store_sums(const Block *b, int64_t column, int vectors, int count, const Vector *sum)
{
  const PlaneSums *k = b->k;
  T *y = (T *)k->y + b->line * k->y_line + column;
  const Lanes lanes = lanes_of(count);
  UNROLL for (int i = 0; i < vectors; i++, y += b->side_by_side ? V : k->y_line)
  {
    if (k->add) store_first(y, lanes, count, load_first(y, lanes, count) + sum[i]);
    else if (count == V) store(y, sum[i]);
    else store_first(y, lanes, count, sum[i]);
  }
}

/* Weights of lines of so many taps, one element apart, by which each line of the image is loaded once. */
static void order_weights(Block *b)
{
  const PlaneSums *k = b->k;
  const PlaneTaps *line = &k->s->line, *column = k->s->column;
  const T *w = (const T *)k->w + line->weight_first + column->weight_first;
  for (int64_t l = 0; l < line->count; l++)
    for (int64_t c = 0; c < column->count; c++)
      b->ordered[l * column->count + c] = w[l * line->weight + c * column->weight];
}

INLINE void wide_sums(const Block *b, int width, int vectors, int stride, bool inside, Vector *sum)
{
  const PlaneSums *k = b->k;
  const int64_t column = b->column * stride + k->s->column->first, first = b->line * stride + k->s->line.first;
  const int taps = (int)k->s->line.count;
  Reach reach[MOST_WIDE];
  UNROLL for (int c = 0; c < width; c++) reach[c] = reach_at(column + c, k->s->x_columns);
  const T *x = (const T *)k->x + first * k->s->x_line + column;
  for (int l = 0; l < (vectors - 1) * stride + taps; l++, x += k->s->x_line) {
    if ((uint64_t)(first + l) >= (uint64_t)k->s->x_lines) continue;
    Vector v[MOST_WIDE];
    UNROLL for (int c = 0; c < width; c++) v[c] = load_tap(x + c, stride, inside, reach[c]);
    UNROLL for (int i = 0; i < vectors; i++)
    {
      const int tap = l - i * stride;
      if (tap < 0 || tap >= taps) continue;
      UNROLL for (int c = 0; c < width; c++) sum[i] += b->ordered[tap * width + c] * v[c];
    }
  }
}

/* How a plane is gone through. */
typedef enum { ANY_TAPS, NINE_TAPS, FIVE_WIDE, SEVEN_WIDE, IN_TURNS } PlaneWay;

INLINE void sums_by(const Block *b, PlaneWay way, int vectors, int stride, bool inside, Vector *sum)
{
  switch (way) {
    case NINE_TAPS: sums_of_nine(b, vectors, stride, inside, sum); break;
    case FIVE_WIDE: wide_sums(b, 5, vectors, stride, inside, sum); break;
    case SEVEN_WIDE: wide_sums(b, 7, vectors, stride, inside, sum); break;
    default: tap_sums(b, b->k->s->column, vectors, stride, inside, sum);
  }
}

INLINE void run_sums(const Block *b, PlaneWay way, int vectors, int stride)
{
  const PlaneSums *k = b->k;
  Vector sum[SUM_LINES];
  const int64_t last = b->side_by_side ? b->column + (vectors - 1) * V : b->column;
  const int64_t size = k->s->x_columns;
  const bool inside = is_inside(k->s->column, b->column, size) && is_inside(k->s->column, last, size);
  start_sums(k, vectors, sum);
  if (PARTS_COST && inside) sums_by(b, way, vectors, stride, true, sum);
  else sums_by(b, way, vectors, stride, false, sum);
  store_sums(b, b->column, vectors, within(k->s->columns - b->column, V), sum);
}

/* Of 2 V columns even ones by one kind of taps, odd ones by the other; the block's column counts pairs. */
INLINE void run_turns(const Block *b, int vectors)
{
  const PlaneSums *k = b->k;
  Vector sum[2][SUM_LINES], first[SUM_LINES], last[SUM_LINES];
  UNROLL for (int i = 0; i < 2; i++)
  {
    start_sums(k, vectors, sum[i]);
    const PlaneTaps *t = &k->s->column[i];
    if (PARTS_COST && is_inside(t, b->column, k->s->x_columns)) tap_sums(b, t, vectors, 1, true, sum[i]);
    else tap_sums(b, t, vectors, 1, false, sum[i]);
  }
  UNROLL for (int i = 0; i < vectors; i++)
  {
    first[i] = first_in_turns(sum[0][i], sum[1][i]);
    last[i] = last_in_turns(sum[0][i], sum[1][i]);
  }
  const int64_t column = 2 * b->column, left = k->s->columns - column;
  store_sums(b, column, vectors, within(left, V), first);
  if (left > V) store_sums(b, column + V, vectors, within(left - V, V), last);
}

/* All columns of so many lines. A vector that isn't whole begins earlier, where there are enough before it. */
INLINE void run_lines(Block *b, PlaneWay way, int lines, int stride)
{
  const PlaneSums *k = b->k;
  const int64_t places = way == IN_TURNS ? (k->s->columns + 1) / 2 : k->s->columns;
  const bool overlaps = way != IN_TURNS && places >= V && !k->add;
  for (int64_t c = 0; c < places; c += V) {
    b->column = overlaps && places - c < V ? places - V : c;
    if (way == IN_TURNS) run_turns(b, lines);
    else run_sums(b, way, lines, stride);
  }
}

/* All columns of a line, several vectors at a time where they meet nothing but the image. */
INLINE void run_line(Block *b, int stride)
{
  enum { VECTORS = SUM_LINES };
  const PlaneSums *k = b->k;
  for (int64_t c = 0; c < k->s->columns;) {
    const int64_t last = c + (VECTORS - 1) * V;
    b->column = c;
    b->side_by_side = last + V <= k->s->columns && is_inside(k->s->column, c, k->s->x_columns)
                      && is_inside(k->s->column, last, k->s->x_columns);
    if (b->side_by_side) run_sums(b, ANY_TAPS, VECTORS, stride);
    else run_sums(b, ANY_TAPS, 1, stride);
    c += b->side_by_side ? VECTORS * V : V;
  }
  b->side_by_side = false;
}

INLINE void run_plane(const PlaneSums *k, PlaneWay way, int stride)
{
  Block b;
  b.k = k;
  b.side_by_side = false;
  if (way == FIVE_WIDE || way == SEVEN_WIDE) order_weights(&b);
  for (b.line = 0; b.line < k->s->lines;) {
    const int64_t lines = k->s->lines - b.line;
    if (lines >= SUM_LINES) {
      run_lines(&b, way, SUM_LINES, stride);
      b.line += SUM_LINES;
    } else if (SUM_LINES > 4 && lines >= 4) {
      run_lines(&b, way, 4, stride);
      b.line += 4;
    } else if (SUM_LINES > 2 && lines >= 2) {
      run_lines(&b, way, 2, stride);
      b.line += 2;
    } else {
      if (way == ANY_TAPS) run_line(&b, stride);
      else run_lines(&b, way, 1, stride);
      b.line++;
    }
  }
}

/* Whether taps lie one element apart, and lines of the result a stride as its columns do. */
static bool is_close(const PlaneShape *s)
{
  return s->line.apart == 1 && s->column->apart == 1 && s->line.stride == s->column->stride;
}

static PlaneWay way_of(const PlaneSums *k)
{
  const int64_t lines = k->s->line.count, columns = k->s->column->count;
  if (!is_close(k->s)) return ANY_TAPS;
  if (lines == 3 && columns == 3) return NINE_TAPS;
  if (k->terms != 1 || lines < 3 || lines * columns > ORDERED_TAPS) return ANY_TAPS;
  return columns == 5 ? FIVE_WIDE : columns == 7 ? SEVEN_WIDE : ANY_TAPS;
}

INLINE void run_way(const PlaneSums *k, int stride)
{
  switch (way_of(k)) {
    case NINE_TAPS: run_plane(k, NINE_TAPS, stride); break;
    case FIVE_WIDE: run_plane(k, FIVE_WIDE, stride); break;
    case SEVEN_WIDE: run_plane(k, SEVEN_WIDE, stride); break;
    default: run_plane(k, ANY_TAPS, stride);
  }
}

/* ---- planes as one run ---- */

#if HAS_LANES

static int64_t vectors_of(const PlaneShape *s) { return (s->lines * s->columns + V - 1) / V; }

static int64_t mask_bytes(const PlaneShape *s)
{
  const bool one_line = s->lines == 1 && s->x_lines == 1;
  const bool narrow = s->columns <= V && s->columns == s->x_columns && s->columns == s->x_line;
  if (s->line.stride != 1 || s->column->stride != 1 || !(one_line || narrow)) return 0;
  if (is_close(s) && s->columns > V / 2 && s->column->count <= MOST_WIDE && s->column->count % 2 && s->line.count > 2)
    return 0; /* lines that fill vectors are loaded once for all taps */
  const int64_t masks = vectors_of(s) * s->line.count * s->column->count;
  return masks > 0 && masks <= FLAT_MASKS ? masks * (int64_t)sizeof(Lanes) : 0;
}

INLINE Lanes lanes_of_mask(Mask mask)
{
#if __AVX512F__
  return (Lanes)lanes_set(mask);
#else
  return (Lanes)mask;
#endif
}

/* The lanes of places at..at + V - 1 for which a tap meets the plane. */
static Lanes lanes_inside(const PlaneShape *s, int64_t at, int64_t line_tap, int64_t column_tap)
{
  T inside[V];
  for (int i = 0; i < V; i++) {
    const int64_t line = (at + i) / s->columns, column = (at + i) % s->columns;
    const int64_t x_line = line + s->line.first + line_tap * s->line.apart;
    const int64_t x_column = column + s->column->first + column_tap * s->column->apart;
    inside[i] = line < s->lines && x_line >= 0 && x_line < s->x_lines && x_column >= 0 && x_column < s->x_columns;
  }
  return lanes_of_mask(load(inside) != (Vector){0});
}

static void make_masks(const PlaneShape *s, void *masks)
{
  Lanes *to = masks;
  for (int64_t l = 0; l < s->line.count; l++)
    for (int64_t c = 0; c < s->column->count; c++)
      for (int64_t at = 0; at < s->lines * s->columns; at += V) *to++ = lanes_inside(s, at, l, c);
}

static int64_t offset_of(const PlaneShape *s, int64_t line_tap, int64_t column_tap)
{
  return (s->line.first + line_tap * s->line.apart) * s->x_line + s->column->first + column_tap * s->column->apart;
}

INLINE void flat_sums(const PlaneSums *k, int64_t first, int vectors)
{
  Vector sum[FLAT_VECTORS];
  const T start = k->start ? *(const T *)k->start : 0;
  const int64_t places = k->s->lines * k->s->columns;
  UNROLL for (int i = 0; i < vectors; i++) sum[i] = (Vector){0} + start;
  for (int64_t n = 0; n < k->terms; n++) {
    const Lanes *lanes = (const Lanes *)k->s->masks + first;
    for (int64_t l = 0; l < k->s->line.count; l++) {
      const T *x = (const T *)k->x + n * k->x_term + offset_of(k->s, l, 0) + first * V;
      const T *w = (const T *)k->w + n * k->w_term + k->s->line.weight_first + l * k->s->line.weight
                   + k->s->column->weight_first;
      for (int64_t c = 0; c < k->s->column->count; c++, lanes += vectors_of(k->s)) {
        UNROLL for (int i = 0; i < vectors; i++) sum[i] += *w * load_lanes(x + i * V, lanes[i]);
        x += k->s->column->apart;
        w += k->s->column->weight;
      }
    }
  }
  UNROLL for (int i = 0; i < vectors; i++)
  {
    const int64_t at = (first + i) * V;
    const int count = within(places - at, V);
    T *y = (T *)k->y + at;
    if (k->add) sum[i] += load_first(y, lanes_of(count), count);
    if (count == V) store(y, sum[i]);
    else store_first(y, lanes_of(count), count, sum[i]);
  }
}

static void run_flat(const PlaneSums *k)
{
  const int64_t vectors = vectors_of(k->s);
  int64_t at = 0;
  for (; at + FLAT_VECTORS <= vectors; at += FLAT_VECTORS) flat_sums(k, at, FLAT_VECTORS);
  for (; at + 2 <= vectors; at += 2) flat_sums(k, at, 2);
  if (at < vectors) flat_sums(k, at, 1);
}

/* Of taps from one on, counted line by line. */
INLINE void flat_dots(const PlaneDots *k, int64_t tap, int taps)
{
  Vector sum[FLAT_TAPS];
  const int64_t vectors = vectors_of(k->s), places = k->s->lines * k->s->columns, columns = k->s->column->count;
  const T *x[FLAT_TAPS];
  T *to = (T *)k->sums + tap * V;
  UNROLL for (int t = 0; t < taps; t++)
  {
    sum[t] = load(to + t * V);
    x[t] = (const T *)k->x + offset_of(k->s, (tap + t) / columns, (tap + t) % columns);
  }
  const Lanes *lanes = (const Lanes *)k->s->masks + tap * vectors;
  for (int64_t at = 0; at < vectors; at++) {
    const int count = within(places - at * V, V);
    const Vector dy = load_first((const T *)k->dy + at * V, lanes_of(count), count);
    UNROLL for (int t = 0; t < taps; t++) sum[t] += dy * load_lanes(x[t] + at * V, lanes[t * vectors + at]);
  }
  UNROLL for (int t = 0; t < taps; t++) store(to + t * V, sum[t]);
}

static void dot_flat(const PlaneDots *k)
{
  const int64_t taps = k->s->line.count * k->s->column->count;
  int64_t tap = 0;
  for (; tap + FLAT_TAPS <= taps; tap += FLAT_TAPS) flat_dots(k, tap, FLAT_TAPS);
  for (; tap + 4 <= taps; tap += 4) flat_dots(k, tap, 4);
  for (; tap < taps; tap++) flat_dots(k, tap, 1);
}

#else

static int64_t mask_bytes(const PlaneShape *s)
{
  (void)s;
  return 0;
}

static void make_masks(const PlaneShape *s, void *masks) { (void)s, (void)masks; }
static void run_flat(const PlaneSums *k) { (void)k; }
static void dot_flat(const PlaneDots *k) { (void)k; }

#endif

static void sums(const PlaneSums *k)
{
  if (k->s->masks) run_flat(k);
  else if (k->s->column->stride == 1) run_way(k, 1);
  else run_way(k, 2);
}

static void turns(const PlaneSums *k) { run_plane(k, IN_TURNS, 1); }

/* ---- dot products ---- */

/* A vector of columns of some lines of dy. */
typedef struct Strip {
  const PlaneDots *k;
  int64_t line, lines, column;
  int count; /* lanes that are columns */
} Strip;

INLINE Vector gradients_at(const Strip *s, int64_t line)
{
  const T *dy = (const T *)s->k->dy + line * s->k->dy_line + s->column;
  return s->count == V ? load(dy) : load_first(dy, lanes_of(s->count), s->count);
}

/* What the strip's columns meet, and no lane behind them. */
INLINE Reach reach_of(const Strip *s, int64_t at, int stride)
{
  const int64_t end = at + (s->count - 1) * stride + 1;
  return reach_at(at, end < s->k->s->x_columns ? end : s->k->s->x_columns);
}

INLINE const T *line_of(const PlaneDots *k, int64_t line) { return (const T *)k->x + line * k->s->x_line; }

/* Of so many taps of a line from one on; the strip's lines all meet the image. */
INLINE void dot_taps(const Strip *s, int64_t line_tap, int64_t tap, int taps, int stride, bool inside, Vector *sum)
{
  const PlaneDots *k = s->k;
  const int64_t column = s->column * stride + k->s->column->first + tap * k->s->column->apart;
  Reach reach[DOT_COLUMNS];
  UNROLL for (int c = 0; c < taps; c++) reach[c] = reach_of(s, column + c * k->s->column->apart, stride);
  for (int64_t l = s->line; l < s->line + s->lines; l++) {
    const T *x = line_of(k, l * k->s->line.stride + k->s->line.first + line_tap * k->s->line.apart) + column;
    const Vector dy = gradients_at(s, l);
    UNROLL for (int c = 0; c < taps; c++)
      sum[c] += dy * load_tap(x + c * k->s->column->apart, stride, inside, reach[c]);
  }
}

/* Lines of results whose tap meets the image. */
static void lines_of_tap(const PlaneDots *k, int64_t tap, int64_t *begin, int64_t *end)
{
  const int64_t at = k->s->line.first + tap * k->s->line.apart, stride = k->s->line.stride;
  const int64_t first = at < 0 ? (-at + stride - 1) / stride : 0;
  const int64_t last = at < k->s->x_lines ? (k->s->x_lines - 1 - at) / stride + 1 : 0;
  *begin = first < k->s->lines ? first : k->s->lines;
  *end = last < *begin ? *begin : last < k->s->lines ? last : k->s->lines;
}

INLINE void dot_chunk(const PlaneDots *k, int64_t line_tap, int64_t tap, int taps, int stride)
{
  Vector sum[DOT_COLUMNS];
  T *to = (T *)k->sums + (line_tap * k->s->column->count + tap) * V;
  int64_t begin, end;
  lines_of_tap(k, line_tap, &begin, &end);
  UNROLL for (int c = 0; c < taps; c++) sum[c] = load(to + c * V);
  for (Strip s = {.k = k, .line = begin}; s.line < end; s.line += DOT_STRIP) {
    s.lines = end - s.line < DOT_STRIP ? end - s.line : DOT_STRIP;
    for (s.column = 0; s.column < k->s->columns; s.column += V) {
      s.count = within(k->s->columns - s.column, V);
      if (PARTS_COST && s.count == V && is_inside(k->s->column, s.column, k->s->x_columns))
        dot_taps(&s, line_tap, tap, taps, stride, true, sum);
      else dot_taps(&s, line_tap, tap, taps, stride, false, sum);
    }
  }
  UNROLL for (int c = 0; c < taps; c++) store(to + c * V, sum[c]);
}

INLINE void dot_any(const PlaneDots *k, int stride)
{
  for (int64_t l = 0; l < k->s->line.count; l++)
    for (int64_t tap = 0; tap < k->s->column->count;) {
      const int64_t left = k->s->column->count - tap;
      const int taps = left > 2 * DOT_COLUMNS ? DOT_COLUMNS : left > DOT_COLUMNS ? (int)(left + 1) / 2 : (int)left;
      switch (taps) {
        case 1: dot_chunk(k, l, tap, 1, stride); break;
        case 2: dot_chunk(k, l, tap, 2, stride); break;
        case 3: dot_chunk(k, l, tap, 3, stride); break;
        case 4: dot_chunk(k, l, tap, 4, stride); break;
        default: dot_chunk(k, l, tap, 5, stride);
      }
      tap += taps;
    }
}

/* Nine taps: of so many lines of dy, each line of the image is loaded once. */
INLINE void dot_nine_lines(const Strip *s, int64_t line, int lines, int stride, bool inside, const Reach *reach,
                           Vector sum[3][3])
{
  const PlaneDots *k = s->k;
  const int64_t first = line * stride + k->s->line.first;
  Vector dy[DOT_LINES];
  UNROLL for (int i = 0; i < lines; i++) dy[i] = gradients_at(s, line + i);
  UNROLL for (int l = 0; l < (lines - 1) * stride + 3; l++)
  {
    if ((uint64_t)(first + l) >= (uint64_t)k->s->x_lines) continue;
    const T *x = line_of(k, first + l) + s->column * stride + k->s->column->first;
    UNROLL for (int c = 0; c < 3; c++)
    {
      const Vector v = load_tap(x + c, stride, inside, reach[c]);
      UNROLL for (int i = 0; i < lines; i++)
      {
        const int tap = l - i * stride;
        if (tap >= 0 && tap < 3) sum[tap][c] += dy[i] * v;
      }
    }
  }
}

INLINE void dot_nine_strip(const Strip *s, int stride, bool inside, Vector sum[3][3])
{
  Reach reach[3];
  UNROLL for (int c = 0; c < 3; c++) reach[c] = reach_of(s, s->column * stride + s->k->s->column->first + c, stride);
  int64_t line = s->line;
  const int64_t end = s->line + s->lines;
  for (; line + DOT_LINES <= end; line += DOT_LINES) dot_nine_lines(s, line, DOT_LINES, stride, inside, reach, sum);
  for (; line < end; line++) dot_nine_lines(s, line, 1, stride, inside, reach, sum);
}

INLINE void dot_nine(const PlaneDots *k, int stride)
{
  Vector sum[3][3];
  T *to = k->sums;
  UNROLL for (int l = 0; l < 3; l++) UNROLL for (int c = 0; c < 3; c++) sum[l][c] = load(to + (l * 3 + c) * V);
  for (Strip s = {.k = k}; s.line < k->s->lines; s.line += DOT_STRIP) {
    s.lines = k->s->lines - s.line < DOT_STRIP ? k->s->lines - s.line : DOT_STRIP;
    for (s.column = 0; s.column < k->s->columns; s.column += V) {
      s.count = within(k->s->columns - s.column, V);
      if (PARTS_COST && s.count == V && is_inside(k->s->column, s.column, k->s->x_columns))
        dot_nine_strip(&s, stride, true, sum);
      else dot_nine_strip(&s, stride, false, sum);
    }
  }
  UNROLL for (int l = 0; l < 3; l++) UNROLL for (int c = 0; c < 3; c++) store(to + (l * 3 + c) * V, sum[l][c]);
}

static void dots(const PlaneDots *k)
{
  const bool nine = is_close(k->s) && k->s->line.count == 3 && k->s->column->count == 3;
  if (k->s->masks) {
    dot_flat(k);
  } else if (k->s->column->stride == 1) {
    if (nine) dot_nine(k, 1);
    else dot_any(k, 1);
  } else {
    if (nine) dot_nine(k, 2);
    else dot_any(k, 2);
  }
}

static void totals(int64_t n, const void *sums, void *to)
{
  for (int64_t i = 0; i < n; i++) ((T *)to)[i] = total_of(load((const T *)sums + i * V));
}

#endif

void TYPED(fill_depthwise)(DepthwiseKernels *t) AT_START;
void TYPED(fill_depthwise)(DepthwiseKernels *t)
{
#if T_FLOATING
  t->vector = V;
  t->mask_bytes = mask_bytes;
  t->make_masks = make_masks;
  t->sums = sums;
  t->turns = turns;
  t->dots = dots;
  t->totals = totals;
#endif
  (void)t;
}
