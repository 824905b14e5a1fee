/* What a plan (program/plan) has prepared for the call of an op: Call.planned. */
#ifndef NNLUA_CORE_PLANNED_H
#define NNLUA_CORE_PLANNED_H

#include "core/tensor.h"

enum { PLANNED_RESULTS = 3 };

/* An operand in the form that a kernel takes, kept from call to call as long as its elements stay what they are. */
typedef struct Packed {
  Tensor *memory; /* bytes; a reference, or NULL */
  int form;       /* which form, a PackedForm of launch/packed.h */
  bool is_filled;
} Packed;

/*
 * Results that the plan has made room for: what a forward asks for of the same dtype, shape and strides is one of them.
 * While a plan is recorded they are new, and noted here.
 */
typedef struct Planned {
  bool noting;
  int n;
  Tensor *results[PLANNED_RESULTS];
  Packed *packed; /* of a product or convolution whose weight stays as it is; NULL: of no operand */
} Planned;

#endif
