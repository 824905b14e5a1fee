/* Files of tensors: the C part of nl.save and nl.load, which are lua/nnlua/save.lua and load.lua. */

#include <stdlib.h>
#include <string.h>

#include "io/safetensors.h"
#include "lua/open.h"
#include "lua/files/output.h"
#include "lua/files/source.h"

static const char TENSOR_FILE[] = "nnlua.TensorFile";

/* Whatever happens, the collector closes a file. */
static int close_file(lua_State *L)
{
  tensor_file_close(lua_touserdata(L, 1));
  return 0;
}

static TensorFile *push_file(lua_State *L)
{
  TensorFile *f = lua_newuserdatauv(L, sizeof *f, 1); /* its user value: the source that it is read from */
  *f = (TensorFile){0};
  push_gc_metatable(L, TENSOR_FILE, close_file);
  lua_setmetatable(L, -2);
  return f;
}

/* ----------------------------------------------------------------- reading */

static void push_text(lua_State *L, JsonText text) { lua_pushlstring(L, text.v, text.n); }

/*
 * open_tensors(source): a file of safetensors whose header is right, the list of its tensors' names, and one of the
 * metadata's names and values in turn
 */
static int open_tensor_file(lua_State *L)
{
  const Source *source = source_check(L, 1);
  lua_settop(L, 1);
  TensorFile *f = push_file(L);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, 2, 1);
  if (!tensor_file_open(f, source_name(L, 1), source)) return user_error(L, "load: %s", f->problem.text);
  lua_newtable(L);
  for (size_t i = 0; i < f->ntensors; i++) {
    push_text(L, f->tensors[i].name);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_newtable(L);
  for (size_t i = 0; i < f->ntexts; i++) {
    push_text(L, f->texts[i].name);
    lua_rawseti(L, -2, 2 * (lua_Integer)i + 1);
    push_text(L, f->texts[i].value);
    lua_rawseti(L, -2, 2 * (lua_Integer)i + 2);
  }
  return 3;
}

/* read_tensor(file, i): the i-th tensor of such a file */
static int read_tensor(lua_State *L)
{
  const TensorFile *f = luaL_checkudata(L, 1, TENSOR_FILE);
  lua_Integer i = luaL_checkinteger(L, 2);
  luaL_argcheck(L, i >= 1 && (size_t)i <= f->ntensors, 2, "there is no such tensor");
  const StoredTensor *t = &f->tensors[i - 1];
  lua_getiuservalue(L, 1, 1);
  push_stored_tensor(L, context_of(L), -1, f->elements + t->begin, t->dtype, (Ints){t->shape, t->ndim}, false);
  return 1;
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

static void fill_file(lua_State *L, TensorFile *f)
{
  tell_doing(L, context_of(L), "save");
  size_t ntensors = lua_rawlen(L, 3), ntexts = lua_rawlen(L, 4) / 2;
  f->tensors = calloc(ntensors + 1, sizeof *f->tensors);
  f->texts = calloc(ntexts + 1, sizeof *f->texts);
  if (!f->tensors || !f->texts) user_error(L, "save: not enough memory");
  for (size_t i = 0; i < ntensors; i++) fill_stored(L, &f->tensors[i], (lua_Integer)i + 1);
  for (size_t i = 0; i < ntexts; i++) {
    f->texts[i].name = text_at(L, 4, 2 * (lua_Integer)i + 1);
    f->texts[i].value = text_at(L, 4, 2 * (lua_Integer)i + 2);
  }
  f->ntensors = ntensors;
  f->ntexts = ntexts;
}

/* write_tensors(path, names, tensors, texts): the same lists; the tensors are contiguous. Without a path the bytes are
   returned. */
static int write_tensor_file(lua_State *L)
{
  lua_settop(L, 4);
  for (int i = 2; i <= 4; i++) luaL_checktype(L, i, LUA_TTABLE);
  Output *o = push_output(L, 1);
  TensorFile *f = push_file(L);
  fill_file(L, f);
  f->problem.name = output_name(L, 1);
  if (!tensor_file_write(f, o)) return user_error(L, "save: %s", f->problem.text);
  return finish_output(L, 1, o);
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

const luaL_Reg tensor_file_functions[] = {{"open_tensors", open_tensor_file},
                                          {"read_tensor", read_tensor},
                                          {"write_tensors", write_tensor_file},
                                          {"place_of", place_of},
                                          {NULL, NULL}};
