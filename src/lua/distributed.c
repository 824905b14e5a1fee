/*
 * nnlua.distributed.core: the messenger (distributed/messenger.h) for Lua code of ours, lua/nnlua/distributed: tensors
 * that lie in one stretch go out and come in, work is userdata.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* dladdr */
#endif
#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/interrupt.h"
#include "core/profiler.h"
#include "distributed/messenger.h"
#include "lua/open.h"
#include "lua/parse.h"
#include "lua/distributed.h"
#include "lua/launched.h"
#include "lua/number_text.h"

#define WORK_NAME "nnlua.Work"

/* User values: what is sent, what is received, and the name of the function that the user called. */
enum { WORK_FROM = 1, WORK_TO, WORK_WHAT, WORK_USER_VALUES = WORK_WHAT };

typedef struct WorkBox {
  uint32_t kind;
  bool was_seen; /* that it is done, and what it changed counted */
  Work *work;
  Tensor *from, *to; /* references of their own: a transfer may outlive the userdata */
  ProfileTransfer profiled;
} WorkBox;

static bool has_failed;  /* the process ends with an error */
static bool has_joined;  /* once: MPI can't be begun again */
static double last_wait; /* seconds that the process waits for the others at its end */
static pid_t process;    /* the one that joined: those that it forks have no thread */
static lua_State *owner; /* the main thread of the state that has joined: there is one MPI in a process */

/* ------------------------------------------------------------------- joining */

static TransportFunction *transport_function;

#define MPI_LIBRARY(debian_package)                                                                 \
  {                                                                                                 \
    .what = "what was built for this MPI", .package = debian_package,                               \
    .functions = (const LibraryFunction[]){{"nnlua_transport", &transport_function}, {NULL, NULL}}, \
  }
static Library openmpi = MPI_LIBRARY("libopenmpi3"), mpich = MPI_LIBRARY("libmpich12");

/*
 * folder(): that of the file that this code is in, the interpreter's or the module's, whatever links lead there. Of the
 * program itself dladdr says by what it was called, which may be a name that was found on PATH.
 */
static int own_folder(lua_State *L)
{
  Dl_info own, program;
  if (!dladdr((const void *)&openmpi, &own) || !own.dli_fname) return 0;
  bool is_program = dladdr((const void *)getauxval(AT_PHDR), &program) && program.dli_fbase == own.dli_fbase;
  char path[PATH_MAX];
  if (!realpath(is_program ? "/proc/self/exe" : own.dli_fname, path)) return 0;
  lua_pushlstring(L, path, (size_t)(strrchr(path, '/') - path));
  return 1;
}

static lua_State *main_thread(lua_State *L)
{
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
  lua_State *main = lua_tothread(L, -1);
  lua_pop(L, 1);
  return main;
}

static void need_owner(lua_State *L)
{
  if (owner != main_thread(L) || process != getpid()) user_error(L, "this Lua state has not joined a process group");
}

/* What a wait is for. */
typedef struct Waiting {
  Call *call;
  Work *work; /* NULL: joining */
  double seconds;
  char error[256];
  WorkState state;
} Waiting;

static void look(Waiting *w)
{
  if (w->work) w->state = messenger_wait(w->work, 0.05);
  else {
    messenger_wait_joined(0.05);
    w->state = messenger_joined(w->error, sizeof w->error);
  }
}

static void wait_plainly(void *data)
{
  Waiting *w = data;
  const double end = clock_seconds() + w->seconds;
  for (look(w); w->state == WORK_RUNS; look(w)) {
    check_interrupt(w->call);
    if (clock_seconds() > end || (w->work && messenger_missing() >= 0)) return;
  }
}

/* claim(): see lua/launched.h; the interpreter has done so when it started. */
static int claim(lua_State *L)
{
  (void)L;
  launched_claim();
  return 0;
}

static void wait_work(Call *call, void *data)
{
  Waiting *w = data;
  Context *ctx = call->ctx;
  ProfileFrame frame;
  w->call = call;
  if (!ctx->profiler) {
    wait_plainly(w);
    return;
  }
  profile_begin(ctx, &frame, profile_clock(), PROFILE_CALL, "waiting for processes", ctx->host.state);
  profile_run(ctx, &frame, wait_plainly, w);
  profile_end(ctx, &frame, profile_clock(), NULL);
}

