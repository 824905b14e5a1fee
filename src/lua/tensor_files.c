/* Files of tensors: the C part of nl.save and nl.load, which are lua/nnlua/save.lua and load.lua. */

#include <stdlib.h>
#include <string.h>

#include "io/safetensors.h"
#include "lua/open.h"
#include "lua/path.h"

/* Whatever happens, the collector closes a file. */
static int close_file(lua_State *L)
{
  tensor_file_close(lua_touserdata(L, 1));
  return 0;
}

static TensorFile *push_file(lua_State *L)
{
  TensorFile *f = lua_newuserdatauv(L, sizeof *f, 0);
  *f = (TensorFile){.descriptor = -1};
  push_gc_metatable(L, "nnlua.TensorFile", close_file);
  lua_setmetatable(L, -2);
  return f;
}

/* ----------------------------------------------------------------- reading */

static void push_text(lua_State *L, JsonText text) { lua_pushlstring(L, text.v, text.n); }

/* Pushes a tensor with what the file holds under a name, read straight into its memory. */
static void push_stored(lua_State *L, Context *ctx, TensorFile *f, const StoredTensor *stored)
{
  const TensorBox *box = push_new_tensor(L, ctx, stored->dtype, DEVICE_CPU, (Ints){stored->shape, stored->ndim});
  if (!tensor_file_read(f, stored, tensor_data(box->tensor))) user_error(L, "load: %s", f->problem);
}

/* read_tensors(path): lists of names and of tensors, and one of the metadata's names and values in turn. */
static int read_tensor_file(lua_State *L)
{
  Context *ctx = context_of(L);
  lua_settop(L, 1);
  const char *path = path_argument(L, "load", 1);
  TensorFile *f = push_file(L);
  if (!tensor_file_open(f, path)) return user_error(L, "load: %s", f->problem);
  lua_newtable(L);
  lua_newtable(L);
  lua_newtable(L);
  for (size_t i = 0; i < f->ntensors; i++) {
    push_text(L, f->tensors[i].name);
    lua_rawseti(L, 3, (lua_Integer)i + 1);
    push_stored(L, ctx, f, &f->tensors[i]);
    lua_rawseti(L, 4, (lua_Integer)i + 1);
  }
  for (size_t i = 0; i < f->ntexts; i++) {
    push_text(L, f->texts[i].name);
    lua_rawseti(L, 5, 2 * (lua_Integer)i + 1);
    push_text(L, f->texts[i].value);
    lua_rawseti(L, 5, 2 * (lua_Integer)i + 2);
  }
  tensor_file_close(f);
  return 3;
}

/* ----------------------------------------------------------------- writing */

/* The string at the i-th place of a list, which keeps it. */
static JsonText text_at(lua_State *L, int list, lua_Integer i)
{
  JsonText text;
  lua_rawgeti(L, list, i);
  text.v = luaL_checklstring(L, -1, &text.n);
  lua_pop(L, 1);
  return text;
}

static void fill_stored(lua_State *L, StoredTensor *stored, lua_Integer i)
{
  stored->name = text_at(L, 2, i);
  lua_rawgeti(L, 3, i);
  const Tensor *t = tensor_check(L, -1);
  if (!t->is_contiguous || t->device != DEVICE_CPU) user_error(L, "save: a contiguous tensor was expected");
  stored->dtype = tensor_dtype(t);
  stored->ndim = t->ndim;
  memcpy(stored->shape, t->shape, (size_t)t->ndim * sizeof *t->shape);
  stored->data = tensor_data(t);
  lua_pop(L, 1);
}

/* write_tensors(path, names, tensors, texts): the same three lists; the tensors are contiguous. */
static int write_tensor_file(lua_State *L)
{
  lua_settop(L, 4);
  const char *path = path_argument(L, "save", 1);
  for (int i = 2; i <= 4; i++) luaL_checktype(L, i, LUA_TTABLE);
  TensorFile *f = push_file(L);
  size_t ntensors = lua_rawlen(L, 3), ntexts = lua_rawlen(L, 4) / 2;
  f->tensors = calloc(ntensors + 1, sizeof *f->tensors);
  f->texts = calloc(ntexts + 1, sizeof *f->texts);
  if (!f->tensors || !f->texts) return user_error(L, "save: not enough memory");
  f->path = path;
  for (size_t i = 0; i < ntensors; i++) fill_stored(L, &f->tensors[i], (lua_Integer)i + 1);
  for (size_t i = 0; i < ntexts; i++) {
    f->texts[i].name = text_at(L, 4, 2 * (lua_Integer)i + 1);
    f->texts[i].value = text_at(L, 4, 2 * (lua_Integer)i + 2);
  }
  f->ntensors = ntensors;
  f->ntexts = ntexts;
  if (!tensor_file_write(f)) return user_error(L, "save: %s", f->problem);
  tensor_file_close(f);
  return 0;
}

/* ----------------------------------------------------------------- sharing */

/* place_of(tensor): a string; tensors that are one and the same place of memory have the same. */
static int place_of(lua_State *L)
{
  const Tensor *t = tensor_check(L, 1);
  luaL_Buffer b;
  const void *data = t->numel ? tensor_data(t) : t; /* empty ones share nothing */
  const int64_t kind[2] = {t->dtype, t->ndim};
  luaL_buffinit(L, &b);
  luaL_addlstring(&b, (const char *)&data, sizeof data);
  luaL_addlstring(&b, (const char *)kind, sizeof kind);
  luaL_addlstring(&b, (const char *)t->shape, (size_t)t->ndim * sizeof *t->shape);
  luaL_addlstring(&b, (const char *)t->strides, (size_t)t->ndim * sizeof *t->strides);
  luaL_pushresult(&b);
  return 1;
}

const luaL_Reg tensor_file_functions[] = {
  {"read_tensors", read_tensor_file}, {"write_tensors", write_tensor_file}, {"place_of", place_of}, {NULL, NULL}};
