/* Tries all of nnlua.h: what is shared, what is released and when, and what is refused. Prints "ok" if all holds. */
#include <lauxlib.h>
#include <limits.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nnlua.h"

static int failures;

static void expect(int holds, const char *what)
{
  if (holds) return;
  printf("failed: %s\n", what);
  failures++;
}

/* The tensor of a Lua expression, left on the stack. */
static void push_value(lua_State *L, const char *expression)
{
  char text[256];
  snprintf(text, sizeof text, "local nl = require 'nnlua' return %s", expression);
  if (luaL_dostring(L, text) != LUA_OK) lua_error(L);
}

static int released;
static void release(void *owner, void *data)
{
  released++;
  expect(owner == &released && data != NULL, "release gets its owner and the data");
}

static DLTensor describe_doubles(double *data, int n, int64_t *shape, int64_t *strides)
{
  return (DLTensor){
    .data = data, .device = {kDLCPU, 0}, .ndim = n, .dtype = {kDLFloat, 64, 1}, .shape = shape, .strides = strides};
}

static void try_push(lua_State *L)
{
  double data[6] = {0, 1, 2, 3, 4, 5};
  int64_t shape[] = {2, 3}, strides[] = {1, 2};
  DLTensor t = describe_doubles(data, 2, shape, strides), view;
  nnlua_push_tensor(L, &t, release, &released);
  lua_setglobal(L, "t");
  push_value(L, "t:sum():item() == 15 and t[2][1]:item() == 1 and t:stride(2) == 2");
  expect(lua_toboolean(L, -1), "strides count");
  push_value(L, "t[{{}, 1}]:fill_(9)");
  expect(data[0] == 9 && data[1] == 9 && data[2] == 2, "memory is shared");
  nnlua_check_tensor(L, -1, &view);
  expect(view.data == data && view.ndim == 1 && view.shape[0] == 2 && view.strides[0] == 1, "views are described");
  lua_settop(L, 0);
  t.byte_offset = 2 * sizeof(double);
  shape[1] = 2;
  nnlua_push_tensor(L, &t, NULL, NULL);
  nnlua_check_tensor(L, -1, &view);
  expect(*(double *)view.data == 2, "the byte offset counts");
  expect(nnlua_is_tensor(L, -1), "a tensor is one");
  lua_settop(L, 0);
  expect(released == 0, "nothing is released while it is in use");
  lua_pushnil(L);
  lua_setglobal(L, "t");
  lua_gc(L, LUA_GCCOLLECT);
  lua_gc(L, LUA_GCCOLLECT);
  expect(released == 1, "memory is released once, when the last view is gone");
}

/* A call that must fail, and its message. */
typedef struct Attempt {
  DLTensor tensor;
  const char *message;
} Attempt;

static int attempt(lua_State *L)
{
  Attempt *a = lua_touserdata(L, 1);
  nnlua_push_tensor(L, &a->tensor, release, &released);
  return 0;
}

static void refuse(lua_State *L, DLTensor tensor, const char *message)
{
  Attempt a = {tensor, message};
  lua_pushcfunction(L, attempt);
  lua_pushlightuserdata(L, &a);
  expect(lua_pcall(L, 1, 0, 0) != LUA_OK && strstr(lua_tostring(L, -1), message), message);
  lua_settop(L, 0);
}

static void try_refusals(lua_State *L)
{
  double data[4] = {0};
  int64_t shape[20] = {2, 2}, strides[] = {2, -1}, huge[] = {INT64_MAX / 2, 8}, bad[] = {-1, 1};
  DLTensor good = describe_doubles(data, 2, shape, NULL), t = good;
  int before = released;
  t.dtype.bits = 48;
  refuse(L, t, "no dtype has the code 2 with 48 bits and 1 lanes");
  t = good, t.device.device_type = (DLDeviceType)2;
  refuse(L, t, "not on a device of type 2");
  t = good, t.ndim = 20;
  refuse(L, t, "up to 16 dimensions, not 20");
  t = good, t.strides = strides;
  refuse(L, t, "strides must not be negative: -1");
  t = good, t.shape = huge;
  refuse(L, t, "fits no memory");
  t = good, t.shape = bad;
  refuse(L, t, "sizes must not be negative: -1");
  t = good, t.data = NULL;
  refuse(L, t, "data must not be NULL");
  t = good, t.data = (char *)data + 1;
  refuse(L, t, "aligned to 8 bytes");
  expect(released == before, "what is refused is not released");
}

/* Calls with nothing where something must be; each must raise. */
static int check_into_nothing(lua_State *L)
{
  nnlua_check_tensor(L, 1, NULL);
  return 0;
}

static int push_nothing(lua_State *L)
{
  nnlua_push_tensor(L, NULL, release, &released);
  return 0;
}

static int push_no_dlpack(lua_State *L)
{
  nnlua_push_dlpack(L, NULL);
  return 0;
}

static int check_beyond(lua_State *L)
{
  DLTensor view;
  nnlua_check_tensor(L, (int)lua_tointeger(L, lua_upvalueindex(1)), &view);
  return 0;
}

static int export_beyond(lua_State *L)
{
  nnlua_to_dlpack(L, (int)lua_tointeger(L, lua_upvalueindex(1)));
  return 0;
}

