/* Weights that are packed in bytes, the lowest bits first, with a scale and a zero point for each block of a row. */
#include "ops/onnx/packing.h"

#include "ops/math/arithmetic.h"
#include "ops/math/bitwise.h"
#include "ops/onnx/picking.h"
#include "ops/onnx/words.h"
#include "ops/shape/cat_split.h"
#include "ops/shape/permute_repeat.h"
#include "ops/shape/view.h"

/* Bytes [..., m] as the numbers of a few bits in them, [..., size] of at most m * 8 / bits. */
static Tensor *unpacked(Call *call, Tensor *bytes, int64_t bits, int64_t size)
{
  const int64_t each = 8 / bits;
  Tensor *parts[8];
  if (bits == 8) return op(narrow, bytes, -1, 0, size);
  for (int64_t i = 0; i < each; i++) {
    Tensor *part = i ? op(bitwise_right_shift, bytes, whole(i * bits)) : bytes;
    parts[i] = i < each - 1 ? op(bitwise_and, part, whole((1 << bits) - 1)) : part;
  }
  Tensor *all = op(stack, ((Tensors){parts, each}), -1);
  Ints shape = onnx_shape_with(call, tensor_shape(bytes), bytes->ndim - 1,
                               onnx_product(call, onnx_last_size(call, bytes), each));
  return op(narrow, op(reshape, all, shape), -1, 0, size);
}

static void check_bits(Call *call, int64_t bits, int64_t block)
{
  if (bits != 2 && bits != 4 && bits != 8) raise(call, "%lld bits are not taken: 2, 4 and 8 are", (long long)bits);
  if (block < 1) raise(call, "blocks of %lld", (long long)block);
}

/* Rows of elements [rows, k] less zero points, which are packed as they are or floats (NULL: middle), times the scales
   [rows, blocks] of their blocks. */
static Tensor *of_blocks(Call *call, Tensor *x, Tensor *scales, Tensor *zero, int64_t bits, int64_t block,
                         int64_t middle)
{
  const int64_t rows = x->shape[0], k = x->shape[1], blocks = k / block + (k % block > 0);
  const DType dtype = tensor_dtype(scales);
  Tensor *shift = number((double)middle);
  block = block < k ? block : k;
  if (zero) {
    const bool is_packed = dtype_is_integral(tensor_dtype(zero));
    const int64_t wide = onnx_product(call, blocks, bits);
    zero = reshaped(zero, rows, is_packed ? wide / 8 + (wide % 8 > 0) : blocks);
    shift = cast(is_packed ? unpacked(call, zero, bits, blocks) : zero, dtype);
    shift = op(narrow, op(repeat_interleave, shift, block, 1, NO_INT), 1, 0, k);
  }
  Tensor *scale = op(narrow, op(repeat_interleave, reshaped(scales, rows, blocks), block, 1, NO_INT), 1, 0, k);
  return op(mul, minus(cast(x, dtype), shift), scale);
}

FORWARD(onnx_unpack)
{
  check_bits(call, a->bits, a->block_size);
  if (a->n < 0 || a->k < 0) raise(call, "a weight of %lld rows of %lld", (long long)a->n, (long long)a->k);
  const int64_t rows = a->n;
  Tensor *bytes = reshaped(a->b, rows, rows ? a->b->numel / rows : 0);
  y[0] = of_blocks(call, unpacked(call, bytes, a->bits, a->k), a->scales, a->zero, a->bits, a->block_size,
                   1 << (a->bits - 1));
}

/* What a table has at positions along an axis that is not the last one; NULL of no table. */
static Tensor *taken(Call *call, Tensor *table, Tensor *indices, int64_t axis)
{
  if (!table) return NULL;
  if (table->ndim < 2 || onnx_axis(call, axis, table->ndim) == table->ndim - 1)
    raise(call, "a table of shape %s, along axis %lld: its blocks lie along the last axis",
          shape_text(call, tensor_shape(table)), (long long)axis);
  return op(onnx_gather, table, indices, axis);
}

static Tensor *as_rows(Call *call, Tensor *t)
{
  const int64_t wide = t->shape[t->ndim - 1];
  return reshaped(t, wide ? t->numel / wide : 0, wide);
}

FORWARD(onnx_gather_packed)
{
  check_bits(call, a->bits, a->block_size);
  Tensor *parts = taken(call, a->data, a->indices, a->gather_axis);
  if (onnx_axis(call, a->quantize_axis, a->data->ndim) != a->data->ndim - 1)
    raise(call, "quantize_axis is %lld: blocks along the last axis are taken", (long long)a->quantize_axis);
  Tensor *scales = as_rows(call, taken(call, a->scales, a->indices, a->gather_axis));
  const int64_t k = onnx_product(call, parts->shape[parts->ndim - 1], 8 / a->bits);
  Tensor *out = of_blocks(call, unpacked(call, as_rows(call, parts), a->bits, k), scales,
                          taken(call, a->zero, a->indices, a->gather_axis), a->bits, a->block_size, a->middle);
  y[0] = op(reshape, out, onnx_shape_with(call, tensor_shape(parts), parts->ndim - 1, k));
}
