/* Attention over batches of queries, keys and values. */
#ifndef NNLUA_LAUNCH_ATTENTION_H
#define NNLUA_LAUNCH_ATTENTION_H

#include "core/tensor.h"

/*
 * y [..., l, ev] = dropped(softmax(scale q k^T + mask)) v of q [..., l, e], k [..., s, e] and v [..., s, ev], s > 0;
 * batches broadcast to y's. mask [..., l, s] is added (NULL: none), factors [..., l, s] multiply the weights (NULL: 1).
 * Causal: query i sees the keys up to i.
 */
void launch_attention(Call *call, Tensor *q, Tensor *k, Tensor *v, Tensor *mask, Tensor *factors, bool causal,
                      double scale, Tensor *y);

/* The gradients of q, k and v from that of y, each over all batches and in the dtype that is computed in. */
void launch_attention_backward(Call *call, Tensor *q, Tensor *k, Tensor *v, Tensor *mask, Tensor *factors, bool causal,
                               double scale, Tensor *dy, Tensor *dq, Tensor *dk, Tensor *dv);

#endif
