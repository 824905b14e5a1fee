/*
 * A program: a network as data. A list of steps over numbered values, which is printed, saved, loaded and planned. It
 * is made by a builder (builder.h), from a trace (trace.h) or from a file, and is immutable from then on; its
 * parameters and buffers are tensors that others may change.
 *
 * Run plainly (program_run) each row goes through the door as if Lua had called it: that is the meaning of a program,
 * and every other way to run one must give the same.
 */
#ifndef NNLUA_PROGRAM_PROGRAM_H
#define NNLUA_PROGRAM_PROGRAM_H

#include "ops/table/op.h"

/* A value's number: where it is in Program.values. */
typedef int32_t ValueId;
enum { NO_VALUE = -1 };

typedef enum ValueKind {
  VALUE_INPUT,
  VALUE_PARAMETER, /* these three have a tensor */
  VALUE_BUFFER,    /* without a name: a tensor that a traced function found outside of itself */
  VALUE_CONSTANT,  /* whose elements never change */
  VALUE_RESULT
} ValueKind;

/* Sizes of a value that aren't numbers: unknown, or the symbol -2 - size of the program. */
enum { SIZE_UNKNOWN = -1, FIRST_SYMBOL = -2 };
static inline int size_symbol(int64_t size) { return size <= FIRST_SYMBOL ? (int)(FIRST_SYMBOL - size) : -1; }
static inline int64_t symbol_size(int symbol) { return FIRST_SYMBOL - symbol; }

typedef struct Value {
  uint8_t kind;       /* a ValueKind */
  bool is_sequence;   /* a list of tensors */
  bool may_be_absent; /* of an input: it needn't be given */
  bool is_claimed;    /* of an output: what is known of it is what a file says */
  DType dtype;        /* DTYPE_NONE: not known. Of an input it is what must be given, of a result what is told */
  int8_t ndim;        /* -1: not known */
  const int64_t *shape;
  const char *name; /* an input's; a parameter's or buffer's in the state dict; else NULL, or for people */
  Tensor *tensor;   /* retained; NULL of inputs and results */
  int32_t step;     /* the step that it is a result of; -1 */
} Value;

/* A product of sizes with a factor, and a sum of such. */
typedef struct SizeTerm {
  int64_t factor;
  int32_t nsymbols;
  const int32_t *symbols; /* one as often as it is a factor */
} SizeTerm;

/* The sum of terms, divided; the division must leave no rest. */
typedef struct SizeExpression {
  const SizeTerm *terms;
  int32_t nterms;
  int64_t divisor;
} SizeExpression;

/* An integer of a row's arguments that follows from the inputs' sizes. */
typedef struct Binding {
  uint8_t argument; /* its number in the row */
  int32_t element;  /* of a list; -1: the argument is one integer, or a number or an operand that is one */
  SizeExpression size;
} Binding;

typedef enum StepKind {
  STEP_ROW,      /* calls op */
  STEP_IF,       /* operands: the condition; bodies: what runs if it is true, and if not; results: their outputs */
  STEP_LOOP,     /* operands: how many times (or NO_VALUE), whether to begin (or NO_VALUE). See Step.bodies */
  STEP_SEQUENCE, /* operands: tensors; result: their sequence */
  STEP_ITEM,     /* operands: a sequence, a position from 0 or from the end (a 0-dim integer tensor) or NO_VALUE for
                    Step.position; result: the tensor there */
  STEP_INSERT,   /* operands: a sequence, a tensor, a position or NO_VALUE: at the end; result: another sequence */
  STEP_ERASE,    /* operands: a sequence, a position or NO_VALUE: the last one; result: another sequence */
  STEP_LENGTH    /* operands: a sequence; result: how many tensors it has, int64, 0-dim */
} StepKind;

/* What of a step's operands belongs to one place for tensors in the arguments of its row. */
typedef struct Place {
  int32_t first, n; /* operands first…first + n - 1; a place for one tensor has one, which may be NO_VALUE */
  bool is_sequence; /* the one operand is a sequence: the whole list */
} Place;

struct Program;

