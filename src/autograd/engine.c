/* The backward engine: walks the graph from roots, and runs its nodes in the reverse order of their making. */
#include "autograd/engine.h"

#include <string.h>

#include "core/profiler.h"
#include "core/recorder.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/reduce/sum.h"
#include "ops/table/words.h"

/* What a backward keeps for a node: gradients that have arrived, and how many are still to come. */
typedef struct Record {
  Node *node;
  Tensor **gradients; /* one an output; references. NULL for nodes of one output: */
  Tensor *gradient;
  int32_t pending;
  bool needed; /* on the way to what was asked for */
  bool visited;
  struct Task *outer_task; /* of a backward that runs further out on the same node */
  int32_t outer_record;
  int32_t next_edge;   /* of the depth-first walk */
  int32_t first_input; /* the first of the inputs among its outputs, counted from 1; 0: there is none */
} Record;

/* An input whose gradient is asked for: which output of its node it is, and the next one of the same node. */
typedef struct Input {
  int32_t output, next;
} Input;

typedef struct Task {
  Context *ctx;
  struct Task *outer;
  const Backward *b;
  Record *records;
  Input *inputs; /* as many as b->inputs, chained by their nodes */
  int32_t count, capacity;
  int32_t *heap, *stack;
  char *block; /* the three arrays */
  int32_t heap_size;
  Node *running;
  uint64_t number;
  bool selective;
} Task;

static Tensor **gradients_of(Record *r) { return r->gradients ? r->gradients : &r->gradient; }

static Record *record_of(Task *task, const Node *n) { return n->task == task ? &task->records[n->record] : NULL; }

bool edge_wanted(const Node *n, int edge)
{
  const Node *to = n->edges[edge].node;
  if (!to) return false;
  Task *task = to->task;
  return !task || !task->selective || task->records[to->record].needed;
}

uint64_t backward_number(const Context *ctx) { return ctx->task ? ctx->task->number : 0; }

bool backward_reaches(const Context *ctx, const Node *n)
{
  return ctx->task && n && n->task == ctx->task && ctx->task->records[n->record].needed;
}

bool backward_retains_graph(const Context *ctx) { return ctx->task && ctx->task->b->retain_graph; }

/* ------------------------------------------------------------------ setting up */

enum { RECORD_BYTES = sizeof(Record) + 2 * sizeof(int32_t) }; /* and its places in the heap and the stack */

/*
 * A bigger array with the same contents, from the context's blocks: a small model's backward must not wait for
 * malloc.
 */
static void *grow(Task *task, void *old, size_t capacity, size_t size)
{
  void *bigger = core_allocate(task->ctx, capacity * size);
  if (!old) return bigger;
  memcpy(bigger, old, (size_t)task->capacity * size);
  memory_free(&task->ctx->memory, old, (size_t)task->capacity * size);
  return bigger;
}

/* Room for more records. The arrays know their sizes from task->capacity, so all grow or none has. */
static void reserve(Task *task)
{
  size_t capacity = task->capacity ? 2 * (size_t)task->capacity : 16;
  char *block = grow(task, task->block, capacity, RECORD_BYTES);
  size_t old = (size_t)task->capacity;
  int32_t *heap = (int32_t *)(block + capacity * sizeof(Record)), *stack = heap + capacity;
  const int32_t *old_heap = (const int32_t *)(block + old * sizeof(Record)), *old_stack = old_heap + old;
  memmove(stack, old_stack, old * sizeof *stack); /* the further one first: they move up */
  memmove(heap, old_heap, old * sizeof *heap);
  task->block = block;
  task->records = (Record *)block;
  task->heap = heap;
  task->stack = stack;
  task->capacity = (int32_t)capacity;
}

static int32_t add_record(Task *task, Node *n)
{
  if (task->count == task->capacity) reserve(task);
  size_t bytes = (size_t)n->noutputs * sizeof(Tensor *);
  Tensor **gradients = NULL;
  if (n->noutputs > 1) {
    gradients = core_allocate(task->ctx, bytes);
    memset(gradients, 0, bytes);
  }
  int32_t at = task->count++;
  task->records[at] = (Record){
    .node = node_retain(n), .gradients = gradients, .outer_task = n->task, .outer_record = n->record};
  n->task = task;
  n->record = at;
  return at;
}

static int32_t find_or_add(Task *task, Node *n) { return n->task == task ? n->record : add_record(task, n); }

