/* nl.compile: what its files share. */
#ifndef NNLUA_NN_COMPILE_H
#define NNLUA_NN_COMPILE_H

#include "nn/module.h"
#include "program/plan/plan.h"

/* ---- guards.c ---- */

typedef struct ModuleStamp {
  ModuleBox *box;
  uint32_t changes;
} ModuleStamp;

/* Modules as they were; what they are compared with is in a Lua table, the guard, which keeps them. */
typedef struct Guards {
  ModuleStamp *stamps; /* to be freed */
  int n;
  bool has_tables; /* attributes are tables, whose changes nobody counts */
} Guards;

/* From now on the modules that are used, and whether one is changed, are noted, until the end. */
void watch_begin(lua_State *L, NnState *nn);
void watch_end(lua_State *L, NnState *nn);

/* Pushes an empty guard; adds a module to one; all that were used, and returns the class of one that has hooks, or
   NULL; and no more will come. */
void guards_push(lua_State *L);
void guards_add(lua_State *L, int guard, int module);
const char *guards_add_watched(lua_State *L, int guard, NnState *nn);

/* Whether a tensor is among the modules' parameters, buffers and other attributes, before guards_close. */
bool guards_have_tensor(lua_State *L, int guard, const Tensor *t);
void guards_close(lua_State *L, int guard, Guards *g);

/* Pushes the list of a guard's modules. */
void guards_push_modules(lua_State *L, int guard);

/* Whether all modules are what they were. */
bool guards_hold(lua_State *L, int guard, Guards *g);

/* The same without a look at what is counted. */
bool guards_hold_all(lua_State *L, int guard);

/* "file:line: " of the user's code, or "". */
void user_line(lua_State *L, char *text, size_t size);

/* ---- optim.c: steps of optimizers in what is compiled ---- */

/* From now on steps are listed, until the end; and pushes the list. */
void steps_watch(lua_State *L, bool on);
void steps_push(lua_State *L);

/* Whether the optimizers in the list at an index can be stepped by a plan; its work gets the options of this time,
   which must be those of the recording the first time. */
bool steps_are_ready(lua_State *L, int steps, PlanWork *work, bool first_time);

/* Counts a step of each. */
void steps_count(lua_State *L, int steps);

/* ---- reach.c ---- */

/* Whether a function, or methods of the guard's modules, come to one of n tensors beside their arguments. */
bool reaches_tensor(lua_State *L, int target, int guard, Tensor *const *tensors, int n);

/* ---- forms.c: arguments and results as keys of programs ---- */

typedef enum ItemKind { ITEM_TENSOR, ITEM_VALUE, ITEM_TABLE } ItemKind;

/* One argument, result, or entry of a table of those. What it refers to is in a Lua list, in the order of items: the
   value of an ITEM_VALUE, the keys of an ITEM_TABLE before each of its entries. */
typedef struct Item {
  uint8_t kind;
  int32_t n; /* of a tensor among results: the output's number; of a table: how many entries */
} Item;

typedef struct Form {
  Item *items; /* to be freed */
  int32_t n, room, tensors;
  bool is_broken; /* something could not be added: it is the form of nothing */
} Form;

/* Adds what is at an index to a form, and to the list of references; tensors are put into a list. Raises nothing but
   for memory; NULL or why it can't be part of a form. */
const char *form_add(lua_State *L, Form *f, int index, int references, int tensors);

enum { MOST_TENSORS = 250 };

/* Where a form is compared, or made again. */
typedef struct FormCursor {
  const Form *form;
  int references; /* the index of the list */
  int32_t item;
  lua_Integer reference;
  Tensor **tensors;
  int32_t ntensors;
} FormCursor;

/* Whether what is at an index is of the form from the cursor on; its tensors are put into the cursor's list. */
bool form_matches(lua_State *L, FormCursor *c, int index);

/* Pushes what the form says, with the tensors from index `first` on. */
void form_push(lua_State *L, FormCursor *c, int first);

#endif
