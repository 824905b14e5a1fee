/*
 * Cells of recurrent layers, a row (one sequence's step) at a time. Formulas and the order of gates are PyTorch's
 * (its documentation of nn.LSTM, nn.GRU, nn.RNN).
 */
#include "kernels/math.h"
#include "kernels/recurrent.h"
#include "kernels/typed/typed.h"

#if T_FLOATING

#define SIGMOID(x) MATH(sigmoid)(x)
#define TANH(x) MATH(tanh)(x)

/* What is kept of a step: the gates i, f, g, o, and the cell's state c. work: [5, n]; c_prev, h: [n] */
static void lstm(int64_t n, T *restrict work, const T *restrict c_prev, T *restrict h)
{
  T *i = work, *f = i + n, *g = f + n, *o = g + n, *c = o + n;
  for (int64_t k = 0; k < n; k++) {
    i[k] = SIGMOID(i[k]);
    f[k] = SIGMOID(f[k]);
    g[k] = TANH(g[k]);
    o[k] = SIGMOID(o[k]);
    c[k] = f[k] * c_prev[k] + i[k] * g[k];
    h[k] = o[k] * TANH(c[k]);
  }
}

/* work: [5, n]; dx: [4, n]; the others: [n] */
static void lstm_backward(int64_t n, const T *restrict work, const T *restrict c_prev, const T *restrict dy,
                          T *restrict dh, T *restrict dc, T *restrict dx)
{
  const T *i = work, *f = i + n, *g = f + n, *o = g + n, *c = o + n;
  for (int64_t k = 0; k < n; k++) {
    T d = dh[k] + dy[k], tanh_c = TANH(c[k]);
    T state = dc[k] + d * o[k] * (1 - tanh_c * tanh_c);
    dx[k] = state * g[k] * i[k] * (1 - i[k]);
    dx[n + k] = state * c_prev[k] * f[k] * (1 - f[k]);
    dx[2 * n + k] = state * i[k] * (1 - g[k] * g[k]);
    dx[3 * n + k] = d * tanh_c * o[k] * (1 - o[k]);
    dc[k] = state * f[k];
    dh[k] = 0;
  }
}

/* What is kept: the gates r, z, n, and the hidden state's part m of n, before r scales it. hidden: h W + b.
   work: [4, n]; hidden: [3, n]; h_prev, h: [n] */
static void gru(int64_t n, T *restrict work, const T *restrict hidden, const T *restrict h_prev, T *restrict h)
{
  T *r = work, *z = r + n, *new = z + n, *m = new + n;
  for (int64_t k = 0; k < n; k++) {
    r[k] = SIGMOID(r[k] + hidden[k]);
    z[k] = SIGMOID(z[k] + hidden[n + k]);
    m[k] = hidden[2 * n + k];
    new[k] = TANH(new[k] + r[k] * m[k]);
    h[k] = new[k] + z[k] * (h_prev[k] - new[k]);
  }
}

/* dx: of the input's part, dhidden: of the hidden state's. work: [4, n]; dx, dhidden: [3, n]; the others: [n] */
static void gru_backward(int64_t n, const T *restrict work, const T *restrict h_prev, const T *restrict dy,
                         T *restrict dh, T *restrict dx, T *restrict dhidden)
{
  const T *r = work, *z = r + n, *new = z + n, *m = new + n;
  for (int64_t k = 0; k < n; k++) {
    T d = dh[k] + dy[k];
    T of_new = d * (1 - z[k]) * (1 - new[k] * new[k]);
    dx[k] = dhidden[k] = of_new * m[k] * r[k] * (1 - r[k]);
    dx[n + k] = dhidden[n + k] = d * (h_prev[k] - new[k]) * z[k] * (1 - z[k]);
    dx[2 * n + k] = of_new;
    dhidden[2 * n + k] = of_new * r[k];
    dh[k] = d * z[k];
  }
}

static void cell(CellKind kind, int64_t n, const CellRow *row)
{
  T *h = row->h, *x = row->work;
  switch (kind) {
    case CELL_LSTM: lstm(n, row->work, row->c_prev, h); break;
    case CELL_GRU: gru(n, row->work, row->hidden, row->h_prev, h); break;
    case CELL_TANH:
      for (int64_t k = 0; k < n; k++) h[k] = TANH(x[k]);
      break;
    case CELL_RELU:
      for (int64_t k = 0; k < n; k++) h[k] = MATH(math_select)(x[k] <= 0, 0, x[k]);
      break;
  }
}

static void cell_backward(CellKind kind, int64_t n, const CellRow *row)
{
  const T *h = row->h, *dy = row->dy;
  T *dh = row->dh, *dx = row->dx;
  switch (kind) {
    case CELL_LSTM: lstm_backward(n, row->work, row->c_prev, dy, dh, row->dc, dx); break;
    case CELL_GRU: gru_backward(n, row->work, row->h_prev, dy, dh, dx, row->dhidden); break;
    case CELL_TANH:
      for (int64_t k = 0; k < n; k++) dx[k] = (dh[k] + dy[k]) * (1 - h[k] * h[k]), dh[k] = 0;
      break;
    case CELL_RELU:
      for (int64_t k = 0; k < n; k++) dx[k] = h[k] <= 0 ? 0 : dh[k] + dy[k], dh[k] = 0;
      break;
  }
}

#endif

void TYPED(fill_recurrent)(RecurrentKernels *t);
void TYPED(fill_recurrent)(RecurrentKernels *t)
{
#if T_FLOATING
  t->cell = cell;
  t->cell_backward = cell_backward;
#else
  (void)t;
#endif
}
