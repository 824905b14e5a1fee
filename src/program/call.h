/* Calls of programs, by plans where they may: the same as program_run, but faster. */
#ifndef NNLUA_PROGRAM_CALL_H
#define NNLUA_PROGRAM_CALL_H

#include "program/program.h"

/*
 * As program_run. Where no gradient is wanted, what runs is a plan for inputs of their forms (dtypes, shapes, strides):
 * of the forms that come first from the first call on, of others from the second one on, since who calls a program with
 * ever other forms had better not wait for plans. A program keeps a bounded number of them.
 */
void program_call(Call *call, Program *p, const Argument *inputs, Argument *outputs);

#endif
