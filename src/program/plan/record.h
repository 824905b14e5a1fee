/* What the files that record a plan share. */
#ifndef NNLUA_PROGRAM_PLAN_RECORD_H
#define NNLUA_PROGRAM_PLAN_RECORD_H

#include "autograd/node.h"
#include "program/plan/plan.h"
#include "program/pointer_map.h"
#include "program/tensor_map.h"

struct PlanRecord {
  Recorder recorder;
  Context *ctx;
  Plan *plan;
  TensorMap values;
  PointerMap storages; /* those of values */
  struct Held {
    int32_t *roots, n, room;   /* results whose elements are there, as far as they take memory */
    size_t bytes, fresh_bytes; /* what they have; what has come since the last look at them */
  } held;
  TensorMap gradients; /* leaves whose gradients are what the recording made of them, or none since it dropped them */
  void *state;         /* the host's, when it began */
  Tensor *newest;      /* the youngest tensor then; a reference */
  uint64_t sequence;   /* of the youngest node then */
  PlanLine line;
  bool open;
  bool busy;         /* the plan is being added to: it can't be given back */
  bool grad_enabled; /* when it began */
  bool asks;         /* leaves have begun or ceased to require gradients, or these were enabled */
  int32_t most_steps;
  char reason[REASON_TEXT];
};

/* Around what works with the plan: without memory for that nothing more is recorded, and what was is given back. */
Context *record_busy(PlanRecord *r);
void record_done(PlanRecord *r, const Entry *entry);
void record_drop(PlanRecord *r);

/* A function of the recorder, which hands on to one that may run out of memory. */
#define RECORDS(name, record, parameters, ...)                 \
  static void name(Recorder *recorder, Call *call, parameters) \
  {                                                            \
    PlanRecord *r = (PlanRecord *)recorder;                    \
    Entry entry;                                               \
    if (r->reason[0]) return;                                  \
    if (ENTER(record_busy(r), &entry)) {                       \
      record(call, r, __VA_ARGS__);                            \
      record_done(r, &entry);                                  \
    } else {                                                   \
      record_drop(r);                                          \
    }                                                          \
  }
#define AND ,

/* The value whose memory a storage is; -1 if there is none. */
int32_t value_of_storage(const PlanRecord *r, const Storage *s);

/* A new value for a tensor. */
int32_t record_value(Call *call, PlanRecord *r, Tensor *t, PlanKind kind, int32_t step);

/* The value of a tensor: of one that the recording has not seen yet a new one. */
int32_t record_value_of(Call *call, PlanRecord *r, Tensor *t);

/* A new step, named by the call's op. */
PlanStep *record_step(PlanRecord *r, const Call *call);

/* Copies arguments into a step, with the tensors among them as operands, and `room` for more of those. has_elements,
   unless it is NULL, tells for each tensor whether its elements are wanted at all. */
void record_arguments(Call *call, PlanRecord *r, PlanStep *s, const void *args, const bool *has_elements, int32_t room);

/* One more operand: what is in a place, if anything is. */
void record_operand(Call *call, PlanRecord *r, PlanStep *s, Tensor **place);

/* A new step that does something to a list of tensors, which are its operands. */
PlanStep *record_deed(Call *call, PlanRecord *r, const PlanSpecial *special, Tensor **tensors, int64_t n);

/* Values for a step's results. */
void record_results(Call *call, PlanRecord *r, PlanStep *s, Tensors results, int32_t step);

/* ---- held.c ---- */

/* A new value, which may be one whose elements are given back when nothing else has them. */
void record_hold(PlanRecord *r, int32_t v);

/* Gives back the elements of results that nothing but the recording has any more, if it is time to look for them. */
void record_let_go(Call *call, PlanRecord *r);

/* ---- training.c ---- */

/* Has a recorder record what belongs to training. */
void record_training(Recorder *r);

/* What stands in for the history of an output in a plan that trains, or NULL; refuses to return what can still be
   gone back through. */
Node *record_history(Call *call, PlanRecord *r, const Tensor *output);

#endif
