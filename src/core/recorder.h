/* What is told of each op that runs, to make a program or a plan of it: Context.recorder. */
#ifndef NNLUA_CORE_RECORDER_H
#define NNLUA_CORE_RECORDER_H

#include "core/tensor.h"

typedef struct Recorder Recorder;
struct Recorder {
  /* Whether whole calls are recorded, as a user makes them: nothing is told of the ops that run inside one. Else what
     runs inside of composed ops is recorded. */
  bool outermost;
  /* Of whole calls, before each. May raise. */
  void (*begins)(Recorder *r, Call *call, const void *args);
  /* After each whole call, or else after each op that isn't composed and doesn't run within another such; into is what
     it changed in place, or NULL; call->planned has those results that result_new and its kin made, not of whole calls.
     May raise. */
  void (*ran)(Recorder *r, Call *call, const void *args, Tensor *into, Tensors results);
  /* Unless whole calls are recorded: before a composed op whose way, or whose result's shape, depends on elements of
     its operands. May raise. */
  void (*looks)(Recorder *r, Call *call, const void *args);
  /* Before something happens that no op does: `what` names the function. t is the tensor whose elements are read, or
     NULL if it isn't that. May raise. */
  void (*beside)(Recorder *r, const Tensor *t, const char *what);
};

/* Tells the recorder, if there is one, that a function reads elements of a tensor for what isn't a tensor. The core
   must have been entered; where it isn't, see tell_reading (lua/binding.h). */
static inline void tell_read(const Tensor *t, const char *function)
{
  Recorder *r = t->ctx->recorder;
  if (r) r->beside(r, t, function);
}

/* Tells it that a function does what no op does. */
static inline void tell_deed(const Context *ctx, const char *function)
{
  if (ctx->recorder) ctx->recorder->beside(ctx->recorder, NULL, function);
}

#endif
