/* The values of a running program. */
#include "program/cells.h"

static const Tensors no_list = {NULL, -1};

Cells cells_open(Call *call, int32_t n, bool sequences)
{
  Context *ctx = call->ctx;
  Cells c = {.ctx = ctx, .base = ctx->owned_count};
  if (sequences) c.lists = arena_allocate(ctx, (size_t)(n > 0 ? n : 1) * sizeof *c.lists);
  for (int32_t i = 0; c.lists && i < n; i++) c.lists[i] = (struct CellList){no_list, 0};
  scope_room(ctx, (size_t)n);
  for (int32_t i = 0; i < n; i++) scope_own(ctx, NULL);
  return c;
}

static void drop_owned(Context *ctx, size_t place)
{
  Tensor *t = ctx->owned[place];
  ctx->owned[place] = NULL;
  tensor_release(t);
}

void cell_drop(const Cells *c, int32_t i)
{
  drop_owned(c->ctx, c->base + (size_t)i);
  if (!c->lists) return;
  for (int64_t k = 0; k < c->lists[i].list.n; k++) drop_owned(c->ctx, c->lists[i].first + (size_t)k);
  c->lists[i].list = no_list;
}

/* References of their own; afterwards nothing may fail until they are owned. */
static void retain_all(Call *call, const Argument *arguments, int32_t n)
{
  size_t room = 0;
  for (int32_t i = 0; i < n; i++) room += arguments[i].list.n > 0 ? (size_t)arguments[i].list.n + 1 : 1;
  scope_room(call->ctx, room);
  for (int32_t i = 0; i < n; i++) {
    tensor_retain(arguments[i].tensor);
    for (int64_t k = 0; k < arguments[i].list.n; k++) tensor_retain(arguments[i].list.v[k]);
  }
}

static void own_list(Context *ctx, Tensors list)
{
  for (int64_t k = 0; k < list.n; k++) scope_own(ctx, list.v[k]);
}

void cells_keep(Call *call, const Cells *c, size_t mark, const ValueId *cells, const Argument *arguments, int32_t n)
{
  Context *ctx = call->ctx;
  retain_all(call, arguments, n);
  scope_release(ctx, mark);
  for (int32_t i = 0; i < n; i++) cell_drop(c, cells[i]);
  for (int32_t i = 0; i < n; i++) {
    ctx->owned[c->base + (size_t)cells[i]] = arguments[i].tensor;
    if (!c->lists) continue;
    c->lists[cells[i]] = (struct CellList){arguments[i].list, ctx->owned_count};
    own_list(ctx, arguments[i].list);
  }
}

void arguments_keep(Call *call, size_t mark, const Argument *arguments, int32_t n)
{
  Context *ctx = call->ctx;
  retain_all(call, arguments, n);
  scope_release(ctx, mark);
  for (int32_t i = 0; i < n; i++) {
    if (arguments[i].tensor) scope_own(ctx, arguments[i].tensor);
    own_list(ctx, arguments[i].list);
  }
}
