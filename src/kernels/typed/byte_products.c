/*
 * Products of matrices of bytes into int32. Sums wrap and are exact else.
 *
 * A lane of 32 bits holds some terms of a row or a column side by side: four bytes where the set multiplies those
 * (VNNI: unsigned ones by signed ones), else two int16. Rows of a are packed as lanes, ROWS of them side by side, and
 * columns of b, WIDTH of them. For VNNI 128 is added to signed bytes of a, and taken off unsigned ones of b; behind the
 * lanes of each row and column stands the sum of its terms, from which what was added, and zero points, come off again:
 * (a - p)(b - q) = a b - p b - q a + p q.
 */
#include "core/blocks.h"
#include "kernels/matmul.h"
#include "kernels/typed/typed.h"

#if T_i32

#if __x86_64__
#include <immintrin.h>
#endif

#define UNROLL _Pragma("GCC unroll 16")

typedef uint32_t Sums __attribute__((vector_size(VECTOR_BYTES)));
typedef int32_t Pairs __attribute__((vector_size(VECTOR_BYTES))); /* each of two int16, the first one lower */
typedef uint32_t LooseSums __attribute__((vector_size(VECTOR_BYTES), aligned(4), may_alias));
typedef uint32_t LooseLane __attribute__((aligned(1), may_alias));

#if __AVX512VNNI__
enum { TERMS = 4 };
#define ONES 0x01010101u
#else
enum { TERMS = 2 };
#define ONES 0x00010001u
#endif
enum {
  LANES = VECTOR_BYTES / 4,
  WIDTH = 2 * LANES,
  ROWS = BLOCK_SIZE(PRODUCT_ROWS, 2),
  DEPTH = BLOCK_SIZE(PANEL_K, 4) * TERMS, /* of a stage */
  ROW_VECTORS = 8
};

static int64_t lanes_of_terms(int64_t terms) { return (terms + TERMS - 1) / TERMS; }

INLINE Sums load_sums(const void *p) { return *(const LooseSums *)p; }
INLINE void store_sums(void *p, Sums v) { *(LooseSums *)p = v; }

/* a0 b0 + a1 b1 of pairs. */
INLINE Sums sums_of_pairs(Sums a, Sums b)
{
#if __AVX512F__ && VECTOR_BYTES == 64
  return (Sums)_mm512_madd_epi16((__m512i)a, (__m512i)b);
#elif __AVX2__ && VECTOR_BYTES == 32
  return (Sums)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#elif __SSE2__ && VECTOR_BYTES == 16
  return (Sums)_mm_madd_epi16((__m128i)a, (__m128i)b);
#else
  const Pairs x = (Pairs)a, y = (Pairs)b;
  return (Sums)((x << 16 >> 16) * (y << 16 >> 16) + (x >> 16) * (y >> 16));
#endif
}

/* A sum for each lane, and the products of the terms there. */
INLINE Sums add_lanes(Sums sum, Sums a, Sums b)
{
#if __AVX512VNNI__
  return (Sums)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)a, (__m512i)b);
#else
  return sum + sums_of_pairs(a, b);
#endif
}

/* ---- packing ---- */

/* What bytes become: with their first bit turned for VNNI, or int16. */
typedef struct Change {
  uint32_t turned;
  bool is_signed;
} Change;

static Change change_of(Stored stored, bool is_left)
{
  const bool is_signed = stored == STORED_I8;
  return (Change){TERMS == 4 && is_signed == is_left ? 0x80808080u : 0, is_signed};
}

/* What the change added to each term. */
static int32_t added_by(Change c, bool is_left) { return c.turned ? (is_left ? 128 : -128) : 0; }

INLINE uint32_t pair_of(int first, int second) { return (uint32_t)(uint16_t)first | (uint32_t)second << 16; }

/* The terms of a lane, `step` bytes apart. */
INLINE uint32_t lane_of(const uint8_t *from, int64_t step, Change c)
{
#if __AVX512VNNI__
  if (step == 1) return *(const LooseLane *)from ^ c.turned;
  return (from[0] | (uint32_t)from[step] << 8 | (uint32_t)from[2 * step] << 16 | (uint32_t)from[3 * step] << 24)
         ^ c.turned;
#else
  return c.is_signed ? pair_of((int8_t)from[0], (int8_t)from[step]) : pair_of(from[0], from[step]);
#endif
}

