/* Tensors as userdata: how they are made and freed, their metatable, fields and operators. */
#include "lua/tensor/tensor.h"

#include <string.h>

#include "lua/call.h"
#include "lua/open.h"
#include "lua/parse.h"
#include "lua/pressure.h"
#include "lua/scope.h"
#include "lua/spelling.h"

static char tensor_meta; /* registry key, by address */

/* --------------------------------------------------------------------- boxes */

Tensor *tensor_check(lua_State *L, int index)
{
  Tensor *t = tensor_test(L, index);
  if (!t) user_error(L, "argument %d: tensor expected, got %s", index, type_name(L, index));
  return t;
}

void push_tensor_metatable(lua_State *L) { lua_rawgetp(L, LUA_REGISTRYINDEX, &tensor_meta); }

TensorBox *push_box(lua_State *L, Context *ctx)
{
  pressure_look(L, ctx);
  TensorBox *box = lua_newuserdatauv(L, sizeof *box, TENSOR_USER_VALUES);
  box_init(box);
  push_tensor_metatable(L);
  lua_setmetatable(L, -2);
  return box;
}

void push_tensor(lua_State *L, Tensor *t)
{
  TensorBox *box = push_box(L, t->ctx);
  box->tensor = tensor_retain(t);
}

/* --------------------------------------------------------------- new tensors */

typedef struct Making {
  TensorBox *box;
  Tensor *(*make)(Call *call, void *data);
  void *data;
} Making;

static void fill_box(Call *call, void *data)
{
  const Making *m = data;
  box_fill(m->box, m->make(call, m->data));
}

TensorBox *push_made(lua_State *L, Context *ctx, Tensor *(*make)(Call *call, void *data), void *data)
{
  Making m = {push_box(L, ctx), make, data};
  core_run(L, ctx, fill_box, &m);
  return m.box;
}

typedef struct Description {
  DType dtype;
  Device device;
  Ints shape;
} Description;

static Tensor *make_described(Call *call, void *data)
{
  const Description *d = data;
  return tensor_new(call, d->dtype, d->device, d->shape);
}

TensorBox *push_new_tensor(lua_State *L, Context *ctx, DType dtype, Device device, Ints shape)
{
  return push_made(L, ctx, make_described, &(Description){dtype, device, shape});
}

static Tensor *make_alias(Call *call, void *t) { return tensor_alias(call, t); }

/* Without core_prepare: finalizers that run because memory has run out may still show a tensor. */
Tensor *push_snapshot(lua_State *L, Context *ctx, Tensor *t)
{
  Making m = {push_box(L, ctx), make_alias, t};
  core_work(L, ctx, fill_box, &m);
  return m.box->tensor;
}

/* ------------------------------------------- tensors freed with their blocks */

static char blocks_key;

void tensor_blocks_use(lua_State *L, TensorBlocks *blocks)
{
  lua_pushlightuserdata(L, blocks);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &blocks_key);
}

/* A box is at the end of its userdata's block. */
void tensor_block_freed(void *block, size_t size)
{
  TensorBox *box = (TensorBox *)(void *)((char *)block + size - sizeof *box);
  if (box->seal != box_seal || box->kind != KIND_TENSOR) return;
  if (box->place) scope_forget(box);
  box->seal = 0; /* the block's next owner may free it unwritten */
  tensor_release(box->tensor);
}

typedef struct Measuring {
  lua_Alloc allocate;
  void *ud;
  size_t last;
} Measuring;

static void *measure(void *ud, void *block, size_t old_size, size_t new_size)
{
  Measuring *m = ud;
  if (!block) m->last = new_size;
  return m->allocate(m->ud, block, old_size, new_size);
}

static int make_block(lua_State *L)
{
  lua_newuserdatauv(L, sizeof(TensorBox), TENSOR_USER_VALUES);
  return 0;
}

/* How large a block Lua asks for when it makes a tensor's userdata. */
static size_t block_size(lua_State *L)
{
  Measuring m = {0};
  m.allocate = lua_getallocf(L, &m.ud);
  int running = lua_gc(L, LUA_GCISRUNNING);
  lua_gc(L, LUA_GCSTOP);
  lua_setallocf(L, measure, &m);
  lua_pushcfunction(L, make_block);
  int status = lua_pcall(L, 0, 0, 0); /* the allocator must be put back even if memory runs out */
  lua_setallocf(L, m.allocate, m.ud);
  if (running) lua_gc(L, LUA_GCRESTART);
  if (status != LUA_OK) lua_error(L);
  return m.last;
}

