/*
 * Products of few rows, which take as long as reading the matrix does: dot products with the rows of its transpose, or
 * sums of the matrix's own rows.
 */
#include "core/blocks.h"
#include "kernels/matmul.h"
#include "kernels/typed/typed.h"

#if T_FLOATING

#include "kernels/typed/narrow.h"

#if NNLUA_SMALL_BLOCKS
enum { DOT_COLUMNS = 2, DOT_DEPTH = MATVEC_DEPTH };
#else
enum { DOT_COLUMNS = PRODUCT_DOTS };        /* kernels/isa.def */
enum { DOT_DEPTH = (32 << 10) / sizeof(T) }; /* terms at a time: as many of all rows of a as the second cache holds */
#endif
enum { DOT_ROWS = 4, LONE_COLUMNS = 4, LONE_STEPS = 2, SUMMANDS = 12 }; /* so many streams keep memory busy */
enum { LONE_AHEAD = 512 };                                              /* bytes that they are asked for ahead */

/* ---- dot products ---- */

/* A part of a product: rows of a and b from some place on, and where the sums go. */
typedef struct Dots {
  int64_t k;
  const T *a, *b;
  int64_t a_row, b_row;
  int64_t ahead; /* how far behind what is loaded of b lies what is asked for meanwhile */
  T alpha, beta;
  const T *addend;
  int64_t addend_row;
  T *c;
  int64_t c_row, c_col; /* the addend's columns are as far apart */
} Dots;

INLINE void run_dots(const Dots *d, int rows, int columns)
{
  Vector sum[DOT_ROWS][DOT_COLUMNS];
  const int64_t ahead = d->ahead;
  int64_t p = 0;
  UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < columns; j++) sum[i][j] = (Vector){0};
  for (; p + V <= d->k; p += V) {
    Vector right[DOT_COLUMNS];
    UNROLL for (int j = 0; j < columns; j++)
    {
      right[j] = load(d->b + j * d->b_row + p);
      if (rows > 2) __builtin_prefetch(d->b + j * d->b_row + p + ahead); /* fewer rows wait for nothing else */
    }
    UNROLL for (int i = 0; i < rows; i++)
    {
      Vector left = load(d->a + i * d->a_row + p);
      UNROLL for (int j = 0; j < columns; j++) sum[i][j] += left * right[j];
    }
  }
  UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < columns; j++)
  {
    T total = total_of(sum[i][j]);
    for (int64_t q = p; q < d->k; q++) total += d->a[i * d->a_row + q] * d->b[j * d->b_row + q];
    total *= d->alpha;
    T *c = d->c + i * d->c_row + j * d->c_col;
    *c = d->addend ? total + d->beta * d->addend[i * d->addend_row + j * d->c_col] : total;
  }
}

#define DOT_CASES(columns)                   \
  switch (rows) {                            \
    case 1: run_dots(d, 1, columns); break;  \
    case 2: run_dots(d, 2, columns); break;  \
    case 3: run_dots(d, 3, columns); break;  \
    default: run_dots(d, 4, columns); break; \
  }

static void run_all_dots(const Dots *d, int rows) { DOT_CASES(DOT_COLUMNS) }
static void run_last_dots(const Dots *d, int rows){DOT_CASES(1)}

/* One row and some columns, in twice as many sums: one each would wait for its own last addition. */
INLINE void run_lone_dots(const T *a, const void *b, int64_t b_row, int64_t k, int columns, Stored stored, T *total)
{
  Vector sum[LONE_COLUMNS][LONE_STEPS];
  int64_t p = 0;
  UNROLL for (int j = 0; j < columns; j++) UNROLL for (int s = 0; s < LONE_STEPS; s++) sum[j][s] = (Vector){0};
  for (; p + LONE_STEPS * V <= k; p += LONE_STEPS * V) UNROLL for (int s = 0; s < LONE_STEPS; s++)
    {
      Vector left = load(a + p + s * V);
      UNROLL for (int j = 0; j < columns; j++)
      {
        if (s == 0) __builtin_prefetch((const char *)stored_at(b, j * b_row + p, stored) + LONE_AHEAD);
        sum[j][s] += left * load_stored(b, j * b_row + p + s * V, stored);
      }
    }
  for (; p + V <= k; p += V)
    UNROLL for (int j = 0; j < columns; j++) sum[j][0] += load(a + p) * load_stored(b, j * b_row + p, stored);
  UNROLL for (int j = 0; j < columns; j++)
  {
    total[j] = total_of(sum[j][0] + sum[j][1]);
    for (int64_t q = p; q < k; q++) total[j] += a[q] * stored_element(b, j * b_row + q, stored);
  }
}

INLINE void store_lone(const Product *p, int64_t j, T total)
{
  const T *addend = p->addend;
  total *= (T)p->alpha;
  ((T *)p->c)[j] = addend ? total + (T)p->beta * addend[j] : total;
}

