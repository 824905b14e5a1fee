/* Attention over batches of queries, keys and values. */
#ifndef NNLUA_LAUNCH_ATTENTION_H
#define NNLUA_LAUNCH_ATTENTION_H

#include "core/tensor.h"

/* What goes into attention: q [..., l, e], k [..., s, e] and v [..., s, ev], whose batches broadcast to the result's.
   mask [..., l, s] is added to scores (NULL: none); kept [..., l, s] of uint8 is 1 for weights that dropout keeps,
   which kept_scale multiplies (NULL: all are kept). Causal: query i sees the keys up to i. */
typedef struct AttentionOperands {
  Tensor *q, *k, *v, *mask, *kept;
  bool causal;
  double scale, kept_scale;
} AttentionOperands;

/* y [..., l, ev] = dropped(softmax(scale q k^T + mask)) v, where s > 0; sums [..., l, 2], in the dtype that is computed
   in, are what the gradient needs of the softmax: the largest score and one over the sum of e^(score - largest). */
void launch_attention(Call *call, const AttentionOperands *a, Tensor *y, Tensor *sums);

/* The gradients of q, k and v from that of y, each over all batches and in the dtype that is computed in. */
void launch_attention_backward(Call *call, const AttentionOperands *a, Tensor *y, Tensor *sums, Tensor *dy, Tensor *dq,
                               Tensor *dk, Tensor *dv);

#endif
