/*
 * A layer of a recurrent network in one direction: one product for the inputs of all steps, then a small product and a
 * cell for each step; the gradient is the same backwards, with one product for each weight at the end. Sequences are
 * independent, so threads take some each through all steps.
 */
#include "ops/recurrent.h"

#include <string.h>

#include "core/blocks.h"
#include "kernels/gemm.h"
#include "ops/helpers.h"

static const Scalar ZERO = {SCALAR_INT, 0, 0, 0}, ONE = {SCALAR_INT, 1, 0, 0};

int cell_gates(CellKind kind) { return kind == CELL_LSTM ? 4 : kind == CELL_GRU ? 3 : 1; }

/* Elements that are kept of a row for each hidden unit: see typed/recurrent.c. */
static int64_t kept_of(CellKind kind) { return kind == CELL_LSTM ? 5 : kind == CELL_GRU ? 4 : 0; }

/* ---------------------------------------------------------------- step by step */

static Tensor *plus(Call *call, Tensor *a, Tensor *b) { return op(add, a, b, scalar_int(1)); }

static Tensor *gate(Call *call, Tensor *sums, int i, int64_t hidden)
{
  return op(narrow, sums, sums->ndim - 1, i * hidden, hidden);
}

Tensor *cell_step(Call *call, const Recurrence *r, Tensor *x, Tensor *h, Tensor **c)
{
  int64_t n = r->w_hh->shape[0] / cell_gates(r->kind);
  Tensor *in = op(linear, x, r->w_ih, r->b_ih), *rec = op(linear, h, r->w_hh, r->b_hh);
  if (r->kind == CELL_TANH) return op(tanh, plus(call, in, rec));
  if (r->kind == CELL_RELU) return op(relu, plus(call, in, rec), false);
  if (r->kind == CELL_GRU) {
    Tensor *reset = op(sigmoid, plus(call, gate(call, in, 0, n), gate(call, rec, 0, n)));
    Tensor *keep = op(sigmoid, plus(call, gate(call, in, 1, n), gate(call, rec, 1, n)));
    Tensor *fresh = op(tanh, plus(call, gate(call, in, 2, n), op(mul, reset, gate(call, rec, 2, n))));
    return plus(call, fresh, op(mul, keep, op(sub, h, fresh, scalar_int(1))));
  }
  Tensor *sums = plus(call, in, rec);
  Tensor *i = op(sigmoid, gate(call, sums, 0, n)), *f = op(sigmoid, gate(call, sums, 1, n));
  Tensor *g = op(tanh, gate(call, sums, 2, n)), *o = op(sigmoid, gate(call, sums, 3, n));
  *c = plus(call, op(mul, f, *c), op(mul, i, g));
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

/* ------------------------------------------------------------------- all in one */

typedef struct Layer {
  const KernelTable *k;
  DType dtype;
  CellKind kind;
  int64_t size, hidden, wide;  /* bytes of an element, hidden units, gates times hidden units */
  int64_t steps;
  const int64_t *sizes, *first; /* rows of each step, and the first of them */
  bool reverse;
  int64_t batch;
  const char *h0, *c0;
  char *y, *work;              /* a row of work has work_row elements */
  int64_t work_row;
  const char *weights;         /* of the recurrent product, in blocks of columns */
  char *sums;                  /* GRU: the recurrent product, a row a sequence */
  const char *bias;            /* what sums start from */
  /* backward */
  const char *dy;              /* NULL: none arrived */
  const char *zeros;           /* a row of them */
  char *dh, *dc, *dx, *dhidden;
} Layer;

static int64_t step_at(const Layer *l, int64_t s) { return l->reverse ? l->steps - 1 - s : s; }

/* How many rows of step number s go on from the step before; the others start from h0. */
static int64_t rows_going_on(const Layer *l, int64_t s)
{
  if (s == 0) return 0;
  int64_t now = l->sizes[step_at(l, s)], before = l->sizes[step_at(l, s - 1)];
  return now < before ? now : before;
}

static char *at(const char *base, const Layer *l, int64_t row, int64_t width) { return (char *)base + row * width * l->size; }

static const char *h_before(const Layer *l, int64_t s, int64_t row)
{
  if (row >= rows_going_on(l, s)) return at(l->h0, l, row, l->hidden);
  return at(l->y, l, l->first[step_at(l, s - 1)] + row, l->hidden);
}

static const char *c_before(const Layer *l, int64_t s, int64_t row)
{
  if (row >= rows_going_on(l, s)) return at(l->c0, l, row, l->hidden);
  return at(l->work, l, l->first[step_at(l, s - 1)] + row, l->work_row) + 4 * l->hidden * l->size;
}

/* The matrix b, k x n, as blocks of columns, each with its rows side by side. */
static char *in_blocks(Call *call, DType dtype, int64_t k, int64_t n, const char *b, int64_t row, int64_t col)
{
  const int64_t size = (int64_t)dtype_size(dtype);
  char *to = tensor_data(tensor_new(call, dtype, DEVICE_CPU, INTS(k * n))), *next = to;
  for (int64_t j = 0; j < n; j += RECURRENT_COLUMNS) {
    int64_t width = n - j < RECURRENT_COLUMNS ? n - j : RECURRENT_COLUMNS;
    for (int64_t p = 0; p < k; p++, next += width * size)
      copy_elements((size_t)size, width, b + (p * row + j * col) * size, col * size, next, size);
  }
  return to;
}

/* c += a times the weights, m rows: a is m x k, c m x n. */
static void add_product(const Layer *l, int64_t m, int64_t n, int64_t k, const char *a, int64_t a_row, char *c, int64_t c_row)
{
  for (int64_t j = 0; m > 0 && j < n; j += RECURRENT_COLUMNS) {
    int64_t width = n - j < RECURRENT_COLUMNS ? n - j : RECURRENT_COLUMNS;
    l->k->matmul(m, width, k, a, a_row, 1, l->weights + j * k * l->size, width, 1, true, c + j * l->size, c_row);
  }
}

/* The recurrent product of rows [begin, end) of step number s. */
static void add_recurrent(const Layer *l, int64_t s, int64_t begin, int64_t end)
{
  int64_t first = l->first[step_at(l, s)], go_on = rows_going_on(l, s);
  int64_t split = go_on < begin ? begin : go_on > end ? end : go_on;
  int64_t parts[] = {begin, split, end};
  for (int i = 0; i < 2; i++) {
    int64_t from = parts[i], m = parts[i + 1] - from;
    if (m == 0) continue;
    char *c = l->sums ? at(l->sums, l, from, l->wide) : at(l->work, l, first + from, l->work_row);
    add_product(l, m, l->wide, l->hidden, h_before(l, s, from), l->hidden, c, l->sums ? l->wide : l->work_row);
  }
}

static void forward_step(const Layer *l, int64_t s, int64_t begin, int64_t end)
{
  int64_t first = l->first[step_at(l, s)];
  for (int64_t r = begin; r < end && l->sums; r++)
    memcpy(at(l->sums, l, r, l->wide), l->bias, (size_t)(l->wide * l->size));
  add_recurrent(l, s, begin, end);
  for (int64_t r = begin; r < end; r++) {
    CellRow row = {.work = at(l->work, l, first + r, l->work_row), .h = at(l->y, l, first + r, l->hidden)};
    if (l->sums) row.hidden = at(l->sums, l, r, l->wide);
    if (l->kind == CELL_GRU) row.h_prev = h_before(l, s, r);
    if (l->kind == CELL_LSTM) row.c_prev = c_before(l, s, r);
    l->k->cell(l->kind, l->hidden, &row);
  }
}

static void forward_part(void *arg, int64_t begin, int64_t end)
{
  const Layer *l = arg;
  for (int64_t s = 0; s < l->steps; s++) {
    int64_t rows = l->sizes[step_at(l, s)];
    if (rows > begin) forward_step(l, s, begin, rows < end ? rows : end);
  }
}

static void backward_step(const Layer *l, int64_t s, int64_t begin, int64_t end)
{
  int64_t first = l->first[step_at(l, s)];
  for (int64_t r = begin; r < end; r++) {
    CellRow row = {.work = at(l->work, l, first + r, l->work_row), .h = at(l->y, l, first + r, l->hidden),
                   .dy = l->dy ? at(l->dy, l, first + r, l->hidden) : l->zeros, .dh = at(l->dh, l, r, l->hidden),
                   .dx = at(l->dx, l, first + r, l->wide), .dhidden = at(l->dhidden, l, first + r, l->wide)};
    if (l->kind == CELL_GRU) row.h_prev = h_before(l, s, r);
    if (l->kind == CELL_LSTM) row.c_prev = c_before(l, s, r), row.dc = at(l->dc, l, r, l->hidden);
    l->k->cell_backward(l->kind, l->hidden, &row);
  }
  add_product(l, end - begin, l->hidden, l->wide, at(l->dhidden, l, first + begin, l->wide), l->wide,
              at(l->dh, l, begin, l->hidden), l->hidden);
}

static void backward_part(void *arg, int64_t begin, int64_t end)
{
  const Layer *l = arg;
  for (int64_t s = l->steps - 1; s >= 0; s--) {
    int64_t rows = l->sizes[step_at(l, s)];
    if (rows > begin) backward_step(l, s, begin, rows < end ? rows : end);
  }
}

static void run(Layer *l, ParallelBody body)
{
  int64_t parts = (l->batch + RECURRENT_SEQUENCES - 1) / RECURRENT_SEQUENCES, grain = (l->batch + parts - 1) / parts;
  parallel_for(l->batch, (grain + 3) & ~(int64_t)3, body, l);
}

/* ---------------------------------------------------------------------- forward */

static void want_matrix(Call *call, const char *name, const Tensor *t, int64_t rows, int64_t cols)
{
  if (t->ndim != 2 || t->shape[0] != rows || t->shape[1] != cols)
    raise(call, "%s has shape %s, and %s is wanted", name, shape_text(call, tensor_shape(t)), shape_text(call, INTS(rows, cols)));
}

static void check_layer(Call *call, const struct recurrent_layer_args *a, int gates)
{
  const Tensor *all[] = {a->input, a->h0, a->w_ih, a->w_hh, a->c0, a->b_ih, a->b_hh};
  for (int i = 0; i < 7; i++)
    if (all[i] && all[i]->dtype != a->input->dtype)
      raise(call, "dtypes %s and %s don't match", dtype_name(tensor_dtype(a->input)), dtype_name(tensor_dtype(all[i])));
  if (!dtype_is_floating(tensor_dtype(a->input)))
    raise(call, "%s tensors are not taken", dtype_name(tensor_dtype(a->input)));
  if (a->w_hh->ndim != 2 || a->w_ih->ndim != 2) raise(call, "the weights must be matrices");
  int64_t hidden = a->w_hh->shape[1], wide = gates * hidden, batch = a->sizes.v[0];
  if (a->input->ndim != 2 || a->input->shape[1] != a->w_ih->shape[1])
    raise(call, "the input has shape %s, and its rows must have %lld elements", shape_text(call, tensor_shape(a->input)),
          (long long)a->w_ih->shape[1]);
  want_matrix(call, "weight_ih", a->w_ih, wide, a->w_ih->shape[1]);
  want_matrix(call, "weight_hh", a->w_hh, wide, hidden);
  want_matrix(call, "the hidden state", a->h0, batch, hidden);
  if (a->c0) want_matrix(call, "the cell state", a->c0, batch, hidden);
  if ((a->b_ih && (a->b_ih->ndim != 1 || a->b_ih->shape[0] != wide)) || (a->b_hh && (a->b_hh->ndim != 1 || a->b_hh->shape[0] != wide)))
    raise(call, "a bias must have %lld elements", (long long)wide);
}

/* What forward and backward have in common. Tensors are contiguous and of the kernels' dtype. */
static Layer layer_of(Call *call, const struct recurrent_layer_args *a, DType d, Tensor *h0, Tensor *c0, Tensor *y, Tensor *work)
{
  Layer l = {.k = kernels_of(d), .dtype = d, .kind = (CellKind)a->kind, .size = (int64_t)dtype_size(d),
             .hidden = a->w_hh->shape[1], .wide = a->w_hh->shape[0], .steps = a->sizes.n, .sizes = a->sizes.v,
             .reverse = a->reverse, .batch = a->sizes.v[0], .h0 = tensor_data(h0), .c0 = c0 ? tensor_data(c0) : NULL,
             .y = tensor_data(y), .work = kept_of((CellKind)a->kind) ? tensor_data(work) : tensor_data(y)};
  int64_t kept = kept_of(l.kind), *first = arena_allocate(call->ctx, (size_t)l.steps * sizeof *first), row = 0;
  l.work_row = kept ? kept * l.hidden : l.hidden;
  for (int64_t t = 0; t < l.steps; row += l.sizes[t++]) first[t] = row;
  l.first = first;
  return l;
}

static Tensor *bias_of(Call *call, Tensor *b, DType d) { return b ? contiguous_as(call, b, d) : NULL; }

/* work = x w^T + bias, all rows. */
static void multiply_inputs(const Layer *l, const Tensor *x, const Tensor *w, const Tensor *bias)
{
  int64_t rows = x->shape[0], in = x->shape[1];
  for (int64_t r = 0; r < rows && bias; r++)
    memcpy(at(l->work, l, r, l->work_row), tensor_data(bias), (size_t)(l->wide * l->size));
  Matrix left = {tensor_data(x), rows, in, in, 1}, right = {tensor_data(w), in, l->wide, 1, in};
  gemm(l->dtype, &left, &right, ONE, bias ? ONE : ZERO, l->work, l->work_row);
}

/* The states of the cells after the last step of each sequence. */
static void last_cells(const Layer *l, Tensor *c)
{
  for (int64_t s = 0; s < l->steps; s++) {
    int64_t t = step_at(l, s);
    for (int64_t r = 0; r < l->sizes[t]; r++)
      memcpy(at(tensor_data(c), l, r, l->hidden), at(l->work, l, l->first[t] + r, l->work_row) + 4 * l->hidden * l->size,
             (size_t)(l->hidden * l->size));
  }
}

FORWARD(recurrent_layer)
{
  CellKind kind = (CellKind)a->kind;
  check_layer(call, a, cell_gates(kind));
  int64_t rows = a->input->shape[0], hidden = a->w_hh->shape[1];
  DType dtype = tensor_dtype(a->input), d = kernel_dtype(dtype);
  Device device = call->meta ? DEVICE_META : DEVICE_CPU;
  Tensor *h = tensor_new(call, d, device, INTS(rows, hidden));
  Tensor *c = tensor_new(call, d, device, INTS(kind == CELL_LSTM ? a->sizes.v[0] : 0, hidden));
  y[2] = tensor_new(call, d, device, INTS(rows, kept_of(kind) * hidden));
  if (!call->meta && rows * hidden > 0) {
    Tensor *h0 = contiguous_as(call, a->h0, d), *c0 = a->c0 ? contiguous_as(call, a->c0, d) : NULL;
    Tensor *b_ih = bias_of(call, a->b_ih, d), *b_hh = bias_of(call, a->b_hh, d), *w = contiguous_as(call, a->w_hh, d);
    Layer l = layer_of(call, a, d, h0, c0, h, y[2]);
    if (kind == CELL_GRU) {
      l.sums = tensor_data(tensor_new(call, d, DEVICE_CPU, INTS(l.batch, l.wide)));
      l.bias = tensor_data(b_hh ? b_hh : op(zeros, INTS(l.wide), d, DEVICE_CPU, false));
    } else if (b_hh) {
      b_ih = b_ih ? plus(call, b_ih, b_hh) : b_hh;
    }
    multiply_inputs(&l, contiguous_as(call, a->input, d), contiguous_as(call, a->w_ih, d), b_ih);
    l.weights = in_blocks(call, d, hidden, l.wide, tensor_data(w), 1, hidden);
    run(&l, forward_part);
    if (kind == CELL_LSTM) last_cells(&l, c);
  }
  y[0] = d == dtype ? h : copy_of(call, h, dtype);
  y[1] = d == dtype ? c : copy_of(call, c, dtype);
}

/* --------------------------------------------------------------------- backward */

/* Under create_graph: the gradients of the same steps done by ops. */
static void backward_by_steps(Call *call, const struct recurrent_layer_args *a, Tensor *const *dy, struct Gradients *g)
{
  Recurrence r = {.kind = (CellKind)a->kind, .input = stand_in(call, a->input), .h0 = stand_in(call, a->h0),
                  .c0 = stand_in(call, a->c0), .w_ih = stand_in(call, a->w_ih), .w_hh = stand_in(call, a->w_hh),
                  .b_ih = stand_in(call, a->b_ih), .b_hh = stand_in(call, a->b_hh), .sizes = a->sizes, .reverse = a->reverse};
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

static void backward_on_meta(Call *call, const struct recurrent_layer_args *a, Tensor *like, struct Gradients *g)
{
  if (WANTS(input)) GRAD(input) = zeros_for(call, like, tensor_shape(a->input));
  if (WANTS(h0)) GRAD(h0) = zeros_for(call, like, tensor_shape(a->h0));
  if (a->c0 && WANTS(c0)) GRAD(c0) = zeros_for(call, like, tensor_shape(a->c0));
  if (WANTS(w_ih)) GRAD(w_ih) = zeros_for(call, like, tensor_shape(a->w_ih));
  if (WANTS(w_hh)) GRAD(w_hh) = zeros_for(call, like, tensor_shape(a->w_hh));
  if (a->b_ih && WANTS(b_ih)) GRAD(b_ih) = zeros_for(call, like, tensor_shape(a->b_ih));
  if (a->b_hh && WANTS(b_hh)) GRAD(b_hh) = zeros_for(call, like, tensor_shape(a->b_hh));
}

/* The hidden state before each row's step. */
static Tensor *states_before(Call *call, const Layer *l, int64_t rows)
{
  Tensor *t = tensor_new(call, l->dtype, DEVICE_CPU, INTS(rows, l->hidden));
  for (int64_t s = 0; s < l->steps; s++)
    for (int64_t r = 0, first = l->first[step_at(l, s)]; r < l->sizes[step_at(l, s)]; r++)
      memcpy(at(tensor_data(t), l, first + r, l->hidden), h_before(l, s, r), (size_t)(l->hidden * l->size));
  return t;
}

static Tensor *zero_rows(Call *call, DType d, int64_t rows, int64_t cols)
{
  return op(zeros, INTS(rows, cols), d, DEVICE_CPU, false);
}

BACKWARD(recurrent_layer)
{
  if (call->ctx->grad_enabled) {
    backward_by_steps(call, a, dy, g);
    return;
  }
  if (a->input->device == DEVICE_META) {
    backward_on_meta(call, a, dy[0] ? dy[0] : dy[1], g);
    return;
  }
  DType dtype = tensor_dtype(a->input), d = kernel_dtype(dtype);
  CellKind kind = (CellKind)a->kind;
  int64_t rows = a->input->shape[0];
  Tensor *h = contiguous_as(call, y[0], d), *h0 = contiguous_as(call, a->h0, d);
  Tensor *c0 = a->c0 ? contiguous_as(call, a->c0, d) : NULL, *w = contiguous_as(call, a->w_hh, d);
  Layer l = layer_of(call, a, d, h0, c0, h, y[2]);
  Tensor *dh = zero_rows(call, d, l.batch, l.hidden), *dx = tensor_new(call, d, DEVICE_CPU, INTS(rows, l.wide)), *dhidden = dx;
  Tensor *dc = kind != CELL_LSTM ? NULL : dy[1] ? op(clone, contiguous_as(call, dy[1], d)) : zero_rows(call, d, l.batch, l.hidden);
  if (kind == CELL_GRU) dhidden = tensor_new(call, d, DEVICE_CPU, INTS(rows, l.wide));
  if (rows * l.hidden > 0) {
    Tensor *dh_of_y = dy[0] ? contiguous_as(call, dy[0], d) : NULL;
    l.dy = dh_of_y ? tensor_data(dh_of_y) : NULL;
    l.zeros = tensor_data(zero_rows(call, d, 1, l.hidden));
    l.dh = tensor_data(dh), l.dc = dc ? tensor_data(dc) : NULL, l.dx = tensor_data(dx), l.dhidden = tensor_data(dhidden);
    l.weights = in_blocks(call, d, l.wide, l.hidden, tensor_data(w), l.hidden, 1);
    run(&l, backward_part);
  }
  if (WANTS(input)) GRAD(input) = as_dtype(call, op(mm, dx, as_dtype(call, a->w_ih, d)), dtype);
  if (WANTS(w_ih)) GRAD(w_ih) = as_dtype(call, op(mm, op(transpose, dx, 0, 1), as_dtype(call, a->input, d)), dtype);
  if (WANTS(w_hh)) GRAD(w_hh) = as_dtype(call, op(mm, op(transpose, dhidden, 0, 1), states_before(call, &l, rows)), dtype);
  if (a->b_ih && WANTS(b_ih)) GRAD(b_ih) = op(sum_to, dx, tensor_shape(a->b_ih), dtype);
  if (a->b_hh && WANTS(b_hh)) GRAD(b_hh) = op(sum_to, dhidden, tensor_shape(a->b_hh), dtype);
  if (WANTS(h0)) GRAD(h0) = as_dtype(call, dh, dtype);
  if (c0 && WANTS(c0)) GRAD(c0) = as_dtype(call, dc, dtype);
}
