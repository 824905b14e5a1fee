/* Storages, tensors and their geometry: making, viewing and freeing them. */
#include "core/tensor.h"

#include <string.h>

#include "core/recorder.h"
#include "core/saved.h"
#include "core/shape.h"
#include "core/upward.h"

/* ---------------------------------------------------------------- storages */

/* Whether a storage lies in one block with a tensor, and whether that one is still in use. */
typedef enum StorageHeader { HEADER_APART, HEADER_IN_USE, HEADER_FREE } StorageHeader;

/* A small new tensor is one block: storage, header, elements. */
enum { JOINED_HEAD = sizeof(Storage) + sizeof(Tensor), MOST_JOINED = 2048 };
_Static_assert(JOINED_HEAD % MEMORY_ALIGNMENT == 0, "the elements of a joined tensor are aligned");

static Storage *storage_init(Storage *s, Context *ctx, size_t bytes, void *data, Device device)
{
  *s = (Storage){.refs = 1, .bytes = bytes, .data = data, .ctx = ctx, .device = (uint8_t)device};
  s->writes = ctx->first_writes += 2654435761u; /* far from those of the storages before: 2^32 by the golden ratio */
  ctx->live_storages++;
  return s;
}

/* The elements follow the header in the same block: one allocation a tensor's memory. */
static Storage *storage_new(Context *ctx, size_t bytes, Device device)
{
  size_t own = device == DEVICE_META ? 0 : bytes;
  if (device == DEVICE_META && ctx->recorder && ctx->recorder->forms_only) device = DEVICE_CPU;
  Storage *s = core_allocate(ctx, MEMORY_ALIGNMENT + own);
  return storage_init(s, ctx, bytes, own ? (char *)s + MEMORY_ALIGNMENT : NULL, device);
}
_Static_assert(sizeof(Storage) <= MEMORY_ALIGNMENT, "a storage's elements start behind its header");

void storage_release(Storage *s)
{
  if (!s || --s->refs) return;
  Context *ctx = s->ctx;
  bool own = !s->external_free && s->data;
  if (s->external_free) s->external_free(s->external_owner, s->data);
  ctx->live_storages--;
  if (s->header == HEADER_IN_USE) return; /* the tensor frees the block */
  size_t head = s->header == HEADER_APART ? MEMORY_ALIGNMENT : JOINED_HEAD;
  memory_free(&ctx->memory, s, head + (own ? s->bytes : 0));
  if (ctx->closed) context_close(ctx);
}

/* Frees the memory of a tensor's header. */
static void header_free(Context *ctx, Tensor *t)
{
  if (!t->is_joined) {
    memory_free(&ctx->memory, t, sizeof *t);
    return;
  }
  Storage *s = (Storage *)(void *)t - 1;
  s->header = HEADER_FREE;
  if (s->refs == 0) memory_free(&ctx->memory, s, JOINED_HEAD + s->bytes);
}

/* ----------------------------------------------------------------- headers */

enum { DIMS_BLOCK = 2 * MAX_DIMS * sizeof(int64_t) };

/* Most tensors have few dimensions, and small headers are fast: more need a block of their own. */
static void reserve_dims(Tensor *t, int64_t n)
{
  if (n <= INLINE_DIMS || t->shape != t->dims) return;
  t->shape = core_allocate(t->ctx, DIMS_BLOCK);
  t->strides = t->shape + MAX_DIMS;
}

static Tensor *header_init(Tensor *t, Context *ctx, DType dtype, Device device)
{
  memset(t, 0, offsetof(Tensor, dims));
  t->shape = t->dims;
  t->strides = t->dims + INLINE_DIMS;
  t->refs = 1;
  t->dtype = (uint8_t)dtype;
  t->device = (uint8_t)device;
  t->ctx = ctx;
  t->is_inference = ctx->inference;
  ctx->live_tensors++;
  t->next_live = ctx->live;
  if (ctx->live) ctx->live->previous_live = t;
  ctx->live = t;
  return t;
}

static Tensor *header_new(Context *ctx, DType dtype, Device device)
{
  return scope_own(ctx, header_init(core_allocate(ctx, sizeof(Tensor)), ctx, dtype, device));
}

/* A header with its own storage. */
static Tensor *header_with_storage(Context *ctx, DType dtype, Device device, size_t bytes)
{
  if (bytes > MOST_JOINED || device == DEVICE_META) {
    Tensor *t = header_new(ctx, dtype, device);
    t->storage = storage_new(ctx, bytes, device);
    return t;
  }
  Storage *s = core_allocate(ctx, JOINED_HEAD + bytes);
  storage_init(s, ctx, bytes, bytes ? (char *)s + JOINED_HEAD : NULL, device);
  s->header = HEADER_IN_USE;
  Tensor *t = header_init((Tensor *)(void *)(s + 1), ctx, dtype, device);
  t->is_joined = true;
  t->storage = s;
  return scope_own(ctx, t);
}

