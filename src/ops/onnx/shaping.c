/* ONNX's operators on shapes. */
#include "ops/onnx/shaping.h"

#include <string.h>

#include "ops/index/gather.h"
#include "ops/index/mask.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/math/composed_arithmetic.h"
#include "ops/nn/pad.h"
#include "ops/onnx/words.h"
#include "ops/shape/cat_split.h"
#include "ops/shape/diagonal.h"
#include "ops/shape/factory.h"
#include "ops/shape/permute_repeat.h"
#include "ops/shape/view.h"

FORWARD(onnx_reshape)
{
  Ints wanted = whole_numbers_of(call, a->shape);
  int64_t shape[MAX_DIMS];
  if (wanted.n > MAX_DIMS) raise(call, "%lld dimensions are more than %d", (long long)wanted.n, MAX_DIMS);
  for (int64_t i = 0; i < wanted.n; i++) {
    shape[i] = wanted.v[i];
    if (shape[i] || a->allowzero) continue;
    if (i >= a->data->ndim) raise(call, "shape has 0 for a dimension that data hasn't");
    shape[i] = a->data->shape[i];
  }
  y[0] = op(reshape, a->data, ((Ints){shape, wanted.n}));
}

FORWARD(onnx_flatten)
{
  Tensor *x = a->input;
  const int64_t axis = a->axis < 0 ? a->axis + x->ndim : a->axis;
  if (axis < 0 || axis > x->ndim) raise(call, "axis %lld is not one of %d", (long long)a->axis, x->ndim);
  int64_t rows = 1, columns = 1;
  for (int i = 0; i < x->ndim; i++) *(i < axis ? &rows : &columns) *= x->shape[i];
  y[0] = reshaped(x, rows, columns);
}

FORWARD(onnx_squeeze)
{
  Tensor *x = a->data;
  if (!a->axes) {
    y[0] = op(squeeze, x);
    return;
  }
  uint32_t out = 0;
  Ints axes = whole_numbers_of(call, a->axes);
  int64_t shape[MAX_DIMS];
  int n = 0;
  for (int64_t i = 0; i < axes.n; i++) out |= 1u << onnx_axis(call, axes.v[i], x->ndim);
  for (int i = 0; i < x->ndim; i++) {
    if (!(out >> i & 1)) shape[n++] = x->shape[i];
    else if (x->shape[i] != 1) raise(call, "axis %d has size %lld, not 1", i, (long long)x->shape[i]);
  }
  y[0] = op(reshape, x, ((Ints){shape, n}));
}

FORWARD(onnx_unsqueeze)
{
  Ints axes = whole_numbers_of(call, a->axes);
  const int64_t n = a->data->ndim + axes.n;
  int64_t shape[MAX_DIMS];
  uint32_t is_new = 0;
  if (n > MAX_DIMS) raise(call, "%lld dimensions are more than %d", (long long)n, MAX_DIMS);
  for (int64_t i = 0; i < axes.n; i++) {
    const uint32_t bit = 1u << onnx_axis(call, axes.v[i], (int)n);
    if (is_new & bit) raise(call, "axis %lld is given twice", (long long)axes.v[i]);
    is_new |= bit;
  }
  for (int i = 0, from = 0; i < n; i++) shape[i] = is_new >> i & 1 ? 1 : a->data->shape[from++];
  y[0] = op(reshape, a->data, ((Ints){shape, n}));
}

FORWARD(onnx_expand)
{
  int64_t shape[MAX_DIMS];
  Ints wanted = whole_numbers_of(call, a->shape);
  memcpy(shape, a->input->shape, (size_t)a->input->ndim * sizeof *shape);
  const int n = wanted.n > MAX_DIMS ? -1 : shape_broadcast(shape, a->input->ndim, wanted);
  if (n < 0)
    raise(call, "shape %s does not broadcast with %s", shape_text(call, tensor_shape(a->input)),
          shape_text(call, wanted));
  y[0] = op(expand, a->input, ((Ints){shape, n}));
}

FORWARD(onnx_tile) { y[0] = op(tile, a->input, whole_numbers_of(call, a->repeats)); }

