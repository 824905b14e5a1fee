/*
 * Products of matrices of integers, in blocks of some rows by two vectors of sums on panels of b. Sums wrap: they are
 * the same modulo 2^32 or 2^64, and are cut when they are stored. Products of bytes into int32 take two terms at a
 * time, as pairs of int16, whose products and sums are exact.
 */
#include "core/blocks.h"
#include "kernels/matmul.h"
#include "kernels/typed/typed.h"

#if T_INTEGRAL

#if __x86_64__
#include <immintrin.h>
#endif

#define UNROLL _Pragma("GCC unroll 16")

#if T_i64
typedef uint64_t Sum;
#else
typedef uint32_t Sum;
#endif
typedef Sum Sums __attribute__((vector_size(VECTOR_BYTES)));
typedef Sum LooseSums __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(Sum)), may_alias));

enum { LANES = VECTOR_BYTES / sizeof(Sum), WIDTH = 2 * LANES, ROWS = 4, DEPTH = BLOCK_SIZE(PANEL_K, 4) };

/* A row of sums in its first lanes becomes one of c, or is added to it. */
INLINE void store_sums(const Sums *sum, int vectors, int64_t width, bool add, T *c)
{
  Sum line[WIDTH];
  for (int j = 0; j < vectors; j++) *(LooseSums *)(line + j * LANES) = sum[j];
  for (int64_t j = 0; j < width; j++) c[j] = (T)(add ? (Sum)c[j] + line[j] : line[j]);
}

/* ---- any integers ---- */

/* Rows of c, all of them in the columns of a panel. */
typedef struct Block {
  int64_t depth, width;
  const T *a;
  int64_t a_row, a_col;
  const Sum *panel;
  bool add;
  T *c;
  int64_t c_row;
} Block;

INLINE void run_block(const Block *k, int64_t i, int rows)
{
  Sums sum[ROWS][2];
  const T *a = k->a + i * k->a_row;
  const Sum *b = k->panel;
  UNROLL for (int r = 0; r < rows; r++) sum[r][0] = sum[r][1] = (Sums){0};
  for (int64_t p = 0; p < k->depth; p++, a += k->a_col, b += WIDTH) {
    const Sums low = *(const LooseSums *)b, high = *(const LooseSums *)(b + LANES);
    UNROLL for (int r = 0; r < rows; r++)
    {
      const Sum factor = (Sum)a[r * k->a_row];
      sum[r][0] += factor * low;
      sum[r][1] += factor * high;
    }
  }
  UNROLL for (int r = 0; r < rows; r++) store_sums(sum[r], 2, k->width, k->add, k->c + (i + r) * k->c_row);
}

/* panel: [depth, WIDTH], with zeros from `width` on. */
static void pack_panel(int64_t depth, int64_t width, const T *b, int64_t b_row, int64_t b_col, Sum *panel)
{
  for (int64_t p = 0; p < depth; p++, b += b_row, panel += WIDTH) {
    if (b_col == 1)
      for (int64_t j = 0; j < width; j++) panel[j] = (Sum)b[j];
    else
      for (int64_t j = 0; j < width; j++) panel[j] = (Sum)b[j * b_col];
    for (int64_t j = width; j < WIDTH; j++) panel[j] = 0;
  }
}

/* c (+)= a b. a: [m, k] and b: [k, n], any steps; c: [m, n], rows c_row apart */
static void product(int64_t m, int64_t n, int64_t k, const void *a, int64_t a_row, int64_t a_col, const void *b,
                    int64_t b_row, int64_t b_col, bool add, void *c, int64_t c_row)
{
  _Alignas(64) Sum panel[DEPTH * WIDTH];
  for (int64_t j = 0; j < n; j += WIDTH)
    for (int64_t q = 0; q < k; q += DEPTH) {
      const Block block = {.depth = k - q < DEPTH ? k - q : DEPTH,
                           .width = n - j < WIDTH ? n - j : WIDTH,
                           .a = (const T *)a + q * a_col,
                           .a_row = a_row,
                           .a_col = a_col,
                           .panel = panel,
                           .add = add || q > 0,
                           .c = (T *)c + j,
                           .c_row = c_row};
      pack_panel(block.depth, block.width, (const T *)b + q * b_row + j * b_col, b_row, b_col, panel);
      int64_t i = 0;
      for (; i + ROWS <= m; i += ROWS) run_block(&block, i, ROWS);
      for (; i < m; i++) run_block(&block, i, 1);
    }
}

