/* Nodes of all kinds: their lives, accumulators of leaves, edges, and nodes of the host. */
#include "autograd/node.h"

#include <stdlib.h>
#include <string.h>

#include "autograd/transform.h"
#include "core/recorder.h"
#include "core/saved.h"
#include "ops/math/arithmetic.h"
#include "ops/shape/copy.h"
#include "ops/shape/view.h"
#include "ops/table/words.h"

Node *node_new(Context *ctx, const NodeClass *class, size_t bytes, int nedges, int noutputs)
{
  size_t edges_at = (bytes + 15) & ~(size_t)15, total = edges_at + (size_t)nedges * sizeof(Edge);
  Node *n = core_allocate(ctx, total);
  memset(n, 0, total);
  n->refs = 1;
  n->class = class;
  n->ctx = ctx;
  n->bytes = total;
  n->nedges = nedges;
  n->noutputs = noutputs;
  n->edges = (Edge *)((char *)n + edges_at);
  n->sequence = ++ctx->sequence;
  ctx->live_nodes++;
  if (ctx->anomaly && ctx->host.node_created) ctx->host.node_created(ctx, n);
  return n;
}

static void node_destroy(Node *n)
{
  Context *ctx = n->ctx;
  node_forget(n);
  if (n->class->destroy) n->class->destroy(n);
  for (int i = 0; i < n->nedges; i++) node_release(n->edges[i].node);
  if (n->retained) memory_free(&ctx->memory, n->retained, (size_t)n->noutputs * sizeof *n->retained);
  free(n->trace);
  if (n->carrier && ctx->host.carrier_released) ctx->host.carrier_released(ctx, n->carrier);
  ctx->live_nodes--;
  memory_free(&ctx->memory, n, n->bytes);
}

/* Long chains are freed by a loop: what a node's end frees queues up behind it. */
void node_release(Node *n)
{
  if (!n || --n->refs) return;
  Context *ctx = n->ctx;
  n->next_dying = ctx->dying;
  ctx->dying = n;
  if (ctx->freeing_nodes) return;
  ctx->freeing_nodes = true;
  while (ctx->dying) {
    Node *next = ctx->dying;
    ctx->dying = next->next_dying;
    node_destroy(next);
  }
  ctx->freeing_nodes = false;
}

void node_forget(Node *n)
{
  if (n->class->forget) n->class->forget(n);
}

const char *node_name(const Node *n) { return n->class->name(n); }

void node_forget_retained(Tensor *t)
{
  Node *n = t->grad_fn;
  if (n && n->retained && n->retained[t->output] == t) n->retained[t->output] = NULL;
}

static bool add_retained(Tensor *t)
{
  Node *n = t->grad_fn;
  size_t bytes = (size_t)n->noutputs * sizeof *n->retained;
  if (!n->retained) {
    n->retained = memory_allocate(&t->ctx->memory, bytes);
    if (!n->retained) return false;
    memset(n->retained, 0, bytes);
  }
  n->retained[t->output] = t;
  return true;
}

void tensor_retain_grad(Call *call, Tensor *t)
{
  if (!tensor_grad_fn(call, t)) return;
  if (!add_retained(t)) raise_no_memory(call->ctx, (size_t)t->grad_fn->noutputs * sizeof(Tensor *));
  t->retains_grad = true;
}

void tensor_set_grad_fn(Tensor *t, Node *n, int output)
{
  Node *old = t->grad_fn;
  node_retain(n);
  if (t->retains_grad) node_forget_retained(t);
  t->grad_fn = n;
  t->output = output;
  if (t->retains_grad && (!n || !add_retained(t))) t->retains_grad = false;
  node_release(old);
}

/* ------------------------------------------------------ accumulators of leaves */

typedef struct Accumulator {
  Node node;
  Saved leaf; /* none once it, or the base that it is a view of, got another history: see saved.h */
} Accumulator;

/* Whether a gradient may become .grad itself: nobody else has it, and its memory is laid out plainly. */
static bool can_keep(const Tensor *g)
{
  return g->refs == 1 && g->storage && g->storage->refs == 1 && g->is_contiguous && !g->grad_fn;
}

static void add_in_place(Call *call, Tensor *sum, Tensor *g)
{
  bool enabled = call->ctx->grad_enabled;
  call->ctx->grad_enabled = false;
  op_(add, sum, g, scalar_int(1));
  call->ctx->grad_enabled = enabled;
}

/* A gradient in memory of its own, laid out as t if that has no holes. */
static Tensor *gradient_copy(Call *call, const Tensor *t, Tensor *g)
{
  if (!tensor_is_dense(t) || tensor_stands_in(g)) return op(clone, g);
  Tensor *copy = tensor_new_strided(call, tensor_dtype(g), (Device)g->device, tensor_shape(t), tensor_strides(t));
  op_(copy, copy, g, false);
  return copy;
}

