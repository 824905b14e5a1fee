/* nl.autocast: ops that gain from half precision get it, those that lose from it get float32. */
#ifndef NNLUA_AUTOGRAD_AUTOCAST_H
#define NNLUA_AUTOGRAD_AUTOCAST_H

#include "ops/table/op.h"

typedef enum AutocastPolicy {
  AUTOCAST_NOTHING,
  AUTOCAST_HALF,    /* operands of float32 and float16 in the dtype of the mode */
  AUTOCAST_FLOAT32, /* halves as float32 */
  AUTOCAST_WIDEST,  /* operands of several dtypes in the widest */
  AUTOCAST_SUSPENDS /* operands as they are, and so those of the ops inside */
} AutocastPolicy;

/* What autocast does with an op. */
AutocastPolicy autocast_policy(const Op *op);

/* The arguments with tensors of the dtypes that a policy wants, in a room; mode: the context's. */
const void *autocast_arguments(Call *call, const Op *op, const void *args, AutocastPolicy policy, DType mode,
                               ArgsRoom *room);

#endif
