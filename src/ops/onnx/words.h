/* What the operators of ONNX are written in: positions and axes that count from 0 and, if negative, from the end, and
   sizes that stand in tensors. As op(…), they use the variable `call`. */
#ifndef NNLUA_OPS_ONNX_WORDS_H
#define NNLUA_OPS_ONNX_WORDS_H

#include "core/call.h"
#include "launch/look.h"
#include "ops/table/helpers.h"

/* The numbers of a tensor; not given (n < 0) if there is none. */
#define numbers_in(t) ((t) ? whole_numbers_of(call, t) : NO_INTS)

#define reshaped(t, ...) onnx_reshaped(call, t, INTS(__VA_ARGS__))
Tensor *onnx_reshaped(Call *call, Tensor *t, Ints shape);

/* An int64 or float32 tensor of one dimension with these elements. */
Tensor *onnx_whole_numbers(Call *call, Ints values);
Tensor *onnx_reals(Call *call, const double *values, int64_t n);

/* An axis from -n..n-1 as 0..n-1 (a 0-dim tensor has one); raises out of range. */
int onnx_axis(Call *call, int64_t axis, int n);

/* Positions from 0, of which negative ones count from the end of `size`, as ours, from 1. */
Tensor *onnx_positions(Call *call, Tensor *index, int64_t size);

/* Ours as ONNX's. */
Tensor *onnx_from_zero(Call *call, Tensor *positions);

/* The shape with the size along a dimension replaced. */
Ints onnx_shape_with(Call *call, Ints shape, int dim, int64_t size);

/* The size along an axis of onnx_axis: 1 of a 0-dim tensor. */
int64_t onnx_size(const Tensor *t, int axis);

/* The size along the last axis; raises for a 0-dim tensor. */
int64_t onnx_last_size(Call *call, const Tensor *t);

/* a * b; raises if it is negative or no int64. Sizes next to a size of 0 can be anything. */
int64_t onnx_product(Call *call, int64_t a, int64_t b);

/* Room for a * b numbers or pointers of 8 bytes until the call ends. */
void *onnx_room(Call *call, int64_t a, int64_t b);

/* All dimensions of n but the first `from`. */
Ints onnx_dims_from(Call *call, int from, int n);

/* a, b: two tensors as a list. */
#define both_of(a, b) ((Tensors){(Tensor *[]){a, b}, 2})

/* A 0-dim tensor that is a number to the others in promotion. */
#define whole(value) tensor_from_number(call, scalar_int(value))

/* A tensor of a shape, filled with a number. */
Tensor *onnx_filled(Call *call, Ints shape, double value, DType dtype);

#endif
