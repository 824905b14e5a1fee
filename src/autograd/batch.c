/* Ops of batches (nl.func.vmap): by a rule for the whole batch, or row by row. */
#include "autograd/batch.h"

#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "core/upward.h"
#include "ops/shape/cat_split.h"
#include "ops/shape/copy.h"
#include "ops/shape/view.h"
#include "ops/table/ops.h"
#include "ops/table/pointwise.h"
#include "ops/table/words.h"

int batch_ndim(const Batch *b) { return batch_first(b)->ndim; }

/* The tensors at the k-th argument that holds any: one, or a list. */
static Tensors tensors_of(const OpPlan *plan, int k, const void *args)
{
  void *place = (char *)args + plan->tensors[k].offset;
  return plan->tensors[k].is_list ? *(Tensors *)place : (Tensors){place, 1};
}

bool batch_has(const Batch *b, int k)
{
  Tensors list = tensors_of(op_plan(b->op), k, b->args);
  for (int64_t i = 0; i < list.n; i++)
    if (is_of_transform(list.v[i], b->transform)) return true;
  return false;
}

/* The room gets the arguments with what `pick` makes of each tensor. */
static void fill_room(Batch *b, Tensor *(*pick)(Batch *b, Tensor *t, int64_t row), int64_t row)
{
  const OpPlan *plan = op_plan(b->op);
  memcpy(b->room.bytes, b->args, b->op->args_size);
  for (int k = 0; k < plan->ntensors; k++) {
    Tensors given = tensors_of(plan, k, b->args);
    Tensor **v = (Tensor **)(void *)(b->room.bytes + plan->tensors[k].offset);
    if (plan->tensors[k].is_list) {
      Tensors *list = (Tensors *)(void *)v;
      list->v = v = arena_allocate(b->call->ctx, (size_t)(given.n ? given.n : 1) * sizeof *v);
    }
    for (int64_t i = 0; i < given.n; i++) v[i] = given.v[i] ? pick(b, given.v[i], row) : NULL;
  }
}

static Tensor *pick_behind(Batch *b, Tensor *t, int64_t row)
{
  (void)row;
  return behind(t, b->transform);
}

static Tensor *pick_aligned(Batch *b, Tensor *t, int64_t row)
{
  (void)row;
  if (is_of_transform(t, b->transform)) return behind(t, b->transform);
  Call *call = b->call;
  int64_t shape[MAX_DIMS + 1] = {b->transform->rows};
  memcpy(shape + 1, t->shape, (size_t)t->ndim * sizeof *shape);
  return op(expand, t, ((Ints){shape, t->ndim + 1}));
}

static Tensor *pick_row(Batch *b, Tensor *t, int64_t row)
{
  Call *call = b->call;
  return is_of_transform(t, b->transform) ? op(select, behind(t, b->transform), 0, row) : t;
}

void batch_align(Batch *b) { fill_room(b, pick_aligned, 0); }

void batch_give(Batch *b, Tensor **y, int k, Tensor *value)
{
  Tensor *first = b->op->nargs && argument_holds(&b->op->args[0]) == HOLDS_TENSOR ? batch_first(b) : NULL;
  bool same = is_of_transform(first, b->transform) && behind(first, b->transform) == value;
  y[k] = same ? first : stand_in_of_batch(b->call, b->transform, value);
}

void batch_run(Batch *b, const Op *op, Tensor **y)
{
  Call *call = b->call;
  Tensor *room[MAX_RESULTS], *into = call->into ? behind(call->into, b->transform) : NULL;
  Tensors results = dispatch(call, op, b->room.bytes, into, room);
  if (into) {
    y[0] = call->into;
    return;
  }
  Tensor **list = op->results == RESULTS_LIST ? result_list(call, results.n) : y;
  for (int64_t i = 0; i < results.n; i++) batch_give(b, list, (int)i, results.v[i]);
}

/* --------------------------------------------------------------- broadcasting */

Tensor *batch_widened(Call *call, Tensor *value, int64_t ndim)
{
  int64_t have = value->ndim - 1;
  if (have >= ndim) return value;
  int64_t shape[MAX_DIMS + 1];
  if (ndim + 1 > MAX_DIMS) raise(call, "a batch of tensors of %d dimensions has too many", (int)ndim);
  shape[0] = value->shape[0];
  for (int64_t i = 0; i < ndim - have; i++) shape[1 + i] = 1;
  memcpy(shape + 1 + ndim - have, value->shape + 1, (size_t)have * sizeof *shape);
  return op(view, value, ((Ints){shape, ndim + 1}));
}

/* The operands that an op broadcasts: all tensors that it has. */
static int most_dims(const Batch *b)
{
  const OpPlan *plan = op_plan(b->op);
  int most = 0;
  for (int k = 0; k < plan->ntensors; k++) {
    const Tensor *t = *(Tensor *const *)((const char *)b->args + plan->tensors[k].offset);
    if (t && t->ndim > most) most = t->ndim;
  }
  return most;
}

/* A row without dimensions weighs less among dtypes than the batch that it stands for would. */
static void keep_weights(Batch *b, Tensor **places, int n)
{
  Call *call = b->call;
  Tensor *const *given = b->args;
  bool differ = false;
  for (int i = 1; i < n; i++) differ |= given[i]->dtype != given[0]->dtype;
  if (!differ) return;
  DType d = promote_operands(call, given, n);
  for (int i = 0; i < n; i++)
    if (is_of_transform(given[i], b->transform) && given[i]->ndim == 0) places[i] = cast(places[i], d);
}

