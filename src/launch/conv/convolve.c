/*
 * Convolutions, gradients of their inputs and of their weights, as jobs of launch/conv/job.h, or as products
 * (launch/linalg/matmul.h) where the kernel has the image's size.
 */
#include "launch/conv/convolve.h"

#include "core/arith.h"
#include "core/blocks.h"
#include "kernels/conv.h"
#include "launch/conv/job.h"
#include "launch/copy.h"
#include "launch/launch.h"
#include "launch/linalg/matmul.h"

static int64_t *new_offsets(Call *call, const Tensor *y, int64_t n)
{
  return tensor_data(new_beside(call, y, DTYPE_i64, INTS(max_i64(n, 1))));
}

static int64_t product_of(const int64_t *v) { return v[0] * v[1] * v[2]; }

/* One by one, without strides or padding: places are one line. Units would be few without images or groups. */
static Convolution without_lines(const Convolution *c, const Tensor *x)
{
  Convolution flat = *c;
  for (int i = 0; i < CONV_DIMS; i++)
    if (c->kernel[i] != 1 || c->stride[i] != 1 || c->padding[i] != 0) return flat;
  if (c->images * c->groups < 4 || !x->is_contiguous) return flat;
  for (int i = 0; i < CONV_DIMS; i++) flat.size[i] = flat.result[i] = i < CONV_DIMS - 1 ? 1 : product_of(c->size);
  return flat;
}

/* The forward from x, but for weights and results. */
static ConvJob forward_job(const Convolution *c, const Launch *l, const Tensor *x)
{
  ConvJob j = {.k = l->k,
               .dtype = l->dtype,
               .size = l->size,
               .images = c->images,
               .groups = c->groups,
               .channels = c->channels,
               .rows = c->rows,
               .x = tensor_data(x),
               .x_image = x->strides[0],
               .x_channel = x->strides[1]};
  for (int i = 0; i < CONV_DIMS; i++) {
    const int dim = x->ndim - CONV_DIMS + i;
    /* the step of a dimension of one element says nothing, but places may have been made one line of it */
    j.x_step[i] = dim < 2 ? 0 : x->shape[dim] == 1 ? 1 : x->strides[dim];
    j.x_size[i] = c->size[i];
    j.stride[i] = c->stride[i];
  }
  return j;
}

/* The result of a job, of such images, and what it starts from. */
static void set_result(ConvJob *j, const Tensor *y, const int64_t *size, const Tensor *bias)
{
  j->bias = bias ? tensor_data(bias) : NULL;
  j->y = tensor_data(y);
  j->y_row = product_of(size);
  j->y_image = j->groups * j->rows * j->y_row;
  j->y_step[0] = size[1] * size[2];
  j->y_step[1] = size[2];
  j->y_step[2] = 1;
}

/* Where a tap stands in the kernel along a dimension, in elements of the image. */
static int64_t reach_of(const Convolution *c, int dim, int64_t tap)
{
  for (int i = CONV_DIMS - 1; i > dim; i--) tap /= c->kernel[i];
  return tap % c->kernel[dim] * c->dilation[dim];
}

/* A part of no taps, with room for those of the kernel. */
static ConvPart part_without_taps(Call *call, const Convolution *c, const Tensor *y)
{
  const int64_t area = product_of(c->kernel);
  int64_t *at = new_offsets(call, y, (CONV_DIMS + 1) * area);
  ConvPart p = {.weight_at = at + CONV_DIMS * area};
  for (int i = 0; i < CONV_DIMS; i++) p.tap[i] = at + i * area;
  return p;
}

/* The part that all of a forward is. */
static ConvPart whole_part(Call *call, const Convolution *c, const Tensor *y)
{
  ConvPart p = part_without_taps(call, c, y);
  p.taps = product_of(c->kernel);
  for (int64_t t = 0; t < p.taps; t++) {
    for (int i = 0; i < CONV_DIMS; i++) p.tap[i][t] = reach_of(c, i, t);
    p.weight_at[t] = t;
  }
  for (int i = 0; i < CONV_DIMS; i++) {
    p.first[i] = -c->padding[i];
    p.size[i] = c->result[i];
    p.reach[i] = (c->kernel[i] - 1) * c->dilation[i];
  }
  return p;
}

static void convolve(Call *call, const Convolution *given, const Launch *l)
{
  const Convolution c = without_lines(given, l->x[0]);
  ConvJob j = forward_job(&c, l, l->x[0]);
  set_result(&j, l->y[0], c.result, l->x[2]);
  if (conv_has_few_places(&c, l->dtype)) {
    conv_few_places(call, &c, &j, l->x[1]);
    return;
  }
  ChainRun then;
  if (chain_begin_planned(call, l->y[0], &then)) j.then = &then;
  if (conv_is_depthwise(&c, &j)) {
    conv_depthwise(call, &c, &j, l->x[1]);
    return;
  }
  ConvPart p = whole_part(call, &c, l->y[0]);
  j.weight = l->x[1];
  j.weight_row = c.channels * p.taps;
  j.weight_channel = p.taps;
  j.weight_group = c.rows * c.channels * p.taps;
  j.parts = &p;
  j.nparts = 1;
  if (conv_is_winograd(&j)) conv_winograd(call, &j);
  else if (conv_is_by_images(&c, l->x[0], false)) conv_by_images(call, &c, &j, false);
  else if (conv_is_by_runs(&j)) conv_by_runs(call, &j);
  else conv_multiply(call, &j);
}

