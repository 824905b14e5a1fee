/*
 * The table of inner loops, one entry a dtype, chosen for the machine's instruction set at start.
 * Kernels are void functions on raw pointers that cannot fail; whoever calls them has checked
 * shapes, dtypes and positions. float16 and bfloat16 have no entries but casts: their
 * loops run in float32 through a small buffer.
 */
#ifndef NNLUA_KERNELS_KERNELS_H
#define NNLUA_KERNELS_KERNELS_H

#include "core/dtype.h"
#include "core/scalar.h"

/* The pointwise rows: their numbers. Rows are data, so they may be included from here. */
typedef enum PointwiseId {
#include "ops/table/rows_undefined.h"
#define UNARY(row, ...) PW_##row,
#define BINARY(row, ...) PW_##row,
#define TERNARY(row, ...) PW_##row,
#include "ops/table/pointwise_families.def"
  POINTWISE_COUNT
} PointwiseId;

/* n elements from contiguous arrays: p[0] is the result, then the operands in order. */
typedef void (*PointwiseKernel)(int64_t n, char *const *p, const Scalar *params);

/* What a reduction over one dimension computes. */
typedef enum ReduceId {
  REDUCE_SUM, REDUCE_PROD, REDUCE_MAX, REDUCE_MIN, REDUCE_SUM_ABS, REDUCE_SUM_SQUARES,
  REDUCE_MAX_ABS, REDUCE_MIN_ABS, REDUCE_COUNT_NONZERO, REDUCE_COUNT
} ReduceId;

/* What is computed of all elements up to each one. */
typedef enum CumulateId { CUMULATE_SUM, CUMULATE_PROD, CUMULATE_LOG_SUM_EXP, CUMULATE_COUNT } CumulateId;

typedef enum PositionOf { POSITION_OF_MAX, POSITION_OF_MIN, POSITION_COUNT } PositionOf;

union StepCoefficients; /* kernels/optim_coefficients.h */

/* The optimizers' steps: an optimizer of two names (Adam, AdamW) may be one. */
typedef enum StepId {
  STEP_SGD, STEP_ADAM, STEP_ADAGRAD, STEP_RMSPROP, STEP_ADADELTA, STEP_ADAMAX, STEP_NADAM, STEP_RADAM, STEP_ASGD,
  STEP_RPROP, STEP_COUNT
} StepId;

/*
 * n lines of count steps each: step k of line i pairs element `at` of one side with element k of
 * the other, at = index[i][k] - 1. Strides are in bytes; positions have been checked.
 */
typedef struct IndexedLines {
  int64_t n, count;
  const char *index;
  int64_t index_line, index_step;
  const char *from;
  int64_t from_line, from_step;
  char *to;
  int64_t to_line, to_step;
} IndexedLines;

/* Casts n elements between dtypes, strides in bytes. */
typedef void (*CastKernel)(int64_t n, const char *from, int64_t from_stride, char *to, int64_t to_stride);

struct ConvTaps;
struct ConvDots;
struct Pool;
/* Cells of recurrent layers, and what one row of a step has of them; pointers that a kind has no use for are unset. */
typedef enum CellKind { CELL_TANH, CELL_RELU, CELL_LSTM, CELL_GRU } CellKind;
typedef struct CellRow {
  void *work;             /* sums that go into the gates; then, of LSTM and GRU, what is kept for the backward */
  const void *hidden;     /* GRU: the part of the sums that comes from the hidden state */
  const void *h_prev, *c_prev;
  void *h;                /* the new hidden state */
  const void *dy;         /* the gradient of this step's result */
  void *dh, *dc;          /* the gradients of the state after the step, which become those before it, products aside */
  void *dx, *dhidden;     /* of the sums */
} CellRow;

