/* A hash from addresses to numbers. */
#include "program/pointer_map.h"

#include <string.h>

/* The place of an address, or the free one where it would be. */
static struct PointerNumber *place_of(const PointerMap *m, const void *p)
{
  size_t i = ((uintptr_t)p >> 4) * 0x9e3779b97f4a7c15u >> 20;
  while (m->places[i & (m->capacity - 1)].pointer && m->places[i & (m->capacity - 1)].pointer != p) i++;
  return &m->places[i & (m->capacity - 1)];
}

int32_t pointer_map_find(const PointerMap *m, const void *p)
{
  if (!m->capacity || !p) return -1;
  const struct PointerNumber *place = place_of(m, p);
  return place->pointer ? place->number : -1;
}

static void grow(Call *call, PointerMap *m)
{
  PointerMap larger = {.capacity = m->capacity ? 2 * m->capacity : 32, .count = m->count};
  larger.places = core_allocate(call->ctx, larger.capacity * sizeof *larger.places);
  memset(larger.places, 0, larger.capacity * sizeof *larger.places);
  for (size_t i = 0; i < m->capacity; i++)
    if (m->places[i].pointer) *place_of(&larger, m->places[i].pointer) = m->places[i];
  pointer_map_free(call->ctx, m);
  *m = larger;
}

bool pointer_map_set(Call *call, PointerMap *m, const void *p, int32_t number)
{
  if (2 * (m->count + 1) > m->capacity) grow(call, m);
  struct PointerNumber *place = place_of(m, p);
  const bool is_new = !place->pointer;
  m->count += is_new;
  *place = (struct PointerNumber){p, number};
  return is_new;
}

void pointer_map_free(Context *ctx, PointerMap *m)
{
  if (m->places) memory_free(&ctx->memory, m->places, m->capacity * sizeof *m->places);
  *m = (PointerMap){0};
}
