/* Nodes of ops: what an op saves for its backward, and running that. */
#include <string.h>

#include "autograd/engine.h"
#include "autograd/node.h"
#include "autograd/transform.h"
#include "core/recorder.h"
#include "core/saved.h"
#include "ops/shape/copy.h"
#include "ops/table/ops.h"
#include "ops/table/words.h"

/*
 * The tensors among the arguments stand in one array, in the order of edges, ghosts where not saved. The copy of the
 * arguments gets them back when the backward runs.
 */
typedef struct OpNode {
  Node node;
  const Op *op;
  const Op *shown; /* the op itself, or, if no user can call it, the one that was called */
  char *args;
  Saved *saved;
  Tensor *results[MAX_RESULTS];
  uint32_t result_versions[MAX_RESULTS];
  uint32_t needs; /* what the wanted gradients need: as in OpPlan */
  bool saved_anything;
  bool of_stand_ins;      /* among the arguments are stand-ins of a transform */
  bool has_packed;        /* hooks have packed something of it */
  uint8_t packed_results; /* a bit each; there, as for SAVED_PACKED, is only the form */
} OpNode;

/* The tensors in the i-th argument that holds any: a single one or a list. */
static inline Tensor **tensors_at(const OpPlan *plan, int i, const void *args, int64_t *n)
{
  void *place = (char *)args + plan->tensors[i].offset;
  if (!plan->tensors[i].is_list) {
    *n = 1;
    return place;
  }
  Tensors *list = place;
  *n = list->n;
  return list->v;
}

static int64_t count_tensors(const OpPlan *plan, const void *args)
{
  if (!plan->has_list) return plan->ntensors;
  int64_t total = 0, n;
  for (int i = 0; i < plan->ntensors; i++) {
    tensors_at(plan, i, args, &n);
    total += n;
  }
  return total;
}

/* What was saved goes, and all else with it. A node that saved nothing can be run again. */
static void op_forget(Node *node)
{
  OpNode *n = (OpNode *)node;
  if (node->forgotten || !n->saved_anything) return;
  node->forgotten = true;
  for (int i = 0; i < node->nedges; i++) saved_drop(&n->saved[i]);
  for (int i = 0; i < MAX_RESULTS; i++) {
    tensor_release(n->results[i]);
    n->results[i] = NULL;
  }
}

static void op_destroy(Node *node)
{
  OpNode *n = (OpNode *)node;
  for (int i = 0; n->saved && i < node->nedges; i++) saved_drop(&n->saved[i]);
}

static const char *op_name(const Node *node)
{
  /* PyTorch's names: SumBackward */
  static _Thread_local char name[64];
  const OpNode *n = (const OpNode *)node;
  const char *row = n->shown == n->op ? n->op->row : n->shown->name;
  size_t used = 0;
  bool capital = true;
  for (; *row && used < sizeof name - 12; row++) {
    if (*row == '_') {
      capital = true;
      continue;
    }
    name[used++] = capital && *row >= 'a' && *row <= 'z' ? (char)(*row - 32) : *row;
    capital = false;
  }
  strcpy(name + used, "Backward");
  return name;
}

_Noreturn static void raise_changed(Call *call, const OpNode *n, const Tensor *t, int64_t saved)
{
  raise_plain(call->ctx,
              "backward of %s: a %s tensor of shape %s that it needs was changed in place after the "
              "forward (it is at version %u, saved at version %u); clone it before the change",
              n->shown->name, dtype_name(tensor_dtype(t)), shape_text(call, tensor_shape(t)), tensor_version(t),
              (unsigned)saved);
}

static bool is_packed_result(const OpNode *n, int i) { return n->packed_results >> i & 1; }

static void check_versions(Call *call, const OpNode *n)
{
  for (int i = 0; i < n->node.nedges; i++) {
    const Saved *s = &n->saved[i];
    if (s->version >= 0 && tensor_version(s->tensor) != (uint32_t)s->version)
      raise_changed(call, n, s->tensor, s->version);
  }
  for (int i = 0; i < MAX_RESULTS; i++)
    if (n->results[i] && !is_packed_result(n, i) && tensor_version(n->results[i]) != n->result_versions[i])
      raise_changed(call, n, n->results[i], n->result_versions[i]);
}

_Noreturn static void raise_freed(Call *call, const OpNode *n)
{
  raise_plain(call->ctx,
              "backward of %s: what it saved has been freed by an earlier backward; give that one "
              "retain_graph = true to go through the graph twice",
              n->shown->name);
}