void tensor_free(Tensor *t)
{
  Context *ctx = t->ctx;
  if (t->retains_grad) node_forget_retained(t);
  if (t->saved) saved_abandon(t);
  if (t->carrier && ctx->host.carrier_released) ctx->host.carrier_released(ctx, t->carrier);
  storage_release(t->storage);
  Tensor *base = t->base, *grad = t->grad;
  struct Node *grad_fn = t->grad_fn;
  ctx->live_tensors--;
  if (t->next_live) t->next_live->previous_live = t->previous_live;
  *(t->previous_live ? &t->previous_live->next_live : &ctx->live) = t->next_live;
  if (t->shape != t->dims) memory_free(&ctx->memory, t->shape, DIMS_BLOCK);
  header_free(ctx, t);
  tensor_release(grad);
  tensor_release(base);
  if (grad_fn) node_release(grad_fn);
}

/* A storage that stands for others gives them back now. */
static void let_others_go(Storage *s)
{
  if (!s->external_free) return;
  s->external_free(s->external_owner, NULL);
  s->external_free = NULL;
}

/* Lua runs no finalizers for userdata that finalizers make while it closes: what they held is still here. */
void tensors_free_all(Context *ctx)
{
  for (Tensor *t = ctx->live; t; t = t->next_live) t->refs++; /* so that none goes before its turn */
  for (Tensor *t = ctx->live; t; t = t->next_live) {
    struct Node *grad_fn = t->grad_fn;
    Tensor *grad = t->grad, *base = t->base;
    t->grad_fn = NULL;
    t->grad = t->base = NULL;
    if (grad_fn) node_release(grad_fn);
    tensor_release(grad);
    tensor_release(base);
    if (tensor_stands_in(t)) let_others_go(t->storage);
  }
  while (ctx->live) tensor_free(ctx->live);
}

static bool strides_are_contiguous(Ints shape, Ints strides)
{
  int64_t step = 1;
  for (int64_t i = shape.n - 1; i >= 0; i--) {
    if (shape.v[i] == 0) return true;
  }
  for (int64_t i = shape.n - 1; i >= 0; i--) {
    if (shape.v[i] != 1 && strides.v[i] != step) return false;
    step *= shape.v[i];
  }
  return true;
}

void tensor_set_geometry(Tensor *t, Ints shape, Ints strides, int64_t offset)
{
  uint64_t numel = 1; /* wraps around, to 0 in the end, where an empty tensor has huge sizes */
  reserve_dims(t, shape.n);
  for (int64_t i = 0; i < shape.n; i++) {
    t->shape[i] = shape.v[i];
    t->strides[i] = strides.v[i];
    numel *= (uint64_t)shape.v[i];
  }
  t->ndim = (uint8_t)shape.n;
  t->numel = (int64_t)numel;
  t->offset = offset;
  t->is_contiguous = strides_are_contiguous(shape, strides);
}

Tensor *tensor_new(Call *call, DType dtype, Device device, Ints shape)
{
  int64_t numel = shape_numel(call, shape);
  Tensor *t = header_with_storage(call->ctx, dtype, device, (size_t)numel * dtype_size(dtype));
  t->ndim = (uint8_t)shape.n;
  t->numel = numel;
  t->is_contiguous = true;
  reserve_dims(t, shape.n);
  for (int64_t i = 0; i < shape.n; i++) t->shape[i] = shape.v[i];
  shape_contiguous_strides(shape, t->strides);
  return t;
}

Tensor *tensor_new_alike(Call *call, DType dtype, Device device, const Tensor *t)
{
  if (t->ndim > INLINE_DIMS) return tensor_new(call, dtype, device, tensor_shape(t));
  Tensor *alike = header_with_storage(call->ctx, dtype, device, (size_t)t->numel * dtype_size(dtype));
  alike->ndim = t->ndim;
  alike->numel = t->numel;
  alike->is_contiguous = true;
  for (int i = 0; i < t->ndim; i++) alike->shape[i] = t->shape[i];
  shape_contiguous_strides(tensor_shape(t), alike->strides);
  return alike;
}

Tensor *tensor_new_strided(Call *call, DType dtype, Device device, Ints shape, Ints strides)
{
  shape_numel(call, shape);
  int64_t elements = shape_extent(call, shape, strides);
  Tensor *flat = tensor_new(call, dtype, device, INTS(elements));
  tensor_set_geometry(flat, shape, strides, 0);
  return flat;
}

