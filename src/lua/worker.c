/*
 * Worker processes for Lua code of ours (lua/nnlua/utils/workers.lua): values go to and from them as messages, large
 * tensors through shared memory.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/parallel.h"
#include "io/worker.h"
#include "lua/interrupt.h"
#include "lua/open.h"
#include "lua/parse.h"
#include "lua/tensor/size.h"

/* Tensors from here on go through shared memory; others are in the message. */
enum { LARGE = 16 << 10, MOST_DEPTH = 100 };

/* -------------------------------------------------------------------- values */

/* What a value begins with; TAG_END is the end of a table. */
typedef enum Tag {
  TAG_NIL,
  TAG_TRUE,
  TAG_FALSE,
  TAG_INTEGER,
  TAG_FLOAT,
  TAG_STRING,
  TAG_TABLE,
  TAG_TENSOR,
  TAG_NONE,
  TAG_DTYPE,
  TAG_SIZE,
  TAG_END
} Tag;

typedef enum TensorPlace { IN_MESSAGE, IN_SHARED_MEMORY, NOWHERE } TensorPlace;

/* A tensor in a message; behind it are its shape and strides, and its elements if they are there. */
typedef struct SentTensor {
  uint8_t dtype, ndim, place;
  bool requires_grad;
  uint64_t bytes, block;
} SentTensor;

/* What goes wrong is said by a text on the stack, where in the value by another. */
typedef struct Writer {
  lua_State *L;
  Worker *worker;
  int depth;
} Writer;

static unsigned char *write_room(Writer *w, size_t bytes)
{
  unsigned char *room = worker_write(w->worker, bytes);
  if (!room) luaL_error(w->L, "not enough memory");
  return room;
}

static void write_bytes(Writer *w, const void *data, size_t bytes)
{
  if (bytes) memcpy(write_room(w, bytes), data, bytes);
}

static void write_tag(Writer *w, Tag tag) { *write_room(w, 1) = (unsigned char)tag; }

static bool refuse(Writer *w, const char *what)
{
  lua_pushstring(w->L, what);
  lua_pushliteral(w->L, "");
  return false;
}

/* Puts a step before the place of what is wrong: the key at an index. */
static bool refuse_within(Writer *w, int key)
{
  lua_State *L = w->L;
  if (lua_type(L, key) == LUA_TSTRING) lua_pushfstring(L, ".%s", lua_tostring(L, key));
  else if (lua_isinteger(L, key)) lua_pushfstring(L, "[%I]", (LUAI_UACINT)lua_tointeger(L, key));
  else lua_pushfstring(L, "[%s]", type_name(L, key));
  lua_insert(L, -2);
  lua_concat(L, 2);
  return false;
}

/* The tensor at the top of the stack, its elements in one stretch of memory. */
static void write_elements(Writer *w, const Tensor *t)
{
  SentTensor sent = {.dtype = t->dtype,
                     .ndim = t->ndim,
                     .place = t->device == DEVICE_CPU ? IN_MESSAGE : NOWHERE,
                     .requires_grad = t->requires_grad,
                     .bytes = t->device == DEVICE_CPU ? tensor_bytes(t) : 0};
  void *block = sent.bytes >= LARGE ? shared_lend(w->worker->shared, sent.bytes, &sent.block) : NULL;
  if (block) sent.place = IN_SHARED_MEMORY;
  write_tag(w, TAG_TENSOR);
  write_bytes(w, &sent, sizeof sent);
  write_bytes(w, t->shape, (size_t)t->ndim * sizeof *t->shape);
  write_bytes(w, t->strides, (size_t)t->ndim * sizeof *t->strides);
  if (!block && sent.bytes) block = write_room(w, sent.bytes);
  if (block) memcpy(block, tensor_data(t), sent.bytes);
}

static bool write_tensor(Writer *w, int index)
{
  lua_State *L = w->L;
  const Tensor *t = tensor_test(L, index);
  if (t->grad_fn) return refuse(w, "a tensor that is a result of recorded operations (detach it)");
  lua_pushvalue(L, index);
  if (t->device == DEVICE_CPU && !tensor_is_dense(t)) {
    lua_getfield(L, -1, "contiguous");
    lua_insert(L, -2);
    lua_call(L, 1, 1);
  }
  write_elements(w, tensor_check(L, -1));
  lua_pop(L, 1);
  return true;
}

static bool write_value(Writer *w, int index);

