/*
 * When Lua's collector runs for the sake of tensors. It sees only the few bytes of a userdata, not the megabytes behind
 * it; so the core counts those, and before it is entered the collector may be asked for a step. In generational mode a
 * step is a collection of what is young; in incremental mode it is a slice of a cycle. Nothing in Lua's interface tells
 * which mode is on, so a step is watched: garbage made just before it is gone after any collection, young or full.
 */
#include "lua/pressure.h"

#include "core/clock.h"
#include "lua/binding.h"

enum {
  HEADROOM = 20 << 20, /* bytes of garbage that are always allowed */
  CEILING = 30 << 20,  /* where it is collected whatever that costs */
  CYCLE_HEADROOM = 24 << 20,
  CYCLE_CEILING = 40 << 20,
  SMALL_HEAP = 16 << 20, /* of Lua's, beside which these hold */
  SMALL_FLOOR = 256 << 10,
  MEDIUM_FLOOR = 1 << 20,
  MUCH_DUE = 1 << 20,
  LEAST_STRIDE = 16 << 10,
  SLICE_MULTIPLIER = 4, /* of an incremental step, where Lua has 100: it goes over a twentieth of the objects */
  HOST_MULTIPLIER = 0,  /* the same where a step is of 8 KB, as Lua has it, and not of one, as in the interpreter */
  SLICE_CREDIT = 32,    /* KB that Lua may allocate before it goes on with the cycle itself */
  PROBES = 8,           /* of steps that tell the mode, the surer ones count for half of them */
  MOST_PATIENCE = HEADROOM / MEDIUM_FLOOR,
  MOST_SPACING = 8,
  CALM = 16 /* collections that went well before they come more often */
};

static const double YOUNG = 0.75;             /* of the bytes since the last one, which a collection should free */
static const double SHARE = 0.05;             /* of the time, for what collections cost beside freeing */
static const double PER_BLOCK = 2e-7;         /* seconds that freeing a tensor takes at most, with its userdata */
static const double SAVED_PER_BYTE = 5e-11;   /* seconds that a block from the cache saves */
static const double SHORT_SLICE = 2e-4;       /* seconds of a cycle within one call */
static const double LONG_SLICE = 2e-3;        /* where as much is due as MUCH_DUE bytes bring */
static const double CYCLE_ROOM = 0.5;         /* of the bytes that may come up to the ceiling, for a cycle */
static const double SLICES_PER_BYTE = 1.6e-4; /* of an incremental cycle, by Lua's heap; before one was counted */

static char canary_key; /* registry key, by address: a table with a weak entry */
static char head_key;   /* and the newest object, for an incremental sweep to begin with */

static size_t larger_size(size_t a, size_t b) { return a > b ? a : b; }

/* Bytes of garbage that may gather before a collection begins, and before one must end. */
static size_t headroom(size_t live) { return larger_size(HEADROOM, live / 4); }
static size_t ceiling(size_t live) { return larger_size(CEILING, live / 2); }

/* What beside a large heap of Lua's may gather in addition: as much as that is, as Lua itself lets it double. */
static size_t heap_share(size_t heap)
{
  size_t over = heap > SMALL_HEAP ? heap - SMALL_HEAP : 0;
  return 2 * over < heap ? 2 * over : heap;
}

/* The same for incremental cycles, which go over the whole of that heap. */
static size_t cycle_headroom(const Context *ctx, size_t live)
{
  return larger_size(CYCLE_HEADROOM, live / 4) + heap_share(ctx->pressure.heap) / 2;
}
static size_t cycle_ceiling(const Context *ctx, size_t live)
{
  return larger_size(CYCLE_CEILING, live / 2) + heap_share(ctx->pressure.heap);
}

static size_t heap_bytes(lua_State *L)
{
  int kilobytes = lua_gc(L, LUA_GCCOUNT); /* negative within a finalizer */
  return kilobytes > 0 ? (size_t)kilobytes << 10 : 0;
}

static void set_floors(Context *ctx)
{
  size_t times = larger_size(ctx->pressure.patience, ctx->pressure.spacing);
  ctx->memory.small_limit = times * SMALL_FLOOR;
  ctx->memory.medium_limit = times * MEDIUM_FLOOR;
}

void pressure_init(lua_State *L, Context *ctx)
{
  lua_createtable(L, 1, 0);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &canary_key);
  lua_pushboolean(L, false);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &head_key); /* its place, so that no memory is wanted later */
  ctx->memory.limit = HEADROOM;
  ctx->pressure = (Pressure){.per_block = PER_BLOCK, .last_tidy = clock_seconds(), .patience = 1, .spacing = 1};
  set_floors(ctx);
}

