/* Transforms, and the tensors that stand for others while one is under way. */
#include "autograd/transform.h"

#include "core/recorder.h"

Transform *transform_open(Call *call, TransformKind kind, int64_t rows, Randomness randomness)
{
  Context *ctx = call->ctx;
  if (ctx->recorder && ctx->recorder->outermost) tell_deed(ctx, "a function of nl.func");
  Transform *t = core_allocate(ctx, sizeof *t);
  *t = (Transform){.refs = 1,
                   .kind = (uint8_t)kind,
                   .randomness = (uint8_t)randomness,
                   .open = true,
                   .number = ++ctx->transform_number,
                   .rows = rows,
                   .ctx = ctx,
                   .next = ctx->transforms};
  if (t->next) t->next->previous = t;
  ctx->transforms = t;
  return t;
}

void transform_close(Transform *t)
{
  if (!t->open) return;
  t->open = false;
  if (t->next) t->next->previous = t->previous;
  *(t->previous ? &t->previous->next : &t->ctx->transforms) = t->next;
}

void transform_release(Transform *t)
{
  if (--t->refs) return;
  transform_close(t);
  memory_free(&t->ctx->memory, t, sizeof *t);
}

static void others_free(void *owner, void *data)
{
  (void)data;
  Others *o = owner;
  if (!o) return; /* memory ran out before it had any */
  Context *ctx = o->transform->ctx;
  tensor_release(o->value);
  tensor_release(o->tangent);
  transform_release(o->transform);
  memory_free(&ctx->memory, o, sizeof *o);
}

static Tensor *stand_in_new(Call *call, Transform *t, Tensor *value, Tensor *tangent, int skipped)
{
  Ints shape = {value->shape + skipped, value->ndim - skipped}, strides = {value->strides + skipped, shape.n};
  Tensor *made = tensor_stand_in(call, tensor_dtype(value), device_behind(value), shape, strides, value->offset,
                                 others_free);
  Others *o = core_allocate(call->ctx, sizeof *o);
  *o = (Others){transform_retain(t), tensor_retain(value), tensor_retain(tangent)};
  made->storage->external_owner = o;
  return made;
}

Tensor *stand_in_of_batch(Call *call, Transform *t, Tensor *value) { return stand_in_new(call, t, value, NULL, 1); }

Tensor *stand_in_with_tangent(Call *call, Transform *t, Tensor *value, Tensor *tangent)
{
  return stand_in_new(call, t, value, tangent, 0);
}

void transform_forward(Call *call, const Op *op, const void *args, Tensor **y, Transform *transform)
{
  if (!transform->open)
    raise(call, "a tensor of a transformed function (nl.func) that has ended is no tensor any more: return what is "
                "needed from the function");
  (transform->kind == TRANSFORM_BATCH ? batch_forward : tangent_forward)(call, op, args, y, transform);
}
