/*
 * A game with an agent inside: a ball bounces between walls, and a paddle that a small net moves learns, while the game
 * goes on at 60 frames a second, where the ball will come down. Each frame asks the net once and trains it four steps;
 * how long that takes is told at the end. ./bootstrap build makes it:
 *
 *   build/release/nnlua_game [frames] [--fast]      --fast: without waiting for each frame's time
 */
#include <lauxlib.h>
#include <lualib.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nnlua.h"

enum { STATE = 4, MOST_FRAMES = 1000000, MEMORY = 8192, BATCH = 64, LESSONS = 4 };

/* The game's own: places from 0 to 1, speeds a frame. */
typedef struct Game {
  float x, y, dx, dy, paddle;
  int hits, misses;
} Game;

static const float gravity = 0.0004f, reach = 0.1f, paddle_speed = 0.03f;

/* What the agent is, in Lua: it sees place and speed of the ball, and guesses where it comes down. What it has seen of
 * a fall is known to belong to a place once the ball is there. */
static const char agent[] =
  "local nl = require 'nnlua'\n"
  "local nn, optim = nl.nn, nl.optim\n"
  "nl.manual_seed(0)\n"
  "local net = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))\n"
  "local optimizer = optim.Adam(net:parameters(), {lr = 0.003})\n"
  "local scale = nl.tensor {1.0, 1.0, 50.0, 50.0}\n"
  "function decide(state)\n"
  "  local scope <close> = nl.scope()\n" /* what is made here is gone at the end: no garbage for the collector */
  "  return nl.no_grad(net, state * scale):item()\n"
  "end\n"
  "function learn(states, places)\n"
  "  local scope <close> = nl.scope()\n"
  "  local loss = nn.functional.mse_loss(net(states * scale), places)\n"
  "  optimizer:zero_grad()\n"
  "  loss:backward()\n"
  "  optimizer:step()\n"
  "end\n";

static double now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static float chance(void) { return (float)rand() / (float)RAND_MAX; }

static void serve(Game *g)
{
  g->x = chance();
  g->y = 1;
  g->dx = 0.03f * (chance() - 0.5f);
  g->dy = 0;
}

/* A frame of the game; whether the ball has come down. */
static bool move(Game *g, float target)
{
  float way = target - g->paddle;
  g->paddle += fmaxf(-paddle_speed, fminf(paddle_speed, way));
  g->dy -= gravity;
  g->x += g->dx;
  g->y += g->dy;
  if (g->x < 0 || g->x > 1) {
    g->dx = -g->dx;
    g->x = g->x < 0 ? -g->x : 2 - g->x;
  }
  return g->y <= 0;
}

static void push_floats(lua_State *L, float *data, int64_t rows, int64_t columns)
{
  int64_t shape[] = {rows, columns};
  DLTensor t = {.data = data, .device = {kDLCPU, 0}, .ndim = 2, .dtype = {kDLFloat, 32, 1}, .shape = shape};
  nnlua_push_tensor(L, &t, NULL, NULL); /* NULL: the array outlives the state */
}

static float decide(lua_State *L, float *state)
{
  lua_getglobal(L, "decide");
  push_floats(L, state, 1, STATE);
  lua_call(L, 1, 1);
  float target = (float)lua_tonumber(L, -1);
  lua_pop(L, 1);
  return target;
}

/* What was seen of falls that have ended, the oldest overwritten, and of the one that goes on. */
typedef struct Memory {
  float states[MEMORY][STATE], places[MEMORY];
  int n, first_of_fall;
} Memory;

static void learn(lua_State *L, const Memory *m)
{
  static float states[BATCH][STATE], places[BATCH];
  int oldest = m->n > MEMORY ? m->n - MEMORY : 0, known = m->first_of_fall - oldest;
  if (known < BATCH) return;
  for (int i = 0; i < BATCH; i++) {
    int k = (oldest + rand() % known) % MEMORY;
    memcpy(states[i], m->states[k], sizeof states[i]);
    places[i] = m->places[k];
  }
  lua_getglobal(L, "learn");
  push_floats(L, &states[0][0], BATCH, STATE);
  push_floats(L, places, BATCH, 1);
  lua_call(L, 2, 0);
}