/* A program that a step runs, on values of the program outside. */
typedef struct Body {
  struct Program *program;
  const ValueId *inputs; /* those that its inputs get, in order; of a loop's all but the first two */
  int32_t ninputs;
} Body;

/* What of the modes in which a row was recorded is part of the program. */
typedef enum StepAutocast { AUTOCAST_OF_CALLER, AUTOCAST_SET } StepAutocast;

typedef struct Step {
  uint8_t kind;     /* a StepKind */
  bool in_place;    /* the in-place form: it writes its first operand, which is its result too */
  bool no_grad;     /* recorded within no_grad, in a trace with gradients */
  uint8_t autocast; /* a StepAutocast */
  DType autocast_dtype;
  const char *node; /* what it is called where it comes from; NULL: nothing. Errors name it */

  const Op *op;        /* of a row, like the following */
  const void *args;    /* its argument struct; tensors' places are NULL, lists and texts are the program's */
  const Place *places; /* for each of op_plan(op)->tensors */
  const Binding *bindings;
  int32_t nbindings;

  const ValueId *operands; /* all values that it reads, bodies' aside */
  int32_t noperands;
  int64_t position; /* of STEP_ITEM */
  /*
   * A loop's body gets: the number of the round (int64, from 0, 0-dim), whether it goes on (bool, 0-dim), the carried
   * values, and outer values. It gives: whether to go on, the carried values anew, and what is gathered along a new
   * first dimension. The loop's results are the carried values and what was gathered.
   */
  const Body *bodies;
  int32_t nbodies, ncarried;

  const ValueId *results; /* of a row with a list of results: one sequence, or each of them */
  int32_t nresults;
  const ValueId *dying; /* values that no later step reads */
  int32_t ndying;
} Step;

typedef struct Output {
  const char *name;
  ValueId value;
} Output;

typedef struct Program {
  uint32_t refs;
  Context *ctx;
  Value *values;
  int32_t nvalues;
  Step *steps;
  int32_t nsteps;
  const ValueId *inputs;
  int32_t ninputs;
  const Output *outputs;
  int32_t noutputs;
  const char *const *symbols; /* their names: "N" */
  int32_t nsymbols;
  struct Block *blocks; /* the memory of all that the above points to; a copy has none */
  struct Program *of;   /* of a copy, which has its values behind it: the program that all else is of */
  bool has_sequences;   /* a value is one */
  /* plans made of it (program/plan), and what frees them; NULL: none */
  void *plans;
  void (*plans_free)(void *plans);
} Program;

static inline Program *program_retain(Program *p)
{
  if (p) p->refs++;
  return p;
}
void program_release(Program *p);

/* A copy with n tensors in the place of others, which has one reference; what isn't among them is shared. */
Program *program_copy(Call *call, Program *p, Tensor *const *tensors, Tensor *const *in_place_of, int64_t n);

/* What a program is called with, and gives: a tensor, or, for values that are sequences, a list. */
typedef struct Argument {
  Tensor *tensor; /* NULL: absent, or a sequence */
  Tensors list;   /* n < 0: no sequence */
} Argument;

/*
 * Runs it row by row through the door: gradients are recorded, autocast and all else is as in the plain path. inputs
 * has program->ninputs arguments, outputs room for noutputs; what is put there belongs to the running scope. Raises
 * where inputs don't fit what the program says of them, and what its rows raise, with the name of their node.
 */
void program_run(Call *call, const Program *p, const Argument *inputs, Argument *outputs);

/* The part of it that looks at the inputs alone; sizes has room for nsymbols. */
void program_check_inputs(Call *call, const Program *p, const Argument *inputs, int64_t *sizes);

/* Puts right what a file says of outputs: the dtypes are those of these, and a shape that isn't theirs is forgotten.
   sizes are those that program_check_inputs gave. */
void program_check_claims(Program *p, const Argument *outputs, const int64_t *sizes);

/* A size expression's value; raises where its division leaves a rest. */
int64_t size_of_expression(Call *call, const SizeExpression *e, const int64_t *sizes);

#endif
