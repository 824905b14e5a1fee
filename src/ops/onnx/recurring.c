/* ONNX's recurrent layers: our own layer where it computes the same, else step by step in ops. */
#include "ops/onnx/recurring.h"

#include <string.h>

#include "launch/nn/byte_lstm.h"
#include "ops/index/mask.h"
#include "ops/linalg/matmul.h"
#include "ops/math/activation.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/math/composed_arithmetic.h"
#include "ops/math/exponential.h"
#include "ops/math/trigonometric.h"
#include "ops/nn/composed_activation.h"
#include "ops/nn/rnn_layer.h"
#include "ops/onnx/quantizing.h"
#include "ops/onnx/shaping.h"
#include "ops/onnx/words.h"
#include "ops/shape/cat_split.h"
#include "ops/shape/copy.h"
#include "ops/shape/permute_repeat.h"
#include "ops/shape/view.h"

/* All three rows have the same arguments. */
typedef struct onnx_lstm_args Arguments;
_Static_assert(sizeof(struct onnx_rnn_args) == sizeof(Arguments) && sizeof(struct onnx_gru_args) == sizeof(Arguments),
               "the rows of recurring.def have one list of arguments");

/* An activation with its numbers. */
typedef struct Activation {
  char name[24];
  double alpha, beta;
} Activation;

enum { MOST_ACTIVATIONS = 3 };

/* One direction of a layer. */
typedef struct Direction {
  CellKind kind;
  int gates;
  int64_t hidden;
  Tensor *x, *w, *r, *wb, *rb, *h, *c, *peep; /* biases and peepholes may be NULL */
  const ByteFactor *w_bytes, *r_bytes;        /* what w and r are of where they are bytes, else NULL */
  Tensor *lengths;                            /* NULL: all sequences are whole */
  Activation f[MOST_ACTIVATIONS];
  double clip;
  bool flag, is_reverse;
  bool keeps; /* of bytes: what is quantized has the last states of sequences that are over, not zeros */
} Direction;

typedef struct Outcome {
  Tensor *y, *h, *c;
} Outcome;

/* -------------------------------------------------------------- activations */

static const struct {
  const char *name;
  int numbers; /* how many of alpha and beta it takes */
  double alpha, beta;
} known_activations[] = {{"Relu", 0, 0, 0},         {"Tanh", 0, 0, 0},
                         {"Sigmoid", 0, 0, 0},      {"Affine", 2, 1, 0},
                         {"LeakyRelu", 1, 0.01, 0}, {"ThresholdedRelu", 1, 1, 0},
                         {"ScaledTanh", 2, 1, 1},   {"HardSigmoid", 2, 0.2, 0.5},
                         {"Elu", 1, 1, 0},          {"Softsign", 0, 0, 0},
                         {"Softplus", 0, 0, 0}};
enum { KNOWN_ACTIVATIONS = sizeof known_activations / sizeof known_activations[0] };

static Tensor *activated(Call *call, const Activation *f, Tensor *x)
{
#define IS(text) (strcmp(f->name, text) == 0)
  if (IS("Sigmoid")) return op(sigmoid, x);
  if (IS("Tanh")) return op(tanh, x);
  if (IS("Relu")) return op(relu, x, false);
  if (IS("Affine")) return plus(scaled(x, f->alpha), number(f->beta));
  if (IS("LeakyRelu")) return op(leaky_relu, x, scalar_float(f->alpha), false);
  if (IS("ThresholdedRelu")) return op(threshold, x, scalar_float(f->alpha), scalar_int(0), false);
  if (IS("ScaledTanh")) return scaled(op(tanh, scaled(x, f->beta)), f->alpha);
  if (IS("HardSigmoid")) return op(clamp, plus(scaled(x, f->alpha), number(f->beta)), scalar_int(0), scalar_int(1));
  if (IS("Elu")) return op(elu, x, scalar_float(f->alpha), false);
  if (IS("Softsign")) return op(softsign, x);
  return op(softplus, x, scalar_int(1), scalar_int(20));
#undef IS
}