/* The last, of so few terms that the others are 0. */
static uint32_t part_of_lane(const uint8_t *from, int64_t step, int64_t terms, Change c)
{
  uint32_t lane = 0;
  for (int64_t t = 0; t < terms; t++) {
    const uint32_t term = from[t * step];
    if (TERMS == 4) lane |= (term ^ (c.turned & 0x80)) << (8 * t);
    else lane |= (uint32_t)(uint16_t)(c.is_signed ? (int8_t)term : (int)term) << (16 * t);
  }
  return lane;
}

/* to[p][i]: lane p of line i, `step` lines side by side. Lines are `line` bytes apart, terms `term`. What is in the
   place of lines that aren't there stays. */
INLINE void pack_whole_lanes(int64_t lines, int64_t lanes, const uint8_t *from, int64_t line, int64_t term, int step,
                             Change c, uint32_t *to)
{
  if (line == 1)
    for (int64_t p = 0; p < lanes; p++)
      for (int64_t i = 0; i < lines; i++) to[p * step + i] = lane_of(from + p * TERMS * term + i, term, c);
  else
    for (int64_t i = 0; i < lines; i++)
      for (int64_t p = 0; p < lanes; p++) to[p * step + i] = lane_of(from + i * line + p * TERMS * term, term, c);
}

static void pack_lines(int64_t lines, int64_t terms, const uint8_t *from, int64_t line, int64_t term, int step,
                       Change c, uint32_t *to)
{
  const int64_t lanes = terms / TERMS;
  if (term == 1) pack_whole_lanes(lines, lanes, from, line, 1, step, c, to);
  else if (line == 1) pack_whole_lanes(lines, lanes, from, 1, term, step, c, to);
  else pack_whole_lanes(lines, lanes, from, line, term, step, c, to);
  if (terms % TERMS)
    for (int64_t i = 0; i < lines; i++)
      to[lanes * step + i] = part_of_lane(from + i * line + lanes * TERMS * term, term, terms % TERMS, c);
}

enum { MOST_VECTORS = (ROWS > WIDTH ? ROWS : WIDTH) / LANES + 1 };

/* Behind the lanes of some lines, the sums of their terms; the last vector is of any lanes. Two sums each: one would
   wait for its own last addition. */
INLINE void add_up(int64_t lanes, int step, bool is_left, uint32_t *packed)
{
  const Sums ones = (Sums){0} + ONES;
  const int vectors = (step + LANES - 1) / LANES;
  Sums sum[MOST_VECTORS][2], total[MOST_VECTORS];
  UNROLL for (int v = 0; v < vectors; v++) sum[v][0] = sum[v][1] = (Sums){0};
  for (int64_t p = 0; p < lanes; p += 2) UNROLL for (int h = 0; h < 2; h++) UNROLL for (int v = 0; v < vectors; v++)
    {
      if (p + h == lanes) break;
      const Sums lane = load_sums(packed + (p + h) * step + v * LANES);
      sum[v][h] = is_left ? add_lanes(sum[v][h], lane, ones) : add_lanes(sum[v][h], ones, lane);
    }
  UNROLL for (int v = 0; v < vectors; v++) total[v] = sum[v][0] + sum[v][1];
  memcpy(packed + lanes * step, total, (size_t)step * sizeof *packed);
}

/* Bytes of two rows side by side as pairs: those of the first row come first. */
INLINE Sums pairs_at(bool is_signed, const uint8_t *first, const uint8_t *second)
{
#if __AVX512F__ && VECTOR_BYTES == 64
  const __m128i one = _mm_loadu_si128((const void *)first), two = _mm_loadu_si128((const void *)second);
  const __m256i both = _mm256_set_m128i(_mm_unpackhi_epi8(one, two), _mm_unpacklo_epi8(one, two));
  return (Sums)(is_signed ? _mm512_cvtepi8_epi16(both) : _mm512_cvtepu8_epi16(both));
#elif __AVX2__ && VECTOR_BYTES == 32
  const __m128i both = _mm_unpacklo_epi8(_mm_loadl_epi64((const void *)first), _mm_loadl_epi64((const void *)second));
  return (Sums)(is_signed ? _mm256_cvtepi8_epi16(both) : _mm256_cvtepu8_epi16(both));
#elif __SSE2__ && VECTOR_BYTES == 16
  int32_t low, high;
  memcpy(&low, first, sizeof low);
  memcpy(&high, second, sizeof high);
  const __m128i both = _mm_unpacklo_epi8(_mm_cvtsi32_si128(low), _mm_cvtsi32_si128(high)), zero = _mm_setzero_si128();
  return (Sums)(is_signed ? _mm_srai_epi16(_mm_unpacklo_epi8(zero, both), 8) : _mm_unpacklo_epi8(both, zero));
#else
  Sums pairs;
  for (int j = 0; j < LANES; j++)
    pairs[j] = is_signed ? pair_of((int8_t)first[j], (int8_t)second[j]) : pair_of(first[j], second[j]);
  return pairs;
#endif
}

