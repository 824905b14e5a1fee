/* Chains as steps of a plan: what the pass that makes them (chains.c) and the one that moves them (tails.c) share. */
#ifndef NNLUA_PROGRAM_CHAIN_STEP_H
#define NNLUA_PROGRAM_CHAIN_STEP_H

#include "launch/math/chain.h"
#include "program/passes/passes.h"

typedef struct ChainStep {
  Chain *chain;
  Tensor *operands[CHAIN_OPERANDS], *results[CHAIN_RESULTS];
} ChainStep;

extern const PlanSpecial chain_special;

/* Whether a value is made by a step that can run a chain on it, and nothing but that chain reads it. */
bool pass_takes_tail(const Plan *plan, int32_t v);

#endif
