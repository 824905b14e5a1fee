/* Recurrent networks of several layers and directions, over recurrent_layer; and single cells. */
#include "ops/nn/rnn.h"

#include "launch/math/generate.h"
#include "launch/look.h"
#include "ops/index/gather.h"
#include "ops/nn/rnn_layer.h"
#include "ops/random/random.h"
#include "ops/shape/cat_split.h"
#include "ops/shape/copy.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

typedef struct Network {
  CellKind kind;
  Tensors params;
  bool has_biases, train, bidirectional;
  int64_t layers;
  double dropout;
  Ints sizes;      /* rows of each step */
  Tensor *h0, *c0; /* [layers times directions, N, ...] */
} Network;

typedef struct Outcome {
  Tensor *y, *h, *c;
} Outcome;

static Tensor *state_at(Call *call, Tensor *states, int64_t i) { return states ? op(select, states, 0, i) : NULL; }

static void fill_last_rows(const void *params, int64_t *to)
{
  const Network *w = params;
  int64_t first = 0;
  for (int64_t t = 0; t < w->sizes.n; first += w->sizes.v[t++])
    for (int64_t i = 0; i < w->sizes.v[t]; i++) to[i] = first + i + 1;
}

/* The last state of each sequence among the rows of all steps. */
static Tensor *last_states(Call *call, const Network *w, Tensor *y, bool reverse)
{
  int64_t batch = w->sizes.v[0], rows = y->shape[0], steps = w->sizes.n;
  if (reverse) return op(narrow, y, 0, 0, batch);
  if (w->sizes.v[steps - 1] == batch) return op(narrow, y, 0, rows - batch, batch);
  Tensor *index = tensor_new(call, DTYPE_i64, device_behind(y), INTS(batch));
  launch_positions_of(call, fill_last_rows, w, index);
  return op(index_select, y, 0, index);
}

static void check_projected(Call *call, const Recurrence *r)
{
  int64_t batch = r->sizes.v[0], cells = r->w_hr->ndim == 2 ? r->w_hr->shape[1] : 0;
  bool weights = r->w_hh->ndim == 2 && r->w_ih->ndim == 2 && r->w_hr->ndim == 2 && r->w_hh->shape[0] == 4 * cells
                 && r->w_ih->shape[0] == 4 * cells && r->w_hh->shape[1] == r->w_hr->shape[0];
  if (!weights) raise(call, "the weights of a projected LSTM don't fit each other");
  if (!shape_equal(tensor_shape(r->h0), INTS(batch, r->w_hr->shape[0]))
      || !shape_equal(tensor_shape(r->c0), INTS(batch, cells)))
    raise(call, "states of shapes %s and %s are given, and %s and %s are wanted", shape_text(call, tensor_shape(r->h0)),
          shape_text(call, tensor_shape(r->c0)), shape_text(call, INTS(batch, r->w_hr->shape[0])),
          shape_text(call, INTS(batch, cells)));
}

/* One direction of a layer. */
static Outcome run_direction(Call *call, const Network *w, Tensor *x, int64_t i, bool reverse)
{
  int64_t each = w->params.n / (w->layers * (w->bidirectional ? 2 : 1));
  Tensor **p = w->params.v + i * each;
  Recurrence r = {.kind = w->kind,
                  .input = x,
                  .h0 = state_at(call, w->h0, i),
                  .c0 = state_at(call, w->c0, i),
                  .w_ih = p[0],
                  .w_hh = p[1],
                  .b_ih = w->has_biases ? p[2] : NULL,
                  .b_hh = w->has_biases ? p[3] : NULL,
                  .w_hr = each == 3 || each == 5 ? p[each - 1] : NULL,
                  .sizes = w->sizes,
                  .reverse = reverse};
  Outcome out = {NULL, NULL, NULL};
  if (r.w_hr) {
    check_projected(call, &r);
    out.y = recurrence_steps(call, &r, &out.c);
  } else {
    Tensors y = op(recurrent_layer, x, r.h0, r.c0, r.w_ih, r.w_hh, r.b_ih, r.b_hh, r.sizes, (int64_t)r.kind, reverse);
    out.y = y.v[0];
    if (w->kind == CELL_LSTM) out.c = y.v[1];
  }
  out.h = last_states(call, w, out.y, reverse);
  return out;
}