/* Walks the graph depth first, counts how many gradients each node waits for, and finds which are needed. */
static void explore(Task *task, Node *root)
{
  int depth = 0;
  int32_t first = find_or_add(task, root); /* may move the stack */
  task->stack[depth++] = first;
  if (task->records[task->stack[0]].visited) return;
  task->records[task->stack[0]].visited = true;
  while (depth) {
    int32_t at = task->stack[depth - 1];
    Node *n = task->records[at].node;
    if (task->records[at].next_edge == n->nedges) {
      for (int i = 0; i < n->nedges && !task->records[at].needed; i++)
        if (n->edges[i].node) task->records[at].needed = task->records[n->edges[i].node->record].needed;
      depth--;
      continue;
    }
    Node *next = n->edges[task->records[at].next_edge++].node;
    if (!next) continue;
    int32_t to = find_or_add(task, next);
    task->records[to].pending++;
    if (task->records[to].visited) continue;
    task->records[to].visited = true;
    task->stack[depth++] = to;
  }
}

/* -------------------------------------------------------------------- the heap */

static bool runs_before(const Task *task, int32_t a, int32_t b)
{
  return task->records[a].node->sequence > task->records[b].node->sequence;
}

static void push_ready(Task *task, int32_t at)
{
  int32_t i = task->heap_size++;
  while (i > 0 && runs_before(task, at, task->heap[(i - 1) / 2])) {
    task->heap[i] = task->heap[(i - 1) / 2];
    i = (i - 1) / 2;
  }
  task->heap[i] = at;
}

static int32_t pop_ready(Task *task)
{
  int32_t top = task->heap[0], last = task->heap[--task->heap_size], i = 0;
  for (;;) {
    int32_t child = 2 * i + 1;
    if (child >= task->heap_size) break;
    if (child + 1 < task->heap_size && runs_before(task, task->heap[child + 1], task->heap[child])) child++;
    if (!runs_before(task, task->heap[child], last)) break;
    task->heap[i] = task->heap[child];
    i = child;
  }
  task->heap[i] = last;
  return top;
}

/* ------------------------------------------------------------------- gradients */

/* Takes over a gradient that reaches a node's output: the first is kept, others are added. */
static void deliver(Call *call, Task *task, int32_t at, int output, Tensor *g)
{
  Tensor **place = &gradients_of(&task->records[at])[output], *sum = *place;
  if (!sum) {
    *place = tensor_retain(g);
    return;
  }
  if (!tensor_same_shape(sum, g))
    raise_plain(call->ctx,
                "backward: gradients of shapes %s and %s arrive for one tensor, whose shape was changed between two "
                "uses",
                shape_text(call, tensor_shape(sum)), shape_text(call, tensor_shape(g)));
  bool own = sum->refs == 1 && sum->storage && sum->storage->refs == 1 && sum->dtype == g->dtype && !tensor_stands_in(g)
             && !tensor_stands_in(sum);
  if (own && !call->ctx->grad_enabled) {
    op_(add, sum, g, scalar_int(1));
    return;
  }
  Tensor *added = plus(sum, g);
  *place = tensor_retain(added);
  tensor_release(sum);
}

/* The inputs among a node's outputs get their gradient now that it is complete. */
static void capture(Call *call, Task *task, const Record *r, Tensor **dy)
{
  const Backward *b = task->b;
  bool leaf = node_is_accumulator(r->node);
  for (int32_t i = r->first_input; i; i = task->inputs[i - 1].next) {
    Tensor *x = b->inputs[i - 1], *g = dy[task->inputs[i - 1].output];
    if (!g) continue;
    if (b->captured) {
      b->captured[i - 1] = tensor_retain(g); /* released by the caller of the engine's cleanup */
    } else if (!leaf) {
      tell_deed(call->ctx, "keeping the gradient of what is no leaf");
      tensor_add_grad(call, x, g);
    }
  }
}

static void run_hooks(Call *call, Node *n, Tensor **dy)
{
  for (int i = 0; i < n->noutputs; i++)
    if (dy[i]) dy[i] = call->ctx->host.tensor_hooks(call, n, i, dy[i]);
}

static void keep_retained(Call *call, Node *n, Tensor **dy)
{
  for (int i = 0; i < n->noutputs; i++) {
    if (n->retained[i] && dy[i]) tensor_add_grad(call, n->retained[i], dy[i]);
  }
}

