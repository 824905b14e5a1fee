/* The rows of ops/onnx/byte_convolving.def. */
#ifndef NNLUA_OPS_ONNX_BYTE_CONVOLVING_H
#define NNLUA_OPS_ONNX_BYTE_CONVOLVING_H

#define ROWS "ops/onnx/byte_convolving.def"
#include "ops/table/declare.h"

/* Whether the row takes these arguments: bytes, one or two spatial axes, pads that don't cut, shapes that fit, sums
   that int32 holds. */
bool byte_conv_takes(Call *call, const struct onnx_byte_conv_args *a);

#endif