static Outcome run_network(Call *call, const Network *w, Tensor *x)
{
  int64_t directions = w->bidirectional ? 2 : 1, n = w->layers * directions;
  Tensor **h = arena_allocate(call->ctx, (size_t)n * sizeof *h), **c = arena_allocate(call->ctx, (size_t)n * sizeof *c);
  for (int64_t layer = 0; layer < w->layers; layer++) {
    Tensor *y[2];
    for (int64_t k = 0; k < directions; k++) {
      int64_t i = layer * directions + k;
      Outcome out = run_direction(call, w, x, i, k == 1);
      y[k] = out.y, h[i] = out.h, c[i] = out.c;
    }
    x = directions == 2 ? op(cat, ((Tensors){y, 2}), 1) : y[0];
    if (w->dropout > 0 && w->train && layer < w->layers - 1) x = op(dropout, x, w->dropout, true);
  }
  return (Outcome){x, op(stack, ((Tensors){h, n}), 0), w->c0 ? op(stack, ((Tensors){c, n}), 0) : NULL};
}

/* ---------------------------------------------------------------------- checks */

static void check_hidden(Call *call, const char *name, const Tensor *state, int64_t n, int64_t batch)
{
  if (state->ndim != 3 || state->shape[0] != n || state->shape[1] != batch)
    raise(call, "%s has shape %s; %lld states of a batch of %lld are wanted", name,
          shape_text(call, tensor_shape(state)), (long long)n, (long long)batch);
}

static void check_network(Call *call, const Network *w)
{
  if (w->layers < 1) raise(call, "there must be at least 1 layer, not %lld", (long long)w->layers);
  if (w->layers > w->params.n)
    raise(call, "%lld parameters are too few for %lld layers", (long long)w->params.n, (long long)w->layers);
  int64_t n = w->layers * (w->bidirectional ? 2 : 1), least = w->has_biases ? 4 : 2, each = w->params.n / n;
  bool fits = each * n == w->params.n && (each == least || (each == least + 1 && w->kind == CELL_LSTM));
  if (!fits)
    raise(call, "%lld parameters are given, and %lld for each layer and direction are wanted: %lld",
          (long long)w->params.n, (long long)least, (long long)(n * least));
  if (w->dropout < 0 || w->dropout > 1) raise(call, "dropout is a probability, not %g", w->dropout);
  check_hidden(call, "the hidden state", w->h0, n, w->sizes.v[0]);
  if (w->c0) check_hidden(call, "the cell state", w->c0, n, w->sizes.v[0]);
}

static void take_states(Call *call, Network *w, Tensors hx)
{
  if (hx.n != 2) raise(call, "hx is a table of two tensors, {h, c}, not of %lld", (long long)hx.n);
  w->h0 = hx.v[0];
  w->c0 = hx.v[1];
}

/* ------------------------------------------------------------- plain and packed */

/* input: [L, N, I], or [N, L, I] if batch_first. */
static Outcome run_padded(Call *call, Network *w, Tensor *input, bool batch_first)
{
  if (input->ndim != 3)
    raise(call, "the input has shape %s; 3 dimensions are wanted", shape_text(call, tensor_shape(input)));
  Tensor *x = batch_first ? op(transpose, input, 0, 1) : input;
  int64_t steps = x->shape[0], batch = x->shape[1];
  if (steps < 1) raise(call, "the input has no steps: shape %s", shape_text(call, tensor_shape(input)));
  if (steps > INT32_MAX) raise(call, "%lld steps are too many", (long long)steps);
  int64_t *sizes = arena_allocate(call->ctx, (size_t)steps * sizeof *sizes);
  for (int64_t t = 0; t < steps; t++) sizes[t] = batch;
  w->sizes = (Ints){sizes, steps};
  check_network(call, w);
  Outcome out = run_network(call, w, op(reshape, x, INTS(steps * batch, x->shape[2])));
  out.y = op(view, out.y, INTS(steps, batch, out.y->shape[1]));
  if (batch_first) out.y = op(transpose, out.y, 0, 1);
  return out;
}

static Outcome run_packed(Call *call, Network *w, Tensor *data, Tensor *batch_sizes)
{
  if (data->ndim != 2)
    raise(call, "the data has shape %s; 2 dimensions are wanted", shape_text(call, tensor_shape(data)));
  if (!can_look(batch_sizes)) raise(call, "batch_sizes is a meta tensor, and its elements are needed");
  if (batch_sizes->ndim != 1 || tensor_dtype(batch_sizes) != DTYPE_i64 || batch_sizes->numel == 0)
    raise(call, "batch_sizes must be int64, of one dimension and not empty");
  Tensor *plain = op(contiguous, batch_sizes);
  Ints sizes = arena_ints(call->ctx, tensor_data(plain), plain->numel);
  int64_t rows = 0;
  for (int64_t t = 0; t < sizes.n; t++) {
    if (sizes.v[t] < 1 || (t > 0 && sizes.v[t] > sizes.v[t - 1]) || sizes.v[t] > data->shape[0])
      raise(call, "batch_sizes must be positive and not grow");
    rows += sizes.v[t];
  }
  if (rows != data->shape[0])
    raise(call, "batch_sizes add up to %lld, and the data has %lld rows", (long long)rows, (long long)data->shape[0]);
  w->sizes = sizes;
  check_network(call, w);
  return run_network(call, w, data);
}

