/*
 * Transforms of Winograd's F(2, 3) (kernels/conv.h), after Lavin and Gray, Fast Algorithms for Convolutional Neural
 * Networks (2015): with a kernel g and numbers d, y = A'[(G g G') * (B' d B)]A. Vectors are of blocks side by side, or
 * of rows.
 */
#include "kernels/conv.h"
#include "kernels/typed/conv_rows.h"

#if T_FLOATING

/* ---- weights: G = 1 0 0, 1/2 1/2 1/2, 1/2 -1/2 1/2, 0 0 1 ---- */

INLINE void transform_kernel(const Vector *g, int64_t step, Vector *to, int64_t to_step)
{
  const Vector half = (Vector){0} + (T)0.5, sum = g[0] + g[2 * step];
  to[0] = g[0];
  to[to_step] = half * (sum + g[step]);
  to[2 * to_step] = half * (sum - g[step]);
  to[3 * to_step] = g[2 * step];
}

/* The 16 components of a vector of kernels. */
INLINE void transform_kernels(const Vector *g, Vector *to)
{
  Vector down[12];
  UNROLL for (int i = 0; i < 3; i++) transform_kernel(g + i, 3, down + i, 3);
  UNROLL for (int i = 0; i < 4; i++) transform_kernel(down + 3 * i, 1, to + 4 * i, 1);
}

/* A channel's kernels of some rows. What is too much of a vector the next channels cover; behind a block nothing is
   written. */
static void transform_channel(const ConvWeights *w, int64_t channel, int64_t begin, int64_t rows)
{
  const T *from = (const T *)w->w + begin * w->row_step + channel * w->channel_step;
  T *to = (T *)w->part->packed + begin * w->channels + channel * rows;
  for (int64_t row = 0; row < rows; row += V) {
    T line[9][V] = {{0}};
    Vector kernel[9], component[WINOGRAD_PARTS];
    const int left = rows - row < V ? (int)(rows - row) : V;
    for (int i = 0; i < left; i++)
      for (int t = 0; t < 9; t++) line[t][i] = from[(row + i) * w->row_step + w->part->tap_at[t]];
    UNROLL for (int t = 0; t < 9; t++) kernel[t] = load(line[t]);
    transform_kernels(kernel, component);
    for (int n = 0; n < WINOGRAD_PARTS; n++) {
      T *at = to + n * w->rows * w->channels + row;
      if ((w->channels - channel) * rows - row >= V) store(at, component[n]);
      else store_first(at, lanes_of(left), left, component[n]);
    }
  }
}

static void weights(const ConvWeights *w, int64_t first_block, int64_t last_block)
{
  for (int64_t b = first_block; b < last_block; b++) {
    const int64_t begin = block_begin(w->rows, b), rows = block_begin(w->rows, b + 1) - begin;
    for (int64_t c = 0; c < w->channels; c++) transform_channel(w, c, begin, rows);
  }
}

/* ---- input: B' = 1 0 -1 0, 0 1 1 0, 0 -1 1 0, 0 1 0 -1 ---- */

/* A vector of blocks; even and odd columns lie apart. */
INLINE void transform_blocks(const T *x, int64_t line, int64_t phase, T *to, int64_t component)
{
  Vector down[4][4];
  UNROLL for (int j = 0; j < 4; j++)
  {
    const T *at = x + j % 2 * phase + j / 2;
    const Vector d0 = load(at), d1 = load(at + line), d2 = load(at + 2 * line), d3 = load(at + 3 * line);
    down[0][j] = d0 - d2;
    down[1][j] = d1 + d2;
    down[2][j] = d2 - d1;
    down[3][j] = d1 - d3;
  }
  UNROLL for (int i = 0; i < 4; i++, to += 4 * component)
  {
    store(to, down[i][0] - down[i][2]);
    store(to + component, down[i][1] + down[i][2]);
    store(to + 2 * component, down[i][2] - down[i][1]);
    store(to + 3 * component, down[i][1] - down[i][3]);
  }
}

/* What is too much of a line's vector the next line covers; the last one of a long line begins earlier. */
static void input(const WinogradInput *w)
{
  for (int64_t c = 0; c < w->channels; c++)
    for (int64_t l = 0; l < w->lines; l++) {
      const T *x = (const T *)w->x + c * w->channel_step + w->line[l].x;
      T *to = (T *)w->to + c * w->to_channel + l * w->count;
      for (int64_t n = 0; n < w->count; n += V) {
        const int64_t at = n + V > w->count && w->count >= V ? w->count - V : n;
        transform_blocks(x + at, w->line_step, w->phase_step, to + at, w->to_component);
      }
    }
}

/* ---- results: A' = 1 1 1 0, 0 1 -1 -1 ---- */

/* The first n numbers of two vectors taken in turns. */
INLINE void store_in_turns(T *to, Vector even, Vector odd, int64_t n)
{
  T both[2][V];
  store(both[0], even);
  store(both[1], odd);
  if (n == 2 * V) {
    for (int i = 0; i < V; i++) {
      to[2 * i] = both[0][i];
      to[2 * i + 1] = both[1][i];
    }
  } else {
    for (int i = 0; i < n; i++) to[i] = both[i % 2][i / 2];
  }
}

/* A vector of blocks: one or two lines of n results. */
INLINE void transform_products(const T *m, int64_t component, Vector start, T *y, int64_t y_line, int64_t lines,
                               int64_t n)
{
  Vector down[2][4];
  UNROLL for (int j = 0; j < 4; j++)
  {
    const T *at = m + j * component;
    const Vector m1 = load(at + 4 * component), m2 = load(at + 8 * component);
    down[0][j] = load(at) + (m1 + m2);
    down[1][j] = (m1 - m2) - load(at + 12 * component);
  }
  UNROLL for (int i = 0; i < 2; i++)
  {
    if (i == lines) return;
    const Vector *d = down[i];
    store_in_turns(y + i * y_line, start + (d[0] + (d[1] + d[2])), start + ((d[1] - d[2]) - d[3]), n);
  }
}

static void output(const WinogradOutput *w)
{
  for (int64_t i = 0; i < w->rows; i++) {
    const Vector start = (Vector){0} + (w->start ? ((const T *)w->start)[i] : 0);
    const T *m = (const T *)w->products + i * w->product_row;
    for (int64_t l = 0; l < w->lines; l++, m += w->count) {
      T *y = (T *)w->y + i * w->y_row + w->line[l].y;
      for (int64_t n = 0; n < w->count; n += V) {
        const int64_t left = w->columns - 2 * n;
        transform_products(m + n, w->product_component, start, y + 2 * n, w->y_line, w->line[l].lines,
                           left < 2 * V ? left : 2 * V);
      }
    }
  }
}

#endif

void TYPED(fill_winograd)(WinogradKernels *t) AT_START;
void TYPED(fill_winograd)(WinogradKernels *t)
{
#if T_FLOATING
  t->weights = weights;
  t->input = input;
  t->output = output;
#endif
  (void)t;
}
