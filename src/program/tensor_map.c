/* A hash from tensors to numbers. */
#include "program/tensor_map.h"

#include <string.h>

/* The place of a tensor, or the free one where it would be. */
static struct TensorNumber *place_of(const TensorMap *m, const Tensor *t)
{
  size_t i = ((uintptr_t)t >> 4) * 0x9e3779b97f4a7c15u >> 20;
  while (m->places[i & (m->capacity - 1)].tensor && m->places[i & (m->capacity - 1)].tensor != t) i++;
  return &m->places[i & (m->capacity - 1)];
}

int32_t tensor_map_find(const TensorMap *m, const Tensor *t)
{
  if (!m->capacity) return -1;
  const struct TensorNumber *place = place_of(m, t);
  return place->tensor ? place->number : -1;
}

static void grow(Call *call, TensorMap *m)
{
  TensorMap larger = {.capacity = m->capacity ? 2 * m->capacity : 32, .count = m->count};
  larger.places = core_allocate(call->ctx, larger.capacity * sizeof *larger.places);
  memset(larger.places, 0, larger.capacity * sizeof *larger.places);
  for (size_t i = 0; i < m->capacity; i++)
    if (m->places[i].tensor) *place_of(&larger, m->places[i].tensor) = m->places[i];
  if (m->places) memory_free(&call->ctx->memory, m->places, m->capacity * sizeof *m->places);
  *m = larger;
}

void tensor_map_set(Call *call, TensorMap *m, Tensor *t, int32_t number)
{
  if (2 * (m->count + 1) > m->capacity) grow(call, m);
  struct TensorNumber *place = place_of(m, t);
  if (!place->tensor) {
    place->tensor = tensor_retain(t);
    m->count++;
  }
  place->number = number;
}

void tensor_map_free(Context *ctx, TensorMap *m)
{
  for (size_t i = 0; i < m->capacity; i++) tensor_release(m->places[i].tensor);
  if (m->places) memory_free(&ctx->memory, m->places, m->capacity * sizeof *m->places);
  *m = (TensorMap){0};
}