Tensor *tensor_view(Call *call, const Tensor *t, Ints shape, Ints strides, int64_t offset)
{
  Tensor *view = header_new(call->ctx, tensor_dtype(t), (Device)t->device);
  view->storage = t->storage;
  if (view->storage) view->storage->refs++;
  view->is_unversioned = t->is_unversioned;
  view->is_inference = t->is_inference;
  tensor_set_geometry(view, shape, strides, offset);
  return view;
}

Tensor *tensor_alias(Call *call, const Tensor *t)
{
  return tensor_view(call, t, tensor_shape(t), tensor_strides(t), t->offset);
}

Tensor *tensor_ghost(Call *call, const Tensor *t)
{
  Tensor *ghost = header_new(call->ctx, tensor_dtype(t), DEVICE_META);
  ghost->is_wrapped_number = t->is_wrapped_number;
  tensor_set_geometry(ghost, tensor_shape(t), tensor_strides(t), t->offset);
  return ghost;
}

Tensor *tensor_form(Call *call, const Tensor *t)
{
  Tensor *form = tensor_new_strided(call, tensor_dtype(t), DEVICE_META, tensor_shape(t), tensor_strides(t));
  form->is_wrapped_number = t->is_wrapped_number;
  form->storage->device = DEVICE_CPU;
  return form;
}

Tensor *tensor_from_memory(Call *call, void *data, size_t bytes, DType dtype, Ints shape, Ints strides,
                           void (*free)(void *owner, void *data), void *owner)
{
  shape_numel(call, shape);
  Tensor *t = header_new(call->ctx, dtype, DEVICE_CPU);
  Storage *s = core_allocate(call->ctx, MEMORY_ALIGNMENT);
  t->storage = storage_init(s, call->ctx, bytes, data, DEVICE_CPU);
  s->external_free = free;
  s->external_owner = owner;
  tensor_set_geometry(t, shape, strides, 0);
  return t;
}

Tensor *tensor_stand_in(Call *call, DType dtype, Device device, Ints shape, Ints strides, int64_t offset,
                        void (*free)(void *owner, void *data))
{
  Tensor *t = header_new(call->ctx, dtype, DEVICE_META);
  tensor_set_geometry(t, shape, strides, offset);
  t->storage = storage_new(call->ctx, 0, DEVICE_META);
  t->storage->device = (uint8_t)device;
  t->storage->stands_for_others = true;
  t->storage->external_free = free;
  return t;
}

Tensor *tensor_from_number(Call *call, Scalar s)
{
  DType dtype = s.kind == SCALAR_FLOAT ? DTYPE_f64 : scalar_dtype(s, DTYPE_f64);
  Tensor *t = tensor_new(call, dtype, DEVICE_CPU, (Ints){NULL, 0});
  t->is_wrapped_number = true;
  scalar_store(s, dtype, tensor_data(t));
  return t;
}

Scalar tensor_item(const Tensor *t) { return scalar_load(tensor_dtype(t), tensor_data(t)); }

/* Dimensions of more than one element, by falling stride, into order; returns how many. */
static int by_stride(const Tensor *t, int *order)
{
  int n = 0;
  for (int d = 0; d < t->ndim; d++) {
    if (t->shape[d] <= 1) continue;
    int i = n++;
    for (; i > 0 && t->strides[order[i - 1]] < t->strides[d]; i--) order[i] = order[i - 1];
    order[i] = d;
  }
  return n;
}

bool tensor_overlaps_itself(const Tensor *t)
{
  if (t->is_contiguous || t->numel <= 1) return false;
  int order[MAX_DIMS], n = by_stride(t, order);
  int64_t reach = 0; /* the furthest element of the dimensions seen so far */
  for (int i = n - 1; i >= 0; i--) {
    int d = order[i];
    if (t->strides[d] <= reach) return true;
    reach += (t->shape[d] - 1) * t->strides[d];
  }
  return false;
}

bool tensor_is_expanded(const Tensor *t)
{
  for (int d = 0; d < t->ndim; d++)
    if (t->shape[d] > 1 && t->strides[d] == 0) return true;
  return false;
}

bool tensor_is_dense(const Tensor *t)
{
  if (t->is_contiguous || t->numel == 0) return true;
  int order[MAX_DIMS], n = by_stride(t, order);
  int64_t step = 1;
  for (int i = n - 1; i >= 0; i--) {
    if (t->strides[order[i]] != step) return false;
    step *= t->shape[order[i]];
  }
  return true;
}

void tensor_adopt(Tensor *t, const Tensor *other)
{
  reserve_dims(t, other->ndim);
  if (other->storage) other->storage->refs++;
  storage_release(t->storage);
  t->storage = other->storage;
  t->dtype = other->dtype;
  t->device = other->device;
  tensor_set_geometry(t, tensor_shape(other), tensor_strides(other), other->offset);
}
