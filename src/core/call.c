/* Entries, errors, scopes and the arena of calls. */
#include "core/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/interrupt.h"
#include "core/recorder.h"
#include "core/shape.h"
#include "core/tensor.h"
#include "core/text.h"
#include "core/upward.h"

typedef struct ArenaBlock {
  struct ArenaBlock *previous;
  size_t size;
  _Alignas(16) char data[];
} ArenaBlock;

enum { ARENA_BLOCK = 16 << 10 };

void entry_open(Context *ctx, Entry *entry)
{
  entry->outer = ctx->entry;
  entry->owned = ctx->owned_count;
  entry->arena = ctx->arena;
  entry->arena_used = ctx->arena_used;
  entry->grad_enabled = ctx->grad_enabled;
  entry->recording_suspended = ctx->recording_suspended;
  entry->changes_in_place = ctx->changes_in_place;
  entry->autocast = ctx->autocast;
  ctx->entry = entry;
}

static void arena_rewind(Context *ctx, ArenaBlock *mark, size_t used)
{
  while (ctx->arena != mark) {
    ArenaBlock *block = ctx->arena;
    if (!block->previous) { /* the first block is kept for the next call */
      ctx->arena_used = 0;
      return;
    }
    ctx->arena = block->previous;
    free(block);
  }
  ctx->arena_used = used;
}

static void leave(Context *ctx, const Entry *entry)
{
  ctx->entry = entry->outer;
  scope_release(ctx, entry->owned);
  arena_rewind(ctx, entry->arena, entry->arena_used);
}

void entry_leave(Context *ctx, Entry *entry)
{
  if (ctx->unpacked) pack_saved(ctx);
  leave(ctx, entry);
}

_Noreturn static void unwind(Context *ctx)
{
  Entry *entry = ctx->entry;
  if (!entry) { /* only a fault of the core itself gets here */
    fprintf(stderr, "nnlua: error outside of any entry: %s\n", ctx->error);
    abort();
  }
  ctx->grad_enabled = entry->grad_enabled;
  ctx->recording_suspended = entry->recording_suspended;
  ctx->changes_in_place = entry->changes_in_place;
  ctx->autocast = entry->autocast;
  ctx->node = NULL;
  leave_unpacked(ctx);
  leave(ctx, entry);
  _longjmp(entry->escape, 1);
}

_Noreturn void raise_plain(Context *ctx, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  text_vformat(ctx->error, sizeof ctx->error, format, arguments);
  va_end(arguments);
  ctx->error_is_foreign = ctx->error_is_interrupt = false;
  unwind(ctx);
}

_Noreturn void raise(const Call *call, const char *format, ...)
{
  Context *ctx = call->ctx;
  const char *suffix, *name = call_user_name(call, &suffix);
  int used = 0;
  if (ctx->node && name)
    used = text_format(ctx->error, sizeof ctx->error, "node %.200s (%s%s): ", ctx->node, name, suffix);
  else if (ctx->node) used = text_format(ctx->error, sizeof ctx->error, "node %.200s: ", ctx->node);
  else if (name) used = text_format(ctx->error, sizeof ctx->error, "%s%s: ", name, suffix);
  va_list arguments;
  va_start(arguments, format);
  text_vformat(ctx->error + used, sizeof ctx->error - (size_t)used, format, arguments);
  va_end(arguments);
  ctx->error_is_foreign = ctx->error_is_interrupt = false;
  unwind(ctx);
}

_Noreturn void raise_foreign(Context *ctx)
{
  ctx->error_is_foreign = true;
  ctx->error_is_interrupt = false;
  unwind(ctx);
}

_Noreturn void raise_again(Context *ctx) { unwind(ctx); }

_Noreturn void raise_no_memory(Context *ctx, size_t bytes)
{
  raise_plain(ctx, "not enough memory: %zu bytes wanted with %zu bytes in tensors", bytes, ctx->memory.allocated);
}

/* Room for n more, at least twice what there was. */
static bool grow_owned(Context *ctx, size_t n)
{
  size_t capacity = ctx->owned_capacity ? 2 * ctx->owned_capacity : 64;
  if (capacity < ctx->owned_count + n) capacity = ctx->owned_count + n;
  struct Tensor **grown = realloc(ctx->owned, capacity * sizeof *grown);
  if (!grown) return false;
  ctx->owned = grown;
  ctx->owned_capacity = capacity;
  return true;
}

