/* Normalization by mean and variance, which are float64: whole channels, groups or rows in parallel. */
#include "launch/nn/normalize.h"

#include <math.h>

#include "core/blocks.h"
#include "kernels/normalization.h"
#include "launch/copy.h"
#include "launch/launch.h"
#include "launch/layout.h"

/* An element that is normalized takes as long as two plain ones. */
static Work work_of(int64_t items, int64_t elements) { return (Work){items, 2 * elements}; }

/* -------------------------------------------------------------------- channels */

/* Input as [n, channels, size]; a unit, what has a mean of its own,
   is a channel of the batch or a group of a sample. */
typedef struct Channels {
  int64_t n, channels, size, groups;
  double eps;
} Channels;

static int64_t units_of(const Channels *c) { return c->groups ? c->n * c->groups : c->channels; }
static int64_t elements_of(const Channels *c) { return c->groups ? c->channels / c->groups * c->size : c->n * c->size; }

/* The stretches of a unit: the first one's number among [n, channels], how many there are, and how far apart in bytes;
   its channel, and whether the next ones have the next channels, or the same. */
typedef struct Stretches {
  int64_t number, count, apart, channel, next;
} Stretches;

static Stretches stretches_of(const Launch *l, const Channels *c, int64_t unit)
{
  int64_t bytes = c->size * (int64_t)dtype_size(l->dtype), each = c->groups ? c->channels / c->groups : 1;
  if (!c->groups) return (Stretches){unit, c->n, c->channels * bytes, unit, 0};
  return (Stretches){unit * each, each, bytes, unit % c->groups * each, 1};
}

/* The number that belongs to the channel of stretch i, of those of an operand; `absent` where none are given. */
static double number_of(const double *v, const Stretches *s, int64_t i, double absent)
{
  return v ? v[s->channel + i * s->next] : absent;
}

static double first_of(const Launch *l, const void *x)
{
  return l->dtype == DTYPE_f32 ? (double)*(const float *)x : *(const double *)x;
}

enum { FORWARD_X, FORWARD_WEIGHT, FORWARD_BIAS };

static void normalize_unit(const Launch *l, int64_t u, double *mean, double *var)
{
  const Channels *c = l->params;
  Stretches s = stretches_of(l, c, u);
  const char *x = operand_at(l, FORWARD_X, s.number * c->size);
  const double *weight = operand_at(l, FORWARD_WEIGHT, 0), *bias = operand_at(l, FORWARD_BIAS, 0);
  char *y = result_at(l, 0, s.number * c->size);
  double m = (double)elements_of(c), sums[2] = {0, 0}, pivot = first_of(l, x);
  for (int64_t i = 0; i < s.count; i++) l->k->normalization->stretch_moments(c->size, x + i * s.apart, pivot, sums);
  *mean = pivot + sums[0] / m;
  *var = fmax(0, (sums[1] - sums[0] * sums[0] / m) / m);
  if (isnan(sums[1])) *var = sums[1];
  double scale = 1 / sqrt(*var + c->eps);
  for (int64_t i = 0; i < s.count; i++)
    l->k->normalization->stretch_map(c->size, x + i * s.apart, *mean, scale * number_of(weight, &s, i, 1),
                                     number_of(bias, &s, i, 0), y + i * s.apart);
}

static void normalize_units(const Launch *l, int64_t begin, int64_t end)
{
  double *mean = result_at(l, 1, 0), *var = result_at(l, 2, 0);
  for (int64_t u = begin; u < end; u++) normalize_unit(l, u, mean + u, var + u);
}

enum { BACKWARD_DY, BACKWARD_X, BACKWARD_WEIGHT, BACKWARD_MEAN, BACKWARD_VAR };

static void gradients_of_unit(const Launch *l, int64_t u, double mean, double scale)
{
  const Channels *c = l->params;
  Stretches s = stretches_of(l, c, u);
  const char *dy = operand_at(l, BACKWARD_DY, s.number * c->size), *x = operand_at(l, BACKWARD_X, s.number * c->size);
  const double *weight = operand_at(l, BACKWARD_WEIGHT, 0);
  double m = (double)elements_of(c), *dw = result_at(l, 1, 0), *db = result_at(l, 2, 0), all = 0, along = 0;
  char *dx = result_at(l, 0, s.number * c->size);
  for (int64_t i = 0; i < s.count; i++) {
    double sums[2] = {0, 0}, w = number_of(weight, &s, i, 1);
    int64_t place = c->groups ? s.number + i : u;
    l->k->normalization->stretch_products(c->size, dy + i * s.apart, x + i * s.apart, mean, sums);
    db[place] += sums[0];
    dw[place] += sums[1] * scale;
    all += sums[0] * w;
    along += sums[1] * w;
  }
  for (int64_t i = 0; i < s.count && dx; i++) {
    double w = number_of(weight, &s, i, 1);
    double factors[] = {scale * w, -scale * scale * scale * along / m, -scale * all / m};
    l->k->normalization->stretch_gradient(c->size, dy + i * s.apart, x + i * s.apart, mean, factors, dx + i * s.apart);
  }
}

