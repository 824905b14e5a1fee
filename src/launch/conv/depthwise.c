/*
 * Convolutions of one channel a group, plane by plane as images lie, without slabs or packed weights
 * (kernels/depthwise.h). Units of work are a group of an image; those of the gradient of the weight are a row, of all
 * images.
 */
#include <string.h>

#include "core/arith.h"
#include "core/blocks.h"
#include "kernels/depthwise.h"
#include "launch/conv/job.h"
#include "launch/scratch.h"

bool conv_is_depthwise(const Convolution *c, const ConvJob *j)
{
  return j->k->depthwise->sums && c->channels == 1 && c->rows <= DEPTHWISE_ROWS && c->stride[2] <= 2
         && j->x_step[2] == 1 && c->images * c->groups >= CONV_UNITS;
}

typedef struct Plan {
  const Convolution *c;
  const ConvJob *j;
  PlaneShape *shape; /* of the gradient of the input one for each residue of the lines' stride */
  const char *weight, *dy;
  char *result; /* of the gradient of the weight */
  Scratch scratch;
} Plan;

static int64_t volume_of(const int64_t *size) { return size[0] * size[1] * size[2]; }

/* How far it is from one tap's weight to the next along a dimension. */
static int64_t weight_step(const Convolution *c, int d)
{
  return d == 2 ? 1 : d == 1 ? c->kernel[2] : c->kernel[1] * c->kernel[2];
}

static PlaneTaps taps_of(const Convolution *c, int d)
{
  return (PlaneTaps){c->kernel[d], c->stride[d], -c->padding[d], c->dilation[d], 0, weight_step(c, d)};
}

/*
 * Those of the gradient of the input, at its places residue, residue + stride…: dy of u is met by place
 * u * stride - padding + tap * dilation. Every so many taps meet a residue, the last of them the first dy.
 */
static PlaneTaps taps_of_input(const Convolution *c, int d, int64_t residue)
{
  const int64_t stride = c->stride[d], dilation = c->dilation[d], kernel = c->kernel[d];
  int64_t step = 1, first = 0; /* between taps of a residue; the first of them */
  while (step * dilation % stride != 0) step++;
  while (first < step && (residue + c->padding[d] - first * dilation) % stride != 0) first++;
  const int64_t count = first == step || first >= kernel ? 0 : (kernel - 1 - first) / step + 1;
  const int64_t last = first + (count - 1) * step, weight = weight_step(c, d);
  return (PlaneTaps){.count = count,
                     .stride = 1,
                     .first = count ? (residue + c->padding[d] - last * dilation) / stride : 0,
                     .apart = step * dilation / stride,
                     .weight_first = count ? last * weight : 0,
                     .weight = -step * weight};
}

/* Sets x, w and terms to the planes of the source that a plane of the result meets. */
static void set_planes(PlaneSums *k, const PlaneTaps *t, int64_t place, int64_t planes, const char *x, int64_t x_plane,
                       const char *w, int64_t size)
{
  const int64_t at = place * t->stride + t->first;
  int64_t begin = 0, end = t->count;
  while (begin < end && at + begin * t->apart < 0) begin++;
  while (end > begin && at + (end - 1) * t->apart >= planes) end--;
  k->terms = end - begin;
  k->x = x + (k->terms ? (at + begin * t->apart) * x_plane * size : 0);
  k->x_term = t->apart * x_plane;
  k->w = w + (t->weight_first + begin * t->weight) * size;
  k->w_term = t->weight;
}

static const char *bias_of(const ConvJob *j, int64_t row) { return j->bias ? j->bias + row * j->size : NULL; }

/* Of the forward, and of the gradient of the weight. */
static PlaneShape shape_of(const Convolution *c, const ConvJob *j)
{
  return (PlaneShape){.lines = c->result[1],
                      .columns = c->result[2],
                      .x_lines = c->size[1],
                      .x_columns = c->size[2],
                      .x_line = j->x_step[1],
                      .line = taps_of(c, 1),
                      .column = {taps_of(c, 2)}};
}

