/* How the collector sees behind the graph: tables that hold what nodes have of Lua. */
#include "lua/autograd/carriers.h"

#include <stdlib.h>

static char carriers_key, pins_key, backward_key; /* registry keys, by address */

/* What the core has released while something is pinned: Lua can't be called then, so it waits here. */
typedef struct Released {
  int64_t *ids;
  int count, capacity;
  int pinned;
  int64_t next_id;
} Released;

/* ---------------------------------------------------------------- carriers */

int64_t push_new_carrier(lua_State *L, Context *ctx)
{
  Released *r = ctx->carriers;
  int64_t id = ++r->next_id;
  lua_newtable(L);
  lua_pushinteger(L, id);
  lua_setfield(L, -2, "id");
  lua_rawgetp(L, LUA_REGISTRYINDEX, &carriers_key);
  lua_pushvalue(L, -2);
  lua_rawseti(L, -2, id);
  lua_pop(L, 1);
  return id;
}

bool push_carrier(lua_State *L, int64_t id)
{
  lua_rawgetp(L, LUA_REGISTRYINDEX, &carriers_key);
  bool there = lua_rawgeti(L, -1, id) != LUA_TNIL;
  lua_remove(L, -2);
  return there;
}

static bool is_carrier(lua_State *L, int index)
{
  lua_pushliteral(L, "id");
  bool is = lua_rawget(L, index < 0 ? index - 1 : index) != LUA_TNIL;
  lua_pop(L, 1);
  return is;
}

/* ------------------------------------------------------------------- lists */

static TensorBox *box_of(lua_State *L, int index) { return tensor_test(L, index) ? lua_touserdata(L, index) : NULL; }

/* Whether the list at an index has the value at another as an element. */
static bool contains(lua_State *L, int list, int value)
{
  if (lua_rawequal(L, list, value)) return true;
  if (is_carrier(L, list)) return false;
  bool found = false;
  int n = (int)lua_rawlen(L, list);
  for (int i = 1; i <= n && i <= 4 && !found; i++) { /* short: sharing is a saving, not a must */
    lua_rawgeti(L, list, i);
    found = lua_rawequal(L, -1, value);
    lua_pop(L, 1);
  }
  return found;
}

/* Joins the two values on top into one. *own says that the lower is a list made here, which may be added to. */
static void join(lua_State *L, bool *own)
{
  int b = lua_gettop(L), a = b - 1;
  if (lua_isnil(L, b) || (!lua_isnil(L, a) && contains(L, a, b))) {
    lua_pop(L, 1);
  } else if (*own) {
    lua_rawseti(L, a, (lua_Integer)lua_rawlen(L, a) + 1);
  } else if (lua_isnil(L, a) || contains(L, b, a)) {
    lua_replace(L, a);
  } else {
    lua_createtable(L, 2, 0);
    lua_rotate(L, a, 1);
    lua_rawseti(L, a, 2);
    lua_rawseti(L, a, 1);
    *own = true;
  }
}

/* Pushes what a userdata carries, and what those that it is a view of do. */
static void push_own_carried(lua_State *L, int index)
{
  TensorBox *box = lua_touserdata(L, index);
  index = lua_absindex(L, index);
  push_table_of(L, index, CARRIERS);
  if (!(box->flags & BOX_VIEW)) return;
  lua_getiuservalue(L, index, BASE);
  while (box_of(L, -1)) {
    bool own = false;
    push_table_of(L, -1, CARRIERS);
    lua_insert(L, -3);
    lua_getiuservalue(L, -1, BASE); /* carried, the base's, base, its base */
    lua_replace(L, -2);
    lua_insert(L, -3);
    join(L, &own);
    lua_insert(L, -2);
  }
  lua_pop(L, 1);
}

/* Joins what a value carries into the list on top. */
static void join_value(lua_State *L, int index, bool *own)
{
  if (box_of(L, index)) {
    const TensorBox *box = lua_touserdata(L, index);
    if (!box->flags) return;
    push_own_carried(L, index);
    join(L, own);
  } else if (lua_type(L, index) == LUA_TTABLE) {
    int n = (int)lua_rawlen(L, index);
    for (int i = 1; i <= n; i++) {
      lua_rawgeti(L, index, i);
      const TensorBox *box = box_of(L, -1);
      if (box && box->flags) push_own_carried(L, -1);
      else lua_pushnil(L);
      lua_remove(L, -2);
      join(L, own);
    }
  }
}

void push_carried(lua_State *L, int first, int n)
{
  bool own = false;
  luaL_checkstack(L, 8, NULL);
  lua_pushnil(L);
  for (int i = first; i < first + n; i++) join_value(L, i, &own);
}

void carriers_give(lua_State *L, int index, int list)
{
  TensorBox *box = lua_touserdata(L, index);
  if (lua_isnil(L, list)) return;
  bool own = false;
  index = lua_absindex(L, index);
  list = lua_absindex(L, list);
  push_table_of(L, index, CARRIERS);
  lua_pushvalue(L, list);
  join(L, &own);
  lua_setiuservalue(L, index, CARRIERS);
  box->flags |= BOX_CARRIES;
}

void carriers_link(lua_State *L, int first_arg, int nargs, int first_result, int nresults)
{
  bool any = false;
  for (int i = first_result; i < first_result + nresults; i++) {
    const TensorBox *box = box_of(L, i);
    any |= box && box->tensor->grad_fn;
  }
  if (!any) return;
  push_carried(L, first_arg, nargs);
  if (!lua_isnil(L, -1))
    for (int i = first_result; i < first_result + nresults; i++) {
      const TensorBox *box = box_of(L, i);
      if (box && box->tensor->grad_fn) carriers_give(L, i, -1);
    }
  lua_pop(L, 1);
}

