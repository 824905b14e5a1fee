/* Nodes of the graph: what made a tensor, and how gradients go back through it. */
#ifndef NNLUA_AUTOGRAD_NODE_H
#define NNLUA_AUTOGRAD_NODE_H

#include "core/upward.h"
#include "ops/table/op.h"

typedef struct Node Node;

/* Where a gradient goes on: a result of the node that made an input; no node if it needs none. */
typedef struct Edge {
  Node *node;
  int32_t output;
} Edge;

enum { HOOKED_RESULT = 1, HOOKED_BEFORE = 2, HOOKED_AFTER = 4, HOOKED_ACCUMULATED = 8, HOOKED_ALL = 15 };

typedef struct NodeClass {
  /* Computes the inputs' gradients dx[nedges] (NULL: none) from dy[noutputs], of which at least one is there. */
  void (*apply)(Call *call, Node *node, Tensor *const *dy, Tensor **dx);
  /* Drops what was saved; the node can't be applied again if anything was. NULL: it saves nothing. */
  void (*forget)(Node *node);
  /* Frees what the class itself allocated; the edges are released by node_release. */
  void (*destroy)(Node *node);
  const char *(*name)(const Node *node);
} NodeClass;

struct Node {
  uint32_t refs;
  int32_t nedges, noutputs;
  bool forgotten;    /* what it saved has been dropped */
  uint8_t hooks;     /* which kinds of hooks the host has for it */
  uint64_t sequence; /* the engine runs the highest first */
  const NodeClass *class;
  Context *ctx;
  Edge *edges;
  size_t bytes;      /* of the block that the node starts */
  int64_t carrier;   /* the host's number for its Lua values; 0: none */
  struct Task *task; /* the backward that counts on it at the moment … */
  int32_t record;    /* … and its record there */
  Node *next_dying;
  Tensor **retained; /* tensors (uncounted) that want their gradient kept, by output; NULL: none */
  char *trace;       /* anomaly mode: where the forward ran; malloc'ed */
};

/*
 * A node of `bytes` bytes (at least sizeof(Node)), with one reference, zeroed behind the header. Raises without
 * memory.
 */
Node *node_new(Context *ctx, const NodeClass *class, size_t bytes, int nedges, int noutputs);

/* Another reference; node_release (core/upward.h) gives it back. */
static inline Node *node_retain(Node *n)
{
  if (n) n->refs++;
  return n;
}

/* Drops the saved values, as a backward without retain_graph does. */
void node_forget(Node *n);

const char *node_name(const Node *n);

/*
 * Where a tensor's gradient goes: its grad_fn (made anew for a view whose base was changed in place), or a leaf's
 * accumulator; nowhere from a view made under no_grad. The edge holds a reference.
 */
Edge edge_of(Call *call, Tensor *t);

/* The node that made t, brought up to date; NULL for leaves. Not a new reference. */
Node *tensor_grad_fn(Call *call, Tensor *t);

/* Whether t is a leaf's accumulator. */
bool node_is_accumulator(const Node *n);
Tensor *accumulator_leaf(const Node *n); /* NULL: it is no leaf any more */

/*
 * A tensor that is no view gets a history: it is no leaf any more, if it was one (a leaf whose gradient is not wanted
 * any more may be changed in place), and its accumulator lets it go, or a history with it in it would hold the tensor.
 */
void accumulator_let_go(Tensor *t);

/*
 * Gradients of t will have to fit what t is now, which is about to change unseen by the graph: they are brought to its
 * dtype, and refused if they have another shape or are elsewhere. Nothing for a leaf.
 */
void tensor_guard_form(Call *call, Tensor *t);

/* Adds g to t->grad. */
void tensor_add_grad(Call *call, Tensor *t, Tensor *g);

/* Makes t the output of a node, releasing what it was before. Takes a reference. */
void tensor_set_grad_fn(Tensor *t, Node *n, int output);

/*
 * A node of an op that was run with these arguments and has ny results, with edges taken from the arguments as they are
 * now. The reference is the caller's.
 */
Node *op_node_new(Call *call, const Op *op, const void *args, int ny);

/* Fills in what the op saves of its results, once they exist. */
void op_node_save_results(Call *call, Node *n, Tensor *const *y, int ny);

/*
 * The gradients dx of an op's tensors, in the order of its arguments, from those of its results: what the backward of
 * its node does, for plans. y and dy may have NULLs; dx, of NULLs, is filled in where `wanted` says so.
 */
void op_gradients(Call *call, const Op *op, const void *args, Tensor *const *y, Tensor *const *dy, const bool *wanted,
                  Tensor **dx);

/*
 * A node in place of one that a backward has gone through and that can't be gone through again: it says so. NULL if
 * that one can. The reference is the caller's.
 */
Node *op_node_spent(Context *ctx, const Node *n);

/* Notes that a saved result has been written to by the op itself. */
void op_node_results_written(Node *n);

/*
 * Hooks on what is saved (packing.c). An op's node has places for its arguments and then its results: what is saved
 * plainly in one, NULL if nothing is; that the host has it now in another form.
 */
int op_node_places(const Node *n);
Tensor *op_node_saved(Call *call, Node *n, int place);
void op_node_set_packed(Call *call, Node *n, int place);

/* Kernels rely on integers that they have checked or made: a hook must give them back as they were. 0 of others. */
int64_t fingerprint_of_saved(Call *call, Tensor *t);

/* Has what a node saves packed when the running entry is left. */
void pack_later(Call *call, Node *n);

/*
 * The node of a view's geometry over its base, whose own history is of_base, or what it is now if that is NULL.
 * The reference is the caller's.
 */
Node *view_node_new(Call *call, Tensor *view, Node *of_base);

/* Makes t's gradient stay in t->grad: through later changes in place too. Nothing for a leaf. */
void tensor_retain_grad(Call *call, Tensor *t);

/* A node whose backward the host runs: custom functions, module borders. inputs and outputs may have NULLs. */
Node *host_node_new(Call *call, Tensor *const *inputs, int ninputs, Tensor *const *outputs, int noutputs,
                    int64_t carrier, const char *name);

/* Shape and dtype of a host node's input, NULL where its gradient isn't wanted. */
const Tensor *host_node_input(const Node *n, int i);

/* The same of its output, for zeros in place of a gradient that doesn't arrive; NULL where there is no tensor. */
const Tensor *host_node_output(const Node *n, int i);

#endif
