/*
 * Products of two matrices of bfloat16 in float32, two terms at a time, where the set has an instruction for that. It
 * takes subnormal terms for 0, and makes 0 of subnormal sums, which are below 2^-126.
 *
 * A lane of 32 bits holds two terms of a row or a column side by side. Rows of a are packed as lanes, ROWS of them side
 * by side, and columns of b, WIDTH of them, as floats are (typed/packing.h).
 */
#include "core/blocks.h"
#include "kernels/matmul.h"
#include "kernels/typed/typed.h"

#if T_f32 && __AVX512BF16__

#include "kernels/typed/packing.h"

enum { DOT_ROWS = 4, DOT_COLUMNS = BLOCK_SIZE(4, 2), DOT_TERMS = 2 * V };

typedef uint32_t Pairs __attribute__((vector_size(64)));
typedef uint32_t LoosePairs __attribute__((vector_size(64), aligned(2), may_alias));

INLINE Pairs load_pairs(const void *p) { return *(const LoosePairs *)p; }

INLINE Vector add_pairs(Vector sum, Pairs a, Pairs b)
{
  return (Vector)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
}

/* ---- packing ---- */

INLINE uint32_t pair_of(uint16_t first, uint16_t second) { return first | (uint32_t)second << 16; }

/* Whether lines of contiguous terms are such of lanes where they lie. */
static bool lies_in_lanes(const uint16_t *from, int64_t line)
{
  return line % 2 == 0 && (uintptr_t)from % sizeof(uint32_t) == 0;
}

/* to[p][i]: terms 2 p and 2 p + 1 of line i, `step` lines side by side; an odd last term is paired with 0. */
static void pack_pairs(int64_t lines, int64_t terms, const uint16_t *from, int64_t line, int64_t term, int step,
                       uint32_t *to)
{
  const int64_t lanes = terms / 2;
  for (int64_t p = 0; p < lanes; p++) {
    const uint16_t *first = from + 2 * p * term, *second = first + term;
    if (line == 1)
      for (int64_t i = 0; i < lines; i++) to[p * step + i] = pair_of(first[i], second[i]);
    else
      for (int64_t i = 0; i < lines; i++) to[p * step + i] = pair_of(first[i * line], second[i * line]);
  }
  if (terms % 2)
    for (int64_t i = 0; i < lines; i++) to[lanes * step + i] = pair_of(from[i * line + (terms - 1) * term], 0);
}

/* A panel of b. */
static void pack_columns_of_bfloats(const Product *p, int64_t j, int width, uint32_t *panel)
{
  const uint16_t *b = (const uint16_t *)p->b + j * p->b_col;
  int64_t whole = 0;
  if (p->b_row == 1 && lies_in_lanes(b, p->b_col)) {
    whole = p->k / 2;
    pack_lines(whole, width, (const T *)b, p->b_col / 2, (T *)panel);
  } else if (p->b_col == 1 && width == WIDTH) {
    for (; whole < p->k / 2; whole++)
      for (int v = 0; v < WIDTH; v += V) {
        const __m256i *first = (const void *)(b + 2 * whole * p->b_row + v),
                      *second = (const void *)(b + (2 * whole + 1) * p->b_row + v);
        const __m512i low = _mm512_cvtepu16_epi32(_mm256_loadu_si256(first)),
                      high = _mm512_cvtepu16_epi32(_mm256_loadu_si256(second));
        *(Pairs *)(panel + whole * WIDTH + v) = (Pairs)_mm512_or_si512(low, _mm512_slli_epi32(high, 16));
      }
  }
  pack_pairs(width, p->k - 2 * whole, b + 2 * whole * p->b_row, p->b_col, p->b_row, WIDTH, panel + whole * WIDTH);
}

static void pack_right(const Product *p, bool pairs, void *right)
{
  const int64_t lanes = (p->k + 1) / 2;
  (void)pairs;
  for (int64_t j = 0; j < p->n; j += WIDTH)
    pack_columns_of_bfloats(p, j, p->n - j < WIDTH ? (int)(p->n - j) : WIDTH, (uint32_t *)right + j * lanes);
}

static void pack_left(const Product *p, uint32_t *left)
{
  const int64_t lanes = (p->k + 1) / 2;
  for (int64_t i = 0; i < p->m; i += ROWS, left += ROWS * lanes) {
    const uint16_t *a = (const uint16_t *)p->a + i * p->a_row;
    const int rows = p->m - i < ROWS ? (int)(p->m - i) : ROWS;
    int64_t whole = 0;
    if (p->a_col == 1 && lies_in_lanes(a, p->a_row)) {
      whole = p->k / 2;
      pack_rows(whole, rows, (const T *)a, p->a_row / 2, (T *)left);
    }
    pack_pairs(rows, p->k - 2 * whole, a + 2 * whole * p->a_col, p->a_row, p->a_col, ROWS, left + whole * ROWS);
  }
}

/* ---- blocks ---- */

