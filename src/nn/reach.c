/* Whether a function, or a module's methods, come to a tensor by themselves, beside their arguments: through upvalues,
   or a global that their code names. */
#include <stdlib.h>
#include <string.h>

#include "nn/compile.h"

enum { MOST_DEPTH = 12, MOST_VALUES = 100000 };

/* A search for one of some tensors. */
typedef struct Search {
  lua_State *L;
  Tensor *const *tensors;
  int n;
  int seen;   /* the index of a set of tables and functions that were searched, or needn't be */
  int values; /* that were looked at: of a large table not all are */
} Search;

/* A function's code, as Lua writes it, where the names that it has are found. */
typedef struct Code {
  char *bytes;
  size_t n, room;
} Code;

static bool search_value(Search *s, int index, int depth);

static int add_code(lua_State *L, const void *bytes, size_t n, void *data)
{
  Code *c = data;
  (void)L;
  if (c->n + n > c->room) {
    const size_t room = 2 * (c->n + n);
    char *larger = realloc(c->bytes, room);
    if (!larger) return 1;
    c->bytes = larger;
    c->room = room;
  }
  if (n) memcpy(c->bytes + c->n, bytes, n);
  c->n += n;
  return 0;
}

static int free_code(lua_State *L)
{
  free(((Code *)lua_touserdata(L, 1))->bytes);
  return 0;
}

/* The code as a userdata on the stack, which frees it: what follows may raise. NULL where there is no memory for it. */
static const Code *push_code(lua_State *L, int function)
{
  Code *c = lua_newuserdatauv(L, sizeof *c, 0);
  *c = (Code){NULL, 0, 0};
  push_gc_metatable(L, "nnlua.code", free_code);
  lua_setmetatable(L, -2);
  lua_pushvalue(L, function);
  const bool is_whole = lua_dump(L, add_code, c, true) == 0;
  lua_pop(L, 1);
  return is_whole ? c : NULL;
}

/* Whether the code has a text among its constants: a short one stands behind its length and one, with the highest bit
   set. */
static bool names(const Code *c, const char *text, size_t length)
{
  const char *at = c->bytes, *end = c->bytes + c->n;
  while (at && at < end && (at = memchr(at, text[0], (size_t)(end - at))) && (size_t)(end - at) >= length) {
    const bool is_whole = length > 40 || (at > c->bytes && (unsigned char)at[-1] == (0x80 | (length + 1)));
    if (is_whole && memcmp(at, text, length) == 0) return true;
    at++;
  }
  return false;
}

/* Searches what a table has under names that the code has. */
static bool search_named(Search *s, int table, const Code *code, int depth)
{
  lua_State *L = s->L;
  bool found = false;
  for (lua_pushnil(L); !found && lua_next(L, table); lua_pop(L, 1)) {
    size_t length;
    if (lua_type(L, -2) != LUA_TSTRING) continue;
    const char *name = lua_tolstring(L, -2, &length);
    found = length > 0 && names(code, name, length) && search_value(s, lua_gettop(L), depth);
  }
  return found;
}

static bool search_function(Search *s, int function, int depth)
{
  lua_State *L = s->L;
  lua_Debug ar;
  bool found = false;
  lua_pushvalue(L, function);
  lua_getinfo(L, ">S", &ar);
  if (lua_iscfunction(L, function) || is_own_code(&ar)) return false;
  const Code *code = push_code(L, function);
  if (!code) return true; /* who knows */
  const char *name;
  for (int i = 1; !found && (name = lua_getupvalue(L, function, i)); i++) {
    if (strcmp(name, "_ENV") == 0 && lua_istable(L, -1)) found = search_named(s, lua_gettop(L), code, depth);
    else found = search_value(s, lua_gettop(L), depth);
    lua_pop(L, 1);
  }
  lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE); /* it may be asked for there */
  return found || (names(code, "require", 7) && search_named(s, lua_gettop(L), code, depth));
}

static bool search_table(Search *s, int table, int depth)
{
  lua_State *L = s->L;
  bool found = false;
  for (lua_pushnil(L); !found && lua_next(L, table) && s->values < MOST_VALUES; lua_pop(L, 1))
    found = search_value(s, lua_gettop(L), depth);
  return found;
}

/* Whether the value at an index was met before; it is from now on. */
static bool is_seen(const Search *s, int index)
{
  lua_pushvalue(s->L, index);
  const bool seen = lua_rawget(s->L, s->seen) != LUA_TNIL;
  lua_pop(s->L, 1);
  lua_pushvalue(s->L, index);
  lua_pushboolean(s->L, true);
  lua_rawset(s->L, s->seen);
  return seen;
}

static bool search_value(Search *s, int index, int depth)
{
  lua_State *L = s->L;
  const int top = lua_gettop(L), type = lua_type(L, index);
  s->values++;
  if (type == LUA_TUSERDATA) {
    const Tensor *t = tensor_test(L, index);
    for (int i = 0; t && i < s->n; i++)
      if (s->tensors[i] == t) return true;
    return false;
  }
  if ((type != LUA_TTABLE && type != LUA_TFUNCTION) || depth == MOST_DEPTH || is_seen(s, index)) return false;
  luaL_checkstack(L, 16, NULL);
  const bool found = type == LUA_TTABLE ? search_table(s, index, depth + 1) : search_function(s, index, depth + 1);
  lua_settop(L, top);
  return found;
}

/* Marks what nnlua itself consists of, the globals, which are searched by name, and the list of loaded modules. */
static void pass_over_own(const Search *s)
{
  lua_State *L = s->L;
  lua_pushglobaltable(L);
  is_seen(s, lua_gettop(L));
  lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  is_seen(s, lua_gettop(L));
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
    if (lua_type(L, -2) == LUA_TSTRING && strncmp(lua_tostring(L, -2), "nnlua", 5) == 0) is_seen(s, lua_gettop(L));
  lua_settop(L, s->seen);
}

/* The methods of a class and of those that it comes from; the class is on top of the stack, and taken off. */
static bool search_class(Search *s)
{
  lua_State *L = s->L;
  const int top = lua_gettop(L);
  bool found = false;
  while (!found && lua_istable(L, -1)) {
    found = search_value(s, lua_gettop(L), 0);
    if (!lua_getmetatable(L, -1)) break;
    lua_pushstring(L, CLASS_PARENT);
    lua_rawget(L, -2);
    lua_replace(L, top);
    lua_settop(L, top);
  }
  lua_settop(L, top - 1);
  return found;
}

bool reaches_tensor(lua_State *L, int target, int guard, Tensor *const *tensors, int n)
{
  const int top = lua_gettop(L);
  luaL_checkstack(L, 16, NULL);
  lua_newtable(L);
  Search s = {.L = L, .tensors = tensors, .n = n, .seen = top + 1};
  pass_over_own(&s);
  bool found = lua_isfunction(L, target) && search_value(&s, target, 0);
  guards_push_modules(L, guard);
  for (lua_Integer i = 1; !found && lua_rawgeti(L, top + 2, i) != LUA_TNIL; i++) {
    push_class_of(L, lua_gettop(L));
    found = search_class(&s);
    lua_pop(L, 1);
  }
  lua_settop(L, top);
  return found;
}
