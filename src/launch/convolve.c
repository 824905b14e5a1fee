/*
 * Convolutions: those of floats become jobs of launch/convolve_product.h, or of launch/matmul.h where the kernel has
 * the image's size. Those of other numbers, and gradients of weights of few rows, go over taps here (kernels/conv.h):
 * their work is cut into units, an image, a group of channels, and a band of lines whose slab stays in the cache.
 */
#include "launch/convolve.h"

#include <string.h>

#include "core/arith.h"
#include "core/blocks.h"
#include "kernels/conv.h"
#include "launch/convolve_product.h"
#include "launch/copy.h"
#include "launch/launch.h"
#include "launch/matmul.h"
#include "launch/reduce.h"
#include "launch/scratch.h"

enum { PRODUCTS = 8 }; /* take as long as an element does elsewhere, about */

/* Results whose places are a stride apart in the image that a job writes: those of all taps in one residue class. */
typedef struct Phase {
  int64_t taps, *at;
  char *w;                   /* packed, group by group */
  int64_t first_line, lines; /* of the job's lines */
  int64_t first_column, columns;
  int64_t y; /* where the place of line and column 0 is; perhaps outside of the image */
} Phase;

/* A convolution, or the gradient of its input, which is one too. */
typedef struct Job {
  const KernelTable *k;
  int64_t size, images, groups, channels, rows;
  const char *x, *bias;
  char *y;
  int64_t x_image, y_image, y_row, y_line, y_column;
  Slab slab;           /* of the first band */
  int64_t line_stride; /* lines of the slab from one line of results to the next */
  int64_t lines, band, bands;
  int nphases;
  Phase *phases;
  bool direct; /* the input is its own slab, but for the last image, beyond which nothing may be read */
  Scratch scratch;
} Job;

static void run_phase(const Job *j, const Phase *p, const char *slab, int64_t image, int64_t group, int64_t begin,
                      int64_t end)
{
  int64_t first = max_i64(begin, p->first_line), last = min_i64(end, p->first_line + p->lines);
  if (first >= last || p->columns <= 0) return;
  int64_t x_line = j->line_stride * j->slab.width;
  int64_t y = image * j->y_image + group * j->rows * j->y_row + p->y + first * j->y_line
              + p->first_column * j->y_column;
  ConvTaps k = {.rows = j->rows,
                .taps = p->taps,
                .lines = last - first,
                .columns = p->columns,
                .w = p->w + group * j->rows * p->taps * j->size,
                .x = slab + ((first - begin) * x_line + p->first_column) * j->size,
                .bias = j->bias ? j->bias + group * j->rows * j->size : NULL,
                .at = p->at,
                .x_line = x_line,
                .x_width = j->slab.width,
                .y = j->y + y * j->size,
                .y_row = j->y_row,
                .y_line = j->y_line,
                .y_column = j->y_column};
  j->k->conv->taps(&k);
}

static void run_units(void *arg, int64_t from, int64_t to)
{
  Job *j = arg;
  char *piece = j->scratch.memory ? scratch_take(&j->scratch) : NULL;
  for (int64_t unit = from; unit < to; unit++) {
    int64_t band = unit % j->bands, group = unit / j->bands % j->groups, image = unit / j->bands / j->groups;
    int64_t begin = band * j->band, end = min_i64(begin + j->band, j->lines);
    const char *x = j->x + (image * j->x_image + group * j->channels * j->slab.channel_step) * j->size;
    const char *slab = piece;
    if (j->direct && (image < j->images - 1 || group < j->groups - 1)) {
      slab = x;
    } else {
      Slab s = j->slab;
      s.first_line += begin * j->line_stride;
      slab_pack(&s, (size_t)j->size, x, piece);
    }
    for (int i = 0; i < j->nphases; i++) run_phase(j, &j->phases[i], slab, image, group, begin, end);
  }
  if (piece) scratch_give(&j->scratch, piece);
}

