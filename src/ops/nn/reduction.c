/* Losses as one number, or left as they are. */
#include "ops/nn/reduction.h"

#include <string.h>

#include "ops/reduce/sum.h"

Reduction reduction_of(Call *call, const char *text)
{
  if (strcmp(text, "mean") == 0) return MEAN;
  if (strcmp(text, "sum") == 0) return SUM;
  if (strcmp(text, "none") != 0) raise(call, "reduction is \"%s\"; it is \"none\", \"mean\" or \"sum\"", text);
  return NO_REDUCTION;
}

Tensor *reduced(Call *call, Tensor *losses, const char *reduction)
{
  switch (reduction_of(call, reduction)) {
    case MEAN: return op(mean, losses, NO_INTS, false, DTYPE_NONE);
    case SUM: return op(sum, losses, NO_INTS, false, DTYPE_NONE);
    default: return losses;
  }
}
