/* Numbers for addresses: a hash. */
#ifndef NNLUA_PROGRAM_POINTER_MAP_H
#define NNLUA_PROGRAM_POINTER_MAP_H

#include "core/call.h"

typedef struct PointerMap {
  struct PointerNumber {
    const void *pointer; /* NULL: free */
    int32_t number;
  } * places;
  size_t capacity, count; /* the capacity is 0 or a power of two */
} PointerMap;

/* The number of an address; -1 if it has none. NULL never has. */
int32_t pointer_map_find(const PointerMap *m, const void *p);

static inline bool pointer_map_has(const PointerMap *m, const void *p) { return pointer_map_find(m, p) >= 0; }

/* Gives an address a number, or another one than it had; true if it had none. Raises without memory. */
bool pointer_map_set(Call *call, PointerMap *m, const void *p, int32_t number);

void pointer_map_free(Context *ctx, PointerMap *m);

#endif
