/*
 * The language of pointwise derivatives: numbers, names, + - * /, comparisons, SELECT(c, a, b),
 * CONJ(x) and functions in capitals that are pointwise rows: operands first, then numbers for the
 * row's parameters. The kernels compile the same text as C; here it is parsed, at its first use, and run as ops,
 * so that gradients of gradients come from the one text.
 */
#ifndef NNLUA_OPS_TABLE_EXPRESSION_H
#define NNLUA_OPS_TABLE_EXPRESSION_H

#include "ops/table/op.h"

typedef struct Expression Expression;

/* The derivative of a row by one of its operands. */
typedef struct ParsedDerivative {
  const Expression *expression;
  uint32_t compared; /* the operands, and the result, that it depends on by comparisons only */
} ParsedDerivative;

/* The derivative of a row by operand i, parsed and checked when it is first asked for; ends the process with a message
   if the row is wrong. The result lives as long as the process. */
const ParsedDerivative *derivative_of(const Op *o, int i);

/* The value of a name: a tensor, or else a number. */
typedef struct Named {
  const char *name;
  Tensor *tensor;
  Scalar scalar;
} Named;

/* Runs an expression as ops; names ends with a NULL name. */
Tensor *expression_run(Call *call, const Expression *e, const Named *names);

#endif
