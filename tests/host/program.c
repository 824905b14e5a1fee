/* Runs programs on arrays of a host's: outputs, memory, errors. Prints "ok" if all holds. */
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>

#include "nnlua.h"

static int failures;

static void expect(int holds, const char *what)
{
  if (holds) return;
  printf("failed: %s\n", what);
  failures++;
}

/* y = x * w + b, then x itself and what x * w was. */
static const char source[] = "local nl = require 'nnlua'\n"
                             "local b = nl.program.builder()\n"
                             "local x = b:input('x', {dtype = nl.float32, shape = {'N', 2}})\n"
                             "local w = b:parameter('w', nl.tensor {2.0, 3.0})\n"
                             "local product = b:call('mul', {x, w})\n"
                             "b:output('y', b:call('add', {product, 1}))\n"
                             "b:output('same', x)\n"
                             "b:output('product', product)\n"
                             "return b:build()\n";

static DLTensor describe(float *data, int64_t *shape)
{
  return (DLTensor){.data = data, .device = {kDLCPU, 0}, .ndim = 2, .dtype = {kDLFloat, 32, 1}, .shape = shape};
}

static const float *data_at(lua_State *L, int index)
{
  DLTensor view;
  nnlua_check_tensor(L, index, &view);
  return view.data;
}

/* The program is at 1. */
static void try_runs(lua_State *L)
{
  for (int64_t round = 0; round < 6; round++) { /* plans are made on the way */
    float data[8];
    int64_t shape[2] = {1 + round % 2 * 3, 2};
    int n = (int)(2 * shape[0]);
    for (int i = 0; i < n; i++) data[i] = (float)(i + round);
    DLTensor x = describe(data, shape);
    expect(nnlua_program_run(L, 1, &x, 1) == 3 && lua_gettop(L) == 4, "there are three outputs");
    const float *y = data_at(L, 2), *same = data_at(L, 3), *product = data_at(L, 4);
    for (int i = 0; i < n; i++) {
      float w = i % 2 ? 3 : 2;
      expect(y[i] == data[i] * w + 1 && product[i] == data[i] * w && same[i] == data[i], "the outputs are right");
    }
    expect(same != data, "outputs don't lie in the host's memory");
    lua_settop(L, 1);
  }
}

static int run_wrongly(lua_State *L)
{
  float data[3] = {0};
  int64_t shape[2] = {1, 3};
  DLTensor x = describe(data, shape);
  int n = (int)lua_tointeger(L, lua_upvalueindex(1));
  return nnlua_program_run(L, 1, n == 9 ? NULL : &x, n == 9 ? 1 : n);
}

static int name_beyond(lua_State *L)
{
  nnlua_program_input_name(L, 1, 1);
  return 0;
}

/* A model of ONNX: y = Relu(x), where x is float32 of shape (2). */
static const unsigned char model[] = {
  0x08, 8,   0x42, 2,  0x10, 13,   0x3a, 51,   0x0a, 12,   0x0a, 1,    'x',  0x12, 1,    'y',  0x22, 4,    'R',  'e',
  'l',  'u', 0x12, 1,  'g',  0x5a, 15,   0x0a, 1,    'x',  0x12, 10,   0x0a, 8,    0x08, 1,    0x12, 4,    0x0a, 2,
  0x08, 2,   0x62, 15, 0x0a, 1,    'y',  0x12, 10,   0x0a, 8,    0x08, 1,    0x12, 4,    0x0a, 2,    0x08, 2};

static void try_file(lua_State *L)
{
  float data[2] = {-1, 3};
  int64_t shape[1] = {2};
  DLTensor x = describe(data, shape);
  x.ndim = 1;
  lua_getglobal(L, "os");
  lua_getfield(L, -1, "tmpname");
  lua_call(L, 0, 1);
  const char *name = lua_tostring(L, -1);
  FILE *file = fopen(name, "wb");
  expect(file && fwrite(model, 1, sizeof model, file) == sizeof model && fclose(file) == 0, "the model is written");
  nnlua_program_load(L, name);
  expect(nnlua_program_run(L, -1, &x, 1) == 1, "the model has one output");
  const float *y = data_at(L, -1);
  expect(y[0] == 0 && y[1] == 3, "a program from a file is run");
  remove(name);
  lua_settop(L, 1);
}

static int load_nothing(lua_State *L)
{
  nnlua_program_load(L, "/no/such/file.onnx");
  return 0;
}

/* Calls a function with the program, where it must raise a message. */
static void refuse(lua_State *L, lua_CFunction function, int n, const char *message)
{
  lua_pushinteger(L, n);
  lua_pushcclosure(L, function, 1);
  lua_pushvalue(L, 1);
  expect(lua_pcall(L, 1, 0, 0) != LUA_OK && strstr(lua_tostring(L, -1), message), message);
  lua_settop(L, 1);
}

static int try_all(lua_State *L)
{
  if (luaL_dostring(L, source) != LUA_OK) lua_error(L);
  expect(nnlua_program_inputs(L, 1) == 1 && nnlua_program_outputs(L, -1) == 3, "inputs and outputs are counted");
  expect(strcmp(nnlua_program_input_name(L, 1, 0), "x") == 0, "inputs have names");
  expect(strcmp(nnlua_program_output_name(L, 1, 2), "product") == 0, "outputs have names");
  try_runs(L);
  try_file(L);
  refuse(L, run_wrongly, 1, "input 'x': the program takes the shape (N, 2), not (1, 3)");
  refuse(L, run_wrongly, 0, "the program takes 1 inputs, and 0 are given");
  refuse(L, run_wrongly, 9, "the pointer to them is NULL");
  refuse(L, name_beyond, 0, "the program has 1 inputs, and none of number 1");
  refuse(L, load_nothing, 0, "/no/such/file.onnx");
  lua_settop(L, 0);
  lua_pushliteral(L, "no program");
  refuse(L, run_wrongly, 1, "a program was expected, got string");
  return 0;
}

int main(void)
{
  lua_State *L = luaL_newstate();
  nnlua_open(L);
  luaL_openlibs(L);
  lua_pushcfunction(L, try_all);
  if (lua_pcall(L, 0, 0, 0) != LUA_OK) {
    printf("%s\n", lua_tostring(L, -1));
    failures++;
  }
  lua_close(L);
  if (!failures) puts("ok");
  return failures != 0;
}