/* Chooses bands, given how many lines of the slab there are beside those of the results; sets the slab's lines. */
static void choose_bands(Job *j, int64_t halo)
{
  int64_t line_bytes = max_i64(j->channels * j->slab.phases * j->slab.width * j->size * j->line_stride, 1);
  int64_t fit = max_i64(CONV_SLAB_BYTES / line_bytes, 1);
  j->bands = max_i64(ceil_div_i64(j->lines, fit), 1);
  j->band = ceil_div_i64(j->lines, j->bands);
  j->bands = max_i64(ceil_div_i64(j->lines, max_i64(j->band, 1)), 1);
  j->slab.lines = max_i64(j->band - 1, 0) * j->line_stride + halo;
}

static void run_job(Call *call, Job *j)
{
  int64_t units = j->images * j->groups * j->bands, work = 1;
  for (int i = 0; i < j->nphases; i++) work += j->phases[i].taps * j->phases[i].columns * j->rows * max_i64(j->band, 1);
  scratch_init(call, &j->scratch, units, slab_elements(&j->slab) * j->size + SLAB_SLACK);
  launch_items((Work){units, work / PRODUCTS}, run_units, j);
}

/* Packs the weights of a phase for all groups. */
static void pack_weights(const Job *j, Phase *p, const Tensor *w, int64_t row_step, int64_t group_step,
                         const int64_t *tap_at)
{
  for (int64_t g = 0; g < j->groups; g++)
    j->k->conv->pack(j->rows, p->taps, (const char *)tensor_data(w) + g * group_step * j->size, row_step, tap_at,
                     p->w + g * j->rows * p->taps * j->size);
}

static int64_t *new_offsets(Call *call, const Tensor *y, int64_t n)
{
  return tensor_data(new_beside(call, y, DTYPE_i64, INTS(max_i64(n, 1))));
}

static Job job_of(const Convolution *c, const Launch *l, const Tensor *x, const Tensor *bias)
{
  const Tensor *y = l->y[0];
  return (Job){.k = l->k,
               .size = l->size,
               .images = c->images,
               .groups = c->groups,
               .x = tensor_data(x),
               .y = tensor_data(y),
               .bias = bias ? tensor_data(bias) : NULL,
               .x_image = x->strides[0],
               .y_image = y->shape[1] * y->shape[2] * y->shape[3],
               .y_row = y->shape[2] * y->shape[3],
               .slab = {.channel_step = x->strides[1],
                        .line_step = x->strides[2],
                        .column_step = x->strides[3],
                        .image_lines = x->shape[2],
                        .image_columns = x->shape[3]}};
}

/* Where a tap finds its input in a slab of the input: strides across are split into phases. */
static int64_t tap_offset(const Convolution *c, const Slab *s, int64_t channel, int64_t ky, int64_t kx)
{
  int64_t column = kx * c->dilation[1];
  int64_t plane = channel * s->phases + column % s->phases;
  return (plane * s->lines + ky * c->dilation[0]) * s->width + column / s->phases;
}

static void set_input_slab(const Convolution *c, Slab *s)
{
  s->channels = c->channels;
  s->first_line = -c->padding[0];
  s->first_column = -c->padding[1];
  s->phases = c->stride[1];
  s->width = c->result[1] + (c->kernel[1] - 1) * c->dilation[1] / c->stride[1];
}

/* One by one, without strides or padding: lines are one. Units would be few without images or groups. */
static Convolution without_lines(const Convolution *c, const Tensor *x)
{
  Convolution flat = *c;
  for (int i = 0; i < 2; i++)
    if (c->kernel[i] != 1 || c->stride[i] != 1 || c->padding[i] != 0) return flat;
  if (c->images * c->groups < 4 || !x->is_contiguous) return flat;
  flat.size[1] = flat.result[1] = c->size[0] * c->size[1];
  flat.size[0] = flat.result[0] = 1;
  return flat;
}

/* The forward, but for weights and results. */
static ConvJob forward_job(const Convolution *c, const Launch *l, const Tensor *x)
{
  return (ConvJob){.k = l->k,
                   .dtype = l->dtype,
                   .size = l->size,
                   .images = c->images,
                   .groups = c->groups,
                   .channels = c->channels,
                   .rows = c->rows,
                   .x = tensor_data(x),
                   .x_image = x->strides[0],
                   .x_channel = x->strides[1],
                   .x_line = x->strides[2],
                   .x_column = x->strides[3],
                   .x_size = {c->size[0], c->size[1]},
                   .stride = {c->stride[0], c->stride[1]}};
}