void batch_pointwise(Batch *b, Tensor **y)
{
  const OpPlan *plan = op_plan(b->op);
  int ndim = most_dims(b);
  if (b->op->kind == OP_POINTWISE) keep_weights(b, batch_first_behind(b), b->op->pointwise->arity);
  for (int k = 0; k < plan->ntensors; k++) {
    Tensor **place = (Tensor **)(void *)(b->room.bytes + plan->tensors[k].offset);
    if (*place && batch_has(b, k)) *place = batch_widened(b->call, *place, ndim);
  }
  batch_run(b, b->op, y);
}

/* ---------------------------------------------------------------- row by row */

/* Where the results of all rows are: rows[k * n + row] is that of the k-th result. */
static Tensor **room_of_rows(Batch *b, int64_t results)
{
  return arena_allocate(b->call->ctx, (size_t)(results * b->transform->rows + 1) * sizeof(Tensor *));
}

/* Once for each op. */
static void tell_of_rows(const Batch *b)
{
  Context *ctx = b->call->ctx;
  if (ctx->quiet_of_rows) return;
  if (!ctx->told_of_rows) ctx->told_of_rows = calloc((size_t)op_count, 1);
  if (!ctx->told_of_rows || ctx->told_of_rows[b->op->id]) return;
  ctx->told_of_rows[b->op->id] = 1;
  const char *suffix, *name = call_user_name(b->call, &suffix);
  char text[256];
  text_format(text, sizeof text,
              "nnlua: vmap: %s goes row by row here, which costs a call each "
              "(nl.func.set_vmap_fallback_warning_enabled(false) keeps this quiet)",
              name ? name : b->op->name);
  ctx->host.warn(ctx, text);
}

void batch_row_by_row(Batch *b, Tensor **y)
{
  Call *call = b->call;
  tell_of_rows(b);
  int64_t n = b->transform->rows, count = 0;
  Tensor **rows = NULL, *room[MAX_RESULTS];
  if (n == 0) raise(call, "an op without a rule for batches can't be run on a batch of no rows");
  for (int64_t row = 0; row < n; row++) {
    fill_room(b, pick_row, row);
    Tensor *into = call->into ? pick_row(b, call->into, row) : NULL;
    Tensors results = dispatch(call, b->op, b->room.bytes, into, room);
    if (into) continue;
    if (!rows) rows = room_of_rows(b, count = results.n);
    if (results.n != count) raise(call, "rows of the batch give different numbers of results");
    for (int64_t k = 0; k < count; k++) rows[k * n + row] = results.v[k];
  }
  if (call->into) {
    y[0] = call->into;
    return;
  }
  Tensor **list = b->op->results == RESULTS_LIST ? result_list(call, count) : y;
  for (int64_t k = 0; k < count; k++)
    list[k] = stand_in_of_batch(call, b->transform, op(stack, ((Tensors){rows + k * n, n}), 0));
}

/* A destination must have a place for each row. */
static void check_destination(Call *call, const Transform *t)
{
  if (!call->into) return;
  if (!is_of_transform(call->into, t))
    raise(call, "a tensor that is the same for all rows of the batch can't take values that differ: use the form that "
                "gives a new tensor");
  if (tensor_requires_grad(call->into) && call->ctx->grad_enabled && others_of(call->into)->value->storage->refs > 1)
    raise(call, "views of the tensor, or a graph, share its memory; within a batch, use the form that gives a new "
                "tensor where gradients are recorded");
}

/* ---------------------------------------------------------------- random numbers */

static bool has_any(const Batch *b)
{
  for (int k = 0; k < op_plan(b->op)->ntensors; k++)
    if (batch_has(b, k)) return true;
  return false;
}

/* What random numbers are drawn within a batch. Drawing for all rows at once takes the same numbers as PyTorch. */
static void draw(Batch *b, Tensor **y)
{
  Call *call = b->call;
  switch ((Randomness)b->transform->randomness) {
    case RANDOMNESS_ERROR:
      raise(call,
            "random numbers are drawn within vmap: give it {randomness = \"different\"} for other numbers in each "
            "row, or \"same\"");
    case RANDOMNESS_SAME:
      if (has_any(b)) raise(call, "rows that differ can't share their random numbers (randomness = \"same\")");
      b->op->forward(call, b->args, y);
      return;
    case RANDOMNESS_DIFFERENT: break;
  }
  BatchRule rule = batch_rule(b->op);
  (rule ? rule : batch_row_by_row)(b, y);
}

void batch_forward(Call *call, const Op *op, const void *args, Tensor **y, Transform *transform)
{
  Batch b = {.call = call, .op = op, .args = args, .transform = transform};
  check_destination(call, transform);
  fill_room(&b, pick_behind, 0);
  if (op_plan(op)->draws) {
    draw(&b, y);
    return;
  }
  BatchRule rule = op->kind == OP_POINTWISE ? batch_pointwise : batch_rule(op);
  (rule ? rule : batch_row_by_row)(&b, y);
}
