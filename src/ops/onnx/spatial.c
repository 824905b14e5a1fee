/* Geometry over spatial axes as ONNX has it. */
#include "ops/onnx/spatial.h"

#include <string.h>

#include "ops/nn/pad.h"

static void fill(Call *call, const char *name, Ints list, int n, int64_t missing, int64_t least, int64_t *to)
{
  if (list.n >= 0 && list.n != n) raise(call, "%s has %lld elements for %d axes", name, (long long)list.n, n);
  for (int i = 0; i < n; i++) {
    to[i] = list.n < 0 ? missing : list.v[i];
    if (to[i] < least || to[i] > INT32_MAX) raise(call, "%s has %lld", name, (long long)to[i]);
  }
}

/* The pads that make the result as large as the image over the stride, rounded up. */
static void pad_same(Spatial *s, bool upper)
{
  for (int i = 0; i < s->n; i++) {
    const int64_t result = (s->size[i] + s->stride[i] - 1) / s->stride[i];
    int64_t total = (result - 1) * s->stride[i] + spatial_extent(s, i) - s->size[i];
    if (total < 0) total = 0;
    s->before[i] = upper ? total / 2 : total - total / 2;
    s->after[i] = total - s->before[i];
  }
}

Spatial spatial_of(Call *call, const Tensor *x, Ints kernel, Ints strides, Ints dilations, Ints pads,
                   const char *auto_pad)
{
  Spatial s = {.n = x->ndim - 2};
  if (s.n < 1 || s.n > MOST_AXES)
    raise(call, "shape %s: 1 to 3 spatial axes behind [N, C] are wanted", shape_text(call, tensor_shape(x)));
  for (int i = 0; i < s.n; i++) s.size[i] = x->shape[i + 2];
  fill(call, "kernel_shape", kernel, s.n, 1, 1, s.kernel);
  fill(call, "strides", strides, s.n, 1, 1, s.stride);
  fill(call, "dilations", dilations, s.n, 1, 1, s.dilation);
  if (strncmp(auto_pad, "SAME", 4) == 0) pad_same(&s, strcmp(auto_pad, "SAME_UPPER") == 0);
  else if (strcmp(auto_pad, "VALID") != 0 && pads.n >= 0) {
    if (pads.n != 2 * s.n) raise(call, "pads has %lld elements for %d axes", (long long)pads.n, s.n);
    fill(call, "pads", (Ints){pads.v, s.n}, s.n, 0, -INT32_MAX, s.before);
    fill(call, "pads", (Ints){pads.v + s.n, s.n}, s.n, 0, -INT32_MAX, s.after);
  }
  return s;
}

bool spatial_is_even(const Spatial *s)
{
  for (int i = 0; i < s->n; i++)
    if (s->before[i] != s->after[i] || s->before[i] < 0) return false;
  return true;
}

int64_t spatial_windows(Call *call, const Spatial *s, int i, bool ceil_mode)
{
  const int64_t room = s->size[i] + s->before[i] + s->after[i] - spatial_extent(s, i);
  int64_t n = room < 0 ? 0 : (room + (ceil_mode ? s->stride[i] - 1 : 0)) / s->stride[i] + 1;
  if (ceil_mode && room < 0 && room + s->stride[i] > 0) n = 1;
  if (ceil_mode && n > 0 && (n - 1) * s->stride[i] >= s->size[i] + s->before[i]) n--;
  if (n < 1) raise(call, "windows don't fit into the image");
  return n;
}

Tensor *spatial_padded(Call *call, Tensor *x, int n, const int64_t *before, const int64_t *after, Scalar value)
{
  int64_t pad[2 * MOST_AXES];
  bool is_none = true;
  for (int i = 0; i < n; i++) {
    pad[2 * (n - 1 - i)] = before[i], pad[2 * (n - 1 - i) + 1] = after[i];
    is_none = is_none && !before[i] && !after[i];
  }
  return is_none ? x : op(constant_pad_nd, x, ((Ints){pad, 2 * n}), value);
}