static void gradients_of_units(const Launch *l, int64_t begin, int64_t end)
{
  const Channels *c = l->params;
  const double *mean = operand_at(l, BACKWARD_MEAN, 0), *var = operand_at(l, BACKWARD_VAR, 0);
  for (int64_t u = begin; u < end; u++) gradients_of_unit(l, u, mean[u], 1 / sqrt(var[u] + c->eps));
}

/* A batch of single values is normalized as its transpose: stretches of one element would be slow. */
static bool is_of_single_values(const Tensor *x, int64_t groups)
{
  return groups == 0 && x->numel == x->shape[0] * x->shape[1];
}

static Channels channels_of(const Tensor *x, int64_t groups, double eps)
{
  int64_t n = is_of_single_values(x, groups) ? 1 : x->shape[0], channels = x->shape[1];
  return (Channels){n, channels, n * channels > 0 ? x->numel / (n * channels) : 0, groups, eps};
}

int64_t channel_norm_units(const Tensor *x, int64_t groups)
{
  Channels c = channels_of(x, groups, 0);
  return units_of(&c);
}

/* t, like x, as it is normalized: of a flat x the transpose. */
static Tensor *as_stretches(Call *call, Tensor *t, const Tensor *x, int64_t groups)
{
  if (!t || !is_of_single_values(x, groups)) return t;
  return tensor_view(call, t, INTS(t->shape[1], t->shape[0]), INTS(t->strides[1], t->strides[0]), t->offset);
}

Tensor *channel_norm_result(Call *call, const Tensor *x, int64_t groups)
{
  if (has_channels_last(x))
    return tensor_new_strided(call, tensor_dtype(x), (Device)x->device, tensor_shape(x),
                              channels_last_order(call, tensor_shape(x)));
  if (!is_of_single_values(x, groups) || x->numel == 0) return new_beside(call, x, tensor_dtype(x), tensor_shape(x));
  int64_t strides[MAX_DIMS];
  for (int i = 1; i < x->ndim; i++) strides[i] = x->shape[0];
  strides[0] = 1;
  return tensor_new_strided(call, tensor_dtype(x), (Device)x->device, tensor_shape(x), (Ints){strides, x->ndim});
}

void launch_channel_norm(Call *call, Tensor *x, const ChannelNorm *norm, Tensor *y, Tensor *mean, Tensor *var)
{
  static const Driver driver = {
    .run = normalize_units, .results = {DENSE, AS_DOUBLE, AS_DOUBLE}, .operands = {DENSE, AS_DOUBLE, AS_DOUBLE}};
  Channels c = channels_of(x, norm->groups, norm->eps);
  if (x->numel == 0) {
    launch_fill(call, mean, scalar_int(0));
    launch_fill(call, var, scalar_int(0));
    return;
  }
  Tensor *from = as_stretches(call, x, x, norm->groups), *to = as_stretches(call, y, x, norm->groups);
  launch(call, &driver, tensor_dtype(y), TENSOR_LIST(to, mean, var), TENSOR_LIST(from, norm->weight, norm->bias),
         work_of(units_of(&c), elements_of(&c)), &c);
}

void launch_channel_norm_backward(Call *call, Tensor *dy, Tensor *x, const ChannelNorm *norm, Tensor *mean, Tensor *var,
                                  Tensor *dx, Tensor *dw, Tensor *db)
{
  static const Driver driver = {.run = gradients_of_units,
                                .results = {DENSE, AS_DOUBLE | UPDATED, AS_DOUBLE | UPDATED},
                                .operands = {DENSE, DENSE, AS_DOUBLE, AS_DOUBLE, AS_DOUBLE}};
  Channels c = channels_of(x, norm->groups, norm->eps);
  if (x->numel == 0) return;
  Tensor *d = as_stretches(call, dy, x, norm->groups), *from = as_stretches(call, x, x, norm->groups);
  launch(call, &driver, tensor_dtype(x), TENSOR_LIST(as_stretches(call, dx, x, norm->groups), dw, db),
         TENSOR_LIST(d, from, norm->weight, mean, var), work_of(units_of(&c), elements_of(&c)), &c);
}

