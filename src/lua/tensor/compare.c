/* equal and allclose: whether two tensors are the same, to the bit or within a tolerance. */
#include <math.h>
#include <string.h>

#include "core/shape.h"
#include "lua/named_arguments.h"
#include "lua/open.h"
#include "ops/math/comparison.h"
#include "ops/shape/copy.h"
#include "ops/shape/view.h"

typedef struct Tolerance {
  double rtol, atol;
  bool equal_nan;
} Tolerance;

typedef struct Comparison {
  Tensor *a, *b;
  Tolerance tolerance;
  bool result;
} Comparison;

static void check_pair(lua_State *L, const char *function, Tensor **a, Tensor **b)
{
  *a = tensor_check(L, 1);
  *b = tensor_check(L, 2);
  for (int i = 0; i < 2; i++) {
    const Tensor *t = i ? *b : *a;
    if (t->device == DEVICE_META) user_error(L, "%s: %s", function, why_no_elements(t));
    tell_reading(L, t, function);
  }
}

static void compare_exactly(Call *call, void *data)
{
  Comparison *c = data;
  const Tensor *same = op(contiguous, op(eq, c->a, c->b));
  c->result = memchr(tensor_data(same), 0, (size_t)same->numel) == NULL;
}

static int nl_equal(lua_State *L)
{
  Comparison c;
  check_pair(L, "equal", &c.a, &c.b);
  c.result = tensor_same_shape(c.a, c.b);
  if (c.result && c.a->numel) core_run(L, c.a->ctx, compare_exactly, &c);
  lua_pushboolean(L, c.result);
  return 1;
}

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
  const int64_t *m = a, *k = b;
  const double *x = a, *y = b;
  bool close = true;
  if (dtype == DTYPE_i64)
    for (int64_t i = 0; close && i < n; i++) close = is_close_integer(t, m[i], k[i]);
  else if (dtype == DTYPE_f64)
    for (int64_t i = 0; close && i < n; i++) close = is_close(t, x[i], y[i]);
  else
    for (int64_t i = 0; close && i < n; i++) close = is_close_complex(t, x + 2 * i, y + 2 * i);
  return close;
}

/* As elements of the widest dtype of its category, in the common shape. */
static Tensor *widened(Call *call, Tensor *t, DType wide, Ints shape)
{
  Tensor *plain = op(to_dtype, op(detach, t), wide, false, false);
  return op(contiguous, op(expand, plain, shape));
}

static void compare_closely(Call *call, void *data)
{
  Comparison *c = data;
  const Tensor *a = c->a, *b = c->b;
  if (a->dtype != b->dtype)
    raise_plain(call->ctx, "allclose: the tensors have different dtypes: %s and %s", dtype_name(tensor_dtype(a)),
                dtype_name(tensor_dtype(b)));
  int64_t shape[MAX_DIMS];
  memcpy(shape, a->shape, (size_t)a->ndim * sizeof *shape);
  int ndim = shape_broadcast(shape, a->ndim, tensor_shape(b));
  if (ndim < 0)
    raise_plain(call->ctx, "allclose: shapes %s and %s don't broadcast", shape_text(call, tensor_shape(a)),
                shape_text(call, tensor_shape(b)));
  DType dtype = tensor_dtype(a);
  DType wide = dtype_is_complex(dtype) ? DTYPE_c128 : dtype_is_floating(dtype) ? DTYPE_f64 : DTYPE_i64;
  const Tensor *x = widened(call, c->a, wide, (Ints){shape, ndim}), *y = widened(call, c->b, wide, (Ints){shape, ndim});
  c->result = all_close(&c->tolerance, wide, x->numel, tensor_data(x), tensor_data(y));
}

static double real_option(lua_State *L, const char *name, int index, double otherwise)
{
  if (lua_isnil(L, index)) return otherwise;
  if (lua_type(L, index) != LUA_TNUMBER)
    user_error(L, "allclose: argument '%s': a number expected, got %s", name, luaL_typename(L, index));
  return lua_tonumber(L, index);
}

static int nl_allclose(lua_State *L)
{
  static const char *const names[] = {"rtol", "atol", "equal_nan", NULL};
  Comparison c;
  check_pair(L, "allclose", &c.a, &c.b);
  arguments_merge(L, "allclose", 3, names);
  c.tolerance = (Tolerance){real_option(L, "rtol", 3, 1e-5), real_option(L, "atol", 4, 1e-8),
                            argument_bool(L, "allclose", "equal_nan", 5, false)};
  core_run(L, c.a->ctx, compare_closely, &c);
  lua_pushboolean(L, c.result);
  return 1;
}

const luaL_Reg comparison_functions[] = {{"equal", nl_equal}, {"allclose", nl_allclose}, {NULL, NULL}};