/* join("openmpi" or "mpich", path of its module, seconds): once all processes are there, the own rank and their
   number. */
static int join(lua_State *L)
{
  static const char *const names[] = {"openmpi", "mpich", NULL};
  Library *library = luaL_checkoption(L, 1, NULL, names) == 0 ? &openmpi : &mpich;
  const char *files[] = {luaL_checkstring(L, 2), NULL};
  Waiting w = {.seconds = luaL_checknumber(L, 3)};
  if (has_joined) return user_error(L, "init_process_group: a process can join only once");
  library->files = files;
  bool good = messenger_join(library, &transport_function, w.error, sizeof w.error);
  library->files = NULL;
  if (!good) return user_error(L, "init_process_group: %s", w.error);
  has_joined = true;
  owner = main_thread(L);
  process = getpid();
  last_wait = w.seconds;
  core_prepare(L, context_of(L));
  core_work(L, context_of(L), wait_work, &w);
  if (w.state == WORK_FAILED) return user_error(L, "init_process_group: %s", w.error);
  if (w.state == WORK_RUNS)
    return user_error(L, "init_process_group: not all processes have come within %s s", push_number_text(L, w.seconds));
  lua_pushinteger(L, messenger_rank());
  lua_pushinteger(L, messenger_size());
  return 2;
}

static int tell_missing(lua_State *L, const char *what, int rank)
{
  const Peer *p = messenger_peer(rank);
  return user_error(L, "%s: rank %d (process %d on %s) gives no sign of life", what, rank, (int)p->process, p->host);
}

static void wait_for_leave(Call *call, void *data)
{
  const double end = clock_seconds() + *(const double *)data;
  while (!messenger_wait_until_left(0.05)) {
    check_interrupt(call);
    if (clock_seconds() > end || messenger_missing() >= 0) return;
  }
}

/* leave(seconds): once all have left; raises if they don't within the time. */
static int leave(lua_State *L)
{
  double seconds = luaL_checknumber(L, 1);
  need_owner(L);
  messenger_leave();
  core_prepare(L, context_of(L));
  core_work(L, context_of(L), wait_for_leave, &seconds);
  bool has_left = messenger_wait_until_left(0);
  int rank = messenger_missing();
  owner = NULL;
  if (has_left) return 0;
  messenger_give_up();
  if (rank >= 0) return tell_missing(L, "destroy_process_group", rank);
  return user_error(L, "destroy_process_group: another process has not left in time");
}

/* describe(): the name of the MPI. */
static int describe(lua_State *L)
{
  char text[200];
  need_owner(L);
  messenger_describe(text, sizeof text);
  lua_pushstring(L, text);
  return 1;
}

static int checked_rank(lua_State *L, int index)
{
  lua_Integer rank = luaL_checkinteger(L, index);
  luaL_argcheck(L, rank >= 0 && rank < messenger_size(), index, "no rank");
  return (int)rank;
}

/* peer(rank): its host, the number of its process. */
static int peer(lua_State *L)
{
  need_owner(L);
  const Peer *p = messenger_peer(checked_rank(L, 1));
  lua_pushstring(L, p->host);
  lua_pushinteger(L, p->process);
  return 2;
}

/* missing(): the rank that gives no sign of life, or nil. */
static int missing(lua_State *L)
{
  int rank = messenger_missing();
  if (rank < 0) return 0;
  lua_pushinteger(L, rank);
  return 1;
}

static int set_patience(lua_State *L)
{
  messenger_set_patience(luaL_checknumber(L, 1));
  return 0;
}

/* ---------------------------------------------------------------------- work */

/* Transfers that run on without their userdata. Their tensors are kept until they are done. */
typedef struct Orphan {
  Work *work;
  Tensor *from, *to;
  struct Orphan *next;
} Orphan;
static Orphan *orphans;

static void bury_orphans(void)
{
  for (Orphan **at = &orphans; *at;) {
    Orphan *o = *at;
    if (work_state(o->work) == WORK_RUNS) {
      at = &o->next;
      continue;
    }
    *at = o->next;
    work_release(o->work);
    tensor_release(o->from);
    tensor_release(o->to);
    free(o);
  }
}

