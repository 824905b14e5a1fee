/* Passes: each makes a recorded plan smaller or faster, and leaves what it gives as it is. */
#ifndef NNLUA_PROGRAM_PASSES_PASSES_H
#define NNLUA_PROGRAM_PASSES_PASSES_H

#include "program/plan/plan.h"

/* Results that are the same at every run are kept from the recording. */
void pass_constants(Call *call, Plan *plan);

/* What nobody reads isn't computed. */
void pass_dead(Call *call, Plan *plan);

/* What is computed twice is computed once. */
void pass_common(Call *call, Plan *plan);

/* Whether it doesn't matter when a step runs: what it reads and makes is never changed. */
bool pass_is_timeless(const Plan *plan, const PlanStep *s);

/* What is made of captured tensors alone is made when those have changed. */
void pass_kept(Call *call, Plan *plan);

/* Whether a value changes between runs only where captured tensors do. */
bool pass_is_lasting(const Plan *plan, int32_t v);

/* Batch norm, as the steps that it comes to when it doesn't train, is multiplied into the weight of the convolution
   before it. Results differ by rounding. */
void pass_batch_norm(Call *call, Plan *plan);

/* Activations that are written out become rows of their own, and powers by constants those of frequent exponents.
   Results differ by rounding. */
void pass_activations(Call *call, Plan *plan);

/* Weights of products and convolutions that change between runs only, if at all, are kept packed. */
void pass_packed(Call *call, Plan *plan);

/* Pointwise rows on one another become one loop. */
void pass_chains(Call *call, Plan *plan);

/* Chains run on results of products and convolutions as these are made. */
void pass_tails(Call *call, Plan *plan);

#endif
