/* What attention needs besides products: softmax over blocks of keys, as they come, and its gradient. */
#include "kernels/attention.h"

#include "kernels/typed/vector_math.h"

#if T_FLOATING

/* Rows are worked on in full lanes, some vectors at a time. */
enum { LANES = ATTENTION_LANES, ROW_VECTORS = LANES / V };

/* x = e^(x - largest). n: of full lanes */
INLINE void exponentials(int64_t n, T *restrict x, T largest)
{
  for (int64_t i = 0; i < n; i += V) store(x + i, vector_exp(load(x + i) - largest));
}

/* y = factor x. x, y: [rows, n] */
static void scale_rows(int64_t rows, int64_t n, double factor, const void *x, int64_t x_row, void *y, int64_t y_row)
{
  const T f = (T)factor;
  for (int64_t i = 0; i < rows; i++) {
    const T *from = (const T *)x + i * x_row;
    T *to = (T *)y + i * y_row;
    for (int64_t j = 0; j < n; j++) to[j] = f * from[j];
  }
}

/* a, b: [rows, n]; y: [rows] */
static void row_dots(int64_t rows, int64_t n, const void *a, int64_t a_row, const void *b, int64_t b_row, void *y)
{
  for (int64_t i = 0; i < rows; i++) {
    const T *p = (const T *)a + i * a_row, *q = (const T *)b + i * b_row;
    Vector sum = {0};
    T rest = 0;
    int64_t k = 0;
    for (; k + V <= n; k += V) sum += load(p + k) * load(q + k);
    for (; k < n; k++) rest += p[k] * q[k];
    ((T *)y)[i] = total_of(sum) + rest;
  }
}

/* ---- a row of scores ---- */

/* How many keys row i sees. */
static inline int64_t seen_by(const ScoreBlock *b, int64_t i)
{
  int64_t n = b->seen + i;
  return n < 0 ? 0 : n < b->n ? n : b->n;
}

/* Adds the mask; the elements from n on, up to full lanes, become -infinity. Returns how many there are then. */
static int64_t complete_row(const ScoreBlock *b, int64_t i, int64_t n, T *restrict x)
{
  int64_t full = (n + LANES - 1) / LANES * LANES;
  if (b->mask) {
    const T *mask = (const T *)b->mask + i * b->mask_row;
    if (b->mask_col == 1)
      for (int64_t j = 0; j < n; j++) x[j] += mask[j];
    else
      for (int64_t j = 0; j < n; j++) x[j] += mask[0];
  }
  for (int64_t j = n; j < full; j++) x[j] = -(T)INFINITY;
  return full;
}

/* The largest of a row, nan aside, which makes nan of its weight and so of the row. n: of full lanes */
INLINE T largest_in_row(int64_t n, const T *x)
{
  Vector most[ROW_VECTORS];
  UNROLL for (int j = 0; j < ROW_VECTORS; j++) most[j] = (Vector){0} - (T)INFINITY;
  for (int64_t i = 0; i < n; i += LANES)
    UNROLL for (int j = 0; j < ROW_VECTORS; j++) most[j] = larger(load(x + i + j * V), most[j]);
  UNROLL for (int j = 1; j < ROW_VECTORS; j++) most[0] = larger(most[j], most[0]);
  return largest_of(most[0]);
}

/* x = e^(x - largest); returns the sum. n: of full lanes */
INLINE T weigh_row(int64_t n, T *restrict x, T largest)
{
  Vector sum[ROW_VECTORS];
  exponentials(n, x, largest);
  UNROLL for (int j = 0; j < ROW_VECTORS; j++) sum[j] = (Vector){0};
  for (int64_t i = 0; i < n; i += LANES) UNROLL for (int j = 0; j < ROW_VECTORS; j++) sum[j] += load(x + i + j * V);
  UNROLL for (int j = 1; j < ROW_VECTORS; j++) sum[0] += sum[j];
  return total_of(sum[0]);
}

