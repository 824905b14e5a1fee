/*
 * Products of matrices. Those of floats go through blocks that hold some rows by two vectors of the result in
 * registers, on panels of b, and where it pays of a, that are packed (typed/packing.h). The same blocks make complex
 * products of pairs of floats. Products of few rows, which memory bounds, are in typed/matvec.c, those of integers in
 * typed/whole_products.c.
 */
#include "kernels/matmul.h"

#include "core/blocks.h"
#include "kernels/typed/vector.h"

#if T_FLOATING

#include "kernels/typed/narrow.h"
#include "kernels/typed/packing.h"

#if NNLUA_SMALL_BLOCKS
#define MIDDLE NO
#define TALL NO
#else
#define MIDDLE YES
#if PRODUCT_ROWS > 6
#define TALL YES
#else
#define TALL NO
#endif
#endif
#define YES(...) __VA_ARGS__
#define NO(...)

/* A block of the result: rows x width, width up to columns of vectors. */
typedef struct Block {
  int64_t depth;
  const T *a;
  int64_t a_row, a_col;
  const T *b; /* a panel: WIDTH columns, b_row apart */
  int64_t b_row;
  T alpha, beta;
  const T *addend; /* or NULL */
  int64_t addend_row;
  T *c;
  int64_t c_row;
  int width;
} Block;

/* c = alpha sum + beta addend, of one vector or the first lanes of it. */
INLINE void store_sum(const Block *k, int i, int at, bool partial, Lanes lanes, Vector sum)
{
  T *c = k->c + i * k->c_row + at;
  int n = k->width - at;
  if (k->alpha != 1) sum *= k->alpha;
  if (k->addend) {
    const T *addend = k->addend + i * k->addend_row + at;
    sum += k->beta * (partial ? load_first(addend, lanes, n) : load(addend));
  }
  if (partial) store_first(c, lanes, n, sum);
  else store(c, sum);
}

/* All but k are constants where it is called, so that the sums stay in registers. partial: the last vector has fewer
   than V columns. packed: so is a. */
INLINE void run_block(const Block *k, int rows, int columns, bool partial, bool packed)
{
  Vector sum[ROWS][2];
  const T *a = k->a, *b = k->b;
  const int64_t a_row = packed ? 1 : k->a_row, a_col = packed ? ROWS : k->a_col, b_row = packed ? WIDTH : k->b_row;
  const int last = columns - 1;
  const Block end = *k; /* of this block's own: what is stored can't change it */
  Lanes lanes = lanes_of(partial ? k->width - last * V : 0);
  UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < columns; j++) sum[i][j] = (Vector){0};
  if (packed) UNROLL for (int i = 0; i < rows; i++) __builtin_prefetch(k->c + i * k->c_row, 1);
  for (int64_t p = 0; p < k->depth; p++, a += a_col, b += b_row) {
    Vector right[2];
    UNROLL for (int j = 0; j < columns; j++) right[j] = partial && j == last ? load_lanes(b + j * V, lanes)
                                                                             : load(b + j * V);
    UNROLL for (int i = 0; i < rows; i++)
    {
      T factor = a[i * a_row];
      UNROLL for (int j = 0; j < columns; j++) sum[i][j] += factor * right[j];
    }
  }
  UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < columns; j++)
    store_sum(&end, i, j * V, partial && j == last, lanes, sum[i][j]);
}

#define CASE(rows, columns, partial)             \
  case rows:                                     \
    run_block(k, rows, columns, partial, false); \
    break;
#define CASES(columns, partial)                                                                                     \
  switch (rows) {                                                                                                   \
    CASE(1, columns, partial)                                                                                       \
    MIDDLE(CASE(2, columns, partial) CASE(3, columns, partial) CASE(4, columns, partial) CASE(5, columns, partial)) \
    TALL(CASE(6, columns, partial) CASE(7, columns, partial) CASE(8, columns, partial) CASE(9, columns, partial)    \
           CASE(10, columns, partial) CASE(11, columns, partial))                                                   \
    default: run_block(k, ROWS, columns, partial, false);                                                           \
  }

static void run_wide(const Block *k, int rows) { CASES(2, false) }
static void run_wide_part(const Block *k, int rows) { CASES(2, true) }
static void run_narrow(const Block *k, int rows) { CASES(1, false) }
static void run_narrow_part(const Block *k, int rows) { CASES(1, true) }
static void run_packed(const Block *k) { run_block(k, ROWS, 2, false, true); }

static void (*runner_of(int width))(const Block *, int)
{
  if (width > V) return width == WIDTH ? run_wide : run_wide_part;
  return width == V ? run_narrow : run_narrow_part;
}

