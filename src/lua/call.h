/* How a call from Lua reaches an op: overloads, arguments, results. */
#ifndef NNLUA_LUA_CALL_H
#define NNLUA_LUA_CALL_H

#include "lua/binding.h"

enum { MAX_OVERLOADS = 8 };

/* The rows of one public name, in declared order: the upvalue of the Lua function that calls them. Its user value
   is the metatable of tensors. */
typedef struct Group {
  uint32_t kind;
  Context *ctx;
  const char *name;
  bool in_place, is_operator;
  int count;
  const Op *ops[MAX_OVERLOADS];
  int least, most;    /* how many tensors alone are a call of the first row; most is 0 if none are */
  char defaults[256]; /* that row's arguments at their defaults */
} Group;

/* The Lua function behind nl.f and x:f; its upvalue is its Group. */
int op_call(lua_State *L);

/* With a form: the function behind an operator, whose first operand may be a number. */
enum { AS_OPERATOR = 1 << 14 };

/* Pushes the function for a public name: all rows with it that have a form (IN_NL, METHOD, INPLACE…). */
void push_group(lua_State *L, Context *ctx, const char *name, int form);

/* Results of a call whose number isn't known before, held until each has its userdata. */
typedef struct Bag {
  Context *ctx;
  int64_t n;
  Tensor **v;
} Bag;

/* Pushes an empty bag; and puts tensors into one, while the core is entered. */
Bag *push_bag(lua_State *L, Context *ctx);
void bag_fill(Call *call, Bag *bag, Tensors list);

/*
 * After results have been put in boxes first_result…: lets the collector see from them what it must
 * keep behind their graphs, and from views their base. The arguments are at first_arg….
 */
void finish_results(lua_State *L, int first_arg, int nargs, int first_result, int nresults);

/* The same for an argument that was changed in place. */
void finish_inplace(lua_State *L, int receiver, int first_arg, int nargs);

#endif