/* What a first gradient is kept as: itself if nobody else has it, or under create_graph, unless it is t itself. */
static Tensor *first_gradient(Call *call, const Tensor *t, Tensor *g)
{
  if (call->ctx->grad_enabled) return g == t || (g->base && g->base->storage == t->storage) ? op(clone, g) : g;
  return can_keep(g) && t->is_contiguous ? g : gradient_copy(call, t, g);
}

void tensor_add_grad(Call *call, Tensor *t, Tensor *g)
{
  Tensor *old = t->grad;
  if (old && !call->ctx->grad_enabled && tensor_is_leaf(t)) {
    add_in_place(call, old, g);
    return;
  }
  t->grad = tensor_retain(old ? plus(old, g) : first_gradient(call, t, g));
  tensor_release(old);
}

static void check_device(Call *call, const Tensor *g, Device device, const char *of)
{
  Device arrived = device_behind(g);
  if (arrived != device)
    raise_plain(call->ctx, "a gradient on %s arrived for %s on %s", arrived == DEVICE_META ? "meta" : "cpu", of,
                device == DEVICE_META ? "meta" : "cpu");
}

/* The recorder is told of the gradient, not of what adding it takes. */
static void add_recorded(Call *call, Tensor *leaf, Tensor *g)
{
  Context *ctx = call->ctx;
  bool suspended = ctx->recording_suspended;
  if (ctx->grad_enabled) tell_deed(ctx, "backward with create_graph");
  ctx->recording_suspended = true;
  tensor_add_grad(call, leaf, g);
  ctx->recording_suspended = suspended;
  ctx->recorder->accumulated(ctx->recorder, call, leaf, g);
}

static void accumulate(Call *call, Node *node, Tensor *const *dy, Tensor **dx)
{
  (void)dx;
  Tensor *leaf = accumulator_leaf(node), *g = dy[0];
  if (!leaf)
    raise_plain(call->ctx, "a gradient arrived for a leaf that is none any more: it, or what it is a view of, was "
                           "changed in place since; make the leaf of a copy (clone), or change a copy");
  if (!shape_equal(tensor_shape(leaf), tensor_shape(g)))
    raise_plain(call->ctx, "a gradient of shape %s arrived for a leaf of shape %s", shape_text(call, tensor_shape(g)),
                shape_text(call, tensor_shape(leaf)));
  check_device(call, g, device_behind(leaf), "a leaf");
  if (tensor_stands_in(g) && !tensor_stands_in(leaf))
    raise_plain(call->ctx, "backward: within nl.func's functions a gradient can't be kept in the grad of a tensor from "
                           "outside; ask for it by nl.func.grad or autograd.grad");
  g = cast(g, tensor_dtype(leaf));
  if (call->ctx->recorder) add_recorded(call, leaf, g);
  else tensor_add_grad(call, leaf, g);
}

static void accumulator_destroy(Node *node)
{
  Accumulator *acc = (Accumulator *)node;
  if (acc->leaf.tensor) acc->leaf.tensor->accumulator = NULL;
  saved_drop(&acc->leaf);
}

static const char *accumulator_name(const Node *node)
{
  (void)node;
  return "AccumulateGrad";
}

static const NodeClass accumulator_class = {accumulate, NULL, accumulator_destroy, accumulator_name};

void accumulator_let_go(Tensor *t)
{
  if (!t->accumulator) return;
  saved_drop(&((Accumulator *)t->accumulator)->leaf);
  t->accumulator = NULL;
}

bool node_is_accumulator(const Node *n) { return n->class == &accumulator_class; }
Tensor *accumulator_leaf(const Node *n) { return ((const Accumulator *)n)->leaf.tensor; }

static Node *accumulator_of(Context *ctx, Tensor *leaf)
{
  if (leaf->accumulator) return node_retain(leaf->accumulator);
  Accumulator *acc = (Accumulator *)node_new(ctx, &accumulator_class, sizeof *acc, 0, 1);
  acc->leaf.version = SAVED_LEAF;
  if (leaf->base) saved_keep(&acc->leaf, leaf);
  else acc->leaf.tensor = tensor_retain(leaf);
  acc->node.sequence = UINT64_MAX; /* as soon as the gradient is complete */
  acc->node.carrier = 0;
  acc->node.hooks = leaf->carrier ? HOOKED_ALL : 0;
  leaf->accumulator = &acc->node;
  return &acc->node;
}

/* ------------------------------------------------------------ changed results */

/* Stands before the node that made a tensor which was changed unseen. */
typedef struct GuardNode {
  Node node;
  Tensor *form; /* a ghost of what the tensor was */
  Device device;
} GuardNode;