/* The lanes of a vector of columns, from rows `row` bytes apart. */
INLINE Sums columns_at(const uint8_t *b, int64_t row, Change c)
{
#if __AVX512VNNI__
  const __m128i b0 = _mm_loadu_si128((const void *)b), b1 = _mm_loadu_si128((const void *)(b + row)),
                b2 = _mm_loadu_si128((const void *)(b + 2 * row)), b3 = _mm_loadu_si128((const void *)(b + 3 * row));
  const __m256i low = _mm256_set_m128i(_mm_unpackhi_epi8(b0, b1), _mm_unpacklo_epi8(b0, b1)),
                high = _mm256_set_m128i(_mm_unpackhi_epi8(b2, b3), _mm_unpacklo_epi8(b2, b3));
  const __m512i first = _mm512_cvtepu16_epi32(low), last = _mm512_slli_epi32(_mm512_cvtepu16_epi32(high), 16);
  return (Sums)_mm512_or_si512(first, last) ^ c.turned;
#else
  return pairs_at(c.is_signed, b, b + row);
#endif
}

/* A panel of b: all lanes of some columns, and their sums. */
static void pack_panel(const Product *p, int64_t width, int64_t terms, const uint8_t *b, Change c, uint32_t *panel)
{
  int64_t whole = 0;
  if (width == WIDTH && p->b_col == 1)
    for (; whole < terms / TERMS; whole++)
      for (int j = 0; j < WIDTH; j += LANES)
        store_sums(panel + whole * WIDTH + j, columns_at(b + whole * TERMS * p->b_row + j, p->b_row, c));
  pack_lines(width, terms - whole * TERMS, b + whole * TERMS * p->b_row, p->b_col, p->b_row, WIDTH, c,
             panel + whole * WIDTH);
  add_up(lanes_of_terms(terms), WIDTH, false, panel);
}

/* Panels of some terms of b one behind the other; where they end. */
static uint32_t *pack_stage(const Product *p, int64_t q, int64_t terms, uint32_t *right)
{
  const uint8_t *b = (const uint8_t *)p->b + q * p->b_row;
  const Change c = change_of(p->b_stored, false);
  for (int64_t j = 0; j < p->n; j += WIDTH, right += (lanes_of_terms(terms) + 1) * WIDTH)
    pack_panel(p, p->n - j < WIDTH ? p->n - j : WIDTH, terms, b + j * p->b_col, c, right);
  return right;
}

static void pack_right(const Product *p, bool pairs, void *right)
{
  (void)pairs;
  for (int64_t q = 0; q < p->k; q += DEPTH) right = pack_stage(p, q, p->k - q < DEPTH ? p->k - q : DEPTH, right);
}

/* ---- blocks ---- */

/* A block of the result, from packed rows and a packed panel. */
typedef struct Block {
  int64_t lanes;
  const uint32_t *a, *b;
  uint32_t a_zero, b_zero, both; /* of the packed terms; of a sum without any of them */
  const int32_t *addend;         /* or NULL */
  int64_t addend_row;
  int32_t *c;
  int64_t c_row;
  int64_t width;
  int rows;
} Block;

/* A row of sums in its first lanes becomes one of c. */
INLINE void store_row(const Block *k, int r, const Sums *sum)
{
  int32_t *c = k->c + r * k->c_row;
  const int32_t *addend = k->addend ? k->addend + r * k->addend_row : NULL;
  if (k->width == WIDTH) {
    for (int j = 0; j < 2; j++) store_sums(c + j * LANES, addend ? sum[j] + load_sums(addend + j * LANES) : sum[j]);
    return;
  }
  uint32_t line[WIDTH];
  for (int j = 0; j < 2; j++) store_sums(line + j * LANES, sum[j]);
  for (int64_t j = 0; j < k->width; j++) c[j] = (int32_t)(addend ? (uint32_t)addend[j] + line[j] : line[j]);
}