/* Calls a function with a tensor on the stack, where it must raise a message. */
static void refuse_call(lua_State *L, lua_CFunction function, const int *index, const char *message)
{
  if (index) lua_pushinteger(L, *index);
  lua_pushcclosure(L, function, index ? 1 : 0);
  push_value(L, "nl.ones(2)");
  expect(lua_pcall(L, 1, 0, 0) != LUA_OK && strstr(lua_tostring(L, -1), message), message);
  lua_settop(L, 0);
}

static void try_nothing(lua_State *L)
{
  static const int beyond[] = {0, 2, 100, INT_MAX, -2, -100, -999999, LUA_REGISTRYINDEX, INT_MIN};
  double data[4] = {0};
  int64_t shape[2] = {2, 2}, zero_strides[2] = {0, 0}, many[] = {(int64_t)1 << 40, (int64_t)1 << 40};
  DLTensor good = describe_doubles(data, 2, shape, NULL), t = good;
  refuse_call(L, check_into_nothing, NULL, "no DLTensor to describe");
  refuse_call(L, push_nothing, NULL, "no DLTensor to push");
  refuse_call(L, push_no_dlpack, NULL, "no DLTensor to push");
  for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++) {
    refuse_call(L, check_beyond, &beyond[i], "tensor expected");
    refuse_call(L, export_beyond, &beyond[i], "tensor expected");
    expect(!nnlua_is_tensor(L, beyond[i]), "nothing is a tensor beyond the stack");
  }
  t.shape = NULL;
  refuse(L, t, "has a shape, which is NULL");
  t = good, t.ndim = -1;
  refuse(L, t, "up to 16 dimensions, not -1");
  t = good, t.byte_offset = UINT64_MAX;
  refuse(L, t, "byte_offset is too large");
  t = good, t.byte_offset = UINT64_MAX - (uint64_t)(uintptr_t)data - 15;
  refuse(L, t, "fits no memory");
  t = good, t.shape = many, t.strides = zero_strides;
  refuse(L, t, "is too large");
  t = good, t.ndim = 0, t.shape = NULL;
  nnlua_push_tensor(L, &t, NULL, NULL);
  expect(nnlua_is_tensor(L, -1), "without dimensions no shape is needed");
  shape[0] = 0;
  t = good, t.data = NULL;
  nnlua_push_tensor(L, &t, NULL, NULL);
  expect(nnlua_is_tensor(L, -1), "without elements no memory is needed");
  lua_settop(L, 0);
}

static int check_number(lua_State *L)
{
  DLTensor view;
  nnlua_check_tensor(L, 1, &view);
  return 0;
}

static void try_check(lua_State *L)
{
  static const struct {
    const char *name;
    uint8_t code, bits;
  } dtypes[] = {{"bool", kDLBool, 8},      {"uint8", kDLUInt, 8},         {"int8", kDLInt, 8},
                {"int16", kDLInt, 16},     {"int32", kDLInt, 32},         {"int64", kDLInt, 64},
                {"float16", kDLFloat, 16}, {"bfloat16", kDLBfloat, 16},   {"float32", kDLFloat, 32},
                {"float64", kDLFloat, 64}, {"complex64", kDLComplex, 64}, {"complex128", kDLComplex, 128}};
  DLTensor view;
  for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
    char text[80];
    snprintf(text, sizeof text, "nl.zeros(2, 3, {dtype = nl.%s})", dtypes[i].name);
    push_value(L, text);
    nnlua_check_tensor(L, -1, &view);
    expect(view.dtype.code == dtypes[i].code && view.dtype.bits == dtypes[i].bits && view.dtype.lanes == 1, text);
  }
  lua_settop(L, 0);
  lua_pushcfunction(L, check_number);
  lua_pushnumber(L, 3);
  expect(lua_pcall(L, 1, 0, 0) != LUA_OK, "a number is no tensor");
  expect(!nnlua_is_tensor(L, 1), "nor is a message");
  lua_settop(L, 0);
}

static DLManagedTensor *kept, *small;

static int run(lua_State *L)
{
  try_push(L);
  try_refusals(L);
  try_check(L);
  try_nothing(L);
  push_value(L, "nl.arange(0, 6000):view(2, 3000):t()");
  DLManagedTensor *managed = nnlua_to_dlpack(L, -1);
  expect(managed->dl_tensor.shape[0] == 3000 && managed->dl_tensor.strides[1] == 3000, "an export has the geometry");
  nnlua_push_dlpack(L, managed); /* and back again */
  DLTensor first, second;
  nnlua_check_tensor(L, -2, &first);
  nnlua_check_tensor(L, -1, &second);
  expect(first.data == second.data && second.strides[1] == 3000, "a tensor comes back as it went");
  kept = nnlua_to_dlpack(L, -2);
  push_value(L, "nl.tensor({1.0, 2.0})");
  small = nnlua_to_dlpack(L, -1);
  return 0;
}

int main(void)
{
  lua_State *L = luaL_newstate();
  nnlua_open(L);
  nnlua_open(L);
  luaL_openlibs(L);
  lua_pushcfunction(L, run);
  if (lua_pcall(L, 0, 0, 0) != LUA_OK) {
    printf("error: %s\n", lua_tostring(L, -1));
    failures++;
  }
  lua_close(L);
  expect(kept && ((int64_t *)kept->dl_tensor.data)[5999] == 5999, "an export outlives the state");
  expect(small && ((float *)small->dl_tensor.data)[1] == 2, "a small one too");
  if (kept) kept->deleter(kept);
  if (small) small->deleter(small);
  if (!failures) printf("ok\n");
  return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