/* Some columns at once, each from a part of the matrix of its own: as many long streams, which memory is quick to
   foresee, where neighbouring columns would be short ones. */
INLINE void lone_dots_of(const Product *p, Stored stored)
{
  const int64_t part = p->n / LONE_COLUMNS;
  T total[LONE_COLUMNS];
  for (int64_t j = 0; j < part; j++) {
    run_lone_dots(p->a, stored_at(p->b, j * p->b_col, stored), part * p->b_col, p->k, LONE_COLUMNS, stored, total);
    for (int i = 0; i < LONE_COLUMNS; i++) store_lone(p, j + i * part, total[i]);
  }
  for (int64_t j = part * LONE_COLUMNS; j < p->n; j++) {
    run_lone_dots(p->a, stored_at(p->b, j * p->b_col, stored), 0, p->k, 1, stored, total);
    store_lone(p, j, total[0]);
  }
}

#if T_f32
#define FOR_STORED(function, p)                        \
  switch ((p)->b_stored) {                             \
    case STORED_F16: function(p, STORED_F16); break;   \
    case STORED_BF16: function(p, STORED_BF16); break; \
    case STORED_I8: function(p, STORED_I8); break;     \
    default: function(p, STORED_SAME);                 \
  }
#else
#define FOR_STORED(function, p) function(p, STORED_SAME);
#endif

static void lone_dots(const Product *p) { FOR_STORED(lone_dots_of, p) }

/* Some columns of b, `apart` from each other, of terms from q on, as the product's elements; in `row` how far apart
   they are then. */
static const T *columns_of(const Product *p, int64_t j, int columns, int64_t apart, int64_t q, int64_t k, T *memory,
                           int64_t *row)
{
  const char *b = stored_at(p->b, j * p->b_col + q, p->b_stored);
  *row = apart * p->b_col;
  if (p->b_stored == STORED_SAME) return (const T *)b;
  for (int i = 0; i < columns; i++) {
    const char *line = stored_at(b, i * *row, p->b_stored);
    const void *next = stored_at(line, columns * p->b_col, p->b_stored);
    widen_line(p->b_stored, k, line, next, memory + i * MATVEC_DEPTH);
  }
  *row = MATVEC_DEPTH;
  return memory;
}

/* All rows of c in some columns from j on, `apart` from each other: their terms from q on. */
static void dots_of_columns(const Product *p, int64_t j, int columns, int64_t apart, int64_t q, int64_t k)
{
  _Alignas(64) T memory[DOT_COLUMNS * MATVEC_DEPTH];
  int64_t b_row;
  const T *b = columns_of(p, j, columns, apart, q, k, memory, &b_row);
  const int64_t ahead = apart > 1 ? (int64_t)(LONE_AHEAD / sizeof(T)) : columns * b_row; /* in a stream, or the next */
  for (int64_t i = 0; i < p->m; i += DOT_ROWS) {
    Dots d = {.k = k,
              .a = (const T *)p->a + i * p->a_row + q,
              .a_row = p->a_row,
              .b = b,
              .b_row = b_row,
              .ahead = i || p->b_stored ? 0 : ahead,
              .alpha = (T)p->alpha,
              .beta = q ? 1 : (T)p->beta,
              .addend = q ? p->c : p->addend,
              .addend_row = q ? p->c_row : p->addend_row,
              .c = (T *)p->c + i * p->c_row + j,
              .c_row = p->c_row,
              .c_col = apart};
    int rows = p->m - i < DOT_ROWS ? (int)(p->m - i) : DOT_ROWS;
    if (d.addend) d.addend += i * d.addend_row + j;
    if (columns == 1) run_last_dots(&d, rows);
    else run_all_dots(&d, rows);
  }
}

static void dots(const Product *p)
{
  if (p->m == 1) {
    lone_dots(p);
    return;
  }
  /* Streams as those of lone_dots where lines are short; a long one is one for itself, and what is widened is asked for
     ahead. */
  const int64_t depth = p->b_stored == STORED_SAME ? (int64_t)DOT_DEPTH : MATVEC_DEPTH;
  const bool streams = p->k <= depth && p->b_stored == STORED_SAME;
  const int64_t parts = p->n / DOT_COLUMNS, apart = streams ? parts : 1;
  for (int64_t q = 0; q < p->k; q += depth) {
    const int64_t k = p->k - q < depth ? p->k - q : depth;
    for (int64_t j = 0; j < parts; j++) dots_of_columns(p, streams ? j : j * DOT_COLUMNS, DOT_COLUMNS, apart, q, k);
    for (int64_t j = parts * DOT_COLUMNS; j < p->n; j++) dots_of_columns(p, j, 1, 1, q, k);
  }
}

/* ---- sums of rows ---- */

