/*
 * Convolutions as products of matrices (kernels/conv.h). Of floats a block of the result, some rows by some vectors of
 * columns, is held in registers while the terms go by; both sides are packed so that each term's numbers lie side by
 * side. Integers, which wrap, and complex numbers go by the same way in plain loops.
 */
#include "kernels/conv.h"

#include "kernels/typed/conv_rows.h"

#if T_FLOATING

#include "kernels/typed/tile.h"
#include "kernels/typed/turns.h"

#else

enum { V = SLAB_SLACK / (sizeof(T) > 4 ? sizeof(T) : 4) }; /* no more may be read beyond a slab */

typedef struct Vector {
  T lane[V];
} Vector;

INLINE Vector load(const T *p) { return *(const Vector *)(const void *)p; }
INLINE void store(T *p, Vector v) { *(Vector *)(void *)p = v; }

#endif

enum { WIDTH = 2 * V };
enum { WEIGHTS_AHEAD = 2048 }; /* bytes: where places are few, memory has to bring the packed weights */

#if T_FLOATING

/* ---- blocks of the result ---- */

/* c = v or c += v, the first so many lanes. */
INLINE void store_sum(T *c, bool add, int count, Vector v)
{
  if (count == V) {
    store(c, add ? load(c) + v : v);
  } else {
    const Lanes lanes = lanes_of(count);
    store_first(c, lanes, count, add ? load_first(c, lanes, count) + v : v);
  }
}

typedef struct Block {
  int64_t depth;
  const T *a, *b;
  const int64_t *at, *a_at;
  int64_t a_row;
  const T *start; /* what the rows' sums start from, or NULL */
  bool add;
  T *c;
  int64_t c_row;
} Block;

/* rows, vectors and whether a is packed are constants where it is called, so that the sums stay in registers. */
INLINE void run_block(const Block *k, const ConvPlace *place, int rows, int vectors, bool packed)
{
  Vector sum[CONV_ROWS][VECTORS];
  const T *a = k->a, *b[VECTORS];
  const int64_t *at = k->at, *a_at = k->a_at, depth = k->depth, a_row = packed ? 1 : k->a_row;
  UNROLL for (int j = 0; j < vectors; j++) b[j] = k->b + place[j].b;
  UNROLL for (int i = 0; i < rows; i++)
  {
    T start = k->start ? k->start[i] : 0;
    UNROLL for (int j = 0; j < vectors; j++) sum[i][j] = (Vector){0} + start;
    __builtin_prefetch(k->c + i * k->c_row + place[0].c, 1);
  }
  for (int64_t p = 0; p < depth; p++) {
    Vector right[VECTORS];
    const T *left = packed ? a + p * rows : a + a_at[p];
    if (packed) __builtin_prefetch((const char *)left + WEIGHTS_AHEAD);
    UNROLL for (int j = 0; j < vectors; j++) right[j] = load(b[j] + at[p]);
    UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < vectors; j++)
      sum[i][j] += left[i * a_row] * right[j];
  }
  UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < vectors; j++)
    store_sum(k->c + i * k->c_row + place[j].c, k->add, place[j].count, sum[i][j]);
}

#define RUNNERS(rows, vectors)                                                                          \
  static void run_##rows(const Block *k, const ConvPlace *p) { run_block(k, p, rows, vectors, true); }  \
  static void run_single_##rows(const Block *k, const ConvPlace *p) { run_block(k, p, rows, 1, true); } \
  static void run_loose_##rows(const Block *k, const ConvPlace *p) { run_block(k, p, rows, vectors, false); }
BLOCKS(RUNNERS)

typedef struct Runner {
  int vectors;
  void (*full)(const Block *, const ConvPlace *), (*single)(const Block *, const ConvPlace *);
  void (*loose)(const Block *, const ConvPlace *);
} Runner;

