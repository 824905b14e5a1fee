/*
 * Makes a program, step by step. Rows are given as their argument structs with tensors in them: a tensor that stands
 * for a value (builder_stand_in, or one that the builder was told of by builder_bind) is that value, any other tensor
 * is a constant. A builder made for a body takes values of the builders outside: they become inputs of the body.
 */
#ifndef NNLUA_PROGRAM_BUILDER_H
#define NNLUA_PROGRAM_BUILDER_H

#include "program/program.h"

typedef struct ProgramBuilder ProgramBuilder;

/* A new builder; of a body if outer is not NULL, which must live as long. Raises without memory, as all here do. */
ProgramBuilder *builder_new(Call *call, ProgramBuilder *outer);
void builder_free(ProgramBuilder *b);

/* The builder outside; NULL: none. */
ProgramBuilder *builder_outer(const ProgramBuilder *b);

/* A symbolic size's number in a shape. The same name is the same symbol. */
int64_t builder_symbol(Call *call, ProgramBuilder *b, const char *name);

/* An input; dtype may be DTYPE_NONE, shape.n -1, and sizes SIZE_UNKNOWN or symbols. */
ValueId builder_input(Call *call, ProgramBuilder *b, const char *name, DType dtype, Ints shape, bool is_sequence);

/* A parameter, buffer or constant; the name may be NULL for a constant. */
ValueId builder_tensor(Call *call, ProgramBuilder *b, ValueKind kind, const char *name, Tensor *t);

/* The name of where the steps that follow come from; NULL: none. */
void builder_at(Call *call, ProgramBuilder *b, const char *node);

/* A tensor without elements that stands for a value in arguments of rows; it lives as long as the builder. */
Tensor *builder_stand_in(Call *call, ProgramBuilder *b, ValueId value);

/* From now on this tensor is that value. The builder retains it. */
void builder_bind(Call *call, ProgramBuilder *b, Tensor *t, ValueId value);

/* The value that a tensor is; NO_VALUE if it is none. */
ValueId builder_value_of(const ProgramBuilder *b, const Tensor *t);

/* The value of a tensor as an operand: its own, here or in a builder outside, or a new constant; of NULL NO_VALUE. */
ValueId builder_operand(Call *call, ProgramBuilder *b, Tensor *t);

/*
 * A row's call. results gets op->results values; of a row with a list of results n of them, or, if n is -1, one
 * sequence. In place there is one, a new value for the tensor that was changed.
 */
void builder_row(Call *call, ProgramBuilder *b, const Op *op, const void *args, bool in_place, int32_t n,
                 ValueId *results);

/* Any other step, whose operands and bodies (the program of each is retained) are copied; results gets its nresults new
   values, sequences where the step gives one. */
void builder_step(Call *call, ProgramBuilder *b, const Step *step, ValueId *results);

/* Says that a value is a sequence, of results of a branch or a loop. */
void builder_set_sequence(ProgramBuilder *b, ValueId value);

/* What is known of a value so far. */
const Value *builder_value(const ProgramBuilder *b, ValueId value);

/* The modes that the last step was recorded in. */
void builder_set_modes(ProgramBuilder *b, bool no_grad, StepAutocast autocast, DType dtype);

/* Of a body: how many inputs it has, and for each the outer value that it is, NO_VALUE if it was declared. */
int32_t builder_taken(const ProgramBuilder *b, const ValueId **outer);

/* What is known of a value: for printing, and for who plans. */
void builder_describe(Call *call, ProgramBuilder *b, ValueId value, DType dtype, Ints shape);

/* The same of an output as a file says it: program_check_claims looks whether it is so. */
void builder_claim(Call *call, ProgramBuilder *b, ValueId value, DType dtype, Ints shape);

void builder_output(Call *call, ProgramBuilder *b, const char *name, ValueId value);

/* The program, with one reference; the builder is empty then. */
Program *builder_build(Call *call, ProgramBuilder *b);

#endif