FORWARD(onnx_transpose)
{
  int64_t turned[MAX_DIMS];
  const int n = a->data->ndim;
  for (int i = 0; i < n; i++) turned[i] = n - 1 - i;
  y[0] = op(permute, a->data, a->perm.n < 0 ? (Ints){turned, n} : a->perm);
}

/* ------------------------------------------------------------------ blocks */

static int64_t check_images(Call *call, const Tensor *x, int64_t block)
{
  if (x->ndim != 4) raise(call, "images [N, C, H, W] are wanted, not shape %s", shape_text(call, tensor_shape(x)));
  if (block < 1 || block > INT32_MAX) raise(call, "blocksize is %lld", (long long)block);
  return block;
}

FORWARD(onnx_depth_to_space)
{
  Tensor *x = a->input;
  const int64_t b = check_images(call, x, a->blocksize), *s = x->shape, c = s[1] / b / b;
  if (c * b * b != s[1]) raise(call, "%lld channels are no multiple of %lld", (long long)s[1], (long long)(b * b));
  const bool depth_first = strcmp(a->mode, "DCR") == 0;
  Tensor *parts = depth_first ? reshaped(x, s[0], b, b, c, s[2], s[3]) : reshaped(x, s[0], c, b, b, s[2], s[3]);
  Tensor *placed = op(permute, parts, depth_first ? INTS(0, 3, 4, 1, 5, 2) : INTS(0, 1, 4, 2, 5, 3));
  y[0] = reshaped(placed, s[0], c, s[2] * b, s[3] * b);
}

FORWARD(onnx_space_to_depth)
{
  Tensor *x = a->input;
  const int64_t b = check_images(call, x, a->blocksize), *s = x->shape, h = s[2] / b, w = s[3] / b;
  if (h * b != s[2] || w * b != s[3]) raise(call, "blocks of %lld don't fill the image", (long long)b);
  Tensor *parts = reshaped(x, s[0], s[1], h, b, w, b);
  const bool depth_first = strcmp(a->mode, "DCR") == 0;
  Tensor *placed = op(permute, parts, depth_first ? INTS(0, 3, 5, 1, 2, 4) : INTS(0, 1, 3, 5, 2, 4));
  y[0] = reshaped(placed, s[0], s[1] * b * b, h, w);
}

FORWARD(onnx_trilu)
{
  const int64_t k = a->k ? scalar_integer(number_of(call, a->k)) : 0;
  y[0] = a->upper ? op(triu, a->input, k) : op(tril, a->input, k);
}

/* ------------------------------------------------------------------- parts */

static int64_t clamped(int64_t v, int64_t least, int64_t most) { return v < least ? least : v > most ? most : v; }

/* One axis of Slice, as NumPy has it: steps backwards are forward ones of the axis turned round. */
static Tensor *slice_axis(Call *call, Tensor *x, int axis, int64_t start, int64_t end, int64_t step)
{
  const int64_t n = onnx_size(x, axis);
  if (step == 0) raise(call, "a step is 0");
  if (start < 0) start = start < -n ? -1 - (step > 0) : start + n;
  if (end < 0) end = end < -n ? -1 : end + n;
  if (step > 0) {
    start = clamped(start, 0, n), end = clamped(end, 0, n);
    return op(slice, x, axis, start, end > start ? end : start, step);
  }
  start = clamped(start, -1, n - 1), end = clamped(end, -1, n - 1);
  if (start <= end) return op(slice, x, axis, 0, 0, 1);
  return op(slice, op(flip, x, INTS(axis)), axis, n - 1 - start, n - 1 - end, step == INT64_MIN ? INT64_MAX : -step);
}

FORWARD(onnx_slice)
{
  Tensor *x = a->data;
  Ints starts = whole_numbers_of(call, a->starts), ends = whole_numbers_of(call, a->ends);
  Ints axes = numbers_in(a->axes), steps = numbers_in(a->steps);
  if (starts.n != ends.n || (axes.n >= 0 && axes.n != starts.n) || (steps.n >= 0 && steps.n != starts.n))
    raise(call, "starts, ends, axes and steps differ in length");
  for (int64_t i = 0; i < starts.n; i++)
    x = slice_axis(call, x, onnx_axis(call, axes.n < 0 ? i : axes.v[i], x->ndim), starts.v[i], ends.v[i],
                   steps.n < 0 ? 1 : steps.v[i]);
  y[0] = x;
}