typedef struct KernelTable {
  CastKernel cast[DTYPE_COUNT]; /* from the table's dtype */
  PointwiseKernel forward[POINTWISE_COUNT];
  PointwiseKernel backward[POINTWISE_COUNT][3]; /* dy, operands, y -> gradient of operand i */
  PointwiseKernel comparison[POINTWISE_COUNT];  /* rows whose result is bool */

  /* Reductions over k < n, n > 0: of x[r * step + k] for each row r, and of x[k * step + i] for each column i.
     Sums and products come out wide (float64, int64, complex128), extremes in the elements' dtype. */
  void (*reduce_rows[REDUCE_COUNT])(int64_t rows, int64_t n, int64_t step, const void *x, void *y);
  void (*reduce_columns[REDUCE_COUNT])(int64_t n, int64_t step, int64_t columns, const void *x, void *y);
  /* The same, of extremes with the position (from 1) of the first one; nan before all. */
  void (*position_rows[POSITION_COUNT])(int64_t rows, int64_t n, int64_t step, const void *x, void *values,
                                        int64_t *positions);
  void (*position_columns[POSITION_COUNT])(int64_t n, int64_t step, int64_t columns, const void *x, void *values,
                                           int64_t *positions);
  /* y = that of x[o][k][i] over k, up to each element, or from each on; y may be x. */
  void (*cumulate[CUMULATE_COUNT])(int64_t outer, int64_t n, int64_t inner, bool from_end, const void *x, void *y);
  /* Extremes up to each element, with their positions (from 1), the last of equals; nan before all. */
  void (*cumulate_extreme[POSITION_COUNT])(int64_t outer, int64_t n, int64_t inner, const void *x, void *values,
                                           int64_t *positions);
  /* The sum of (a - b)^2. */
  double (*squared_error)(int64_t n, const void *a, const void *b);

  /*
   * Moves of elements, strides in bytes: n elements set to one value; y = cond ? a : b, pointers
   * and strides in that order; to[k] = from[at]; to[at] = from[k]. They serve all types of the size.
   */
  void (*fill)(int64_t n, const void *value, char *to, int64_t to_stride);
  void (*where)(int64_t n, char *const *p, const int64_t *strides);
  void (*gather_lines)(const IndexedLines *l);
  void (*scatter_lines)(const IndexedLines *l);
  /* As scatter_lines, adding to or multiplying what is there, or keeping the larger or smaller one (of complex numbers not). */
  void (*scatter_add_lines)(const IndexedLines *l);
  void (*scatter_multiply_lines)(const IndexedLines *l);
  void (*scatter_max_lines)(const IndexedLines *l);
  void (*scatter_min_lines)(const IndexedLines *l);
  /* Of int64 only: whether all positions are within 1..size. */
  bool (*positions_within)(int64_t n, const int64_t *positions, int64_t size);

  /* The first `count` elements of each of some contiguous rows of n in order, equal ones as they stand and nan as the
     largest, with their positions (from 1). scratch has sort_scratch(n) bytes. Not of complex numbers. */
  void (*sort)(int64_t rows, int64_t n, int64_t count, bool descending, const void *x, void *values,
               int64_t *positions, void *scratch);
  /* The order of n rows of m elements by their first differing one: positions (from 1). scratch has n int64. */
  void (*sort_rows)(int64_t n, int64_t m, const void *x, int64_t *positions, int64_t *scratch);

  /* c (m x n, rows c_row apart) = a (m x k, any strides) b (k x n, any strides), plus c if `add`. */
  void (*matmul)(int64_t m, int64_t n, int64_t k, const void *a, int64_t a_row, int64_t a_col,
                 const void *b, int64_t b_row, int64_t b_col, bool add, void *c, int64_t c_row);
  int64_t own_product; /* up to so many multiplications this is at least as fast as BLAS */
  /* c (m x n) = a (m x k) b^T where b is n x k, all with contiguous rows; m is small. */
  void (*matmul_rows)(int64_t m, int64_t n, int64_t k, const void *a, int64_t a_row, const void *b, int64_t b_row,
                      bool add, void *c, int64_t c_row);

  /* The weights w[row * row_step + tap_at[tap]] as conv_taps wants them, and the products of kernels/conv.h. */
  void (*conv_pack)(int64_t rows, int64_t taps, const void *w, int64_t row_step, const int64_t *tap_at, void *packed);
  void (*conv_taps)(const struct ConvTaps *k);
  void (*conv_dots)(const struct ConvDots *k);

  /* Pooling of contiguous planes (kernels/pool.h): floats, averages of int64 too. Maxima with their positions in the
     plane, unless NULL; the gradients of maxima find them again in x. */
  void (*avg_pool)(const struct Pool *p, int64_t planes, const void *x, void *y);
  void (*avg_pool_backward)(const struct Pool *p, int64_t planes, const void *dy, void *dx);
  void (*max_pool)(const struct Pool *p, int64_t planes, const void *x, void *y, int64_t *positions);
  void (*max_pool_backward)(const struct Pool *p, int64_t planes, const void *x, const void *dy, void *dx);
  void (*adaptive_max_pool)(const struct Pool *p, int64_t planes, const void *x, void *y, int64_t *positions);

  /* y[o][i][j] = the sum of weights[t] * x[o][at[t]][j] over first[i] <= t < first[i + 1], for i < n[1]; x has n[0] in its
     middle dimension. And its transpose: dx from dy. */
  void (*resample)(int64_t outer, const int64_t *n, int64_t inner, const int64_t *first, const int64_t *at,
                   const void *weights, const void *x, void *y);
  void (*resample_backward)(int64_t outer, const int64_t *n, int64_t inner, const int64_t *first, const int64_t *at,
                            const void *weights, const void *dy, void *dx);

  /* Softmax of x[o][k][i] along k, or its logarithm. dx of y and dy. */
  void (*softmax)(int64_t outer, int64_t n, int64_t inner, bool log, const void *x, void *y);
  void (*softmax_backward)(int64_t outer, int64_t n, int64_t inner, bool log, const void *dy, const void *y, void *dx);

  /* Of rows that lie so many elements apart: y = factor x; y += x, which may stand still along rows; y = a b. */
  void (*scale_rows)(int64_t rows, int64_t n, double factor, const void *x, int64_t x_row, void *y, int64_t y_row);
  void (*add_rows)(int64_t rows, int64_t n, const void *x, int64_t x_row, int64_t x_col, void *y, int64_t y_row);
  void (*multiply_rows)(int64_t rows, int64_t n, const void *a, int64_t a_row, const void *b, int64_t b_row, void *y,
                        int64_t y_row);

  /* For each (o, i) with a target t: loss = -weight[t] * x[o][t][i], 0 if t is to be ignored; weight may be NULL.
     Adds all losses to totals[0] and all weights to totals[1]. losses may be NULL. */
  void (*nll)(int64_t outer, int64_t n, int64_t inner, const void *x, const int64_t *target, const void *weight,
              int64_t ignore, void *losses, double *totals);
  /* dx (zeroed) = the gradient of that: -weight[t] * scale * dy, with dy one number or one for each (o, i). */
  void (*nll_backward)(int64_t outer, int64_t n, int64_t inner, const void *dy, bool dy_is_single, double scale,
                       const int64_t *target, const void *weight, int64_t ignore, void *dx);
  /* The same of log_softmax(x), whose log(sum(exp(x))) goes to lse[o][i]. */
  void (*cross_entropy)(int64_t outer, int64_t n, int64_t inner, const void *x, const int64_t *target,
                        const void *weight, int64_t ignore, void *losses, void *lse);
  void (*cross_entropy_backward)(int64_t outer, int64_t n, int64_t inner, const void *x, const void *lse,
                                 const void *dy, bool dy_is_single, double scale, const int64_t *target,
                                 const void *weight, int64_t ignore, void *dx);

  /* One step of an optimizer on n elements of contiguous buffers: the parameter, its gradient, then what is kept between
     steps, NULL for what isn't. */
  void (*step[STEP_COUNT])(int64_t n, void *const *buffers, const union StepCoefficients *coefficients);

  /* Normalization of n elements side by side. Adds to sums those of x - pivot and of its square; of dy and of
     dy (x - mean). y = (x - mean) scale + shift. dx = f[0] dy + f[1] (x - mean) + f[2]. */
  void (*stretch_moments)(int64_t n, const void *x, double pivot, double *sums);
  void (*stretch_products)(int64_t n, const void *dy, const void *x, double mean, double *sums);
  void (*stretch_map)(int64_t n, const void *x, double mean, double scale, double shift, void *y);
  void (*stretch_gradient)(int64_t n, const void *dy, const void *x, double mean, const double *f, void *dx);
  /* Rows of n > 0 elements normalized, times w, plus b (each may be NULL), with their means and variances; and the
     gradients: dx may be NULL, and dw and db, which are added to. */
  void (*layer_norm)(int64_t rows, int64_t n, const void *x, const void *w, const void *b, double eps, void *y,
                     double *mean, double *var);
  void (*layer_norm_backward)(int64_t rows, int64_t n, const void *dy, const void *x, const void *w, double eps,
                              const double *mean, const double *var, void *dx, double *dw, double *db);

  /* A step of n hidden units, and back. */
  void (*cell)(CellKind kind, int64_t n, const CellRow *row);
  void (*cell_backward)(CellKind kind, int64_t n, const CellRow *row);
} KernelTable;

