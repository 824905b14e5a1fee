/* nl.utils.data.read_csv. */
#include <stdlib.h>
#include <string.h>

#include "io/csv.h"
#include "lua/named_arguments.h"
#include "lua/open.h"
#include "lua/files/path.h"
#include "ops/shape/copy.h"

/* Whatever happens, the collector frees the values of a table, which are malloc's. */
static int release_values(lua_State *L)
{
  CsvTable *table = lua_touserdata(L, 1);
  free(table->values);
  table->values = NULL;
  return 0;
}

static CsvTable *push_table(lua_State *L)
{
  CsvTable *table = lua_newuserdatauv(L, sizeof *table, 0);
  *table = (CsvTable){0};
  push_gc_metatable(L, "nnlua.CsvTable", release_values);
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

/* read_csv(path, {delimiter = ",", skip_rows = 0, dtype = float32}) */
int read_csv(lua_State *L)
{
  static const char *const names[] = {"path", "delimiter", "skip_rows", "dtype", NULL};
  arguments_merge(L, "read_csv", 1, names);
  Reading r = {.path = path_argument(L, "read_csv", 1)};
  const char *delimiter = lua_isnil(L, 2) ? "," : lua_tostring(L, 2);
  if (!delimiter || strlen(delimiter) != 1) return user_error(L, "read_csv: delimiter must be one character");
  int is_integer = 1;
  lua_Integer skip = lua_isnil(L, 3) ? 0 : lua_tointegerx(L, 3, &is_integer);
  if (!is_integer || skip < 0) return user_error(L, "read_csv: skip_rows must be an integer from 0 on");
  Context *ctx = context_of(L);
  r.options = (CsvOptions){.delimiter = *delimiter, .skip_rows = skip, .dtype = ctx->default_dtype};
  if (!lua_isnil(L, 4) && !dtype_test(L, 4, &r.options.dtype))
    return user_error(L, "read_csv: dtype must be a dtype, not %s", luaL_typename(L, 4));
  r.table = push_table(L);
  core_run(L, ctx, read_table, &r);
  core_prepare(L, ctx); /* raises, if it was interrupted */
  if (!r.well) return user_error(L, "read_csv: %s", r.error);
  push_made(L, ctx, make_table, r.table);
  free(r.table->values);
  r.table->values = NULL;
  return 1;
}