/* So many rows, a constant where it is called, of which those of the block are stored. */
INLINE void run_rows(const Block *k, int rows)
{
  Sums sum[ROWS][2], less[2];
  const uint32_t *a = k->a, *b = k->b;
  UNROLL for (int r = 0; r < rows; r++) sum[r][0] = sum[r][1] = (Sums){0};
  for (int64_t p = 0; p < k->lanes; p++, a += ROWS, b += WIDTH) {
    const Sums low = load_sums(b), high = load_sums(b + LANES);
    UNROLL for (int r = 0; r < rows; r++)
    {
      const Sums factor = (Sums){0} + a[r];
      sum[r][0] = add_lanes(sum[r][0], factor, low);
      sum[r][1] = add_lanes(sum[r][1], factor, high);
    }
  }
  const Block end = *k;
  UNROLL for (int j = 0; j < 2; j++) less[j] = end.both - end.a_zero * load_sums(b + j * LANES);
  UNROLL for (int r = 0; r < rows; r++)
  {
    UNROLL for (int j = 0; j < 2; j++) sum[r][j] += less[j] - end.b_zero * a[r];
    if (r < end.rows) store_row(&end, r, sum[r]);
  }
}

static void run_block(const Block *k)
{
  if (k->rows == 1) run_rows(k, 1);
  else if (k->rows <= ROWS / 2) run_rows(k, ROWS / 2);
  else run_rows(k, ROWS);
}

/* The rows of a, some terms of them, as blocks want them. */
static void pack_left(const Product *p, int64_t q, int64_t terms, Change c, uint32_t *left)
{
  const int64_t lanes = lanes_of_terms(terms);
  const uint8_t *a = (const uint8_t *)p->a + q * p->a_col;
  for (int64_t i = 0; i < p->m; i += ROWS, left += (lanes + 1) * ROWS) {
    pack_lines(p->m - i < ROWS ? p->m - i : ROWS, terms, a + i * p->a_row, p->a_row, p->a_col, ROWS, c, left);
    add_up(lanes, ROWS, true, left);
  }
}

static void run_stage(const Product *p, int64_t lanes, const uint32_t *left, const uint32_t *right, Block k)
{
  const Block start = k;
  for (int64_t j = 0; j < p->n; j += WIDTH, right += (lanes + 1) * WIDTH)
    for (int64_t i = 0; i < p->m; i += ROWS) {
      k.a = left + i * (lanes + 1);
      k.b = right;
      k.c = start.c + i * k.c_row + j;
      if (k.addend) k.addend = start.addend + i * k.addend_row + j;
      k.width = p->n - j < WIDTH ? p->n - j : WIDTH;
      k.rows = p->m - i < ROWS ? (int)(p->m - i) : ROWS;
      run_block(&k);
    }
}

static void blocks(const Product *p, bool pairs, const void *right, void *left)
{
  const Change a = change_of(p->a_stored, true), b = change_of(p->b_stored, false);
  const uint32_t a_zero = (uint32_t)(p->a_zero + added_by(a, true)),
                 b_zero = (uint32_t)(p->b_zero + added_by(b, false));
  const uint32_t *panels = right;
  (void)pairs;
  for (int64_t q = 0; q < p->k; q += DEPTH) {
    const int64_t terms = p->k - q < DEPTH ? p->k - q : DEPTH, lanes = lanes_of_terms(terms);
    pack_left(p, q, terms, a, left);
    run_stage(p, lanes, left, panels,
              (Block){.lanes = lanes,
                      .a_zero = a_zero,
                      .b_zero = b_zero,
                      .both = (uint32_t)terms * a_zero * b_zero,
                      .addend = q ? p->c : p->addend,
                      .addend_row = q ? p->c_row : p->addend_row,
                      .c = p->c,
                      .c_row = p->c_row});
    panels += (p->n + WIDTH - 1) / WIDTH * (lanes + 1) * WIDTH;
  }
}

/* ---- few rows, of b as it lies: packing it would take longer than they do ---- */

