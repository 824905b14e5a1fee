/*
 * Saved tensors that go through hooks of the user. An op only notes its node: the hooks run when the entry is left
 * that the op was called from, since no op has then tensors in its hands that a hook could change or free.
 */
#include "autograd/node.h"
#include "core/upward.h"
#include "ops/shape/copy.h"
#include "ops/table/words.h"

typedef struct Unpacked {
  Node *node; /* a reference */
  struct Unpacked *next;
} Unpacked;

void pack_later(Call *call, Node *n)
{
  Context *ctx = call->ctx;
  Unpacked *u = arena_allocate(ctx, sizeof *u);
  *u = (Unpacked){node_retain(n), ctx->unpacked};
  ctx->unpacked = u;
}

void leave_unpacked(Context *ctx)
{
  for (Unpacked *u = ctx->unpacked; u; u = u->next) node_release(u->node);
  ctx->unpacked = NULL;
}

int64_t fingerprint_of_saved(Call *call, Tensor *t)
{
  if (!dtype_is_integral(tensor_dtype(t)) || t->device == DEVICE_META) return 0;
  const int64_t *v = tensor_data(op(contiguous, cast(t, DTYPE_i64)));
  uint64_t h = 0;
  for (int64_t i = 0; i < t->numel; i++) { /* as Fowler, Noll and Vo, a word at a time */
    h = (h ^ (uint64_t)v[i]) * 0x9e3779b97f4a7c15u;
    h ^= h >> 32;
  }
  return (int64_t)h;
}

static void pack_node(Call *call, Node *n)
{
  Context *ctx = call->ctx;
  for (int place = 0; place < op_node_places(n); place++) {
    Tensor *t = op_node_saved(call, n, place);
    if (!t) continue;
    scope_own(ctx, tensor_retain(t));
    uint32_t version = tensor_version(t);
    bool packed = ctx->host.pack(call, n, place, t, fingerprint_of_saved(call, t));
    if (tensor_version(t) != version)
      raise_plain(ctx, "a pack hook has changed the tensor that it was given in place; change a clone of it");
    if (packed) op_node_set_packed(call, n, place);
  }
}

void pack_saved(Context *ctx)
{
  Call call = {.ctx = ctx};
  Unpacked *first = NULL;
  while (ctx->unpacked) { /* from now on they are the entry's, if a hook raises */
    Unpacked *u = ctx->unpacked;
    ctx->unpacked = u->next;
    scope_own_node(ctx, u->node);
    u->next = first;
    first = u;
  }
  bool recording = ctx->grad_enabled;
  ctx->grad_enabled = false;
  for (Unpacked *u = first; u; u = u->next) pack_node(&call, u->node);
  ctx->grad_enabled = recording;
}
