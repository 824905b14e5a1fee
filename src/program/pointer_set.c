/* A set of addresses. */
#include "program/pointer_set.h"

#include <string.h>

/* The place of an address, or the free one where it would be. */
static const void **place_of(const PointerSet *s, const void *p)
{
  size_t i = ((uintptr_t)p >> 4) * 0x9e3779b97f4a7c15u >> 20;
  while (s->places[i & (s->capacity - 1)] && s->places[i & (s->capacity - 1)] != p) i++;
  return &s->places[i & (s->capacity - 1)];
}

bool pointer_set_has(const PointerSet *s, const void *p) { return p && s->capacity && *place_of(s, p) == p; }

void pointer_set_add(Call *call, PointerSet *s, const void *p)
{
  if (2 * (s->count + 1) > s->capacity) {
    PointerSet larger = {.capacity = s->capacity ? 2 * s->capacity : 32, .count = s->count};
    larger.places = core_allocate(call->ctx, larger.capacity * sizeof *larger.places);
    memset(larger.places, 0, larger.capacity * sizeof *larger.places);
    for (size_t i = 0; i < s->capacity; i++)
      if (s->places[i]) *place_of(&larger, s->places[i]) = s->places[i];
    pointer_set_free(call->ctx, s);
    *s = larger;
  }
  const void **place = place_of(s, p);
  s->count += *place == NULL;
  *place = p;
}

void pointer_set_free(Context *ctx, PointerSet *s)
{
  if (s->places) memory_free(&ctx->memory, s->places, s->capacity * sizeof *s->places);
  *s = (PointerSet){0};
}