/* The result of some terms of a row, which are pairs. */
typedef struct Row {
  int64_t terms;
  const uint32_t *a;
  const uint8_t *b;
  int64_t b_row;
  const int32_t *addend; /* or NULL */
  uint32_t start;
  int32_t *c;
} Row;

/* Vectors side by side, from column j on. */
INLINE void run_row(const Row *k, int64_t j, int vectors, bool is_signed)
{
  Sums sum[ROW_VECTORS];
  const uint8_t *b = k->b + j;
  UNROLL for (int i = 0; i < vectors; i++)
  {
    sum[i] = (Sums){0} + k->start;
    if (k->addend) sum[i] += load_sums(k->addend + j + i * LANES);
  }
  for (int64_t p = 0; p < k->terms; p += 2, b += 2 * k->b_row) {
    const uint8_t *next = p + 1 < k->terms ? b + k->b_row : b; /* its factor is 0 then */
    const Sums factor = (Sums){0} + k->a[p / 2];
    UNROLL for (int i = 0; i < vectors; i++)
      sum[i] += sums_of_pairs(factor, pairs_at(is_signed, b + i * LANES, next + i * LANES));
  }
  UNROLL for (int i = 0; i < vectors; i++) store_sums(k->c + j + i * LANES, sum[i]);
}

INLINE void run_columns(const Row *k, int64_t n, bool is_signed)
{
  int64_t j = 0;
  for (; j + ROW_VECTORS * LANES <= n; j += ROW_VECTORS * LANES) run_row(k, j, ROW_VECTORS, is_signed);
  for (; j + LANES <= n; j += LANES) run_row(k, j, 1, is_signed);
  for (; j < n; j++) {
    uint32_t sum = k->start + (k->addend ? (uint32_t)k->addend[j] : 0);
    for (int64_t q = 0; q < k->terms; q++) {
      const uint8_t b = k->b[q * k->b_row + j];
      sum += (uint32_t)((int16_t)(k->a[q / 2] >> (q % 2 * 16)) * (is_signed ? (int8_t)b : (int)b));
    }
    k->c[j] = (int32_t)sum;
  }
}

/* A row's terms less their zero point as pairs, an odd last one with 0; their sum. */
static int32_t pairs_of_row(const Product *p, const uint8_t *a, int64_t terms, uint32_t *to)
{
  int32_t sum = 0;
  for (int64_t q = 0; q < terms; q++) {
    const uint8_t byte = a[q * p->a_col];
    const int term = (p->a_stored == STORED_I8 ? (int8_t)byte : (int)byte) - p->a_zero;
    sum += term;
    to[q / 2] = q % 2 ? pair_of((int16_t)to[q / 2], term) : pair_of(term, 0);
  }
  return sum;
}

enum { ROW_DEPTH = BLOCK_SIZE(1024, 4) };

static void row_sums(const Product *p)
{
  uint32_t pairs[ROW_DEPTH / 2];
  for (int64_t i = 0; i < p->m; i++)
    for (int64_t q = 0; q < p->k; q += ROW_DEPTH) {
      Row row = {.terms = p->k - q < ROW_DEPTH ? p->k - q : ROW_DEPTH,
                 .a = pairs,
                 .b = (const uint8_t *)p->b + q * p->b_row,
                 .b_row = p->b_row,
                 .addend = q ? p->c : p->addend,
                 .c = (int32_t *)p->c + i * p->c_row};
      if (row.addend) row.addend += i * (q ? p->c_row : p->addend_row);
      const uint8_t *a = (const uint8_t *)p->a + i * p->a_row + q * p->a_col;
      row.start = 0 - (uint32_t)p->b_zero * (uint32_t)pairs_of_row(p, a, row.terms, pairs);
      if (p->b_stored == STORED_I8) run_columns(&row, p->n, true);
      else run_columns(&row, p->n, false);
    }
}

void TYPED(fill_byte_products)(MatmulKernels *t) AT_START;
void TYPED(fill_byte_products)(MatmulKernels *t)
{
  t->blocks = blocks;
  t->pack_right = pack_right;
  t->row_sums = row_sums;
  t->terms = TERMS;
  t->depth = DEPTH / TERMS;
  t->width = WIDTH;
  t->rows = ROWS;
  t->left_bytes = LEFT_KB << 10;
  t->right_bytes = RIGHT_KB << 10;
}

#else
typedef int nothing_here; /* C wants a declaration */
#endif