/* ---- bytes into int32 ---- */

#if T_i32

enum { BYTE_ROWS = BLOCK_SIZE(PRODUCT_ROWS, 2), FEW_ROWS = 3, ROW_VECTORS = 8 };
typedef int32_t Pairs __attribute__((vector_size(VECTOR_BYTES))); /* each of two int16, the first one lower */

/* a0 b0 + a1 b1 of pairs. */
INLINE Pairs sums_of_pairs(Pairs a, Pairs b)
{
#if __AVX2__ && VECTOR_BYTES == 32
  return (Pairs)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#elif __SSE2__ && VECTOR_BYTES == 16
  return (Pairs)_mm_madd_epi16((__m128i)a, (__m128i)b);
#else
  return (a << 16 >> 16) * (b << 16 >> 16) + (a >> 16) * (b >> 16);
#endif
}

INLINE uint32_t pair_of(int first, int second) { return (uint32_t)(uint16_t)first | (uint32_t)second << 16; }

/* Bytes of two rows side by side as pairs: those of the first row come first. */
INLINE Pairs pairs_at(bool is_signed, const char *first, const char *second)
{
#if __AVX2__ && VECTOR_BYTES == 32
  const __m128i both = _mm_unpacklo_epi8(_mm_loadl_epi64((const void *)first), _mm_loadl_epi64((const void *)second));
  return (Pairs)(is_signed ? _mm256_cvtepi8_epi16(both) : _mm256_cvtepu8_epi16(both));
#elif __SSE2__ && VECTOR_BYTES == 16
  int32_t low, high;
  memcpy(&low, first, sizeof low);
  memcpy(&high, second, sizeof high);
  const __m128i both = _mm_unpacklo_epi8(_mm_cvtsi32_si128(low), _mm_cvtsi32_si128(high)), zero = _mm_setzero_si128();
  return (Pairs)(is_signed ? _mm_srai_epi16(_mm_unpacklo_epi8(zero, both), 8) : _mm_unpacklo_epi8(both, zero));
#else
  Pairs pairs;
  for (int j = 0; j < LANES; j++)
    pairs[j] = is_signed ? (int32_t)pair_of(((const int8_t *)first)[j], ((const int8_t *)second)[j])
                         : (int32_t)pair_of(((const uint8_t *)first)[j], ((const uint8_t *)second)[j]);
  return pairs;
#endif
}

/* Some lines of a matrix of bytes as pairs of terms: to[p][line], `step` lines in a row. Lines are `line` apart, terms
   `term`; an odd last one is paired with 0. What is in a line's place behind the last one stays. */
#define PACK_BYTES(name, Byte)                                                                                         \
  static void name(int64_t lines, int64_t terms, const Byte *from, int64_t line, int64_t term, int step, uint32_t *to) \
  {                                                                                                                    \
    const int64_t pairs = terms / 2;                                                                                   \
    if (line == 1)                                                                                                     \
      for (int64_t p = 0; p < pairs; p++)                                                                              \
        for (int64_t i = 0; i < lines; i++)                                                                            \
          to[p * step + i] = pair_of(from[2 * p * term + i], from[(2 * p + 1) * term + i]);                            \
    else                                                                                                               \
      for (int64_t i = 0; i < lines; i++)                                                                              \
        for (int64_t p = 0; p < pairs; p++)                                                                            \
          to[p * step + i] = pair_of(from[i * line + 2 * p * term], from[i * line + (2 * p + 1) * term]);              \
    if (terms % 2)                                                                                                     \
      for (int64_t i = 0; i < lines; i++) to[pairs * step + i] = pair_of(from[i * line + (terms - 1) * term], 0);      \
  }