/* Nodes stand among the owned tensors with the lowest bit of their address set. */
static void release_owned(struct Tensor *p)
{
  if ((uintptr_t)p & 1) node_release((struct Node *)((uintptr_t)p - 1));
  else tensor_release(p);
}

static void own(Context *ctx, struct Tensor *p)
{
  if (ctx->owned_count == ctx->owned_capacity && !grow_owned(ctx, 1)) {
    release_owned(p);
    raise_no_memory(ctx, 2 * ctx->owned_capacity * sizeof *ctx->owned);
  }
  ctx->owned[ctx->owned_count++] = p;
}

struct Tensor *scope_own(Context *ctx, struct Tensor *t)
{
  own(ctx, t);
  return t;
}

void scope_room(Context *ctx, size_t n)
{
  if (ctx->owned_capacity - ctx->owned_count < n && !grow_owned(ctx, n))
    raise_no_memory(ctx, 2 * ctx->owned_capacity * sizeof *ctx->owned);
}

void scope_own_node(Context *ctx, struct Node *n) { own(ctx, (struct Tensor *)((uintptr_t)n | 1)); }

void scope_release(Context *ctx, size_t mark)
{
  while (ctx->owned_count > mark) release_owned(ctx->owned[--ctx->owned_count]);
}

static ArenaBlock *arena_grow(Context *ctx, size_t bytes)
{
  size_t size = bytes > ARENA_BLOCK ? bytes : ARENA_BLOCK;
  ArenaBlock *block = malloc(sizeof *block + size);
  if (!block) raise_no_memory(ctx, size);
  block->previous = ctx->arena;
  block->size = size;
  ctx->arena = block;
  ctx->arena_used = 0;
  return block;
}

void *arena_allocate(Context *ctx, size_t bytes)
{
  if (bytes > SIZE_MAX / 2) raise_no_memory(ctx, bytes);
  bytes = (bytes + 15) & ~(size_t)15;
  ArenaBlock *block = ctx->arena;
  if (!block || block->size - ctx->arena_used < bytes) block = arena_grow(ctx, bytes);
  void *memory = block->data + ctx->arena_used;
  ctx->arena_used += bytes;
  return memory;
}

Ints arena_ints(Context *ctx, const int64_t *v, int64_t n)
{
  int64_t *copy = arena_allocate(ctx, (size_t)(n > 0 ? n : 1) * sizeof *copy);
  if (n > 0) memcpy(copy, v, (size_t)n * sizeof *copy);
  return (Ints){copy, n};
}

void *core_allocate(Context *ctx, size_t bytes)
{
  void *block = memory_allocate(&ctx->memory, bytes);
  if (block) return block;
  if (!ctx->memory.injected && ctx->host.reclaim && ctx->host.reclaim(ctx))
    block = memory_allocate(&ctx->memory, bytes);
  if (!block && ctx->recorder && ctx->recorder->give_up && ctx->recorder->give_up(ctx->recorder))
    block = memory_allocate(&ctx->memory, bytes);
  ctx->memory.injected = false;
  if (!block) raise_no_memory(ctx, bytes);
  return block;
}

_Noreturn void raise_interrupted(Context *ctx)
{
  if (ctx->host.interrupted) ctx->host.interrupted(ctx);
  text_format(ctx->error, sizeof ctx->error, "interrupted!");
  ctx->error_is_foreign = false;
  ctx->error_is_interrupt = true;
  unwind(ctx);
}

void check_interrupt(Call *call)
{
  if (interrupt_is_requested() && interrupt_target() == call->ctx) raise_interrupted(call->ctx);
}

Context *context_new(void)
{
  Context *ctx = calloc(1, sizeof *ctx);
  if (!ctx) return NULL;
  memory_init(&ctx->memory);
  generator_seed(&ctx->generator, 67280421310721u); /* PyTorch's default seed */
  ctx->grad_enabled = true;
  ctx->default_dtype = DTYPE_f32;
  ctx->autocast = DTYPE_NONE;
  return ctx;
}

void context_close(Context *ctx)
{
  ctx->closed = false; /* storages don't come back here while tensors go */
  tensors_free_all(ctx);
  fft_plans_free(ctx);
  memory_trim(&ctx->memory);
  ctx->closed = ctx->live_storages > 0;
  if (ctx->closed) return;
  while (ctx->arena) {
    ArenaBlock *block = ctx->arena;
    ctx->arena = block->previous;
    free(block);
  }
  free(ctx->owned);
  free(ctx->told_of_rows);
  free(ctx);
}
