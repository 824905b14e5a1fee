/* Arithmetic on shapes and strides. Dimensions are 0-based here; user texts count from 1. */
#ifndef NNLUA_CORE_SHAPE_H
#define NNLUA_CORE_SHAPE_H

#include "core/call.h"

/* The number of elements; raises if a size is negative or the product overflows. */
int64_t shape_numel(const Call *call, Ints shape);

/* Row-major strides. */
void shape_contiguous_strides(Ints shape, int64_t *strides);

/* How many elements lie between the first and the last of a geometry, both counted; strides are not negative. Raises on
   overflow. */
int64_t shape_extent(const Call *call, Ints shape, Ints strides);

/* A dimension from -ndim..ndim-1 as 0..ndim-1 (a 0-dim tensor has one); raises out of range. */
int shape_dim(const Call *call, int64_t dim, int ndim);

/* A set of dimensions as a bit mask; none given or an empty list means all. Raises on repeats. */
uint32_t shape_dims(const Call *call, Ints dims, int ndim);

/* Broadcasts b into shape (which has room for MAX_DIMS); returns the new number of dimensions, or -1. */
int shape_broadcast(int64_t *shape, int ndim, Ints b);

/* Whether a tensor of shape `from` may be expanded to `to`. */
bool shape_expands(Ints from, Ints to);

bool shape_equal(Ints a, Ints b);

/* The shape with its one -1 replaced, checked against numel; in the arena. */
Ints shape_infer(Call *call, Ints shape, int64_t numel);

/* Strides that view (shape, strides) as `wanted` without a copy; false if there are none. */
bool shape_view_strides(Ints shape, Ints strides, Ints wanted, int64_t *result);

/* "(2, 3)" in the arena, for messages. */
const char *shape_text(const Call *call, Ints shape);

#endif
