/* Quantized numbers as others of ONNX's operators multiply by them. */
#ifndef NNLUA_OPS_ONNX_QUANTIZING_H
#define NNLUA_OPS_ONNX_QUANTIZING_H

#define ROWS "ops/onnx/quantizing.def"
#include "ops/table/declare.h"

/* A matrix [k, n] of bytes that others are multiplied by: scale * (b - zero), with one scale and zero point, or one for
   each column. */
typedef struct ByteFactor {
  Tensor *b, *scale;
  Tensor *zero; /* int32, or NULL */
  Tensor *sums; /* of each column, int32: what a zero point of the other factor takes away */
} ByteFactor;

ByteFactor byte_factor(Call *call, Tensor *b, Tensor *scale, Tensor *zero);

/* x [..., k] quantized to bytes as its least and greatest elements want, times such a matrix. */
Tensor *dynamic_product(Call *call, Tensor *x, const ByteFactor *f);

#endif