/* The result of a job and what it starts from. */
static void set_result(ConvJob *j, const Tensor *y, const Tensor *bias)
{
  j->bias = bias ? tensor_data(bias) : NULL;
  j->y = tensor_data(y);
  j->y_image = y->shape[1] * y->shape[2] * y->shape[3];
  j->y_row = y->shape[2] * y->shape[3];
}

/* The part that all of a forward is. */
static ConvPart whole_part(Call *call, const Convolution *c, const Tensor *y)
{
  const int64_t taps = c->kernel[0] * c->kernel[1];
  ConvPart p = {.taps = taps, .tap_line = new_offsets(call, y, 3 * taps)};
  p.tap_column = p.tap_line + taps;
  p.weight_at = p.tap_column + taps;
  for (int64_t t = 0; t < taps; t++) {
    p.tap_line[t] = t / c->kernel[1] * c->dilation[0];
    p.tap_column[t] = t % c->kernel[1] * c->dilation[1];
    p.weight_at[t] = t;
  }
  for (int i = 0; i < 2; i++) {
    p.first[i] = -c->padding[i];
    p.size[i] = c->result[i];
    p.reach[i] = (c->kernel[i] - 1) * c->dilation[i];
  }
  return p;
}

static void convolve_by_product(Call *call, const Convolution *c, const Launch *l)
{
  ConvJob j = forward_job(c, l, l->x[0]);
  ConvPart p = whole_part(call, c, l->y[0]);
  set_result(&j, l->y[0], l->x[2]);
  j.weight = l->x[1];
  j.weight_row = c->channels * p.taps;
  j.weight_channel = p.taps;
  j.weight_group = c->rows * c->channels * p.taps;
  j.y_line = c->result[1];
  j.y_column = 1;
  j.parts = &p;
  j.nparts = 1;
  conv_multiply(call, &j);
}

static void convolve(Call *call, const Convolution *given, const Launch *l)
{
  const Tensor *x = l->x[0], *weight = l->x[1], *y = l->y[0];
  Convolution flat = without_lines(given, x);
  const Convolution *c = &flat;
  if (l->k->conv_product->multiply) {
    convolve_by_product(call, c, l);
    return;
  }
  Job j = job_of(c, l, x, l->x[2]);
  j.direct = c->size[0] == 1 && given->kernel[0] == 1 && given->kernel[1] == 1 && c->size[1] == c->result[1]
             && x->is_contiguous && c->stride[1] == 1;
  j.slab.image_lines = c->size[0];
  j.slab.image_columns = c->size[1];
  j.channels = c->channels;
  j.rows = c->rows;
  j.lines = c->result[0];
  j.line_stride = c->stride[0];
  j.y_line = c->result[1];
  j.y_column = 1;
  set_input_slab(c, &j.slab);
  choose_bands(&j, (c->kernel[0] - 1) * c->dilation[0] + 1);
  int64_t area = c->kernel[0] * c->kernel[1], taps = c->channels * area;
  Phase phase = {.taps = taps, .at = new_offsets(call, y, taps), .lines = j.lines, .columns = c->result[1]};
  int64_t *order = new_offsets(call, y, taps);
  for (int64_t t = 0; t < taps; t++) {
    phase.at[t] = tap_offset(c, &j.slab, t / area, t % area / c->kernel[1], t % c->kernel[1]);
    order[t] = t;
  }
  phase.w = tensor_data(new_beside(call, y, l->dtype, INTS(max_i64(weight->numel, 1))));
  j.phases = &phase;
  j.nphases = 1;
  pack_weights(&j, &phase, weight, taps, c->rows * taps, order);
  run_job(call, &j);
}

/* ------------------------------------------------------------------ gradient of the input */

/* Along one dimension, the place u = position + padding is q * stride + residue; dy of q - shift meets it through the
   taps with tap * dilation = shift * stride + residue. */
typedef struct Axis {
  int64_t first, count, most_shift; /* of q over all residues; the largest shift */
} Axis;

