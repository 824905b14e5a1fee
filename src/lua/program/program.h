/* Programs and what they are built of as Lua has them: what program.c and program/builder.c share. */
#ifndef NNLUA_LUA_PROGRAM_H
#define NNLUA_LUA_PROGRAM_H

#include "lua/binding.h"
#include "program/builder.h"

/*
 * A program. Its user values: a list of the userdata of its parameters and buffers, which may have hooks; nil, or the
 * function to call where arguments or results are more than tensors in order.
 */
typedef struct ProgramBox {
  uint32_t kind;
  bool is_shaped; /* there is such a function */
  Program *program;
} ProgramBox;
enum { PROGRAM_TENSORS = 1, PROGRAM_SHAPED, PROGRAM_USER_VALUES = 2 };

/* Pushes a program, whose reference the box takes over, with the list of its tensors at an index. */
ProgramBox *push_program_box(lua_State *L);

/*
 * Runs the program at an index on inputs that userdata on the stack keep, and pushes its outputs, of which it returns
 * the number: tensors, tables of tensors, nil for what is absent. An output that is one of the `nargs` arguments from
 * first_arg on is that argument. For a host no gradients are recorded, and no output shares an input's memory.
 */
int run_program(lua_State *L, int index, const Argument *inputs, int first_arg, int nargs, bool for_host);

/* Pushes a value's shape: a list of sizes, names of sizes, and "?" for what isn't known. */
void push_program_shape(lua_State *L, const Program *p, const Value *v);

/* The program at an index; raises if something else is there. */
Program *program_check(lua_State *L, int index);

#endif