static void drop_row(const ScoreBlock *b, int64_t i, int64_t n, T *restrict x)
{
  const uint8_t *kept = b->kept + i * b->kept_row;
  const T scale = (T)b->kept_scale;
  for (int64_t j = 0; j < n; j++) x[j] *= scale * (T)kept[j];
}

/* ---- blocks ---- */

/* scores: [rows, n]; largest, sum: [rows]; y: [rows, width] */
static void weigh(const ScoreBlock *b, bool first, void *largest, void *sum, int64_t width, void *y, int64_t y_row)
{
  for (int64_t i = 0; i < b->rows; i++) {
    T *x = (T *)b->scores + i * b->row, *to = (T *)y + i * y_row, *most = (T *)largest + i, *total = (T *)sum + i;
    int64_t n = seen_by(b, i), full = complete_row(b, i, n, x);
    T here = largest_in_row(full, x), before = first ? -(T)INFINITY : *most;
    *most = here > before ? here : before;
    T base = *most == -(T)INFINITY ? 0 : *most, before_now = first ? 0 : *total;
    if (!first && *most > before) {
      T factor = vector_exp((Vector){0} + (before - base))[0];
      before_now *= factor;
      for (int64_t j = 0; j < width; j++) to[j] *= factor;
    }
    *total = before_now + weigh_row(full, x, base);
    if (b->kept) drop_row(b, i, n, x);
    for (int64_t j = full; j < b->n; j++) x[j] = 0;
  }
}

/* largest, sum: [rows]; y: [rows, width] */
static void divide_rows(int64_t rows, bool masked, void *largest, void *sum, int64_t width, void *y, int64_t y_row)
{
  for (int64_t i = 0; i < rows; i++) {
    T *to = (T *)y + i * y_row, *most = (T *)largest + i, *total = (T *)sum + i;
    bool hidden = masked && *total == 0;
    T scale = *total = hidden ? 0 : 1 / *total;
    if (*most == -(T)INFINITY) *most = hidden ? 0 : (T)NAN;
    for (int64_t j = 0; j < width; j++) to[j] = hidden ? 0 : to[j] * scale;
  }
}

/* x: exponentials of scores, then weights; d: their gradients, then those of scores; with `kept`, both dropped */
INLINE void gradient_row(int64_t n, T *restrict x, T *restrict d, T scale, T dot, const uint8_t *kept, T kept_scale)
{
  for (int64_t j = 0; j < n; j++) {
    T weight = x[j] * scale, factor = kept ? kept_scale * (T)kept[j] : 1;
    x[j] = weight * factor;
    d[j] = weight * (d[j] * factor - dot);
  }
}

/* scores, d: [rows, n]; largest, scale, dots: [rows] */
static void weigh_backward(const ScoreBlock *b, const void *largest, const void *scale, const void *dots, void *d)
{
  for (int64_t i = 0; i < b->rows; i++) {
    T *x = (T *)b->scores + i * b->row, *to = (T *)d + i * b->row;
    T factor = ((const T *)scale)[i], dot = ((const T *)dots)[i];
    int64_t n = seen_by(b, i);
    exponentials(complete_row(b, i, n, x), x, ((const T *)largest)[i]);
    if (b->kept) gradient_row(n, x, to, factor, dot, b->kept + i * b->kept_row, (T)b->kept_scale);
    else gradient_row(n, x, to, factor, dot, NULL, 1);
    for (int64_t j = n; j < b->n; j++) x[j] = to[j] = 0;
  }
}

#endif

void TYPED(fill_attention)(AttentionKernels *t) AT_START;
void TYPED(fill_attention)(AttentionKernels *t)
{
#if T_FLOATING
  t->scale_rows = scale_rows;
  t->row_dots = row_dots;
  t->weigh = weigh;
  t->divide_rows = divide_rows;
  t->weigh_backward = weigh_backward;
#else
  (void)t;
#endif
}