static Axis axis_of(const Convolution *c, int d)
{
  int64_t first = c->padding[d] / c->stride[d];
  int64_t last = floor_div_i64(c->padding[d] + c->size[d] - 1, c->stride[d]);
  return (Axis){first, last - first + 1, (c->kernel[d] - 1) * c->dilation[d] / c->stride[d]};
}

/* The q of one residue, counted from the axis's first one. */
static void range_of(const Convolution *c, int d, const Axis *axis, int64_t residue, int64_t *first, int64_t *count)
{
  int64_t from = max_i64(floor_div_i64(c->padding[d] - residue + c->stride[d] - 1, c->stride[d]), 0);
  int64_t last = floor_div_i64(c->padding[d] + c->size[d] - 1 - residue, c->stride[d]);
  *first = from - axis->first;
  *count = max_i64(last - from + 1, 0);
}

static void set_phase(Call *call, const Convolution *c, Job *j, const Axis *axes, int64_t ry, int64_t rx,
                      const Tensor *w, Phase *p)
{
  int64_t area = c->kernel[0] * c->kernel[1], most = c->rows * area, plane = j->slab.lines * j->slab.width;
  int64_t *order = new_offsets(call, w, most);
  p->at = new_offsets(call, w, most);
  p->taps = 0;
  for (int64_t t = 0; t < most; t++) {
    int64_t y = t % area / c->kernel[1] * c->dilation[0], x = t % c->kernel[1] * c->dilation[1];
    if (y % c->stride[0] != ry || x % c->stride[1] != rx) continue;
    int64_t line = axes[0].most_shift - y / c->stride[0], column = axes[1].most_shift - x / c->stride[1];
    p->at[p->taps] = t / area * plane + line * j->slab.width + column;
    order[p->taps++] = t / area * c->channels * area + t % area;
  }
  range_of(c, 0, &axes[0], ry, &p->first_line, &p->lines);
  range_of(c, 1, &axes[1], rx, &p->first_column, &p->columns);
  p->y = (axes[0].first * c->stride[0] + ry - c->padding[0]) * c->size[1] + axes[1].first * c->stride[1] + rx
         - c->padding[1];
  p->w = tensor_data(new_beside(call, w, tensor_dtype(w), INTS(max_i64(c->groups * c->channels * p->taps, 1))));
  pack_weights(j, p, w, area, c->rows * c->channels * area, order);
}

/* The part of the places of one residue of the strides. */
static ConvPart residue_part(Call *call, const Convolution *c, const Tensor *w, const Axis *axes,
                             const int64_t *residue)
{
  const int64_t area = c->kernel[0] * c->kernel[1];
  ConvPart p = {.tap_line = new_offsets(call, w, 3 * area)};
  p.tap_column = p.tap_line + area;
  p.weight_at = p.tap_column + area;
  for (int64_t t = 0; t < area; t++) {
    int64_t y = t / c->kernel[1] * c->dilation[0], x = t % c->kernel[1] * c->dilation[1];
    if (y % c->stride[0] != residue[0] || x % c->stride[1] != residue[1]) continue;
    p.tap_line[p.taps] = axes[0].most_shift - y / c->stride[0];
    p.tap_column[p.taps] = axes[1].most_shift - x / c->stride[1];
    p.weight_at[p.taps++] = t;
  }
  int64_t place[2];
  for (int i = 0; i < 2; i++) {
    int64_t from, *tap = i ? p.tap_column : p.tap_line, least = p.taps ? tap[0] : 0, most = least;
    for (int64_t t = 0; t < p.taps; t++) {
      least = min_i64(least, tap[t]);
      most = max_i64(most, tap[t]);
    }
    for (int64_t t = 0; t < p.taps; t++) tap[t] -= least;
    range_of(c, i, &axes[i], residue[i], &from, &p.size[i]);
    from += axes[i].first;
    p.first[i] = from - axes[i].most_shift + least;
    p.reach[i] = most - least;
    place[i] = from * c->stride[i] + residue[i] - c->padding[i];
  }
  p.y = place[0] * c->size[1] + place[1];
  return p;
}