/* Of the gradient of the input: of the lines that lie `residue` behind a whole number of strides. */
static PlaneShape shape_of_input(const Convolution *c, const ConvJob *j, int64_t residue)
{
  PlaneShape s = {.lines = (c->size[1] - residue + c->stride[1] - 1) / c->stride[1],
                  .columns = c->size[2],
                  .x_lines = c->result[1],
                  .x_columns = c->result[2],
                  .x_line = j->x_step[1],
                  .line = taps_of_input(c, 1, residue)};
  for (int64_t i = 0; i < c->stride[2]; i++) s.column[i] = taps_of_input(c, 2, i);
  return s;
}

/* Makes the masks of planes that are one run. */
static void set_masks(Call *call, const Tensor *beside, Plan *plan)
{
  const Convolution *c = plan->c;
  const DepthwiseKernels *k = plan->j->k->depthwise;
  const int64_t bytes = c->stride[1] == 1 && c->stride[2] == 1 ? k->mask_bytes(plan->shape) : 0;
  if (!bytes) return;
  void *masks = tensor_data(new_beside(call, beside, DTYPE_u8, INTS(bytes)));
  k->make_masks(plan->shape, masks);
  plan->shape->masks = masks;
}

/* ---- forward ---- */

static void convolve_unit(const Plan *plan, int64_t image, int64_t group)
{
  const Convolution *c = plan->c;
  const ConvJob *j = plan->j;
  const PlaneTaps planes = taps_of(c, 0);
  PlaneSums k = {.s = plan->shape, .y_line = c->result[2]};
  const char *x = j->x + (image * j->x_image + group * j->x_channel) * j->size;
  for (int64_t i = 0; i < c->rows; i++) {
    const int64_t row = group * c->rows + i;
    const char *w = plan->weight + row * volume_of(c->kernel) * j->size;
    k.start = bias_of(j, row);
    for (int64_t p = 0; p < c->result[0]; p++) {
      set_planes(&k, &planes, p, c->size[0], x, j->x_step[0], w, j->size);
      k.y = j->y + (image * j->y_image + row * j->y_row + p * j->y_step[0]) * j->size;
      j->k->depthwise->sums(&k);
    }
  }
}

/* ---- gradient of the input ---- */

static void convolve_input_unit(const Plan *plan, int64_t image, int64_t group)
{
  const Convolution *c = plan->c;
  const ConvJob *j = plan->j;
  PlaneSums k = {.start = bias_of(j, group), .y_line = c->stride[1] * c->size[2]};
  char *y = j->y + (image * j->y_image + group * j->y_row) * j->size;
  for (int64_t i = 0; i < c->rows; i++) {
    const int64_t row = group * c->rows + i;
    const char *x = j->x + (image * j->x_image + row * j->x_channel) * j->size;
    const char *w = plan->weight + row * volume_of(c->kernel) * j->size;
    for (int64_t p = 0; p < c->size[0]; p++) {
      const PlaneTaps planes = taps_of_input(c, 0, p % c->stride[0]);
      set_planes(&k, &planes, p / c->stride[0], c->result[0], x, j->x_step[0], w, j->size);
      for (int64_t residue = 0; residue < c->stride[1]; residue++) {
        k.s = &plan->shape[residue];
        k.y = y + (p * c->size[1] + residue) * c->size[2] * j->size;
        if (c->stride[2] == 1) j->k->depthwise->sums(&k);
        else j->k->depthwise->turns(&k);
      }
    }
    k.add = true;
    k.start = NULL;
  }
}

/* ---- both ---- */

/* Groups of images one by one, and on each result what follows. */
static void run_units(const Plan *plan, int64_t begin, int64_t end, int64_t result,
                      void (*unit)(const Plan *plan, int64_t image, int64_t group))
{
  ChainWorker then;
  if (plan->j->then) chain_open(&then, plan->j->then);
  for (int64_t at = begin; at < end; at++) {
    unit(plan, at / plan->c->groups, at % plan->c->groups);
    if (plan->j->then) chain_part(&then, at * result, (at + 1) * result);
  }
}