/* The names in a text, separated by commas, with the numbers that each takes in turn. */
static int read_activations(Call *call, const Arguments *a, Activation *to, int most)
{
  int64_t alphas = 0, betas = 0;
  int n = 0;
  for (const char *at = a->activations; *at && n < most; n++) {
    const size_t length = strcspn(at, ",");
    int k = 0;
    while (k < KNOWN_ACTIVATIONS
           && (strlen(known_activations[k].name) != length || strncasecmp(known_activations[k].name, at, length) != 0))
      k++;
    if (k == KNOWN_ACTIVATIONS) raise(call, "activation \"%.*s\" is unknown", (int)length, at);
    strcpy(to[n].name, known_activations[k].name);
    to[n].alpha = known_activations[k].alpha, to[n].beta = known_activations[k].beta;
    if (known_activations[k].numbers >= 1 && alphas < a->alpha.n) to[n].alpha = a->alpha.v[alphas++];
    if (known_activations[k].numbers == 2 && betas < a->beta.n) to[n].beta = a->beta.v[betas++];
    at += length + (at[length] == ',');
  }
  return n;
}

static bool is_named(const Activation *f, const char *name) { return strcmp(f->name, name) == 0; }

/* ------------------------------------------------------------- step by step */

/* x w^T + bias */
static Tensor *weighed(Call *call, Tensor *x, Tensor *w, const ByteFactor *bytes, Tensor *bias)
{
  if (!bytes) return op(linear, x, w, bias);
  Tensor *y = dynamic_product(call, x, bytes);
  return bias ? plus(y, bias) : y;
}

static Tensor *part(Call *call, Tensor *t, int i, int64_t n) { return op(narrow, t, t->ndim - 1, i * n, n); }

static Tensor *clipped(Call *call, const Direction *d, Tensor *t)
{
  return d->clip > 0 ? op(clamp, t, scalar_float(-d->clip), scalar_float(d->clip)) : t;
}

static Tensor *gate(Call *call, const Direction *d, int f, Tensor *sum)
{
  return activated(call, &d->f[f], clipped(call, d, sum));
}

static Tensor *with_peephole(Call *call, const Direction *d, Tensor *sum, int i, Tensor *c)
{
  return d->peep ? plus(sum, op(mul, part(call, d->peep, i, d->hidden), c)) : sum;
}

static Tensor *lstm_step(Call *call, const Direction *d, Tensor *in, Tensor *h, Tensor **c)
{
  const int64_t n = d->hidden;
  Tensor *sums = plus(in, weighed(call, h, d->r, d->r_bytes, d->rb));
  Tensor *i = gate(call, d, 0, with_peephole(call, d, part(call, sums, 0, n), 0, *c));
  Tensor *f = d->flag ? minus(ones_like_of(i), i)
                      : gate(call, d, 0, with_peephole(call, d, part(call, sums, 2, n), 2, *c));
  Tensor *fresh = gate(call, d, 1, part(call, sums, 3, n));
  *c = plus(op(mul, f, *c), op(mul, i, fresh));
  Tensor *o = gate(call, d, 0, with_peephole(call, d, part(call, sums, 1, n), 1, *c));
  return op(mul, o, activated(call, &d->f[2], *c));
}

static Tensor *gru_step(Call *call, const Direction *d, Tensor *in, Tensor *h)
{
  const int64_t n = d->hidden;
  Tensor *rec = op(linear, h, d->r, d->rb);
  Tensor *z = gate(call, d, 0, plus(part(call, in, 0, n), part(call, rec, 0, n)));
  Tensor *reset = gate(call, d, 0, plus(part(call, in, 1, n), part(call, rec, 1, n)));
  Tensor *inner;
  if (d->flag) inner = op(mul, reset, part(call, rec, 2, n));
  else {
    Tensor *weight = op(narrow, d->r, 0, 2 * n, n), *bias = d->rb ? op(narrow, d->rb, 0, 2 * n, n) : NULL;
    inner = op(linear, op(mul, reset, h), weight, bias);
  }
  Tensor *fresh = gate(call, d, 1, plus(part(call, in, 2, n), inner));
  return plus(fresh, op(mul, z, minus(h, fresh)));
}