/* ------------------------------------------------------- steps of the collector */

/* What a step came to: part of a cycle, a collection, or the end of an incremental cycle. */
typedef enum Step { STEP_PART, STEP_COLLECTED, STEP_ENDED } Step;

/* Not while the collector is stopped, nor within finalizers, where lua_gc gives -1. */
static bool may_collect(lua_State *L) { return lua_gc(L, LUA_GCISRUNNING) == 1; }

static int make_canary(lua_State *L)
{
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &canary_key) == LUA_TTABLE) { /* the debug library can change that */
    lua_newtable(L);
    lua_rawseti(L, -2, 1);
  }
  return 0;
}

static int make_head(lua_State *L)
{
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &head_key);
  return 0;
}

/* Protected: where Lua has no memory for it, what was there does. A look at the collector is no place for an error. */
static void protected(lua_State *L, lua_CFunction f)
{
  lua_pushcfunction(L, f);
  if (lua_pcall(L, 0, 0, 0) != LUA_OK) lua_pop(L, 1);
}

/*
 * As an incremental cycle enters its sweep, Lua frees in one go all garbage that is newer than the newest object
 * alive: 16 ms for 400,000 tables. So now and then there is a new one.
 */
static void set_head(lua_State *L)
{
  if (lua_checkstack(L, 3)) protected(L, make_head);
}

static bool canary_is_dead(lua_State *L)
{
  bool dead = true;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &canary_key) == LUA_TTABLE) {
    dead = lua_rawgeti(L, -1, 1) == LUA_TNIL;
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return dead;
}

/*
 * In generational mode a step of nothing more would reset Lua's own count of what it owes, and it would never come to
 * the full collections that it makes as its heap grows: so there all of the heap is owed, and Lua decides. In
 * incremental mode Lua's own steps go over some 50,000 objects, which takes 5 ms where they are dead tensors: ours are
 * shorter, and put its own off until so much is allocated that nobody else seems to go on with the cycle.
 */
static Step collector_step(lua_State *L, Context *ctx)
{
  Pressure *p = &ctx->pressure;
  if (!lua_checkstack(L, 3)) return STEP_PART;
  protected(L, make_canary);
  if (!p->generational) set_head(L);
  bool ended;
  if (p->generational) {
    ended = lua_gc(L, LUA_GCSTEP, lua_gc(L, LUA_GCCOUNT) + 1) == 1;
  } else {
    bool is_interpreter = ctx->host.tensor_block;
    int multiplier = lua_gc(L, LUA_GCSETSTEPMUL, is_interpreter ? SLICE_MULTIPLIER : HOST_MULTIPLIER);
    ended = lua_gc(L, LUA_GCSTEP, 0) == 1;
    lua_gc(L, LUA_GCSETSTEPMUL, multiplier);
    lua_gc(L, LUA_GCSTEP, -SLICE_CREDIT); /* takes from what Lua owes, and is no step */
  }
  bool dead = canary_is_dead(L);
  Step step = dead && !ended ? STEP_COLLECTED : ended ? STEP_ENDED : STEP_PART;
  /* In incremental mode the step after the one that marks the last object only sweeps. */
  p->generational = step == STEP_COLLECTED && (p->generational || p->last_step == STEP_COLLECTED);
  p->last_step = step;
  p->handed_out = ctx->memory.handed_out;
  return step;
}

/* ------------------------------------------------------------- garbage that is fresh */

/* Where much of what was made since the last collection was not freed by this one, it would be old after another. */
static void adapt_spacing(Pressure *p, double made, double freed)
{
  if (p->generational && freed < YOUNG * made) {
    if (p->spacing < MOST_SPACING) p->spacing *= 2;
    p->calm = 0;
  } else if (++p->calm >= CALM && p->spacing > 1) {
    p->spacing /= 2;
    p->calm = 0;
  }
}

/*
 * Whether a step for the cache's sake is worth it: in generational mode, and while it isn't known which one it is. In
 * generational mode too Lua goes over its whole heap at times, mostly while a program begins, which tells less.
 */
static bool may_be_generational(Pressure *p)
{
  if (p->generational) return true;
  if (p->probes >= PROBES) return false;
  p->probes += p->last_step == STEP_ENDED ? 1 : PROBES / 2;
  return true;
}

