/* Numbers for tensors: a hash of their addresses. It holds a reference to each. */
#ifndef NNLUA_PROGRAM_TENSOR_MAP_H
#define NNLUA_PROGRAM_TENSOR_MAP_H

#include "core/tensor.h"

typedef struct TensorMap {
  struct TensorNumber {
    Tensor *tensor; /* NULL: free */
    int32_t number;
  } * places;
  size_t capacity, count; /* the capacity is 0 or a power of two */
} TensorMap;

/* The number of a tensor; -1 if it has none. */
int32_t tensor_map_find(const TensorMap *m, const Tensor *t);

/* Gives a tensor a number, or another one than it had. Raises without memory. */
void tensor_map_set(Call *call, TensorMap *m, Tensor *t, int32_t number);

/* Releases the tensors, and the memory. */
void tensor_map_free(Context *ctx, TensorMap *m);

#endif