static void check_nan(Call *call, Node *n, Tensor **dx)
{
  for (int i = 0; i < n->nedges; i++) {
    if (!dx[i] || dx[i]->numel == 0 || dx[i]->device == DEVICE_META) continue;
    Tensor *different = op(any, op(ne, dx[i], dx[i]), NO_INTS, false);
    if (tensor_item(different).i)
      raise_plain(call->ctx, "%s returned nan as the gradient of its input %d", node_name(n), i + 1);
  }
}

/* Whether any gradient further down is asked for. */
static bool goes_on(const Task *task, const Node *n)
{
  if (!task->selective) return true;
  for (int i = 0; i < n->nedges; i++)
    if (edge_wanted(n, i)) return true;
  return false;
}

/* Moves what has arrived for a node from its record to dy; the references go to the scope. Whether there is any. */
static bool take_gradients(Task *task, Record *r, Tensor **dy)
{
  Tensor **places = gradients_of(r);
  bool any = false;
  for (int i = 0; i < r->node->noutputs; i++) {
    dy[i] = places[i];
    places[i] = NULL;
    if (dy[i]) scope_own(task->ctx, dy[i]);
    any |= dy[i] != NULL;
  }
  return any;
}

typedef struct Application {
  Call *call;
  Node *node;
  Tensor *const *dy;
  Tensor **dx;
} Application;

static void apply_node(void *data)
{
  const Application *a = data;
  a->node->class->apply(a->call, a->node, a->dy, a->dx);
}

/* A node while a profile runs. */
static __attribute__((noinline)) void apply_profiled(Call *call, Node *n, Tensor *const *dy, Tensor **dx)
{
  ProfileFrame frame;
  profile_begin_node(call->ctx, &frame, profile_clock(), node_name(n), n->sequence);
  profile_run(call->ctx, &frame, apply_node, &(Application){call, n, dy, dx});
  profile_end(call->ctx, &frame, profile_clock(), NULL);
}

/* Runs a node's hooks around what it does: dx from dy. Whether it was applied, or its gradients only looked at. */
static bool apply_backward(Call *call, Task *task, const Record *r, Tensor **dy, Tensor **dx)
{
  Context *ctx = task->ctx;
  Node *n = r->node;
  bool applies = node_is_accumulator(n) ? !task->b->captured : goes_on(task, n);
  if (n->hooks) tell_deed(ctx, "a hook on gradients");
  if (n->hooks & HOOKED_RESULT) run_hooks(call, n, dy);
  if (r->first_input) capture(call, task, r, dy);
  if (applies && n->hooks & HOOKED_BEFORE) ctx->host.node_prehooks(call, n, dy);
  if (n->retained) {
    tell_deed(ctx, "retain_grad");
    keep_retained(call, n, dy);
  }
  if (!applies) return false;
  if (ctx->profiler) apply_profiled(call, n, dy, dx);
  else n->class->apply(call, n, dy, dx);
  if (n->hooks & HOOKED_ACCUMULATED) ctx->host.leaf_accumulated(call, accumulator_leaf(n));
  if (n->hooks & HOOKED_AFTER) ctx->host.node_hooks(call, n, dy, dx);
  if (ctx->anomaly && ctx->anomaly_check_nan) check_nan(call, n, dx);
  return true;
}

/* Hands a node's dx on to the nodes that made its inputs; those that wait for no more are ready. */
static void hand_on(Call *call, Task *task, const Node *n, Tensor *const *dx)
{
  for (int i = 0; i < n->nedges; i++) {
    const Node *to = n->edges[i].node;
    if (!to) continue;
    Record *r = record_of(task, to);
    bool wanted = !task->selective || r->needed;
    if (dx[i] && wanted) deliver(call, task, to->record, n->edges[i].output, dx[i]);
    if (--r->pending == 0 && wanted) push_ready(task, to->record);
  }
}

/* Gradients for the inputs of a node; hands them on. */
static void run_node(Call *call, Task *task, int32_t at)
{
  enum { FEW = 8 };
  Context *ctx = task->ctx;
  Record *r = &task->records[at]; /* stays where it is: the walk is over */
  Node *n = r->node;
  size_t mark = ctx->owned_count;
  Tensor *room[2 * FEW], **dy = room, **dx = room + FEW;
  if (n->noutputs > FEW || n->nedges > FEW) {
    dy = arena_allocate(ctx, (size_t)(n->noutputs + n->nedges) * sizeof *dy);
    dx = dy + n->noutputs;
  }
  for (int i = 0; i < n->nedges; i++) dx[i] = NULL;
  bool applied = take_gradients(task, r, dy) && apply_backward(call, task, r, dy, dx);
  hand_on(call, task, n, dx);
  if (!task->b->retain_graph && applied) {
    node_forget(n);
    if (n->carrier && !node_is_accumulator(n)) ctx->host.carrier_released(ctx, n->carrier);
  }
  scope_release(ctx, mark);
}