/* As op(split_sizes, …), with sizes that are checked against the axis. */
static Tensors parts_of(Call *call, Tensor *x, Ints sizes, int axis)
{
  const int64_t total = onnx_size(x, axis);
  int64_t left = total;
  for (int64_t i = 0; i < sizes.n; i++) {
    if (sizes.v[i] < 0 || sizes.v[i] > left)
      raise(call, "a part of %lld doesn't fit the axis of %lld", (long long)sizes.v[i], (long long)total);
    left -= sizes.v[i];
  }
  if (left) raise(call, "the parts leave %lld of the axis of %lld", (long long)left, (long long)total);
  return op(split_sizes, x, sizes, axis);
}

/* n parts of one size, of which the last may be smaller. */
static Ints even_sizes(Call *call, int64_t total, int64_t size, int64_t n)
{
  int64_t *v = onnx_room(call, n, 1);
  for (int64_t i = 0; i < n; i++, total -= size) v[i] = clamped(total, 0, size);
  return (Ints){v, n};
}

static int64_t divided_up(int64_t total, int64_t by) { return total / by + (total % by != 0); }

FORWARD(onnx_split)
{
  enum { MOST_OUTPUTS = 1000000 };
  const int axis = onnx_axis(call, a->axis, a->input->ndim);
  const int64_t n = a->num_outputs, total = onnx_size(a->input, axis);
  if (n < 1 || n > MOST_OUTPUTS) raise(call, "%lld outputs are wanted", (long long)n);
  Ints sizes = a->split ? whole_numbers_of(call, a->split) : even_sizes(call, total, divided_up(total, n), n);
  if (sizes.n != n) raise(call, "split has %lld sizes for %lld outputs", (long long)sizes.n, (long long)n);
  give_list(call, parts_of(call, a->input, sizes, axis));
}

FORWARD(onnx_split_to_sequence)
{
  Tensor *x = a->input;
  const int axis = onnx_axis(call, a->axis, x->ndim);
  const int64_t total = onnx_size(x, axis);
  if (!a->split) {
    give_list(call, a->keepdims ? op(split, x, 1, axis) : op(unbind, x, axis));
    return;
  }
  Ints sizes = whole_numbers_of(call, a->split);
  if (a->split->ndim == 0) {
    if (sizes.v[0] < 1) raise(call, "split is %lld", (long long)sizes.v[0]);
    sizes = even_sizes(call, total, sizes.v[0], divided_up(total, sizes.v[0]));
  }
  give_list(call, parts_of(call, x, sizes, axis));
}

/* ------------------------------------------------------------------ padding */

/* Where elements of an axis with n of them come from, `before` places before it and on: counted from 1. Negative pads
   cut first, and what is left is padded. */
static Tensor *padded_positions(Call *call, int64_t n, int64_t before, int64_t after, const char *mode)
{
  const int64_t total = n + before + after, cut = before < 0 ? -before : 0;
  const int64_t left = n - cut - (after < 0 ? -after : 0);
  if (left < 0)
    raise(call, "pads of %lld and %lld cut more than %lld", (long long)before, (long long)after, (long long)n);
  if (left == 0 && (total > 0 || n == 0)) raise(call, "there are no elements to pad with");
  n = left;
  if (before < 0) before = 0;
  int64_t *v = onnx_room(call, total, 1);
  for (int64_t i = 0; i < total; i++) {
    int64_t from = i - before;
    if (mode[0] == 'e') from = clamped(from, 0, n - 1);
    else if (mode[0] == 'w') from = (from % n + n) % n;
    else {
      const int64_t period = n > 1 ? 2 * (n - 1) : 1;
      from = (from % period + period) % period;
      if (from >= n) from = period - from;
    }
    v[i] = from + cut + 1;
  }
  return onnx_whole_numbers(call, (Ints){v, total});
}