/* Whether the host's allocator releases tensors. */
static bool use_blocks(lua_State *L, Context *ctx)
{
  lua_rawgetp(L, LUA_REGISTRYINDEX, &blocks_key);
  TensorBlocks *blocks = lua_touserdata(L, -1);
  lua_pop(L, 1);
  if (!blocks) return false;
  blocks->size = block_size(L);
  ctx->host.tensor_block = &blocks->size;
  return true;
}

static int tensor_gc(lua_State *L)
{
  TensorBox *box = box_test(L, 1);
  if (!box) return 0;
  Tensor *t = box->tensor;
  if (box->place) scope_forget(box);
  box->kind = 0; /* finalizers of others may still see it: it is no tensor to them */
  box->tensor = NULL;
  tensor_release(t);
  return 0;
}

/* ---------------------------------------------------------------- properties */

static void get_shape(lua_State *L, int i) { push_size(L, tensor_shape(tensor_test(L, i))); }
static void get_dtype(lua_State *L, int i) { push_dtype(L, tensor_dtype(tensor_test(L, i))); }
static void get_ndim(lua_State *L, int i) { lua_pushinteger(L, tensor_test(L, i)->ndim); }
static void get_device(lua_State *L, int i) { push_device(L, device_behind(tensor_test(L, i))); }
static void get_is_cpu(lua_State *L, int i) { lua_pushboolean(L, device_behind(tensor_test(L, i)) == DEVICE_CPU); }
static void get_is_meta(lua_State *L, int i) { lua_pushboolean(L, device_behind(tensor_test(L, i)) == DEVICE_META); }
static void get_layout(lua_State *L, int i)
{
  (void)i;
  lua_pushliteral(L, "strided");
}
static void get_false(lua_State *L, int i)
{
  (void)i;
  lua_pushboolean(L, false);
}
static void get_itemsize(lua_State *L, int i)
{
  lua_pushinteger(L, (lua_Integer)dtype_size(tensor_dtype(tensor_test(L, i))));
}
static void get_nbytes(lua_State *L, int i) { lua_pushinteger(L, (lua_Integer)tensor_bytes(tensor_test(L, i))); }

/* x.T and its kin: calls a method with two dimensions, or none. */
static void call_method(lua_State *L, int i, const char *name, int first, int second)
{
  lua_getfield(L, i, name);
  lua_pushvalue(L, i);
  if (first) {
    lua_pushinteger(L, first);
    lua_pushinteger(L, second);
  }
  lua_call(L, first ? 3 : 1, 1);
}

static void get_mT(lua_State *L, int i)
{
  int ndim = tensor_test(L, i)->ndim;
  if (ndim == 1) user_error(L, "mT: a tensor of at least 2 dimensions is expected");
  if (ndim == 0) { /* as PyTorch */
    lua_pushvalue(L, i);
    return;
  }
  call_method(L, i, "transpose", -2, -1);
}

/* A matrix's conjugate transpose; a tensor without dimensions itself. */
static void get_H(lua_State *L, int i)
{
  int ndim = tensor_test(L, i)->ndim;
  if (ndim == 1 || ndim > 2) user_error(L, "H: a matrix is expected, not a tensor of %d dimensions", ndim);
  if (ndim == 0) call_method(L, i, "conj", 0, 0);
  else call_method(L, i, "adjoint", 0, 0);
}

static void get_mH(lua_State *L, int i)
{
  int ndim = tensor_test(L, i)->ndim;
  if (ndim == 1) user_error(L, "mH: a tensor of at least 2 dimensions is expected");
  call_method(L, i, ndim == 0 ? "conj" : "adjoint", 0, 0);
}

static void get_T(lua_State *L, int i)
{
  const Tensor *t = tensor_test(L, i);
  lua_getfield(L, i, "permute");
  lua_pushvalue(L, i);
  lua_createtable(L, t->ndim, 0);
  for (int d = t->ndim; d > 0; d--) {
    lua_pushinteger(L, d);
    lua_rawseti(L, -2, t->ndim - d + 1);
  }
  lua_call(L, 2, 1);
}

/* x.real, x.imag: what the functions of these names give; assigning writes into these views. */
static void push_part(lua_State *L, int i, const char *name)
{
  push_group(L, context_of(L), name, IN_NL);
  lua_pushvalue(L, i);
  lua_call(L, 1, 1);
}

static void assign_part(lua_State *L, int i, int value, const char *name)
{
  push_part(L, i, name);
  lua_getfield(L, -1, tensor_test(L, value) ? "copy_" : "fill_");
  lua_insert(L, -2);
  lua_pushvalue(L, value);
  lua_call(L, 2, 0);
}

static void get_real(lua_State *L, int i) { push_part(L, i, "real"); }
static void get_imag(lua_State *L, int i) { push_part(L, i, "imag"); }
static void set_real(lua_State *L, int i, int value) { assign_part(L, i, value, "real"); }
static void set_imag(lua_State *L, int i, int value) { assign_part(L, i, value, "imag"); }

