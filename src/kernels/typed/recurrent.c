/*
 * Cells of recurrent layers, a row (one sequence's step) at a time. Formulas and the order of gates are PyTorch's
 * (its documentation of nn.LSTM, nn.GRU, nn.RNN).
 */
#include "kernels/recurrent.h"
#include "kernels/typed/vector_math.h"

#if T_FLOATING

/* What is kept of a step: the gates i, f, g, o, and the cell's state c. work: [5, n]; c_prev, h: [n] */
static void lstm(int64_t n, T *work, const T *c_prev, T *h)
{
  T *i = work, *f = i + n, *g = f + n, *o = g + n, *c = o + n;
  FOR_PARTS(at, n)
  {
    Vector in = vector_sigmoid(load_part(i, at)), kept = vector_sigmoid(load_part(f, at));
    Vector new = vector_tanh(load_part(g, at)), out = vector_sigmoid(load_part(o, at));
    Vector state = kept * load_part(c_prev, at) + in * new;
    store_part(i, at, in);
    store_part(f, at, kept);
    store_part(g, at, new);
    store_part(o, at, out);
    store_part(c, at, state);
    store_part(h, at, out * vector_tanh(state));
  }
}

/* work: [5, n]; dx: [4, n]; the others: [n] */
static void lstm_backward(int64_t n, const T *restrict work, const T *restrict c_prev, const T *restrict dy,
                          T *restrict dh, T *restrict dc, T *restrict dx)
{
  const T *i = work, *f = i + n, *g = f + n, *o = g + n, *c = o + n;
  FOR_PARTS(at, n)
  {
    Vector d = load_part(dh, at) + load_part(dy, at), tanh_c = vector_tanh(load_part(c, at));
    Vector in = load_part(i, at), kept = load_part(f, at), new = load_part(g, at), out = load_part(o, at);
    Vector state = load_part(dc, at) + d * out * (1 - tanh_c * tanh_c);
    store_part(dx, at, state * new *in *(1 - in));
    store_part(dx + n, at, state * load_part(c_prev, at) * kept * (1 - kept));
    store_part(dx + 2 * n, at, state * in * (1 - new *new));
    store_part(dx + 3 * n, at, d * tanh_c * out * (1 - out));
    store_part(dc, at, state * kept);
    store_part(dh, at, (Vector){0});
  }
}

/* What is kept: the gates r, z, n, and the hidden state's part m of n, before r scales it. hidden: h W + b.
   work: [4, n]; hidden: [3, n]; h_prev, h: [n] */
static void gru(int64_t n, T *restrict work, const T *restrict hidden, const T *restrict h_prev, T *restrict h)
{
  T *r = work, *z = r + n, *new = z + n, *m = new + n;
  FOR_PARTS(at, n)
  {
    Vector reset = vector_sigmoid(load_part(r, at) + load_part(hidden, at)), part = load_part(hidden + 2 * n, at);
    Vector kept = vector_sigmoid(load_part(z, at) + load_part(hidden + n, at));
    Vector fresh = vector_tanh(load_part(new, at) + reset * part);
    store_part(r, at, reset);
    store_part(z, at, kept);
    store_part(m, at, part);
    store_part(new, at, fresh);
    store_part(h, at, fresh + kept * (load_part(h_prev, at) - fresh));
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
    case CELL_TANH: FOR_PARTS(at, n) store_part(h, at, vector_tanh(load_part(x, at))); break;
    case CELL_RELU: FOR_PARTS(at, n) store_part(h, at, larger((Vector){0}, load_part(x, at))); break;
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

/* ---- states as bytes ---- */

#if T_f32

/* Both are nan if a number is. */
static void range(int64_t n, const float *x, float *low, float *high)
{
  Vector least = {0}, most = {0};
  Mask is_nan = {0};
  FOR_PARTS(at, n)
  {
    const Vector v = load_part(x, at); /* 0 in lanes that are not there */
    least = smaller(least, v), most = larger(most, v), is_nan |= v != v;
  }
  *low = *high = 0;
  for (int j = 0; j < V; j++) {
    *low = least[j] < *low ? least[j] : *low;
    *high = most[j] > *high ? most[j] : *high;
  }
  if (any_of(is_nan)) *low = *high = NAN;
}

static int32_t to_bytes(int64_t n, const float *x, float scale, float zero, uint8_t *to)
{
  int32_t sum = 0;
  FOR_PARTS(at, n)
  {
    /* adding ROUNDER leaves a number of less than 2^22 rounded to an even one of two as near */
    const Vector rounded = load_part(x, at) / scale + ROUNDER - ROUNDER + zero;
    const Mask whole = __builtin_convertvector(smaller(AS_VECTOR(255.0f), larger(rounded, (Vector){0})), Mask);
    for (int j = 0; j < at.left; j++) sum += to[at.at + j] = (uint8_t)whole[j];
  }
  return sum;
}

/* int32 that lie as a row's numbers do. */
INLINE Mask load_whole(const int32_t *p, RowPart at) { return bits_of(load_part((const float *)(const void *)p, at)); }

static void add_bytes_product(int64_t n, const BytesProduct *p, float *y)
{
  FOR_PARTS(at, n)
  {
    Mask sum = load_whole(p->sums, at) - p->x_zero * load_whole(p->totals, at);
    if (p->zero) sum -= p->x_sum * load_whole(p->zero, at);
    const Vector scale = p->x_scale * load_part(p->scale, at);
    store_part(y, at, load_part(y, at) + __builtin_convertvector(sum, Vector) * scale);
  }
}

#endif
#endif

void TYPED(fill_recurrent)(RecurrentKernels *t) AT_START;
void TYPED(fill_recurrent)(RecurrentKernels *t)
{
#if T_FLOATING
  t->cell = cell;
  t->cell_backward = cell_backward;
#if T_f32
  t->range = range;
  t->to_bytes = to_bytes;
  t->add_bytes_product = add_bytes_product;
#endif
#else
  (void)t;
#endif
}
