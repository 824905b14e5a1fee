/* Whether tensors are equal or close: one truth value for all elements. */
#include <math.h>
#include <string.h>

#include "lua/data.h"

static void check_pair(lua_State *L, const char *function, Tensor **a, Tensor **b)
{
  *a = tensor_check(L, 1);
  *b = tensor_check(L, 2);
  if ((*a)->device == DEVICE_META || (*b)->device == DEVICE_META)
    user_error(L, "%s: a meta tensor has no elements", function);
}

int nl_equal(lua_State *L)
{
  Context *ctx = context_of(L);
  Tensor *a, *b;
  check_pair(L, "equal", &a, &b);
  core_prepare(L, ctx);
  volatile bool equal = tensor_same_shape(a, b);
  if (equal && a->numel) {
    Entry entry;
    if (!ENTER(ctx, &entry)) return core_failed(L, ctx);
    Call scope = {.ctx = ctx}, *call = &scope;
    Tensor *same = op(contiguous, op(eq, a, b));
    equal = memchr(tensor_data(same), 0, (size_t)same->numel) == NULL;
    entry_leave(ctx, &entry);
  }
  lua_pushboolean(L, equal);
  return 1;
}

typedef struct Tolerance { double rtol, atol; bool equal_nan; } Tolerance;

static bool is_close(const Tolerance *t, double a, double b)
{
  if (a == b) return true;
  if (isnan(a) && isnan(b)) return t->equal_nan;
  double allowed = t->atol + fabs(t->rtol * b), distance = fabs(a - b);
  return isfinite(distance) && distance <= allowed;
}

static bool is_close_complex(const Tolerance *t, const double *a, const double *b)
{
  if (a[0] == b[0] && a[1] == b[1]) return true;
  bool a_nan = isnan(a[0]) || isnan(a[1]), b_nan = isnan(b[0]) || isnan(b[1]);
  if (a_nan && b_nan) return t->equal_nan;
  double allowed = t->atol + fabs(t->rtol) * hypot(b[0], b[1]), distance = hypot(a[0] - b[0], a[1] - b[1]);
  return isfinite(distance) && distance <= allowed;
}

/* The difference of integers is exact, as that of doubles is not. */
static bool is_close_integer(const Tolerance *t, int64_t a, int64_t b)
{
  if (a == b) return true;
  uint64_t distance = a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a;
  return (double)distance <= t->atol + fabs(t->rtol * (double)b);
}

static bool all_close(const Tolerance *t, DType dtype, int64_t n, const void *a, const void *b)
{
  bool close = true;
  if (dtype == DTYPE_i64)
    for (int64_t i = 0; close && i < n; i++) close = is_close_integer(t, ((const int64_t *)a)[i], ((const int64_t *)b)[i]);
  else if (dtype == DTYPE_f64)
    for (int64_t i = 0; close && i < n; i++) close = is_close(t, ((const double *)a)[i], ((const double *)b)[i]);
  else
    for (int64_t i = 0; close && i < n; i++)
      close = is_close_complex(t, (const double *)a + 2 * i, (const double *)b + 2 * i);
  return close;
}

/* As elements of the widest dtype of its category, in the common shape. */
static Tensor *widened(Call *call, Tensor *t, DType wide, Ints shape)
{
  Tensor *plain = op(to_dtype, op(detach, t), wide, false, false);
  return op(contiguous, op(expand, plain, shape));
}

static bool compare(Call *call, const Tolerance *t, Tensor *a, Tensor *b)
{
  if (a->dtype != b->dtype)
    raise_plain(call->ctx, "allclose: the tensors have different dtypes: %s and %s", dtype_name(tensor_dtype(a)),
                dtype_name(tensor_dtype(b)));
  int64_t shape[MAX_DIMS];
  memcpy(shape, a->shape, sizeof shape);
  int ndim = shape_broadcast(shape, a->ndim, tensor_shape(b));
  if (ndim < 0)
    raise_plain(call->ctx, "allclose: shapes %s and %s don't broadcast", shape_text(call, tensor_shape(a)),
                shape_text(call, tensor_shape(b)));
  DType dtype = tensor_dtype(a), wide = dtype_is_complex(dtype) ? DTYPE_c128 : dtype_is_floating(dtype) ? DTYPE_f64 : DTYPE_i64;
  Tensor *x = widened(call, a, wide, (Ints){shape, ndim}), *y = widened(call, b, wide, (Ints){shape, ndim});
  return all_close(t, wide, x->numel, tensor_data(x), tensor_data(y));
}

static double real_argument(lua_State *L, int named, int index, const char *name, double otherwise)
{
  push_argument(L, named, index, name, "allclose");
  double value = lua_isnil(L, -1) ? otherwise : lua_tonumber(L, -1);
  if (!lua_isnil(L, -1) && lua_type(L, -1) != LUA_TNUMBER)
    user_error(L, "allclose: argument '%s': a number expected, got %s", name, luaL_typename(L, -1));
  lua_pop(L, 1);
  return value;
}

int nl_allclose(lua_State *L)
{
  static const char *const known[] = {"rtol", "atol", "equal_nan", NULL};
  Context *ctx = context_of(L);
  Tensor *a, *b;
  check_pair(L, "allclose", &a, &b);
  int named = named_arguments(L, "allclose", known);
  Tolerance t = {real_argument(L, named, 3, "rtol", 1e-5), real_argument(L, named, 4, "atol", 1e-8), false};
  push_argument(L, named, 5, "equal_nan", "allclose");
  t.equal_nan = lua_toboolean(L, -1);
  core_prepare(L, ctx);
  Entry entry;
  if (!ENTER(ctx, &entry)) return core_failed(L, ctx);
  Call call = {.ctx = ctx};
  bool close = compare(&call, &t, a, b);
  entry_leave(ctx, &entry);
  lua_pushboolean(L, close);
  return 1;
}