/* Without memory for a note the tensors live on till the state ends. */
static void make_orphan(const WorkBox *box)
{
  Orphan *o = malloc(sizeof *o);
  if (!o) return;
  *o = (Orphan){box->work, box->from, box->to, orphans};
  orphans = o;
}

static int work_gc(lua_State *L)
{
  WorkBox *box = userdata_test(L, 1, KIND_WORK, sizeof *box);
  if (!box) return 0;
  if (box->work && work_state(box->work) == WORK_RUNS && owner == main_thread(L)) {
    make_orphan(box);
  } else {
    work_release(box->work);
    tensor_release(box->from);
    tensor_release(box->to);
  }
  *box = (WorkBox){.kind = KIND_WORK};
  return 0;
}

static WorkBox *push_work(lua_State *L)
{
  WorkBox *box = lua_newuserdatauv(L, sizeof *box, WORK_USER_VALUES);
  *box = (WorkBox){.kind = KIND_WORK};
  push_gc_metatable(L, WORK_NAME, work_gc);
  lua_setmetatable(L, -2);
  return box;
}

static WorkBox *work_check(lua_State *L, int index)
{
  WorkBox *box = userdata_test(L, index, KIND_WORK, sizeof *box);
  if (!box || !box->work) luaL_argerror(L, index, "a work expected");
  return box;
}

static const char *what_of(lua_State *L, int index)
{
  lua_getiuservalue(L, index, WORK_WHAT);
  const char *what = lua_tostring(L, -1);
  return what ? what : "?";
}

/* That the work at an index is done: counts what an elements' change by an op would count, and tells a profile. */
static void see(lua_State *L, int index, WorkBox *box)
{
  double began, ended;
  if (box->was_seen) return;
  box->was_seen = true;
  if (box->profiled.profiler) {
    work_times(box->work, &began, &ended);
    profile_transfer(context_of(L), &box->profiled, what_of(L, index), (int64_t)(1e9 * began), (int64_t)(1e9 * ended));
    lua_pop(L, 1);
  }
  if (!box->to || !box->to->storage) return;
  box->to->storage->writes++;
  if (!box->to->is_unversioned) box->to->storage->version++;
}

/* Arguments of begin. */
enum {
  ARG_WHAT = 1,
  ARG_KIND,
  ARG_GROUP,
  ARG_FROM,
  ARG_TO,
  ARG_COUNT,
  ARG_PEER,
  ARG_REDUCTION,
  ARG_TAG,
  ARG_FROM_COUNTS,
  ARG_TO_COUNTS
};

/* How many elements the two must have; -1: none is looked at. */
typedef struct Needs {
  int64_t from, to;
} Needs;

static Needs needs_of(const Transfer *t, const int64_t sums[2])
{
  const int64_t n = t->count, all = n * messenger_group_size(t->group);
  const bool is_root = messenger_group_rank(t->group) == t->peer;
  switch (t->kind) {
    case BARRIER: return (Needs){-1, -1};
    case BROADCAST: return (Needs){-1, n};
    case ALL_REDUCE: return (Needs){n, n};
    case REDUCE: return (Needs){n, is_root ? n : -1};
    case ALL_GATHER: return (Needs){n, all};
    case GATHER: return (Needs){n, is_root ? all : -1};
    case SCATTER: return (Needs){is_root ? all : -1, n};
    case REDUCE_SCATTER: return (Needs){all, n};
    case ALL_TO_ALL: return (Needs){sums[0], sums[1]};
    case SEND: return (Needs){n, -1};
    case RECEIVE: return (Needs){-1, n};
  }
  return (Needs){-1, -1};
}

/* The memory of the tensor at an index, which must be whole and have so many elements of the dtype at least. */
static Tensor *elements_at(lua_State *L, int index, int64_t n, DType *dtype)
{
  if (n < 0) return NULL;
  Tensor *t = tensor_check(L, index);
  luaL_argcheck(L, t->device == DEVICE_CPU && !tensor_stands_in(t) && t->is_contiguous, index, "no plain memory");
  luaL_argcheck(L, t->numel >= n, index, "too few elements");
  luaL_argcheck(L, *dtype == DTYPE_NONE || *dtype == tensor_dtype(t), index, "another dtype");
  *dtype = tensor_dtype(t);
  return t;
}