static Tensor *step(Call *call, const Direction *d, Tensor *in, Tensor *h, Tensor **c)
{
  if (d->kind == CELL_LSTM) return lstm_step(call, d, in, h, c);
  if (d->kind == CELL_GRU) return gru_step(call, d, in, h);
  return gate(call, d, 0, plus(in, op(linear, h, d->r, d->rb)));
}

/* What is kept of sequences that have a step; of others it is 0, as with ONNX Runtime. NULL stays. */
static Tensor *of_begun(Call *call, const Direction *d, Tensor *state)
{
  if (!d->lengths || !state) return state;
  return op(where, op(unsqueeze, op(gt, d->lengths, whole(0)), 1), state, zeros_like_of(state));
}

/* All steps forward; sequences that are over keep their state, and give zeros. ONNX Runtime takes what a step gives as
   the states for the next one, so that zeros are quantized with the others' states; where no states but the last ones
   are wanted, it has these there. */
static Outcome run_steps(Call *call, const Direction *d, Tensor *x)
{
  const int64_t steps = x->shape[0];
  Tensor *in = weighed(call, x, d->w, d->w_bytes, d->wb), *h = d->h, *c = d->c;
  Tensor **y = onnx_room(call, steps, 1);
  for (int64_t t = 0; t < steps; t++) {
    check_interrupt(call);
    Tensor *state = t > 0 && d->r_bytes && !d->keeps ? y[t - 1] : h;
    Tensor *before = c, *now = step(call, d, op(select, in, 0, t), state, &c);
    y[t] = now;
    if (d->lengths) {
      Tensor *goes_on = op(unsqueeze, op(gt, d->lengths, whole(t)), 1);
      y[t] = op(where, goes_on, now, zeros_like_of(now));
      now = op(where, goes_on, now, h);
      if (c) c = op(where, goes_on, c, before);
    }
    h = now;
  }
  return (Outcome){op(stack, ((Tensors){y, steps}), 0), of_begun(call, d, h), of_begun(call, d, c)};
}

/* x turned round in time, each sequence for itself. */
static Tensor *turned_round(Call *call, const Direction *d, Tensor *x)
{
  if (!d->is_reverse) return x;
  return d->lengths ? op(onnx_reverse_sequence, x, d->lengths, 1, 0) : op(flip, x, INTS(0));
}

/* ------------------------------------------------------------------ our own */

/* Gates in our order, which are one after the other along a dimension. */
static Tensor *in_our_order(Call *call, const Direction *d, Tensor *t, int dim)
{
  static const int lstm[] = {0, 2, 3, 1}, gru[] = {1, 0, 2};
  const int *order = d->kind == CELL_LSTM ? lstm : gru;
  Tensor *rows[4];
  if (!t || d->gates == 1) return t;
  for (int i = 0; i < d->gates; i++) rows[i] = op(narrow, t, dim, order[i] * d->hidden, d->hidden);
  return op(cat, ((Tensors){rows, d->gates}), dim);
}

static bool is_ours(const Direction *d)
{
  const bool plain = d->clip == 0 && !d->peep && !d->lengths && d->x->shape[0] > 0 && d->x->shape[1] > 0;
  if (!plain) return false;
  if (d->kind == CELL_LSTM)
    return !d->flag && is_named(&d->f[0], "Sigmoid") && is_named(&d->f[1], "Tanh") && is_named(&d->f[2], "Tanh");
  if (d->kind == CELL_GRU) return d->flag && is_named(&d->f[0], "Sigmoid") && is_named(&d->f[1], "Tanh");
  return is_named(&d->f[0], "Tanh") || is_named(&d->f[0], "Relu");
}

static Outcome run_ours(Call *call, const Direction *d)
{
  const int64_t steps = d->x->shape[0], batch = d->x->shape[1], n = d->hidden;
  int64_t *sizes = onnx_room(call, steps, 1);
  for (int64_t t = 0; t < steps; t++) sizes[t] = batch;
  const CellKind kind = d->kind == CELL_TANH && is_named(&d->f[0], "Relu") ? CELL_RELU : d->kind;
  Tensors out = op(recurrent_layer, reshaped(d->x, steps * batch, d->x->shape[2]), d->h, d->c,
                   in_our_order(call, d, d->w, 0), in_our_order(call, d, d->r, 0), in_our_order(call, d, d->wb, 0),
                   in_our_order(call, d, d->rb, 0), ((Ints){sizes, steps}), (int64_t)kind, d->is_reverse);
  Tensor *y = reshaped(out.v[0], steps, batch, n);
  return (Outcome){y, op(select, y, 0, d->is_reverse ? 0 : steps - 1), d->c ? out.v[1] : NULL};
}

