/* Ops of batches: how a rule is given an op, and what it is made of. See transform.h. */
#ifndef NNLUA_AUTOGRAD_BATCH_H
#define NNLUA_AUTOGRAD_BATCH_H

#include "autograd/transform.h"

/* An op that is called with stand-ins of a batch. */
typedef struct Batch {
  Call *call;
  const Op *op;
  const void *args; /* as they were given */
  Transform *transform;
  ArgsRoom room; /* the same with what is behind the stand-ins; lists may be written over */
} Batch;

/* Computes an op's results for the whole batch: gives them by batch_give. */
typedef void (*BatchRule)(Batch *b, Tensor **y);

/* The rule of an op; NULL: rows go one after the other. (batch_rules.c) */
BatchRule batch_rule(const Op *op);

/* The operands of a pointwise op, or of one that broadcasts like it, aligned and run. */
void batch_pointwise(Batch *b, Tensor **y);

/* The i-th argument in the room. */
static inline void *batch_argument(Batch *b, int i) { return b->room.bytes + b->op->args[i].offset; }

/* The first tensor as it was given, and what it is in the room. */
static inline Tensor *batch_first(const Batch *b) { return *(Tensor *const *)b->args; }
static inline Tensor **batch_first_behind(Batch *b) { return (Tensor **)(void *)b->room.bytes; }

/* How many dimensions the first tensor shows. */
int batch_ndim(const Batch *b);

/* Whether a tensor of the op's arguments is a stand-in of the batch: the k-th of those that hold tensors. */
bool batch_has(const Batch *b, int k);

/* Gives all tensors among the arguments the batch's dimension: those that are the same for all rows are expanded. */
void batch_align(Batch *b);

/* Runs another op, or the same one, on the arguments in the room and gives its results; in place where the op is. */
void batch_run(Batch *b, const Op *op, Tensor **y);

/* A tensor whose first dimension is the batch's, with dimensions of size 1 behind that, so that ndim are shown. */
Tensor *batch_widened(Call *call, Tensor *value, int64_t ndim);

/* Gives a tensor whose first dimension is the batch's as the k-th result. */
void batch_give(Batch *b, Tensor **y, int k, Tensor *value);

/* The op's rows one after the other; what they give is stacked. */
void batch_row_by_row(Batch *b, Tensor **y);

#endif
