/* Short-time Fourier transforms, composed of transforms of pieces; pieces are a view, and added up where they overlap
   by as many additions as lie over each other. */
#include "ops/fft/stft.h"

#include <math.h>

#include "launch/fft/fft.h"
#include "launch/look.h"
#include "ops/fft/transform.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/math/complex.h"
#include "ops/nn/pad.h"
#include "ops/shape/factory.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

/* ------------------------------------------------------------------------ pieces */

FORWARD(frames_of)
{
  const Tensor *x = a->input;
  int64_t shape[] = {x->shape[0], (x->shape[1] - a->size) / a->step + 1, a->size};
  int64_t strides[] = {x->strides[0], a->step * x->strides[1], x->strides[1]};
  y[0] = result_view(call, x, (Ints){shape, 3}, (Ints){strides, 3}, x->offset);
}

BACKWARD(frames_of) { GRAD(input) = op(overlap_add, dy[0], a->input->shape[1], a->step); }

/* Every so many pieces lie apart from each other: these are added at once. */
FORWARD(overlap_add)
{
  Tensor *x = op(contiguous, a->input);
  int64_t batch = x->shape[0], count = x->shape[1], size = x->shape[2], every = (size + a->step - 1) / a->step;
  y[0] = result_new(call, tensor_dtype(x), device_of(x), INTS(batch, a->length));
  launch_fill(call, y[0], scalar_int(0));
  for (int64_t first = 0; first < every && first < count; first++) {
    Ints shape = INTS(batch, (count - first + every - 1) / every, size);
    Tensor *from = tensor_view(call, x, shape, INTS(count * size, every * size, 1), x->offset + first * size);
    Tensor *to = tensor_view(call, y[0], shape, INTS(a->length, every * a->step, 1), y[0]->offset + first * a->step);
    op_(add, to, from, scalar_int(1));
  }
}

BACKWARD(overlap_add) { GRAD(input) = op(frames_of, dy[0], a->input->shape[2], a->step); }

/* -------------------------------------------------------------------- arguments */

/* How a signal is cut into pieces. */
typedef struct Pieces {
  int64_t n, hop, win, left; /* left: zeros before the window in a piece */
} Pieces;

static Pieces pieces_of(Call *call, int64_t n, int64_t hop, int64_t win, const Tensor *window)
{
  Pieces p = {n, hop == NO_INT ? n / 4 : hop, win == NO_INT ? n : win, 0};
  p.left = (p.n - p.win) / 2;
  if (p.hop < 1) raise(call, "hop_length is %lld: at least 1 is wanted", (long long)p.hop);
  if (p.win < 1 || p.win > n)
    raise(call, "win_length is %lld: from 1 to n_fft, %lld, is wanted", (long long)p.win, (long long)n);
  if (window && (window->ndim != 1 || window->shape[0] != p.win))
    raise(call, "window has shape %s: one dimension of win_length, %lld, is wanted",
          shape_text(call, tensor_shape(window)), (long long)p.win);
  return p;
}

/* The window with zeros on both sides, ones if there is none; NULL if it changes nothing. */
static Tensor *whole_window(Call *call, const Pieces *p, Tensor *window, const Tensor *x)
{
  if (!window && p->win == p->n) return NULL;
  if (!window) window = op(ones, INTS(p->win), dtype_to_real(tensor_dtype(x)), device_behind(x), false);
  if (p->win == p->n) return window;
  return op(constant_pad_nd, window, INTS(p->left, p->n - p->win - p->left), scalar_int(0));
}

static bool is_complex(const Tensor *t) { return t && dtype_is_complex(tensor_dtype(t)); }

static void check_takes(Call *call, const Tensor *t)
{
  if (!takes_fft(tensor_dtype(t)))
    raise(call, "%s tensors are not taken: float32, float64 or complex ones are wanted", dtype_name(tensor_dtype(t)));
}

/* --------------------------------------------------------------------- transform */

/* Both sides of a signal (batch, length) longer. */
static Tensor *padded(Call *call, Tensor *x, int64_t left, int64_t right, const char *mode)
{
  Tensor *as_images = op(unsqueeze, x, 0);
  return op(squeeze_dims, op(pad, as_images, INTS(left, right), mode, NO_SCALAR), INTS(0));
}

static Tensor *prepared_signal(Call *call, Tensor *x, const struct stft_args *a, const Pieces *p)
{
  if (x->ndim < 1 || x->ndim > 2)
    raise(call, "input has shape %s: a signal, or a batch of them, is wanted", shape_text(call, tensor_shape(x)));
  if (x->ndim == 1) x = op(unsqueeze, x, 0);
  if (a->center) return padded(call, x, a->n_fft / 2, a->n_fft / 2, a->pad_mode);
  if (a->align_to_window != 1) return x;
  return padded(call, x, p->left, p->n - p->win - p->left, "constant");
}