/* c += the sum of some rows of b, each times a factor. */
INLINE void add_rows(int rows, int64_t n, const T *factor, const void *b, int64_t b_row, Stored stored, T *c)
{
  int64_t j = 0;
  for (; j + 2 * V <= n; j += 2 * V) {
    Vector low = load(c + j), high = load(c + j + V);
    UNROLL for (int p = 0; p < rows; p++)
    {
      low += factor[p] * load_stored(b, p * b_row + j, stored);
      high += factor[p] * load_stored(b, p * b_row + j + V, stored);
    }
    store(c + j, low);
    store(c + j + V, high);
  }
  for (; j < n; j += V) {
    const int left = n - j < V ? (int)(n - j) : V;
    const Lanes lanes = lanes_of(left);
    Vector sum = load_first(c + j, lanes, left);
    UNROLL for (int p = 0; p < rows; p++) sum += factor[p] * load_first_stored(b, p * b_row + j, lanes, left, stored);
    store_first(c + j, lanes, left, sum);
  }
}

/* Some terms of all rows of c, which take their rows of b from the first cache. */
INLINE void add_terms(const Product *p, int rows, int64_t first, int64_t n, const void *b, Stored stored, T *c)
{
  for (int64_t i = 0; i < p->m; i++, c += p->c_row) {
    const T *a = (const T *)p->a + i * p->a_row + first * p->a_col;
    T factor[SUMMANDS];
    for (int q = 0; q < rows; q++) factor[q] = (T)p->alpha * a[q * p->a_col];
    add_rows(rows, n, factor, stored_at(b, first * p->b_row, stored), p->b_row, stored, c);
  }
}

/* In strips of columns that stay in the first cache. */
INLINE void row_sums_of(const Product *p, Stored stored)
{
  const int64_t strip = MATVEC_STRIP / p->m < V ? V : MATVEC_STRIP / p->m / V * V;
  for (int64_t j = 0; j < p->n; j += strip) {
    const int64_t n = p->n - j < strip ? p->n - j : strip;
    const void *b = stored_at(p->b, j, stored);
    T *c = (T *)p->c + j;
    for (int64_t i = 0; i < p->m; i++) {
      const T *addend = p->addend ? (const T *)p->addend + i * p->addend_row + j : NULL;
      for (int64_t q = 0; q < n; q++) c[i * p->c_row + q] = addend ? (T)p->beta * addend[q] : 0;
    }
    int64_t q = 0;
    for (; q + SUMMANDS <= p->k; q += SUMMANDS) add_terms(p, SUMMANDS, q, n, b, stored, c);
    for (; q < p->k; q++) add_terms(p, 1, q, n, b, stored, c);
  }
}

static void row_sums(const Product *p) { FOR_STORED(row_sums_of, p) }

/* ---- rows of complex numbers ---- */

/*
 * A row of complex numbers times a complex matrix are two real rows times the same memory as a real one: of its real
 * and its imaginary parts, whose sums of rows of b belong together, or, for dot products, of the row's conjugate and of
 * the row with its parts changed. `memory` holds 4 (k + n) floats.
 */
static void pair_row(const Product *p, void *memory)
{
  const bool in_dots = pair_row_is_dots(p);
  const int64_t n = in_dots ? p->n : 2 * p->n, k = p->k;
  const T *a = p->a, *addend = p->addend;
  T *re = memory, *im = re + n, *c = p->c;
  Product q = {.m = 2,
               .n = n,
               .k = k,
               .a = a,
               .a_row = 1,
               .a_col = 2 * p->a_col,
               .b = p->b,
               .b_row = 2 * p->b_row,
               .b_col = 1,
               .alpha = p->alpha,
               .c = re,
               .c_row = n};
  if (in_dots) {
    T *rows = im + n;
    for (int64_t i = 0; i < k; i++, a += 2 * p->a_col) {
      rows[2 * i] = rows[2 * k + 2 * i + 1] = a[0];
      rows[2 * i + 1] = -a[1];
      rows[2 * k + 2 * i] = a[1];
    }
    q.k = q.a_row = 2 * k;
    q.a = rows;
    q.a_col = q.b_row = 1;
    q.b_col = 2 * p->b_col;
    dots(&q);
  } else {
    row_sums(&q);
  }
  for (int64_t j = 0; j < p->n; j++, c += 2) {
    T x = in_dots ? re[j] : re[2 * j] - im[2 * j + 1], y = in_dots ? im[j] : re[2 * j + 1] + im[2 * j];
    c[0] = addend ? x + (T)p->beta * addend[2 * j] : x;
    c[1] = addend ? y + (T)p->beta * addend[2 * j + 1] : y;
  }
}

void TYPED(fill_matvec)(MatmulKernels *t) AT_START;
void TYPED(fill_matvec)(MatmulKernels *t)
{
  t->dots = dots;
  t->row_sums = row_sums;
  t->pair_row = pair_row;
}

#else
typedef int nothing_here; /* C wants a declaration */
#endif