/* A tensor from an unpack hook as the backward takes it for one of that form: no kernel looks at its shape again. */
static Tensor *fitting(Call *call, const OpNode *n, Tensor *t, const Tensor *form, int64_t print, bool of_result)
{
  if (!tensor_same_shape(t, form))
    raise_plain(call->ctx, "backward of %s: an unpack hook gave a tensor of shape %s for one of shape %s",
                n->shown->name, shape_text(call, tensor_shape(t)), shape_text(call, tensor_shape(form)));
  if (!dtype_can_cast(tensor_dtype(t), tensor_dtype(form)))
    raise_plain(call->ctx, "backward of %s: an unpack hook gave a %s tensor for a %s one", n->shown->name,
                dtype_name(tensor_dtype(t)), dtype_name(tensor_dtype(form)));
  if (device_behind(t) != device_behind(form) || (tensor_stands_in(t) && !n->of_stand_ins))
    raise_plain(call->ctx, "backward of %s: an unpack hook gave a tensor on another device", n->shown->name);
  t = cast(t, tensor_dtype(form));
  if (fingerprint_of_saved(call, t) != print)
    raise_plain(call->ctx, "backward of %s: an unpack hook gave other %s numbers than were packed", n->shown->name,
                dtype_name(tensor_dtype(t)));
  bool same_layout = shape_equal(tensor_strides(t), tensor_strides(form));
  if (!of_result || same_layout || tensor_stands_in(t) || !tensor_is_dense(form)) return t;
  Tensor *laid_out = tensor_new_strided(call, tensor_dtype(t), (Device)t->device, tensor_shape(t),
                                        tensor_strides(form));
  op_(copy, laid_out, t, false);
  return laid_out;
}

/* What the hook makes of what it packed in a place. It may do anything, so that the caller has what it works with. */
static Tensor *unpacked(Call *call, OpNode *n, int place, Tensor *form)
{
  Context *ctx = call->ctx;
  bool recording = ctx->grad_enabled;
  int64_t print;
  Tensor *t = ctx->host.unpack(call, &n->node, place, &print);
  if (n->node.forgotten) raise_freed(call, n);
  ctx->grad_enabled = false;
  t = fitting(call, n, t, form, print, place >= n->node.nedges);
  /* hooks for later places may change what this one gave: its form (resize_, x.data =), or whole numbers, which kernels
     take as they are */
  t = dtype_is_integral(tensor_dtype(t)) && !tensor_stands_in(t) ? op(clone, t) : tensor_alias(call, t);
  ctx->grad_enabled = recording;
  return t;
}

/* A saved tensor, kept while hooks run for others. */
static Tensor *kept(Call *call, const OpNode *n, Tensor *t)
{
  return t && n->has_packed ? scope_own(call->ctx, tensor_retain(t)) : t;
}

/* Under create_graph a saved result stands for the tensor it was: its history is this node. */
static void revive_results(Call *call, OpNode *n, Tensor **y)
{
  for (int i = 0; i < MAX_RESULTS; i++) {
    y[i] = kept(call, n, n->results[i]);
    if (y[i] && is_packed_result(n, i)) y[i] = unpacked(call, n, n->node.nedges + i, y[i]);
    if (!y[i] || !call->ctx->grad_enabled || !dtype_is_inexact(tensor_dtype(y[i]))) continue;
    y[i] = tensor_alias(call, y[i]);
    tensor_set_grad_fn(y[i], &n->node, i);
  }
}

/* Whether a tensor's history is still what it was when the node was made. */
static bool keeps_history(const Tensor *t, Edge e)
{
  if (!e.node) return !tensor_requires_grad(t);
  if (node_is_accumulator(e.node)) return accumulator_leaf(e.node) == t && tensor_is_leaf(t) && t->requires_grad;
  return t->grad_fn == e.node && t->output == e.output;
}

/*
 * What is saved of an argument. One of another history by now (detach_, a change in place, an unpack hook) is replaced
 * by an alias with the one it had.
 */
static Tensor *saved_argument(Call *call, OpNode *n, int i)
{
  int64_t version = n->saved[i].version;
  Tensor *t = kept(call, n, n->saved[i].tensor);
  if (version == SAVED_PACKED) t = unpacked(call, n, i, t);
  Edge e = n->node.edges[i];
  if (!call->ctx->grad_enabled || version == SAVED_FORM || keeps_history(t, e)) return t;
  Tensor *alias = tensor_alias(call, t);
  tensor_set_grad_fn(alias, e.node, e.output);
  return alias;
}

