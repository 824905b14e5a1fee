/* Calls of programs, by plans where they may: the same as program_run, faster from the third call of a kind on. */
#ifndef NNLUA_PROGRAM_CALL_H
#define NNLUA_PROGRAM_CALL_H

#include "program/program.h"

/*
 * As program_run. Where no gradient is wanted, inputs of forms (dtypes, shapes, strides) that were there before run a
 * plan, which is made at the second call with them. A program keeps a bounded number of plans.
 */
void program_call(Call *call, Program *p, const Argument *inputs, Argument *outputs);

#endif
