/*
 * The products of a convolution, by taps (kernels/conv.h). Floats hold a block of the result in registers: some rows
 * by some vectors of positions, each vector within one line.
 */
#include "kernels/conv.h"
#include "core/blocks.h"
#include "kernels/typed/vector.h"

#if T_FLOATING

/* How many vectors a block of so many rows has: 24 sums with 32 registers, 12 with 16. */
#if NNLUA_SMALL_BLOCKS
enum { MOST_ROWS = 2, MOST_VECTORS = 2, DOT_ROWS = 2 };
#define BLOCKS(X) X(1, 2) X(2, 2)
#else
enum { MOST_ROWS = CONV_ROWS, MOST_VECTORS = 8, DOT_ROWS = CONV_DOT_ROWS }; /* kernels/isa.def */
#endif
#if NNLUA_SMALL_BLOCKS
#elif CONV_ROWS == 8
#define BLOCKS(X) X(1, 8) X(2, 8) X(3, 8) X(4, 6) X(5, 4) X(6, 4) X(7, 3) X(8, 3)
#else
#define BLOCKS(X) X(1, 8) X(2, 6) X(3, 4) X(4, 3)
#endif

/* Rows are cut into blocks as even as they can be. */
static int64_t rows_of_block(int64_t rows)
{
  int64_t blocks = (rows + MOST_ROWS - 1) / MOST_ROWS;
  return blocks ? (rows + blocks - 1) / blocks : 1;
}

/* A vector of positions: where it is in the slab and in the result, and how many of its lanes count. If these are not
   side by side in the result, `column` is the first one's in its line. */
typedef struct Place {
  int64_t x, y;
  int32_t count, column;
} Place;

typedef struct Block {
  const ConvTaps *k;
  const T *w, *bias;
  T *y;
  bool flat;
} Block;

/* A line's columns are followed by some that don't count, and then by the next line. */
static void store_flat(const ConvTaps *k, T *y, const Place *place, const T *line)
{
  int64_t column = place->column;
  for (int j = 0; j < place->count; j++) {
    if (column < k->columns) y[column * k->y_column] = line[j];
    if (++column < k->x_line) continue;
    column = 0;
    y += k->y_line;
  }
}

INLINE void store_place(const Block *b, const Place *place, int row, Vector v)
{
  T *y = b->y + row * b->k->y_row + place->y, line[V];
  if (!b->flat && b->k->y_column == 1) {
    if (place->count == V) store(y, v);
    else store_first(y, lanes_of(place->count), place->count, v);
    return;
  }
  store(line, v);
  if (b->flat) {
    store_flat(b->k, y, place, line);
    return;
  }
  for (int j = 0; j < place->count; j++) y[j * b->k->y_column] = line[j];
}

/* rows and vectors are constants where it is called, so that the sums stay in registers. */
INLINE void run_block(const Block *b, const Place *places, int rows, int vectors)
{
  Vector sum[MOST_ROWS][MOST_VECTORS];
  const int64_t taps = b->k->taps, *offsets = b->k->at;
  const T *w = b->w, *x[MOST_VECTORS];
  UNROLL for (int j = 0; j < vectors; j++) x[j] = (const T *)b->k->x + places[j].x;
  UNROLL for (int i = 0; i < rows; i++)
  {
    T start = b->bias ? b->bias[i] : 0;
    UNROLL for (int j = 0; j < vectors; j++) sum[i][j] = (Vector){0} + start;
  }
  for (int64_t t = 0; t < taps; t++, w += rows) {
    Vector term[MOST_VECTORS];
    int64_t at = offsets[t];
    UNROLL for (int j = 0; j < vectors; j++) term[j] = load(x[j] + at);
    UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < vectors; j++) sum[i][j] += w[i] * term[j];
  }
  UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < vectors; j++)
    store_place(b, &places[j], i, sum[i][j]);
}

#define RUNNERS(rows, vectors)                                                                         \
  static void run_##rows(const Block *b, const Place *places) { run_block(b, places, rows, vectors); } \
  static void run_single_##rows(const Block *b, const Place *places) { run_block(b, places, rows, 1); }
BLOCKS(RUNNERS)

typedef struct Runner {
  int vectors;
  void (*full)(const Block *, const Place *), (*single)(const Block *, const Place *);
} Runner;

#define RUNNER(rows, vectors) {vectors, run_##rows, run_single_##rows},
static const Runner runners[] = {BLOCKS(RUNNER)};

/* Vectors of all positions: each within a line, or, flat, across lines and what is between them. */
static int64_t count_vectors(const ConvTaps *k, bool flat)
{
  if (flat) return ((k->lines - 1) * k->x_line + k->columns + V - 1) / V;
  return (k->columns + V - 1) / V * k->lines;
}