#define RUNNER(rows, vectors) {vectors, run_##rows, run_single_##rows, run_loose_##rows},
static const Runner runners[] = {BLOCKS(RUNNER)};

enum { GROUP = VECTORS * VECTORS };

/* How many vectors go by together: a whole number of blocks of each kind. */
static int64_t group_of(int64_t rows)
{
  const int64_t blocks = blocks_of(rows);
  const int few = runners[rows / blocks - 1].vectors, many = runners[(rows + blocks - 1) / blocks - 1].vectors;
  return few == many ? few : few * many;
}

static void run_group(const Block *k, int64_t rows, const ConvPlace *place, int64_t places)
{
  const Runner *r = &runners[rows - 1];
  for (int64_t n = 0; n < places;) {
    const bool full = k->a_at || (places - n) * 2 > r->vectors;
    (k->a_at ? r->loose : full ? r->full : r->single)(k, place + n);
    n += full ? r->vectors : 1;
  }
}

/* A group of vectors stays in the first cache while all rows go by. Those that are missing are copies of the last one
   of which nothing counts. */
static void multiply(const ConvProduct *p)
{
  const int64_t first = block_begin(p->rows, p->first_block), group = group_of(p->rows);
  ConvPlace last[GROUP + VECTORS];
  for (int64_t j = 0; j < p->places; j += group) {
    const int64_t places = p->places - j < group ? p->places - j : group;
    const ConvPlace *place = p->place + j;
    if (places < group) {
      for (int64_t i = 0; i < places + VECTORS; i++) {
        last[i] = place[i < places ? i : places - 1];
        if (i >= places) last[i].count = 0;
      }
      place = last;
    }
    Block k = {
      .depth = p->depth, .b = p->b, .at = p->at, .a_at = p->a_at, .a_row = p->a_row, .add = p->add, .c_row = p->c_row};
    for (int64_t i = p->first_block; i < p->last_block; i++) {
      const int64_t begin = block_begin(p->rows, i), rows = block_begin(p->rows, i + 1) - begin;
      k.a = (const T *)p->a + (p->a_at ? (begin - first) * p->a_row : (begin - first) * p->a_depth + p->a_first * rows);
      k.start = p->start ? (const T *)p->start + begin : NULL;
      k.c = (T *)p->c + (begin - first) * p->c_row;
      run_group(&k, rows, place, places);
    }
  }
}

/* As run_block, with the taps as rows, whose numbers are found by offset, and terms as places. */
INLINE void run_taps(const ConvCorrelation *k, int64_t tap, int rows, int vectors)
{
  Vector sum[CONV_ROWS][2];
  const T *x[CONV_ROWS], *panel = k->panel;
  const int64_t *at = k->place_at, places = k->places;
  UNROLL for (int i = 0; i < rows; i++)
  {
    x[i] = (const T *)k->x + k->tap_at[tap + i];
    UNROLL for (int j = 0; j < vectors; j++) sum[i][j] = (Vector){0};
  }
  for (int64_t p = 0; p < places; p++, panel += vectors * V) {
    Vector right[2];
    UNROLL for (int j = 0; j < vectors; j++) right[j] = load(panel + j * V);
    UNROLL for (int i = 0; i < rows; i++)
    {
      T factor = x[i][at[p]];
      UNROLL for (int j = 0; j < vectors; j++) sum[i][j] += factor * right[j];
    }
  }
  UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < vectors; j++)
    store_sum((T *)k->c + (tap + i) * k->c_row + j * V, k->add, V, sum[i][j]);
}

enum { TAPS = CONV_ROWS < 6 ? CONV_ROWS : 6 }; /* as many as there are registers for their addresses */

#define UP_TO_TAPS(n) (n < TAPS ? n : TAPS)

