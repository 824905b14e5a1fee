/* A hash from tensors to numbers. */
#include "program/tensor_map.h"

void tensor_map_set(Call *call, TensorMap *m, Tensor *t, int32_t number)
{
  if (pointer_map_set(call, &m->map, t, number)) tensor_retain(t);
}

void tensor_map_free(Context *ctx, TensorMap *m)
{
  for (size_t i = 0; i < m->map.capacity; i++) tensor_release((Tensor *)(uintptr_t)m->map.places[i].pointer);
  pointer_map_free(ctx, &m->map);
}
