/* Numbers as bytes by one scale and zero point. */
#ifndef NNLUA_LAUNCH_QUANTIZE_H
#define NNLUA_LAUNCH_QUANTIZE_H

#include "core/tensor.h"

/* Of bytes: real numbers are scale * (byte - zero). The scale is one element of float32; zero one of the bytes' dtype,
   NULL: 0. */
typedef struct ByteForm {
  Tensor *scale, *zero;
} ByteForm;

/* y (int8 or uint8) = x (float32, or bytes of the form `from`) in a form; between low and high, unless both are 0. */
void launch_quantize(Call *call, Tensor *x, ByteForm to, int64_t low, int64_t high, Tensor *y);
void launch_requantize(Call *call, Tensor *x, ByteForm from, ByteForm to, Tensor *y);

/* y (float32) = what bytes stand for. */
void launch_dequantize(Call *call, Tensor *x, ByteForm from, Tensor *y);

typedef enum BytePairKind { BYTES_ADD, BYTES_MUL } BytePairKind;

/* The sum or product of bytes of one dtype and shape, in a form: with the roundings of ONNX Runtime. */
void launch_byte_pair(Call *call, BytePairKind kind, Tensor *a, ByteForm of_a, Tensor *b, ByteForm of_b, ByteForm of_y,
                      Tensor *y);

#endif