/* Something of each column, or one for all, as a column each in our order; NULL stays. */
static Tensor *each_column(Call *call, const Direction *d, Tensor *t)
{
  if (!t || t->numel != 1) return in_our_order(call, d, t, 0);
  return op(contiguous, op(expand, op(reshape, t, INTS(1)), INTS(d->gates * d->hidden)));
}

static Outcome run_bytes(Call *call, const Direction *d)
{
  const int64_t steps = d->x->shape[0], batch = d->x->shape[1], n = d->hidden;
  const ByteFactor *r = d->r_bytes;
  Tensor *totals = reshaped(r->sums, d->gates * n);
  if (r->zero) totals = minus(totals, op(mul, r->zero, whole(n)));
  Tensor *sums = weighed(call, d->x, d->w, d->w_bytes, d->wb ? plus(d->wb, d->rb) : NULL);
  sums = in_our_order(call, d, reshaped(sums, steps * batch, d->gates * n), 1);
  Tensors out = op(onnx_byte_lstm, sums, d->h, d->c, in_our_order(call, d, r->b, 1), in_our_order(call, d, totals, 0),
                   each_column(call, d, r->scale), each_column(call, d, r->zero), steps, d->is_reverse);
  Tensor *y = reshaped(out.v[0], steps, batch, n);
  return (Outcome){y, op(select, y, 0, d->is_reverse ? 0 : steps - 1), out.v[1]};
}

static Outcome run_direction(Call *call, const Direction *d)
{
  if (is_ours(d)) return d->w_bytes ? run_bytes(call, d) : run_ours(call, d);
  Outcome out = run_steps(call, d, turned_round(call, d, d->x));
  out.y = turned_round(call, d, out.y);
  return out;
}

/* ---------------------------------------------------------------- arguments */

static void check_shapes(Call *call, const Arguments *a, int gates, int64_t directions)
{
  if (a->x->ndim != 3 || a->w->ndim != 3 || a->r->ndim != 3) raise(call, "X, W and R must have 3 dimensions");
  const int64_t hidden = a->r->shape[2], input = a->x->shape[2];
  if (!shape_equal(tensor_shape(a->w), INTS(directions, gates * hidden, input))
      || !shape_equal(tensor_shape(a->r), INTS(directions, gates * hidden, hidden)))
    raise(call, "W has shape %s, and R %s; X has %s", shape_text(call, tensor_shape(a->w)),
          shape_text(call, tensor_shape(a->r)), shape_text(call, tensor_shape(a->x)));
  if (a->b && !shape_equal(tensor_shape(a->b), INTS(directions, 2 * gates * hidden)))
    raise(call, "B has shape %s", shape_text(call, tensor_shape(a->b)));
  if (a->p && !shape_equal(tensor_shape(a->p), INTS(directions, 3 * hidden)))
    raise(call, "P has shape %s", shape_text(call, tensor_shape(a->p)));
}

/* The state that a direction begins with, [batch, hidden]. */
static Tensor *state_of(Call *call, const Arguments *a, Tensor *given, int64_t i, int64_t batch)
{
  const int64_t hidden = a->r->shape[2];
  if (!given) return onnx_filled(call, INTS(batch, hidden), 0, tensor_dtype(a->x));
  Tensor *state = given->ndim == 3 ? op(select, given, a->layout ? 1 : 0, i) : NULL;
  if (!state || !shape_equal(tensor_shape(state), INTS(batch, hidden)))
    raise(call, "a first state of shape %s", shape_text(call, tensor_shape(given)));
  return state;
}

/* Lengths of sequences of so many steps, and the longest of them, at least 1. NULL: all are that long, and need no
   care. */
