/* Weights in the form that products and convolutions take, which plans keep from call to call (core/planned.h). */
#ifndef NNLUA_LAUNCH_PACKED_H
#define NNLUA_LAUNCH_PACKED_H

#include "core/planned.h"

typedef enum PackedForm {
  PACKED_NONE,
  PACKED_PRODUCT,
  PACKED_CONVOLUTION,
  PACKED_CONVOLUTION_ROWS,
  PACKED_WINOGRAD,
  PACKED_BYTES,
  PACKED_RECURRENT
} PackedForm;

/* Whether the call's plan keeps its weight packed. */
static inline bool keeps_packed(const Call *call) { return call->planned && call->planned->packed; }

/* Memory for the packed weight; *is_filled says that it is there already. The caller fills it otherwise, and says so
   with packed_filled. */
char *packed_memory(Call *call, PackedForm form, int64_t bytes, bool *is_filled);
void packed_filled(Call *call);

#endif
