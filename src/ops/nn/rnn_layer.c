/* A layer of a recurrent network in one direction: step by step in ops, and all steps in one. */
#include "ops/nn/rnn_layer.h"

#include "launch/nn/rnn_layer.h"
#include "ops/linalg/matmul.h"
#include "ops/math/activation.h"
#include "ops/math/arithmetic.h"
#include "ops/math/exponential.h"
#include "ops/math/trigonometric.h"
#include "ops/reduce/sum.h"
#include "ops/shape/cat_split.h"
#include "ops/shape/copy.h"
#include "ops/shape/factory.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

int cell_gates(CellKind kind) { return kind == CELL_LSTM ? 4 : kind == CELL_GRU ? 3 : 1; }

/* ---------------------------------------------------------------- step by step */

static Tensor *gate(Call *call, Tensor *sums, int i, int64_t hidden)
{
  return op(narrow, sums, sums->ndim - 1, i * hidden, hidden);
}

Tensor *cell_step(Call *call, const Recurrence *r, Tensor *x, Tensor *h, Tensor **c)
{
  int64_t n = r->w_hh->shape[0] / cell_gates(r->kind);
  Tensor *in = op(linear, x, r->w_ih, r->b_ih), *rec = op(linear, h, r->w_hh, r->b_hh);
  if (r->kind == CELL_TANH) return op(tanh, plus(in, rec));
  if (r->kind == CELL_RELU) return op(relu, plus(in, rec), false);
  if (r->kind == CELL_GRU) {
    Tensor *reset = op(sigmoid, plus(gate(call, in, 0, n), gate(call, rec, 0, n)));
    Tensor *keep = op(sigmoid, plus(gate(call, in, 1, n), gate(call, rec, 1, n)));
    Tensor *fresh = op(tanh, plus(gate(call, in, 2, n), op(mul, reset, gate(call, rec, 2, n))));
    return plus(fresh, op(mul, keep, minus(h, fresh)));
  }
  Tensor *sums = plus(in, rec);
  Tensor *i = op(sigmoid, gate(call, sums, 0, n)), *f = op(sigmoid, gate(call, sums, 1, n));
  Tensor *g = op(tanh, gate(call, sums, 2, n)), *o = op(sigmoid, gate(call, sums, 3, n));
  *c = plus(op(mul, f, *c), op(mul, i, g));
  Tensor *next = op(mul, o, op(tanh, *c));
  return r->w_hr ? op(linear, next, r->w_hr, NULL) : next;
}

static Tensor *first_rows(Call *call, Tensor *t, int64_t n) { return n == t->shape[0] ? t : op(narrow, t, 0, 0, n); }

/* t with its first rows replaced by others. */
static Tensor *with_first_rows(Call *call, Tensor *rows, Tensor *t)
{
  int64_t n = rows->shape[0];
  if (n == t->shape[0]) return rows;
  Tensor *both[] = {rows, op(narrow, t, 0, n, t->shape[0] - n)};
  return op(cat, ((Tensors){both, 2}), 0);
}

Tensor *recurrence_steps(Call *call, const Recurrence *r, Tensor **c)
{
  int64_t steps = r->sizes.n, first = r->reverse ? r->input->shape[0] : 0;
  Tensor **y = arena_allocate(call->ctx, (size_t)steps * sizeof *y), *h = r->h0, *state = r->c0;
  for (int64_t s = 0; s < steps; s++) {
    int64_t t = r->reverse ? steps - 1 - s : s, n = r->sizes.v[t];
    if (r->reverse) first -= n;
    Tensor *x = op(narrow, r->input, 0, first, n), *now = state ? first_rows(call, state, n) : NULL;
    if (!r->reverse) first += n;
    y[t] = cell_step(call, r, x, first_rows(call, h, n), &now);
    h = with_first_rows(call, y[t], h);
    if (state) state = with_first_rows(call, now, state);
  }
  *c = state;
  return op(cat, ((Tensors){y, steps}), 0);
}

