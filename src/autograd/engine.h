/* The backward pass. */
#ifndef NNLUA_AUTOGRAD_ENGINE_H
#define NNLUA_AUTOGRAD_ENGINE_H

#include "autograd/node.h"

/*
 * Sends gradients back from roots. seeds[i] may be NULL for a root of one element (then 1 is sent).
 * With inputs == NULL gradients accumulate in the leaves' grad. Otherwise only those of the inputs
 * are worked out: into captured[i] (owned by the caller's scope, NULL where none arrived) or, when
 * captured is NULL, into the inputs' grad.
 */
typedef struct Backward {
  Tensor *const *roots, *const *seeds;
  int nroots;
  Tensor *const *inputs;
  int ninputs;
  Tensor **captured;
  bool retain_graph, create_graph;
} Backward;

void backward_run(Call *call, const Backward *b);

/* The leaves that the graphs of roots reach and that want gradients, but for the inputs; in the arena. */
Tensors graph_other_leaves(Call *call, Tensor *const *roots, int nroots, Tensor *const *inputs, int ninputs);

/* The number of the running backward, 0 if there is none; and whether it will reach a node, or has. */
uint64_t backward_number(const Context *ctx);
bool backward_reaches(const Context *ctx, const Node *n);

/* Whether the running backward lets its graph be used again. */
bool backward_retains_graph(const Context *ctx);

/* Whether the running backward wants the gradient of a node's input. */
bool edge_wanted(const Node *n, int edge);

#endif