/* The arguments as the backward sees them. */
static void restore_arguments(Call *call, OpNode *n, char *args)
{
  const OpPlan *plan = op_plan(n->op);
  int at = 0;
  memcpy(args, n->args, n->op->args_size);
  for (int i = 0; i < plan->ntensors; i++) {
    void *place = args + plan->tensors[i].offset;
    if (!plan->tensors[i].is_list) {
      *(Tensor **)place = saved_argument(call, n, at++);
      continue;
    }
    Tensors *list = place;
    list->v = arena_allocate(call->ctx, (size_t)(list->n ? list->n : 1) * sizeof *list->v);
    for (int64_t k = 0; k < list->n; k++, at++) list->v[k] = saved_argument(call, n, at);
  }
}

struct Gradients {
  const Op *op;
  const void *args;   /* with the lists of tensors as long as they are */
  const Node *node;   /* whose edges say which gradients are wanted … */
  const bool *wanted; /* … unless this does, by edges */
  Tensor **dx;
};

/* Which edge belongs to the tensor at an offset of the arguments, or to the i-th one of the list there. */
static int edge_at(const struct Gradients *g, size_t offset, int64_t i)
{
  const OpPlan *plan = op_plan(g->op);
  int argument = plan->tensor_at[offset / sizeof(Tensor *)];
  if (!plan->has_list) return argument;
  int64_t before = 0, count;
  for (int k = 0; k < argument; k++) {
    tensors_at(plan, k, g->args, &count);
    before += count;
  }
  return (int)(before + i);
}

bool gradient_wanted(const struct Gradients *g, size_t offset, int64_t i)
{
  int edge = edge_at(g, offset, i);
  return g->wanted ? g->wanted[edge] : edge_wanted(g->node, edge);
}

Tensor **gradient_place(struct Gradients *g, size_t offset, int64_t i) { return &g->dx[edge_at(g, offset, i)]; }

/* The gradient of what an in-place op without a derivative wrote over. */
static Tensor *overwritten(Call *call, Tensor *dy) { return zeros_like_of(dy); }

/*
 * Whether stand-ins of a transform take part: they have no elements that a kernel could read, so the backward must be
 * made of ops, as it is under create_graph.
 */
static bool needs_ops(const OpNode *n, Tensor *const *dy)
{
  bool any = n->of_stand_ins;
  for (int i = 0; i < n->node.noutputs; i++) any |= dy[i] && tensor_stands_in(dy[i]);
  return any;
}

/* Gradients that were recorded for the sake of ops alone. */
static void drop_histories(Call *call, const Node *node, Tensor **dx, bool recording)
{
  call->ctx->grad_enabled = recording;
  for (int i = 0; i < node->nedges; i++)
    if (dx[i] && tensor_requires_grad(dx[i])) dx[i] = op(detach, dx[i]);
}

static void differentiate(Call *call, const void *args, Tensor *const *y, Tensor *const *dy, struct Gradients *g)
{
  if (g->op->backward) g->op->backward(call, args, y, dy, g);
  else if (g->wanted ? g->wanted[0] : edge_wanted(g->node, 0)) g->dx[0] = overwritten(call, dy[0]); /* x:eq_(1) */
}

void op_gradients(Call *call, const Op *op, const void *args, Tensor *const *y, Tensor *const *dy, const bool *wanted,
                  Tensor **dx)
{
  differentiate(call, args, y, dy, &(struct Gradients){.op = op, .args = args, .wanted = wanted, .dx = dx});
}

/* The recorder is told of the backward as a whole: not all of what it does are ops. */
static void differentiate_recorded(Call *call, const OpNode *n, const void *args, Tensor *const *y, Tensor *const *dy,
                                   struct Gradients *g)
{
  Context *ctx = call->ctx;
  bool suspended = ctx->recording_suspended;
  Planned noted = {.noting = true};
  if (n->has_packed) tell_deed(ctx, "a hook on what is saved");
  ctx->recording_suspended = true;
  call->planned = &noted;
  differentiate(call, args, y, dy, g);
  ctx->recording_suspended = suspended;
  int edges = n->node.nedges;
  bool *has_elements = arena_allocate(ctx, 2 * (size_t)edges + 1), *wanted = has_elements + edges;
  for (int i = 0; i < edges; i++) {
    has_elements[i] = n->saved[i].version != SAVED_FORM;
    wanted[i] = edge_wanted(&n->node, i);
  }
  ctx->recorder->differentiated(ctx->recorder, call,
                                &(Differentiated){.op = n->op,
                                                  .shown = n->shown,
                                                  .args = args,
                                                  .y = y,
                                                  .dy = dy,
                                                  .has_elements = has_elements,
                                                  .wanted = wanted,
                                                  .dx = g->dx,
                                                  .ny = MAX_RESULTS,
                                                  .ndy = n->node.noutputs,
                                                  .ndx = edges,
                                                  .sequence = n->node.sequence});
}