/* So few terms that blocks are no help. */
static void multiply_tiny(const Product *p)
{
  const T *a = p->a, *b = p->b, *addend = p->addend;
  for (int64_t i = 0; i < p->m; i++)
    for (int64_t j = 0; j < p->n; j++) {
      T sum = 0, *c = (T *)p->c + i * p->c_row + j;
      for (int64_t q = 0; q < p->k; q++) sum += a[i * p->a_row + q * p->a_col] * b[q * p->b_row + j * p->b_col];
      sum *= (T)p->alpha;
      *c = addend ? sum + (T)p->beta * addend[i * p->addend_row + j] : sum;
    }
}

/* Whether a panel of b must be packed: for its order, for its width, or as lines a large power of two apart would
   push each other out of the cache before the next rows of a need them. */
static bool must_pack(int64_t m, int width, int64_t b_row, int64_t b_col)
{
  if (b_col != 1 || (!HAS_LANES && width % V != 0)) return true;
  return m > 2 * ROWS && b_row * (int64_t)sizeof(T) % 1024 == 0;
}

/* Some panels of b, which stay in the first cache while the rows of a go by: one, or more where terms are few. Numbers
   and steps are those of floats. */
typedef struct Panels {
  int64_t first, n, depth;
  const T *right; /* packed ones, or NULL */
  const T *b;
  int64_t b_row, b_col;
  bool pairs;
} Panels;

/* The panel of the columns from j on; `to` is memory for it. */
static const T *panel_of(const Panels *s, int64_t m, int64_t j, int width, T *to, int64_t *row)
{
  *row = WIDTH;
  if (s->right) return s->right + j * s->depth;
  if (s->pairs) {
    pack_panel_of_pairs(s->depth / 2, width, s->b + j * s->b_col, s->b_row, s->b_col, to);
    return to;
  }
  const T *from = s->b + j * s->b_col;
  *row = s->b_row;
  if (!must_pack(m, width, s->b_row, s->b_col)) return from;
  pack_panel(s->depth, width, from, s->b_row, s->b_col, to);
  *row = WIDTH;
  return to;
}

/* Rows of c, all of them in the columns of some panels. */
static void multiply_panels(const Panels *s, Block k, int64_t m, bool left)
{
  _Alignas(64) T memory[DEPTH * WIDTH];
  const T *panel[DEPTH];
  int64_t row[DEPTH];
  int count = 0;
  for (int64_t j = 0; j < s->n; j += WIDTH, count++) {
    int width = s->n - j < WIDTH ? (int)(s->n - j) : WIDTH;
    panel[count] = panel_of(s, m, s->first + j, width, memory + j * s->depth, &row[count]);
  }
  const Block start = k;
  for (int64_t i = 0; i < m; i += ROWS) {
    int rows = m - i < ROWS ? (int)(m - i) : ROWS;
    for (int j = 0; j < count; j++) {
      int64_t at = (int64_t)j * WIDTH;
      k.width = s->n - at < WIDTH ? (int)(s->n - at) : WIDTH;
      k.b = panel[j];
      k.b_row = row[j];
      k.c = start.c + i * k.c_row + at;
      if (k.addend) k.addend = start.addend + i * k.addend_row + at;
      k.a = start.a + i * (left ? k.depth : k.a_row);
      if (left && rows == ROWS && k.width == WIDTH && k.b_row == WIDTH) run_packed(&k);
      else runner_of(k.width)(&k, rows);
    }
  }
}

/* The rows of a as blocks want them. */
static void pack_left(int64_t m, int64_t depth, const T *a, int64_t a_row, int64_t a_col, bool pairs, T *left)
{
  if (a_col == 1) {
    a_row *= pairs ? 2 : 1;
    for (int64_t i = 0; i < m; i += ROWS)
      pack_rows(depth, m - i < ROWS ? (int)(m - i) : ROWS, a + i * a_row, a_row, left + i * depth);
  } else if (pairs) {
    pack_columns_of_pairs(m, depth / 2, a, a_row, a_col, left);
  } else {
    pack_columns(m, depth, a, a_row, a_col, left);
  }
}

/* A matrix of narrower elements, of contiguous rows or columns, as the product's; steps become those of the copy. */
static void widen(Stored stored, int64_t rows, int64_t cols, const void *from, int64_t *row, int64_t *col, void *to)
{
  const bool by_rows = *col == 1;
  const int64_t lines = by_rows ? rows : cols, n = by_rows ? cols : rows, step = by_rows ? *row : *col;
  for (int64_t i = 0; i < lines; i++)
    widen_line(stored, n, stored_at(from, i * step, stored), stored_at(from, (i + 1) * step, stored), (T *)to + i * n);
  *row = by_rows ? n : 1;
  *col = by_rows ? 1 : n;
}

