/* Pickles as Lua values, for what reads PyTorch's files in Lua (lua/nnlua/files/read_torch.lua). */
#include <stdlib.h>
#include <string.h>

#include "io/files.h"
#include "io/pickle.h"
#include "lua/open.h"
#include "lua/files/source.h"

enum { DEEPEST = 200, LONG_TEXT = 40, FIRST_WINDOW = 1 << 16 };

/* A pickle and the bytes that it was read from, for the collector. */
typedef struct Unpickling {
  Pickle pickle;
  char *window; /* malloc's, unless the bytes are in memory anyway */
  const char *name;
  int made, make; /* where on the stack: values by the numbers of their nodes; the function that makes others */
  int depth;
} Unpickling;

static int close_unpickling(lua_State *L)
{
  Unpickling *u = lua_touserdata(L, 1);
  pickle_close(&u->pickle);
  free(u->window);
  u->window = NULL;
  return 0;
}

static void refuse(lua_State *L, const Unpickling *u, const char *what)
{
  user_error(L, "load: %s: its pickle has %s", u->name, what);
}

static void push_node(lua_State *L, Unpickling *u, PickleIndex i);

static void push_text(lua_State *L, const Unpickling *u, const PickleNode *node)
{
  lua_pushlstring(L, u->pickle.bytes + node->text.at, node->text.size);
}

/* Notes the value on top as that of a node. */
static void note(lua_State *L, const Unpickling *u, PickleIndex i)
{
  lua_pushvalue(L, -1);
  lua_rawseti(L, u->made, (lua_Integer)i + 1);
}

static void push_list(lua_State *L, Unpickling *u, PickleIndex i)
{
  uint32_t n = u->pickle.nodes[i].list.count;
  lua_createtable(L, (int)(n < INT32_MAX ? n : INT32_MAX), 0);
  note(L, u, i);
  for (uint32_t k = 0; k < n; k++) {
    push_node(L, u, u->pickle.nodes[i].list.items[k]);
    lua_rawseti(L, -2, (lua_Integer)k + 1);
  }
}

static const char *kind_name(PickleKind kind)
{
  static const char *const names[] = {"None", "a bool", "a bool", "an int",  "an int", "a float",
                                      "text", "bytes",  "a list", "a tuple", "a set",  "a dict"};
  return kind <= PICKLE_DICT ? names[kind] : "an object";
}

/* A key of a table: a text, a number or a truth value. */
static void push_key(lua_State *L, Unpickling *u, PickleIndex i)
{
  PickleKind kind = (PickleKind)u->pickle.nodes[i].kind;
  bool is_nan = kind == PICKLE_FLOAT && u->pickle.nodes[i].number != u->pickle.nodes[i].number;
  if (kind == PICKLE_NONE || kind == PICKLE_BIG || kind > PICKLE_BYTES || is_nan) {
    lua_pushfstring(L, "a dict or set with a key that is %s: nnlua's have texts, numbers and truth values",
                    is_nan ? "nan" : kind_name(kind));
    refuse(L, u, lua_tostring(L, -1));
  }
  push_node(L, u, i);
}

static void push_dict(lua_State *L, Unpickling *u, PickleIndex i)
{
  bool is_set = u->pickle.nodes[i].kind == PICKLE_SET;
  lua_newtable(L);
  note(L, u, i);
  for (uint32_t k = 0; k < u->pickle.nodes[i].list.count; k++) {
    push_key(L, u, u->pickle.nodes[i].list.items[k]);
    if (is_set) lua_pushboolean(L, true);
    else push_node(L, u, u->pickle.nodes[i].list.items[++k]);
    lua_rawset(L, -3);
  }
}

/* A dict's entries in their order: a list of keys and values in turn; NULL's is nil. A dict that many objects share has
   one list, which is noted by the negative of its number once it is whole. */
static void push_entries(lua_State *L, Unpickling *u, PickleIndex i)
{
  if (i == NO_NODE) {
    lua_pushnil(L);
  } else if (u->pickle.nodes[i].kind != PICKLE_DICT) {
    push_node(L, u, i);
  } else if (lua_rawgeti(L, u->made, -(lua_Integer)i - 1) == LUA_TNIL) {
    lua_pop(L, 1);
    uint32_t n = u->pickle.nodes[i].list.count;
    lua_createtable(L, (int)(n < INT32_MAX ? n : INT32_MAX), 0);
    for (uint32_t k = 0; k < n; k++) {
      push_node(L, u, u->pickle.nodes[i].list.items[k]);
      lua_rawseti(L, -2, (lua_Integer)k + 1);
    }
    lua_pushvalue(L, -1);
    lua_rawseti(L, u->made, -(lua_Integer)i - 1);
  }
}

static void push_global_name(lua_State *L, const Unpickling *u, PickleIndex i)
{
  const PickleNode *node = &u->pickle.nodes[i];
  push_text(L, u, &u->pickle.nodes[node->global.module]);
  lua_pushliteral(L, ".");
  push_text(L, u, &u->pickle.nodes[node->global.name]);
  lua_concat(L, 3);
}

