/* What convolutions find by offset in slabs (kernels/conv.h): dot products for gradients of weights, and of integers
   and complex numbers the results. */
#include "kernels/conv.h"
#include "core/blocks.h"
#include "kernels/typed/vector.h"

#if T_FLOATING

#if NNLUA_SMALL_BLOCKS
enum { DOT_ROWS = 2 };
#else
enum { DOT_ROWS = CONV_DOT_ROWS }; /* kernels/isa.def */
#endif

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

#if !T_FLOATING

/* Rows one after another, each as [taps]. */
static void conv_pack(int64_t rows, int64_t taps, const void *w, int64_t row_step, const int64_t *tap_at, void *packed)
{
  T *to = packed;
  for (int64_t i = 0; i < rows; i++)
    for (int64_t t = 0; t < taps; t++) *to++ = ((const T *)w)[i * row_step + tap_at[t]];
}

#endif

void TYPED(fill_conv)(ConvKernels *t);
void TYPED(fill_conv)(ConvKernels *t)
{
#if !T_FLOATING
  t->pack = conv_pack;
  t->taps = conv_taps;
#endif
  t->dots = conv_dots;
}