/* The table of a dtype, for the instruction set in use. */
extern const KernelTable *kernel_tables[DTYPE_COUNT];
static inline const KernelTable *kernels_of(DType d) { return kernel_tables[d]; }

/* The table whose moves serve a dtype. */
static inline const KernelTable *movers_of(DType d)
{
  return kernel_tables[dtype_is_half(d) ? DTYPE_i16 : d == DTYPE_b8 ? DTYPE_u8 : d];
}

static inline CastKernel cast_kernel(DType from, DType to) { return kernel_tables[from]->cast[to]; }

/* Copies n elements of a size in bytes, strides in bytes. */
void copy_elements(size_t size, int64_t n, const char *from, int64_t from_stride, char *to, int64_t to_stride);

/* to[k][i] = from[i][k] of elements of a size in bytes, which lie side by side in rows that are so many bytes apart. */
void transpose_elements(size_t size, int64_t rows, int64_t columns, const char *from, int64_t from_row, char *to,
                        int64_t to_row);

/* The bytes that sorting a row of n elements of any type needs. */
static inline size_t sort_scratch(int64_t n) { return (size_t)n * 32; }

/* For each of n values the first place (from 0) of a row of m sorted ones before which it could stand; the last such
   place if `right`. f32, f64 or i64; nan comes last. order: the positions of the row's elements in order, or NULL. */
void search_sorted(DType dtype, const void *row, const int64_t *order, int64_t m, const void *values, int64_t n,
                   bool right, int64_t *places);

/* Widens [low, high] to hold n positions, and notes whether one of them is 0. */
typedef struct PositionRange { int64_t low, high; bool zero; } PositionRange;
void positions_range(int64_t n, const int64_t *positions, PositionRange *range);

/* The positions (ndim to an element, counted from 1) of true elements of a contiguous tensor; and how many there are. */
int64_t count_true(int64_t n, const bool *x);
void positions_of_true(int ndim, const int64_t *shape, const bool *x, int64_t *positions);

/* Chooses the tables; NNLUA_ISA pins an instruction set. Called once, before anything else. */
void kernels_select(void);

/* The name of the instruction set in use. */
const char *kernels_isa(void);

/* The BLAS: name and version are the first `length` characters; the processor it has chosen its kernels for. */
typedef struct BlasVersion { const char *name, *core; int length; } BlasVersion;
BlasVersion kernels_blas(void);

#endif