/* c = alpha sum + beta addend, of the columns from j on. */
INLINE void store_sum(const Product *p, int64_t i, int64_t j, Vector sum)
{
  const RowPart at = part_at(j, p->n);
  sum *= (T)p->alpha;
  if (p->addend) sum += (T)p->beta * load_part((const T *)p->addend + i * p->addend_row, at);
  store_part((T *)p->c + i * p->c_row, at, sum);
}

/* ROWS x WIDTH sums, of which those that there are are stored. */
INLINE void run_block(const Product *p, int64_t i, int64_t j, const uint32_t *a, const uint32_t *b, int rows,
                      int vectors)
{
  Vector sum[ROWS][2];
  UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < vectors; v++) sum[r][v] = (Vector){0};
  for (int64_t lanes = (p->k + 1) / 2; lanes > 0; lanes--, a += ROWS, b += WIDTH) {
    Pairs right[2];
    UNROLL for (int v = 0; v < vectors; v++) right[v] = load_pairs(b + v * V);
    UNROLL for (int r = 0; r < rows; r++)
    {
      const Pairs factor = (Pairs){0} + a[r];
      UNROLL for (int v = 0; v < vectors; v++) sum[r][v] = add_pairs(sum[r][v], factor, right[v]);
    }
  }
  const Product end = *p;
  UNROLL for (int r = 0; r < rows; r++) if (i + r < end.m) UNROLL for (int v = 0; v < vectors; v++)
    store_sum(&end, i + r, j + v * V, sum[r][v]);
}

static void run_panel(const Product *p, int64_t j, const uint32_t *left, const uint32_t *panel)
{
  const int64_t lanes = (p->k + 1) / 2;
  const bool narrow = p->n - j <= V;
  for (int64_t i = 0; i < p->m; i += ROWS) {
    const uint32_t *a = left + i * lanes;
    if (narrow) run_block(p, i, j, a, panel, ROWS, 1);
    else if (p->m - i > ROWS / 2) run_block(p, i, j, a, panel, ROWS, 2);
    else run_block(p, i, j, a, panel, ROWS / 2, 2);
  }
}

static void blocks(const Product *p, bool pairs, const void *right, void *left)
{
  const int64_t lanes = (p->k + 1) / 2;
  (void)pairs;
  pack_left(p, left);
  for (int64_t j = 0; j < p->n; j += WIDTH) run_panel(p, j, left, (const uint32_t *)right + j * lanes);
}

/* ---- dot products ---- */

INLINE Pairs load_there(__mmask32 there, const uint16_t *p) { return (Pairs)_mm512_maskz_loadu_epi16(there, p); }

/* Of some rows and columns, whose terms are contiguous. */
INLINE void run_dots(const Product *p, int64_t i, int64_t j, int rows, int columns)
{
  const uint16_t *a = (const uint16_t *)p->a + i * p->a_row, *b = (const uint16_t *)p->b + j * p->b_col;
  Vector sum[DOT_ROWS][DOT_COLUMNS];
  UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < columns; v++) sum[r][v] = (Vector){0};
  for (int64_t q = 0; q < p->k; q += DOT_TERMS) {
    const __mmask32 there = p->k - q < DOT_TERMS ? (1u << (p->k - q)) - 1 : ~0u;
    Pairs right[DOT_COLUMNS];
    UNROLL for (int v = 0; v < columns; v++) right[v] = load_there(there, b + v * p->b_col + q);
    UNROLL for (int r = 0; r < rows; r++)
    {
      const Pairs left = load_there(there, a + r * p->a_row + q);
      UNROLL for (int v = 0; v < columns; v++) sum[r][v] = add_pairs(sum[r][v], left, right[v]);
    }
  }
  UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < columns; v++)
  {
    const T *addend = p->addend;
    const T total = total_of(sum[r][v]) * (T)p->alpha;
    ((T *)p->c)[(i + r) * p->c_row + j + v] = addend ? total + (T)p->beta * addend[(i + r) * p->addend_row + j + v]
                                                     : total;
  }
}

INLINE void dots_of_columns(const Product *p, int64_t j, int columns)
{
  for (int64_t i = 0; i < p->m; i += DOT_ROWS) switch (p->m - i) {
      case 1: run_dots(p, i, j, 1, columns); break;
      case 2: run_dots(p, i, j, 2, columns); break;
      case 3: run_dots(p, i, j, 3, columns); break;
      default: run_dots(p, i, j, DOT_ROWS, columns);
    }
}

static void dots(const Product *p)
{
  int64_t j = 0;
  for (; j + DOT_COLUMNS <= p->n; j += DOT_COLUMNS) dots_of_columns(p, j, DOT_COLUMNS);
  for (; j < p->n; j++) dots_of_columns(p, j, 1);
}

void TYPED(fill_bfloat_products)(MatmulKernels *t) AT_START;
void TYPED(fill_bfloat_products)(MatmulKernels *t)
{
  static MatmulKernels bfloats;
  bfloats = *t;
  bfloats.blocks = blocks;
  bfloats.pack_right = pack_right;
  bfloats.dots = dots;
  bfloats.terms = 2;
  t->bfloats = &bfloats;
}

#else
typedef int nothing_here; /* C wants a declaration */
#endif
