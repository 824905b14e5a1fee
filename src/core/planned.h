/* What a plan (program/plan) has prepared for the call of an op: Call.planned. */
#ifndef NNLUA_CORE_PLANNED_H
#define NNLUA_CORE_PLANNED_H

#include "core/chunk.h"

enum { PLANNED_RESULTS = 6 };

/* An operand in the form that a kernel takes, kept from call to call as long as its elements stay what they are. */
typedef struct Packed {
  Tensor *memory; /* bytes; a reference, or NULL */
  int form;       /* which form, a PackedForm of launch/packed.h */
  bool is_filled;
  Chunks *chunks; /* where the memory is */
} Packed;

/* A chain of pointwise rows (launch/math/chain.h) that works on a call's result in its place: whoever makes the result
   runs it on parts that the cache still has, if it can. */
typedef struct PlannedChain {
  struct Chain *chain;
  Tensor **operands; /* of the chain */
  int result;        /* which of them the result is */
  bool is_done;      /* the call has run it */
} PlannedChain;

/*
 * Results that the plan has made room for, in the order in which an op asks for them; NULL where it is given a new one.
 * While a plan is recorded all are new, and noted here.
 */
typedef struct Planned {
  bool noting;
  int n, asked; /* places; how many results were asked for */
  Tensor *results[PLANNED_RESULTS];
  Packed *packed;     /* of a product or convolution whose weight stays as it is; NULL: of no operand */
  PlannedChain *then; /* what follows on the only result; NULL: nothing */
} Planned;

#endif