/* Stretches from one to another, each of the next channel. */
static void map_stretches(const Launch *l, int64_t begin, int64_t end)
{
  const Channels *c = l->params;
  const double *mean = operand_at(l, 1, 0), *scale = operand_at(l, 2, 0), *shift = operand_at(l, 3, 0);
  for (int64_t i = begin; i < end; i++) {
    int64_t channel = i % c->channels;
    l->k->normalization->stretch_map(c->size, operand_at(l, 0, i * c->size), mean[channel], scale[channel],
                                     shift ? shift[channel] : 0, result_at(l, 0, i * c->size));
  }
}

void launch_channel_map(Call *call, Tensor *x, Tensor *mean, Tensor *scale, Tensor *shift, Tensor *y)
{
  static const Driver driver = {
    .run = map_stretches, .results = {DENSE}, .operands = {DENSE, AS_DOUBLE, AS_DOUBLE, AS_DOUBLE}};
  Channels c = {.n = x->shape[0], .channels = x->shape[1]};
  if (x->numel == 0) return;
  c.size = x->numel / (c.n * c.channels);
  launch(call, &driver, tensor_dtype(y), TENSOR_LIST(y), TENSOR_LIST(x, mean, scale, shift),
         (Work){c.n * c.channels, c.size}, &c);
}

/* ------------------------------------------------------------------------ rows */

typedef struct Rows {
  int64_t rows, n, part; /* rows in all, their elements, rows of a part */
  bool centred;
  double eps;
} Rows;

static void normalize_rows(const Launch *l, int64_t begin, int64_t end)
{
  const Rows *r = l->params;
  int64_t at = begin * r->n;
  l->k->normalization->layer_norm(end - begin, r->n, r->centred, operand_at(l, 0, at), operand_at(l, 1, 0),
                                  operand_at(l, 2, 0), r->eps, result_at(l, 0, at), result_at(l, 1, begin),
                                  result_at(l, 2, begin));
}

void launch_row_norm(Call *call, Tensor *x, const RowNorm *norm, Tensor *y, Tensor *mean, Tensor *var)
{
  static const Driver driver = {.run = normalize_rows, .results = {DENSE, AS_DOUBLE, AS_DOUBLE}};
  Rows r = {.rows = mean->numel, .n = norm->n, .centred = norm->centred, .eps = norm->eps};
  launch(call, &driver, tensor_dtype(y), TENSOR_LIST(y, mean, var), TENSOR_LIST(x, norm->weight, norm->bias),
         work_of(r.rows, r.n), &r);
}

int64_t row_norm_parts(const Tensor *x, int64_t n)
{
  return n == 0 || x->numel / n < NORM_PART_ROWS * NORM_PARTS ? 1 : NORM_PARTS;
}

static void gradients_of_parts(const Launch *l, int64_t begin, int64_t end)
{
  const Rows *r = l->params;
  for (int64_t p = begin; p < end; p++) {
    int64_t first = p * r->part, last = first + r->part < r->rows ? first + r->part : r->rows, at = first * r->n;
    if (first >= last) continue;
    l->k->normalization->layer_norm_backward(last - first, r->n, r->centred, operand_at(l, 0, at), operand_at(l, 1, at),
                                             operand_at(l, 2, 0), r->eps, operand_at(l, 3, first),
                                             operand_at(l, 4, first), result_at(l, 0, at), result_at(l, 1, p * r->n),
                                             result_at(l, 2, p * r->n));
  }
}

void launch_row_norm_backward(Call *call, Tensor *dy, Tensor *x, const RowNorm *norm, Tensor *mean, Tensor *var,
                              Tensor *dx, Tensor *dw, Tensor *db)
{
  static const Driver driver = {.run = gradients_of_parts,
                                .results = {DENSE, AS_DOUBLE | UPDATED, AS_DOUBLE | UPDATED},
                                .operands = {DENSE, DENSE, DENSE, AS_DOUBLE, AS_DOUBLE}};
  int64_t parts = row_norm_parts(x, norm->n);
  Rows r = {.rows = mean->numel,
            .n = norm->n,
            .part = (mean->numel + parts - 1) / parts,
            .centred = norm->centred,
            .eps = norm->eps};
  if (x->numel == 0) return;
  launch(call, &driver, tensor_dtype(x), TENSOR_LIST(dx, dw, db), TENSOR_LIST(dy, x, norm->weight, mean, var),
         work_of(parts, r.part * r.n), &r);
}
