/* Arguments of ops: from Lua's stack into the struct of a row. */
#include "lua/parse.h"

#include "lua/scope.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "lua/tensor/size.h"
#include "lua/spelling.h"

typedef struct Parser {
  lua_State *L;
  const Op *op;
  Parsed *p;
  int top;   /* of the positional arguments */
  int named; /* stack index of the table of named arguments, or 0 */
  int empty; /* stack index of an empty table in the last place, or 0: named arguments without any, or an empty list */
  bool number_first;
} Parser;

static bool problem(Parsed *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool problem(Parsed *p, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  text_vformat(p->problem, sizeof p->problem, format, arguments);
  va_end(arguments);
  return false;
}

const char *type_name(lua_State *L, int index)
{
  int is_whole = 1;
  if (lua_type(L, index) == LUA_TNUMBER) lua_tointegerx(L, index, &is_whole);
  if (!is_whole) return lua_pushfstring(L, "%f", lua_tonumber(L, index));
  if (tensor_test(L, index)) return "tensor";
  if (is_released(L, index)) return "a tensor that was released by nl.scope";
  if (luaL_getmetafield(L, index, "__name") == LUA_TSTRING) {
    const char *name = lua_tostring(L, -1); /* the metatable keeps it */
    lua_pop(L, 1);
    return name;
  }
  return luaL_typename(L, index);
}

static bool expected(Parser *s, const ArgSpec *spec, int index, const char *what)
{
  enum { SHORT = 40 };
  if (lua_type(s->L, index) == LUA_TSTRING && lua_rawlen(s->L, index) < SHORT)
    return problem(s->p, "argument '%s': %s expected, got \"%s\"", spec->name, what, lua_tostring(s->L, index));
  return problem(s->p, "argument '%s': %s expected, got %s", spec->name, what, type_name(s->L, index));
}

/* ------------------------------------------------------------------ scalars */

bool scalar_test(lua_State *L, int index, Scalar *s)
{
  switch (lua_type(L, index)) {
    case LUA_TBOOLEAN: *s = scalar_bool(lua_toboolean(L, index)); return true;
    case LUA_TNUMBER:
      if (lua_isinteger(L, index)) *s = scalar_int(lua_tointeger(L, index));
      else *s = scalar_float(lua_tonumber(L, index));
      return true;
    default: return false;
  }
}

static bool integer_test(lua_State *L, int index, int64_t *value)
{
  if (lua_type(L, index) != LUA_TNUMBER) return false;
  int is_integer;
  *value = lua_tointegerx(L, index, &is_integer);
  return is_integer;
}

/* Counted from 1 outside, from 0 inside; negative numbers count from the end. */
static bool from_one(Parser *s, const ArgSpec *spec, int64_t *value)
{
  if (*value == 0) return problem(s->p, "argument '%s' is 0: it counts from 1", spec->name);
  if (*value > 0) --*value;
  return true;
}

/* -------------------------------------------------------------------- lists */

/* A table's length may be any number, whatever is in it. */
static void check_length(Parser *s, int64_t n)
{
  if (n < 0 || n > INT32_MAX) user_error(s->L, "%s: a list of %I elements is too long", s->op->name, (LUAI_UACINT)n);
}

static int64_t *room_for_ints(Parser *s, int64_t n)
{
  check_length(s, n);
  if (s->p->ints_used + n <= PARSE_INTS) {
    int64_t *room = s->p->ints + s->p->ints_used;
    s->p->ints_used += (int)n;
    return room;
  }
  return lua_newuserdatauv(s->L, (size_t)n * sizeof(int64_t), 0);
}

static bool list_element(Parser *s, const ArgSpec *spec, int index, int64_t *value)
{
  if (spec->kind == ARG_EXTENTS && is_none(s->L, index)) {
    *value = NO_INT;
    return true;
  }
  if (!integer_test(s->L, index, value)) return expected(s, spec, index, "a list of integers");
  return !arg_traits[spec->kind].from_one || from_one(s, spec, value);
}

/* Whether a list has keys that are names, too. */
static bool has_names(lua_State *L, int index)
{
  index = lua_absindex(L, index);
  lua_pushnil(L);
  if (lua_rawlen(L, index) > 0) { /* what stands in the list comes first */
    lua_pushinteger(L, (lua_Integer)lua_rawlen(L, index));
    lua_replace(L, -2);
  }
  while (lua_next(L, index)) {
    bool is_name = lua_type(L, -2) == LUA_TSTRING;
    lua_pop(L, is_name ? 2 : 1);
    if (is_name) return true;
  }
  return false;
}

static bool list_from_table(Parser *s, const ArgSpec *spec, int index, Ints *list)
{
  if (has_names(s->L, index))
    return problem(s->p, "a list and named arguments are two tables: f(x, {1, 2}, {name = value})");
  int64_t n = (int64_t)lua_rawlen(s->L, index);
  int64_t *v = room_for_ints(s, n);
  for (int64_t i = 0; i < n; i++) {
    lua_rawgeti(s->L, index, i + 1);
    bool fits = list_element(s, spec, -1, &v[i]);
    lua_pop(s->L, 1);
    if (!fits) return false;
  }
  *list = (Ints){v, n};
  return true;
}

/* How many positional arguments are still required after this one: those that are not named. */
static int required_after(Parser *s, const ArgSpec *spec)
{
  int n = 0;
  for (const ArgSpec *next = spec + 1; next->name; next++) {
    if (!next->required) continue;
    n++;
    if (!s->named) continue;
    lua_pushstring(s->L, next->name);
    if (lua_rawget(s->L, s->named) != LUA_TNIL) n--;
    lua_pop(s->L, 1);
  }
  return n;
}

/* Numbers one after another make a list: x:view(2, 3). Sets *used to how many. */
static bool list_from_numbers(Parser *s, const ArgSpec *spec, int index, Ints *list, int *used)
{
  int last = s->top - required_after(s, spec), n = 0;
  while (index + n <= last && lua_type(s->L, index + n) == LUA_TNUMBER) n++;
  if (n == 0 && lua_type(s->L, index) != LUA_TNUMBER) return expected(s, spec, index, "a list of integers");
  if (n == 0) n = 1; /* what is required after it is missing, or named */
  int64_t *v = room_for_ints(s, n);
  for (int i = 0; i < n; i++)
    if (!list_element(s, spec, index + i, &v[i])) return false;
  *list = (Ints){v, n};
  *used = n;
  return true;
}

/* ------------------------------------------------ a value of each parser's kinds */

/*
 * parse_<parser> of the kinds of arguments.def: reads the value at index into its place. *used, which is 1, is set to
 * how many positional arguments it took, if it takes several.
 */
#define PARSER(parser) \
  static bool parse_##parser(Parser *s, const ArgSpec *spec, int index, void *place, UNUSED int *used)
#define UNUSED __attribute__((unused))

PARSER(size)
{
  if (lua_istable(s->L, index)) return list_from_table(s, spec, index, place);
  return size_test(s->L, index, place) || list_from_numbers(s, spec, index, place, used);
}

PARSER(dims)
{
  Ints size;
  if (lua_istable(s->L, index)) return list_from_table(s, spec, index, place);
  if (size_test(s->L, index, &size)) return expected(s, spec, index, "dimensions");
  return list_from_numbers(s, spec, index, place, used);
}

PARSER(integers)
{
  if (lua_istable(s->L, index)) return list_from_table(s, spec, index, place);
  return size_test(s->L, index, place) || expected(s, spec, index, "a table of integers");
}

PARSER(extents)
{
  int64_t value;
  if (lua_istable(s->L, index)) return list_from_table(s, spec, index, place);
  if (size_test(s->L, index, place)) return true;
  if (!integer_test(s->L, index, &value)) return expected(s, spec, index, "an integer or a table of integers");
  int64_t *v = room_for_ints(s, 1);
  *v = value;
  *(Ints *)place = (Ints){v, 1};
  return true;
}

/* Where a table of numbers may be left out, one number is a table of it. */
PARSER(numbers)
{
  lua_State *L = s->L;
  bool single = !spec->required && lua_type(L, index) == LUA_TNUMBER;
  if (!single && !lua_istable(L, index)) return expected(s, spec, index, "a table of numbers");
  int64_t n = single ? 1 : (int64_t)lua_rawlen(L, index);
  double *v = (double *)(void *)room_for_ints(s, n);
  if (single) v[0] = lua_tonumber(L, index);
  for (int64_t i = 0; i < n && !single; i++) {
    bool fits = lua_rawgeti(L, index, i + 1) == LUA_TNUMBER || expected(s, spec, -1, "a list of numbers");
    v[i] = lua_tonumber(L, -1);
    lua_pop(L, 1);
    if (!fits) return false;
  }
  *(Numbers *)place = (Numbers){v, n};
  return true;
}

/* {{1, 2}, {3, 1}}: two lists of dimensions as one, the second behind the first. */
PARSER(dim_pair)
{
  lua_State *L = s->L;
  luaL_checkstack(L, 8, "too many arguments");
  bool fits = lua_istable(L, index);
  for (int side = 0; side < 2 && fits; side++) fits = lua_rawgeti(L, index, side + 1) == LUA_TTABLE;
  if (!fits || lua_rawlen(L, -1) != lua_rawlen(L, -2))
    return problem(s->p, "argument '%s': two lists of as many dimensions are expected, as in {{2}, {1}}", spec->name);
  int first = lua_gettop(L) - 1;
  int64_t n = (int64_t)lua_rawlen(L, -1), *v = room_for_ints(s, n > INT32_MAX ? n : 2 * n);
  for (int64_t i = 0; i < 2 * n; i++) {
    lua_rawgeti(L, first + (i >= n), i % n + 1);
    fits = integer_test(L, -1, &v[i]) ? from_one(s, spec, &v[i]) : expected(s, spec, -1, "lists of integers");
    lua_pop(L, 1);
    if (!fits) return false;
  }
  *(Ints *)place = (Ints){v, 2 * n};
  return true;
}

/*
 * Keeps the value on top of the stack, an element of a list that a finalizer may change before the op runs: a few stay
 * where they are, many go to a table, which is at `many`.
 */
static void keep_element(lua_State *L, int many, int64_t i)
{
  if (many) lua_rawseti(L, many, i + 1);
}

PARSER(tensors)
{
  lua_State *L = s->L;
  bool one_by_one = s->op->forms & VARIADIC && box_test(L, index);
  if (!one_by_one && !lua_istable(L, index)) return expected(s, spec, index, "a table of tensors");
  int64_t n = one_by_one ? s->top - index + 1 : (int64_t)lua_rawlen(L, index);
  if (one_by_one) *used = (int)n;
  check_length(s, n);
  Tensor **v = s->p->tensors + s->p->tensors_used;
  if (s->p->tensors_used + n <= PARSE_TENSORS) s->p->tensors_used += (int)n;
  else v = lua_newuserdatauv(L, (size_t)n * sizeof *v, 0);
  luaL_checkstack(L, PARSE_TENSORS + 8, "too many arguments");
  int many = 0;
  if (n > PARSE_TENSORS) {
    lua_createtable(L, n < INT_MAX ? (int)n : 0, 0);
    many = lua_gettop(L);
  }
  for (int64_t i = 0; i < n; i++) {
    if (one_by_one) lua_pushvalue(L, index + (int)i);
    else lua_rawgeti(L, index, i + 1);
    const TensorBox *box = box_test(L, -1);
    bool fits = box != NULL;
    if (fits) {
      v[i] = box->tensor;
      s->p->flags |= box->flags;
    } else if (s->op->forms & WITH_NONE && is_none(L, -1)) {
      v[i] = NULL;
      fits = true;
    }
    if (!fits)
      problem(s->p, "argument '%s': element %lld is no tensor but %s", spec->name, (long long)i + 1, type_name(L, -1));
    keep_element(L, many, i);
    if (!fits) return false;
  }
  *(Tensors *)place = (Tensors){v, n};
  return true;
}

PARSER(tensor)
{
  const TensorBox *box = box_test(s->L, index);
  if (!box) return expected(s, spec, index, "a tensor");
  *(Tensor **)place = box->tensor;
  s->p->flags |= box->flags;
  return true;
}

PARSER(operand)
{
  const TensorBox *box = box_test(s->L, index);
  Scalar number;
  if (box) {
    *(Tensor **)place = box->tensor;
    s->p->flags |= box->flags;
    return true;
  }
  if (!scalar_test(s->L, index, &number)) return expected(s, spec, index, "a tensor or a number");
  if ((spec->offset == 0 && !s->number_first) || s->op->forms & TENSORS_ONLY)
    return expected(s, spec, index, "a tensor");
  if (s->op->pointwise && s->p->nnumbers)
    return problem(s->p, "one of the operands must be a tensor: these are numbers");
  if (s->p->nnumbers == MAX_NUMBERS) return problem(s->p, "too many numbers");
  s->p->numbers[s->p->nnumbers++] = (PendingNumber){spec->offset, number};
  *(Tensor **)place = NULL;
  return true;
}

PARSER(scalar)
{
  if (scalar_test(s->L, index, place)) return true;
  const Tensor *t = tensor_test(s->L, index);
  if (!t || t->ndim != 0 || t->device == DEVICE_META) return expected(s, spec, index, "a number");
  tell_reading(s->L, t, s->op->name);
  *(Scalar *)place = tensor_item(t);
  return true;
}

PARSER(integer)
{
  if (!integer_test(s->L, index, place)) return expected(s, spec, index, "an integer");
  return !arg_traits[spec->kind].from_one || from_one(s, spec, place);
}

PARSER(real)
{
  if (lua_type(s->L, index) != LUA_TNUMBER) return expected(s, spec, index, "a number");
  *(double *)place = lua_tonumber(s->L, index);
  return true;
}

PARSER(bool)
{
  if (!lua_isboolean(s->L, index)) return expected(s, spec, index, "true or false");
  *(bool *)place = lua_toboolean(s->L, index);
  return true;
}

PARSER(optional_bool)
{
  if (!lua_isboolean(s->L, index)) return expected(s, spec, index, "true or false");
  *(int8_t *)place = (int8_t)lua_toboolean(s->L, index);
  return true;
}

PARSER(string)
{
  if (lua_type(s->L, index) != LUA_TSTRING) return expected(s, spec, index, "a string");
  *(const char **)place = lua_tostring(s->L, index);
  return true;
}

PARSER(dtype) { return dtype_test(s->L, index, place) || expected(s, spec, index, "a dtype such as nl.float32"); }

PARSER(device)
{
  if (device_test(s->L, index, place)) return true;
  s->p->is_clear = lua_type(s->L, index) == LUA_TSTRING;
  return problem(s->p, "argument '%s': %s", spec->name, push_device_problem(s->L, index));
}

PARSER(generator)
{
  Generator *g = generator_test(s->L, index);
  if (!g) return expected(s, spec, index, "a nl.Generator");
  *(Generator **)place = g;
  return true;
}

/* Reads the value at index into its place. *used says how many positional arguments it took. */
static bool parse_value(Parser *s, const ArgSpec *spec, int index, int *used)
{
  static bool (*const parsers[])(Parser *, const ArgSpec *, int, void *, int *) = {
#define KIND(kind, type, absent, holds, counts, parser, word) [ARG_##kind] = parse_##parser,
#include "ops/table/arguments.def"
  };
  return parsers[spec->kind](s, spec, index, s->p->args + spec->offset, used);
}

/* ------------------------------------------------------------------ defaults */

static void set_default(const ArgSpec *spec, char *args)
{
  void *place = args + spec->offset;
  switch (spec->kind) {
#define KIND(kind, type, absent, ...)   \
  case ARG_##kind:                      \
    *(Argument_##kind *)place = absent; \
    break;
#include "ops/table/arguments.def"
  }
}

void parse_defaults(const Op *op, char *args)
{
  for (int i = 0; i < op->nargs; i++) set_default(&op->args[i], args);
}

/* ----------------------------------------------------------- named arguments */

/* A last table with only string keys holds named arguments. */
static void find_named(Parser *s)
{
  lua_State *L = s->L;
  if (s->top == 0 || lua_type(L, s->top) != LUA_TTABLE) return;
  lua_pushnil(L);
  if (!lua_next(L, s->top)) {
    s->empty = s->top;
    return;
  }
  if (lua_type(L, -2) == LUA_TSTRING) s->named = s->top--;
  lua_pop(L, 2);
}

/* Whether the argument at index is an empty table that can be no value of it: no named arguments. */
static bool is_left_out(const Parser *s, const ArgSpec *spec, int index)
{
  if (index != s->empty || spec->required) return false;
  ArgHolds holds = arg_traits[spec->kind].holds;
  return holds != POINTS_TO_LIST && holds != HOLDS_TENSORS;
}

static const ArgSpec *find_spec(const Op *op, const char *name)
{
  for (int i = 0; i < op->nargs; i++)
    if (strcmp(op->args[i].name, name) == 0) return &op->args[i];
  return NULL;
}

static bool unknown_name(Parsed *p, const Op *op, const char *name)
{
  char known[160] = "";
  size_t used = 0;
  Spelling spelling = spelling_of(name);
  for (int i = 0; i < op->nargs; i++) {
    spelling_try(&spelling, op->args[i].name);
    if (used < sizeof known - 32)
      used += (size_t)text_format(known + used, sizeof known - used, "%s%s", i ? ", " : "", op->args[i].name);
  }
  if (!spelling.nearest) return problem(p, "unknown argument '%s' (known: %s)", name, known);
  return problem(p, "unknown argument '%s'; did you mean '%s'? (known: %s)", name, spelling.nearest, known);
}

static bool parse_named(Parser *s, uint32_t given, uint32_t *seen)
{
  lua_State *L = s->L;
  lua_pushnil(L);
  while (lua_next(L, s->named)) {
    if (lua_type(L, -2) != LUA_TSTRING) {
      lua_pop(L, 2);
      return problem(s->p, "a table has named arguments and others: write f(a, b, {name = value})");
    }
    const char *name = lua_tostring(L, -2);
    int value = lua_gettop(L), used;
    const ArgSpec *spec = find_spec(s->op, name);
    if (!spec && strcmp(name, "as_table") == 0 && s->op->results != RESULTS_ONE) {
      s->p->as_table = lua_toboolean(L, value);
    } else if (!spec) {
      lua_pop(L, 2);
      return unknown_name(s->p, s->op, name);
    } else {
      uint32_t bit = 1u << (spec - s->op->args);
      bool fits = !(given & bit) || problem(s->p, "argument '%s' is given twice", name);
      int top = s->top;
      s->top = value;
      if (fits && spec->required && is_none(L, value)) fits = problem(s->p, "argument '%s' can't be nl.none", name);
      else if (fits && !is_none(L, value)) fits = parse_value(s, spec, value, &used);
      s->top = top;
      if (!fits) return false;
      *seen |= bit;
      luaL_checkstack(L, 8, "too many arguments");
      lua_pushvalue(L, value); /* nothing but the table holds it, and a finalizer may change that */
      lua_rotate(L, value - 1, lua_gettop(L) - value); /* keeps it, and what parsing it left, below the key */
    }
    lua_settop(L, lua_gettop(L) - 1);
  }
  return true;
}

bool parse_arguments(lua_State *L, const Op *op, int top, bool from_operator, Parsed *p)
{
  Parser s = {L, op, p, top, 0, 0, from_operator || (op->forms & NUMBER_FIRST)};
  uint32_t given = 0, seen = 0;
  find_named(&s);
  p->nnumbers = p->ints_used = p->tensors_used = 0;
  p->as_table = p->is_clear = false;
  p->flags = 0;
  int index = 1;
  for (int i = 0; i < op->nargs; i++) {
    const ArgSpec *spec = &op->args[i];
    int used = 1;
    if (index > s.top || lua_isnil(L, index) || (!spec->required && is_none(L, index))
        || is_left_out(&s, spec, index)) {
      set_default(spec, p->args);
      index++;
      continue;
    }
    if (!parse_value(&s, spec, index, &used)) return false;
    given |= 1u << i;
    index += used;
  }
  if (index <= s.top && index != s.empty)
    return problem(p, "%d arguments given, at most %d are taken", s.top, op->nargs);
  if (s.named && !parse_named(&s, given, &seen)) return false;
  for (int i = 0; i < op->nargs; i++)
    if (op->args[i].required && !((given | seen) >> i & 1)) {
      bool by_dot = top == 0 && i == 0 && op->forms & METHOD;
      return problem(p, "argument '%s' is missing%s", op->args[i].name,
                     by_dot ? " (a method is called with a colon: x:f())" : "");
    }
  return true;
}

void push_signature(lua_State *L, const Op *op)
{
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  luaL_addstring(&b, op->name);
  luaL_addchar(&b, '(');
  for (int i = 0; i < op->nargs; i++) {
    if (i) luaL_addstring(&b, ", ");
    luaL_addstring(&b, op->args[i].name);
    if (!op->args[i].required) luaL_addchar(&b, '?');
  }
  luaL_addchar(&b, ')');
  luaL_pushresult(&b);
}