static Place place_of(const ConvTaps *k, bool flat, int64_t vector)
{
  if (flat) {
    int64_t at = vector * V, left = (k->lines - 1) * k->x_line + k->columns - at;
    return (Place){at, at / k->x_line * k->y_line, left < V ? (int)left : V, (int)(at % k->x_line)};
  }
  int64_t per_line = (k->columns + V - 1) / V, line = vector / per_line, column = vector % per_line * V;
  int64_t left = k->columns - column;
  return (Place){line * k->x_line + column, line * k->y_line + column * k->y_column, left < V ? (int)left : V, 0};
}

/* Whether narrow lines waste more lanes than flat vectors cost to take apart. */
static bool goes_flat(const ConvTaps *k)
{
  enum { APART = 40 };
  if (k->x_line != k->x_width) return false;
  return count_vectors(k, true) * (k->taps + APART) < count_vectors(k, false) * k->taps;
}

static void run_places(const ConvTaps *k, bool flat, int64_t row, int64_t block_rows, const Place *places, int fresh)
{
  int64_t rows = k->rows - row < block_rows ? k->rows - row : block_rows;
  const Runner *r = &runners[rows - 1];
  Block b = {k, (const T *)k->w + row * k->taps, k->bias ? (const T *)k->bias + row : NULL, (T *)k->y + row * k->y_row,
             flat};
  for (int j = 0; j < fresh; j += r->vectors) {
    if ((fresh - j) * 2 > r->vectors) {
      r->full(&b, places + j);
    } else {
      for (int i = j; i < fresh; i++) r->single(&b, places + i);
    }
  }
}

/* Weights that the nearest caches hold go by for each group of positions; larger ones stay for all positions. */
static void conv_taps(const ConvTaps *k)
{
  Place places[CONV_GROUP + MOST_VECTORS];
  bool flat = goes_flat(k);
  int64_t total = count_vectors(k, flat), block_rows = rows_of_block(k->rows);
  bool rows_outside = k->rows * k->taps * (int64_t)sizeof(T) > CONV_SMALL_WEIGHTS;
  int group = rows_outside ? CONV_GROUP : runners[block_rows - 1].vectors;
  for (int64_t outer = 0; outer < (rows_outside ? k->rows : 1); outer += block_rows)
    for (int64_t from = 0; from < total; from += group) {
      int fresh = total - from < group ? (int)(total - from) : group;
      for (int j = 0; j < fresh; j++) places[j] = place_of(k, flat, from + j);
      for (int j = fresh; j < fresh + MOST_VECTORS; j++)
        places[j] = places[fresh - 1]; /* stands in for what is missing */
      if (rows_outside) run_places(k, flat, outer, block_rows, places, fresh);
      else
        for (int64_t row = 0; row < k->rows; row += block_rows) run_places(k, flat, row, block_rows, places, fresh);
    }
}

/* ---- gradients of weights: dot products of lines ---- */

/* One block of dots; at has CONV_DOT_TAPS offsets, of which `taps` are kept. */
INLINE void run_dots(const ConvDots *k, int64_t row, int64_t tap, int rows)
{
  Vector sum[DOT_ROWS][CONV_DOT_TAPS];
  int taps = k->taps - tap < CONV_DOT_TAPS ? (int)(k->taps - tap) : CONV_DOT_TAPS;
  int rest = (int)(k->columns % V);
  Lanes lanes = lanes_of(rest);
  int64_t at[CONV_DOT_TAPS];
  for (int t = 0; t < CONV_DOT_TAPS; t++) at[t] = k->at[tap + (t < taps ? t : taps - 1)];
  UNROLL for (int i = 0; i < rows; i++) UNROLL for (int t = 0; t < CONV_DOT_TAPS; t++) sum[i][t] = (Vector){0};
  for (int64_t l = 0; l < k->lines; l++) {
    const T *dy = (const T *)k->dy + row * k->dy_row + l * k->dy_line, *x = (const T *)k->x + l * k->x_line;
    int64_t c = 0;
    for (; c + V <= k->columns; c += V) {
      Vector left[DOT_ROWS];
      UNROLL for (int i = 0; i < rows; i++) left[i] = load(dy + i * k->dy_row + c);
      UNROLL for (int t = 0; t < CONV_DOT_TAPS; t++)
      {
        Vector right = load(x + at[t] + c);
        UNROLL for (int i = 0; i < rows; i++) sum[i][t] += left[i] * right;
      }
    }
    if (!rest) continue;
    Vector left[DOT_ROWS];
    UNROLL for (int i = 0; i < rows; i++) left[i] = load_first(dy + i * k->dy_row + c, lanes, rest);
    UNROLL for (int t = 0; t < CONV_DOT_TAPS; t++)
    {
      Vector right = load_first(x + at[t] + c, lanes, rest);
      UNROLL for (int i = 0; i < rows; i++) sum[i][t] += left[i] * right;
    }
  }
  UNROLL for (int i = 0; i < rows; i++) UNROLL for (int t = 0; t < CONV_DOT_TAPS; t++) if (t < taps)(
    (T *)k->sums)[(row + i) * k->taps + tap + t] += total_of(sum[i][t]);
}

