/* The optimizers' fused steps: one pass over each parameter, outside of autograd. */
#ifndef NNLUA_OPS_OPTIM_STEP_H
#define NNLUA_OPS_OPTIM_STEP_H

#include "core/tensor.h"

enum { STEP_STATES = 5, STEP_NUMBERS = 3, STEP_OPTIONS = 11, STEP_COEFFICIENTS = 11 };

/*
 * What there is to know of an optimizer. Options and states are known by their places in the lists of names, which end
 * with NULL. States that are numbers (0-dim tensors) come first; the others are like the parameter.
 */
typedef struct StepRule {
  const char *name;    /* "optim.Adam", for messages */
  int step;            /* a StepId: the kernel */
  int numbers;         /* how many states are numbers */
  const char *options[STEP_OPTIONS + 1];
  const char *states[STEP_STATES + 1];
  /* Which states are kept under some options, as bits. */
  unsigned (*kept)(const double *options);
  /* What a state is filled with at first. */
  double (*initial)(const double *options, int state);
  /* The kernel's coefficients for a step; moves the numbers on. `fresh` tells which states are new, as bits. */
  void (*coefficients)(const double *options, unsigned fresh, double *numbers, double *c);
} StepRule;

/* The rule of a name ("Adam"), or NULL. */
const StepRule *step_rule(const char *name);

/* A parameter with what is kept for it between steps, all counted; NULL where there is none yet. */
typedef struct StepEntry { Tensor *param, *state[STEP_STATES]; } StepEntry;

/* One step of all parameters that have a gradient. Either all of them change or, if it raises, none. */
void optimizer_step(Call *call, const StepRule *rule, StepEntry *entries, int64_t n, const double *options);

#endif
