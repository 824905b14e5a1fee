/* Looks up frames, leaves out our own, and shows the top and bottom of a long stack. */
#include "cli/traceback.h"

#include "lua/prepare.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
  HEAD = 10,
  TAIL = 11,  /* frames of a long stack that are shown at its top and bottom, as luaL_traceback does */
  TOP = 200,  /* frames looked at from its top, */
  BOTTOM = 40 /* and from its bottom, where looking one up takes long in a deep stack: each is looked up once */
};

typedef enum Kind { USER, OWN, OWN_PROMPT } Kind;

/* Code of nnlua's own: embedded Lua files are named "@nnlua/…". */
static Kind kind_of_source(const char *source)
{
  if (strncmp(source, "@nnlua/prompt", 13) == 0) return OWN_PROMPT;
  return strncmp(source, "@nnlua/", 7) == 0 ? OWN : USER;
}

typedef struct Frame {
  lua_Debug record;
  Kind kind, caller; /* of its source, and of what called it */
} Frame;

static bool look_up(lua_State *L, int level, Frame *f)
{
  *f = (Frame){.kind = USER, .caller = USER};
  if (!lua_getstack(L, level, &f->record)) return false;
  lua_getinfo(L, "Sln", &f->record);
  f->kind = kind_of_source(f->record.source);
  return true;
}

static bool calls_own(lua_State *L, Frame *f)
{
  lua_getinfo(L, "f", &f->record);
  lua_CFunction called = lua_tocfunction(L, -1);
  bool calls = own_caller != NULL && called != NULL && own_caller(called);
  lua_pop(L, 1);
  return calls;
}

/* A C function is nnlua's business if Lua code of nnlua's called it, or if it is how that is called. */
static bool is_users(lua_State *L, Frame *f)
{
  if (*f->record.what != 'C') return f->kind == USER;
  return f->caller == USER && !calls_own(L, f);
}

/* What the prompt has called: the text that was typed, which is a function within another. */
static bool is_typed_text(const Frame *f)
{
  return f->caller == OWN_PROMPT && strncmp(f->record.source, "=entry ", 7) == 0;
}

static int count_levels(lua_State *L)
{
  lua_Debug frame;
  int low = 1, high = 1;
  while (lua_getstack(L, high, &frame)) {
    low = high;
    high *= 2;
  }
  while (low < high) { /* as luaL_traceback finds it */
    int middle = (low + high) / 2;
    if (lua_getstack(L, middle, &frame)) low = middle + 1;
    else high = middle;
  }
  return high;
}

/* The name of the function on top of the stack, which it takes, in a loaded module: "string.rep". Pushes it, or not. */
static bool push_library_name(lua_State *L)
{
  int function = lua_gettop(L);
  lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  for (lua_pushnil(L); lua_next(L, function + 1); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TTABLE) continue;
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
      if (lua_type(L, -2) != LUA_TSTRING || !lua_rawequal(L, -1, function)) continue;
      const char *module = lua_tostring(L, function + 2), *name = lua_tostring(L, -2);
      if (strcmp(module, LUA_GNAME) == 0) lua_pushstring(L, name);
      else lua_pushfstring(L, "%s.%s", module, name);
      lua_replace(L, function);
      lua_settop(L, function);
      return true;
    }
  }
  lua_settop(L, function - 1);
  return false;
}

/* What a frame runs, in luaL_traceback's words. */
static void push_function(lua_State *L, Frame *f)
{
  const lua_Debug *record = &f->record;
  if (*record->what == 'm' || is_typed_text(f)) {
    lua_pushliteral(L, "main chunk");
    return;
  }
  lua_getinfo(L, "f", &f->record);
  if (push_library_name(L)) {
    lua_pushfstring(L, "function '%s'", lua_tostring(L, -1));
    lua_remove(L, -2);
  } else if (*record->namewhat != '\0') {
    lua_pushfstring(L, "%s '%s'", record->namewhat, record->name);
  } else if (*record->what == 'C') {
    lua_pushliteral(L, "?");
  } else {
    lua_pushfstring(L, "function <%s:%d>", record->short_src, record->linedefined);
  }
}

static void add_frame(lua_State *L, luaL_Buffer *b, Frame *f)
{
  const lua_Debug *record = &f->record;
  if (record->currentline <= 0) lua_pushfstring(L, "\n\t%s: in ", record->short_src);
  else lua_pushfstring(L, "\n\t%s:%d: in ", record->short_src, record->currentline);
  luaL_addvalue(b);
  push_function(L, f);
  luaL_addvalue(b);
}

typedef struct Frames {
  Frame list[TOP + BOTTOM];
  int count, total, hidden; /* frames to show, of how many, and how many of those looked at are nnlua's */
} Frames;

/* The kind of the frame at a level as a caller: a C function goes by who called it. */
static Kind kind_of_caller(lua_State *L, int level, const Frame *f)
{
  Frame caller;
  if (f->record.what == NULL || *f->record.what != 'C') return f->kind;
  look_up(L, level + 1, &caller);
  return caller.kind;
}

static void find_frames(lua_State *L, Frames *f, int level)
{
  int end = count_levels(L);
  Frame next;
  f->count = f->hidden = 0;
  f->total = end - level;
  look_up(L, level, &next);
  for (int i = level; i < end; i++) {
    if (i == level + TOP && end - BOTTOM > i) {
      i = end - BOTTOM;
      look_up(L, i, &next);
    }
    Frame *frame = &f->list[f->count];
    *frame = next;
    look_up(L, i + 1, &next);
    frame->caller = kind_of_caller(L, i + 1, &next);
    if (is_users(L, frame)) f->count++;
    else f->hidden++;
  }
}

static void add_frames(lua_State *L, luaL_Buffer *b, Frames *f)
{
  bool is_long = f->total > TOP + BOTTOM || f->count > HEAD + TAIL;
  int head = is_long && f->count > HEAD ? HEAD : f->count,
      tail = is_long && f->count > HEAD + TAIL ? TAIL : f->count - head;
  for (int i = 0; i < head; i++) add_frame(L, b, &f->list[i]);
  if (is_long) {
    lua_pushfstring(L, "\n\t...\t(skipping %d levels)", f->total - f->hidden - head - tail);
    luaL_addvalue(b);
  }
  for (int i = f->count - tail; i < f->count; i++) add_frame(L, b, &f->list[i]);
}

void push_traceback(lua_State *L, const char *message, int level)
{
  const char *wish = getenv("NNLUA_TRACEBACK");
  Frames frames;
  find_frames(L, &frames, level);
  if (frames.hidden == 0 || (wish != NULL && strcmp(wish, "full") == 0)) {
    luaL_traceback(L, L, message, level);
    return;
  }
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  luaL_addstring(&b, message);
  luaL_addstring(&b, "\nstack traceback:");
  add_frames(L, &b, &frames);
  luaL_pushresult(&b);
}
