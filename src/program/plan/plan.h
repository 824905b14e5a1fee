/*
 * A plan: what a network did with inputs of certain forms, as a list of primitive ops with concrete arguments that is
 * run again without deciding anything anew. It is recorded from a run (record.c), made smaller and faster by passes
 * (program/passes), given its memory (layout.c) and run (run.c). It holds for inputs of the same dtypes, shapes and
 * strides, without gradients.
 */
#ifndef NNLUA_PROGRAM_PLAN_PLAN_H
#define NNLUA_PROGRAM_PLAN_PLAN_H

#include "core/planned.h"
#include "core/recorder.h"
#include "ops/table/op.h"
#include "program/block.h"

typedef enum PlanKind {
  PLAN_INPUT,    /* given at each run */
  PLAN_CAPTURED, /* a tensor that was there before: a parameter, a buffer; its elements may change between runs */
  PLAN_CONSTANT, /* elements that no run changes */
  PLAN_RESULT
} PlanKind;

/* Where a result is. */
typedef enum PlanHome {
  HOME_NEW,   /* a tensor of its own, made at each run: it leaves the plan, or its op makes it itself */
  HOME_ARENA, /* a place in the plan's memory */
  HOME_KEPT   /* made again only when what it is made of has changed */
} PlanHome;

/* What a tensor from outside has to do with gradients. */
typedef enum GradientHistory { NO_GRADIENT, IS_LEAF, IS_HOOKED_LEAF, HAS_GRAPH } GradientHistory;

typedef struct PlanValue {
  uint8_t kind, home;
  bool is_constant; /* its elements are the same at every run */
  bool is_stamped;  /* of a captured one: a kept step reads it */
  bool is_header;   /* a view that is nothing but a header: no step makes it */
  bool is_tied;     /* of a header: gradients see it as a view, not one of another dtype, say */
  bool is_data;     /* of a header: it is x.data within, or a view of that */
  bool is_written;  /* an op in place changes its memory */
  bool leaves;      /* its memory is an output's, or a gradient's */
  uint8_t noted;    /* its op asked for it by result_new or its kin, so it can be given one: at which place, from 1 */
  int32_t root;     /* the value whose memory it lies in; itself if it is no view */
  int32_t next;     /* while it is recorded: the value of the same memory that came before; of a root the last; -1 */
  int32_t step;     /* that makes it; -1 */
  uint8_t history;  /* of inputs and captured ones: a GradientHistory */
  int32_t cell;     /* of HOME_NEW's: where a run keeps it */
  int32_t readers;  /* how many operands and outputs it is */
  int64_t shift;    /* a view: bytes from the root's first element to its own */
  Tensor *now;      /* what it is at this moment; a reference but of inputs and HOME_NEW's, which runs borrow */
  Tensor *seen;     /* what it was in the recording; kept until the plan has its memory */
  Tensor *form;     /* of inputs and captured ones: their dtype, shape and strides, without elements */
} PlanValue;

typedef struct PlanOperand {
  Tensor **place; /* in the arguments */
  int32_t value;
} PlanOperand;

struct PlanStep;
/* A captured tensor's elements at a time. */
typedef struct PlanStamp {
  const Storage *storage;
  uint32_t writes;
} PlanStamp;

struct Plan;
/* What a pass puts in place of ops: a way of its own to run; free may be NULL. */
typedef struct PlanSpecial {
  const char *name; /* in profiles */
  bool is_of_op;    /* where the step's op is named, too */
  void (*run)(Call *call, struct Plan *plan, struct PlanStep *step);
  void (*free)(struct Plan *plan, struct PlanStep *step);
  bool makes_results;  /* and hands them to plan_take_results; else it finds them made, for it to fill */
  bool changes_memory; /* of gradients or parameters: nothing is moved across it */
  bool writes;         /* its operands' elements */
  bool hands_out;      /* its last operand and its results: they are seen outside afterwards */
} PlanSpecial;

/* A step of an optimizer: whose options are to be those of the time when a plan runs. */
typedef struct PlanWork {
  struct OptimizerWork *work;
  struct PlanWork *next; /* in the plan */
} PlanWork;

typedef struct PlanStep {
  const Op *op, *shown; /* the row; what errors call it: the outermost op that was called */
  void *args;
  PlanOperand *operands;
  int32_t noperands;
  int32_t *results;
  int32_t nresults;
  const char *node;            /* of the program that was recorded; errors name it; NULL: none */
  bool in_place;               /* its one result is its first operand */
  bool is_plain;               /* runs through the door: what it makes, or changes, is seen outside */
  bool is_kept;                /* runs only when captured tensors have changed */
  bool is_view;                /* nothing but headers */
  bool is_gone;                /* a pass has removed it */
  bool is_last;                /* nothing reads its last operand afterwards */
  int32_t first_dying, ndying; /* values that nothing reads after it: in Plan.dying */
  int32_t first_bound, nbound; /* headers that lie in what it makes anew: in Plan.bound */
  Packed *packed;              /* of a product or convolution whose weight, a value, is kept packed */
  int32_t weight;
  PlanStamp weight_stamp;
  PlannedChain *then; /* of pointwise rows that work on its result; their operands are among the step's */
  const PlanSpecial *special;
  void *data; /* the special's */
} PlanStep;