PACK_BYTES(pack_signed, int8_t)
PACK_BYTES(pack_unsigned, uint8_t)

static void pack_bytes(Stored stored, int64_t lines, int64_t terms, const void *from, int64_t line, int64_t term,
                       int step, uint32_t *to)
{
  if (stored == STORED_I8) pack_signed(lines, terms, from, line, term, step, to);
  else pack_unsigned(lines, terms, from, line, term, step, to);
}

/* A whole panel of b, whose rows are contiguous. */
INLINE void pack_wide(bool is_signed, int64_t terms, const char *b, int64_t b_row, uint32_t *to)
{
  for (int64_t p = 0; p + 1 < terms; p += 2, b += 2 * b_row, to += WIDTH)
    for (int j = 0; j < WIDTH; j += LANES) *(LooseSums *)(to + j) = (Sums)pairs_at(is_signed, b + j, b + b_row + j);
  if (terms % 2) /* alone in its pair */
    for (int j = 0; j < WIDTH; j += LANES) {
      const Pairs pair = pairs_at(is_signed, b + j, b + j);
      *(LooseSums *)(to + j) = (Sums)pair & 0xffff;
    }
}

static void pack_bytes_panel(const Product *p, int64_t width, int64_t terms, const char *b, uint32_t *panel)
{
  if (width < WIDTH || p->b_col != 1) pack_bytes(p->b_stored, width, terms, b, p->b_col, p->b_row, WIDTH, panel);
  else if (p->b_stored == STORED_I8) pack_wide(true, terms, b, p->b_row, panel);
  else pack_wide(false, terms, b, p->b_row, panel);
}

/* A block of the result, of `rows` at most BYTE_ROWS, from packed rows and a packed panel of so many pairs. */
INLINE void run_pairs(int64_t pairs, const uint32_t *a, const uint32_t *b, int rows, int64_t width, bool add, T *c,
                      int64_t c_row)
{
  Sums sum[BYTE_ROWS][2];
  UNROLL for (int r = 0; r < BYTE_ROWS; r++) sum[r][0] = sum[r][1] = (Sums){0};
  for (int64_t p = 0; p < pairs; p++, a += BYTE_ROWS, b += WIDTH) {
    const Pairs low = (Pairs) * (const LooseSums *)b, high = (Pairs) * (const LooseSums *)(b + LANES);
    UNROLL for (int r = 0; r < BYTE_ROWS; r++)
    {
      const Pairs factor = (Pairs)((Sums){0} + a[r]);
      sum[r][0] += (Sums)sums_of_pairs(factor, low);
      sum[r][1] += (Sums)sums_of_pairs(factor, high);
    }
  }
  UNROLL for (int r = 0; r < BYTE_ROWS; r++) if (r < rows) store_sums(sum[r], 2, width, add, c + r * c_row);
}

/* Columns of the result of one row, from a's terms as pairs and b as it lies: vectors side by side in its rows. */
INLINE void run_row(int vectors, bool is_signed, int64_t terms, const uint32_t *a, const char *b, int64_t b_row,
                    bool add, T *c)
{
  Sums sum[ROW_VECTORS];
  UNROLL for (int j = 0; j < vectors; j++)
  {
    sum[j] = (Sums){0};
    if (add) sum[j] = *(const LooseSums *)(c + j * LANES);
  }
  for (int64_t p = 0; p < terms; p += 2, b += 2 * b_row) {
    const char *next = p + 1 < terms ? b + b_row : b; /* its factor is 0 then */
    const Pairs factor = (Pairs)((Sums){0} + a[p / 2]);
    UNROLL for (int j = 0; j < vectors; j++)
      sum[j] += (Sums)sums_of_pairs(factor, pairs_at(is_signed, b + j * LANES, next + j * LANES));
  }
  UNROLL for (int j = 0; j < vectors; j++) * (LooseSums *)(c + j * LANES) = sum[j];
}

