/* nl.utils.data.read_csv. */
#include <string.h>

#include "io/csv.h"
#include "lua/named_arguments.h"
#include "lua/open.h"
#include "lua/files/path.h"
#include "ops/shape/copy.h"

/* Whatever happens, the collector frees a table, which is malloc's. */
static int release_table(lua_State *L)
{
  csv_free(lua_touserdata(L, 1));
  return 0;
}

static CsvTable *push_table(lua_State *L)
{
  CsvTable *table = lua_newuserdatauv(L, sizeof *table, 0);
  *table = (CsvTable){0};
  push_gc_metatable(L, "nnlua.CsvTable", release_table);
  lua_setmetatable(L, -2);
  return table;
}

/* A reading: in the core's hands, so that Ctrl-C ends it. */
typedef struct Reading {
  const char *path;
  CsvOptions options;
  CsvTable *table;
  bool well;
  char error[ERROR_TEXT];
} Reading;

static void read_table(Call *call, void *data)
{
  Reading *r = data;
  (void)call;
  r->well = csv_read(r->path, &r->options, r->table, r->error, sizeof r->error);
}

static Tensor *make_table(Call *call, void *data)
{
  const CsvTable *table = data;
  Tensor *t = tensor_new(call, table->dtype, DEVICE_CPU, INTS(table->rows, table->columns));
  if (t->numel > 0) memcpy(tensor_data(t), table->values, (size_t)t->numel * sizeof *table->values);
  return op(to_dtype, t, table->wanted, false, false);
}

/* The columns at an index, a list of numbers from 1 on or of names, which stay on the stack in a table of their own:
   the user's may be changed by finalizers. */
static int columns_argument(lua_State *L, int index, CsvOptions *options)
{
  if (lua_isnil(L, index)) return 0;
  lua_Integer n = lua_istable(L, index) ? (lua_Integer)lua_rawlen(L, index) : 0;
  if (n <= 0 || n > INT32_MAX)
    return user_error(L, "read_csv: columns must be a list of names, or of numbers from 1 on");
  bool is_named = lua_rawgeti(L, index, 1) == LUA_TSTRING;
  int64_t *numbers = lua_newuserdatauv(L, (size_t)n * sizeof *numbers, 0);
  const char **names = lua_newuserdatauv(L, (size_t)n * sizeof *names, 0);
  lua_createtable(L, is_named ? (int)n : 0, 0);
  for (lua_Integer i = 1; i <= n; i++) {
    int is_integer = 0, type = lua_rawgeti(L, index, i);
    if (is_named) names[i - 1] = type == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    else if (type == LUA_TNUMBER) numbers[i - 1] = lua_tointegerx(L, -1, &is_integer);
    if (is_named ? !names[i - 1] : !is_integer || numbers[i - 1] < 1 || numbers[i - 1] > INT32_MAX)
      return user_error(L, "read_csv: columns must be a list of names, or of numbers from 1 on");
    if (is_named) lua_rawseti(L, -2, i);
    else lua_pop(L, 1);
  }
  options->chosen_count = n;
  if (is_named) options->chosen_names = names;
  else options->chosen = numbers;
  options->header = options->header || is_named;
  return 0;
}

/* What stands for missing numbers: an integer where the dtype is one of those. */
static int missing_argument(lua_State *L, int index, CsvOptions *options)
{
  if (lua_isnil(L, index)) return 0;
  int is_number;
  if (dtype_is_integral(options->dtype)) options->missing.i = lua_tointegerx(L, index, &is_number);
  else options->missing.f = lua_tonumberx(L, index, &is_number);
  if (!is_number || lua_type(L, index) != LUA_TNUMBER)
    return user_error(L, "read_csv: missing must be %s, as the dtype is %s",
                      dtype_is_integral(options->dtype) ? "an integer" : "a number", dtype_name(options->dtype));
  options->has_missing = true;
  return 0;
}

static char delimiter_argument(lua_State *L, int index)
{
  const char *delimiter = lua_isnil(L, index) ? "," : lua_tostring(L, index);
  if (!delimiter || strlen(delimiter) != 1) user_error(L, "read_csv: delimiter must be one character");
  if (strchr("\"\r\n", *delimiter)) user_error(L, "read_csv: delimiter can't be a quote or the end of a line");
  return *delimiter;
}

/* Pushes the names of a table's columns, a list. */
static void push_names(lua_State *L, const CsvTable *table)
{
  lua_createtable(L, (int)table->columns, 0);
  for (int64_t i = 0; table->names && i < table->columns; i++) {
    lua_pushstring(L, table->names[i]);
    lua_rawseti(L, -2, i + 1);
  }
}

/* read_csv(path, {delimiter = ",", skip_rows = 0, dtype = float32, header = false, columns = nil, missing = nil}) */
int read_csv(lua_State *L)
{
  static const char *const names[] = {"path", "delimiter", "skip_rows", "dtype", "header", "columns", "missing", NULL};
  arguments_merge(L, "read_csv", 1, names);
  Reading r = {.path = path_argument(L, "read_csv", 1)};
  Context *ctx = context_of(L);
  int is_integer = 1;
  lua_Integer skip = lua_isnil(L, 3) ? 0 : lua_tointegerx(L, 3, &is_integer);
  r.options = (CsvOptions){.delimiter = delimiter_argument(L, 2), .skip_rows = skip, .dtype = ctx->default_dtype};
  if (!is_integer || skip < 0) return user_error(L, "read_csv: skip_rows must be an integer from 0 on");
  if (!lua_isnil(L, 4) && !dtype_test(L, 4, &r.options.dtype))
    return user_error(L, "read_csv: dtype must be a dtype, not %s", luaL_typename(L, 4));
  r.options.header = argument_bool(L, "read_csv", "header", 5, false);
  columns_argument(L, 6, &r.options);
  missing_argument(L, 7, &r.options);
  r.table = push_table(L);
  core_run(L, ctx, read_table, &r);
  core_prepare(L, ctx); /* raises, if it was interrupted */
  if (!r.well) return user_error(L, "read_csv: %s", r.error);
  push_made(L, ctx, make_table, r.table);
  if (r.options.header) push_names(L, r.table);
  csv_free(r.table);
  return r.options.header ? 2 : 1;
}