static const Property properties[] = {{"shape", get_shape, NULL},     {"dtype", get_dtype, NULL},
                                      {"ndim", get_ndim, NULL},       {"device", get_device, NULL},
                                      {"is_cpu", get_is_cpu, NULL},   {"is_meta", get_is_meta, NULL},
                                      {"is_cuda", get_false, NULL},   {"itemsize", get_itemsize, NULL},
                                      {"nbytes", get_nbytes, NULL},   {"T", get_T, NULL},
                                      {"mT", get_mT, NULL},           {"H", get_H, NULL},
                                      {"mH", get_mH, NULL},           {"real", get_real, set_real},
                                      {"imag", get_imag, set_imag},   {"layout", get_layout, NULL},
                                      {"is_sparse", get_false, NULL}, {"is_sparse_csr", get_false, NULL},
                                      {"is_nested", get_false, NULL}, {"is_quantized", get_false, NULL},
                                      {"is_mkldnn", get_false, NULL}, {NULL, NULL, NULL}};

/* ------------------------------------------------------------------- members */

/* PyTorch's names that are not here on purpose, and what to do instead. */
static const char *advice_for(const char *name)
{
  static const struct {
    const char *name, *advice;
  } known[] = {{"cuda", "all computing is done on the CPU: leave it out, or write x:to(device) with nl.device \"cpu\""},
               {"numpy", "x:tolist() gives nested tables"}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strcmp(known[i].name, name) == 0) return known[i].advice;
  return strchr(name, ':') ? "a range is a table, as in x[{{1, 2}}] or x[{{}, 3}]" : NULL;
}

static int unknown_member(lua_State *L, int members)
{
  const char *name = lua_tostring(L, 2), *advice = advice_for(name);
  if (advice) return user_error(L, "a tensor has no field or method '%s': %s", name, advice);
  Spelling spelling = spelling_of(name);
  lua_pushnil(L);
  while (lua_next(L, members)) {
    lua_pop(L, 1);
    spelling_try(&spelling, lua_tostring(L, -1));
  }
  if (spelling.nearest)
    return user_error(L, "a tensor has no field or method '%s'; did you mean '%s'?", name, spelling.nearest);
  return user_error(L, "a tensor has no field or method '%s'", name);
}

/* The debug library can change upvalues. */
static void check_members(lua_State *L)
{
  if (!lua_istable(L, lua_upvalueindex(1))) luaL_error(L, "the upvalues of this function were changed");
}

/* x.name, x:name(), x[index]. Upvalue 1: the members: functions, and light userdata of Properties. */
static int tensor_index(lua_State *L)
{
  if (lua_type(L, 2) != LUA_TSTRING) return tensor_get_item(L);
  check_members(L);
  lua_pushvalue(L, 2);
  switch (lua_rawget(L, lua_upvalueindex(1))) {
    case LUA_TFUNCTION: return 1;
    case LUA_TLIGHTUSERDATA: {
      const Property *p = lua_touserdata(L, -1);
      tensor_check(L, 1);
      p->get(L, 1);
      return 1;
    }
    default: return unknown_member(L, lua_upvalueindex(1));
  }
}

static int tensor_newindex(lua_State *L)
{
  check_members(L);
  const Tensor *t = tensor_check(L, 1);
  if (lua_type(L, 2) != LUA_TSTRING) return tensor_set_item(L);
  if (t->ctx->in_finalizers)
    return user_error(L, "memory has run out: finalizers that run because of it can't change tensors");
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TLIGHTUSERDATA) {
    const Property *p = lua_touserdata(L, -1);
    if (p->set) {
      p->set(L, 1, 3);
      return 0;
    }
  }
  return user_error(L, "field '%s' of a tensor can't be set", lua_tostring(L, 2));
}

/* a .. b */
static int tensor_concat(lua_State *L)
{
  return user_error(L,
                    "a tensor can't be joined to a text by '..': write tostring(x), or x:item() for the number in it");
}

/* x(…) */
static int tensor_called(lua_State *L)
{
  return user_error(L, "a tensor is no function: elements are x[i] or x[{i, j}]");
}

static int tensor_len(lua_State *L)
{
  const Tensor *t = tensor_check(L, 1);
  if (t->ndim == 0) return user_error(L, "a 0-dim tensor has no length: its number is x:item()");
  lua_pushinteger(L, t->shape[0]);
  return 1;
}

