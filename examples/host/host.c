/*
 * A C program with nnlua inside: it owns the data, Lua owns the model, and nothing is copied between them.
 *
 * It fits a small net to sin(x). ./bootstrap build makes it; docs/embedding.md shows how to build it by hand. It prints
 *
 *   step   1  loss 1.007393
 *   step 500  loss 0.000025
 *   net(-1.57) = -1.01, net(1.57) = 1.00
 */
#include <lauxlib.h>
#include <lualib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "nnlua.h"

enum { POINTS = 64, STEPS = 500 };

/* What the program does in Lua: a net, a step of training it, and what it gives. */
static const char model[] = "local nl = require 'nnlua'\n"
                            "local nn, optim = nl.nn, nl.optim\n"
                            "nl.manual_seed(0)\n"
                            "local net = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 1))\n"
                            "local optimizer = optim.Adam(net:parameters(), {lr = 0.02})\n"
                            "function step(x, y)\n"
                            "  local loss = nn.functional.mse_loss(net(x), y)\n"
                            "  optimizer:zero_grad()\n"
                            "  loss:backward()\n"
                            "  optimizer:step()\n"
                            "  return loss:item()\n"
                            "end\n"
                            "function predict(x) return nl.no_grad(net, x) end\n";

/* Pushes a column of floats as a tensor over the array itself. */
static void push_column(lua_State *L, float *data, int64_t n)
{
  int64_t shape[] = {n, 1};
  DLTensor column = {.data = data, .device = {kDLCPU, 0}, .ndim = 2, .dtype = {kDLFloat, 32, 1}, .shape = shape};
  nnlua_push_tensor(L, &column, NULL, NULL); /* NULL: the array outlives the state */
}

static double train(lua_State *L, float *x, float *y)
{
  lua_getglobal(L, "step");
  push_column(L, x, POINTS);
  push_column(L, y, POINTS);
  lua_call(L, 2, 1);
  double loss = lua_tonumber(L, -1);
  lua_pop(L, 1);
  return loss;
}

/* The net's value at a point. */
static double value_at(lua_State *L, float x)
{
  static float point; /* the tensor over it lives until Lua collects it */
  DLTensor result;
  point = x;
  lua_getglobal(L, "predict");
  push_column(L, &point, 1);
  lua_call(L, 1, 1);
  nnlua_check_tensor(L, -1, &result);
  double value = *(const float *)result.data;
  lua_pop(L, 1);
  return value;
}

/* All that may raise a Lua error runs in here. */
static int run(lua_State *L)
{
  static float x[POINTS], y[POINTS];
  for (int i = 0; i < POINTS; i++) {
    x[i] = -3.0f + 6.0f * (float)i / (POINTS - 1);
    y[i] = sinf(x[i]);
  }
  if (luaL_dostring(L, model) != LUA_OK) return lua_error(L);
  for (int step = 1; step <= STEPS; step++) {
    double loss = train(L, x, y);
    if (step == 1 || step == STEPS) printf("step %3d  loss %.6f\n", step, loss);
  }
  const float quarter = 1.5707963f;
  printf("net(-1.57) = %.2f, net(1.57) = %.2f\n", value_at(L, -quarter), value_at(L, quarter));
  return 0;
}

int main(void)
{
  lua_State *L = luaL_newstate();
  if (!L || nnlua_version() != NNLUA_VERSION_NUMBER) return EXIT_FAILURE;
  nnlua_open(L); /* before the other libraries */
  luaL_openlibs(L);
  lua_pushcfunction(L, run);
  int status = lua_pcall(L, 0, 0, 0);
  if (status != LUA_OK) fprintf(stderr, "%s\n", lua_tostring(L, -1));
  lua_close(L);
  return status == LUA_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
