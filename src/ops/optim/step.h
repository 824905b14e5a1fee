/* The optimizers' fused steps: one pass over each parameter, outside of autograd. */
#ifndef NNLUA_OPS_OPTIM_STEP_H
#define NNLUA_OPS_OPTIM_STEP_H

#include "core/tensor.h"
#include "launch/optim/step.h"

enum { STEP_NUMBERS = 3 };

/*
 * The options that steps depend on, each by the name that a group has it under; true and false are 1 and 0. Those that
 * a rule doesn't name are nan.
 */
typedef struct StepOptions {
  double lr, weight_decay, maximize, eps;
  double momentum, dampening, nesterov;             /* SGD; momentum also RMSprop */
  double betas[2], decoupled_weight_decay, amsgrad; /* Adam and its kin */
  double momentum_decay;                            /* NAdam */
  double lr_decay, initial_accumulator_value;       /* Adagrad */
  double alpha, centered;                           /* RMSprop; alpha also ASGD */
  double rho;                                       /* Adadelta */
  double lambd, t0;                                 /* ASGD */
  double etas[2], step_sizes[2];                    /* Rprop */
} StepOptions;

/* One of them: a number, or a list of count numbers. */
typedef struct StepOption {
  const char *name;
  size_t offset;
  int count;
} StepOption;

/*
 * What there is to know of an optimizer. The lists of options and of the states' names end with NULL. States that are
 * numbers (0-dim tensors) come first; the others are like the parameter.
 */
typedef struct StepRule {
  const char *name; /* "optim.Adam", for messages */
  StepId step;      /* the kernel */
  int numbers;      /* how many states are numbers */
  const StepOption *options;
  const char *states[STEP_STATES + 1];
  /* Which states are kept under some options, as bits. */
  unsigned (*kept)(const StepOptions *o);
  /* What a state is filled with at first. */
  double (*initial)(const StepOptions *o, int state);
  /* The kernel's coefficients for a step; moves the numbers on. `fresh` tells which states are new, as bits. */
  void (*coefficients)(const StepOptions *o, unsigned fresh, double *numbers, StepCoefficients *c);
} StepRule;

/* The rule of a name ("Adam"), or NULL. */
const StepRule *step_rule(const char *name);

/* A parameter with what is kept for it between steps, all counted; NULL where there is none yet. */
typedef struct StepEntry {
  Tensor *param, *state[STEP_STATES];
} StepEntry;

/* The parameters of a group. */
typedef struct OptimizerWork {
  const StepRule *rule;
  StepEntry *entries;
  int64_t n;
  StepOptions options;
} OptimizerWork;

/* One step of all parameters that have a gradient. Either all of them change or, if it raises, none. */
void optimizer_step(Call *call, const OptimizerWork *work);

/* Fills the gradient of t with zeros; one that is part of a graph is cut off from it first. Recording must be off. */
void gradient_clear(Call *call, Tensor *t);

#endif
