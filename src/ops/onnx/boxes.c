/* ONNX's operators on boxes in images. */
#include "ops/onnx/boxes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "launch/math/generate.h"
#include "ops/linalg/matmul.h"
#include "ops/math/comparison.h"
#include "ops/onnx/words.h"
#include "ops/reduce/max_min.h"
#include "ops/reduce/sum.h"
#include "ops/shape/cat_split.h"
#include "ops/shape/copy.h"
#include "ops/shape/factory.h"
#include "ops/shape/view.h"

static const float *floats_of(Call *call, Tensor *t)
{
  check_can_look(call, t);
  return tensor_data(contiguous_as(call, t, DTYPE_f32));
}

/* --------------------------------------------------------- overlapping boxes */

typedef struct Box {
  float y0, x0, y1, x1;
} Box;

static Box box_of(const float *v, bool is_centred)
{
  if (is_centred) return (Box){v[1] - v[3] / 2, v[0] - v[2] / 2, v[1] + v[3] / 2, v[0] + v[2] / 2};
  return (Box){fminf(v[0], v[2]), fminf(v[1], v[3]), fmaxf(v[0], v[2]), fmaxf(v[1], v[3])};
}

static float area_of(Box b) { return (b.y1 - b.y0) * (b.x1 - b.x0); }

/* What two boxes share, over what either has. */
static float shared(Box a, Box b)
{
  const float h = fminf(a.y1, b.y1) - fmaxf(a.y0, b.y0), w = fminf(a.x1, b.x1) - fmaxf(a.x0, b.x0);
  if (h <= 0 || w <= 0) return 0;
  const float both = area_of(a) + area_of(b) - h * w;
  return both > 0 ? h * w / both : 0;
}

typedef struct Scored {
  float score;
  int64_t box;
} Scored;

static int best_first(const void *a, const void *b)
{
  const Scored *p = a, *q = b;
  if (p->score != q->score) return p->score > q->score ? -1 : 1;
  return p->box < q->box ? -1 : 1;
}

/* The chosen ones of a class, at the front of `found`; how many. */
static int64_t suppress(Call *call, const float *boxes, bool is_centred, Scored *found, int64_t n, int64_t most,
                        float threshold)
{
  int64_t kept = 0;
  qsort(found, (size_t)n, sizeof *found, best_first);
  for (int64_t i = 0; i < n && kept < most; i++) {
    const Box box = box_of(boxes + 4 * found[i].box, is_centred);
    bool is_apart = true;
    check_interrupt(call);
    for (int64_t k = 0; k < kept && is_apart; k++)
      is_apart = shared(box, box_of(boxes + 4 * found[k].box, is_centred)) <= threshold;
    if (is_apart) found[kept++] = found[i];
  }
  return kept;
}

static void copy_rows(const void *params, int64_t *to)
{
  const Ints *rows = params;
  memcpy(to, rows->v, (size_t)rows->n * sizeof *to);
}

FORWARD(onnx_non_max_suppression)
{
  Tensor *boxes = a->boxes, *scores = a->scores;
  if (boxes->ndim != 3 || scores->ndim != 3 || boxes->shape[2] != 4 || boxes->shape[0] != scores->shape[0]
      || boxes->shape[1] != scores->shape[2])
    raise(call, "boxes of shape %s, and scores of %s", shape_text(call, tensor_shape(boxes)),
          shape_text(call, tensor_shape(scores)));
  const float *b = floats_of(call, boxes), *s = floats_of(call, scores);
  int64_t most = a->most ? scalar_integer(number_of(call, a->most)) : 0;
  const float iou = a->iou_threshold ? (float)scalar_real(number_of(call, a->iou_threshold)) : 0;
  const float least = a->score_threshold ? (float)scalar_real(number_of(call, a->score_threshold)) : -INFINITY;
  const int64_t n = boxes->shape[1], classes = scores->shape[1], lists = onnx_product(call, boxes->shape[0], classes);
  if (most > n) most = n;
  if (most < 0) most = 0;
  Scored *found = onnx_room(call, n, sizeof *found / sizeof(int64_t));
  int64_t *rows = onnx_room(call, onnx_product(call, lists, most), 3), count = 0;
  for (int64_t list = 0; list < lists && most; list++) {
    int64_t candidates = 0;
    for (int64_t i = 0; i < n; i++)
      if (s[list * n + i] > least) found[candidates++] = (Scored){s[list * n + i], i};
    const int64_t kept = suppress(call, b + list / classes * n * 4, a->center_point_box, found, candidates, most, iou);
    for (int64_t k = 0; k < kept; k++, count++)
      rows[3 * count] = list / classes, rows[3 * count + 1] = list % classes, rows[3 * count + 2] = found[k].box;
    check_interrupt(call);
  }
  y[0] = result_new(call, DTYPE_i64, device_of(boxes), INTS(count, 3));
  if (count) launch_positions_of(call, copy_rows, &(Ints){rows, 3 * count}, y[0]);
}

