/* Strides, broadcasting, sizes with overflow, and shapes as text. */
#include "core/shape.h"

#include <string.h>

#include "core/tensor.h"
#include "core/text.h"

int64_t shape_numel(const Call *call, Ints shape)
{
  if (shape.n > MAX_DIMS) raise(call, "a tensor has at most %d dimensions, not %d", MAX_DIMS, (int)shape.n);
  int64_t numel = 1;
  bool overflow = false;
  for (int64_t i = 0; i < shape.n; i++) {
    if (shape.v[i] < 0) raise(call, "negative size in %s", shape_text(call, shape));
    overflow |= __builtin_mul_overflow(numel, shape.v[i], &numel);
  }
  for (int64_t i = 0; i < shape.n; i++)
    if (shape.v[i] == 0) return 0;
  if (overflow || numel > INT64_MAX / 32) raise(call, "size %s is too large", shape_text(call, shape));
  return numel;
}

void shape_contiguous_strides(Ints shape, int64_t *strides)
{
  int64_t step = 1;
  for (int64_t i = shape.n - 1; i >= 0; i--) {
    strides[i] = step;
    int64_t size = shape.v[i] > 1 ? shape.v[i] : 1;
    if (__builtin_mul_overflow(step, size, &step)) step = 0; /* an empty tensor of huge sizes */
  }
}

int64_t shape_extent(const Call *call, Ints shape, Ints strides)
{
  int64_t last = 0, step;
  for (int64_t i = 0; i < shape.n; i++) {
    if (shape.v[i] == 0) return 0;
    if (__builtin_mul_overflow(shape.v[i] - 1, strides.v[i], &step) || __builtin_add_overflow(last, step, &last))
      raise(call, "strides %s are too large", shape_text(call, strides));
  }
  return last + 1;
}

int shape_dim(const Call *call, int64_t dim, int ndim)
{
  int n = ndim > 0 ? ndim : 1;
  if (dim >= 0 ? dim >= n : dim < -n) {
    int64_t shown = dim >= 0 && dim < INT64_MAX ? dim + 1 : dim;
    raise(call, "dimension %lld is out of range for a tensor of %d dimension%s (1 to %d, or -%d to -1)",
          (long long)shown, ndim, ndim == 1 ? "" : "s", n, n);
  }
  return (int)(dim < 0 ? dim + n : dim);
}

uint32_t shape_dims(const Call *call, Ints dims, int ndim)
{
  if (dims.n <= 0) return ndim ? (1u << ndim) - 1 : 1u;
  uint32_t mask = 0;
  for (int64_t i = 0; i < dims.n; i++) {
    uint32_t bit = 1u << shape_dim(call, dims.v[i], ndim);
    if (mask & bit) raise(call, "dimension %d appears twice", __builtin_ctz(bit) + 1);
    mask |= bit;
  }
  return mask;
}

int shape_broadcast(int64_t *shape, int ndim, Ints b)
{
  if (b.n > ndim) {
    memmove(shape + (b.n - ndim), shape, (size_t)ndim * sizeof *shape);
    for (int64_t i = 0; i < b.n - ndim; i++) shape[i] = 1;
    ndim = (int)b.n;
  }
  for (int64_t i = 1; i <= b.n; i++) {
    int64_t size = b.v[b.n - i], *mine = &shape[ndim - i];
    if (size == 1 || size == *mine) continue;
    if (*mine != 1) return -1;
    *mine = size;
  }
  return ndim;
}

bool shape_expands(Ints from, Ints to)
{
  if (from.n > to.n) return false;
  for (int64_t i = 1; i <= from.n; i++) {
    int64_t size = from.v[from.n - i];
    if (size != 1 && size != to.v[to.n - i]) return false;
  }
  return true;
}

bool shape_equal(Ints a, Ints b)
{
  return a.n == b.n && (a.n <= 0 || memcmp(a.v, b.v, (size_t)a.n * sizeof *a.v) == 0);
}

Ints shape_infer(Call *call, Ints shape, int64_t numel)
{
  Ints full = arena_ints(call->ctx, shape.v, shape.n);
  int64_t *sizes = (int64_t *)full.v, known = 1;
  int64_t unknown = -1;
  for (int64_t i = 0; i < shape.n; i++) {
    if (sizes[i] == -1) {
      if (unknown >= 0) raise(call, "only one size may be -1, in %s", shape_text(call, shape));
      unknown = i;
    } else if (sizes[i] < 0) {
      raise(call, "negative size in %s", shape_text(call, shape));
    } else if (__builtin_mul_overflow(known, sizes[i], &known)) {
      raise(call, "size %s is too large", shape_text(call, shape));
    }
  }
  bool fits = unknown < 0 ? known == numel : known > 0 && numel % known == 0;
  if (!fits) raise(call, "shape %s doesn't fit a tensor of %lld elements", shape_text(call, shape), (long long)numel);
  if (unknown >= 0) sizes[unknown] = numel / known;
  return full;
}

/* Splits the dimensions into runs that are one stretch of memory each, and cuts each run anew. */
bool shape_view_strides(Ints shape, Ints strides, Ints wanted, int64_t *result)
{
  uint64_t numel = 1;
  for (int64_t i = 0; i < shape.n; i++) numel *= (uint64_t)shape.v[i];
  if (numel == 0) {
    shape_contiguous_strides(wanted, result);
    return true;
  }
  int64_t view = wanted.n - 1;
  int64_t run_stride = shape.n ? strides.v[shape.n - 1] : 1, run = 1, cut = 1;
  if (!shape.n) {
    for (; view >= 0; view--) result[view] = 1;
    return true;
  }
  for (int64_t d = shape.n - 1; d >= 0; d--) {
    run *= shape.v[d];
    bool ends = d == 0 || (shape.v[d - 1] != 1 && strides.v[d - 1] != run * run_stride);
    if (!ends) continue;
    while (view >= 0 && (cut < run || wanted.v[view] == 1)) {
      result[view] = cut * run_stride;
      cut *= wanted.v[view--];
    }
    if (cut != run) return false;
    if (d > 0) {
      run_stride = strides.v[d - 1];
      run = cut = 1;
    }
  }
  return view == -1;
}

const char *shape_text(const Call *call, Ints shape)
{
  size_t room = 24 * (size_t)(shape.n > 0 ? shape.n : 0) + 32, used = 1;
  if (room > 512) room = 512;
  char *text = arena_allocate(call->ctx, room);
  text[0] = '(';
  for (int64_t i = 0; i < shape.n && used + 26 < room; i++)
    used += (size_t)text_format(text + used, room - used, "%s%lld", i ? ", " : "", (long long)shape.v[i]);
  text_format(text + used, room - used, ")");
  return text;
}
