/* What C hosts call: nnlua.h. */
#include "lua/nnlua.h"

#include <stdlib.h>
#include <string.h>

#include "lua/binding.h"
#include "lua/prepare.h"

int nnlua_version(void) { return NNLUA_VERSION_NUMBER; }

void nnlua_open(lua_State *L)
{
  nnlua_prepare(L);
  luaL_requiref(L, "nnlua", luaopen_nnlua, 0);
  lua_pop(L, 1);
}

/* An index as Lua takes it; one that the stack does not reach down to is as one beyond its top, where nothing is. */
static int index_within(lua_State *L, int index)
{
  bool below = index > LUA_REGISTRYINDEX && index < -lua_gettop(L);
  bool no_upvalue = index < LUA_REGISTRYINDEX - UINT8_MAX;
  return below || no_upvalue || index == 0 ? lua_gettop(L) + 1 : index;
}

int nnlua_is_tensor(lua_State *L, int index) { return tensor_test(L, index_within(L, index)) != NULL; }

/* ------------------------------------------------------------------- types */

#define CODE_BOOL(dtype, type) kDLBool
#define CODE_INTEGRAL(dtype, type) ((type)-1 > 0 ? kDLUInt : kDLInt)
#define CODE_FLOATING(dtype, type) (dtype == DTYPE_bf16 ? kDLBfloat : kDLFloat)
#define CODE_COMPLEX(dtype, type) kDLComplex
static const DLDataType types[DTYPE_COUNT] = {
#define DTYPE(suffix, name, other, type, category, compute, block, bytes) \
  [DTYPE_##suffix] = {CODE_##category(DTYPE_##suffix, type), 8 * bytes / block, 1},
#include "core/dtypes.def"
#undef DTYPE
};

static DType dtype_check(lua_State *L, DLDataType type)
{
  for (int d = 0; d < DTYPE_COUNT; d++)
    if (types[d].lanes == type.lanes && types[d].code == type.code && types[d].bits == type.bits) return (DType)d;
  user_error(L, "no dtype has the code %d with %d bits and %d lanes", type.code, type.bits, type.lanes);
  return DTYPE_NONE;
}

/* ------------------------------------------------------------ from the state */

/* The tensor at an index, one with elements in memory. */
static Tensor *readable_check(lua_State *L, int index)
{
  Tensor *t = tensor_check(L, index_within(L, index));
  if (t->device != DEVICE_CPU) user_error(L, "%s to hand over", why_no_elements(t));
  tell_reading(L, t, "a host");
  return t;
}

static DLTensor description_of(const Tensor *t)
{
  return (DLTensor){.data = tensor_data(t),
                    .device = {kDLCPU, 0},
                    .ndim = t->ndim,
                    .dtype = types[t->dtype],
                    .shape = t->shape,
                    .strides = t->strides};
}

void nnlua_check_tensor(lua_State *L, int index, DLTensor *view)
{
  Tensor *t = readable_check(L, index);
  if (!view) user_error(L, "there is no DLTensor to describe the tensor in: it is NULL");
  *view = description_of(t);
}

/* What is handed over: a storage that outlives the tensor, with the tensor's geometry. */
typedef struct Export {
  DLManagedTensor managed;
  Storage *storage;
  int64_t dims[2 * MAX_DIMS];
} Export;

static void export_delete(DLManagedTensor *self)
{
  Export *e = self->manager_ctx;
  storage_release(e->storage);
  free(e);
}

DLManagedTensor *nnlua_to_dlpack(lua_State *L, int index)
{
  Tensor *t = readable_check(L, index);
  Export *e = malloc(sizeof *e);
  if (!e) luaL_error(L, "not enough memory");
  e->managed = (DLManagedTensor){.dl_tensor = description_of(t), .manager_ctx = e, .deleter = export_delete};
  e->storage = t->storage;
  e->storage->refs++;
  memcpy(e->dims, t->shape, (size_t)t->ndim * sizeof *e->dims);
  memcpy(e->dims + MAX_DIMS, t->strides, (size_t)t->ndim * sizeof *e->dims);
  e->managed.dl_tensor.shape = e->dims;
  e->managed.dl_tensor.strides = e->dims + MAX_DIMS;
  return &e->managed;
}

/* ------------------------------------------------------------ into the state */

static void leave_it(void *owner, void *data) { (void)owner, (void)data; }

/* Strides of a tensor that has none: row after row. */
static void row_major(int n, const int64_t *shape, int64_t *strides)
{
  int64_t step = 1;
  for (int d = n - 1; d >= 0; d--) {
    strides[d] = step;
    if (__builtin_mul_overflow(step, shape[d] > 1 ? shape[d] : 1, &step)) step = INT64_MAX; /* its extent is refused */
  }
}

/* How many bytes a layout reaches over. */
static size_t extent_check(lua_State *L, int n, const int64_t *shape, const int64_t *strides, size_t size)
{
  int64_t last = 0;
  bool empty = false, fits = true;
  for (int d = 0; d < n; d++) {
    int64_t reach;
    if (shape[d] < 0) user_error(L, "a tensor's sizes must not be negative: %I", (LUAI_UACINT)shape[d]);
    if (shape[d] > 1 && strides[d] < 0)
      user_error(L, "a tensor's strides must not be negative: %I", (LUAI_UACINT)strides[d]);
    empty = empty || shape[d] == 0;
    if (shape[d] <= 1) continue;
    fits = fits && !__builtin_mul_overflow(shape[d] - 1, strides[d], &reach)
           && !__builtin_add_overflow(last, reach, &last);
  }
  if (empty) return 0;
  if (!fits || last >= INT64_MAX / (int64_t)size) user_error(L, "a tensor of this layout fits no memory");
  return ((size_t)last + 1) * size;
}

/* Memory of the host's, and who gets it back. */
typedef struct Import {
  void *data, *owner;
  size_t bytes;
  DType dtype;
  Ints shape, strides;
  void (*release)(void *owner, void *data);
} Import;

static Tensor *make_imported(Call *call, void *data)
{
  const Import *m = data;
  return tensor_from_memory(call, m->data, m->bytes, m->dtype, m->shape, m->strides, m->release, m->owner);
}

void nnlua_push_tensor(lua_State *L, const DLTensor *tensor, void (*release)(void *owner, void *data), void *owner)
{
  int64_t own_strides[MAX_DIMS];
  if (!tensor) user_error(L, "there is no DLTensor to push: it is NULL");
  int n = tensor->ndim;
  DType dtype = dtype_check(L, tensor->dtype);
  if (tensor->device.device_type != kDLCPU)
    user_error(L, "tensors live in the CPU's memory, not on a device of type %d", (int)tensor->device.device_type);
  if (n < 0 || n > MAX_DIMS) user_error(L, "a tensor has up to %d dimensions, not %d", MAX_DIMS, n);
  if (n > 0 && !tensor->shape) user_error(L, "a tensor of %d dimensions has a shape, which is NULL", n);
  row_major(n, tensor->shape, own_strides);
  const int64_t *strides = tensor->strides ? tensor->strides : own_strides;
  size_t size = dtype_size(dtype), bytes = extent_check(L, n, tensor->shape, strides, size);
  uintptr_t place = (uintptr_t)tensor->data, end;
  if (place && __builtin_add_overflow(place, tensor->byte_offset, &place)) user_error(L, "byte_offset is too large");
  if (__builtin_add_overflow(place, bytes, &end)) user_error(L, "a tensor of this layout fits no memory");
  char *data = (char *)place;
  if (!data && bytes > 0) user_error(L, "a tensor's data must not be NULL");
  size_t alignment = dtype_is_complex(dtype) ? size / 2 : size;
  if ((uintptr_t)data % alignment != 0)
    user_error(L, "a %s tensor's data must be aligned to %d bytes", dtype_name(dtype), (int)alignment);
  push_made(L, context_of(L), make_imported,
            &(Import){data, owner, bytes, dtype, {tensor->shape, n}, {strides, n}, release ? release : leave_it});
}

static void managed_release(void *owner, void *data)
{
  (void)data;
  DLManagedTensor *managed = owner;
  if (managed->deleter) managed->deleter(managed);
}

void nnlua_push_dlpack(lua_State *L, DLManagedTensor *tensor)
{
  nnlua_push_tensor(L, tensor ? &tensor->dl_tensor : NULL, managed_release, tensor);
}