/* ------------------------------------------------------------ boxes brought */

/* Points along an axis of n elements, `grid` in each of `bins` parts: the weights of their two neighbours as matrices
   [bins * grid, n]. */
typedef struct Points {
  int64_t bins, grid, n;
  Tensor *low, *high;
} Points;

enum { MOST_WEIGHTS = 1 << 26 };

static Points points_of(Call *call, double start, double size, int64_t bins, int64_t ratio, int64_t n, DType dtype)
{
  const double grid = ratio > 0 ? (double)ratio : ceil(size / (double)bins);
  Points p = {.bins = bins, .n = n, .grid = grid >= 1 && grid <= INT16_MAX ? (int64_t)grid : 1};
  const int64_t rows = bins * p.grid;
  if (onnx_product(call, rows, n) > MOST_WEIGHTS)
    raise(call, "%lld points in an image of %lld elements are too many", (long long)rows, (long long)n);
  double *low = onnx_room(call, rows, n);
  double *high = onnx_room(call, rows, n);
  for (int64_t i = 0; i < rows * n; i++) low[i] = high[i] = 0;
  for (int64_t i = 0; i < rows; i++) {
    double at = start + ((double)i + 0.5) * size / (double)rows;
    if (!(at >= -1 && at <= (double)n)) continue;
    if (at < 0) at = 0;
    const int64_t left = (int64_t)at >= n - 1 ? n - 1 : (int64_t)at, right = left < n - 1 ? left + 1 : left;
    const double part = left < n - 1 ? at - (double)left : 0;
    low[i * n + left] = 1 - part;
    high[i * n + right] += part;
  }
  p.low = cast(reshaped(onnx_reals(call, low, rows * n), rows, n), dtype);
  p.high = cast(reshaped(onnx_reals(call, high, rows * n), rows, n), dtype);
  return p;
}

static Tensor *sampled(Call *call, Tensor *image, Tensor *rows, Tensor *columns)
{
  return op(matmul, op(matmul, rows, image), op(transpose, columns, 0, 1));
}

static Tensor *aligned(Call *call, Tensor *image, const Points *v, const Points *h, bool is_max)
{
  Tensor *all;
  if (!is_max) all = sampled(call, image, plus(v->low, v->high), plus(h->low, h->high));
  else {
    Tensor *upper = op(maximum, sampled(call, image, v->low, h->low), sampled(call, image, v->low, h->high));
    Tensor *lower = op(maximum, sampled(call, image, v->high, h->low), sampled(call, image, v->high, h->high));
    all = op(maximum, upper, lower);
  }
  all = reshaped(all, image->shape[0], v->bins, v->grid, h->bins, h->grid);
  return is_max ? op(amax, all, INTS(2, 4), false) : op(mean, all, INTS(2, 4), false, DTYPE_NONE);
}

static int64_t image_of(Call *call, const Tensor *x, double i)
{
  if (!(i >= 0 && i < (double)x->shape[0])) raise(call, "there is no image %g", i);
  return (int64_t)i;
}

