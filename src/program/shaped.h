/* Rows whose results' shapes depend on elements. */
#ifndef NNLUA_PROGRAM_SHAPED_H
#define NNLUA_PROGRAM_SHAPED_H

#include "ops/table/op.h"

/* Whether the shape of what a call gives depends on elements of tensors that `differ` says may differ from run to run.
   Other rows that are marked DEPENDS_ON_DATA do the same in a program as outside of one. */
bool shaped_by_elements(const Op *op, const void *args, bool (*differ)(const void *data, const Tensor *t),
                        const void *data);

#endif