static void op_apply(Call *parent, Node *node, Tensor *const *dy, Tensor **dx)
{
  OpNode *n = (OpNode *)node;
  Context *ctx = parent->ctx;
  bool recording = ctx->grad_enabled;
  Call called = {.ctx = ctx, .op = n->shown};
  Call call = {.ctx = ctx, .op = n->op, .parent = n->shown == n->op ? NULL : &called};
  if (node->forgotten) raise_freed(&call, n);
  check_versions(&call, n);
  if (!recording && needs_ops(n, dy)) ctx->grad_enabled = true;
  ArgsRoom args;
  restore_arguments(&call, n, args.bytes);
  Tensor *y[MAX_RESULTS];
  revive_results(&call, n, y);
  struct Gradients g = {.op = n->op, .args = n->args, .node = node, .dx = dx};
  if (ctx->recorder && !recording) differentiate_recorded(&call, n, &args, y, dy, &g);
  else differentiate(&call, &args, y, dy, &g);
  if (ctx->grad_enabled != recording) drop_histories(&call, node, dx, recording);
}

static const NodeClass op_class = {op_apply, op_forget, op_destroy, op_name};

/* ---------------------------------------------------------------- recording */

static void check_savable(Call *call, const Tensor *t)
{
  if (t->is_inference) raise(call, "a tensor made in inference mode can't be saved for a backward; clone it outside");
}

enum { GHOST_BYTES = 256 }; /* elements that take no more memory than a ghost's header, and less time than making one */

/*
 * Whether a tensor is kept itself though its elements aren't needed: a leaf lives as long as the graph anyway. What a
 * backward records may become the gradient of the very tensor, which a small one must not be kept by then.
 */
static bool serves_as_ghost(const Tensor *t)
{
  if ((t->requires_grad && !t->grad_fn) || tensor_stands_in(t)) return true;
  return t->storage && t->storage->bytes <= GHOST_BYTES && (!t->ctx->task || t->is_wrapped_number);
}

/* A ghost of t; one serves for operands that are alike. */
static Tensor *ghost_of(Call *call, const Tensor *t, Tensor **last)
{
  Tensor *g = *last;
  bool fits = g && g->dtype == t->dtype && g->offset == t->offset && shape_equal(tensor_shape(g), tensor_shape(t))
              && shape_equal(tensor_strides(g), tensor_strides(t));
  if (!fits) *last = tensor_ghost(call, t);
  return tensor_retain(*last);
}

/* References to what is saved, ghosts of the rest. */
static void keep_tensors(Call *call, OpNode *n, const void *args)
{
  const OpPlan *plan = op_plan(n->op);
  int64_t count;
  int at = 0;
  Tensor *ghost = NULL;
  for (int i = 0; i < plan->ntensors; i++) {
    Tensor *const *t = tensors_at(plan, i, args, &count);
    bool saved = n->needs & argument_bit(plan->tensors[i].arg);
    for (int64_t k = 0; k < count; k++, at++) {
      Saved *s = &n->saved[at];
      s->version = SAVED_FORM;
      if (!t[k]) continue;
      n->of_stand_ins |= tensor_stands_in(t[k]);
      if (saved) {
        check_savable(call, t[k]);
        s->version = tensor_version(t[k]);
        n->saved_anything = true;
      }
      if (saved || serves_as_ghost(t[k])) saved_keep(s, t[k]);
      else s->tensor = ghost_of(call, t[k], &ghost);
    }
  }
}

/* Edges from the arguments, and what the gradients that they want need saved. */
static void connect(Call *call, OpNode *n, const void *args)
{
  const OpPlan *plan = op_plan(n->op);
  int64_t count;
  int at = 0;
  for (int i = 0; i < plan->ntensors; i++) {
    Tensor **t = tensors_at(plan, i, args, &count);
    for (int64_t k = 0; k < count; k++, at++) {
      if (!t[k] || !tensor_requires_grad(t[k]) || !dtype_is_inexact(tensor_dtype(t[k]))) continue;
      n->node.edges[at] = edge_of(call, t[k]);
      n->needs |= plan->needs[plan->tensors[i].arg];
    }
  }
}

/* What a node is called by: the op itself, or, if it is for other ops only, the outermost one, which was called. */
static const Op *shown_op(const Call *call, const Op *op)
{
  const Op *shown = op;
  if (op->forms & CALLABLE) return op;
  for (; call; call = call->parent)
    if (call->op) shown = call->op;
  return shown;
}