/* ------------------------------------------------------------------ gradient of the input */

/*
 * Along one dimension, the place u = position + padding is q * stride + residue; dy of q - shift meets it through the
 * taps with tap * dilation = shift * stride + residue. Keeps the taps of a residue, and sets what is first along the
 * dimension; returns where the place of the part's first result is.
 */
static int64_t set_residue(const Convolution *c, ConvPart *p, int dim, int64_t residue)
{
  const int64_t stride = c->stride[dim], padding = c->padding[dim];
  int64_t *tap = p->tap[dim], least = 0, most = 0;
  for (int64_t t = 0; t < p->taps; t++) {
    tap[t] = -(tap[t] / stride); /* of the same residue all */
    least = t ? min_i64(least, tap[t]) : tap[t];
    most = t ? max_i64(most, tap[t]) : tap[t];
  }
  for (int64_t t = 0; t < p->taps; t++) tap[t] -= least;
  const int64_t from = max_i64(floor_div_i64(padding - residue + stride - 1, stride), 0);
  const int64_t last = floor_div_i64(padding + c->size[dim] - 1 - residue, stride);
  p->first[dim] = from + least;
  p->size[dim] = max_i64(last - from + 1, 0);
  p->reach[dim] = most - least;
  return from * stride + residue - padding;
}

/* The part of the places of one residue of the strides; results are stride steps apart. */
static ConvPart residue_part(Call *call, const Convolution *c, const Tensor *y, int64_t at)
{
  ConvPart p = part_without_taps(call, c, y);
  int64_t residue[CONV_DIMS];
  for (int i = CONV_DIMS - 1; i >= 0; i--) {
    residue[i] = at % c->stride[i];
    at /= c->stride[i];
  }
  for (int64_t t = 0; t < product_of(c->kernel); t++) {
    bool is_met = true;
    for (int i = 0; i < CONV_DIMS; i++) {
      p.tap[i][p.taps] = reach_of(c, i, t);
      is_met &= p.tap[i][p.taps] % c->stride[i] == residue[i];
    }
    p.weight_at[p.taps] = t;
    p.taps += is_met;
  }
  for (int i = 0; i < CONV_DIMS; i++) p.y = p.y * c->size[i] + set_residue(c, &p, i, residue[i]);
  return p;
}

static void convolve_input(Call *call, const Convolution *c, const Launch *l)
{
  ConvJob j = forward_job(c, l, l->x[0]);
  const int64_t area = product_of(c->kernel);
  j.channels = c->rows;
  j.rows = c->channels;
  set_result(&j, l->y[0], c->size, l->x[2]);
  const bool apart = conv_is_apart(c, l->x[0]), depthwise = conv_is_depthwise(c, &j);
  if (apart || depthwise) {
    ChainRun then;
    if (chain_begin_planned(call, l->y[0], &then)) j.then = &then;
    if (depthwise) conv_depthwise_input(call, c, &j, l->x[1]);
    else conv_apart(call, c, &j, l->x[1]);
    return;
  }
  for (int i = 0; i < CONV_DIMS; i++) {
    j.stride[i] = 1;
    j.x_size[i] = c->result[i];
    j.y_step[i] *= c->stride[i];
  }
  j.weight = l->x[1];
  j.weight_row = area;
  j.weight_channel = c->channels * area;
  j.weight_group = c->rows * c->channels * area;
  j.nparts = product_of(c->stride);
  ConvPart *parts = arena_allocate(call->ctx, (size_t)j.nparts * sizeof *parts);
  for (int64_t i = 0; i < j.nparts; i++) parts[i] = residue_part(call, c, l->y[0], i);
  j.parts = parts;
  if (conv_is_winograd(&j)) conv_winograd(call, &j);
  else if (conv_is_by_images(c, l->x[0], true)) conv_by_images(call, c, &j, true);
  else if (conv_is_by_runs(&j)) conv_by_runs(call, &j);
  else conv_multiply(call, &j);
}

/* ------------------------------------------------------------------ gradient of the weight */

/* Gradients of so few rows, of so many places at least, take sums of no more bytes. */
enum { CORRELATED_ROWS = 64, CORRELATED_PLACES = BLOCK_SIZE(512, 20), CORRELATED_BYTES = 1 << 20 };

/* Whether sums of few rows are small beside the places that they are of. */
static bool is_correlation(const ConvJob *j)
{
  if (!j->k->conv_product->correlate || j->rows > CORRELATED_ROWS) return false;
  return j->channels * j->parts->taps * j->rows * j->size * CONV_UNITS <= CORRELATED_BYTES
         && j->images * product_of(j->parts->size) >= CORRELATED_PLACES;
}