static void guard_apply(Call *call, Node *node, Tensor *const *dy, Tensor **dx)
{
  const GuardNode *n = (GuardNode *)node;
  if (!tensor_same_shape(n->form, dy[0]))
    raise_plain(call->ctx,
                "backward: a gradient of shape %s arrived for a result of shape %s, which was given another shape "
                "under no_grad or by .data",
                shape_text(call, tensor_shape(dy[0])), shape_text(call, tensor_shape(n->form)));
  check_device(call, dy[0], n->device, "a result");
  dx[0] = cast(dy[0], tensor_dtype(n->form));
}

static void guard_destroy(Node *node) { tensor_release(((GuardNode *)node)->form); }

static const char *guard_name(const Node *node)
{
  (void)node;
  return "ChangedData";
}

static const NodeClass guard_class = {guard_apply, NULL, guard_destroy, guard_name};

void tensor_guard_form(Call *call, Tensor *t)
{
  Node *made_by = tensor_grad_fn(call, t);
  if (!made_by) return;
  GuardNode *n = (GuardNode *)node_new(call->ctx, &guard_class, sizeof *n, 1, 1);
  scope_own_node(call->ctx, &n->node);
  n->form = tensor_retain(tensor_ghost(call, t));
  n->device = device_behind(t);
  n->node.edges[0] = (Edge){node_retain(made_by), t->output};
  tensor_set_grad_fn(t, &n->node, 0);
}

/* ------------------------------------------------------------------- edges */

/* A view whose base has been changed in place: its history is that of the base, looked at through its geometry. */
Node *view_node_new(Call *call, Tensor *view, Node *of_base)
{
  if (view->dtype != view->base->dtype)
    raise(call, "a view in another dtype can't be changed in place, nor its base, while gradients are recorded");
  struct as_strided_args args = {view->base, tensor_shape(view), tensor_strides(view), view->offset};
  Node *n = op_node_new(call, as_strided_row, &args, 1);
  if (of_base) {
    Node *old = n->edges[0].node;
    n->edges[0] = (Edge){node_retain(of_base), 0};
    node_release(old);
  }
  return n;
}

static void regenerate(Call *call, Tensor *view)
{
  Tensor *base = view->base;
  Node *n = view_node_new(call, view, NULL);
  tensor_set_grad_fn(view, n, 0);
  node_release(n);
  view->history = base->history;
}

Node *tensor_grad_fn(Call *call, Tensor *t)
{
  const Tensor *base = t->base;
  if (base && t->history != base->history && tensor_is_tied(t) && tensor_requires_grad(base)) regenerate(call, t);
  return t->grad_fn;
}

Edge edge_of(Call *call, Tensor *t)
{
  Node *n = t->base ? tensor_grad_fn(call, t) : t->grad_fn;
  if (n) return (Edge){node_retain(n), t->output};
  if (t->requires_grad) return (Edge){accumulator_of(call->ctx, t), 0};
  return (Edge){NULL, 0};
}

/* -------------------------------------------------------- nodes of the host */

typedef struct HostNode {
  Node node;
  char name[40];
  Tensor *forms[]; /* ghosts, one an edge, then one an output; NULL where there is no tensor */
} HostNode;

static void host_apply(Call *call, Node *node, Tensor *const *dy, Tensor **dx)
{
  tell_deed(call->ctx, node_name(node));
  call->ctx->host.node_apply(call, node, dy, dx);
}

static const char *host_name(const Node *node) { return ((const HostNode *)node)->name; }

static void host_destroy(Node *node)
{
  HostNode *n = (HostNode *)node;
  for (int i = 0; i < node->nedges + node->noutputs; i++) tensor_release(n->forms[i]);
}

static const NodeClass host_class = {host_apply, NULL, host_destroy, host_name};

const Tensor *host_node_input(const Node *n, int i) { return ((const HostNode *)n)->forms[i]; }

const Tensor *host_node_output(const Node *n, int i) { return ((const HostNode *)n)->forms[n->nedges + i]; }

Node *host_node_new(Call *call, Tensor *const *inputs, int ninputs, Tensor *const *outputs, int noutputs,
                    int64_t carrier, const char *name)
{
  size_t bytes = sizeof(HostNode) + (size_t)(ninputs + noutputs) * sizeof(Tensor *);
  HostNode *n = (HostNode *)node_new(call->ctx, &host_class, bytes, ninputs, noutputs);
  strncpy(n->name, name, sizeof n->name - 1);
  n->node.carrier = carrier;
  scope_own_node(call->ctx, &n->node);
  for (int i = 0; i < ninputs; i++) {
    if (!inputs[i] || !tensor_requires_grad(inputs[i])) continue;
    n->node.edges[i] = edge_of(call, inputs[i]);
    n->forms[i] = tensor_retain(tensor_ghost(call, inputs[i]));
  }
  for (int i = 0; i < noutputs; i++)
    if (outputs[i]) n->forms[ninputs + i] = tensor_retain(tensor_ghost(call, outputs[i]));
  return node_retain(&n->node);
}
