/*
 * Forward mode (nl.func.jvp, nl.autograd.forward_ad): ops of tensors with tangents. A pointwise op's tangent is the sum
 * of its derivatives times the operands' tangents. Of another op it is had from its backward, which is linear in the
 * gradient u of the result: the derivative of that by u, in the direction of the operands' tangents, is the result's
 * tangent (J. Townsend, "A new trick for calculating Jacobian vector products", 2017).
 */
#include "autograd/transform.h"

#include <string.h>

#include "ops/shape/copy.h"
#include "ops/shape/view.h"
#include "ops/table/ops.h"
#include "ops/table/pointwise.h"
#include "ops/table/words.h"

/* An op of tensors with tangents. */
typedef struct Pushing {
  Call *call;
  const Op *op;
  Transform *transform;
  ArgsRoom room;            /* the arguments with the tensors behind */
  Tensor **inputs, **along; /* those with tangents, and these */
  int n;
} Pushing;

static bool has_tangent(const Tensor *t, const Transform *transform)
{
  return is_of_transform(t, transform) && dtype_is_inexact(tensor_dtype(t));
}

/* An operand as the op is to be computed from it: one that a gradient by it can be asked for. */
static Tensor *operand_of(Pushing *p, Tensor *t, bool recorded)
{
  Call *call = p->call;
  Tensor *value = behind(t, p->transform);
  if (!recorded || !has_tangent(t, p->transform)) return value;
  bool connected = tensor_requires_grad(value);
  Tensor *input = connected ? op(alias, value) : op(detach, value);
  if (!connected) input->requires_grad = true;
  p->inputs[p->n] = input;
  p->along[p->n++] = others_of(t)->tangent;
  return input;
}

static int64_t count_operands(const OpPlan *plan, const void *args)
{
  int64_t n = 0;
  for (int k = 0; k < plan->ntensors; k++)
    n += plan->tensors[k].is_list ? ((const Tensors *)(const void *)((const char *)args + plan->tensors[k].offset))->n
                                  : 1;
  return n;
}

static void fill_room(Pushing *p, const void *args, bool recorded)
{
  const OpPlan *plan = op_plan(p->op);
  Context *ctx = p->call->ctx;
  size_t most = (size_t)count_operands(plan, args) + 1;
  p->n = 0;
  p->inputs = arena_allocate(ctx, most * sizeof *p->inputs);
  p->along = arena_allocate(ctx, most * sizeof *p->along);
  memcpy(p->room.bytes, args, p->op->args_size);
  for (int k = 0; k < plan->ntensors; k++) {
    Tensor **v = (Tensor **)(void *)(p->room.bytes + plan->tensors[k].offset);
    int64_t n = 1;
    if (plan->tensors[k].is_list) {
      Tensors *list = (Tensors *)(void *)v;
      Tensor **copy = arena_allocate(ctx, (size_t)(list->n + 1) * sizeof *copy);
      memcpy(copy, list->v, (size_t)list->n * sizeof *copy);
      list->v = v = copy;
      n = list->n;
    }
    for (int64_t i = 0; i < n; i++)
      if (v[i]) v[i] = operand_of(p, v[i], recorded);
  }
}

/* ---------------------------------------------------------------- pointwise ops */

static bool is_real_pointwise(const Op *op, const void *args)
{
  if (op->kind != OP_POINTWISE) return false;
  for (int i = 0; i < op->pointwise->arity; i++)
    if (!dtype_is_floating(tensor_dtype(((Tensor *const *)args)[i])) && !((Tensor *const *)args)[i]->is_wrapped_number)
      return false;
  return true;
}

