/* nnlua.program.core: traces; lua/nnlua/program/trace.lua is made of these. */
#include "lua/open.h"
#include "lua/program/program.h"
#include "program/dynamic.h"
#include "program/trace.h"

#define TRACE_NAME "nnlua.Trace"

typedef struct TraceBox {
  uint32_t kind;
  bool forms_only;
  Trace *trace;
} TraceBox;

static int trace_gc(lua_State *L)
{
  TraceBox *box = userdata_test(L, 1, KIND_TRACE, sizeof *box);
  if (!box) return 0;
  trace_free(box->trace);
  box->trace = NULL;
  return 0;
}

static TraceBox *box_check(lua_State *L, int index)
{
  TraceBox *box = userdata_test(L, index, KIND_TRACE, sizeof *box);
  if (!box || !box->trace) luaL_error(L, "a trace was expected");
  return box;
}

static void open_work(Call *call, void *data)
{
  TraceBox *box = data;
  box->trace = trace_new(call, box->forms_only);
  trace_open(call, box->trace);
}

/* trace_open(forms_only): a trace that records nothing yet; true: of examples that form gives */
static int open(lua_State *L)
{
  bool forms_only = lua_toboolean(L, 1);
  TraceBox *box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = (TraceBox){KIND_TRACE, forms_only, NULL};
  push_gc_metatable(L, TRACE_NAME, trace_gc);
  lua_setmetatable(L, -2);
  core_run(L, context_of(L), open_work, box);
  return 1;
}

static Tensor *make_form(Call *call, void *t) { return tensor_form(call, t); }

/* trace_form(tensor): what stands for it, a meta tensor, in a trace of forms */
static int form(lua_State *L)
{
  push_made(L, context_of(L), make_form, tensor_check(L, 1));
  return 1;
}

typedef struct Border {
  Trace *trace;
  void (*tell)(Call *call, const struct Border *border);
  ValueKind kind;
  const char *name;
  Tensor *tensor;
} Border;

static void tell_input(Call *call, const Border *b) { trace_input(call, b->trace, b->name, b->tensor); }
static void tell_named(Call *call, const Border *b) { trace_named(call, b->trace, b->kind, b->name, b->tensor); }
static void tell_output(Call *call, const Border *b) { trace_output(call, b->trace, b->name, b->tensor); }

static void border_work(Call *call, void *data)
{
  const Border *b = data;
  b->tell(call, b);
}

/* trace_border(trace, kind, name, tensor): what the tensor is: an input, parameter, buffer or output */
static int border(lua_State *L)
{
  static const char *const kinds[] = {"input", "parameter", "buffer", "output", NULL}; /* the first by ValueKind */
  Border b = {.trace = box_check(L, 1)->trace, .name = luaL_checkstring(L, 3), .tensor = tensor_check(L, 4)};
  int kind = luaL_checkoption(L, 2, NULL, kinds);
  b.kind = (ValueKind)kind;
  b.tell = kind == 0 ? tell_input : kind == 3 ? tell_output : tell_named;
  core_run(L, context_of(L), border_work, &b);
  return 0;
}

/* trace_begin(trace, row), trace_end(trace): in between all ops are recorded; of the first call of a composed row, if
   one is named, what it calls. Gives false if the row isn't composed: then nothing is recorded. */
static int begin(lua_State *L)
{
  Trace *trace = box_check(L, 1)->trace;
  const char *row = luaL_optstring(L, 2, NULL);
  const Op *opens = row ? op_find(row) : NULL;
  bool well = !row || (opens && opens->kind == OP_COMPOSED);
  if (well) trace_begin(trace, opens);
  lua_pushboolean(L, well);
  return 1;
}

static int end(lua_State *L)
{
  trace_end(box_check(L, 1)->trace);
  return 0;
}

typedef struct Finish {
  Trace *trace;
  ProgramBox *box;
} Finish;

static void finish_work(Call *call, void *data)
{
  const Finish *f = data;
  f->box->program = trace_finish(call, f->trace);
}

/* trace_finish(trace, tensors): the program; tensors is a list of those of its parameters and buffers */
static int finish(lua_State *L)
{
  TraceBox *box = box_check(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  Finish f = {box->trace, push_program_box(L)};
  lua_pushvalue(L, 2);
  lua_setiuservalue(L, -2, PROGRAM_TENSORS);
  core_run(L, context_of(L), finish_work, &f);
  trace_free(box->trace);
  box->trace = NULL;
  return 1;
}

typedef struct Generalizing {
  Program *program, **traces;
  const char **names;
  int32_t n;
} Generalizing;

static void generalize_work(Call *call, void *data)
{
  const Generalizing *g = data;
  program_generalize(call, g->program, g->traces, g->names, g->n);
}

/* generalize(program, traces, names): gives it sizes of these names; traces is a list of programs of the same network,
   with each of the sizes doubled, and at last with all of them at three times what they are */
static int generalize(lua_State *L)
{
  luaL_checktype(L, 2, LUA_TTABLE);
  luaL_checktype(L, 3, LUA_TTABLE);
  Generalizing g = {.program = program_check(L, 1), .n = (int32_t)lua_rawlen(L, 3)};
  g.traces = lua_newuserdatauv(L, (size_t)(g.n + 1) * sizeof *g.traces, 0);
  g.names = lua_newuserdatauv(L, (size_t)(g.n + 1) * sizeof *g.names, 0);
  for (int32_t i = 0; i <= g.n; i++) {
    lua_rawgeti(L, 2, i + 1); /* the tables keep them */
    g.traces[i] = program_check(L, -1);
    const bool is_name = lua_rawgeti(L, 3, i + 1) == LUA_TSTRING;
    luaL_argcheck(L, is_name == (i < g.n), 3, "names expected");
    g.names[i] = is_name ? lua_tostring(L, -1) : NULL;
    lua_pop(L, 2);
  }
  core_run(L, context_of(L), generalize_work, &g);
  return 0;
}

const luaL_Reg program_trace_functions[] = {
  {"trace_open", open},       {"trace_form", form}, {"trace_border", border}, {"trace_begin", begin},
  {"generalize", generalize}, {"trace_end", end},   {"trace_finish", finish}, {NULL, NULL}};
