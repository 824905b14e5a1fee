/*
 * Products of matrices. Floats go through a kernel that holds some rows by two vectors of the result in registers,
 * on panels of b that are packed where its columns are not contiguous, and, for a few rows times a transposed matrix,
 * through one of dot products. Integers, which BLAS doesn't have, take plain loops.
 */
#include "core/blocks.h"
#include "kernels/matmul.h"
#include "kernels/typed/vector.h"

#if T_FLOATING

#if NNLUA_SMALL_BLOCKS
#undef OWN_PRODUCT
#define OWN_PRODUCT 64
#define MIDDLE NO
#define TALL NO
enum { ROWS = 2, DOT_COLUMNS = 2 };
#else
enum { ROWS = PRODUCT_ROWS, DOT_COLUMNS = PRODUCT_DOTS }; /* kernels/isa.def */
#define MIDDLE YES
#if PRODUCT_ROWS > 6
#define TALL YES
#else
#define TALL NO
#endif
#endif
#define YES(...) __VA_ARGS__
#define NO(...)

/* A panel of b is at most DEPTH rows of WIDTH columns. */
enum { TILE = 32 / sizeof(T), WIDTH = 2 * V, DOT_ROWS = 4, DEPTH = MATMUL_DEPTH > TILE ? MATMUL_DEPTH : TILE };

/* c = v, or c += v, for the first lanes of v. */
INLINE void store_last(T *c, bool add, Lanes n, Vector v)
{
#if HAS_LANES
  store_lanes(c, n, add ? load_lanes(c, n) + v : v);
#else
  T line[V];
  store(line, v);
  for (int j = 0; j < n; j++) c[j] = add ? c[j] + line[j] : line[j];
#endif
}

/* A block of the result: rows x width, width up to columns of vectors. */
typedef struct Block {
  int64_t depth;
  const T *a;
  int64_t a_row, a_col;
  const T *b; /* a panel: WIDTH columns, b_row apart */
  int64_t b_row;
  bool add;
  T *c;
  int64_t c_row;
  int width;
} Block;

/* All but k are constants where it is called, so that the sums stay in registers. partial: the last vector has fewer
   than V columns. */
INLINE void run_block(const Block *k, int rows, int columns, bool partial)
{
  Vector sum[ROWS][2];
  const T *a = k->a, *b = k->b;
  const int last = columns - 1;
  Lanes lanes = lanes_of(partial ? k->width - last * V : 0);
  UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < columns; j++) sum[i][j] = (Vector){0};
  for (int64_t p = 0; p < k->depth; p++, a += k->a_col, b += k->b_row) {
    Vector right[2];
    UNROLL for (int j = 0; j < columns; j++) right[j] = partial && j == last ? load_lanes(b + j * V, lanes)
                                                                             : load(b + j * V);
    UNROLL for (int i = 0; i < rows; i++)
    {
      T factor = a[i * k->a_row];
      UNROLL for (int j = 0; j < columns; j++) sum[i][j] += factor * right[j];
    }
  }
  UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < columns; j++)
  {
    T *c = k->c + i * k->c_row + j * V;
    if (partial && j == last) store_last(c, k->add, lanes, sum[i][j]);
    else store(c, k->add ? load(c) + sum[i][j] : sum[i][j]);
  }
}

#define CASE(rows, columns, partial)      \
  case rows:                              \
    run_block(k, rows, columns, partial); \
    break;
#define CASES(columns, partial)                                                                                     \
  switch (rows) {                                                                                                   \
    CASE(1, columns, partial)                                                                                       \
    MIDDLE(CASE(2, columns, partial) CASE(3, columns, partial) CASE(4, columns, partial) CASE(5, columns, partial)) \
    TALL(CASE(6, columns, partial) CASE(7, columns, partial) CASE(8, columns, partial) CASE(9, columns, partial)    \
           CASE(10, columns, partial) CASE(11, columns, partial))                                                   \
    default: run_block(k, ROWS, columns, partial);                                                                  \
  }

static void run_wide(const Block *k, int rows) { CASES(2, false) }
static void run_wide_part(const Block *k, int rows) { CASES(2, true) }
static void run_narrow(const Block *k, int rows) { CASES(1, false) }
static void run_narrow_part(const Block *k, int rows) { CASES(1, true) }

static void (*runner_of(int width))(const Block *, int)
{
  if (width > V) return width == WIDTH ? run_wide : run_wide_part;
  return width == V ? run_narrow : run_narrow_part;
}

/* ---- packing ---- */

typedef T Tile __attribute__((vector_size(32)));
typedef T LooseTile __attribute__((vector_size(32), aligned(sizeof(T)), may_alias));
#if T_f32
#define FIRST_HALVES(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define LAST_HALVES(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#else
#define FIRST_HALVES(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define LAST_HALVES(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#endif