Node *op_node_new(Call *call, const Op *op, const void *args, int ny)
{
  const OpPlan *plan = op_plan(op);
  size_t edges = (size_t)count_tensors(plan, args), own = (op->args_size + 15u) & ~(size_t)15;
  size_t header = (sizeof(OpNode) + 15) & ~(size_t)15, each = sizeof(Saved);
  size_t pointed = plan->points ? args_pointed_bytes(op, args) : 0;
  OpNode *n = (OpNode *)node_new(call->ctx, &op_class, header + own + edges * each + pointed, (int)edges, ny);
  n->op = op;
  n->shown = shown_op(call, op);
  scope_own_node(call->ctx, &n->node); /* frees it if something is raised below */
  connect(call, n, args);
  n->args = (char *)n + header;
  memcpy(n->args, args, op->args_size);
  n->saved = (Saved *)(n->args + own);
  if (plan->points) args_copy_pointed(op, n->args, (char *)(n->saved + edges));
  keep_tensors(call, n, args);
  if (call->ctx->saved_hooks && n->needs) pack_later(call, &n->node);
  return node_retain(&n->node);
}

/* Whether a node, or one below it by way of the first edges, was gone through for the last time. */
static bool is_spent(const Node *n)
{
  while (n && n->class == &op_class && !n->forgotten) {
    const Node *below = NULL;
    for (int i = 0; i < n->nedges && !below; i++) below = n->edges[i].node;
    n = below;
  }
  return n && n->class == &op_class;
}

Node *op_node_spent(Context *ctx, const Node *n)
{
  if (n->class != &op_class || !is_spent(n)) return NULL;
  const OpNode *of = (const OpNode *)n;
  OpNode *spent = (OpNode *)node_new(ctx, &op_class, sizeof(OpNode), 0, n->noutputs);
  spent->op = of->op;
  spent->shown = of->shown;
  spent->node.forgotten = true;
  return &spent->node;
}

void op_node_save_results(Call *call, Node *node, Tensor *const *y, int ny)
{
  OpNode *n = (OpNode *)node;
  for (int i = 0; i < ny && i < MAX_RESULTS; i++) {
    if (!(n->needs & result_bit(i))) continue;
    n->results[i] = tensor_retain(tensor_alias(call, y[i]));
    n->result_versions[i] = tensor_version(y[i]);
    n->saved_anything = true;
  }
}

void op_node_results_written(Node *node)
{
  OpNode *n = (OpNode *)node;
  for (int i = 0; i < MAX_RESULTS; i++)
    if (n->results[i]) n->result_versions[i] = tensor_version(n->results[i]);
}

/* -------------------------------------------------------------------- packing */

int op_node_places(const Node *node) { return node->nedges + MAX_RESULTS; }

/* Not numbers of the call itself, nor integers whose elements can't be looked at when they come back. */
static bool may_pack(const Tensor *t)
{
  return !t->is_wrapped_number && !(tensor_stands_in(t) && dtype_is_integral(tensor_dtype(t)));
}

Tensor *op_node_saved(Call *call, Node *node, int place)
{
  OpNode *n = (OpNode *)node;
  if (node->forgotten) return NULL;
  if (place < node->nedges) {
    const Saved *s = &n->saved[place];
    return s->version >= 0 && tensor_version(s->tensor) == s->version && may_pack(s->tensor) ? s->tensor : NULL;
  }
  int i = place - node->nedges;
  Tensor *y = n->results[i];
  if (!y || is_packed_result(n, i) || tensor_version(y) != n->result_versions[i] || !may_pack(y)) return NULL;
  y = tensor_alias(call, y);
  if (dtype_is_inexact(tensor_dtype(y))) tensor_set_grad_fn(y, node, i);
  return y;
}

/* What fitting compares with. */
static Tensor *form_of(Call *call, const Tensor *t)
{
  if (tensor_stands_in(t)) return tensor_alias(call, t);
  Tensor *form = tensor_ghost(call, t);
  form->device = t->device;
  return form;
}

void op_node_set_packed(Call *call, Node *node, int place)
{
  OpNode *n = (OpNode *)node;
  int i = place - node->nedges;
  if (node->forgotten) return; /* the hook has run the graph's backward */
  n->has_packed = true;
  if (i < 0) {
    Tensor *form = form_of(call, n->saved[place].tensor);
    saved_drop(&n->saved[place]);
    n->saved[place].tensor = tensor_retain(form);
    n->saved[place].version = SAVED_PACKED;
    return;
  }
  Tensor *old = n->results[i];
  n->results[i] = tensor_retain(form_of(call, old));
  n->packed_results |= (uint8_t)(1 << i);
  tensor_release(old);
}
