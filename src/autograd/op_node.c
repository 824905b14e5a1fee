/* Nodes of ops: what an op saves for its backward, and running that. */
#include <string.h>

#include "autograd/engine.h"
#include "autograd/node.h"
#include "ops/ops.h"

typedef struct OpNode {
  Node node;
  const Op *op;
  void *args;              /* a copy; tensors in it are references, ghosts where not saved */
  Tensor *results[MAX_RESULTS];
  uint32_t *versions;      /* of saved arguments, in the order of edges; then of results */
  uint32_t result_versions[MAX_RESULTS];
  uint32_t needs;          /* what the wanted gradients need: as in OpPlan */
  bool saved_anything;
} OpNode;

/* The tensors in an argument: a single one or a list. */
static Tensor **tensors_at(const ArgSpec *spec, void *args, int64_t *n)
{
  void *place = (char *)args + spec->offset;
  if (spec->kind == ARG_TENSORS) {
    Tensors *list = place;
    *n = list->n;
    return list->v;
  }
  *n = 1;
  return place;
}

static int64_t count_tensors(const Op *op, const void *args)
{
  int64_t total = 0, n;
  uint16_t mask = op_plan(op)->tensor_args;
  for (int i = 0; i < op->nargs; i++)
    if (mask >> i & 1) {
      tensors_at(&op->args[i], (void *)args, &n);
      total += n;
    }
  return total;
}

/* Bytes of the lists and texts that arguments point to. */
static size_t pointed_bytes(const Op *op, const void *args)
{
  size_t bytes = 0;
  for (int i = 0; i < op->nargs; i++) {
    const void *place = (const char *)args + op->args[i].offset;
    switch (op->args[i].kind) {
      case ARG_TENSORS: bytes += (size_t)((const Tensors *)place)->n * sizeof(Tensor *); break;
      case ARG_SIZE: case ARG_DIMS: case ARG_INTLIST: {
        int64_t n = ((const Ints *)place)->n;
        bytes += n > 0 ? (size_t)n * sizeof(int64_t) : 0;
        break;
      }
      case ARG_STRING: {
        const char *s = *(const char *const *)place;
        bytes += s ? (strlen(s) + 8) & ~(size_t)7 : 0;
        break;
      }
      default: break;
    }
  }
  return bytes;
}

/* Copies what arguments point to behind the copied arguments. */
static void copy_pointed(const Op *op, void *args, char *room)
{
  for (int i = 0; i < op->nargs; i++) {
    void *place = (char *)args + op->args[i].offset;
    size_t bytes = 0;
    switch (op->args[i].kind) {
      case ARG_TENSORS: {
        Tensors *list = place;
        bytes = (size_t)list->n * sizeof(Tensor *);
        list->v = memcpy(room, list->v, bytes);
        break;
      }
      case ARG_SIZE: case ARG_DIMS: case ARG_INTLIST: {
        Ints *list = place;
        if (list->n <= 0) break;
        bytes = (size_t)list->n * sizeof(int64_t);
        list->v = memcpy(room, list->v, bytes);
        break;
      }
      case ARG_STRING: {
        const char **s = place;
        if (!*s) break;
        bytes = (strlen(*s) + 8) & ~(size_t)7;
        *s = memcpy(room, *s, strlen(*s) + 1);
        break;
      }
      default: break;
    }
    room += bytes;
  }
}

/* Releases the argument tensors whose bits are set, or empties their places. */
static void drop_tensors(OpNode *n, uint32_t which, bool release)
{
  int64_t count;
  uint32_t mask = op_plan(n->op)->tensor_args & which;
  for (int i = 0; i < n->op->nargs; i++) {
    if (!(mask >> i & 1)) continue;
    Tensor **t = tensors_at(&n->op->args[i], n->args, &count);
    for (int64_t k = 0; k < count; k++) {
      if (release) tensor_release(t[k]);
      t[k] = NULL;
    }
  }
}

static void clear_tensors(OpNode *n) { drop_tensors(n, UINT32_MAX, false); }

/* What was saved goes; ghosts stay, so that a node that saved nothing can be run again. */
static void op_forget(Node *node)
{
  OpNode *n = (OpNode *)node;
  if (node->forgotten || !n->args) return;
  node->forgotten = n->saved_anything;
  drop_tensors(n, n->needs, true);
  for (int i = 0; i < MAX_RESULTS; i++) {
    tensor_release(n->results[i]);
    n->results[i] = NULL;
  }
}

