/*
 * The language of pointwise derivatives: numbers, names, + - * /, comparisons, SELECT(c, a, b),
 * CONJ(x) and functions in capitals that are pointwise rows: operands first, then numbers for the
 * row's parameters. The kernels compile the same text as C; here it is parsed once and run as ops,
 * so that gradients of gradients come from the one text.
 */
#ifndef NNLUA_OPS_TABLE_EXPRESSION_H
#define NNLUA_OPS_TABLE_EXPRESSION_H

#include "ops/table/op.h"

typedef struct Expression Expression;

/* Parses and checks the derivative of a row by operand i; ends the process with a message if the row is wrong. The
   result lives as long as the process; NULL for NO_GRAD. */
const Expression *expression_of(const Op *o, int i);

/* The value of a name: a tensor, or else a number. */
typedef struct Named {
  const char *name;
  Tensor *tensor;
  Scalar scalar;
} Named;

/* Runs an expression as ops; names ends with a NULL name. */
Tensor *expression_run(Call *call, const Expression *e, const Named *names);

/* Whether the expression's value changes with a name's value other than by comparisons. */
bool expression_varies_with(const Expression *e, const char *name);

/* Whether a one-letter name stands in the text. */
bool expression_mentions(const char *text, char name);

#endif