/* ---------------------------------------------------------------------- forward */

static void want_matrix(Call *call, const char *name, const Tensor *t, int64_t rows, int64_t cols)
{
  if (t->ndim != 2 || t->shape[0] != rows || t->shape[1] != cols)
    raise(call, "%s has shape %s, and %s is wanted", name, shape_text(call, tensor_shape(t)),
          shape_text(call, INTS(rows, cols)));
}

static void check_layer(Call *call, const struct recurrent_layer_args *a, int gates)
{
  const Tensor *all[] = {a->input, a->h0, a->w_ih, a->w_hh, a->c0, a->b_ih, a->b_hh};
  for (int i = 0; i < 7; i++)
    if (all[i] && all[i]->dtype != a->input->dtype)
      raise(call, "dtypes %s and %s don't match", dtype_name(tensor_dtype(a->input)), dtype_name(tensor_dtype(all[i])));
  check_floating(call, tensor_dtype(a->input));
  if (a->w_hh->ndim != 2 || a->w_ih->ndim != 2) raise(call, "the weights must be matrices");
  int64_t hidden = a->w_hh->shape[1], wide = gates * hidden, batch = a->sizes.v[0];
  if (a->input->ndim != 2 || a->input->shape[1] != a->w_ih->shape[1])
    raise(call, "the input has shape %s, and its rows must have %lld elements",
          shape_text(call, tensor_shape(a->input)), (long long)a->w_ih->shape[1]);
  want_matrix(call, "weight_ih", a->w_ih, wide, a->w_ih->shape[1]);
  want_matrix(call, "weight_hh", a->w_hh, wide, hidden);
  want_matrix(call, "the hidden state", a->h0, batch, hidden);
  if (a->c0) want_matrix(call, "the cell state", a->c0, batch, hidden);
  if ((a->b_ih && (a->b_ih->ndim != 1 || a->b_ih->shape[0] != wide))
      || (a->b_hh && (a->b_hh->ndim != 1 || a->b_hh->shape[0] != wide)))
    raise(call, "a bias must have %lld elements", (long long)wide);
}

FORWARD(recurrent_layer)
{
  CellKind kind = (CellKind)a->kind;
  check_layer(call, a, cell_gates(kind));
  int64_t rows = a->input->shape[0], hidden = a->w_hh->shape[1];
  DType dtype = tensor_dtype(a->input), d = dtype_compute(dtype);
  Tensor *b_ih = a->b_ih, *b_hh = a->b_hh;
  y[0] = new_beside(call, a->input, dtype, INTS(rows, hidden));
  y[1] = new_beside(call, a->input, dtype, INTS(kind == CELL_LSTM ? a->sizes.v[0] : 0, hidden));
  y[2] = new_beside(call, a->input, d, INTS(rows, cell_kept(kind) * hidden));
  if (kind == CELL_GRU) {
    if (!b_hh) b_hh = op(zeros, INTS(a->w_hh->shape[0]), d, device_behind(a->input), false);
  } else if (b_hh) {
    b_ih = b_ih ? plus(widened(b_ih), widened(b_hh)) : b_hh;
    b_hh = NULL;
  }
  RnnOperands operands = {a->input, a->h0, a->c0, a->w_ih, a->w_hh, b_ih, b_hh};
  launch_rnn_layer(call, kind, a->sizes, a->reverse, &operands, y[0], y[1], y[2]);
}

/* --------------------------------------------------------------------- backward */