/* The counts of a list, one a rank of the group, into memory on the stack; their sum. */
static const int *counts_at(lua_State *L, int index, int n, int64_t *sum)
{
  luaL_checktype(L, index, LUA_TTABLE);
  int *counts = lua_newuserdatauv(L, (size_t)n * sizeof *counts, 0);
  for (int i = 0; i < n; i++) {
    lua_rawgeti(L, index, i + 1);
    lua_Integer count = lua_tointeger(L, -1);
    luaL_argcheck(L, count >= 0 && count <= INT32_MAX, index, "no count");
    counts[i] = (int)count;
    *sum += count;
    lua_pop(L, 1);
  }
  luaL_argcheck(L, *sum <= INT32_MAX, index, "more than 2147483647 elements");
  return counts;
}

/* What the transfer will be told by: its beginning, and the bytes of the larger side. */
static void note_in_profile(WorkBox *box, Profiler *p, const Needs *n)
{
  const Tensor *t = n->from > n->to ? box->from : box->to;
  const int64_t most = n->from > n->to ? n->from : n->to;
  box->profiled = (ProfileTransfer){p, profile_clock(), p->own, t ? most * (int64_t)dtype_size(tensor_dtype(t)) : 0};
}

/* begin(what, kind, group, from, to, count, peer, reduction, tag, from_counts, to_counts): work of the function `what`;
   see TransferKind. */
static int begin(lua_State *L)
{
  static const char *const kinds[] = {"barrier", "broadcast",      "all_reduce", "reduce", "all_gather", "gather",
                                      "scatter", "reduce_scatter", "all_to_all", "send",   "receive",    NULL};
  static const char *const reductions[] = {"sum", "product", "min", "max", "band", "bor", "bxor", NULL};
  need_owner(L);
  bury_orphans();
  lua_settop(L, ARG_TO_COUNTS);
  Transfer t = {
    .kind = (TransferKind)luaL_checkoption(L, ARG_KIND, NULL, kinds),
    .reduction = (Reduction)luaL_checkoption(L, ARG_REDUCTION, "sum", reductions),
    .dtype = DTYPE_NONE,
    .group = (int)luaL_checkinteger(L, ARG_GROUP),
    .peer = (int)luaL_optinteger(L, ARG_PEER, 0),
    .tag = (int)luaL_optinteger(L, ARG_TAG, 0),
    .count = luaL_optinteger(L, ARG_COUNT, 0),
  };
  const int size = messenger_group_size(t.group);
  int64_t sums[2] = {0, 0};
  luaL_argcheck(L, size > 0, ARG_GROUP, "no group");
  luaL_argcheck(L, t.peer < size && t.peer >= (t.kind == RECEIVE ? ANY_PEER : 0), ARG_PEER, "no rank of the group");
  const char *what = luaL_checkstring(L, ARG_WHAT);
  if (t.count < 0 || t.count > INT32_MAX)
    return user_error(L, "%s: MPI takes at most 2147483647 elements at once", what);
  if (t.tag < 0 || t.tag > 32767) return user_error(L, "%s: tags are from 0 to 32767", what);
  if (t.kind == ALL_TO_ALL) {
    t.from_counts = counts_at(L, ARG_FROM_COUNTS, size, &sums[0]);
    t.to_counts = counts_at(L, ARG_TO_COUNTS, size, &sums[1]);
  }
  const Needs needs = needs_of(&t, sums);
  Tensor *from = elements_at(L, ARG_FROM, needs.from, &t.dtype), *to = elements_at(L, ARG_TO, needs.to, &t.dtype);
  WorkBox *box = push_work(L);
  lua_pushvalue(L, ARG_WHAT);
  lua_setiuservalue(L, -2, WORK_WHAT);
  Context *ctx = context_of(L);
  if (from) box->from = tensor_retain(push_snapshot(L, ctx, from)), lua_pop(L, 1);
  if (to) box->to = tensor_retain(push_snapshot(L, ctx, to)), lua_pop(L, 1);
  if (from) t.from = tensor_data(box->from);
  if (to) t.to = tensor_data(box->to);
  if (ctx->profiler) note_in_profile(box, ctx->profiler, &needs);
  box->work = messenger_begin(&t);
  if (!box->work) return luaL_error(L, "not enough memory");
  return 1;
}