static void convolve_input_by_product(Call *call, const Convolution *c, const Launch *l)
{
  ConvJob j = forward_job(c, l, l->x[0]);
  Axis axes[2] = {axis_of(c, 0), axis_of(c, 1)};
  const int64_t area = c->kernel[0] * c->kernel[1];
  j.channels = c->rows;
  j.rows = c->channels;
  j.stride[0] = j.stride[1] = 1;
  j.x_size[0] = c->result[0];
  j.x_size[1] = c->result[1];
  set_result(&j, l->y[0], l->x[2]);
  j.weight = l->x[1];
  j.weight_row = area;
  j.weight_channel = c->channels * area;
  j.weight_group = c->rows * c->channels * area;
  j.y_line = c->stride[0] * c->size[1];
  j.y_column = c->stride[1];
  j.nparts = c->stride[0] * c->stride[1];
  ConvPart *parts = arena_allocate(call->ctx, (size_t)j.nparts * sizeof *parts);
  for (int64_t i = 0; i < j.nparts; i++)
    parts[i] = residue_part(call, c, l->x[1], axes, (int64_t[]){i / c->stride[1], i % c->stride[1]});
  j.parts = parts;
  conv_multiply(call, &j);
}

static void convolve_input(Call *call, const Convolution *c, const Launch *l)
{
  if (l->k->conv_product->multiply) {
    convolve_input_by_product(call, c, l);
    return;
  }
  Job j = job_of(c, l, l->x[0], l->x[2]);
  Axis axes[2] = {axis_of(c, 0), axis_of(c, 1)};
  j.channels = c->rows;
  j.rows = c->channels;
  j.lines = axes[0].count;
  j.line_stride = 1;
  j.y_line = c->stride[0] * c->size[1];
  j.y_column = c->stride[1];
  j.slab.channels = c->rows;
  j.slab.phases = 1;
  j.slab.first_line = axes[0].first - axes[0].most_shift;
  j.slab.first_column = axes[1].first - axes[1].most_shift;
  j.slab.width = axes[1].count + axes[1].most_shift;
  choose_bands(&j, axes[0].most_shift + 1);
  j.nphases = (int)(c->stride[0] * c->stride[1]);
  j.phases = arena_allocate(call->ctx, (size_t)j.nphases * sizeof *j.phases);
  for (int i = 0; i < j.nphases; i++)
    set_phase(call, c, &j, axes, i / c->stride[1], i % c->stride[1], l->x[1], &j.phases[i]);
  run_job(call, &j);
}

/* ------------------------------------------------------------------ gradient of the weight */

/* Dot products of lines. Each task adds up those of part of the images and bands for one group. */
typedef struct WeightJob {
  const Convolution *c;
  const KernelTable *k;
  int64_t size, parts, band, bands;
  const char *x, *dy;
  int64_t x_image;
  Slab slab;
  char *sums; /* [parts, groups, rows, taps] */
  const int64_t *at;
  Scratch scratch;
} WeightJob;

static void weight_unit(const WeightJob *j, int64_t group, int64_t unit, char *piece, char *sums)
{
  const Convolution *c = j->c;
  int64_t band = unit % j->bands, image = unit / j->bands, places = c->result[0] * c->result[1];
  int64_t begin = band * j->band, lines = min_i64(j->band, c->result[0] - begin);
  Slab s = j->slab;
  s.first_line += begin * c->stride[0];
  slab_pack(&s, (size_t)j->size, j->x + (image * j->x_image + group * c->channels * j->slab.channel_step) * j->size,
            piece);
  ConvDots k = {c->rows,
                c->channels * c->kernel[0] * c->kernel[1],
                lines,
                c->result[1],
                j->dy + ((image * c->groups + group) * c->rows * places + begin * c->result[1]) * j->size,
                piece,
                places,
                c->result[1],
                c->stride[0] * s.width,
                j->at,
                sums};
  j->k->conv->dots(&k);
}

static void weight_tasks(void *arg, int64_t begin, int64_t end)
{
  WeightJob *j = arg;
  const Convolution *c = j->c;
  int64_t units = c->images * j->bands, area = c->kernel[0] * c->kernel[1];
  int64_t elements = c->rows * c->channels * area;
  char *piece = scratch_take(&j->scratch);
  for (int64_t task = begin; task < end; task++) {
    int64_t part = task / c->groups, group = task % c->groups;
    char *sums = j->sums + task * elements * j->size;
    memset(sums, 0, (size_t)(elements * j->size));
    for (int64_t u = part * units / j->parts; u < (part + 1) * units / j->parts; u++)
      weight_unit(j, group, u, piece, sums);
  }
  scratch_give(&j->scratch, piece);
}