/* The entries of a list, and then what else the table has. */
static bool write_table(Writer *w, int index)
{
  lua_State *L = w->L;
  if (lua_getmetatable(L, index)) return refuse(w, "an object: a table with a metatable");
  if (++w->depth > MOST_DEPTH) return refuse(w, "a table within a hundred tables, or in itself");
  luaL_checkstack(L, 8, NULL);
  lua_Integer n = (lua_Integer)lua_rawlen(L, index);
  write_tag(w, TAG_TABLE);
  write_bytes(w, &n, sizeof n);
  for (lua_Integer i = 1; i <= n; i++) {
    lua_pushinteger(L, i);
    lua_rawgeti(L, index, i);
    int value = lua_gettop(L);
    if (!write_value(w, value)) return refuse_within(w, value - 1);
    lua_pop(L, 2);
  }
  lua_pushnil(L);
  while (lua_next(L, index)) {
    int key = lua_gettop(L) - 1;
    lua_Integer i = lua_isinteger(L, key) ? lua_tointeger(L, key) : 0;
    if ((i < 1 || i > n) && !(write_value(w, key) && write_value(w, key + 1))) return refuse_within(w, key);
    lua_pop(L, 1);
  }
  write_tag(w, TAG_END);
  w->depth--;
  return true;
}

static void write_number(Writer *w, int index)
{
  if (lua_isinteger(w->L, index)) {
    lua_Integer i = lua_tointeger(w->L, index);
    write_tag(w, TAG_INTEGER);
    write_bytes(w, &i, sizeof i);
  } else {
    lua_Number x = lua_tonumber(w->L, index);
    write_tag(w, TAG_FLOAT);
    write_bytes(w, &x, sizeof x);
  }
}

static void write_string(Writer *w, int index)
{
  size_t n;
  const char *text = lua_tolstring(w->L, index, &n);
  write_tag(w, TAG_STRING);
  write_bytes(w, &n, sizeof n);
  write_bytes(w, text, n);
}

static bool write_object(Writer *w, int index)
{
  DType dtype;
  Ints size;
  if (tensor_test(w->L, index)) return write_tensor(w, index);
  if (is_none(w->L, index)) {
    write_tag(w, TAG_NONE);
  } else if (dtype_test(w->L, index, &dtype)) {
    write_tag(w, TAG_DTYPE);
    write_bytes(w, &dtype, sizeof dtype);
  } else if (size_test(w->L, index, &size)) {
    write_tag(w, TAG_SIZE);
    write_bytes(w, &size.n, sizeof size.n);
    write_bytes(w, size.v, (size_t)size.n * sizeof *size.v);
  } else {
    return refuse(w, lua_pushfstring(w->L, "of type %s", type_name(w->L, index)));
  }
  return true;
}

/* The value at an (absolute) index; false, with what can't be sent and where it is on the stack, if it is no value that
   can. */
static bool write_value(Writer *w, int index)
{
  switch (lua_type(w->L, index)) {
    case LUA_TNIL: write_tag(w, TAG_NIL); return true;
    case LUA_TBOOLEAN: write_tag(w, lua_toboolean(w->L, index) ? TAG_TRUE : TAG_FALSE); return true;
    case LUA_TNUMBER: write_number(w, index); return true;
    case LUA_TSTRING: write_string(w, index); return true;
    case LUA_TTABLE: return write_table(w, index);
    default: return write_object(w, index);
  }
}

typedef struct Reader {
  lua_State *L;
  Context *ctx;
  Worker *worker;
  const unsigned char *at;
} Reader;

static void read_bytes(Reader *r, void *data, size_t bytes)
{
  if (bytes) memcpy(data, r->at, bytes);
  r->at += bytes;
}

/* What a tensor is made of. */
typedef struct Received {
  const SentTensor *sent;
  Ints shape, strides;
  SharedMemory *shared;
} Received;

/* The memory of a tensor goes back when the last that has it is gone. Meanwhile it counts as the context's own. */
static void give_back(void *owner, void *data)
{
  Context *ctx = shared_user(owner);
  memory_return(&ctx->memory, shared_bytes(data));
  shared_give_back(owner, data);
}

static Tensor *make_shared(Call *call, void *data)
{
  const Received *r = data;
  void *block = shared_block(r->shared, r->sent->block);
  shared_hold(r->shared);
  memory_borrow(&call->ctx->memory, shared_bytes(block));
  return tensor_from_memory(call, block, r->sent->bytes, (DType)r->sent->dtype, r->shape, r->strides, give_back,
                            r->shared);
}