/* All taps, the last ones together too: the sums of one alone would wait for each other. */
INLINE void run_all_taps(const ConvCorrelation *k, int vectors)
{
  int64_t tap = 0;
  for (; tap + TAPS <= k->taps; tap += TAPS) run_taps(k, tap, TAPS, vectors);
  switch (k->taps - tap) {
    case 5: run_taps(k, tap, UP_TO_TAPS(5), vectors); break;
    case 4: run_taps(k, tap, UP_TO_TAPS(4), vectors); break;
    case 3: run_taps(k, tap, UP_TO_TAPS(3), vectors); break;
    case 2: run_taps(k, tap, UP_TO_TAPS(2), vectors); break;
    case 1: run_taps(k, tap, 1, vectors); break;
    default: break;
  }
}

static void correlate(const ConvCorrelation *k)
{
  if (k->vectors == 2) run_all_taps(k, 2);
  else run_all_taps(k, 1);
}

/* to[k][i] = from[i][k]. Where there are fewer rows than a tile has, what is written beyond a line is taken back by the
   later ones, so the last lines go one by one. */
static void turn(int64_t rows, int64_t n, const T *from, int64_t from_row, T *to, int64_t to_row)
{
  const int64_t whole = rows >= TILE ? n : rows == to_row ? n - (TILE - 1) / rows : 0;
  int64_t k = 0;
  for (; k + TILE <= whole; k += TILE)
    for (int64_t i = 0; i < rows; i += TILE) {
      int64_t first = i + TILE > rows && rows > TILE ? rows - TILE : i;
      transpose_tile(from + first * from_row + k, from_row, rows < TILE ? (int)rows : TILE, to + k * to_row + first,
                     to_row);
    }
  for (; k < n; k++)
    for (int64_t i = 0; i < rows; i++) to[k * to_row + i] = from[i * from_row + k];
}

#else

#if T_COMPLEX
typedef T Sum;
#else
typedef uint64_t Sum;
#endif

/* c = the sums of a row and a vector of columns, or c += them. */
static void sum_vector(const ConvProduct *p, const ConvPlace *place, const T *a, int64_t rows, T start, T *c)
{
  Sum sum[V];
  const T *b = (const T *)p->b + place->b;
  for (int i = 0; i < V; i++) sum[i] = (Sum)start;
  for (int64_t t = 0; t < p->depth; t++) {
    const Sum left = (Sum)a[p->a_at ? p->a_at[t] : t * rows];
    for (int i = 0; i < V; i++) sum[i] += left * (Sum)b[p->at[t] + i];
  }
  for (int i = 0; i < place->count; i++) c[i] = (T)(p->add ? (Sum)c[i] + sum[i] : sum[i]);
}

static void multiply(const ConvProduct *p)
{
  const int64_t first = block_begin(p->rows, p->first_block);
  for (int64_t block = p->first_block; block < p->last_block; block++) {
    const int64_t begin = block_begin(p->rows, block), rows = block_begin(p->rows, block + 1) - begin;
    const T *a = (const T *)p->a
                 + (p->a_at ? (begin - first) * p->a_row : (begin - first) * p->a_depth + p->a_first * rows);
    for (int64_t i = 0; i < rows; i++)
      for (int64_t n = 0; n < p->places; n++)
        sum_vector(p, &p->place[n], a + i * (p->a_at ? p->a_row : 1), rows,
                   p->start ? ((const T *)p->start)[begin + i] : 0,
                   (T *)p->c + (begin - first + i) * p->c_row + p->place[n].c);
  }
}

static void turn(int64_t rows, int64_t n, const T *from, int64_t from_row, T *to, int64_t to_row)
{
  for (int64_t k = 0; k < n; k++)
    for (int64_t i = 0; i < rows; i++) to[k * to_row + i] = from[i * from_row + k];
}

#endif

/* ---- packing ---- */

static void turn_rows(int64_t rows, int64_t n, const void *from, int64_t from_row, void *to, int64_t to_row)
{
  turn(rows, n, from, from_row, to, to_row);
}

