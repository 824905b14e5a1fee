/* Tensors side by side in large blocks. */
#include "core/chunk.h"

#include "core/shape.h"

enum {
  BLOCK = 4 << 20,
  LARGEST = 2 << 20, /* larger ones have huge pages of their own (core/memory.c) */
  FEW = 1 << 18      /* bytes in all, for which a block isn't worth it */
};

static void let_block_go(void *owner, void *data)
{
  (void)data;
  storage_release(owner);
}

/* Makes room for so many bytes in the block, or in a new one. */
static void make_room(Call *call, Chunks *chunks, size_t bytes)
{
  if (chunks->block && chunks->used + bytes <= BLOCK) return;
  Storage *block = tensor_new(call, DTYPE_u8, DEVICE_CPU, INTS(BLOCK))->storage;
  block->refs++;
  storage_release(chunks->block);
  chunks->block = block;
  chunks->used = 0;
}

Tensor *chunk_tensor(Call *call, Chunks *chunks, DType dtype, Ints shape)
{
  const size_t size = dtype_size(dtype), n = (size_t)shape_numel(call, shape);
  if (n == 0 || n >= LARGEST / size) return tensor_new(call, dtype, DEVICE_CPU, shape);
  const size_t bytes = (n * size + MEMORY_ALIGNMENT - 1) & ~(size_t)(MEMORY_ALIGNMENT - 1);
  chunks->total += bytes;
  if (chunks->total < FEW) return tensor_new(call, dtype, DEVICE_CPU, shape);
  make_room(call, chunks, bytes);
  int64_t strides[MAX_DIMS];
  shape_contiguous_strides(shape, strides);
  Tensor *t = tensor_from_memory(call, chunks->block->data + chunks->used, n * size, dtype, shape,
                                 (Ints){strides, shape.n}, let_block_go, chunks->block);
  chunks->block->refs++;
  chunks->used += bytes;
  return t;
}