/* The sum of derivatives times tangents; NULL where none has any. */
static Tensor *pointwise_tangent(Pushing *p, const void *args, Tensor *y)
{
  Call *call = p->call;
  Tensor *const *given = args, *sum = NULL;
  for (int i = 0; i < p->op->pointwise->arity; i++) {
    if (!has_tangent(given[i], p->transform)) continue;
    Tensor *along = cast(others_of(given[i])->tangent, tensor_dtype(y));
    Tensor *part = pointwise_derivative(call, p->op, i, p->room.bytes, y, op(expand_as, along, y));
    sum = sum ? plus(sum, part) : part;
  }
  return sum;
}

/* ------------------------------------------------------------------- other ops */

/*
 * Seeds for the results that gradients go back from, by which these are differentiated. That they are ones, not zeros,
 * matters to backwards that take their logarithms.
 */
static void make_seeds(Call *call, Tensor *const *y, int n, Tensor **seeds)
{
  for (int i = 0; i < n; i++) {
    bool reached = dtype_is_inexact(tensor_dtype(y[i])) && tensor_requires_grad(y[i]);
    seeds[i] = reached ? ones_like_of(y[i]) : NULL;
    if (reached) seeds[i]->requires_grad = true;
  }
}

/* The tangents of results, by the backward of the op's backward; NULL where there is none. */
static void tangents_through(Pushing *p, Tensor *const *y, int n, Tensor **tangents)
{
  Call *call = p->call;
  Tensor **seeds = arena_allocate(call->ctx, (size_t)(n + 2 * p->n + 1) * sizeof *seeds);
  Tensor **back = seeds + n, **along = back + p->n;
  make_seeds(call, y, n, seeds);
  gradients_through(call, y, seeds, n, p->inputs, p->n, back);
  int reached = 0;
  for (int i = 0; i < p->n; i++) {
    if (!back[i] || !tensor_requires_grad(back[i])) continue;
    back[reached] = back[i];
    along[reached++] = cast(p->along[i], tensor_dtype(back[i]));
  }
  gradients_through(call, back, along, reached, seeds, n, tangents);
}

static bool is_view_of(const Op *op, const Tensor *y, const Tensor *x)
{
  return op_plan(op)->ntensors == 1 && !op_plan(op)->has_list && y->storage == x->storage;
}

/* The same view of a tensor's tangent: so what is written to one is seen by the other. */
static Tensors view_of_tangent(Pushing *p, const void *args, Tensor **room)
{
  Tensor *first = *(Tensor *const *)args;
  memcpy(p->room.bytes, &others_of(first)->tangent, sizeof(Tensor *));
  return dispatch(p->call, p->op, p->room.bytes, NULL, room);
}

/* Whether what is computed now is recorded, and of something that wants a gradient. */
static bool is_recorded(const Pushing *p, const void *args, bool grad_enabled)
{
  const OpPlan *plan = op_plan(p->op);
  if (!grad_enabled) return false;
  for (int i = 0; i < p->n; i++)
    if (tensor_requires_grad(p->along[i])) return true;
  for (int k = 0; k < plan->ntensors; k++) {
    const void *place = (const char *)args + plan->tensors[k].offset;
    const Tensors one = {(Tensor **)place, 1}, *list = plan->tensors[k].is_list ? place : &one;
    for (int64_t i = 0; i < list->n; i++)
      if (list->v[i] && tensor_requires_grad(behind(list->v[i], p->transform))) return true;
  }
  return false;
}

static Tensor *without_history(Call *call, Tensor *t) { return t && tensor_requires_grad(t) ? op(detach, t) : t; }