/* Under create_graph: the gradients of the same steps done by ops. */
static void backward_by_steps(Call *call, const struct recurrent_layer_args *a, Tensor *const *dy, struct Gradients *g)
{
  Recurrence r = {.kind = (CellKind)a->kind,
                  .input = stand_in(call, a->input),
                  .h0 = stand_in(call, a->h0),
                  .c0 = stand_in(call, a->c0),
                  .w_ih = stand_in(call, a->w_ih),
                  .w_hh = stand_in(call, a->w_hh),
                  .b_ih = stand_in(call, a->b_ih),
                  .b_hh = stand_in(call, a->b_hh),
                  .sizes = a->sizes,
                  .reverse = a->reverse};
  Tensor *c = NULL, *y = recurrence_steps(call, &r, &c);
  Tensor *inputs[] = {r.input, r.h0, r.c0, r.w_ih, r.w_hh, r.b_ih, r.b_hh}, *dx[7];
  gradients_through(call, (Tensor *[]){y, c}, dy, c ? 2 : 1, inputs, 7, dx);
  if (WANTS(input)) GRAD(input) = dx[0];
  if (WANTS(h0)) GRAD(h0) = dx[1];
  if (a->c0 && WANTS(c0)) GRAD(c0) = dx[2];
  if (WANTS(w_ih)) GRAD(w_ih) = dx[3];
  if (WANTS(w_hh)) GRAD(w_hh) = dx[4];
  if (a->b_ih && WANTS(b_ih)) GRAD(b_ih) = dx[5];
  if (a->b_hh && WANTS(b_hh)) GRAD(b_hh) = dx[6];
}

static Tensor *zeros_of(Call *call, const Tensor *like, DType dtype, Ints shape)
{
  return op(zeros, shape, dtype, device_behind(like), false);
}

static Tensor *states_before(Call *call, const struct recurrent_layer_args *a, Tensor *h)
{
  Tensor *to = new_beside(call, h, tensor_dtype(h), tensor_shape(h));
  launch_rnn_states_before(call, a->sizes, a->reverse, a->h0, h, to);
  return to;
}

BACKWARD(recurrent_layer)
{
  if (call->ctx->grad_enabled) {
    backward_by_steps(call, a, dy, g);
    return;
  }
  CellKind kind = (CellKind)a->kind;
  DType dtype = tensor_dtype(a->input), d = dtype_compute(dtype);
  int64_t rows = a->input->shape[0], hidden = a->w_hh->shape[1], wide = a->w_hh->shape[0];
  Ints states = INTS(a->sizes.v[0], hidden);
  Tensor *h = cast(y[0], d), *like = a->input;
  Tensor *dh = zeros_of(call, like, d, states), *dx = new_beside(call, like, d, INTS(rows, wide)), *dhidden = dx,
         *dc = NULL;
  if (kind == CELL_LSTM) dc = dy[1] ? op(clone, cast(dy[1], d)) : zeros_of(call, like, d, states);
  if (kind == CELL_GRU) dhidden = new_beside(call, like, d, INTS(rows, wide));
  RnnOperands operands = {.h0 = a->h0, .c0 = a->c0, .w_hh = a->w_hh};
  launch_rnn_layer_backward(call, kind, a->sizes, a->reverse, &operands, h, y[2], dy[0], dh, dc, dx, dhidden);
  if (WANTS(input)) GRAD(input) = cast(op(mm, dx, cast(a->w_ih, d)), dtype);
  if (WANTS(w_ih)) GRAD(w_ih) = cast(op(mm, op(transpose, dx, 0, 1), cast(a->input, d)), dtype);
  if (WANTS(w_hh)) GRAD(w_hh) = cast(op(mm, op(transpose, dhidden, 0, 1), states_before(call, a, h)), dtype);
  if (a->b_ih && WANTS(b_ih)) GRAD(b_ih) = op(sum_to, dx, tensor_shape(a->b_ih), dtype);
  if (a->b_hh && WANTS(b_hh)) GRAD(b_hh) = op(sum_to, dhidden, tensor_shape(a->b_hh), dtype);
  if (WANTS(h0)) GRAD(h0) = cast(dh, dtype);
  if (a->c0 && WANTS(c0)) GRAD(c0) = cast(dc, dtype);
}