/* begin_group(what, ranks): work that makes a group of these ranks, among which the own one is. */
static int begin_group(lua_State *L)
{
  need_owner(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  const int n = (int)lua_rawlen(L, 2);
  luaL_argcheck(L, n > 0 && n <= messenger_size(), 2, "no list of ranks");
  int *ranks = lua_newuserdatauv(L, (size_t)n * sizeof *ranks, 0);
  bool has_own = false;
  for (int i = 0; i < n; i++) {
    lua_rawgeti(L, 2, i + 1);
    ranks[i] = checked_rank(L, -1);
    has_own |= ranks[i] == messenger_rank();
    lua_pop(L, 1);
  }
  luaL_argcheck(L, has_own, 2, "the own rank is not among them");
  WorkBox *box = push_work(L);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, WORK_WHAT);
  box->work = messenger_begin_group(ranks, n);
  if (!box->work) return luaL_error(L, "not enough memory");
  return 1;
}

/* await(work, seconds): what it gave: the source of a message, a group's number; nil if it is not over in this time.
   Raises if it failed, or if a rank is missing. */
static int await(lua_State *L)
{
  WorkBox *box = work_check(L, 1);
  Waiting w = {.work = box->work, .seconds = luaL_checknumber(L, 2), .state = work_state(box->work)};
  if (w.state == WORK_RUNS) {
    need_owner(L);
    core_prepare(L, context_of(L));
    core_work(L, context_of(L), wait_work, &w);
  }
  if (w.state == WORK_FAILED) return user_error(L, "%s: %s", what_of(L, 1), work_error(box->work));
  if (w.state == WORK_RUNS) {
    int rank = messenger_missing();
    if (rank >= 0) return tell_missing(L, what_of(L, 1), rank);
    return 0;
  }
  see(L, 1, box);
  lua_pushinteger(L, work_result(box->work));
  return 1;
}

/* The same, but raises where it takes longer. */
static int wait(lua_State *L)
{
  if (await(L) > 0) return 1;
  return user_error(L, "%s: not done within %s s: another rank has not called it, or calls something else",
                    what_of(L, 1), push_number_text(L, lua_tonumber(L, 2)));
}

/* state(work): nil while it runs, else whether it went well, and what went wrong. */
static int state(lua_State *L)
{
  WorkBox *box = work_check(L, 1);
  WorkState s = work_state(box->work);
  if (s == WORK_RUNS) return 0;
  if (s == WORK_DONE) see(L, 1, box);
  lua_pushboolean(L, s == WORK_DONE);
  lua_pushstring(L, work_error(box->work));
  return 2;
}

/* times(work): when the thread began it and saw its end, in seconds of clock(). */
static int times(lua_State *L)
{
  double began, ended;
  work_times(work_check(L, 1)->work, &began, &ended);
  lua_pushnumber(L, began);
  lua_pushnumber(L, ended);
  return 2;
}

void distributed_give_up(void) { has_failed = true; }

/* Leaves with the state, so that nothing comes into memory that is no longer there; the others may have work yet. */
static int keeper_gc(lua_State *L)
{
  char error[200];
  if (owner != main_thread(L) || process != getpid()) return 0;
  owner = NULL;
  const double end = clock_seconds() + (messenger_joined(error, sizeof error) == WORK_DONE ? last_wait : 0);
  messenger_leave();
  while (!has_failed && messenger_missing() < 0 && !interrupt_is_requested() && clock_seconds() < end)
    if (messenger_wait_until_left(0.05)) return 0;
  messenger_give_up();
  return 0;
}

int open_distributed_core(lua_State *L)
{
  static const luaL_Reg functions[] = {
    {"folder", own_folder},
    {"join", join},
    {"leave", leave},
    {"describe", describe},
    {"peer", peer},
    {"missing", missing},
    {"begin", begin},
    {"wait", wait},
    {"begin_group", begin_group},
    {"state", state},
    {"times", times},
    {"set_patience", set_patience},
    {"clock", monotonic_clock},
    {"await", await},
    {"claim", claim},
    {NULL, NULL},
  };
  luaL_newlib(L, functions);
  lua_newuserdatauv(L, 0, 0);
  push_gc_metatable(L, "nnlua.Messenger", keeper_gc);
  lua_setmetatable(L, -2);
  lua_setfield(L, -2, "keeper");
  return 1;
}
