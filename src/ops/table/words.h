/* Words that backwards and composed ops are written in: calls of ops with their usual arguments. Like op(…) they use
   the variable `call`. They are functions, so that who uses them depends on none of the families behind them. */
#ifndef NNLUA_OPS_TABLE_WORDS_H
#define NNLUA_OPS_TABLE_WORDS_H

#include "core/tensor.h"

#define plus(a, b) word_plus(call, a, b)                              /* a + b */
#define minus(a, b) word_minus(call, a, b)                            /* a - b */
#define cast(t, dtype) word_cast(call, t, dtype)                      /* t itself if it has the dtype */
#define widened(t) word_cast(call, t, dtype_compute(tensor_dtype(t))) /* a half as float32 */
#define summed_to(t, x) \
  word_summed_to(call, t, x) /* t summed to the shape of x, from which it was broadcast, in x's dtype */
#define scaled(t, factor) word_scaled(call, t, factor) /* t times a number of C's */
#define conjugate(t) word_conjugate(call, t)           /* t itself if it is real */
#define adjoint(t) word_adjoint(call, t)               /* matrices transposed and conjugated */
#define sum_of(t) word_sum(call, t)                    /* of all elements */
#define zeros_like_of(t) word_like(call, t, 0)         /* of t's shape, dtype and device */
#define ones_like_of(t) word_like(call, t, 1)
#define ordered_as(t, x) word_ordered_as(call, t, x) /* in x's order in memory, copied if that is another one */

Tensor *word_plus(Call *call, Tensor *a, Tensor *b);
Tensor *word_minus(Call *call, Tensor *a, Tensor *b);
Tensor *word_cast(Call *call, Tensor *t, DType dtype);
Tensor *word_summed_to(Call *call, Tensor *t, const Tensor *x);
Tensor *word_scaled(Call *call, Tensor *t, double factor);
Tensor *word_conjugate(Call *call, Tensor *t);
Tensor *word_adjoint(Call *call, Tensor *t);
Tensor *word_sum(Call *call, Tensor *t);
Tensor *word_like(Call *call, Tensor *t, int value);
Tensor *word_ordered_as(Call *call, Tensor *t, const Tensor *x);

#endif
