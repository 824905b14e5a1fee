/* nl.ops(): the op table as Lua tables, from which help, stubs, reference pages and specs are made. */
#include "lua/open.h"

#include <string.h>

static void set_string(lua_State *L, const char *field, const char *value)
{
  lua_pushstring(L, value);
  lua_setfield(L, -2, field);
}

static void set_boolean(lua_State *L, const char *field, bool value)
{
  lua_pushboolean(L, value);
  lua_setfield(L, -2, field);
}

/* Defaults as a user counts: dimensions and positions from 1. */
static void push_default(lua_State *L, const ArgSpec *spec)
{
  bool counts = arg_traits[spec->kind].from_one && argument_holds(spec) == HOLDS_VALUE;
  if (counts && spec->dflt.i >= 0) lua_pushfstring(L, "%I", (LUAI_UACINT)spec->dflt.i + 1);
  else if (spec->kind == ARG_INT && spec->dflt.i == NO_INT) lua_pushliteral(L, "nil");
  else if (counts && spec->dflt.i == NO_INT) lua_pushliteral(L, "nil");
  else if (spec->default_text[0] == 'N') lua_pushliteral(L, "nil");
  else lua_pushstring(L, spec->default_text);
}

static void push_argument(lua_State *L, const ArgSpec *spec)
{
  lua_createtable(L, 0, 5);
  set_string(L, "name", spec->name);
  set_string(L, "kind", arg_traits[spec->kind].word);
  set_boolean(L, "required", spec->required);
  set_boolean(L, "is_position", spec->kind == ARG_POSITION_TENSOR || spec->kind == ARG_POSITION);
  if (!spec->required) {
    push_default(L, spec);
    lua_setfield(L, -2, "default");
  }
}

static void push_arguments(lua_State *L, const Op *op)
{
  lua_createtable(L, op->nargs, 0);
  for (int i = 0; i < op->nargs; i++) {
    push_argument(L, &op->args[i]);
    lua_rawseti(L, -2, i + 1);
  }
}

static void push_pointwise(lua_State *L, const PointwiseInfo *info)
{
  set_string(L, "class", info->class_name);
  set_string(L, "formula", info->formula);
  lua_createtable(L, info->arity, 0);
  for (int i = 0; i < info->arity; i++) {
    lua_pushstring(L, info->derivative[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "derivatives");
}

/* The further names of an op. */
static void push_aliases(lua_State *L, const Op *op)
{
  static const struct {
    const char *name, *of;
  } aliases[] = {
#define ALIAS(name, of) {#name, #of},
#include "ops/table/aliases.def"
  };
  lua_newtable(L);
  for (size_t i = 0, n = 0; i < sizeof aliases / sizeof *aliases; i++) {
    if (strcmp(aliases[i].of, op->name) != 0) continue;
    lua_pushstring(L, aliases[i].name);
    lua_rawseti(L, -2, (lua_Integer)++n);
  }
}

static void push_op(lua_State *L, const Op *op)
{
  static const char *const kinds[] = {[OP_POINTWISE] = "pointwise", [OP_PRIMITIVE] = "op", [OP_COMPOSED] = "composed"};
  lua_createtable(L, 0, 14);
  set_string(L, "row", op->row);
  set_string(L, "name", op->name);
  set_string(L, "doc", op->doc);
  set_string(L, "kind", kinds[op->kind]);
  set_boolean(L, "in_nl", op->forms & IN_NL);
  set_boolean(L, "method", op->forms & METHOD);
  set_boolean(L, "in_place", op->forms & INPLACE);
  set_boolean(L, "reshapes_in_place", (op->forms & VIEW_INPLACE) == VIEW_INPLACE);
  set_boolean(L, "functional", op->forms & IN_F);
#define SPACE(form, name) \
  if (op->forms & form) set_string(L, "space", #name);
#include "ops/table/spaces.def"
#undef SPACE
  set_boolean(L, "differentiable", op->kind == OP_COMPOSED || op->backward);
  lua_pushinteger(L, op->results);
  lua_setfield(L, -2, "results");
  push_arguments(L, op);
  lua_setfield(L, -2, "args");
  push_aliases(L, op);
  lua_setfield(L, -2, "aliases");
  if (op->pointwise) push_pointwise(L, op->pointwise);
}

/* nl.ops(): a list of all rows: row, name, doc, kind, where it appears, results (-1: a list), args, aliases. */
int nl_ops(lua_State *L)
{
  lua_createtable(L, op_count, 0);
  for (int id = 0; id < op_count; id++) {
    push_op(L, &op_table[id]);
    lua_rawseti(L, -2, id + 1);
  }
  return 1;
}