/* Copies n elements side by side; less than a vector in two pieces that overlap. */
INLINE void copy_run(int64_t n, const T *from, T *to)
{
  if (n >= V) {
    for (int64_t i = 0; i + V <= n; i += V) store(to + i, load(from + i));
    store(to + n - V, load(from + n - V));
    return;
  }
  UNROLL for (int half = V / 2; half; half /= 2)
  {
    if (n < half) continue;
    T first[V], last[V];
    memcpy(first, from, (size_t)half * sizeof(T));
    memcpy(last, from + n - half, (size_t)half * sizeof(T));
    memcpy(to, first, (size_t)half * sizeof(T));
    memcpy(to + n - half, last, (size_t)half * sizeof(T));
    return;
  }
}

/* Where the weights of a channel and a block of rows are, in the order in which they are packed, part by part. */
static void list_weights(const ConvWeights *w, int64_t rows, int64_t *at)
{
  for (int64_t n = 0; n < w->parts; n++)
    for (int64_t t = 0; t < w->part[n].taps; t++)
      for (int64_t i = 0; i < rows; i++) *at++ = i * w->row_step + w->part[n].tap_at[t];
}

/* Packs a channel and a block of rows, to each part. */
static void pack_channel(const ConvWeights *w, int64_t channel, int64_t begin, int64_t rows, const int64_t *at)
{
  const T *from = (const T *)w->w + begin * w->row_step + channel * w->channel_step;
  for (int64_t n = 0; n < w->parts; n++) {
    const ConvWeightPart *p = &w->part[n];
    T *to = (T *)p->packed + (begin * w->channels + channel * rows) * p->taps;
    for (int64_t k = 0; k < p->taps * rows; k++) to[k] = from[*at++];
  }
}

enum { TOGETHER = 4 }; /* blocks that don't push each other's lines out of the cache */

/* The same of kernels too large for lists. */
static void pack_long_channel(const ConvWeights *w, int64_t channel, int64_t begin, int64_t rows)
{
  const T *from = (const T *)w->w + begin * w->row_step + channel * w->channel_step;
  for (int64_t n = 0; n < w->parts; n++) {
    const ConvWeightPart *p = &w->part[n];
    T *to = (T *)p->packed + (begin * w->channels + channel * rows) * p->taps;
    for (int64_t t = 0; t < p->taps; t++)
      for (int64_t i = 0; i < rows; i++) *to++ = from[i * w->row_step + p->tap_at[t]];
  }
}

/* Taps of parts in any order. */
static void pack_by_list(const ConvWeights *w, int64_t first_block, int64_t last_block)
{
  enum { LISTED = BLOCK_SIZE(1024, 32) };
  const int64_t least = w->rows / blocks_of(w->rows), most = least + (w->rows % blocks_of(w->rows) != 0);
  int64_t at[2][LISTED];
  const bool is_listed = most * w->area <= LISTED;
  if (is_listed)
    for (int64_t i = least; i <= most; i++) list_weights(w, i, at[i - least]);
  for (int64_t from = first_block; from < last_block; from += TOGETHER)
    for (int64_t c = 0; c < w->channels; c++)
      for (int64_t b = from; b < last_block && b < from + TOGETHER; b++) {
        const int64_t begin = block_begin(w->rows, b), rows = block_begin(w->rows, b + 1) - begin;
        if (is_listed) pack_channel(w, c, begin, rows, at[rows - least]);
        else pack_long_channel(w, c, begin, rows);
      }
}

/* Whether the taps are one part that lies side by side. */
static bool is_in_order(const ConvWeights *w)
{
  bool in_order = w->parts == 1;
  for (int64_t t = 0; in_order && t < w->area; t++) in_order = w->part->tap_at[t] == t;
  return in_order;
}

