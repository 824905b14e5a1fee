/* Looks up frames, leaves out our own, and shows the top and bottom of a long stack. */
#include "cli/traceback.h"

#include "lua/prepare.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
  HEAD = 10,
  TAIL = 11,   /* frames of a long stack that are shown at its top and bottom, as luaL_traceback does */
  WINDOW = 200 /* frames looked at from either end: looking one up takes long in a deep stack */
};

typedef enum Kind { USER, OWN, OWN_PROMPT, CALLED } Kind;

/* Code of nnlua's own: embedded Lua files are named "@nnlua/…". */
static Kind kind_of_source(const char *source)
{
  if (strncmp(source, "@nnlua/prompt", 13) == 0) return OWN_PROMPT;
  return strncmp(source, "@nnlua/", 7) == 0 ? OWN : USER;
}

/* A C function is nnlua's business if Lua code of nnlua's called it, or if it is how a module is called. */
static Kind kind_of(lua_State *L, int level)
{
  lua_Debug frame, caller;
  if (!lua_getstack(L, level, &frame)) return USER;
  lua_getinfo(L, "Sf", &frame);
  bool calls_module = module_caller != NULL && lua_tocfunction(L, -1) == module_caller;
  lua_pop(L, 1);
  if (*frame.what != 'C') return kind_of_source(frame.source);
  if (calls_module) return CALLED;
  if (!lua_getstack(L, level + 1, &caller)) return USER;
  lua_getinfo(L, "S", &caller);
  return kind_of_source(caller.source);
}

/* What the prompt has called: the text that was typed, which is a function within another. */
static bool is_typed_text(lua_State *L, int level)
{
  lua_Debug frame;
  if (!lua_getstack(L, level, &frame) || kind_of(L, level + 1) != OWN_PROMPT) return false;
  lua_getinfo(L, "S", &frame);
  return strcmp(frame.source, "=stdin") == 0;
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

/* Adds the line of one frame: the first of luaL_traceback's from there on. */
static void add_frame(lua_State *L, luaL_Buffer *b, int level)
{
  if (is_typed_text(L, level)) {
    lua_Debug frame;
    lua_getstack(L, level, &frame);
    lua_getinfo(L, "l", &frame);
    lua_pushfstring(L, "\n\tstdin:%d: in main chunk", frame.currentline);
    luaL_addvalue(b);
    return;
  }
  luaL_traceback(L, L, NULL, level);
  const char *text = lua_tostring(L, -1) + strlen("stack traceback:");
  size_t length = 2 + strcspn(text + 2, "\n"); /* behind the line break and the tab */
  lua_pushlstring(L, text, length);
  lua_remove(L, -2);
  luaL_addvalue(b);
}

typedef struct Frames {
  int levels[2 * WINDOW];
  int count, total, hidden; /* levels to show, of how many, and how many of those looked at are nnlua's */
} Frames;

static void find_frames(lua_State *L, Frames *f, int level)
{
  int end = count_levels(L);
  *f = (Frames){.total = end - level};
  for (int i = level; i < end; i++) {
    if (i == level + WINDOW && end - WINDOW > i) i = end - WINDOW;
    if (kind_of(L, i) == USER) f->levels[f->count++] = i;
    else f->hidden++;
  }
}

static void add_frames(lua_State *L, luaL_Buffer *b, const Frames *f)
{
  bool is_long = f->total > 2 * WINDOW || f->count > HEAD + TAIL;
  int head = is_long && f->count > HEAD ? HEAD : f->count,
      tail = is_long && f->count > HEAD + TAIL ? TAIL : f->count - head;
  for (int i = 0; i < head; i++) add_frame(L, b, f->levels[i]);
  if (is_long) {
    lua_pushfstring(L, "\n\t...\t(skipping %d levels)", f->total - f->hidden - head - tail);
    luaL_addvalue(b);
  }
  for (int i = f->count - tail; i < f->count; i++) add_frame(L, b, f->levels[i]);
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