/* The axes of x padded by constants; negative ones cut. */
static Tensor *pad_with_constant(Call *call, Tensor *x, const int64_t *before, const int64_t *after, Tensor *value)
{
  int64_t pad[2 * MAX_DIMS];
  const int n = x->ndim;
  for (int i = 0; i < n; i++) pad[2 * (n - 1 - i)] = before[i], pad[2 * (n - 1 - i) + 1] = after[i];
  const Scalar fill = value && value->numel ? number_of(call, value) : scalar_int(0);
  return op(constant_pad_nd, x, ((Ints){pad, 2 * n}), fill);
}

FORWARD(onnx_pad)
{
  Tensor *x = a->data;
  Ints pads = whole_numbers_of(call, a->pads), axes = numbers_in(a->axes);
  const int64_t n = axes.n < 0 ? x->ndim : axes.n;
  int64_t before[MAX_DIMS] = {0}, after[MAX_DIMS] = {0};
  if (pads.n != 2 * n) raise(call, "pads has %lld elements for %lld axes", (long long)pads.n, (long long)n);
  for (int64_t i = 0; i < n; i++) {
    const int axis = onnx_axis(call, axes.n < 0 ? i : axes.v[i], x->ndim);
    before[axis] = pads.v[i], after[axis] = pads.v[n + i];
    if (before[axis] < -INT32_MAX || before[axis] > INT32_MAX || after[axis] < -INT32_MAX || after[axis] > INT32_MAX)
      raise(call, "pads of more than 2^31 are not taken");
  }
  if (strcmp(a->mode, "constant") == 0) {
    y[0] = pad_with_constant(call, x, before, after, a->value);
    return;
  }
  for (int i = 0; i < x->ndim; i++)
    if (before[i] || after[i])
      x = op(index_select, x, i, padded_positions(call, x->shape[i], before[i], after[i], a->mode));
  y[0] = x;
}

FORWARD(onnx_center_crop_pad)
{
  Tensor *x = a->input;
  Ints shape = whole_numbers_of(call, a->shape);
  int64_t before[MAX_DIMS] = {0}, after[MAX_DIMS] = {0};
  if (shape.n != (a->axes.n < 0 ? x->ndim : a->axes.n)) raise(call, "shape and axes differ in length");
  for (int64_t i = 0; i < shape.n; i++) {
    const int axis = onnx_axis(call, a->axes.n < 0 ? i : a->axes.v[i], x->ndim);
    if (shape.v[i] < 0 || shape.v[i] > INT32_MAX) raise(call, "shape has %lld", (long long)shape.v[i]);
    const int64_t more = shape.v[i] - onnx_size(x, axis);
    before[axis] = more < 0 ? -(-more / 2) : more / 2;
    after[axis] = more - before[axis];
  }
  y[0] = pad_with_constant(call, x, before, after, NULL);
}

FORWARD(onnx_reverse_sequence)
{
  Tensor *x = a->input;
  if (x->ndim < 2) raise(call, "shape %s has no batch and time", shape_text(call, tensor_shape(x)));
  const int batch = onnx_axis(call, a->batch_axis, x->ndim), time = onnx_axis(call, a->time_axis, x->ndim);
  int64_t along[MAX_DIMS], across[MAX_DIMS];
  for (int i = 0; i < x->ndim; i++) {
    along[i] = i == time ? x->shape[i] : 1;
    across[i] = i == batch ? x->shape[i] : 1;
  }
  const Ints steps = {along, x->ndim}, sequences = {across, x->ndim};
  Tensor *t = op(reshape, op(arange, scalar_int(x->shape[time]), DTYPE_i64, DEVICE_NONE, false), steps);
  Tensor *length = op(reshape, cast(a->sequence_lens, DTYPE_i64), sequences);
  Tensor *from = op(where, op(lt, t, length), minus(minus(length, t), whole(1)), t);
  y[0] = op(gather, x, time, op(expand, plus(from, whole(1)), tensor_shape(x)), false);
}
