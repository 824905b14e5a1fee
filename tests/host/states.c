/* Several Lua states at once, each in a thread of its own, share nothing that a script sees: all of them train the same
   net and must end with the same numbers as one alone. Prints "ok" if they do; built with -fsanitize=thread it also
   tells what they shared unguarded. */
#include <lauxlib.h>
#include <lualib.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "nnlua.h"

enum { STATES = 4, ROUNDS = 2 };

static const char program[] =
  "local nl = require 'nnlua'\n"
  "local nn, optim = nl.nn, nl.optim\n"
  "nl.manual_seed(3)\n"
  "nl.set_num_threads(2)\n"
  "local net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.2),\n"
  "  nn.Linear(4 * 7 * 7, 10))\n"
  "local o = optim.Adam(net:parameters())\n"
  "local x, labels = nl.randn(32, 1, 16, 16), nl.randint(1, 11, {32})\n"
  "local loss\n"
  "for _ = 1, 4 do\n"
  "  o:zero_grad()\n"
  "  loss = nn.functional.cross_entropy(net(x), labels)\n"
  "  loss:backward()\n"
  "  o:step()\n"
  "end\n"
  "local big = nl.randn(300, 400)\n"
  "local sums = big:exp():sum(1):sort():cumsum(1):sum() + nl.mm(big, big:t()):std() + big[{{1, 20}, {1, 20}}]:trace()\n"
  "pcall(function() return big + nl.ones(7) end)\n"
  "return ('%a %a'):format(loss:item(), sums:item())\n";

typedef struct Run {
  char result[128];
} Run;

static void *run_state(void *arg)
{
  Run *run = arg;
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  luaL_requiref(L, "nnlua", luaopen_nnlua, 0);
  int failed = luaL_dostring(L, program);
  snprintf(run->result, sizeof run->result, "%s%s", failed ? "error: " : "", lua_tostring(L, -1));
  lua_close(L);
  return NULL;
}

int main(void)
{
  Run alone, runs[STATES];
  run_state(&alone);
  for (int round = 0; round < ROUNDS; round++) {
    pthread_t threads[STATES];
    for (int i = 0; i < STATES; i++) pthread_create(&threads[i], NULL, run_state, &runs[i]);
    for (int i = 0; i < STATES; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < STATES; i++) {
      if (strcmp(runs[i].result, alone.result) == 0) continue;
      printf("state %d: %s, alone: %s\n", i + 1, runs[i].result, alone.result);
      return 1;
    }
  }
  if (strncmp(alone.result, "0x", 2) != 0) {
    printf("%s\n", alone.result);
    return 1;
  }
  puts("ok");
  return 0;
}