static Tensor *lengths_of(Call *call, Tensor *lengths, int64_t steps, int64_t *longest)
{
  *longest = steps;
  if (!lengths) return NULL;
  Ints each = whole_numbers_of(call, lengths);
  int64_t most = 1, least = steps;
  for (int64_t i = 0; i < each.n; i++) {
    if (each.v[i] < 0 || each.v[i] > steps) raise(call, "a sequence of %lld steps", (long long)each.v[i]);
    if (each.v[i] > most) most = each.v[i];
    if (each.v[i] < least) least = each.v[i];
  }
  if (most < steps) *longest = most;
  return least == *longest ? NULL : lengths;
}

static Direction direction_of(Call *call, const Arguments *a, CellKind kind, int64_t i)
{
  const int gates = cell_gates(kind);
  const int64_t hidden = a->r->shape[2], wide = gates * hidden;
  Tensor *x = a->layout ? op(transpose, a->x, 0, 1) : a->x, *bias = a->b ? op(select, a->b, 0, i) : NULL;
  int64_t longest;
  Tensor *lengths = lengths_of(call, a->sequence_lens, x->shape[0], &longest);
  if (longest < x->shape[0]) x = op(narrow, x, 0, 0, longest);
  return (Direction){.kind = kind,
                     .gates = gates,
                     .hidden = hidden,
                     .x = x,
                     .w = op(select, a->w, 0, i),
                     .r = op(select, a->r, 0, i),
                     .wb = bias ? op(narrow, bias, 0, 0, wide) : NULL,
                     .rb = bias ? op(narrow, bias, 0, wide, wide) : NULL,
                     .h = state_of(call, a, a->initial_h, i, x->shape[1]),
                     .c = kind == CELL_LSTM ? state_of(call, a, a->initial_c, i, x->shape[1]) : NULL,
                     .peep = a->p ? op(select, a->p, 0, i) : NULL,
                     .lengths = lengths,
                     .clip = a->clip,
                     .flag = a->flag,
                     .is_reverse = i == 1 || strcmp(a->direction, "reverse") == 0};
}

/* Zeros for the steps beyond the longest sequence, after y [longest, batch, hidden]. */
static Tensor *with_all_steps(Call *call, Tensor *y, int64_t steps)
{
  const int64_t missing = steps - y->shape[0];
  if (missing == 0) return y;
  Tensor *zeros = onnx_filled(call, INTS(missing, y->shape[1], y->shape[2]), 0, tensor_dtype(y));
  return op(cat, ((Tensors){(Tensor *[]){y, zeros}, 2}), 0);
}

/* A weight of a direction, transposed, with the scale and zero point of that. */
static ByteFactor bytes_of(Call *call, Tensor *weight, Tensor *scale, Tensor *zero, int64_t i)
{
  if (scale->ndim < 1 || (zero && zero->ndim < 1)) raise(call, "scales and zero points of each direction are wanted");
  return byte_factor(call, op(transpose, weight, 0, 1), op(select, scale, 0, i), zero ? op(select, zero, 0, i) : NULL);
}