#define NETWORK(cell, state)                                                                        \
  {                                                                                                 \
    .kind = cell, .h0 = state, .params = a->params, .has_biases = a->has_biases, .train = a->train, \
    .bidirectional = a->bidirectional, .layers = a->num_layers, .dropout = a->dropout               \
  }

FORWARD(lstm)
{
  Network w = NETWORK(CELL_LSTM, NULL);
  take_states(call, &w, a->hx);
  Outcome out = run_padded(call, &w, a->input, a->batch_first);
  y[0] = out.y, y[1] = out.h, y[2] = out.c;
}

FORWARD(lstm_packed)
{
  Network w = NETWORK(CELL_LSTM, NULL);
  take_states(call, &w, a->hx);
  Outcome out = run_packed(call, &w, a->data, a->batch_sizes);
  y[0] = out.y, y[1] = out.h, y[2] = out.c;
}

static void give_outcome(Outcome out, Tensor **y)
{
  y[0] = out.y;
  y[1] = out.h;
}

#define PLAIN_AND_PACKED(row, cell)                                                                             \
  FORWARD(row) { give_outcome(run_padded(call, &(Network)NETWORK(cell, a->hx), a->input, a->batch_first), y); } \
  FORWARD(row##_packed) { give_outcome(run_packed(call, &(Network)NETWORK(cell, a->hx), a->data, a->batch_sizes), y); }
PLAIN_AND_PACKED(gru, CELL_GRU)
PLAIN_AND_PACKED(rnn_tanh, CELL_TANH)
PLAIN_AND_PACKED(rnn_relu, CELL_RELU)

/* ----------------------------------------------------------------------- cells */

static void check_cell(Call *call, const Recurrence *r)
{
  const Tensor *x = r->input, *h = r->h0;
  if (r->w_ih->ndim != 2 || r->w_hh->ndim != 2 || r->w_ih->shape[0] != cell_gates(r->kind) * r->w_hh->shape[1]
      || r->w_hh->shape[0] != r->w_ih->shape[0])
    raise(call, "weights of shapes %s and %s don't fit each other", shape_text(call, tensor_shape(r->w_ih)),
          shape_text(call, tensor_shape(r->w_hh)));
  if (x->ndim < 1 || x->ndim != h->ndim || (x->ndim > 1 && x->shape[0] != h->shape[0])
      || h->shape[h->ndim - 1] != r->w_hh->shape[1])
    raise(call, "an input of shape %s and a state of shape %s don't fit %lld hidden units",
          shape_text(call, tensor_shape(x)), shape_text(call, tensor_shape(h)), (long long)r->w_hh->shape[1]);
}

#define CELL(what, state)                                                                                            \
  {                                                                                                                  \
    .kind = what, .input = a->input, .h0 = state, .w_ih = a->w_ih, .w_hh = a->w_hh, .b_ih = a->b_ih, .b_hh = a->b_hh \
  }

FORWARD(lstm_cell)
{
  if (a->hx.n != 2) raise(call, "hx is a table of two tensors, {h, c}, not of %lld", (long long)a->hx.n);
  Recurrence r = CELL(CELL_LSTM, a->hx.v[0]);
  check_cell(call, &r);
  if (!tensor_same_shape(a->hx.v[0], a->hx.v[1]))
    raise(call, "the cell state has shape %s, and the hidden state %s", shape_text(call, tensor_shape(a->hx.v[1])),
          shape_text(call, tensor_shape(a->hx.v[0])));
  y[1] = a->hx.v[1];
  y[0] = cell_step(call, &r, a->input, r.h0, &y[1]);
}

#define SIMPLE_CELL(row, what)                          \
  FORWARD(row)                                          \
  {                                                     \
    Recurrence r = CELL(what, a->hx);                   \
    Tensor *none = NULL;                                \
    check_cell(call, &r);                               \
    y[0] = cell_step(call, &r, a->input, a->hx, &none); \
  }
SIMPLE_CELL(gru_cell, CELL_GRU)
SIMPLE_CELL(rnn_tanh_cell, CELL_TANH)
SIMPLE_CELL(rnn_relu_cell, CELL_RELU)