FORWARD(stft)
{
  bool complex = is_complex(a->input) || is_complex(a->window);
  if (a->center && a->align_to_window >= 0) raise(call, "align_to_window is for center = false only");
  if (!complex && a->return_complex < 0)
    raise(call, "return_complex must be given for real inputs: write {return_complex = true}");
  check_takes(call, a->input);
  if (a->n_fft < 1) raise(call, "n_fft is %lld: at least 1 is wanted", (long long)a->n_fft);
  Pieces p = pieces_of(call, a->n_fft, a->hop_length, a->win_length, a->window);
  Tensor *x = prepared_signal(call, a->input, a, &p);
  if (a->n_fft > x->shape[1])
    raise(call, "n_fft is %lld, more than the signal's length of %lld", (long long)a->n_fft, (long long)x->shape[1]);
  if (complex && a->onesided == 1) raise(call, "onesided is for real inputs and windows only");
  Tensor *window = whole_window(call, &p, a->window, x);
  x = op(frames_of, x, p.n, p.hop);
  if (window) x = op(mul, x, window);
  double scale = a->normalized ? 1 / sqrt((double)p.n) : 1;
  x = complex ? op(fft_c2c, x, INTS(-1), scale, true) : op(fft_r2c, x, INTS(-1), scale, a->onesided != 0);
  x = op(transpose, x, 1, 2);
  if (a->input->ndim == 1) x = op(squeeze_dims, x, INTS(0));
  y[0] = a->return_complex == 0 ? op(view_as_real, x) : x;
}

/* ----------------------------------------------------------------------- inverse */

static void check_transform(Call *call, const struct istft_args *a, bool onesided)
{
  const Tensor *x = a->input;
  if (!is_complex(x))
    raise(call, "a complex tensor is wanted, as stft gives with return_complex, not a %s one",
          dtype_name(tensor_dtype(x)));
  if (x->numel == 0) raise(call, "input is empty");
  if (x->ndim != 2 && x->ndim != 3)
    raise(call, "input has shape %s: frequencies and pieces, or a batch of them, are wanted",
          shape_text(call, tensor_shape(x)));
  int64_t wanted = onesided ? a->n_fft / 2 + 1 : a->n_fft, found = x->shape[x->ndim - 2];
  if (found != wanted)
    raise(call, "input has %lld frequencies: %lld are wanted for n_fft = %lld%s", (long long)found, (long long)wanted,
          (long long)a->n_fft, onesided ? " if it is onesided" : "");
  if (!a->return_complex && is_complex(a->window)) raise(call, "a complex window needs return_complex");
  if (a->return_complex && onesided) raise(call, "a onesided transform is one of a real signal: no return_complex");
}

/* Pieces of the signal: (batch, pieces, n). */
static Tensor *inverse_pieces(Call *call, Tensor *x, const struct istft_args *a, int64_t n)
{
  double scale = a->normalized ? 1 / sqrt((double)n) : 1 / (double)n;
  if (a->return_complex) return op(fft_c2c, x, INTS(-1), scale, false);
  if (x->shape[2] > n / 2 + 1) x = op(narrow, x, 2, 0, n / 2 + 1);
  return op(fft_c2r, x, INTS(-1), scale, n);
}

FORWARD(istft)
{
  Tensor *x = a->input;
  int64_t sizes = x->ndim >= 2 ? x->shape[x->ndim - 2] : 0;
  bool onesided = a->onesided < 0 ? sizes != a->n_fft : a->onesided == 1;
  if (a->n_fft < 1) raise(call, "n_fft is %lld: at least 1 is wanted", (long long)a->n_fft);
  check_transform(call, a, onesided);
  Pieces p = pieces_of(call, a->n_fft, a->hop_length, a->win_length, a->window);
  if (p.hop > p.win) raise(call, "hop_length is %lld, more than win_length, %lld", (long long)p.hop, (long long)p.win);
  if (a->length != NO_INT && a->length < 1) raise(call, "length is %lld: at least 1 is wanted", (long long)a->length);
  Tensor *window = whole_window(call, &p, a->window, x);
  if (!window) window = op(ones, INTS(p.n), dtype_to_real(tensor_dtype(x)), device_behind(x), false);
  if (x->ndim == 2) x = op(unsqueeze, x, 0);
  x = inverse_pieces(call, op(transpose, x, 1, 2), a, p.n);
  int64_t count = x->shape[1], whole = p.n + p.hop * (count - 1), start = a->center ? p.n / 2 : 0;
  int64_t end = a->length != NO_INT ? start + a->length : a->center ? whole - p.n / 2 : whole;
  int64_t last = end < whole ? end : whole, length = last > start ? last - start : 0;
  Tensor *sum = op(narrow, op(overlap_add, op(mul, x, window), whole, p.hop), 1, start, length);
  Tensor *squares = op(expand, op(mul, window, window), INTS(1, count, p.n));
  Tensor *envelope = op(narrow, op(overlap_add, squares, whole, p.hop), 1, start, length);
  check_none_true(call, op(lt, op(abs, envelope), number(1e-11)),
                  "the windows leave out a part of the signal: their squares add up to 0 there");
  x = op(div, sum, envelope);
  if (a->input->ndim == 2) x = op(squeeze_dims, x, INTS(0));
  y[0] = end > whole ? op(constant_pad_nd, x, INTS(0, end - whole), scalar_int(0)) : x;
}
