/* nl.autograd, of what the files of this folder give. */
#include "lua/autograd/autograd.h"
#include "lua/autograd/carriers.h"
#include "lua/autograd/grad_fn.h"
#include "lua/autograd/hooks.h"
#include "lua/autograd/modes.h"
#include "lua/autograd/module_border.h"
#include "lua/autograd/saved_hooks.h"
#include "lua/open.h"
#include "lua/scope.h"

static void add_methods(lua_State *L, int nl, int members)
{
  static const luaL_Reg methods[] = {{"backward", tensor_backward},
                                     {"register_hook", tensor_register_hook},
                                     {"register_post_accumulate_grad_hook", tensor_register_post_accumulate_grad_hook},
                                     {NULL, NULL}};
  lua_pushvalue(L, members);
  luaL_setfuncs(L, methods, 0);
  luaL_setfuncs(L, gradient_methods, 0);
  lua_getfield(L, -1, "detach_");
  lua_setfield(L, nl, "detach_");
  lua_pop(L, 1);
}

void open_autograd(lua_State *L, int nl, int members)
{
  Context *ctx = context_of(L);
  open_carriers(L, ctx);
  open_hooks(L, ctx);
  open_graph(L);
  open_anomaly(ctx);
  add_methods(L, nl, members);
  lua_newtable(L);
  luaL_setfuncs(L, backward_functions, 0);
  luaL_setfuncs(L, border_functions, 0);
  open_custom_function(L);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, register_multi_grad_hook);
  lua_setfield(L, -2, "register_multi_grad_hook");
  open_gradient_edge(L);
  open_backward_callbacks(L);
  open_saved_hooks(L, ctx);
  lua_setfield(L, -2, "graph");
  lua_setfield(L, nl, "autograd");
  open_modes(L, nl);
  open_scope(L, nl);
}