/* Interleaving the first half of the lines with the second transposes a tile after log2(TILE) times. */
INLINE void transpose_tile(const T *from, int64_t from_step, T *to)
{
  Tile line[TILE], next[TILE];
  for (int i = 0; i < TILE; i++) line[i] = *(const LooseTile *)(from + i * from_step);
  for (int stage = 1; stage < TILE; stage *= 2) {
    for (int i = 0; i < TILE / 2; i++) {
      next[2 * i] = FIRST_HALVES(line[i], line[i + TILE / 2]);
      next[2 * i + 1] = LAST_HALVES(line[i], line[i + TILE / 2]);
    }
    for (int i = 0; i < TILE; i++) line[i] = next[i];
  }
  for (int i = 0; i < TILE; i++) *(LooseTile *)(to + i * WIDTH) = line[i];
}

/* panel[p][j] = b[j][p], of contiguous lines b_step apart. */
static void pack_transposed(int64_t depth, int width, const T *b, int64_t b_step, T *panel)
{
  int j = 0;
  for (; j + TILE <= width; j += TILE) {
    int64_t p = 0;
    for (; p + TILE <= depth; p += TILE) transpose_tile(b + j * b_step + p, b_step, panel + p * WIDTH + j);
    for (; p < depth; p++)
      for (int i = j; i < j + TILE; i++) panel[p * WIDTH + i] = b[i * b_step + p];
  }
  for (; j < width; j++)
    for (int64_t p = 0; p < depth; p++) panel[p * WIDTH + j] = b[j * b_step + p];
}

/* Columns up to `room` that are not masked out later become 0. b: [depth, width], any steps; panel: [depth, WIDTH]. */
static void pack(int64_t depth, int width, int room, const T *b, int64_t b_row, int64_t b_col, T *panel)
{
  if (b_row == 1) {
    pack_transposed(depth, width, b, b_col, panel);
  } else if (b_col == 1 && width == WIDTH) {
    for (int64_t p = 0; p < depth; p++) memcpy(panel + p * WIDTH, b + p * b_row, WIDTH * sizeof(T));
  } else {
    for (int64_t p = 0; p < depth; p++)
      for (int j = 0; j < width; j++) panel[p * WIDTH + j] = b[p * b_row + j * b_col];
  }
  for (int64_t p = 0; p < depth && !HAS_LANES && width < room; p++)
    for (int j = width; j < room; j++) panel[p * WIDTH + j] = 0;
}

/* Whether a panel of b must be packed: for its order, for its width, or as lines a large power of two apart would
   push each other out of the cache before the next rows of a need them. */
static bool must_pack(int64_t m, int width, int columns, int64_t b_row, int64_t b_col)
{
  if (b_col != 1 || (!HAS_LANES && width != columns * V)) return true;
  return m > 2 * ROWS && b_row * (int64_t)sizeof(T) % 1024 == 0;
}

/* So few terms that blocks are no help. a: [m, k]; b: [k, n]; c: [m, n]. */
static void multiply_tiny(int64_t m, int64_t n, int64_t k, const T *a, int64_t a_row, int64_t a_col, const T *b,
                          int64_t b_row, int64_t b_col, bool add, T *c, int64_t c_row)
{
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++) {
      T sum = add ? c[i * c_row + j] : 0;
      for (int64_t p = 0; p < k; p++) sum += a[i * a_row + p * a_col] * b[p * b_row + j * b_col];
      c[i * c_row + j] = sum;
    }
}

/* c (+)= a b. a: [m, k] and b: [k, n], any steps; c: [m, n], rows c_row apart */
static void matmul(int64_t m, int64_t n, int64_t k, const void *a, int64_t a_row, int64_t a_col, const void *b,
                   int64_t b_row, int64_t b_col, bool add, void *c, int64_t c_row)
{
  if (n <= 4 && m * n * k <= MATMUL_TINY) {
    multiply_tiny(m, n, k, a, a_row, a_col, b, b_row, b_col, add, c, c_row);
    return;
  }
  _Alignas(64) T panel[DEPTH * WIDTH];
  for (int64_t p = 0; p < k; p += DEPTH) {
    int64_t depth = k - p < DEPTH ? k - p : DEPTH;
    const T *left = (const T *)a + p * a_col;
    for (int64_t j = 0; j < n; j += WIDTH) {
      int width = n - j < WIDTH ? (int)(n - j) : WIDTH;
      int columns = width > V ? 2 : 1;
      const T *from = (const T *)b + p * b_row + j * b_col;
      Block block = {depth, left, a_row, a_col, from, b_row, add || p > 0, (T *)c + j, c_row, width};
      if (must_pack(m, width, columns, b_row, b_col)) {
        pack(depth, width, columns * V, from, b_row, b_col, panel);
        block.b = panel;
        block.b_row = WIDTH;
      }
      void (*run)(const Block *, int) = runner_of(width);
      for (int64_t i = 0; i < m; i += ROWS) {
        block.a = left + i * a_row;
        block.c = (T *)c + i * c_row + j;
        run(&block, m - i < ROWS ? (int)(m - i) : ROWS);
      }
    }
  }
}

