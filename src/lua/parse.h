/* Arguments on Lua's stack into an op's argument struct. */
#ifndef NNLUA_LUA_PARSE_H
#define NNLUA_LUA_PARSE_H

#include "lua/binding.h"

enum { MAX_NUMBERS = 8, PARSE_INTS = 96, PARSE_TENSORS = 32 };

/* A number given for an operand: it becomes a tensor once the core is entered. */
typedef struct PendingNumber {
  uint16_t offset;
  Scalar value;
} PendingNumber;

typedef struct Parsed {
  _Alignas(16) char args[ARGS_BYTES];
  PendingNumber numbers[MAX_NUMBERS];
  int nnumbers;
  uint32_t flags; /* of all tensors' boxes */
  bool as_table;  /* {as_table = true}: a list of results as one table */
  int ints_used, tensors_used;
  int64_t ints[PARSE_INTS]; /* short lists; longer ones are userdata on the stack */
  Tensor *tensors[PARSE_TENSORS];
  bool is_clear;     /* `problem` says it all: no other overload was meant */
  char problem[256]; /* why the arguments don't fit */
} Parsed;

/*
 * Fills in p from the arguments 1..top; false if they don't fit the op, with p->problem. May push
 * buffers, which must stay on the stack until the op has run. A number may be the first operand of
 * an operator (2 < x); of a function only where its row says so. Raises only when memory runs out.
 */
bool parse_arguments(lua_State *L, const Op *op, int top, bool from_operator, Parsed *p);

/* Sets all arguments to their defaults. */
void parse_defaults(const Op *op, char *args);

/* Makes the tensors of the numbers among the operands; the core has been entered. */
static inline void parse_make_numbers(Call *call, Parsed *p)
{
  for (int i = 0; i < p->nnumbers; i++)
    *(Tensor **)(p->args + p->numbers[i].offset) = tensor_from_number(call, p->numbers[i].value);
}

/* A Lua number or boolean as a scalar; false if it is neither. */
bool scalar_test(lua_State *L, int index, Scalar *s);

/* What a value is called where another was expected: "tensor", "string", a number that isn't whole by its digits. May
   push a string. */
const char *type_name(lua_State *L, int index);

/* "nl.sum(input, dim?, keepdim?)" for messages and help. */
void push_signature(lua_State *L, const Op *op);

#endif