/* Lua's own comparison wants one truth value, so the result must have one element. */
static int compare_as_lua(lua_State *L)
{
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_settop(L, 3);
  lua_call(L, 2, 1);
  const Tensor *t = tensor_test(L, -1);
  if (t->numel != 1)
    return user_error(L, "'%s' gives one truth value, but here are %d: write a:%s(b), or a:%s(b) for a %s b",
                      lua_tostring(L, lua_upvalueindex(2)), (int)t->numel, lua_tostring(L, lua_upvalueindex(3)),
                      lua_tostring(L, lua_upvalueindex(4)), lua_tostring(L, lua_upvalueindex(5)));
  if (tensor_stands_in(t)) return user_error(L, "within vmap a comparison has no one truth value: use nl.where");
  tell_reading(L, t, lua_tostring(L, lua_upvalueindex(2)));
  lua_pushboolean(L, t->device != DEVICE_META && tensor_item(t).i != 0);
  return 1;
}

/* Unary operators get their operand twice from Lua. */
static int call_unary(lua_State *L)
{
  lua_settop(L, 1);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, 1, 1);
  return 1;
}

static void add_operators(lua_State *L, Context *ctx, int meta)
{
  static const char *const binary[][2] = {{"__add", "add"},
                                          {"__sub", "sub"},
                                          {"__mul", "mul"},
                                          {"__div", "div"},
                                          {"__idiv", "floor_divide"},
                                          {"__mod", "remainder"},
                                          {"__pow", "pow"},
                                          {"__band", "bitwise_and"},
                                          {"__bor", "bitwise_or"},
                                          {"__bxor", "bitwise_xor"},
                                          {"__shl", "bitwise_left_shift"},
                                          {"__shr", "bitwise_right_shift"}};
  for (size_t i = 0; i < sizeof binary / sizeof *binary; i++) {
    push_group(L, ctx, binary[i][1], METHOD | AS_OPERATOR);
    lua_setfield(L, meta, binary[i][0]);
  }
  static const char *const prefix[][2] = {{"__unm", "neg"}, {"__bnot", "bitwise_not"}};
  for (size_t i = 0; i < sizeof prefix / sizeof *prefix; i++) {
    push_group(L, ctx, prefix[i][1], METHOD | AS_OPERATOR);
    lua_pushcclosure(L, call_unary, 1);
    lua_setfield(L, meta, prefix[i][0]);
  }
  static const char *const ordered[][5] = {{"__lt", "lt", "<", "gt", ">"}, {"__le", "le", "<=", "ge", ">="}};
  for (size_t i = 0; i < sizeof ordered / sizeof *ordered; i++) {
    push_group(L, ctx, ordered[i][1], METHOD | AS_OPERATOR);
    const int texts[] = {2, 1, 3, 4};
    for (int k = 0; k < 4; k++) lua_pushstring(L, ordered[i][texts[k]]);
    lua_pushcclosure(L, compare_as_lua, 5);
    lua_setfield(L, meta, ordered[i][0]);
  }
}

/* a == b, which Lua asks for two userdata: whether they are of one tensor, as x and x.grad_fn's variable are. */
static int tensor_same(lua_State *L)
{
  const Tensor *t = tensor_test(L, 1);
  lua_pushboolean(L, t && t == tensor_test(L, 2));
  return 1;
}

static void add_properties(lua_State *L, const Property *p)
{
  for (; p->name; p++) {
    lua_pushlightuserdata(L, (void *)p);
    lua_setfield(L, -2, p->name);
  }
}

void open_tensor(lua_State *L, Context *ctx)
{
  static const luaL_Reg functions[] = {{"__len", tensor_len},       {"__tostring", tensor_tostring},
                                       {"__concat", tensor_concat}, {"__call", tensor_called},
                                       {"__eq", tensor_same},       {NULL, NULL}};
  luaL_newlib(L, functions);
  int meta = lua_gettop(L);
  if (!use_blocks(L, ctx)) {
    lua_pushcfunction(L, tensor_gc);
    lua_setfield(L, meta, "__gc");
  }
  lua_pushvalue(L, meta);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &tensor_meta); /* before any op's function, which keeps it */
  lua_pushliteral(L, "nnlua.Tensor");
  lua_setfield(L, meta, "__name");
  lua_pushliteral(L, "nnlua.Tensor"); /* what getmetatable gives: __gc is not for scripts */
  lua_setfield(L, meta, "__metatable");
  add_operators(L, ctx, meta);
  lua_newtable(L);
  add_properties(L, properties);
  add_properties(L, gradient_properties);
  lua_pushvalue(L, -1);
  lua_pushcclosure(L, tensor_index, 1);
  lua_setfield(L, meta, "__index");
  lua_pushvalue(L, -1);
  lua_pushcclosure(L, tensor_newindex, 1);
  lua_setfield(L, meta, "__newindex");
  lua_remove(L, meta);
}
