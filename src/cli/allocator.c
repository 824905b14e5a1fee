/*
 * A step of a small model makes and drops some tens of userdata, and Lua's collector frees them by
 * the thousand, which is what malloc is slowest at: its caches of freed blocks overflow. Here a
 * freed block goes to the list of its class and comes back from there. Measured with
 * bench/run.lua small: an op on 3x10 takes about a seventh less. Tensors are released with their
 * userdata's blocks, without finalizers: another seventh.
 */
#include "cli/allocator.h"

#include "lua/tensor/tensor.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEP = 16, LARGEST = 512, CLASSES = LARGEST / STEP, CHUNK = 64 << 10 };

typedef struct Free {
  struct Free *next;
} Free;
typedef struct Chunk {
  struct Chunk *next;
  _Alignas(16) char blocks[];
} Chunk;

typedef struct Allocator {
  Free *free[CLASSES];
  Chunk *chunks;
  char *unused, *end; /* of the newest chunk */
  TensorBlocks tensors;
  bool warns, continues;
} Allocator;

static size_t class_of(size_t size) { return (size - 1) / STEP; }

static void *carve(Allocator *a, size_t bytes)
{
  if ((size_t)(a->end - a->unused) < bytes) {
    Chunk *chunk = malloc(CHUNK);
    if (!chunk) return NULL;
    chunk->next = a->chunks;
    a->chunks = chunk;
    a->unused = chunk->blocks;
    a->end = (char *)chunk + CHUNK;
  }
  void *block = a->unused;
  a->unused += bytes;
  return block;
}

static void *take(Allocator *a, size_t size)
{
  if (size > LARGEST) return malloc(size);
  size_t class = class_of(size);
  Free *block = a->free[class];
  if (!block) return carve(a, (class + 1) * STEP);
  a->free[class] = block->next;
  return block;
}

static void give(Allocator *a, void *pointer, size_t size)
{
  if (size == a->tensors.size) tensor_block_freed(pointer, size);
  if (size > LARGEST) {
    free(pointer);
    return;
  }
  Free *block = pointer;
  block->next = a->free[class_of(size)];
  a->free[class_of(size)] = block;
}

static void *allocate(void *ud, void *pointer, size_t old_size, size_t new_size)
{
  Allocator *a = ud;
  if (!pointer) return new_size ? take(a, new_size) : NULL; /* old_size is then a type, not a size */
  if (new_size == 0) {
    if (old_size) give(a, pointer, old_size);
    return NULL;
  }
  if (old_size > LARGEST && new_size > LARGEST) return realloc(pointer, new_size);
  if (old_size <= LARGEST && new_size <= LARGEST && class_of(old_size) == class_of(new_size)) return pointer;
  void *moved = take(a, new_size);
  if (!moved) return new_size < old_size ? pointer : NULL; /* Lua counts on it that shrinking succeeds */
  memcpy(moved, pointer, old_size < new_size ? old_size : new_size);
  give(a, pointer, old_size);
  return moved;
}

/* Warnings, as luaL_newstate sets them up: off until "@on"; a message comes in pieces. */
static void warn(void *ud, const char *message, int to_be_continued)
{
  Allocator *a = ud;
  bool control = !a->continues && !to_be_continued && message[0] == '@';
  if (control) {
    if (strcmp(message, "@on") == 0) a->warns = true;
    else if (strcmp(message, "@off") == 0) a->warns = false;
    return;
  }
  if (a->warns) {
    fprintf(stderr, "%s%s%s", a->continues ? "" : "Lua warning: ", message, to_be_continued ? "" : "\n");
    fflush(stderr);
  }
  a->continues = to_be_continued;
}

/* An error outside of any protected call, which the interpreter has none of. */
static int panic(lua_State *L)
{
  const char *message = lua_tostring(L, -1);
  fprintf(stderr, "PANIC: unprotected error in call to Lua API (%s)\n", message ? message : "no message");
  fflush(stderr);
  return 0;
}

lua_State *allocator_new_state(void)
{
  Allocator *a = calloc(1, sizeof *a);
  if (!a) return NULL;
  lua_State *L = lua_newstate(allocate, a);
  if (!L) {
    free(a);
    return NULL;
  }
  lua_atpanic(L, panic);
  lua_setwarnf(L, warn, a);
  return L;
}

void allocator_release_tensors(lua_State *L)
{
  void *ud;
  lua_getallocf(L, &ud);
  tensor_blocks_use(L, &((Allocator *)ud)->tensors);
}

void allocator_close_state(lua_State *L)
{
  void *ud;
  lua_getallocf(L, &ud);
  lua_close(L);
  Allocator *a = ud;
  while (a->chunks) {
    Chunk *chunk = a->chunks;
    a->chunks = chunk->next;
    free(chunk);
  }
  free(a);
}