/* ------------------------------------------------------------------ a backward */

/* Where a root's gradient goes. */
static Edge edge_of_root(Call *call, Tensor *root)
{
  Edge e = edge_of(call, root);
  if (!e.node)
    raise_plain(call->ctx, "backward: the tensor doesn't require a gradient and has no graph: it was computed from "
                           "none that has requires_grad, or under no_grad");
  scope_own_node(call->ctx, e.node);
  return e;
}

static Tensor *seed_of(Call *call, const Backward *b, int i)
{
  Tensor *root = b->roots[i], *seed = b->seeds ? b->seeds[i] : NULL;
  if (!seed) {
    if (root->numel != 1)
      raise_plain(call->ctx,
                  "backward: a gradient is made up only for a tensor of one element, not for shape %s: sum it first, "
                  "or give the gradient",
                  shape_text(call, tensor_shape(root)));
    return ones_like_of(root);
  }
  if (!tensor_same_shape(root, seed))
    raise_plain(call->ctx, "backward: the gradient has shape %s, the tensor %s", shape_text(call, tensor_shape(seed)),
                shape_text(call, tensor_shape(root)));
  return seed;
}

/* Their nodes are needed, and know of them. */
static void mark_inputs(Call *call, Task *task)
{
  const Backward *b = task->b;
  task->inputs = arena_allocate(task->ctx, (size_t)b->ninputs * sizeof *task->inputs);
  for (int i = 0; i < b->ninputs; i++) {
    Edge e = edge_of(call, b->inputs[i]);
    if (!e.node) raise_plain(call->ctx, "grad: input %d doesn't require a gradient", i + 1);
    scope_own_node(task->ctx, e.node);
    int32_t at = find_or_add(task, e.node); /* may move the records */
    Record *r = &task->records[at];
    r->needed = true;
    task->inputs[i] = (Input){e.output, r->first_input};
    r->first_input = i + 1;
  }
}

static void run_task(Call *call, Task *task)
{
  const Backward *b = task->b;
  Context *ctx = task->ctx;
  ctx->grad_enabled = true;   /* for edges of stale views */
  ctx->autocast = DTYPE_NONE; /* gradients have their tensors' dtypes */
  if (task->selective) mark_inputs(call, task);
  int32_t *starts = arena_allocate(ctx, (size_t)b->nroots * sizeof *starts);
  for (int i = 0; i < b->nroots; i++) {
    Edge e = edge_of_root(call, b->roots[i]);
    Tensor *seed = seed_of(call, b, i);
    int32_t at = find_or_add(task, e.node);
    starts[i] = at;
    explore(task, e.node);
    ctx->grad_enabled = b->create_graph;
    deliver(call, task, at, e.output, seed);
    ctx->grad_enabled = true;
  }
  ctx->grad_enabled = b->create_graph;
  if (!task->selective)
    for (int i = 0; i < task->count; i++) task->records[i].needed = true;
  for (int i = 0; i < b->nroots; i++) {
    Record *r = &task->records[starts[i]];
    if (r->pending == 0) {
      r->pending = -1; /* a root given twice is ready once */
      if (!task->selective || r->needed) push_ready(task, starts[i]);
    }
  }
  while (task->heap_size) {
    check_interrupt(call);
    int32_t at = pop_ready(task);
    task->running = task->records[at].node;
    run_node(call, task, at);
  }
}

static void task_close(Task *task)
{
  Context *ctx = task->ctx;
  for (int i = task->count - 1; i >= 0; i--) {
    Record *r = &task->records[i];
    for (int k = 0; k < r->node->noutputs; k++) tensor_release(gradients_of(r)[k]);
    if (r->gradients) memory_free(&ctx->memory, r->gradients, (size_t)r->node->noutputs * sizeof(Tensor *));
    r->node->task = r->outer_task;
    r->node->record = r->outer_record;
  }
  for (int i = task->count - 1; i >= 0; i--) node_release(task->records[i].node);
  if (task->block) memory_free(&ctx->memory, task->block, (size_t)task->capacity * RECORD_BYTES);
  ctx->task = task->outer;
}