/* bytes: where W and R are bytes; their scales are those of W and R, and then their zero points. Else NULL. */
static void run(Call *call, const Arguments *a, CellKind kind, const char *defaults,
                const struct onnx_dynamic_quantize_lstm_args *bytes, Tensor **y)
{
  const int64_t directions = strcmp(a->direction, "bidirectional") == 0 ? 2 : 1;
  const int64_t steps = a->x->ndim == 3 ? a->x->shape[a->layout ? 1 : 0] : 0;
  const int each = kind == CELL_LSTM ? 3 : kind == CELL_GRU ? 2 : 1;
  Activation f[2 * MOST_ACTIVATIONS];
  Arguments with = *a;
  check_shapes(call, a, cell_gates(kind), directions);
  if (!*a->activations) with.activations = defaults;
  int given = read_activations(call, &with, f, each * (int)directions);
  if (given < each) raise(call, "%d activations are wanted, not %d", each, given);
  if (given < each * (int)directions) memcpy(f + each, f, (size_t)each * sizeof *f);
  Outcome out[2];
  Tensor *parts[3][2];
  for (int64_t i = 0; i < directions; i++) {
    Direction d = direction_of(call, a, kind, i);
    memcpy(d.f, f + i * each, (size_t)each * sizeof *f);
    ByteFactor w, r;
    if (bytes) {
      const Tensors scales = bytes->scales;
      Tensor *const *zeros = scales.n == 4 ? scales.v + 2 : (Tensor *[]){NULL, NULL};
      w = bytes_of(call, d.w, scales.v[0], zeros[0], i), r = bytes_of(call, d.r, scales.v[1], zeros[1], i);
      d.w_bytes = &w, d.r_bytes = &r, d.keeps = bytes->keeps;
    }
    out[i] = run_direction(call, &d);
    parts[0][i] = with_all_steps(call, out[i].y, steps), parts[1][i] = out[i].h, parts[2][i] = out[i].c;
  }
  /* [steps, directions, batch, hidden] and [directions, batch, hidden], or with the batch first */
  y[0] = op(stack, ((Tensors){parts[0], directions}), 1);
  if (a->layout) y[0] = op(permute, y[0], INTS(2, 0, 1, 3));
  y[1] = op(stack, ((Tensors){parts[1], directions}), a->layout ? 1 : 0);
  if (kind == CELL_LSTM) y[2] = op(stack, ((Tensors){parts[2], directions}), a->layout ? 1 : 0);
}

FORWARD(onnx_rnn) { run(call, (const Arguments *)a, CELL_TANH, "Tanh", NULL, y); }

FORWARD(onnx_gru) { run(call, (const Arguments *)a, CELL_GRU, "Sigmoid,Tanh", NULL, y); }

FORWARD(onnx_lstm) { run(call, a, CELL_LSTM, "Sigmoid,Tanh,Tanh", NULL, y); }

/* W and R are [directions, in, 4 hidden] here. */
FORWARD(onnx_dynamic_quantize_lstm)
{
  if (a->w->ndim != 3 || a->r->ndim != 3) raise(call, "W and R must have 3 dimensions");
  const Arguments turned = {a->x,
                            op(transpose, a->w, 1, 2),
                            op(transpose, a->r, 1, 2),
                            a->b,
                            a->sequence_lens,
                            a->initial_h,
                            a->initial_c,
                            a->p,
                            a->direction,
                            a->activations,
                            a->alpha,
                            a->beta,
                            a->clip,
                            a->flag,
                            0};
  if (a->scales.n != 2 && a->scales.n != 4) raise(call, "%lld scales and zero points", (long long)a->scales.n);
  run(call, &turned, CELL_LSTM, "Sigmoid,Tanh,Tanh", a, y);
}

FORWARD(onnx_byte_lstm)
{
  const Tensor *h0 = a->h0, *r = a->r;
  if (h0->ndim != 2 || a->sums->ndim != 2 || r->ndim != 2) raise(call, "matrices are wanted");
  const int64_t batch = h0->shape[0], hidden = h0->shape[1], wide = onnx_product(call, 4, hidden);
  int64_t rows = 0;
  const Tensor *of_columns[] = {a->totals, a->scale, a->zero};
  bool fits = a->steps > 0 && !__builtin_mul_overflow(a->steps, batch, &rows)
              && shape_equal(tensor_shape(a->c0), tensor_shape(h0)) && shape_equal(tensor_shape(r), INTS(hidden, wide))
              && (r->dtype == DTYPE_i8 || r->dtype == DTYPE_u8) && shape_equal(tensor_shape(a->sums), INTS(rows, wide));
  for (int i = 0; i < 3; i++) fits = fits && (!of_columns[i] || shape_equal(tensor_shape(of_columns[i]), INTS(wide)));
  if (!fits) raise(call, "scales, zero points or sizes don't fit W and R");
  y[0] = result_new(call, DTYPE_f32, device_of(h0), INTS(rows, hidden));
  y[1] = result_new(call, DTYPE_f32, device_of(h0), INTS(batch, hidden));
  const ByteLstm layer = {a->sums, a->h0, a->c0, a->r, a->totals, a->scale, a->zero, a->steps, a->reverse};
  launch_byte_lstm(call, &layer, y[0], y[1]);
}