static void op_destroy(Node *node)
{
  OpNode *n = (OpNode *)node;
  if (n->args) drop_tensors(n, UINT32_MAX, true);
}

static const char *op_name(const Node *node)
{
  /* PyTorch's names: SumBackward */
  static _Thread_local char name[64];
  const char *row = ((const OpNode *)node)->op->row;
  size_t used = 0;
  bool capital = true;
  for (; *row && used < sizeof name - 12; row++) {
    if (*row == '_') { capital = true; continue; }
    name[used++] = capital && *row >= 'a' && *row <= 'z' ? (char)(*row - 32) : *row;
    capital = false;
  }
  strcpy(name + used, "Backward");
  return name;
}

_Noreturn static void raise_changed(Call *call, const OpNode *n, const Tensor *t, uint32_t saved)
{
  raise_plain(call->ctx, "backward of %s: a %s tensor of shape %s that it needs was changed in place after the "
              "forward (it is at version %u, saved at version %u); clone it before the change",
              n->op->name, dtype_name(tensor_dtype(t)), shape_text(call, tensor_shape(t)), tensor_version(t), saved);
}

static void check_versions(Call *call, OpNode *n)
{
  int64_t count;
  int at = 0;
  for (int i = 0; i < n->op->nargs; i++) {
    if (!(op_plan(n->op)->tensor_args >> i & 1)) continue;
    Tensor **t = tensors_at(&n->op->args[i], n->args, &count);
    for (int64_t k = 0; k < count; k++, at++)
      if ((n->needs >> i & 1) && t[k] && tensor_version(t[k]) != n->versions[at]) raise_changed(call, n, t[k], n->versions[at]);
  }
  for (int i = 0; i < MAX_RESULTS; i++)
    if (n->results[i] && tensor_version(n->results[i]) != n->result_versions[i])
      raise_changed(call, n, n->results[i], n->result_versions[i]);
}

/* Under create_graph a saved result stands for the tensor it was: its history is this node. */
static void revive_results(Call *call, OpNode *n, Tensor **y)
{
  for (int i = 0; i < MAX_RESULTS; i++) {
    y[i] = n->results[i];
    if (!y[i] || !call->ctx->grad_enabled || !dtype_is_inexact(tensor_dtype(y[i]))) continue;
    y[i] = tensor_alias(call, y[i]);
    tensor_set_grad_fn(y[i], &n->node, i);
  }
}

/*
 * A saved input that is another's history by now (detach_, in-place) is replaced by an alias with the history it
 * had.
 */
static void revive_arguments(Call *call, OpNode *n, void *args)
{
  int64_t count;
  int at = 0;
  for (int i = 0; i < n->op->nargs; i++) {
    if (!(op_plan(n->op)->tensor_args >> i & 1)) continue;
    Tensor **t = tensors_at(&n->op->args[i], args, &count);
    for (int64_t k = 0; k < count; k++, at++) {
      Edge e = n->node.edges[at];
      if (!(n->needs >> i & 1) || !t[k] || !e.node || node_is_accumulator(e.node)) continue;
      if (t[k]->grad_fn == e.node && t[k]->output == e.output) continue;
      Tensor *alias = tensor_alias(call, t[k]);
      tensor_set_grad_fn(alias, e.node, e.output);
      t[k] = alias;
    }
  }
}

struct Gradients { const OpNode *n; Tensor **dx; };

/* Which edge belongs to the tensor at an offset of the arguments. */
static int edge_at(const OpNode *n, size_t offset, int64_t i)
{
  int64_t at = 0, count;
  for (int k = 0; k < n->op->nargs; k++) {
    const ArgSpec *spec = &n->op->args[k];
    if (spec->offset == offset) return (int)(at + i);
    if (op_plan(n->op)->tensor_args >> k & 1) {
      tensors_at(spec, n->args, &count);
      at += count;
    }
  }
  return (int)(at + i);
}

bool gradient_wanted(const struct Gradients *g, size_t offset, int64_t i)
{
  return edge_wanted(&g->n->node, edge_at(g->n, offset, i));
}

Tensor **gradient_place(struct Gradients *g, size_t offset, int64_t i) { return &g->dx[edge_at(g->n, offset, i)]; }