static void pack_weights(const ConvWeights *w, int64_t first_block, int64_t last_block)
{
  if (!is_in_order(w)) {
    pack_by_list(w, first_block, last_block);
    return;
  }
  const bool as_one = w->channel_step == w->area;
  const int64_t channels = as_one ? 1 : w->channels, terms = as_one ? w->channels * w->area : w->area;
  for (int64_t from = first_block; from < last_block; from += TOGETHER)
    for (int64_t c = 0; c < channels; c++)
      for (int64_t b = from; b < last_block && b < from + TOGETHER; b++) {
        const int64_t begin = block_begin(w->rows, b), rows = block_begin(w->rows, b + 1) - begin;
        turn(rows, terms, (const T *)w->w + begin * w->row_step + c * w->channel_step, w->row_step,
             (T *)w->part->packed + (begin * w->channels + c * rows) * w->area, rows);
      }
}

static void pack_rows(const ConvRows *r, int64_t n, const void *from, int64_t first)
{
  const int64_t base = block_begin(r->rows, r->first_block);
  for (int64_t b = r->first_block; b < r->last_block; b++) {
    int64_t begin = block_begin(r->rows, b), rows = block_begin(r->rows, b + 1) - begin;
    turn(rows, n, (const T *)from + begin * r->from_row, r->from_row,
         (T *)r->packed + (begin - base) * r->depth + first * rows, rows);
  }
}

/* ---- patches ---- */

INLINE void copy_strided(int64_t n, const T *from, int64_t step, T *to)
{
  for (int64_t i = 0; i < n; i++) to[i] = from[i * step];
}

#if T_FLOATING

/* Less than a vector of elements that lie two apart. Of narrow vectors, whose stores of some lanes take longer, one by
   one. */
INLINE void copy_few_of_every_other(int n, const T *from, T *to)
{
#if HAS_LANES && LANES == 16
  const int first = 2 * n - 1 < V ? 2 * n - 1 : V, last = 2 * n - V;
  const Vector a = load_first(from, lanes_of(first), first);
  const Vector b = last > 0 ? load_first(from + V - 1, lanes_of(last), last) : (Vector){0};
  store_first(to, lanes_of(n), n, every_other(a, b));
#else
  copy_strided(n, from, 2, to);
#endif
}

/* Copies n elements that lie two apart. */
INLINE void copy_every_other(int64_t n, const T *from, T *to)
{
  if (n < V) {
    copy_few_of_every_other((int)n, from, to);
    return;
  }
  for (int64_t i = 0; i + V <= n; i += V) store(to + i, load_every_other(from + 2 * i));
  store(to + n - V, load_every_other(from + 2 * (n - V)));
}

#else

INLINE void copy_every_other(int64_t n, const T *from, T *to) { copy_strided(n, from, 2, to); }

#endif

static void fill(const ConvFill *f)
{
  for (int64_t c = 0; c < f->channels; c++) {
    const T *x = (const T *)f->x + c * f->channel_step;
    T *to = (T *)f->slab + c * f->plane;
    for (int64_t r = 0; r < f->runs; r++) {
      const ConvRun *run = &f->run[r];
      if (f->step == 1) copy_run(run->count, x + run->from, to + run->to);
      else if (f->step == 2) copy_every_other(run->count, x + run->from, to + run->to);
      else copy_strided(run->count, x + run->from, f->step, to + run->to);
    }
  }
}

INLINE void gather_pieces(const ConvGather *g, int64_t pieces)
{
  T *to = g->panel;
  ConvPiece known[4]; /* which no store can change */
  for (int p = 0; p < 4 && p < pieces; p++) known[p] = g->piece[p];
  const ConvPiece *piece = pieces <= 4 ? known : g->piece;
  for (int64_t c = 0; c < g->channels; c++)
    for (int64_t t = 0; t < g->taps; t++, to += WIDTH) {
      const T *x = (const T *)g->x + c * g->channel_step + g->at[t];
      for (int64_t p = 0; p < pieces; p++) store(to + piece[p].to, load(x + piece[p].from));
    }
}

