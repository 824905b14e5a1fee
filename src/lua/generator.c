/* nl.Generator and the functions on the default one. */
#include "lua/open.h"
#include "lua/parse.h"

#include <string.h>

#define GENERATOR_NAME "nnlua.Generator"

typedef struct GeneratorBox {
  uint32_t kind;
  Generator *generator; /* its own, or the default one of the context */
  Generator own;
} GeneratorBox;

Generator *generator_test(lua_State *L, int index)
{
  GeneratorBox *box = userdata_test(L, index, KIND_GENERATOR, sizeof *box);
  return box ? box->generator : NULL;
}

static Generator *generator_check(lua_State *L, int index)
{
  tell_doing(L, context_of(L), "a generator");
  Generator *g = generator_test(L, index);
  if (!g) user_error(L, "a nl.Generator was expected, got %s", luaL_typename(L, index));
  return g;
}

static uint64_t seed_at(lua_State *L, int index)
{
  int is_integer;
  lua_Integer seed = lua_tointegerx(L, index, &is_integer);
  if (!is_integer) user_error(L, "manual_seed: an integer is expected, got %s", type_name(L, index));
  return (uint64_t)seed;
}

static GeneratorBox *push_generator(lua_State *L)
{
  GeneratorBox *box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = (GeneratorBox){.kind = KIND_GENERATOR, .generator = &box->own};
  luaL_setmetatable(L, GENERATOR_NAME);
  return box;
}

static int generator_new(lua_State *L)
{
  generator_seed(push_generator(L)->generator, 67280421310721u);
  return 1;
}

static int generator_manual_seed(lua_State *L)
{
  generator_seed(generator_check(L, 1), seed_at(L, 2));
  lua_settop(L, 1);
  return 1;
}

static int generator_initial_seed(lua_State *L)
{
  lua_pushinteger(L, (lua_Integer)generator_check(L, 1)->seed);
  return 1;
}

static int push_fresh(lua_State *L, Generator *g)
{
  uint64_t seed = generator_fresh_seed();
  generator_seed(g, seed);
  lua_pushinteger(L, (lua_Integer)seed);
  return 1;
}

static int generator_fresh(lua_State *L) { return push_fresh(L, generator_check(L, 1)); }

/* A state is an opaque string. */
static int push_state(lua_State *L, const Generator *g)
{
  lua_pushlstring(L, (const char *)g, sizeof *g);
  return 1;
}

static void take_state(lua_State *L, Generator *g, int index)
{
  size_t n;
  const char *state = luaL_checklstring(L, index, &n);
  Generator taken;
  if (n == sizeof taken) memcpy(&taken, state, n);
  if (n != sizeof taken || taken.used < 0 || taken.used > GENERATOR_WORDS)
    user_error(L, "set_rng_state: this is no generator's state");
  *g = taken;
}

static int generator_clone_state(lua_State *L)
{
  const Generator *g = generator_check(L, 1);
  *push_generator(L)->generator = *g;
  return 1;
}

/* upvalue 1: the methods */
static int generator_index(lua_State *L)
{
  generator_check(L, 1);
  lua_settop(L, 2);
  if (lua_type(L, 2) == LUA_TSTRING && strcmp(lua_tostring(L, 2), "device") == 0) push_device(L, DEVICE_CPU);
  else lua_rawget(L, lua_upvalueindex(1));
  return 1;
}

static int generator_get_state(lua_State *L) { return push_state(L, generator_check(L, 1)); }

static int generator_set_state(lua_State *L)
{
  take_state(L, generator_check(L, 1), 2);
  lua_settop(L, 1);
  return 1;
}

/* nl.manual_seed(seed): seeds the default generator, which it returns nothing of. */
static int manual_seed(lua_State *L)
{
  tell_doing(L, context_of(L), "manual_seed");
  generator_seed(&context_of(L)->generator, seed_at(L, 1));
  return 0;
}

static int fresh_seed(lua_State *L) { return push_fresh(L, &context_of(L)->generator); }

static int initial_seed(lua_State *L)
{
  tell_doing(L, context_of(L), "initial_seed");
  lua_pushinteger(L, (lua_Integer)context_of(L)->generator.seed);
  return 1;
}

static int get_rng_state(lua_State *L)
{
  tell_doing(L, context_of(L), "get_rng_state");
  return push_state(L, &context_of(L)->generator);
}

static int set_rng_state(lua_State *L)
{
  tell_doing(L, context_of(L), "set_rng_state");
  take_state(L, &context_of(L)->generator, 1);
  return 0;
}

void open_generator(lua_State *L)
{
  static const luaL_Reg methods[] = {{"manual_seed", generator_manual_seed},
                                     {"initial_seed", generator_initial_seed},
                                     {"seed", generator_fresh},
                                     {"get_state", generator_get_state},
                                     {"set_state", generator_set_state},
                                     {"clone_state", generator_clone_state},
                                     {NULL, NULL}};
  static const luaL_Reg functions[] = {{"Generator", generator_new},
                                       {"manual_seed", manual_seed},
                                       {"seed", fresh_seed},
                                       {"initial_seed", initial_seed},
                                       {"get_rng_state", get_rng_state},
                                       {"set_rng_state", set_rng_state},
                                       {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
  luaL_newmetatable(L, GENERATOR_NAME);
  luaL_newlib(L, methods);
  lua_pushcclosure(L, generator_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  push_generator(L)->generator = &context_of(L)->generator;
  lua_setfield(L, -2, "default_generator");
}