/* Whether the gradient is a product: of rows enough, and where lines are short already of a few. */
static bool is_product(const ConvJob *j)
{
  if (!j->k->conv->dots || j->rows >= CONV_ROWS_PACKED) return true;
  return 4 * j->rows >= CONV_ROWS_PACKED && j->parts->size[2] < CONV_NARROW
         && j->channels * j->parts->taps >= CONV_NARROW;
}

static void convolve_weight(Call *call, const Convolution *given, const Launch *l)
{
  const Convolution c = without_lines(given, l->x[1]);
  ConvJob j = forward_job(&c, l, l->x[1]);
  if (conv_is_depthwise(&c, &j)) {
    conv_depthwise_weight(call, &c, &j, l->x[0], l->y[0]);
    return;
  }
  ConvPart p = whole_part(call, &c, l->y[0]);
  j.parts = &p;
  j.nparts = 1;
  const bool correlates = is_correlation(&j);
  if (!is_product(&j)) conv_dot_weight(call, &j, l->x[0], l->y[0]);
  else if (conv_is_weight_by_taps(&j, l->x[1], correlates)) conv_weight_by_taps(call, &j, l->x[0], l->y[0]);
  else if (correlates) conv_correlate_weight(call, &j, l->x[0], l->y[0]);
  else conv_multiply_weight(call, &j, l->x[0], l->y[0]);
}

/* ------------------------------------------------------------------ launches */

typedef void (*Body)(Call *call, const Convolution *c, const Launch *l);

/* Lays out what a body takes and runs it. */
static void run_body(Call *call, const Driver *driver, const Convolution *c, Tensor *y, Tensors operands, Body body)
{
  Launch l;
  if (!launch_begin(call, &l, driver, tensor_dtype(y), TENSOR_LIST(y), operands, NULL)) return;
  body(call, c, &l);
  launch_end(call, &l, TENSOR_LIST(y));
}

static const Driver convolutions = {.results = {DENSE}, .operands = {ANY_STRIDES, DENSE, DENSE}};
static const Driver weight_gradients = {.results = {DENSE}, .operands = {DENSE, ANY_STRIDES}};

/* Whether a convolution has one result for all of an image: it is a product then, without any padding or overlap. */
static bool is_whole(const Convolution *c, const Tensor *weight)
{
  for (int i = 0; i < CONV_DIMS; i++)
    if (c->result[i] != 1 || c->padding[i] != 0 || c->size[i] != c->kernel[i]) return false;
  return c->groups == 1 && dtype_is_floating(tensor_dtype(weight));
}

/* [n, the rest], contiguous. */
static Tensor *as_rows(Call *call, Tensor *t)
{
  if (!t->is_contiguous) t = contiguous_as(call, t, tensor_dtype(t));
  const int64_t rows = t->shape[0], columns = t->numel / max_i64(rows, 1);
  return tensor_view(call, t, INTS(rows, columns), INTS(columns, 1), t->offset);
}

/* bias [channels], once for each place of an image. */
static Tensor *spread_bias(Call *call, const Convolution *c, Tensor *bias)
{
  const int64_t area = product_of(c->kernel);
  Tensor *expanded = tensor_view(call, bias, INTS(c->channels, area), INTS(bias->strides[0], 0), bias->offset);
  Tensor *spread = contiguous_as(call, expanded, tensor_dtype(bias));
  return tensor_view(call, spread, INTS(c->channels * area), INTS(1), 0);
}

void launch_convolve(Call *call, const Convolution *c, Tensor *x, Tensor *weight, Tensor *bias, Tensor *y)
{
  if (is_whole(c, weight) && y->is_contiguous && launch_runs(y)) {
    launch_linear(call, as_rows(call, x), as_rows(call, weight), bias, as_rows(call, y));
    return;
  }
  run_body(call, &convolutions, c, y, TENSOR_LIST(x, weight, bias), convolve);
}

void launch_convolve_input(Call *call, const Convolution *c, Tensor *dy, Tensor *weight, Tensor *bias, Tensor *x)
{
  if (is_whole(c, weight) && x->is_contiguous && launch_runs(x)) {
    Tensor *l = as_rows(call, dy), *r = as_rows(call, weight), *to = as_rows(call, x);
    if (bias) launch_addmm(call, spread_bias(call, c, bias), l, r, 1, 1, to);
    else launch_product(call, l, r, to);
    return;
  }
  run_body(call, &convolutions, c, x, TENSOR_LIST(dy, weight, bias), convolve_input);
}

void launch_convolve_weight(Call *call, const Convolution *c, Tensor *dy, Tensor *x, Tensor *weight)
{
  if (dy->numel == 0) {
    launch_fill(call, weight, scalar_int(0));
    return;
  }
  if (is_whole(c, weight) && weight->is_contiguous && launch_runs(weight)) {
    Tensor *l = as_rows(call, dy);
    l = tensor_view(call, l, INTS(l->shape[1], l->shape[0]), INTS(1, l->shape[1]), l->offset);
    launch_product(call, l, as_rows(call, x), as_rows(call, weight));
    return;
  }
  run_body(call, &weight_gradients, c, weight, TENSOR_LIST(dy, x), convolve_weight);
}
