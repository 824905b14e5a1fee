/* A set of addresses: a hash. */
#ifndef NNLUA_PROGRAM_POINTER_SET_H
#define NNLUA_PROGRAM_POINTER_SET_H

#include "core/call.h"

typedef struct PointerSet {
  const void **places; /* NULL: free */
  size_t capacity, count;
} PointerSet;

/* Whether an address is in it; NULL never is. */
bool pointer_set_has(const PointerSet *s, const void *p);

/* Puts one in. Raises without memory. */
void pointer_set_add(Call *call, PointerSet *s, const void *p);

void pointer_set_free(Context *ctx, PointerSet *s);

#endif