static Tensor *make_strided(Call *call, void *data)
{
  const Received *r = data;
  return tensor_new_strided(call, (DType)r->sent->dtype, r->sent->place == NOWHERE ? DEVICE_META : DEVICE_CPU, r->shape,
                            r->strides);
}

static void read_tensor(Reader *r)
{
  SentTensor sent;
  int64_t dims[2 * MAX_DIMS];
  read_bytes(r, &sent, sizeof sent);
  Ints shape = {dims, sent.ndim}, strides = {dims + MAX_DIMS, sent.ndim};
  read_bytes(r, dims, sent.ndim * sizeof *dims);
  read_bytes(r, dims + MAX_DIMS, sent.ndim * sizeof *dims);
  bool is_shared = sent.place == IN_SHARED_MEMORY;
  const Tensor *t = push_made(r->L, r->ctx, is_shared ? make_shared : make_strided,
                              &(Received){&sent, shape, strides, r->worker->shared})
                      ->tensor;
  if (!is_shared) read_bytes(r, tensor_data(t), sent.bytes);
  tensor_test(r->L, -1)->requires_grad = sent.requires_grad;
}

static bool read_value(Reader *r);

static void read_table(Reader *r)
{
  lua_Integer n;
  luaL_checkstack(r->L, 8, NULL);
  read_bytes(r, &n, sizeof n);
  lua_createtable(r->L, (int)n, 0);
  for (lua_Integer i = 1; i <= n; i++) {
    read_value(r);
    lua_rawseti(r->L, -2, i);
  }
  while (read_value(r)) {
    read_value(r);
    lua_rawset(r->L, -3);
  }
}

static void read_number(Reader *r, Tag tag)
{
  lua_Integer i;
  lua_Number x;
  if (tag == TAG_INTEGER) {
    read_bytes(r, &i, sizeof i);
    lua_pushinteger(r->L, i);
  } else {
    read_bytes(r, &x, sizeof x);
    lua_pushnumber(r->L, x);
  }
}

static void read_string(Reader *r)
{
  size_t n;
  read_bytes(r, &n, sizeof n);
  lua_pushlstring(r->L, (const char *)r->at, n);
  r->at += n;
}

static void read_dtype(Reader *r)
{
  DType dtype;
  read_bytes(r, &dtype, sizeof dtype);
  push_dtype(r->L, dtype);
}

static void read_size(Reader *r)
{
  int64_t n, v[MAX_DIMS];
  read_bytes(r, &n, sizeof n);
  Ints size = {v, n < MAX_DIMS ? n : MAX_DIMS};
  memcpy(v, r->at, (size_t)size.n * sizeof *v);
  r->at += (size_t)n * sizeof *v;
  push_size(r->L, size);
}

/* Pushes the next value; false, without one, at the end of a table. */
static bool read_value(Reader *r)
{
  Tag tag = (Tag)*r->at++;
  switch (tag) {
    case TAG_END: return false;
    case TAG_NIL: lua_pushnil(r->L); break;
    case TAG_TRUE:
    case TAG_FALSE: lua_pushboolean(r->L, tag == TAG_TRUE); break;
    case TAG_INTEGER:
    case TAG_FLOAT: read_number(r, tag); break;
    case TAG_STRING: read_string(r); break;
    case TAG_TABLE: read_table(r); break;
    case TAG_TENSOR: read_tensor(r); break;
    case TAG_NONE: push_none(r->L); break;
    case TAG_DTYPE: read_dtype(r); break;
    case TAG_SIZE: read_size(r); break;
  }
  return true;
}

/* ------------------------------------------------------------------- workers */

typedef struct WorkerBox {
  uint32_t kind;
  Worker worker;
} WorkerBox;

static Worker *worker_check(lua_State *L, int index)
{
  WorkerBox *box = userdata_test(L, index, KIND_WORKER, sizeof *box);
  if (!box) user_error(L, "a worker was expected, got %s", type_name(L, index));
  return &box->worker;
}

static int worker_gc(lua_State *L)
{
  WorkerBox *box = userdata_test(L, 1, KIND_WORKER, sizeof *box);
  if (box) worker_end(&box->worker, 0);
  return 0;
}

/* In the worker: runs the function at the top of the stack, and ends the process without a look back. */
static _Noreturn void run_worker(lua_State *L)
{
  interrupts_ignore();
  parallel_set_threads(1);
  bool failed = lua_pcall(L, 1, 0, 0) != LUA_OK;
  if (failed) fprintf(stderr, "nnlua: a worker failed: %s\n", luaL_tolstring(L, -1, NULL));
  fflush(NULL);
  _exit(failed);
}

