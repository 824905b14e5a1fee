/* Geometry over spatial axes as ONNX has it: pads before and after, or found by auto_pad. */
#ifndef NNLUA_OPS_ONNX_SPATIAL_H
#define NNLUA_OPS_ONNX_SPATIAL_H

#include "ops/onnx/words.h"

enum { MOST_AXES = 3 };

typedef struct Spatial {
  int n; /* spatial axes: 1 to 3 */
  int64_t size[MOST_AXES], kernel[MOST_AXES], stride[MOST_AXES], dilation[MOST_AXES];
  int64_t before[MOST_AXES], after[MOST_AXES];
} Spatial;

/* Raises where lists don't fit x or numbers are out of range. Lists that are not given: no pads, ones. */
Spatial spatial_of(Call *call, const Tensor *x, Ints kernel, Ints strides, Ints dilations, Ints pads,
                   const char *auto_pad);

static inline int64_t spatial_extent(const Spatial *s, int i) { return s->dilation[i] * (s->kernel[i] - 1) + 1; }

/* How many windows there are along an axis: with ceil_mode a last one may hang over the end, if it begins before it.
   Raises if there is none. */
int64_t spatial_windows(Call *call, const Spatial *s, int i, bool ceil_mode);

/* Whether pads are the same before and after. */
bool spatial_is_even(const Spatial *s);

/* The spatial axes of x padded with a number; negative pads cut. */
Tensor *spatial_padded(Call *call, Tensor *x, int n, const int64_t *before, const int64_t *after, Scalar value);

#endif
