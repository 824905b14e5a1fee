/* What is told of each op that runs, to make a program or a plan of it: Context.recorder. */
#ifndef NNLUA_CORE_RECORDER_H
#define NNLUA_CORE_RECORDER_H

#include "core/tensor.h"

/* What the backward of one op has done in a pass that records no graph of its own. */
typedef struct Differentiated {
  const struct Op *op, *shown;              /* the row; what errors call it */
  const void *args;                         /* as the backward saw them; of the tensors among them, in their order: */
  const bool *has_elements;                 /* whether the backward may read their elements … */
  const bool *wanted;                       /* … and whether their gradients are wanted */
  Tensor *const *y, *const *dy, *const *dx; /* results and gradients; NULL where there are none */
  int ny, ndy, ndx;
  uint64_t sequence; /* of the node */
} Differentiated;

/* Looks at a tensor's elements, and raises with a text, or what it makes of that, if they aren't what they must be. */
typedef void ElementCheck(Call *call, Tensor *t, const char *text);

struct OptimizerWork;
typedef struct Recorder Recorder;
struct Recorder {
  /* Whether whole calls are recorded, as a user makes them: nothing is told of the ops that run inside one. Else what
     runs inside of composed ops is recorded. */
  bool outermost;
  Recorder *inside; /* of whole calls: what is told of those ops then; NULL: nothing */
  /* Whether ops are recorded by the forms of what they take and give (core/tensor.h): what has no elements is on the
     meta device, and all else that is taken together with such counts as such. Nothing is changed or drawn. */
  bool forms_only;
  /* A composed op whose next call isn't recorded whole: what it calls is. Only with whole calls; NULL: none. */
  const struct Op *opens;
  /* Of whole calls, before each. May raise. */
  void (*begins)(Recorder *r, Call *call, const void *args);
  /* After each whole call, or else after each op that isn't composed and doesn't run within another such; into is what
     it changed in place, or NULL; call->planned has those results that result_new and its kin made, not of whole calls.
     May raise. */
  void (*ran)(Recorder *r, Call *call, const void *args, Tensor *into, Tensors results);
  /* Unless whole calls are recorded, or if it is one that is opened: before a composed op whose way, or whose result's
     shape, depends on elements of its operands. May raise. */
  void (*looks)(Recorder *r, Call *call, const void *args);
  /* Before something happens that no op does: `what` names the function. t is the tensor whose elements are read, or
     NULL if it isn't that. May raise. */
  void (*beside)(Recorder *r, const Tensor *t, const char *what);
  /* Unless whole calls are recorded: before an op that calls others looks whether elements are what they must be. May
     raise. */
  void (*checked)(Recorder *r, Call *call, Tensor *t, ElementCheck *check, const char *text);
  /* Gives back what the recording holds, since memory has run out; false if there is nothing, or not now. NULL: it
     holds nothing. */
  bool (*give_up)(Recorder *r);
  /*
   * Of training, after each: the backward of an op, whose results call->planned has as above; a gradient that was added
   * to a leaf's; gradients that were dropped, or filled with zeros; a step of an optimizer (ops/optim/step.h); and
   * before a leaf's gradient is looked at. May raise. Either all are NULL or none: then `beside` is told instead.
   * `asked`, which doesn't raise, is told when a leaf begins or ceases to require a gradient, or gradients are
   * enabled; without it nobody is.
   */
  void (*differentiated)(Recorder *r, Call *call, const Differentiated *d);
  void (*accumulated)(Recorder *r, Call *call, Tensor *leaf, Tensor *g);
  void (*cleared)(Recorder *r, Call *call, Tensors leaves, bool drop);
  void (*stepped)(Recorder *r, Call *call, const struct OptimizerWork *work);
  void (*looked)(Recorder *r, const Tensor *leaf);
  void (*asked)(Recorder *r);
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

/* The same of what belongs to training, unless it is told that itself. */
static inline void tell_training(const Context *ctx, const char *function)
{
  if (ctx->recorder && !ctx->recorder->differentiated) tell_deed(ctx, function);
}

/* Tells it that what is recorded says itself what gradients are wanted of. */
static inline void tell_asked(const Context *ctx)
{
  if (ctx->recorder && ctx->recorder->asked) ctx->recorder->asked(ctx->recorder);
}

#endif
