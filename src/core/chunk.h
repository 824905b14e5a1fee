/*
 * Tensors that last, side by side in large blocks. A fresh page of 4 KB costs more than to fill it, and one of 2 MB a
 * sixth of that for as many bytes: so weights, which are made once and kept together, don't take memory one by one.
 */
#ifndef NNLUA_CORE_CHUNK_H
#define NNLUA_CORE_CHUNK_H

#include "core/tensor.h"

/* Of one owner, whose tensors go at about the same time: a block stays until all of its tensors are gone. */
typedef struct Chunks {
  Storage *block; /* the one that is being filled; a reference, or NULL */
  size_t used, total;
} Chunks;

/* A new contiguous tensor of unset elements, owned by the running scope: in a block of these if there are many. */
Tensor *chunk_tensor(Call *call, Chunks *chunks, DType dtype, Ints shape);

/* Nothing more is to come. */
static inline void chunks_close(Chunks *chunks) { storage_release(chunks->block); }

#endif