/* make(kind, name, arguments, entries, state) of what a call gives or an instance is; make(kind, name) of a name,
   make(kind, key) of what is outside. */
static void push_made_value(lua_State *L, Unpickling *u, PickleIndex i)
{
  static const char *const kinds[] = {"global", "call", "new", "persistent"};
  PickleNode node = u->pickle.nodes[i];
  if (node.kind == PICKLE_CALL || node.kind == PICKLE_NEW) { /* what is refused is the outermost name */
    push_node(L, u, node.call.callee);
    lua_pop(L, 1);
  }
  lua_pushvalue(L, u->make);
  lua_pushstring(L, kinds[node.kind - PICKLE_GLOBAL]);
  if (node.kind == PICKLE_GLOBAL) {
    push_global_name(L, u, i);
    lua_call(L, 2, 1);
  } else if (node.kind == PICKLE_PERSISTENT) {
    push_node(L, u, node.key);
    lua_call(L, 2, 1);
  } else {
    push_global_name(L, u, node.call.callee);
    push_node(L, u, node.call.arguments);
    push_entries(L, u, node.call.entries);
    push_entries(L, u, node.call.state);
    lua_call(L, 5, 1);
  }
  note(L, u, i);
}

static void push_compound(lua_State *L, Unpickling *u, PickleIndex i)
{
  if (lua_rawgeti(L, u->made, (lua_Integer)i + 1) != LUA_TNIL) return;
  lua_pop(L, 1);
  if (++u->depth > DEEPEST) refuse(L, u, "objects that are nested too deeply, or in themselves");
  luaL_checkstack(L, 10, "load");
  switch (u->pickle.nodes[i].kind) {
    case PICKLE_LIST:
    case PICKLE_TUPLE: push_list(L, u, i); break;
    case PICKLE_SET:
    case PICKLE_DICT: push_dict(L, u, i); break;
    default: push_made_value(L, u, i); break;
  }
  u->depth--;
}

static void push_node(lua_State *L, Unpickling *u, PickleIndex i)
{
  const PickleNode *node = &u->pickle.nodes[i];
  switch ((PickleKind)node->kind) {
    case PICKLE_NONE: push_none(L); break;
    case PICKLE_FALSE: lua_pushboolean(L, false); break;
    case PICKLE_TRUE: lua_pushboolean(L, true); break;
    case PICKLE_INTEGER: lua_pushinteger(L, (lua_Integer)node->integer); break;
    case PICKLE_BIG: refuse(L, u, "an integer that needs more than 64 bits"); break;
    case PICKLE_FLOAT: lua_pushnumber(L, node->number); break;
    case PICKLE_TEXT:
    case PICKLE_BYTES:
      if (node->text.size > LONG_TEXT) { /* each is one string, however often it is asked for */
        if (lua_rawgeti(L, u->made, (lua_Integer)i + 1) != LUA_TNIL) break;
        lua_pop(L, 1);
      }
      push_text(L, u, node);
      if (node->text.size > LONG_TEXT) note(L, u, i);
      break;
    default: push_compound(L, u, i); break;
  }
}

/* Reads the pickle at a place of a source. Its length isn't known: more and more bytes are taken until it is whole. */
static void read_pickle(lua_State *L, Unpickling *u, const Source *s, uint64_t place)
{
  uint64_t left = s->size - place, n = s->memory || left < FIRST_WINDOW ? left : FIRST_WINDOW;
  while (true) {
    if (!s->memory) {
      free(u->window);
      u->window = malloc((size_t)n + 1);
      if (!u->window) user_error(L, "load: %s: not enough memory", u->name);
      if (!source_read(s, u->window, n, place)) user_error(L, "load: %s: it can't be read: %s", u->name, file_error());
    }
    if (pickle_read(&u->pickle, u->name, s->memory ? s->memory + place : u->window, (size_t)n)) return;
    if (!u->pickle.is_cut_off || n == left) user_error(L, "load: %s", u->pickle.problem.text);
    pickle_close(&u->pickle);
    n = n < left / 4 ? 4 * n : left;
  }
}

/*
 * unpickle(source, place, make): the value that a pickle stands for, and the place behind it. Lists and tuples are
 * lists, dicts and sets tables; what is none of these and no number or text is what make(kind, …) gives.
 */
static int unpickle(lua_State *L)
{
  const Source *s = source_check(L, 1);
  uint64_t place = (uint64_t)luaL_checkinteger(L, 2);
  lua_settop(L, 3);
  if (place > s->size) return user_error(L, "load: %s: it is cut off", source_name(L, 1));
  Unpickling *u = lua_newuserdatauv(L, sizeof *u, 0);
  *u = (Unpickling){.name = source_name(L, 1), .make = 3, .made = 5};
  push_gc_metatable(L, "nnlua.Unpickling", close_unpickling);
  lua_setmetatable(L, -2);
  lua_newtable(L);
  read_pickle(L, u, s, place);
  push_node(L, u, u->pickle.root);
  lua_pushinteger(L, (lua_Integer)(place + u->pickle.at));
  pickle_close(&u->pickle);
  return 2;
}

const luaL_Reg pickle_functions[] = {{"unpickle", unpickle}, {NULL, NULL}};
