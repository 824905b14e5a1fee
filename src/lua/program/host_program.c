/* Programs for C hosts: nnlua.h. */
#include "lua/nnlua.h"
#include "lua/program/program.h"

/* Pushes what a module that is a program keeps of it; raises if something else is at the index. */
static Program *push_program(lua_State *L, int index)
{
  luaL_checkstack(L, 8, NULL);
  index = lua_absindex(L, index);
  if (index < 1 || index > lua_gettop(L) || lua_type(L, index) != LUA_TUSERDATA)
    user_error(L, "a program was expected, got %s", luaL_typename(L, index));
  lua_getfield(L, index, "data");
  return program_check(L, -1);
}

void nnlua_program_load(lua_State *L, const char *path)
{
  if (!path) user_error(L, "there is no path of a file to load: it is NULL");
  luaL_checkstack(L, 8, NULL);
  luaL_requiref(L, "nnlua", luaopen_nnlua, 0);
  if (lua_getfield(L, -1, "onnx") == LUA_TNIL) user_error(L, "this build has nothing that reads files of ONNX");
  lua_getfield(L, -1, "load");
  lua_pushstring(L, path);
  lua_call(L, 1, 1);
  lua_replace(L, -3);
  lua_pop(L, 1);
}

int nnlua_program_inputs(lua_State *L, int index)
{
  int n = push_program(L, index)->ninputs;
  lua_pop(L, 1);
  return n;
}

int nnlua_program_outputs(lua_State *L, int index)
{
  int n = push_program(L, index)->noutputs;
  lua_pop(L, 1);
  return n;
}

const char *nnlua_program_input_name(lua_State *L, int index, int i)
{
  const Program *p = push_program(L, index);
  if (i < 0 || i >= p->ninputs) user_error(L, "the program has %d inputs, and none of number %d", p->ninputs, i);
  lua_pop(L, 1);
  return p->values[p->inputs[i]].name;
}

const char *nnlua_program_output_name(lua_State *L, int index, int i)
{
  const Program *p = push_program(L, index);
  if (i < 0 || i >= p->noutputs) user_error(L, "the program has %d outputs, and none of number %d", p->noutputs, i);
  lua_pop(L, 1);
  return p->outputs[i].name;
}

int nnlua_program_run(lua_State *L, int index, const DLTensor *inputs, int ninputs)
{
  const Program *p = push_program(L, index);
  int data = lua_gettop(L);
  if (ninputs != p->ninputs) user_error(L, "the program takes %d inputs, and %d are given", (int)p->ninputs, ninputs);
  if (ninputs > 0 && !inputs) user_error(L, "there are no inputs: the pointer to them is NULL");
  luaL_checkstack(L, ninputs + p->noutputs + 12, "too many inputs");
  Argument *arguments = lua_newuserdatauv(L, (size_t)(ninputs + 1) * sizeof *arguments, 0);
  for (int i = 0; i < ninputs; i++) {
    nnlua_push_tensor(L, &inputs[i], NULL, NULL);
    arguments[i] = (Argument){tensor_test(L, -1), {NULL, -1}};
  }
  int n = run_program(L, data, arguments, data + 2, ninputs, true);
  lua_rotate(L, data, n);
  lua_settop(L, data + n - 1);
  return n;
}