/* A row of a times b, whose rows are contiguous, up to the last whole vectors of columns; returns how many columns. */
INLINE int64_t row_in_vectors(bool is_signed, int64_t n, int64_t terms, const uint32_t *a, const char *b, int64_t b_row,
                              bool add, T *c)
{
  int64_t j = 0;
  for (; j + ROW_VECTORS * LANES <= n; j += ROW_VECTORS * LANES)
    run_row(ROW_VECTORS, is_signed, terms, a, b + j, b_row, add, c + j);
  for (; j + LANES <= n; j += LANES) run_row(1, is_signed, terms, a, b + j, b_row, add, c + j);
  return j;
}

/* Products of few rows: packing b would take longer than they do. */
static void few_rows(const Product *p, uint32_t *left)
{
  const bool is_signed = p->b_stored == STORED_I8;
  const char *a = p->a, *b = p->b;
  for (int64_t i = 0; i < p->m; i++)
    for (int64_t q = 0; q < p->k; q += DEPTH) {
      const int64_t terms = p->k - q < DEPTH ? p->k - q : DEPTH;
      const char *rows = b + q * p->b_row;
      T *c = (T *)p->c + i * p->c_row;
      pack_bytes(p->a_stored, 1, terms, a + i * p->a_row + q * p->a_col, p->a_row, p->a_col, 1, left);
      int64_t j = is_signed ? row_in_vectors(true, p->n, terms, left, rows, p->b_row, q > 0, c)
                            : row_in_vectors(false, p->n, terms, left, rows, p->b_row, q > 0, c);
      for (; j < p->n; j++) {
        Sum sum = q > 0 ? (Sum)c[j] : 0;
        for (int64_t k = 0; k < terms; k++) {
          const int factor = (int16_t)(left[k / 2] >> (k % 2 * 16));
          sum += (Sum)(factor
                       * (is_signed ? ((const int8_t *)rows)[k * p->b_row + j]
                                    : ((const uint8_t *)rows)[k * p->b_row + j]));
        }
        c[j] = (T)sum;
      }
    }
}

static void bytes(const Product *p, void *left)
{
  if (p->m <= FEW_ROWS && p->b_col == 1) {
    few_rows(p, left);
    return;
  }
  _Alignas(64) uint32_t panel[DEPTH / 2 * WIDTH];
  const char *a = p->a, *b = p->b;
  memset(panel, 0, sizeof panel);
  for (int64_t q = 0; q < p->k; q += DEPTH) {
    const int64_t terms = p->k - q < DEPTH ? p->k - q : DEPTH, pairs = (terms + 1) / 2;
    for (int64_t i = 0; i < p->m; i += BYTE_ROWS)
      pack_bytes(p->a_stored, p->m - i < BYTE_ROWS ? p->m - i : BYTE_ROWS, terms, a + i * p->a_row + q * p->a_col,
                 p->a_row, p->a_col, BYTE_ROWS, (uint32_t *)left + i * pairs);
    for (int64_t j = 0; j < p->n; j += WIDTH) {
      const int64_t width = p->n - j < WIDTH ? p->n - j : WIDTH;
      pack_bytes_panel(p, width, terms, b + q * p->b_row + j * p->b_col, panel);
      for (int64_t i = 0; i < p->m; i += BYTE_ROWS)
        run_pairs(pairs, (const uint32_t *)left + i * pairs, panel, p->m - i < BYTE_ROWS ? (int)(p->m - i) : BYTE_ROWS,
                  width, q > 0, (T *)p->c + i * p->c_row + j, p->c_row);
    }
  }
}

#endif

void TYPED(fill_whole_products)(MatmulKernels *t);
void TYPED(fill_whole_products)(MatmulKernels *t)
{
  t->product = product;
#if T_i32
  t->bytes = bytes;
  t->rows = BYTE_ROWS;
  t->depth = DEPTH;
#endif
}

#else
typedef int nothing_here; /* C wants a declaration */
#endif