void backward_run(Call *call, const Backward *b)
{
  Context *ctx = call->ctx;
  bool grad_enabled = ctx->grad_enabled;
  DType autocast = ctx->autocast;
  Task *task = &(Task){
    .ctx = ctx, .outer = ctx->task, .b = b, .selective = b->inputs != NULL, .number = ++ctx->sequence};
  for (int i = 0; i < b->ninputs && b->captured; i++) b->captured[i] = NULL;
  ctx->task = task;
  ProfileFrame frame;
  frame.profiler = NULL;
  if (ctx->profiler) profile_begin(ctx, &frame, profile_clock(), PROFILE_CALL, "backward", ctx->host.state);
  Entry entry;
  if (ENTER(ctx, &entry)) {
    run_task(call, task);
    entry_leave(ctx, &entry);
  } else {
    profile_end(ctx, &frame, profile_clock(), NULL);
    if (ctx->host.node_failed && task->running) ctx->host.node_failed(ctx, task->running);
    task_close(task);
    for (int i = 0; i < b->ninputs && b->captured; i++) tensor_release(b->captured[i]);
    raise_again(ctx);
  }
  ctx->grad_enabled = grad_enabled;
  ctx->autocast = autocast;
  task_close(task);
  if (frame.profiler) profile_end(ctx, &frame, profile_clock(), NULL);
  for (int i = 0; i < b->ninputs && b->captured; i++)
    if (b->captured[i]) scope_own(ctx, b->captured[i]);
}

static Tensors collect_leaves(const Task *task)
{
  Tensors leaves = {arena_allocate(task->ctx, ((size_t)task->count + 1) * sizeof *leaves.v), 0};
  for (int i = 0; i < task->count; i++) {
    const Record *r = &task->records[i];
    if (!node_is_accumulator(r->node) || r->first_input) continue;
    Tensor *leaf = accumulator_leaf(r->node);
    if (leaf) leaves.v[leaves.n++] = leaf;
  }
  return leaves;
}

Tensors graph_other_leaves(Call *call, Tensor *const *roots, int nroots, Tensor *const *inputs, int ninputs)
{
  Context *ctx = call->ctx;
  Backward b = {.inputs = inputs, .ninputs = ninputs};
  Task *task = &(Task){.ctx = ctx, .outer = ctx->task, .b = &b, .selective = true, .number = ++ctx->sequence};
  Entry entry;
  ctx->task = task;
  if (ENTER(ctx, &entry)) {
    mark_inputs(call, task);
    for (int i = 0; i < nroots; i++)
      if (tensor_requires_grad(roots[i])) explore(task, edge_of_root(call, roots[i]).node);
    entry_leave(ctx, &entry);
  } else {
    task_close(task);
    raise_again(ctx);
  }
  Tensors leaves = collect_leaves(task);
  task_close(task);
  return leaves;
}

void gradients_through(Call *call, Tensor *const *outputs, Tensor *const *dy, int n, Tensor *const *inputs, int m,
                       Tensor **dx)
{
  size_t bytes = (size_t)(n + m) * sizeof(Tensor *);
  Tensor **roots = arena_allocate(call->ctx, bytes), **seeds = arena_allocate(call->ctx, bytes);
  Tensor **wanted = arena_allocate(call->ctx, bytes), **captured = arena_allocate(call->ctx, bytes);
  Backward b = {
    .roots = roots, .seeds = seeds, .inputs = wanted, .captured = captured, .retain_graph = true, .create_graph = true};
  for (int i = 0; i < n; i++) {
    if (!dy[i] || !tensor_requires_grad(outputs[i])) continue;
    roots[b.nroots] = outputs[i];
    seeds[b.nroots++] = dy[i];
  }
  for (int i = 0; i < m; i++)
    if (inputs[i] && tensor_requires_grad(inputs[i])) wanted[b.ninputs++] = inputs[i];
  if (b.nroots && b.ninputs) backward_run(call, &b);
  for (int i = 0, k = 0; i < m; i++) {
    bool asked = inputs[i] && tensor_requires_grad(inputs[i]);
    dx[i] = asked && b.nroots ? captured[k] : NULL;
    k += asked;
  }
}