static void blocks(const Product *p, bool pairs, const void *right, void *left)
{
  if (p->n <= 4 && !pairs && !right && p->m * p->n * p->k <= MATMUL_TINY) {
    multiply_tiny(p);
    return;
  }
  const int64_t two = pairs ? 2 : 1, n = p->n * two, k = p->k * two;
  Block block = {.alpha = (T)p->alpha, .c_row = p->c_row * two};
  for (int64_t q = 0; q < k; q += DEPTH) {
    const int64_t depth = k - q < DEPTH ? k - q : DEPTH, most = n <= WIDTH ? WIDTH : DEPTH / depth * WIDTH;
    const T *a = (const T *)p->a + q * p->a_col, *addend = q ? p->c : p->addend;
    block.depth = depth;
    block.a = left ? left : a;
    block.a_row = left ? 1 : p->a_row * two;
    block.a_col = left ? ROWS : pairs ? 1 : p->a_col;
    block.beta = q ? 1 : (T)p->beta;
    block.addend_row = q ? block.c_row : p->addend_row * two;
    if (left) {
      int64_t row = p->a_row, col = p->a_col;
      if (p->a_stored) {
        T *wide = (T *)left + (p->m + ROWS - 1) / ROWS * ROWS * depth;
        widen(p->a_stored, p->m, depth, p->a, &row, &col, wide);
        a = wide;
      }
      pack_left(p->m, depth, a, row, col, pairs, left);
    }
    Panels s = {0, 0, depth, right, (const T *)p->b + q * p->b_row, p->b_row, p->b_col, pairs};
    for (; s.first < n; s.first += most) {
      s.n = n - s.first < most ? n - s.first : most;
      block.c = (T *)p->c + s.first;
      block.addend = addend ? addend + s.first : NULL;
      multiply_panels(&s, block, p->m, left);
    }
  }
}

static void matmul(int64_t m, int64_t n, int64_t k, const void *a, int64_t a_row, int64_t a_col, const void *b,
                   int64_t b_row, int64_t b_col, bool add, void *c, int64_t c_row)
{
  Product p = {.m = m,
               .n = n,
               .k = k,
               .a = a,
               .a_row = a_row,
               .a_col = a_col,
               .b = b,
               .b_row = b_row,
               .b_col = b_col,
               .alpha = 1,
               .beta = 1,
               .addend = add ? c : NULL,
               .addend_row = c_row,
               .c = c,
               .c_row = c_row};
  blocks(&p, false, NULL, NULL);
}

/* A panel of columns from j on, of narrower elements. */
static void pack_narrow_panel(const Product *p, int64_t j, int width, T *panel)
{
  _Alignas(64) T memory[DEPTH * WIDTH];
  int64_t row = p->b_row, col = p->b_col;
  widen(p->b_stored, p->k, width, stored_at(p->b, j * col, p->b_stored), &row, &col, memory);
  pack_panel(p->k, width, memory, row, col, panel);
}

static void pack_right(const Product *p, bool pairs, void *right)
{
  const int64_t two = pairs ? 2 : 1, n = p->n * two, k = p->k * two;
  for (int64_t j = 0; j < n; j += WIDTH) {
    int width = n - j < WIDTH ? (int)(n - j) : WIDTH;
    const T *b = (const T *)p->b + j * p->b_col;
    if (p->b_stored) pack_narrow_panel(p, j, width, (T *)right + j * k);
    else if (pairs) pack_panel_of_pairs(p->k, width, b, p->b_row, p->b_col, (T *)right + j * k);
    else pack_panel(k, width, b, p->b_row, p->b_col, (T *)right + j * k);
  }
}

#endif

#if T_FLOATING
void TYPED(fill_matvec)(MatmulKernels *t) AT_START;
void TYPED(fill_bfloat_products)(MatmulKernels *t) AT_START;
#elif T_INTEGRAL
void TYPED(fill_whole_products)(MatmulKernels *t) AT_START;
#endif
void TYPED(fill_matmul)(MatmulKernels *t) AT_START;
void TYPED(fill_matmul)(MatmulKernels *t)
{
#if T_FLOATING
  t->product = matmul;
  t->blocks = blocks;
  t->pack_right = pack_right;
  t->widen = widen;
  t->depth = DEPTH;
  t->width = WIDTH;
  t->rows = ROWS;
  t->left_bytes = LEFT_KB << 10;
  t->right_bytes = RIGHT_KB << 10;
  t->terms = 1;
  TYPED(fill_matvec)(t);
#if T_f32 && __AVX512BF16__
  TYPED(fill_bfloat_products)(t);
#endif
#elif T_INTEGRAL
  TYPED(fill_whole_products)(t);
#else
  (void)t;
#endif
}