/* The results of an op and their tangents, NULL where these are zero: in arena arrays of as many as are returned. */
static int push(Pushing *p, const void *args, Tensor ***results, Tensor ***tangents)
{
  Call *call = p->call;
  Context *ctx = call->ctx;
  bool grad_enabled = ctx->grad_enabled, pointwise = is_real_pointwise(p->op, args);
  Tensor *room[MAX_RESULTS], *more[MAX_RESULTS];
  if (!pointwise) ctx->grad_enabled = true;
  fill_room(p, args, !pointwise);
  Tensors y = dispatch(call, p->op, p->room.bytes, NULL, room);
  size_t bytes = (size_t)(y.n + 1) * sizeof(Tensor *);
  *results = memcpy(arena_allocate(ctx, bytes), y.v, (size_t)y.n * sizeof(Tensor *));
  *tangents = memset(arena_allocate(ctx, bytes), 0, bytes);
  if (pointwise) {
    if (dtype_is_inexact(tensor_dtype(y.v[0]))) (*tangents)[0] = pointwise_tangent(p, args, y.v[0]);
  } else if (y.n && p->n && is_view_of(p->op, y.v[0], p->inputs[0])) {
    memcpy(*tangents, view_of_tangent(p, args, more).v, (size_t)y.n * sizeof(Tensor *));
  } else if (p->n) {
    tangents_through(p, *results, (int)y.n, *tangents);
  }
  ctx->grad_enabled = grad_enabled;
  if (!pointwise && !is_recorded(p, args, grad_enabled))
    for (int64_t i = 0; i < y.n; i++) {
      (*results)[i] = without_history(call, (*results)[i]);
      (*tangents)[i] = without_history(call, (*tangents)[i]);
    }
  return (int)y.n;
}

/* ---------------------------------------------------------------- in-place forms */

/* What copy_ and fill_ write: the source's tangent, or none. */
static Tensor *tangent_of_source(Pushing *p, const void *args)
{
  if (op_plan(p->op)->ntensors < 2 || op_plan(p->op)->draws) return NULL;
  Tensor *source = ((Tensor *const *)args)[1];
  return has_tangent(source, p->transform) ? others_of(source)->tangent : NULL;
}

static bool only_writes(const Op *op)
{
  static const char *const rows[] = {"copy", "fill", "fill_tensor", "zero"};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (strcmp(op->row, rows[i]) == 0) return true;
  return op_plan(op)->draws;
}

/* A tangent that is the same for all rows of a batch makes way for one that isn't, unless views share its memory. */
static void write_tangent(Call *call, Others *others, Tensor *tangent)
{
  Tensor *old = others->tangent;
  if (!tangent) {
    op_(zero, old);
  } else if (tensor_stands_in(tangent) && !tensor_stands_in(old) && old->storage->refs == 1) {
    others->tangent = tensor_retain(tangent);
    tensor_release(old);
  } else {
    op_(copy, old, tangent, false);
  }
}

static void push_in_place(Pushing *p, const void *args, Tensor **y)
{
  Call *call = p->call;
  Tensor *into = call->into, *room[MAX_RESULTS];
  if (!is_of_transform(into, p->transform))
    raise(call,
          "a tensor without a tangent can't be changed in place by one that has it: use the form that gives a new "
          "tensor");
  Others *others = into->storage->external_owner;
  if (only_writes(p->op)) {
    fill_room(p, args, false);
    dispatch(call, p->op, p->room.bytes, others->value, room);
    write_tangent(call, others, tangent_of_source(p, args));
  } else {
    Tensor **results, **tangents;
    push(p, args, &results, &tangents);
    op_(copy, others->value, results[0], false);
    write_tangent(call, others, tangents[0]);
  }
  y[0] = into;
}

void tangent_forward(Call *call, const Op *op, const void *args, Tensor **y, Transform *transform)
{
  Pushing p = {.call = call, .op = op, .transform = transform};
  if (call->into) {
    push_in_place(&p, args, y);
    return;
  }
  Tensor **results, **tangents;
  int n = push(&p, args, &results, &tangents);
  Tensor **list = op->results == RESULTS_LIST ? result_list(call, n) : y;
  for (int i = 0; i < n; i++) {
    list[i] = results[i];
    if (!dtype_is_inexact(tensor_dtype(results[i]))) continue;
    Tensor *tangent = tangents[i] ? cast(tangents[i], tensor_dtype(results[i])) : zeros_like_of(results[i]);
    list[i] = stand_in_with_tangent(call, transform, results[i], tangent);
  }
}
