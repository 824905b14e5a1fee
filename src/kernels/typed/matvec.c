/*
 * Products of few rows, which take as long as reading the matrix does: dot products with the rows of its transpose, and
 * for one row the sum of the matrix's own rows.
 */
#include "core/blocks.h"
#include "kernels/matmul.h"
#include "kernels/typed/vector.h"

#if T_FLOATING

#if NNLUA_SMALL_BLOCKS
enum { DOT_COLUMNS = 2 };
#else
enum { DOT_COLUMNS = PRODUCT_DOTS }; /* kernels/isa.def */
#endif
enum { DOT_ROWS = 4, LONE_COLUMNS = 4, LONE_STEPS = 2, SUMMANDS = 8 };

/* ---- dot products ---- */

/* A part of a product: rows of a and b from some place on, and where the sums go. */
typedef struct Dots {
  int64_t k;
  const T *a, *b;
  int64_t a_row, b_row;
  T alpha, beta;
  const T *addend;
  int64_t addend_row;
  T *c;
  int64_t c_row;
} Dots;

INLINE void run_dots(const Dots *d, int rows, int columns)
{
  Vector sum[DOT_ROWS][DOT_COLUMNS];
  int64_t p = 0;
  UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < columns; j++) sum[i][j] = (Vector){0};
  for (; p + V <= d->k; p += V) {
    Vector right[DOT_COLUMNS];
    UNROLL for (int j = 0; j < columns; j++) right[j] = load(d->b + j * d->b_row + p);
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
    d->c[i * d->c_row + j] = d->addend ? total + d->beta * d->addend[i * d->addend_row + j] : total;
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
INLINE void run_lone_dots(const T *a, const T *b, int64_t b_row, int64_t k, int columns, T *total)
{
  Vector sum[LONE_COLUMNS][LONE_STEPS];
  int64_t p = 0;
  UNROLL for (int j = 0; j < columns; j++) UNROLL for (int s = 0; s < LONE_STEPS; s++) sum[j][s] = (Vector){0};
  for (; p + LONE_STEPS * V <= k; p += LONE_STEPS * V) UNROLL for (int s = 0; s < LONE_STEPS; s++)
    {
      Vector left = load(a + p + s * V);
      UNROLL for (int j = 0; j < columns; j++) sum[j][s] += left * load(b + j * b_row + p + s * V);
    }
  for (; p + V <= k; p += V)
    UNROLL for (int j = 0; j < columns; j++) sum[j][0] += load(a + p) * load(b + j * b_row + p);
  UNROLL for (int j = 0; j < columns; j++)
  {
    total[j] = total_of(sum[j][0] + sum[j][1]);
    for (int64_t q = p; q < k; q++) total[j] += a[q] * b[j * b_row + q];
  }
}

static void lone_dots(const Product *p)
{
  const T *addend = p->addend;
  for (int64_t j = 0; j < p->n;) {
    int columns = p->n - j < LONE_COLUMNS ? 1 : LONE_COLUMNS;
    const T *b = (const T *)p->b + j * p->b_col;
    T total[LONE_COLUMNS];
    if (columns == 1) run_lone_dots(p->a, b, p->b_col, p->k, 1, total);
    else run_lone_dots(p->a, b, p->b_col, p->k, LONE_COLUMNS, total);
    for (int i = 0; i < columns; i++, j++) {
      total[i] *= (T)p->alpha;
      ((T *)p->c)[j] = addend ? total[i] + (T)p->beta * addend[j] : total[i];
    }
  }
}

static void dots(const Product *p)
{
  if (p->m == 1) {
    lone_dots(p);
    return;
  }
  const int64_t most = MATVEC_DEPTH;
  for (int64_t q = 0; q < p->k; q += most)
    for (int64_t j = 0; j < p->n;) {
      int columns = p->n - j < DOT_COLUMNS ? 1 : DOT_COLUMNS;
      for (int64_t i = 0; i < p->m; i += DOT_ROWS) {
        Dots d = {.k = p->k - q < most ? p->k - q : most,
                  .a = (const T *)p->a + i * p->a_row + q,
                  .a_row = p->a_row,
                  .b = (const T *)p->b + j * p->b_col + q,
                  .b_row = p->b_col,
                  .alpha = (T)p->alpha,
                  .beta = q ? 1 : (T)p->beta,
                  .addend = q ? p->c : p->addend,
                  .addend_row = q ? p->c_row : p->addend_row,
                  .c = (T *)p->c + i * p->c_row + j,
                  .c_row = p->c_row};
        int rows = p->m - i < DOT_ROWS ? (int)(p->m - i) : DOT_ROWS;
        if (d.addend) d.addend += i * d.addend_row + j;
        if (columns == 1) run_last_dots(&d, rows);
        else run_all_dots(&d, rows);
      }
      j += columns;
    }
}

/* ---- sums of rows ---- */

/* c += the sum of some rows of b, each times a factor. */
INLINE void add_rows(int rows, int64_t n, const T *factor, const T *b, int64_t b_row, T *c)
{
  int64_t j = 0;
  for (; j + V <= n; j += V) {
    Vector even = load(c + j), odd = {0};
    UNROLL for (int p = 0; p < rows; p += 2) even += factor[p] * load(b + p * b_row + j);
    UNROLL for (int p = 1; p < rows; p += 2) odd += factor[p] * load(b + p * b_row + j);
    store(c + j, even + odd);
  }
  for (; j < n; j++)
    for (int p = 0; p < rows; p++) c[j] += factor[p] * b[p * b_row + j];
}

/* One row of c, in strips that stay in the first cache. */
static void row_sum(const Product *p)
{
  const T *a = p->a, *b = p->b, *addend = p->addend;
  for (int64_t j = 0; j < p->n; j += MATVEC_STRIP) {
    int64_t n = p->n - j < MATVEC_STRIP ? p->n - j : MATVEC_STRIP, q = 0;
    T *c = (T *)p->c + j, factor[SUMMANDS];
    for (int64_t i = 0; i < n; i++) c[i] = addend ? (T)p->beta * addend[j + i] : 0;
    for (; q + SUMMANDS <= p->k; q += SUMMANDS) {
      for (int i = 0; i < SUMMANDS; i++) factor[i] = (T)p->alpha * a[(q + i) * p->a_col];
      add_rows(SUMMANDS, n, factor, b + q * p->b_row + j, p->b_row, c);
    }
    for (; q < p->k; q++) {
      factor[0] = (T)p->alpha * a[q * p->a_col];
      add_rows(1, n, factor, b + q * p->b_row + j, p->b_row, c);
    }
  }
}

void TYPED(fill_matvec)(MatmulKernels *t);
void TYPED(fill_matvec)(MatmulKernels *t)
{
  t->dots = dots;
  t->row_sum = row_sum;
}

#else
typedef int nothing_here; /* C wants a declaration */
#endif