/* The gradient of what an in-place op without a derivative wrote over. */
static Tensor *overwritten(Call *call, Tensor *dy) { return op(zeros_like, dy, DTYPE_NONE, DEVICE_NONE, false); }

static void op_apply(Call *parent, Node *node, Tensor *const *dy, Tensor **dx)
{
  OpNode *n = (OpNode *)node;
  Context *ctx = parent->ctx;
  if (node->forgotten)
    raise_plain(ctx, "backward of %s: what it saved has been freed by an earlier backward; give that one "
                "retain_graph = true to go through the graph twice", n->op->name);
  Call call = {.ctx = ctx, .op = n->op, .parent = NULL};
  check_versions(&call, n);
  char args[512];
  memcpy(args, n->args, n->op->args_size);
  Tensor *y[MAX_RESULTS];
  revive_results(&call, n, y);
  if (ctx->grad_enabled) revive_arguments(&call, n, args);
  struct Gradients g = {n, dx};
  if (n->op->backward) n->op->backward(&call, args, y, dy, &g);
  else if (edge_wanted(node, 0)) dx[0] = overwritten(&call, dy[0]); /* x:eq_(1) */
}

static const NodeClass op_class = {op_apply, op_forget, op_destroy, op_name};

/* ---------------------------------------------------------------- recording */

static void check_savable(Call *call, const Tensor *t)
{
  if (t->is_inference)
    raise(call, "a tensor made in inference mode can't be saved for a backward; clone it outside");
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
  int64_t count;
  int at = 0;
  Tensor *ghost = NULL;
  clear_tensors(n);
  for (int i = 0; i < n->op->nargs; i++) {
    if (!(op_plan(n->op)->tensor_args >> i & 1)) continue;
    Tensor *const *from = tensors_at(&n->op->args[i], (void *)args, &count);
    Tensor **to = tensors_at(&n->op->args[i], n->args, &count);
    bool saved = n->needs >> i & 1;
    for (int64_t k = 0; k < count; k++, at++) {
      if (!from[k]) continue;
      if (saved) check_savable(call, from[k]);
      to[k] = saved || from[k]->is_wrapped_number ? tensor_retain(from[k]) : ghost_of(call, from[k], &ghost);
      n->versions[at] = tensor_version(to[k]);
      n->saved_anything |= saved;
    }
  }
}

/* Edges from the arguments, and what the gradients that they want need saved. */
static void connect(Call *call, OpNode *n, const void *args)
{
  const OpPlan *plan = op_plan(n->op);
  int64_t count;
  int at = 0;
  for (int i = 0; i < n->op->nargs; i++) {
    if (!(plan->tensor_args >> i & 1)) continue;
    Tensor **t = tensors_at(&n->op->args[i], (void *)args, &count);
    for (int64_t k = 0; k < count; k++, at++) {
      if (!t[k] || !tensor_requires_grad(t[k]) || !dtype_is_inexact(tensor_dtype(t[k]))) continue;
      n->node.edges[at] = edge_of(call, t[k]);
      n->needs |= plan->needs[i];
    }
  }
}

Node *op_node_new(Call *call, const Op *op, const void *args, Tensor *const *y, int ny)
{
  Context *ctx = call->ctx;
  int64_t edges = count_tensors(op, args);
  size_t header = (sizeof(OpNode) + 15) & ~(size_t)15, own = (op->args_size + 15u) & ~(size_t)15;
  size_t versions = ((size_t)edges * sizeof(uint32_t) + 15) & ~(size_t)15;
  OpNode *n = (OpNode *)node_new(ctx, &op_class, header + own + versions + pointed_bytes(op, args), (int)edges, ny);
  n->op = op;
  scope_own_node(ctx, &n->node); /* frees it if something is raised below */
  connect(call, n, args);
  n->versions = (uint32_t *)((char *)n + header + own);
  void *copy = (char *)n + header;
  memcpy(copy, args, op->args_size);
  copy_pointed(op, copy, (char *)n + header + own + versions);
  n->args = copy;
  keep_tensors(call, n, args);
  if (ny > 1) node_set_ghosts(call, &n->node, y);
  return node_retain(&n->node);
}

void op_node_save_results(Call *call, Node *node, Tensor *const *y, int ny)
{
  OpNode *n = (OpNode *)node;
  for (int i = 0; i < ny && i < MAX_RESULTS; i++) {
    if (!(n->needs >> (16 + i) & 1)) continue;
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