/* worker_fork(f): a worker, in whose process f(worker) runs; nil and why if there is none. */
static int fork_worker(lua_State *L)
{
  luaL_checkany(L, 1);
  lua_settop(L, 1);
  WorkerBox *box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = (WorkerBox){.kind = KIND_WORKER, .worker.descriptor = -1};
  push_gc_metatable(L, "nnlua.Worker", worker_gc);
  lua_setmetatable(L, -2);
  fflush(NULL); /* or both processes would write it */
  Context *ctx = context_of(L);
  switch (worker_fork(&box->worker, ctx)) {
    case 1:
      ctx->profiler = NULL; /* nobody sees what it would note here */
      run_worker(L);
    case 0: return 1;
    default: return luaL_fileresult(L, 0, NULL);
  }
}

/* worker_send(worker, ...): whether the values went; raises if one can't. */
static int send_values(lua_State *L)
{
  Writer w = {.L = L, .worker = worker_check(L, 1)};
  int n = lua_gettop(L);
  w.worker->out.start = w.worker->out.end = 0; /* what a message that failed left */
  write_bytes(&w, &n, sizeof n);
  for (int i = 2; i <= n; i++) {
    w.depth = 0;
    if (write_value(&w, i)) continue;
    lua_pushinteger(L, i - 1);
    lua_pushvalue(L, -3);
    lua_pushvalue(L, -3);
    return 3; /* the place of the value, what is wrong, and where in it */
  }
  lua_pushboolean(L, worker_send(w.worker));
  return 1;
}

static int milliseconds_at(lua_State *L, int index)
{
  lua_Number seconds = luaL_optnumber(L, index, -1);
  return seconds < 0 ? -1 : seconds > 1e6 ? 1000000000 : (int)(seconds * 1000 + 0.999);
}

/* worker_receive(worker, seconds): true and the values of a message, nil if none has come yet, false if none will. */
static int receive_values(lua_State *L)
{
  Worker *worker = worker_check(L, 1);
  int n;
  WorkerNews news = worker_wait(worker, milliseconds_at(L, 2));
  if (news != WORKER_MESSAGE) {
    if (news == WORKER_GONE) lua_pushboolean(L, false);
    else lua_pushnil(L);
    return 1;
  }
  Reader r = {.L = L, .ctx = context_of(L), .worker = worker, .at = worker_message(worker).data};
  core_prepare(L, r.ctx);
  read_bytes(&r, &n, sizeof n);
  lua_pushboolean(L, true);
  luaL_checkstack(L, n, NULL);
  for (int i = 2; i <= n; i++) read_value(&r);
  worker_drop_message(worker);
  return n;
}

/* worker_wait(list, seconds): the place of one with news, or nil. */
static int wait_for_any(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TTABLE);
  int n = (int)lua_rawlen(L, 1);
  int milliseconds = milliseconds_at(L, 2);
  Worker **workers = lua_newuserdatauv(L, (size_t)(n + 1) * sizeof *workers, 0);
  for (int i = 0; i < n; i++) {
    lua_rawgeti(L, 1, i + 1);
    workers[i] = worker_check(L, -1);
    lua_pop(L, 1);
  }
  int found = worker_wait_any(workers, n, milliseconds);
  if (found >= 0) lua_pushinteger(L, found + 1);
  else lua_pushnil(L);
  return 1;
}

/* worker_process(worker): the number of its process. */
static int process_of(lua_State *L)
{
  lua_pushinteger(L, worker_check(L, 1)->process);
  return 1;
}

/* worker_hang_up(worker): tells it that nothing more will come. */
static int hang_up(lua_State *L)
{
  worker_hang_up(worker_check(L, 1));
  return 0;
}

/* worker_end(worker, seconds): waits for its end so long, then ends it: "exit" and a status, or "signal" and its
   number; nothing if it was ended before. */
static int end_worker(lua_State *L)
{
  WorkerEnd end = worker_end(worker_check(L, 1), milliseconds_at(L, 2));
  if (!end.known) return 0;
  lua_pushstring(L, end.by_signal ? "signal" : "exit");
  lua_pushinteger(L, end.number);
  return 2;
}

const luaL_Reg worker_functions[] = {
  {"worker_fork", fork_worker},       {"worker_send", send_values},
  {"worker_receive", receive_values}, {"worker_wait", wait_for_any},
  {"worker_process", process_of},     {"worker_hang_up", hang_up},
  {"worker_end", end_worker},         {NULL, NULL},
};