/* Sums of products for as many parts as make enough tasks for threads, but not too many sums. */
static int64_t choose_parts(const Convolution *c, int64_t units, int64_t bytes)
{
  int64_t work = c->images * c->groups * c->rows * c->channels * c->kernel[0] * c->kernel[1] * c->result[0]
                 * c->result[1];
  int64_t parts = min_i64(min_i64(ceil_div_i64(CONV_WEIGHT_TASKS, c->groups), units),
                          ceil_div_i64(work, CONV_UNIT_WORK));
  return max_i64(min_i64(parts, CONV_WEIGHT_BYTES / max_i64(bytes, 1)), 1);
}

/* Whether the gradient of the weight is a product: of rows enough, and where lines are short already of a few. */
static bool weight_goes_by_product(const Convolution *c, const Launch *l)
{
  const int64_t terms = c->channels * c->kernel[0] * c->kernel[1];
  if (!l->k->conv_product->multiply || terms == 0 || c->rows == 0) return false;
  if (c->rows >= CONV_ROWS_PACKED) return true;
  return 4 * c->rows >= CONV_ROWS_PACKED && c->result[1] < CONV_NARROW && terms >= CONV_NARROW;
}

static void convolve_weight_by_product(Call *call, const Convolution *given, const Launch *l)
{
  Convolution flat = without_lines(given, l->x[1]);
  ConvJob j = forward_job(&flat, l, l->x[1]);
  ConvPart p = whole_part(call, &flat, l->y[0]);
  j.parts = &p;
  j.nparts = 1;
  conv_multiply_weight(call, &j, l->x[0], l->y[0]);
}

static void convolve_weight(Call *call, const Convolution *c, const Launch *l)
{
  if (weight_goes_by_product(c, l)) {
    convolve_weight_by_product(call, c, l);
    return;
  }
  Tensor *weight = l->y[0];
  Job bands = job_of(c, l, l->x[1], NULL); /* as the forward's, for its bands */
  bands.channels = c->channels;
  bands.lines = c->result[0];
  bands.line_stride = c->stride[0];
  set_input_slab(c, &bands.slab);
  choose_bands(&bands, (c->kernel[0] - 1) * c->dilation[0] + 1);
  const int64_t area = c->kernel[0] * c->kernel[1], taps = c->channels * area;
  int64_t *at = new_offsets(call, weight, taps);
  for (int64_t t = 0; t < taps; t++)
    at[t] = tap_offset(c, &bands.slab, t / area, t % area / c->kernel[1], t % c->kernel[1]);
  WeightJob j = {.c = c,
                 .k = bands.k,
                 .size = bands.size,
                 .parts = choose_parts(c, c->images * bands.bands, weight->numel * bands.size),
                 .band = bands.band,
                 .bands = bands.bands,
                 .slab = bands.slab,
                 .x = bands.x,
                 .dy = tensor_data(l->x[0]),
                 .x_image = bands.x_image,
                 .at = at};
  Tensor *sums = new_beside(call, weight, l->dtype, INTS(j.parts, weight->numel));
  j.sums = tensor_data(sums);
  scratch_init(call, &j.scratch, j.parts * c->groups, slab_elements(&j.slab) * j.size + SLAB_SLACK);
  launch_items((Work){j.parts * c->groups, INT64_MAX}, weight_tasks, &j);
  Tensor *flat = tensor_view(call, weight, INTS(weight->numel), INTS(1), weight->offset);
  if (j.parts > 1) launch_reduce(call, REDUCE_SUM, sums, 1, flat, (Finish){0, false});
  else launch_copy(call, flat, tensor_view(call, sums, INTS(weight->numel), INTS(1), 0));
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
  for (int i = 0; i < 2; i++)
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
  const int64_t area = c->kernel[0] * c->kernel[1];
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