/* Collects what is young. What that took beside freeing tells when to do so again. */
static double collect_fresh(lua_State *L, Context *ctx)
{
  const Memory *m = &ctx->memory;
  Pressure *p = &ctx->pressure;
  size_t bytes = m->allocated, blocks = m->live_blocks;
  double start = clock_seconds();
  collector_step(L, ctx);
  double end = clock_seconds(), took = end - start;
  double freed_blocks = blocks > m->live_blocks ? (double)(blocks - m->live_blocks) : 0;
  double freed_bytes = bytes > m->allocated ? (double)(bytes - m->allocated) : 0;
  if (took < freed_blocks * p->per_block) p->per_block = took / freed_blocks;
  double idle = took - freed_blocks * p->per_block;
  double due = SHARE * (end - p->last_tidy) + (p->patience <= 2 ? SAVED_PER_BYTE * freed_bytes : 0);
  if (idle > due && p->patience < MOST_PATIENCE) p->patience *= 2;
  else if (idle < due / 4 && p->patience > 1) p->patience /= 2;
  p->last_tidy = end;
  return freed_bytes;
}

/*
 * Tensors die young, and what the next ones use should still be in the processor's cache: so a step of the collector
 * long before there is pressure. While a graph is recorded only small tensors count, for large ones that live across
 * two young collections would be old before their time. What a step costs beside freeing - marking the host's heap - is
 * paid from its share of the time and from what the cache saves; where it is more, the next one waits longer. In
 * incremental mode only a whole cycle frees anything, which costs more than the cache saves: once that mode is known,
 * it is left to pressure.
 */
static void tidy(lua_State *L, Context *ctx)
{
  Memory *m = &ctx->memory;
  Pressure *p = &ctx->pressure;
  bool records = ctx->sequence != p->sequence;
  p->sequence = ctx->sequence;
  if (records && m->small_since <= m->small_limit) {
    m->medium_since = 0;
    return;
  }
  if (may_be_generational(p)) {
    double made = (double)(m->small_since + m->medium_since);
    adapt_spacing(p, made, collect_fresh(L, ctx));
    set_floors(ctx);
  } else {
    set_head(L);
  }
  m->small_since = m->medium_since = 0;
}

/* ------------------------------------------------------------------ pressure */

/* The next look comes after so many bytes more, and no later than where garbage must be collected. */
static void set_limit(Context *ctx, size_t bytes)
{
  Memory *m = &ctx->memory;
  size_t live = m->live_after, most = live + (ctx->pressure.generational ? ceiling(live) : cycle_ceiling(ctx, live));
  m->limit = m->allocated + bytes;
  if (m->allocated < most && m->limit > most) m->limit = most;
}

static void collect_fully(lua_State *L, Context *ctx)
{
  Pressure *p = &ctx->pressure;
  double start = clock_seconds();
  lua_gc(L, LUA_GCCOLLECT);
  p->last_full = clock_seconds();
  p->cost = p->last_full - start;
  p->slices = 0;
  p->unseen = 0;
  p->marked = false;
  p->heap = heap_bytes(L);
  ctx->memory.live_after = ctx->memory.allocated;
  p->handed_out = ctx->memory.handed_out;
  set_limit(ctx, headroom(ctx->memory.live_after));
}

/*
 * A young collection leaves what has become old. If that is much, a full one is due: rationed by what it costs, while
 * memory is below the ceiling. The last one may have come in the middle of a step that holds much, so what was live
 * then is no promise.
 */
static bool full_is_due(const Context *ctx)
{
  size_t now = ctx->memory.allocated, live = ctx->memory.live_after;
  if (now <= live + headroom(live)) return false;
  if (now > live + ceiling(live)) return true;
  return clock_seconds() - ctx->pressure.last_full > ctx->pressure.cost / SHARE;
}

static void young_collected(lua_State *L, Context *ctx)
{
  ctx->pressure.slices = 0;
  if (full_is_due(ctx)) collect_fully(L, ctx);
  else set_limit(ctx, larger_size(HEADROOM, ctx->memory.allocated / 4));
}

/* The cycle has ended. What came while it swept may be garbage that it did not see: it doesn't count as live. */
static void cycle_ended(lua_State *L, Context *ctx)
{
  Memory *m = &ctx->memory;
  Pressure *p = &ctx->pressure;
  bool whole = p->marked || p->slices == 1;
  p->heap = heap_bytes(L);
  size_t left = m->allocated > p->unseen ? m->allocated - p->unseen : 0;
  if (whole) {
    size_t room = cycle_headroom(ctx, left), unseen = m->allocated - left;
    p->cycle_slices = p->slices;
    m->live_after = left;
    set_limit(ctx, unseen < room / 2 ? room - unseen : room / 2);
  }
  p->slices = 0;
  p->unseen = 0;
  p->marked = false;
  if (m->allocated > left + cycle_ceiling(ctx, left)) collect_fully(L, ctx);
}