static void gather(const ConvGather *g)
{
  switch (g->pieces) {
    case 1: gather_pieces(g, 1); break;
    case 2: gather_pieces(g, 2); break;
    case 3: gather_pieces(g, 3); break;
    case 4: gather_pieces(g, 4); break;
    default: gather_pieces(g, g->pieces);
  }
}

INLINE void patch_pieces(const ConvPatches *g, int64_t pieces)
{
  ConvPiece known[5]; /* which no store can change */
  for (int p = 0; p < 5 && p < pieces; p++) known[p] = g->piece[p];
  const ConvPiece *piece = pieces <= 5 ? known : g->piece;
  const int64_t channels = g->channels, channel_step = g->channel_step, taps = g->taps;
  for (int64_t k = 0; k < g->places; k++) {
    const T *x = (const T *)g->x + g->at[k];
    T *to = (T *)g->to + k * g->to_row;
    for (int64_t c = 0; c < channels; c++, x += channel_step, to += taps)
      for (int64_t p = 0; p < pieces; p++) store(to + piece[p].to, load(x + piece[p].from));
  }
}

static void patches(const ConvPatches *g)
{
  switch (g->pieces) {
    case 1: patch_pieces(g, 1); break;
    case 2: patch_pieces(g, 2); break;
    case 3: patch_pieces(g, 3); break;
    case 4: patch_pieces(g, 4); break;
    case 5: patch_pieces(g, 5); break;
    default: patch_pieces(g, g->pieces);
  }
}

/* ---- results ---- */

static void spread(const ConvSpread *s)
{
  for (int64_t i = 0; i < s->rows; i++) {
    const T *from = (const T *)s->from + i * s->from_row;
    for (int64_t n = 0; n < s->images; n++)
      for (int64_t p = 0; p < s->planes; p++)
        for (int64_t l = 0; l < s->lines; l++, from += s->from_line) {
          T *to = (T *)s->y + n * s->y_image + i * s->y_row + p * s->y_plane + l * s->y_line;
          if (s->y_column == 1)
            for (int64_t c = 0; c < s->columns; c++) to[c] = from[c];
          else
            for (int64_t c = 0; c < s->columns; c++) to[c * s->y_column] = from[c];
        }
  }
}

#if T_FLOATING

/* A line by two turns, by whole vectors; returns how many of its columns are done. */
static int64_t take_two_turns(int64_t n, const T *even, const T *odd, T start, T *to)
{
  int64_t i = 0;
  for (; i + V <= n; i += V) {
    const Vector a = load(even + i) + start, b = load(odd + i) + start;
    store(to + 2 * i, first_in_turns(a, b));
    store(to + 2 * i + V, last_in_turns(a, b));
  }
  return i;
}

static void take_turns(const ConvTurns *t)
{
  const T start = t->start ? *(const T *)t->start : 0;
  for (int64_t l = 0; l < t->lines; l++) {
    const T *from = (const T *)t->from + l * t->columns;
    T *to = (T *)t->y + l * t->y_line;
    const int64_t done = t->turns == 2 ? take_two_turns(t->columns, from, from + t->from_turn, start, to) : 0;
    for (int64_t i = 0; i < t->turns; i++)
      for (int64_t c = done; c < t->columns; c++) to[c * t->turns + i] = from[i * t->from_turn + c] + start;
  }
}

#endif

void TYPED(fill_conv_product)(ConvProductKernels *t) AT_START;
void TYPED(fill_conv_product)(ConvProductKernels *t)
{
  t->rows = CONV_ROWS;
  t->vector = V;
  t->multiply = multiply;
#if T_FLOATING
  t->correlate = correlate;
  t->take_turns = take_turns;
#endif
  t->pack_weights = pack_weights;
  t->pack_rows = pack_rows;
  t->turn = turn_rows;
  t->fill = fill;
  t->gather = gather;
  t->patches = patches;
  t->spread = spread;
}
