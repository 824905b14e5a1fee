/* Anomaly mode: where the forward of a node ran, and errors of its backward that tell it. */
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "lua/autograd/autograd.h"

/* Where the user's code is: "file:line". Called by the core, so nothing here may raise. */
static void node_created(Context *ctx, Node *n)
{
  lua_State *L = ctx->host.state;
  lua_Debug ar;
  for (int level = 0; L && lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "Sl", &ar);
    if (ar.currentline <= 0 || strncmp(ar.source, "@nnlua/", 7) == 0) continue;
    size_t size = strlen(ar.short_src) + 16;
    n->trace = malloc(size);
    if (n->trace) text_format(n->trace, size, "%s:%d", ar.short_src, ar.currentline);
    return;
  }
}

static int append_trace(lua_State *L)
{
  const char *trace = lua_touserdata(L, 1);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &core_error_key) != LUA_TSTRING) return 0;
  lua_pushstring(L, trace);
  lua_concat(L, 2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &core_error_key);
  return 0;
}

/* Adds to the error being raised where the forward of the failing node ran. */
static void node_failed(Context *ctx, Node *n)
{
  lua_State *L = ctx->host.state;
  char text[256];
  if (!n->trace) return;
  text_format(text, sizeof text, " (in the backward of %s, whose forward ran at %s)", node_name(n), n->trace);
  if (!ctx->error_is_foreign) {
    strncat(ctx->error, text, sizeof ctx->error - strlen(ctx->error) - 1);
    return;
  }
  if (!lua_checkstack(L, 4)) return;
  lua_pushcfunction(L, append_trace);
  lua_pushlightuserdata(L, text);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1);
}

void open_anomaly(Context *ctx)
{
  ctx->host.node_created = node_created;
  ctx->host.node_failed = node_failed;
}