/* ---- dot products ---- */

INLINE void run_dots(int rows, int columns, int64_t k, const T *a, int64_t a_row, const T *b, int64_t b_row, bool add,
                     T *c, int64_t c_row)
{
  Vector sum[DOT_ROWS][DOT_COLUMNS];
  int64_t p = 0;
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++) sum[i][j] = (Vector){0};
  for (; p + V <= k; p += V) {
    Vector right[DOT_COLUMNS];
    for (int j = 0; j < columns; j++) right[j] = load(b + j * b_row + p);
    for (int i = 0; i < rows; i++) {
      Vector left = load(a + i * a_row + p);
      for (int j = 0; j < columns; j++) sum[i][j] += left * right[j];
    }
  }
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++) {
      T total = total_of(sum[i][j]);
      for (int64_t q = p; q < k; q++) total += a[i * a_row + q] * b[j * b_row + q];
      c[i * c_row + j] = add ? c[i * c_row + j] + total : total;
    }
}

#define DOT_CASES(columns)                                                      \
  switch (rows) {                                                               \
    case 1: run_dots(1, columns, k, x, a_row, y, b_row, add, z, c_row); break;  \
    case 2: run_dots(2, columns, k, x, a_row, y, b_row, add, z, c_row); break;  \
    case 3: run_dots(3, columns, k, x, a_row, y, b_row, add, z, c_row); break;  \
    default: run_dots(4, columns, k, x, a_row, y, b_row, add, z, c_row); break; \
  }

/* c (+)= a b^T. a: [m, k], b: [n, k], c: [m, n], all with contiguous rows */
static void matmul_rows(int64_t m, int64_t n, int64_t k, const void *a, int64_t a_row, const void *b, int64_t b_row,
                        bool add, void *c, int64_t c_row)
{
  for (int64_t j = 0; j < n;) {
    int64_t columns = n - j < DOT_COLUMNS ? 1 : DOT_COLUMNS;
    const T *y = (const T *)b + j * b_row;
    for (int64_t i = 0; i < m; i += DOT_ROWS) {
      int64_t rows = m - i < DOT_ROWS ? m - i : DOT_ROWS;
      const T *x = (const T *)a + i * a_row;
      T *z = (T *)c + i * c_row + j;
      if (columns == 1) DOT_CASES(1)
      else DOT_CASES(DOT_COLUMNS)
    }
    j += columns;
  }
}

#else

/* Integers wrap: sums of products are the same modulo 2^64 and are cut when they are stored. */
#if T_COMPLEX
typedef T Sum;
#elif T_i64
typedef uint64_t Sum;
#else
typedef uint32_t Sum;
#endif

/* c (+)= a b. a: [m, k] and b: [k, n], any steps; c: [m, n], rows c_row apart */
static void matmul(int64_t m, int64_t n, int64_t k, const void *a, int64_t a_row, int64_t a_col, const void *b,
                   int64_t b_row, int64_t b_col, bool add, void *c, int64_t c_row)
{
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j += MATMUL_STRIP) {
      Sum sum[MATMUL_STRIP] = {0};
      int64_t width = n - j < MATMUL_STRIP ? n - j : MATMUL_STRIP;
      T *z = (T *)c + i * c_row + j;
      for (int64_t p = 0; p < k; p++) {
        Sum factor = (Sum)((const T *)a)[i * a_row + p * a_col];
        const T *y = (const T *)b + p * b_row + j * b_col;
        if (b_col == 1)
          for (int64_t q = 0; q < width; q++) sum[q] += factor * (Sum)y[q];
        else
          for (int64_t q = 0; q < width; q++) sum[q] += factor * (Sum)y[q * b_col];
      }
      for (int64_t q = 0; q < width; q++) z[q] = (T)(add ? (Sum)z[q] + sum[q] : sum[q]);
    }
}

#endif

void TYPED(fill_matmul)(MatmulKernels *t);
void TYPED(fill_matmul)(MatmulKernels *t)
{
  t->product = matmul;
#if T_FLOATING
  t->dots = matmul_rows;
  t->own_product = OWN_PRODUCT;
#endif
}
