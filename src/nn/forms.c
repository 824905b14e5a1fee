/* Arguments and results of what nl.compile compiles: their structure, with tensors and values in it. */
#include "nn/compile.h"

#include <stdlib.h>

static Item *add_item(lua_State *L, Form *f)
{
  if (f->n == f->room) {
    int32_t room = f->room ? 2 * f->room : 8;
    Item *items = realloc(f->items, (size_t)room * sizeof *items);
    if (!items) luaL_error(L, "not enough memory");
    f->items = items;
    f->room = room;
  }
  f->items[f->n] = (Item){.n = 0};
  return &f->items[f->n++];
}

/* Puts what is on top of the stack at the end of a list. */
static void refer(lua_State *L, int references)
{
  lua_rawseti(L, references, (lua_Integer)lua_rawlen(L, references) + 1);
}

/* nil can't stand in a list; its own address does. */
static const char nil_stand_in;

static void refer_value(lua_State *L, int references, int index)
{
  if (lua_isnil(L, index)) lua_pushlightuserdata(L, (void *)(uintptr_t)&nil_stand_in);
  else lua_pushvalue(L, index);
  refer(L, references);
}

/* The place of the tensor at an index in a list of them, where it is put if it isn't there. */
static int32_t place_of_tensor(lua_State *L, int index, int tensors)
{
  lua_Integer n = (lua_Integer)lua_rawlen(L, tensors);
  for (lua_Integer i = 1; i <= n; i++) {
    lua_rawgeti(L, tensors, i);
    bool same = lua_rawequal(L, -1, index);
    lua_pop(L, 1);
    if (same) return (int32_t)i - 1;
  }
  lua_pushvalue(L, index);
  lua_rawseti(L, tensors, n + 1);
  return (int32_t)n;
}

static const char *add(lua_State *L, Form *f, int index, int references, int tensors);

static const char *add_table(lua_State *L, Form *f, int index, int references, int tensors)
{
  int32_t at = f->n, n = 0;
  if (lua_getmetatable(L, index)) return lua_pop(L, 1), "a table with a metatable is passed or returned";
  add_item(L, f)->kind = ITEM_TABLE;
  if (at > 2000) return "tables that are passed or returned have too many entries";
  luaL_checkstack(L, 8, NULL);
  for (lua_pushnil(L); lua_next(L, index); n++) {
    lua_pushvalue(L, -2);
    refer(L, references);
    const char *problem = add(L, f, lua_gettop(L), references, tensors);
    if (problem) return problem;
    lua_pop(L, 1);
  }
  f->items[at].n = n;
  return NULL;
}

static const char *add(lua_State *L, Form *f, int index, int references, int tensors)
{
  if (lua_gettop(L) > 200) return "tables that are passed or returned are too deep";
  if (box_test(L, index)) {
    if (f->tensors == MOST_TENSORS) return "too many tensors are passed or returned";
    f->tensors++;
    Item *item = add_item(L, f);
    *item = (Item){ITEM_TENSOR, place_of_tensor(L, index, tensors)};
    return NULL;
  }
  if (lua_istable(L, index)) return add_table(L, f, index, references, tensors);
  add_item(L, f)->kind = ITEM_VALUE;
  refer_value(L, references, index);
  return NULL;
}

const char *form_add(lua_State *L, Form *f, int index, int references, int tensors)
{
  const char *problem = add(L, f, index, references, tensors);
  f->is_broken |= problem != NULL;
  return problem;
}

/* -------------------------------------------------------------------- matching */

static void push_reference(lua_State *L, FormCursor *c) { lua_rawgeti(L, c->references, ++c->reference); }

static bool value_matches(lua_State *L, FormCursor *c, int index)
{
  push_reference(L, c);
  bool same = lua_rawequal(L, -1, index) || (lua_isnil(L, index) && lua_touserdata(L, -1) == &nil_stand_in);
  if (same && lua_type(L, index) == LUA_TNUMBER) same = lua_isinteger(L, index) == lua_isinteger(L, -1);
  lua_pop(L, 1);
  return same;
}

static bool table_matches(lua_State *L, FormCursor *c, int index, int32_t n)
{
  if (!lua_istable(L, index)) return false;
  if (lua_getmetatable(L, index)) return lua_pop(L, 1), false;
  luaL_checkstack(L, 8, NULL);
  int32_t left = n;
  for (int32_t i = 0; i < n; i++) {
    push_reference(L, c);
    lua_rawget(L, index);
    bool matches = form_matches(L, c, lua_gettop(L));
    lua_pop(L, 1);
    if (!matches) return false;
  }
  for (lua_pushnil(L); lua_next(L, index); left--) lua_pop(L, 1);
  return left == 0;
}

bool form_matches(lua_State *L, FormCursor *c, int index)
{
  const Item *item = &c->form->items[c->item++];
  if (item->kind == ITEM_VALUE) return value_matches(L, c, index);
  if (item->kind == ITEM_TABLE) return table_matches(L, c, index, item->n);
  Tensor *t = tensor_test(L, index);
  if (!t) return false;
  if (item->n < c->ntensors) return c->tensors[item->n] == t; /* the same one as before */
  c->tensors[c->ntensors++] = t;
  return true;
}

/* --------------------------------------------------------------------- pushing */

void form_push(lua_State *L, FormCursor *c, int first)
{
  const Item *item = &c->form->items[c->item++];
  luaL_checkstack(L, 8, NULL);
  if (item->kind == ITEM_TENSOR) {
    lua_pushvalue(L, first + item->n);
  } else if (item->kind == ITEM_VALUE) {
    push_reference(L, c);
    if (lua_touserdata(L, -1) == &nil_stand_in) {
      lua_pop(L, 1);
      lua_pushnil(L);
    }
  } else {
    lua_newtable(L);
    for (int32_t i = 0; i < item->n; i++) {
      push_reference(L, c);
      form_push(L, c, first);
      lua_rawset(L, -3);
    }
  }
}