static void note(Memory *m, const float *state) { memcpy(m->states[m->n++ % MEMORY], state, sizeof m->states[0]); }

/* The ball has come down: that is what all that was seen of this fall belongs to. */
static void note_place(Memory *m, float place)
{
  for (int i = m->first_of_fall; i < m->n; i++) m->places[i % MEMORY] = place;
  m->first_of_fall = m->n;
}

static void wait_until(double end)
{
  double left = end - now();
  if (left <= 0) return;
  struct timespec t = {(time_t)left, (long)(1e9 * (left - floor(left)))};
  nanosleep(&t, NULL);
}

static int compare(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static void tell(double *times, int frames)
{
  qsort(times, (size_t)frames, sizeof *times, compare);
  printf("a frame's thinking and learning: median %.0f us, 99 of 100 within %.0f us, the longest %.0f us, of 16667\n",
         1e6 * times[frames / 2], 1e6 * times[frames * 99 / 100], 1e6 * times[frames - 1]);
}

static void play(lua_State *L, int frames, bool is_fast, double *times)
{
  static Memory memory;
  static float state[STATE];
  Game g = {.paddle = 0.5f};
  const double start = now();
  serve(&g);
  for (int frame = 0; frame < frames; frame++) {
    const double begin = now();
    state[0] = g.x, state[1] = g.y, state[2] = g.dx, state[3] = g.dy;
    note(&memory, state);
    float target = decide(L, state);
    for (int i = 0; i < LESSONS; i++) learn(L, &memory);
    times[frame] = now() - begin;
    if (move(&g, target)) {
      note_place(&memory, g.x);
      *(fabsf(g.x - g.paddle) <= reach ? &g.hits : &g.misses) += 1;
      if ((g.hits + g.misses) % 10 == 0) {
        printf("of ten balls %d were caught\n", g.hits);
        g.hits = g.misses = 0;
      }
      serve(&g);
    }
    if (!is_fast) wait_until(start + (frame + 1) / 60.0);
  }
  tell(times, frames);
}

/* All that may raise a Lua error runs in here. Arguments: the number of frames, whether not to wait. */
static int run(lua_State *L)
{
  int frames = (int)lua_tointeger(L, 1);
  bool is_fast = lua_toboolean(L, 2);
  if (luaL_dostring(L, agent) != LUA_OK) return lua_error(L);
  lua_gc(L, LUA_GCINC, 0, 0, 0); /* small steps, none of which a player sees */
  play(L, frames, is_fast, lua_newuserdatauv(L, (size_t)frames * sizeof(double), 0));
  return 0;
}

int main(int argc, char **argv)
{
  long frames = argc > 1 ? strtol(argv[1], NULL, 10) : 3600;
  if (frames < 1 || frames > MOST_FRAMES) {
    fprintf(stderr, "usage: %s [frames, up to %d] [--fast]\n", argv[0], MOST_FRAMES);
    return EXIT_FAILURE;
  }
  lua_State *L = luaL_newstate();
  if (!L || nnlua_version() != NNLUA_VERSION_NUMBER) return EXIT_FAILURE;
  nnlua_open(L); /* before the other libraries */
  luaL_openlibs(L);
  lua_pushcfunction(L, run);
  lua_pushinteger(L, frames);
  lua_pushboolean(L, argc > 2 && strcmp(argv[2], "--fast") == 0);
  int status = lua_pcall(L, 2, 0, 0);
  if (status != LUA_OK) fprintf(stderr, "%s\n", lua_tostring(L, -1));
  lua_close(L);
  return status == LUA_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