/* Writing to a tensor under no_grad adds nothing to its graph, so what the arguments carry must not pile up in it. */
void carriers_link_inplace(lua_State *L, int receiver, int first_arg, int nargs)
{
  const TensorBox *box = box_of(L, receiver);
  if (!box || !box->tensor->grad_fn || !box->tensor->ctx->grad_enabled) return;
  push_carried(L, first_arg, nargs);
  if (!lua_isnil(L, -1)) {
    carriers_give(L, receiver, -1);
    lua_getiuservalue(L, receiver, BASE);
    if (box_of(L, -1)) carriers_give(L, -1, -2);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

/* --------------------------------------------------------------------- pins */

static void pin_one(lua_State *L, Context *ctx, int carrier)
{
  Released *r = ctx->carriers;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &pins_key);
  lua_getfield(L, carrier, "id");
  int64_t id = lua_tointeger(L, -1);
  lua_pop(L, 1);
  if (lua_rawgeti(L, -1, id) == LUA_TNIL) {
    lua_pushvalue(L, carrier);
    lua_rawseti(L, -3, id);
    r->pinned++;
  }
  lua_pop(L, 2);
}

/* Whether a walk, whose table is at `work`, meets the value on top of the stack for the first time; remembers it. */
static bool meets(lua_State *L, int work)
{
  lua_pushvalue(L, -1);
  bool seen = lua_rawget(L, work) != LUA_TNIL;
  lua_pop(L, 1);
  if (seen) return false;
  lua_pushvalue(L, -1);
  lua_pushboolean(L, true);
  lua_rawset(L, work);
  return true;
}

/* Puts what the list on top of the stack has behind the n elements of the table at `work`; gives their new number. */
static int append_elements(lua_State *L, int work, int n)
{
  int count = (int)lua_rawlen(L, -1);
  for (int i = 1; i <= count; i++) {
    lua_rawgeti(L, -1, i);
    lua_rawseti(L, work, ++n);
  }
  return n;
}

/* Walks a list of lists without recursion: a table serves as the stack, and remembers what has been seen. */
void carriers_pin(lua_State *L, Context *ctx, int list)
{
  if (lua_isnil(L, list)) return;
  list = lua_absindex(L, list);
  carriers_drain(L, ctx);
  lua_newtable(L);
  int work = lua_gettop(L), n = 1;
  lua_pushvalue(L, list);
  lua_rawseti(L, work, 1);
  while (n > 0) {
    lua_rawgeti(L, work, n--);
    if (meets(L, work)) {
      if (is_carrier(L, -1)) pin_one(L, ctx, lua_gettop(L));
      else n = append_elements(L, work, n);
    }
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

static void carrier_released(Context *ctx, int64_t id)
{
  Released *r = ctx->carriers;
  if (!r || r->pinned == 0) return;
  if (r->count == r->capacity) {
    int capacity = r->capacity ? 2 * r->capacity : 64;
    int64_t *grown = realloc(r->ids, (size_t)capacity * sizeof *grown);
    if (!grown) return; /* it stays pinned */
    r->ids = grown;
    r->capacity = capacity;
  }
  r->ids[r->count++] = id;
  ctx->mode_tokens = 1; /* the next entry drains: see modes_refresh */
}

void carriers_drain(lua_State *L, Context *ctx)
{
  Released *r = ctx->carriers;
  if (r->count == 0) return;
  luaL_checkstack(L, 4, NULL);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &pins_key);
  while (r->count > 0) {
    int64_t id = r->ids[--r->count];
    if (lua_rawgeti(L, -1, id) != LUA_TNIL) {
      lua_pushnil(L);
      lua_rawseti(L, -3, id);
      r->pinned--;
    }
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

/* ------------------------------------------------- backward with create_graph */

void carriers_begin_backward(lua_State *L, int first, int n)
{
  lua_rawgetp(L, LUA_REGISTRYINDEX, &backward_key);
  lua_newtable(L);
  lua_insert(L, -2);
  lua_setfield(L, -2, "outer");
  push_carried(L, first, n);
  if (lua_isnil(L, -1)) lua_pop(L, 1);
  else lua_rawseti(L, -2, 1);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &backward_key);
}

void carriers_end_backward(lua_State *L)
{
  lua_rawgetp(L, LUA_REGISTRYINDEX, &backward_key);
  lua_getfield(L, -1, "outer");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &backward_key);
  lua_pushnil(L);
  lua_setfield(L, -2, "outer");
  lua_pop(L, 1);
}

void carriers_note(lua_State *L, int index)
{
  const TensorBox *box = box_of(L, index);
  if (!box || !box->flags) return;
  index = lua_absindex(L, index);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &backward_key) == LUA_TTABLE) {
    push_own_carried(L, index);
    if (lua_isnil(L, -1) || contains(L, -2, lua_gettop(L))) lua_pop(L, 1);
    else lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  }
  lua_pop(L, 1);
}

void push_backward_carriers(lua_State *L)
{
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &backward_key) == LUA_TTABLE && lua_rawlen(L, -1) > 0) return;
  lua_pop(L, 1);
  lua_pushnil(L);
}

/* ------------------------------------------------------------------ opening */

static int released_gc(lua_State *L)
{
  Released *r = lua_touserdata(L, 1);
  free(r->ids);
  *r = (Released){0};
  return 0;
}

void open_carriers(lua_State *L, Context *ctx)
{
  Released *r = lua_newuserdatauv(L, sizeof *r, 0);
  *r = (Released){0};
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, released_gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  luaL_ref(L, LUA_REGISTRYINDEX);
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &carriers_key);
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &pins_key);
  lua_pushboolean(L, false);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &backward_key);
  ctx->carriers = r;
  ctx->host.carrier_released = carrier_released;
}