typedef struct Plan {
  Context *ctx;
  Block *blocks;
  PlanValue *values;
  int32_t nvalues, values_room;
  PlanStep *steps;
  int32_t nsteps, steps_room;
  int32_t *inputs;
  int32_t ninputs;
  int32_t *outputs;
  int32_t noutputs;
  int32_t *captured; /* values of PLAN_CAPTURED that have a storage of their own */
  PlanStamp *stamps; /* for each that a kept step reads */
  int32_t ncaptured;
  int32_t *dying;          /* of each step */
  int32_t ncells;          /* how many values a run makes anew and keeps for itself */
  PlanWork *work;          /* steps of optimizers */
  struct Node **histories; /* of outputs, in a plan that trains; NULL for those without one */
  int32_t *bound;          /* headers over what a run is given or makes; first those over inputs and captured ones */
  int32_t nbound, nbound_first;
  bool trains;       /* there are backwards: it runs where gradients are wanted, and only there */
  bool is_apart;     /* the function itself turns gradients off around all steps: it runs where they are wanted, too */
  bool changes;      /* steps change inputs or captured tensors in place */
  bool keeps;        /* there are steps that are kept */
  bool is_kept;      /* and they have run */
  size_t cells;      /* of a run: where its cells begin in what the context owns */
  bool grad_outside; /* of a run: whether its caller records gradients */
  Tensor *arena;
  size_t arena_bytes;
  Chunks chunks; /* what is kept */
} Plan;

/* ---- record.c ---- */

typedef struct PlanRecord PlanRecord;

enum { REASON_TEXT = 160 };

/* Where in the user's code it is, for reasons; into text, of which it takes `size` bytes at most. May be NULL. */
typedef void (*PlanLine)(Context *ctx, char *text, size_t size);

/* Begins to record what ops do with the inputs; of forms only (core/recorder.h) where these are on the meta device. */
PlanRecord *plan_record_open(Call *call, Tensor *const *inputs, int32_t n, bool forms_only, PlanLine line);

/* A tensor whose elements never change, though it was there before. */
void plan_record_constant(Call *call, PlanRecord *r, Tensor *t);

/* Of more steps there is to be no plan: making one takes longer than some runs. A recording of forms raises then. */
void plan_record_bound(PlanRecord *r, int32_t steps);

/* Says why what is recorded can't become a plan. Only the first reason counts. */
void plan_record_refuse(PlanRecord *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Ends the recording; the record must still be freed. */
void plan_record_close(PlanRecord *r);

/* The reason why there is no plan, or NULL. */
const char *plan_record_reason(const PlanRecord *r);

/* The steps of optimizers that were recorded, one after the other. */
PlanWork *plan_record_work(const PlanRecord *r);

/* Whether a tensor was there before the recording. */
bool plan_record_is_older(const PlanRecord *r, const Tensor *t);

/* The plan with these outputs, or NULL with a reason. The record is empty then. */
Plan *plan_record_finish(Call *call, PlanRecord *r, Tensor *const *outputs, int32_t n);

void plan_record_free(PlanRecord *r);

/* ---- build.c: what passes do with steps and values ---- */

/* Room in the plan's blocks. */
void *plan_allocate(Plan *plan, size_t bytes);

int32_t plan_value_new(Plan *plan, PlanValue value);
PlanStep *plan_step_new(Plan *plan);

/* Counts readers, marks what leaves and what is written, anew. */
void plan_survey(Plan *plan);

/* From now on a step runs only when captured tensors that it reads have changed. */
void plan_keep(Plan *plan, PlanStep *s);

/* Takes steps out that are gone. */
void plan_compact(Plan *plan);

static inline bool value_is_view(const Plan *plan, int32_t v) { return plan->values[v].root != v; }

/* ---- prepare.c ---- */

/* Makes a recorded plan smaller and faster by all passes but those whose names stand in `without`, parted by spaces,
   and gives it its memory. */
void plan_prepare(Call *call, Plan *plan, const char *without);

/* Whether there is a pass of that name. */
bool plan_has_pass(const char *name);

/* ---- layout.c ---- */

/* Gives results their places; the recorded tensors are released. */
void plan_lay_out(Call *call, Plan *plan);

/* Puts a header over its root's memory. */
void plan_bind(Plan *plan, int32_t v);

/* ---- run.c ---- */

GradientHistory plan_history_of(const Tensor *t);

/* Whether inputs are of the forms that the plan was made for, and captured tensors still are what they were. */
bool plan_fits(const Plan *plan, Tensor *const *inputs);

/* How many steps each run takes, those that are kept aside. */
int32_t plan_count_steps(const Plan *plan);

/* Whether a captured tensor requires a gradient. */
bool plan_wants_gradient(const Plan *plan, Tensor *const *inputs);

/* Places for what a step's op asks for. */
Planned plan_places(const Plan *plan, const PlanStep *s);

/* Takes what a step has made, in a scope since a mark, which is left. */
void plan_take_results(Call *call, Plan *plan, const PlanStep *s, Tensor *const *y, size_t mark);

/* Runs it; outputs belong to the running scope. */
void plan_run(Call *call, Plan *plan, Tensor *const *inputs, Tensor **outputs);

void plan_free(Plan *plan);

#endif
