/* Numbers for tensors: it holds a reference to each. */
#ifndef NNLUA_PROGRAM_TENSOR_MAP_H
#define NNLUA_PROGRAM_TENSOR_MAP_H

#include "core/tensor.h"
#include "program/pointer_map.h"

typedef struct TensorMap {
  PointerMap map;
} TensorMap;

/* The number of a tensor; -1 if it has none. */
static inline int32_t tensor_map_find(const TensorMap *m, const Tensor *t) { return pointer_map_find(&m->map, t); }

/* Gives a tensor a number, or another one than it had. Raises without memory. */
void tensor_map_set(Call *call, TensorMap *m, Tensor *t, int32_t number);

/* Releases the tensors, and the memory. */
void tensor_map_free(Context *ctx, TensorMap *m);

#endif