/*
 * How many bytes there may be between two slices for a cycle to end well before the ceiling. How many it takes is a
 * guess, from the last one: where it takes more they come closer together.
 */
static size_t stride(lua_State *L, const Context *ctx)
{
  size_t live = ctx->memory.live_after, end = live + cycle_ceiling(ctx, live), now = ctx->memory.allocated;
  const Pressure *p = &ctx->pressure;
  double slices = p->cycle_slices ? p->cycle_slices : 1 + SLICES_PER_BYTE * (double)heap_bytes(L);
  double to_come = slices - p->slices > slices / 4 ? slices - p->slices : slices / 4;
  double usual = (double)(cycle_ceiling(ctx, live) - cycle_headroom(ctx, live)) / slices;
  double left = end > now ? (double)(end - now) / to_come : 0;
  return (size_t)(CYCLE_ROOM * (left < usual ? left : usual)) + 1;
}

/*
 * In incremental mode a cycle is cut into slices, spread over the bytes that may still come before the ceiling. Where
 * more than one is due they follow each other, but for a bounded time, and beyond the ceiling up to the cycle's end. A
 * cycle that had marked before garbage was looked for frees little; then another follows.
 */
static void cycle_goes_on(lua_State *L, Context *ctx, Step step)
{
  Memory *m = &ctx->memory;
  Pressure *p = &ctx->pressure;
  size_t apart = stride(L, ctx);
  bool late = m->allocated > m->live_after + cycle_ceiling(ctx, m->live_after);
  size_t grown = p->slices && m->allocated > p->left ? m->allocated - p->left : 0;
  for (double until = clock_seconds() + (grown > MUCH_DUE ? LONG_SLICE : SHORT_SLICE);; step = collector_step(L, ctx)) {
    if (p->generational) { /* as the second of two steps shows, and then no cycle ever ends */
      young_collected(L, ctx);
      return;
    }
    p->slices++;
    if (step == STEP_COLLECTED) p->marked = true;
    if (step == STEP_ENDED) break;
    grown = grown > apart ? grown - apart : 0;
    if (late || (grown && clock_seconds() < until)) continue;
    p->left = m->allocated > grown ? m->allocated - grown : m->allocated; /* what is not done is due next time */
    m->limit = larger_size(p->left + apart, m->allocated + LEAST_STRIDE);
    return;
  }
  cycle_ended(L, ctx);
}

static void relieve(lua_State *L, Context *ctx)
{
  Pressure *p = &ctx->pressure;
  if (!may_collect(L)) {
    set_limit(ctx, HEADROOM);
    return;
  }
  if (p->marked && ctx->memory.allocated > p->left) p->unseen += ctx->memory.allocated - p->left;
  Step step = collector_step(L, ctx);
  if (p->generational) young_collected(L, ctx);
  else cycle_goes_on(L, ctx, step);
  memory_look(&ctx->memory);
}

void pressure_relieve(lua_State *L, Context *ctx)
{
  Memory *m = &ctx->memory;
  if (m->allocated > m->limit) {
    relieve(L, ctx);
    m->small_since = m->medium_since = 0;
  } else if (may_collect(L)) {
    tidy(L, ctx);
  } else {
    m->small_since = m->medium_since = 0;
  }
}

/* Lua may be in a cycle of its own, whose sweep shall begin with a live object soon. */
void pressure_scope_ended(lua_State *L, Context *ctx)
{
  Memory *m = &ctx->memory;
  if (m->small_since <= m->small_limit && m->medium_since <= m->medium_limit) return;
  if (!ctx->pressure.generational) set_head(L);
  m->small_since = m->medium_since = 0;
}

/*
 * A graph is whole, and most userdata of its tensors are garbage, which would keep what it holds until they go: so a
 * backward gives each tensor back as it is through with it, and the next step has the very blocks of this one.
 */
void pressure_before_backward(lua_State *L, Context *ctx)
{
  Memory *m = &ctx->memory;
  Pressure *p = &ctx->pressure;
  if (ctx->scope || m->handed_out - p->handed_out < p->patience * MEDIUM_FLOOR) return;
  if (!may_collect(L) || !may_be_generational(p)) return;
  collect_fresh(L, ctx);
  set_floors(ctx);
  m->small_since = m->medium_since = 0;
}

bool pressure_reclaim(Context *ctx)
{
  lua_State *L = ctx->host.state;
  if (!L || ctx->in_finalizers) return false;
  ctx->in_finalizers = true; /* what an op works with must not change under it */
  collect_fully(L, ctx);
  memory_trim(&ctx->memory);
  ctx->in_finalizers = false;
  return true;
}
