/* In-place changes of tensors that gradients flow through, and the views that tie tensors together. */
#ifndef NNLUA_AUTOGRAD_INPLACE_H
#define NNLUA_AUTOGRAD_INPLACE_H

#include "autograd/node.h"

/* Raises if writing to `into` must be refused; recorded tells whether the write will be part of the graph. */
void inplace_check(Call *call, const Tensor *into, bool recorded);

/* The same for a change of its shape and strides only. */
void inplace_check_view(Call *call, const Tensor *into, bool recorded);

/* What a change in place will put into the graph. All of it is made before the change: afterwards nothing may fail. */
typedef struct InplacePlan {
  Node *node;        /* the op's */
  Node *base, *view; /* of a change through a view: the base's new history, and the view's */
} InplacePlan;

InplacePlan inplace_plan(Call *call, Tensor *into, Node *n);

/* Makes `into` the output of the planned nodes, once it has been written to. */
void inplace_commit(Tensor *into, const InplacePlan *plan);

/*
 * Gives t the memory, shape and dtype of another tensor (x.data = y): unseen by the graph, and what graphs have saved
 * of t is still what it was. A view is none any more.
 */
void tensor_replace_data(Call *call, Tensor *t, const Tensor *other);

/* Both at once, for a tensor that has been written to. */
void inplace_record(Call *call, Tensor *into, Node *n);

/* Ties a view that an op returned to its base. */
void view_tie(Tensor *view, Tensor *of, ViewKind kind);

#endif
