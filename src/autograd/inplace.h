/* In-place changes of tensors that gradients flow through, and the views that tie tensors together. */
#ifndef NNLUA_AUTOGRAD_INPLACE_H
#define NNLUA_AUTOGRAD_INPLACE_H

#include "autograd/node.h"

/* Raises if writing to `into` must be refused; recorded tells whether the write will be part of the graph. */
void inplace_check(Call *call, const Tensor *into, bool recorded);

/* Makes `into` the output of the node of an op that has been written to it. */
void inplace_record(Call *call, Tensor *into, Node *n);

/* Ties a view that an op returned to its base. */
void view_tie(Tensor *view, Tensor *of, ViewKind kind);

#endif