FORWARD(onnx_roi_align)
{
  Tensor *x = a->x;
  if (x->ndim != 4 || a->rois->ndim != 2 || a->rois->shape[1] != 4 || a->batch_indices->numel != a->rois->shape[0])
    raise(call, "images of shape %s, and boxes of %s", shape_text(call, tensor_shape(x)),
          shape_text(call, tensor_shape(a->rois)));
  if (a->height < 1 || a->width < 1 || a->height > INT16_MAX || a->width > INT16_MAX || x->numel == 0)
    raise(call, "a result of %lld x %lld", (long long)a->height, (long long)a->width);
  const int64_t n = a->rois->shape[0];
  const float *roi = floats_of(call, a->rois);
  Ints images = whole_numbers_of(call, a->batch_indices);
  Tensor **all = onnx_room(call, n, 1);
  const double shift = a->half_pixel ? 0.5 : 0;
  for (int64_t i = 0; i < n; i++, roi += 4) {
    double begin[2], size[2]; /* vertical, horizontal */
    for (int k = 0; k < 2; k++) {
      begin[k] = roi[1 - k] * a->spatial_scale - shift;
      size[k] = roi[3 - k] * a->spatial_scale - shift - begin[k];
      if (!a->half_pixel && size[k] < 1) size[k] = 1;
    }
    Points v = points_of(call, begin[0], size[0], a->height, a->sampling_ratio, x->shape[2], tensor_dtype(x));
    Points h = points_of(call, begin[1], size[1], a->width, a->sampling_ratio, x->shape[3], tensor_dtype(x));
    all[i] = aligned(call, op(select, x, 0, image_of(call, x, (double)images.v[i])), &v, &h, a->is_max);
  }
  y[0] = n ? op(stack, ((Tensors){all, n}), 0)
           : onnx_filled(call, INTS(0, x->shape[1], a->height, a->width), 0, tensor_dtype(x));
}

/* Where part i of n begins in [first, first + size), within 0..limit. */
static int64_t edge(double first, double size, int64_t i, int64_t n, bool is_end, int64_t limit)
{
  const double at = (double)(i + is_end) * size / (double)n;
  const double whole_at = (is_end ? ceil(at) : floor(at)) + first;
  return !(whole_at > 0) ? 0 : whole_at > (double)limit ? limit : (int64_t)whole_at;
}

/* Maxima of windows that divide [first, first + size) of a dimension of an image [channels, height, width]; 0 of empty
   ones. */
static Tensor *maxima_along(Call *call, Tensor *x, int dim, int64_t first, int64_t size, int64_t count)
{
  Tensor **all = onnx_room(call, count, 1);
  for (int64_t k = 0; k < count; k++) {
    const int64_t begin = edge((double)first, (double)size, k, count, false, x->shape[dim]);
    const int64_t end = edge((double)first, (double)size, k, count, true, x->shape[dim]);
    all[k] = end > begin ? op(amax, op(narrow, x, dim, begin, end - begin), INTS(dim), false)
                         : onnx_filled(call, INTS(x->shape[0], x->shape[3 - dim]), 0, tensor_dtype(x));
  }
  return op(stack, ((Tensors){all, count}), dim);
}

FORWARD(onnx_box_maxima)
{
  const int64_t *at = a->box.v;
  const int64_t h = at[3] - at[1] + 1, w = at[2] - at[0] + 1;
  y[0] = maxima_along(call, a->image, 1, at[1], h > 1 ? h : 1, a->shape.v[0]);
  y[0] = maxima_along(call, y[0], 2, at[0], w > 1 ? w : 1, a->shape.v[1]);
}

/* A corner of a box, as a place. */
static int64_t place_of(double at) { return at > INT32_MAX ? INT32_MAX : at > -INT32_MAX ? (int64_t)at : -INT32_MAX; }

/* Each box is a call of its own, so that what it takes is given back. */
FORWARD(onnx_max_roi_pool)
{
  Tensor *x = a->x;
  if (x->ndim != 4 || a->rois->ndim != 2 || a->rois->shape[1] != 5 || a->shape.n != 2 || a->shape.v[0] < 1
      || a->shape.v[1] < 1 || a->shape.v[0] > INT16_MAX || a->shape.v[1] > INT16_MAX)
    raise(call, "images of shape %s, and boxes of %s", shape_text(call, tensor_shape(x)),
          shape_text(call, tensor_shape(a->rois)));
  const int64_t n = a->rois->shape[0];
  const float *roi = floats_of(call, a->rois);
  Tensor **all = onnx_room(call, n, 1);
  for (int64_t i = 0; i < n; i++, roi += 5) {
    int64_t at[4];
    for (int k = 0; k < 4; k++) at[k] = place_of(round(roi[k + 1] * a->spatial_scale));
    all[i] = op(onnx_box_maxima, op(select, x, 0, image_of(call, x, roi[0])), ((Ints){at, 4}), a->shape);
  }
  y[0] = n ? op(stack, ((Tensors){all, n}), 0)
           : onnx_filled(call, INTS(0, x->shape[1], a->shape.v[0], a->shape.v[1]), 0, tensor_dtype(x));
}
