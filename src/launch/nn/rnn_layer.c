/*
 * A layer of a recurrent network in one direction: one product for the inputs of all steps, then a small product and a
 * cell for each step; the gradient is the same backwards. Sequences are independent, so threads take some each through
 * all steps.
 */
#include "launch/nn/rnn_layer.h"

#include <string.h>

#include "core/blocks.h"
#include "core/interrupt.h"
#include "kernels/copy.h"
#include "kernels/matmul.h"
#include "launch/linalg/gemm.h"
#include "launch/launch.h"
#include "launch/packed.h"

int64_t cell_kept(CellKind kind) { return kind == CELL_LSTM ? 5 : kind == CELL_GRU ? 4 : 0; }

typedef struct Layer {
  const KernelTable *k;
  CellKind kind;
  int64_t size, hidden, wide; /* bytes of an element, hidden units, gates times hidden units */
  int64_t steps;
  const int64_t *sizes, *first; /* rows of each step, and the first of them */
  bool reverse, stops;          /* on Ctrl-C: what comes after the steps raises then */
  int64_t batch, at_a_time;     /* sequences, and how many an item has */
  const char *h0, *c0;
  char *y, *work; /* a row of work has work_row elements */
  int64_t work_row;
  const char *weights; /* of the recurrent product, in blocks of columns */
  char *sums;          /* GRU: the recurrent product, a row a sequence */
  const char *bias;    /* what sums start from */
  /* backward */
  const char *dy;    /* NULL: none arrived */
  const char *zeros; /* a row of them */
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

static char *at(const char *base, const Layer *l, int64_t row, int64_t width)
{
  return (char *)base + row * width * l->size;
}

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
static char *in_blocks(Call *call, const Tensor *w, int64_t k, int64_t n, int64_t row, int64_t col)
{
  const int64_t size = (int64_t)dtype_size(tensor_dtype(w));
  const char *b = tensor_data(w);
  bool is_filled;
  char *to = packed_memory(call, PACKED_RECURRENT, k * n * size, &is_filled), *next = to;
  if (is_filled) return to;
  for (int64_t j = 0; j < n; j += RECURRENT_COLUMNS) {
    int64_t width = n - j < RECURRENT_COLUMNS ? n - j : RECURRENT_COLUMNS;
    for (int64_t p = 0; p < k; p++, next += width * size)
      copy_elements((size_t)size, width, b + (p * row + j * col) * size, col * size, next, size);
  }
  packed_filled(call);
  return to;
}

/* c += a times the weights, m rows: a is m x k, c m x n. */
static void add_product(const Layer *l, int64_t m, int64_t n, int64_t k, const char *a, int64_t a_row, char *c,
                        int64_t c_row)
{
  for (int64_t j = 0; m > 0 && j < n; j += RECURRENT_COLUMNS) {
    int64_t width = n - j < RECURRENT_COLUMNS ? n - j : RECURRENT_COLUMNS;
    l->k->matmul->product(m, width, k, a, a_row, 1, l->weights + j * k * l->size, width, 1, true, c + j * l->size,
                          c_row);
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

static bool is_stopped(const Layer *l) { return l->stops && interrupt_is_requested(); }

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
    l->k->recurrent->cell(l->kind, l->hidden, &row);
  }
}

static void forward_part(const Launch *launched, int64_t begin, int64_t end)
{
  const Layer *l = launched->params;
  begin *= l->at_a_time, end *= l->at_a_time;
  for (int64_t s = 0; s < l->steps && !is_stopped(l); s++) {
    int64_t rows = l->sizes[step_at(l, s)];
    if (rows > begin) forward_step(l, s, begin, rows < end ? rows : end);
  }
}

static void backward_step(const Layer *l, int64_t s, int64_t begin, int64_t end)
{
  int64_t first = l->first[step_at(l, s)];
  for (int64_t r = begin; r < end; r++) {
    CellRow row = {.work = at(l->work, l, first + r, l->work_row),
                   .h = at(l->y, l, first + r, l->hidden),
                   .dy = l->dy ? at(l->dy, l, first + r, l->hidden) : l->zeros,
                   .dh = at(l->dh, l, r, l->hidden),
                   .dx = at(l->dx, l, first + r, l->wide),
                   .dhidden = at(l->dhidden, l, first + r, l->wide)};
    if (l->kind == CELL_GRU) row.h_prev = h_before(l, s, r);
    if (l->kind == CELL_LSTM) row.c_prev = c_before(l, s, r), row.dc = at(l->dc, l, r, l->hidden);
    l->k->recurrent->cell_backward(l->kind, l->hidden, &row);
  }
  add_product(l, end - begin, l->hidden, l->wide, at(l->dhidden, l, first + begin, l->wide), l->wide,
              at(l->dh, l, begin, l->hidden), l->hidden);
}

static void backward_part(const Launch *launched, int64_t begin, int64_t end)
{
  const Layer *l = launched->params;
  begin *= l->at_a_time, end *= l->at_a_time;
  for (int64_t s = l->steps - 1; s >= 0 && !is_stopped(l); s--) {
    int64_t rows = l->sizes[step_at(l, s)];
    if (rows > begin) backward_step(l, s, begin, rows < end ? rows : end);
  }
}

/* Results and operands in the order in which both directions are launched; others are one direction's own. */
enum { H0, C0, W_HH, B_HH, W_IH, B_IH, X, DY = B_HH, Y = W_IH, KEPT = B_IH };

/* What forward and backward have in common. */
static void set_layer(Call *call, const Launch *launched, Layer *l, const Tensor *y, const Tensor *kept)
{
  const Tensor *c0 = launched->x[C0];
  int64_t *first = arena_allocate(call->ctx, (size_t)l->steps * sizeof *first), row = 0, width = cell_kept(l->kind);
  for (int64_t t = 0; t < l->steps; row += l->sizes[t++]) first[t] = row;
  l->first = first;
  l->stops = interrupt_target() == call->ctx;
  l->k = launched->k;
  l->size = launched->size;
  l->h0 = tensor_data(launched->x[H0]);
  l->c0 = c0 ? tensor_data(c0) : NULL;
  l->y = tensor_data(y);
  l->work = width ? tensor_data(kept) : l->y;
  l->work_row = width ? width * l->hidden : l->hidden;
}

static Layer layer_of(CellKind kind, Ints sizes, bool reverse, const Tensor *w_hh)
{
  return (Layer){.kind = kind,
                 .hidden = w_hh->shape[1],
                 .wide = w_hh->shape[0],
                 .steps = sizes.n,
                 .sizes = sizes.v,
                 .reverse = reverse,
                 .batch = sizes.v[0]};
}

/* A multiple of four sequences at a time, of which each is far more than a thread's wake-up call. */
static Work work_of(const Layer *l, int64_t *at_a_time)
{
  int64_t parts = (l->batch + RECURRENT_SEQUENCES - 1) / RECURRENT_SEQUENCES, grain = (l->batch + parts - 1) / parts;
  *at_a_time = (grain + 3) & ~(int64_t)3;
  return (Work){(l->batch + *at_a_time - 1) / *at_a_time, EACH_ALONE};
}

/* ---------------------------------------------------------------------- forward */

/* work = x w^T + bias, all rows. What a plan keeps packed is the other weight. */
static void multiply_inputs(Call *call, const Layer *l, const Tensor *x, const Tensor *w, const Tensor *bias)
{
  Call unplanned = *call;
  unplanned.planned = NULL;
  int64_t rows = x->shape[0], in = x->shape[1];
  Matrix left = {tensor_data(x), rows, in, in, 1, STORED_SAME};
  Matrix right = {tensor_data(w), in, l->wide, 1, in, STORED_SAME};
  Addend addend = {bias ? tensor_data(bias) : NULL, 0, 1};
  gemm(&unplanned, tensor_dtype(x), &left, &right, 1, addend, l->work, l->work_row);
}

/* The states of the cells after the last step of each sequence. */
static void last_cells(const Layer *l, Tensor *c)
{
  for (int64_t s = 0; s < l->steps; s++) {
    int64_t t = step_at(l, s);
    for (int64_t r = 0; r < l->sizes[t]; r++)
      memcpy(at(tensor_data(c), l, r, l->hidden),
             at(l->work, l, l->first[t] + r, l->work_row) + 4 * l->hidden * l->size, (size_t)(l->hidden * l->size));
  }
}

static void before_steps(Call *call, const Launch *launched)
{
  Layer *l = launched->params;
  const Tensor *w_hh = launched->x[W_HH];
  set_layer(call, launched, l, launched->y[0], launched->y[2]);
  if (l->kind == CELL_GRU) {
    l->sums = tensor_data(new_beside(call, w_hh, launched->dtype, INTS(l->batch, l->wide)));
    l->bias = tensor_data(launched->x[B_HH]);
  }
  multiply_inputs(call, l, launched->x[X], launched->x[W_IH], launched->x[B_IH]);
  l->weights = in_blocks(call, w_hh, l->hidden, l->wide, 1, l->hidden);
}

static void after_steps(Call *call, const Launch *launched)
{
  const Layer *l = launched->params;
  check_interrupt(call);
  if (l->kind == CELL_LSTM) last_cells(l, launched->y[1]);
}

void launch_rnn_layer(Call *call, CellKind kind, Ints sizes, bool reverse, const RnnOperands *a, Tensor *h, Tensor *c,
                      Tensor *kept)
{
  static const Driver driver = {.run = forward_part, .before = before_steps, .after = after_steps};
  if (!launch_runs(h)) return;
  Layer l = layer_of(kind, sizes, reverse, a->w_hh);
  Work work = work_of(&l, &l.at_a_time);
  launch(call, &driver, tensor_dtype(h), TENSOR_LIST(h, c, kept),
         TENSOR_LIST(a->h0, a->c0, a->w_hh, a->b_hh, a->w_ih, a->b_ih, a->x), work, &l);
}

/* --------------------------------------------------------------------- backward */

static void before_steps_back(Call *call, const Launch *launched)
{
  Layer *l = launched->params;
  const Tensor *w_hh = launched->x[W_HH], *dy = launched->x[DY];
  set_layer(call, launched, l, launched->x[Y], launched->x[KEPT]);
  Tensor *zeros = new_beside(call, w_hh, launched->dtype, INTS(l->hidden));
  memset(tensor_data(zeros), 0, tensor_bytes(zeros));
  l->zeros = tensor_data(zeros);
  l->dy = dy ? tensor_data(dy) : NULL;
  l->dh = result_at(launched, 0, 0);
  l->dc = result_at(launched, 1, 0);
  l->dx = result_at(launched, 2, 0);
  l->dhidden = launched->y[3] ? result_at(launched, 3, 0) : l->dx;
  l->weights = in_blocks(call, w_hh, l->wide, l->hidden, l->hidden, 1);
}

static void after_steps_back(Call *call, const Launch *launched)
{
  (void)launched;
  check_interrupt(call);
}

void launch_rnn_layer_backward(Call *call, CellKind kind, Ints sizes, bool reverse, const RnnOperands *a, Tensor *y,
                               Tensor *kept, Tensor *dy, Tensor *dh, Tensor *dc, Tensor *dx, Tensor *dhidden)
{
  static const Driver driver = {
    .run = backward_part, .results = {UPDATED, UPDATED}, .before = before_steps_back, .after = after_steps_back};
  if (!launch_runs(dh) || !launch_runs(dx)) return;
  Layer l = layer_of(kind, sizes, reverse, a->w_hh);
  Work work = work_of(&l, &l.at_a_time);
  launch(call, &driver, tensor_dtype(dx), TENSOR_LIST(dh, dc, dx, dhidden != dx ? dhidden : NULL),
         TENSOR_LIST(a->h0, a->c0, a->w_hh, dy, y, kept), work, &l);
}

/* Row by row what the recurrent product of the row's step was made from. */
static void copy_states(const Launch *launched, int64_t begin, int64_t end)
{
  (void)begin, (void)end;
  const Layer *l = launched->params;
  char *to = result_at(launched, 0, 0);
  for (int64_t s = 0; s < l->steps; s++)
    for (int64_t r = 0, first = l->first[step_at(l, s)]; r < l->sizes[step_at(l, s)]; r++)
      memcpy(at(to, l, first + r, l->hidden), h_before(l, s, r), (size_t)(l->hidden * l->size));
}

static void before_copy(Call *call, const Launch *launched)
{
  set_layer(call, launched, launched->params, launched->x[W_HH], NULL); /* the states stand in the weights' place */
}

void launch_rnn_states_before(Call *call, Ints sizes, bool reverse, Tensor *h0, Tensor *y, Tensor *to)
{
  static const Driver driver = {.run = copy_states, .before = before_copy};
  Layer l = {.kind = CELL_TANH, .hidden = y->shape[1], .steps = sizes.n, .sizes = sizes.v, .reverse = reverse};
  launch(call, &driver, tensor_dtype(to), TENSOR_LIST(to), TENSOR_LIST(h0, NULL, y), (Work){1, to->numel}, &l);
}