static void dots_1(const ConvDots *k, int64_t row, int64_t tap) { run_dots(k, row, tap, 1); }
static void dots_2(const ConvDots *k, int64_t row, int64_t tap) { run_dots(k, row, tap, 2); }
#if CONV_DOT_ROWS == 4 && !NNLUA_SMALL_BLOCKS
static void dots_3(const ConvDots *k, int64_t row, int64_t tap) { run_dots(k, row, tap, 3); }
static void dots_4(const ConvDots *k, int64_t row, int64_t tap) { run_dots(k, row, tap, 4); }
static void (*const dots[])(const ConvDots *, int64_t, int64_t) = {dots_1, dots_2, dots_3, dots_4};
#else
static void (*const dots[])(const ConvDots *, int64_t, int64_t) = {dots_1, dots_2};
#endif

static void conv_dots(const ConvDots *k)
{
  for (int64_t row = 0; row < k->rows; row += DOT_ROWS) {
    int64_t rows = k->rows - row < DOT_ROWS ? k->rows - row : DOT_ROWS;
    for (int64_t tap = 0; tap < k->taps; tap += CONV_DOT_TAPS) dots[rows - 1](k, row, tap);
  }
}

#else /* integers, which wrap, and complex numbers */

#if T_COMPLEX
typedef T Sum;
#else
typedef uint64_t Sum;
#endif

static int64_t rows_of_block(int64_t rows) { return rows > 0 ? 1 : 1; }

static void conv_taps(const ConvTaps *k)
{
  for (int64_t i = 0; i < k->rows; i++)
    for (int64_t l = 0; l < k->lines; l++)
      for (int64_t c = 0; c < k->columns; c += CONV_STRIP) {
        Sum sum[CONV_STRIP];
        int64_t n = k->columns - c < CONV_STRIP ? k->columns - c : CONV_STRIP;
        const T *w = (const T *)k->w + i * k->taps;
        T *y = (T *)k->y + i * k->y_row + l * k->y_line + c * k->y_column;
        for (int64_t j = 0; j < n; j++) sum[j] = k->bias ? (Sum)((const T *)k->bias)[i] : 0;
        for (int64_t t = 0; t < k->taps; t++) {
          const T *x = (const T *)k->x + k->at[t] + l * k->x_line + c;
          for (int64_t j = 0; j < n; j++) sum[j] += (Sum)w[t] * (Sum)x[j];
        }
        for (int64_t j = 0; j < n; j++) y[j * k->y_column] = (T)sum[j];
      }
}

static void conv_dots(const ConvDots *k)
{
  for (int64_t i = 0; i < k->rows; i++)
    for (int64_t t = 0; t < k->taps; t++) {
      Sum sum = 0;
      for (int64_t l = 0; l < k->lines; l++) {
        const T *dy = (const T *)k->dy + i * k->dy_row + l * k->dy_line;
        const T *x = (const T *)k->x + k->at[t] + l * k->x_line;
        for (int64_t c = 0; c < k->columns; c++) sum += (Sum)dy[c] * (Sum)x[c];
      }
      T *to = (T *)k->sums + i * k->taps + t;
      *to = (T)((Sum)*to + sum);
    }
}

#endif

/* Blocks of rows one after another, each as [taps][rows]. */
static void conv_pack(int64_t rows, int64_t taps, const void *w, int64_t row_step, const int64_t *tap_at, void *packed)
{
  int64_t block_rows = rows_of_block(rows);
  T *to = packed;
  for (int64_t row = 0; row < rows; row += block_rows) {
    int64_t n = rows - row < block_rows ? rows - row : block_rows;
    for (int64_t t = 0; t < taps; t++)
      for (int64_t i = 0; i < n; i++) *to++ = ((const T *)w)[(row + i) * row_step + tap_at[t]];
  }
}

void TYPED(fill_conv)(ConvKernels *t);
void TYPED(fill_conv)(ConvKernels *t)
{
  t->pack = conv_pack;
  t->taps = conv_taps;
  t->dots = conv_dots;
}