static void convolve_units(void *arg, int64_t begin, int64_t end)
{
  const Plan *plan = arg;
  run_units(plan, begin, end, plan->c->rows * plan->j->y_row, convolve_unit);
}

static void convolve_input_units(void *arg, int64_t begin, int64_t end)
{
  const Plan *plan = arg;
  run_units(plan, begin, end, plan->j->y_row, convolve_input_unit);
}

static Work work_of(const Convolution *c)
{
  return (Work){c->images * c->groups, c->rows * volume_of(c->result) * volume_of(c->kernel) / 4};
}

void conv_depthwise(Call *call, const Convolution *c, const ConvJob *j, const Tensor *weight)
{
  PlaneShape shape = shape_of(c, j);
  Plan plan = {.c = c, .j = j, .shape = &shape, .weight = tensor_data(weight)};
  set_masks(call, weight, &plan);
  launch_items(work_of(c), convolve_units, &plan);
}

void conv_depthwise_input(Call *call, const Convolution *c, const ConvJob *j, const Tensor *weight)
{
  PlaneShape *shapes = arena_allocate(call->ctx, (size_t)c->stride[1] * sizeof *shapes);
  for (int64_t i = 0; i < c->stride[1]; i++) shapes[i] = shape_of_input(c, j, i);
  Plan plan = {.c = c, .j = j, .shape = shapes, .weight = tensor_data(weight)};
  set_masks(call, weight, &plan);
  launch_items(work_of(c), convolve_input_units, &plan);
}

/* ---- gradient of the weight ---- */

static void correlate_unit(const Plan *plan, int64_t row, char *sums)
{
  const Convolution *c = plan->c;
  const ConvJob *j = plan->j;
  const int64_t taps = volume_of(c->kernel), plane = c->result[1] * c->result[2];
  const int64_t vector = j->k->depthwise->vector * j->size;
  PlaneDots k = {.s = plan->shape, .dy_line = c->result[2]};
  memset(sums, 0, (size_t)(taps * vector));
  for (int64_t image = 0; image < c->images; image++)
    for (int64_t p = 0; p < c->result[0]; p++)
      for (int64_t tap = 0; tap < c->kernel[0]; tap++) {
        const int64_t from = p * c->stride[0] - c->padding[0] + tap * c->dilation[0];
        if (from < 0 || from >= c->size[0]) continue;
        const int64_t x = image * j->x_image + row / c->rows * j->x_channel + from * j->x_step[0];
        k.x = j->x + x * j->size;
        k.dy = plan->dy + (((image * c->groups * c->rows + row) * c->result[0] + p) * plane) * j->size;
        k.sums = sums + tap * c->kernel[1] * c->kernel[2] * vector;
        j->k->depthwise->dots(&k);
      }
  j->k->depthwise->totals(taps, sums, plan->result + row * taps * j->size);
}

static void correlate_units(void *arg, int64_t begin, int64_t end)
{
  Plan *plan = arg;
  char *sums = scratch_take(&plan->scratch);
  for (int64_t row = begin; row < end; row++) correlate_unit(plan, row, sums);
  scratch_give(&plan->scratch, sums);
}

void conv_depthwise_weight(Call *call, const Convolution *c, const ConvJob *j, const Tensor *dy, Tensor *weight)
{
  PlaneShape shape = shape_of(c, j);
  Plan plan = {.c = c, .j = j, .shape = &shape, .dy = tensor_data(dy), .result = tensor_data(weight)};
  const int64_t taps = volume_of(c->kernel), rows = c->groups * c->rows;
  set_masks(call, weight, &plan);
  scratch_init(call, &plan.scratch, rows, taps * j->k->depthwise->vector * j->size);
  launch_items((Work){rows, c->images * volume_of(c->result) * taps / 4}, correlate_units, &plan);
}
