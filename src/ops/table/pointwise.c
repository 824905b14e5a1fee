#include <stdlib.h>
#include <string.h>

#include "core/extremes.h"
#include "ops/math/composed_arithmetic.h"
#include "ops/table/expression.h"
#include "ops/table/helpers.h"

/* --------------------------------------------------------------- promotion */

/* Combines dtypes of different weight: the lower one only counts if its category is higher. */
static DType combine_weights(DType higher, DType lower)
{
  if (higher == DTYPE_NONE) return lower;
  if (lower == DTYPE_NONE || dtype_is_complex(higher)) return higher;
  if (dtype_is_floating(higher)) return dtype_is_complex(lower) ? dtype_to_complex(higher) : higher;
  if (higher == DTYPE_b8 || dtype_is_inexact(lower)) return dtype_promote(higher, lower);
  return higher;
}

static DType promote_some(DType a, DType b) { return a == DTYPE_NONE ? b : dtype_promote(a, b); }

static DType number_dtype(const Context *ctx, DType d)
{
  if (dtype_is_complex(d)) return dtype_to_complex(ctx->default_dtype);
  return dtype_is_floating(d) ? ctx->default_dtype : d;
}

DType promote_operands(Call *call, Tensor *const *operands, int n)
{
  DType dims = DTYPE_NONE, zero_dims = DTYPE_NONE, numbers = DTYPE_NONE;
  bool only_numbers = true;
  for (int i = 0; i < n; i++) only_numbers &= operands[i]->is_wrapped_number;
  for (int i = 0; i < n; i++) {
    const Tensor *t = operands[i];
    DType d = tensor_dtype(t);
    if (t->ndim > 0) dims = promote_some(dims, d);
    else if (!t->is_wrapped_number) zero_dims = promote_some(zero_dims, d);
    else numbers = promote_some(numbers, only_numbers ? d : number_dtype(call->ctx, d));
  }
  return combine_weights(dims, combine_weights(zero_dims, numbers));
}

Ints broadcast_operands(Call *call, Tensor *const *operands, int n)
{
  int64_t shape[MAX_DIMS];
  int ndim = 0;
  for (int i = 0; i < n; i++) {
    int wider = shape_broadcast(shape, ndim, tensor_shape(operands[i]));
    if (wider < 0)
      raise(call, "shapes %s and %s don't broadcast", shape_text(call, tensor_shape(operands[0])),
            shape_text(call, tensor_shape(operands[i])));
    ndim = wider;
  }
  return arena_ints(call->ctx, shape, ndim);
}

/* ------------------------------------------------------------------ forward */

/* Whether there is nothing to promote: all have the same dtype, and none is a number. */
static bool have_one_dtype(Tensor *const *operands, int n)
{
  for (int i = 0; i < n; i++)
    if (operands[i]->dtype != operands[0]->dtype || operands[i]->is_wrapped_number) return false;
  return true;
}

static DType compute_dtype(Call *call, const Op *o, Tensor *const *operands, int n)
{
  DType d = have_one_dtype(operands, n) ? tensor_dtype(operands[0]) : promote_operands(call, operands, n);
  const PointwiseClass *c = &o->pointwise->type_class;
  uint8_t rule = c->operands[dtype_category(d)];
  if (rule == TAKES) return d;
  if (rule == WIDENS) return call->ctx->default_dtype;
  if (c->result == GIVES_BOOL) raise(call, "complex numbers have no order");
  raise(call, "%s tensors are not taken%s", dtype_name(d),
        d == DTYPE_b8 ? ": convert them, or use a logical operation" : "");
}

static Tensor *const *operands_of(const void *args) { return args; }

static const Scalar *params_of(const Op *o, const void *args)
{
  return (const Scalar *)((const char *)args + (size_t)o->pointwise->arity * sizeof(Tensor *));
}

/* Two parameters that are bounds must be in order. */
static void check_bounds(Call *call, const Op *o, const Scalar *p)
{
  const int n = o->pointwise->arity;
  if (o->nargs < n + 2 || strcmp(o->args[n].name, "min_val") != 0) return;
  double low = scalar_real(p[0]), high = scalar_real(p[1]);
  if (low > high) raise(call, "min_val must not be greater than max_val, but %g is greater than %g", low, high);
}

/* What a parameter named after min or max bounds: -1 from below, 1 from above, 0 if it is no bound. */
static int side_of_bound(const char *name)
{
  return strncmp(name, "min", 3) == 0 ? -1 : strncmp(name, "max", 3) == 0 ? 1 : 0;
}

/* A bound as an integer dtype has it: one behind all its numbers is the last of them, one before them leaves none. */
static Scalar bound_within(Call *call, const char *name, Scalar bound, DType dtype)
{
  int side = side_of_bound(name);
  Scalar least = extreme_of_dtype(dtype, false), greatest = extreme_of_dtype(dtype, true);
  bool below = bound.kind == SCALAR_FLOAT ? bound.re < (double)least.i : bound.i < least.i;
  bool above = bound.kind == SCALAR_FLOAT ? bound.re > (double)greatest.i : bound.i > greatest.i;
  if (side < 0 ? above : below)
    raise(call, "%s is %.17g, which lies beyond all numbers of %s", name, scalar_real(bound), dtype_name(dtype));
  return below ? least : above ? greatest : bound;
}

/* A scalar parameter must not bring a category that the operands can't hold, nor an integer beyond their limits. */
static void check_param(Call *call, const Op *o, const char *name, Scalar p, DType compute)
{
  bool fits = p.kind <= SCALAR_INT || dtype_is_inexact(compute) || o->forms & TRUNCATES;
  if (p.kind == SCALAR_COMPLEX) fits = dtype_is_complex(compute);
  if (p.kind == SCALAR_BOOL && compute != DTYPE_b8) fits = false;
  if (!fits) raise(call, "%s doesn't fit a %s result", name, dtype_name(compute));
  if (side_of_bound(name) == 0 && !scalar_fits(p, compute))
    raise(call, "%s is %.17g, which %s can't hold", name, scalar_real(p), dtype_name(compute));
}

/* The parameters as a kernel of a dtype takes them. */
static const Scalar *checked_params(Call *call, const Op *o, const void *args, DType compute)
{
  const Scalar *p = params_of(o, args);
  int first = o->pointwise->arity, n = 0;
  check_bounds(call, o, p);
  for (; first + n < o->nargs && o->args[first + n].kind == ARG_SCALAR; n++)
    check_param(call, o, o->args[first + n].name, p[n], compute);
  if (!dtype_is_integral(compute)) return p;
  Scalar *within = arena_allocate(call->ctx, (size_t)n * sizeof *within);
  for (int i = 0; i < n; i++) {
    const char *name = o->args[first + i].name;
    within[i] = side_of_bound(name) ? bound_within(call, name, p[i], compute) : p[i];
  }
  return within;
}

static bool is_comparison(const Op *o) { return o->pointwise->type_class.result == GIVES_BOOL; }

/* What the kernel for operands of a dtype gives. */
static DType produced_dtype(const Op *o, DType d)
{
  if (is_comparison(o)) return DTYPE_b8;
  return o->pointwise->type_class.result == GIVES_REAL ? dtype_to_real(d) : d;
}

/* The result, in the operands' order in memory. The first operand may be a number, which is no meta tensor. */
static Tensor *pointwise_result(Call *call, Tensor *const *operands, int n, DType dtype)
{
  const Tensor *first = operands[0];
  Device device = result_device(call);
  bool alike = first->is_contiguous;
  for (int i = 1; i < n && alike; i++) alike = tensor_same_shape(first, operands[i]);
  if (alike && !call->into && !call->planned) return tensor_new_alike(call, dtype, device, first);
  Ints shape = alike ? tensor_shape(first) : broadcast_operands(call, operands, n);
  return result_ordered(call, dtype, device, shape, operands, n);
}

static PointwiseChoice choice_of(const Op *o, int derivative)
{
  return (PointwiseChoice){o->pointwise->family, o->pointwise->index, derivative};
}

/* The row that runs a power: those of the most frequent exponents do without the exponent and pow. */
static const Op *power_row(const Op *pow, Tensor *const *operands, DType d, int *n)
{
  Scalar e = tensor_number(operands[1]);
  if (e.kind != SCALAR_INT && e.kind != SCALAR_FLOAT) return pow;
  double power = scalar_real(e);
  bool floating = dtype_is_floating(d);
  const Op *row = power == 2                  ? square_number_row
                  : power == 3                ? cube_row
                  : floating && power == 0.5  ? sqrt_row
                  : floating && power == -0.5 ? rsqrt_row
                  : floating && power == -1   ? reciprocal_row
                                              : pow;
  if (row != pow) *n = 1;
  return row;
}

PointwiseWay pointwise_way(Call *call, const void *args)
{
  const Op *o = call->op;
  Tensor *const *operands = operands_of(args);
  PointwiseWay way = {.n = o->pointwise->arity};
  way.compute = compute_dtype(call, o, operands, way.n);
  way.produced = produced_dtype(o, way.compute);
  if (o->nargs > way.n) way.params = checked_params(call, o, args, way.compute);
  const Op *row = o == pow_row ? power_row(o, operands, way.compute, &way.n) : o;
  way.choice = choice_of(row, NO_DERIVATIVE);
  return way;
}

static void check_power(Call *call, Tensor *const *operands, DType d)
{
  Scalar e = tensor_number(operands[1]);
  if (e.kind == SCALAR_INT && e.i < 0 && !dtype_is_inexact(d))
    raise(call, "integers to the negative power %lld are fractions: convert them, as x:float(), or give %lld.0",
          (long long)e.i, (long long)e.i);
}

void pointwise_forward(Call *call, const void *args, Tensor **y)
{
  const Op *o = call->op;
  const PointwiseInfo *info = o->pointwise;
  Tensor *const *operands = operands_of(args);
  DType d = compute_dtype(call, o, operands, info->arity), produced = produced_dtype(o, d);
  const Scalar *params = o->nargs > info->arity ? checked_params(call, o, args, d) : NULL;
  if (o == pow_row) check_power(call, operands, d);
  if (call->into && dtype_is_complex(d) && !dtype_is_complex(produced) && produced != DTYPE_b8)
    raise(call, "the result is %s, so it has no in-place form for %s", dtype_name(produced), dtype_name(d));
  y[0] = pointwise_result(call, operands, info->arity, produced);
  int n = info->arity;
  const Op *row = o == pow_row ? power_row(o, operands, d, &n) : o;
  launch_pointwise(call, choice_of(row, NO_DERIVATIVE), d, produced, y[0], operands, n, params);
  if (info->arity > 1) {
    bool numbers = true;
    for (int i = 0; i < info->arity; i++) numbers &= operands[i]->is_wrapped_number;
    y[0]->is_wrapped_number |= numbers;
  }
}

/* ----------------------------------------------------------------- backward */

/* What a derivative's kernel reads: dy, the operands, y, each NULL where it isn't needed. */
static void derivative_operands(const Op *o, uint32_t needs, const void *args, Tensor *y, Tensor *dy, Tensor **list)
{
  int arity = o->pointwise->arity;
  list[0] = dy;
  for (int k = 0; k < arity; k++) list[1 + k] = needs & argument_bit(k) ? operands_of(args)[k] : NULL;
  list[1 + arity] = needs & result_bit(0) ? y : NULL;
}

/* The gradient of an operand before it is summed to the operand's shape. */
static Tensor *new_gradient(Call *call, const void *args, Tensor *dy)
{
  bool real = call->op->pointwise->type_class.result == GIVES_REAL;
  DType d = real ? tensor_dtype(operands_of(args)[0]) : tensor_dtype(dy);
  if (dy->is_contiguous && !call->planned) return tensor_new_alike(call, d, (Device)dy->device, dy);
  return result_ordered(call, d, (Device)dy->device, tensor_shape(dy), &dy, 1);
}

static Tensor *run_derivative_kernel(Call *call, int i, const void *args, Tensor *y, Tensor *dy)
{
  const Op *o = call->op;
  Tensor *list[POINTWISE_OPERANDS], *dx = new_gradient(call, args, dy);
  DType d = tensor_dtype(dx);
  derivative_operands(o, op_plan(o)->needs[i], args, y, dy, list);
  launch_pointwise(call, choice_of(o, i), d, d, dx, list, o->pointwise->arity + 2, params_of(o, args));
  return dx;
}

/* Both gradients of a binary op in one pass, if they can be had so. */
static bool run_both_derivatives(Call *call, const void *args, Tensor *y, Tensor *dy, Tensor **dx)
{
  const Op *o = call->op;
  const OpPlan *plan = op_plan(o);
  if (o->pointwise->arity != 2 || call->ctx->grad_enabled) return false;
  for (int i = 0; i < 2; i++)
    if (plan->derivatives[i] != DERIVATIVE_COMPUTED) return false;
  Tensor *list[POINTWISE_OPERANDS];
  derivative_operands(o, plan->needs[0] | plan->needs[1], args, y, dy, list);
  if (!pair_is_plain(choice_of(o, NO_DERIVATIVE), tensor_dtype(dy), list)) return false;
  for (int i = 0; i < 2; i++) dx[i] = new_gradient(call, args, dy);
  launch_derivative_pair(choice_of(o, NO_DERIVATIVE), dx, list, params_of(o, args));
  return true;
}

/* What the derivative depends on by comparisons only has a second derivative of zero, which must still arrive. */
static Tensor *link_compared(Call *call, uint32_t compared, const void *args, Tensor *y, Tensor *dx)
{
  int arity = call->op->pointwise->arity;
  for (int k = 0; k <= arity && compared; k++) {
    Tensor *t = k < arity ? operands_of(args)[k] : y;
    bool is_compared = compared & (k < arity ? argument_bit(k) : result_bit(0));
    if (is_compared && t && tensor_requires_grad(t)) dx = op(zero_link, dx, t);
  }
  return dx;
}

static Tensor *run_derivative_ops(Call *call, int i, const void *args, Tensor *y, Tensor *dy)
{
  const Op *o = call->op;
  const PointwiseInfo *info = o->pointwise;
  static const char *const names[3][3] = {{"x"}, {"a", "b"}, {"a", "b", "c"}};
  Named named[2 + MAX_ARGUMENTS + 1] = {{"dy", dy, NO_SCALAR}, {"y", y, NO_SCALAR}};
  int n = 2;
  for (int k = 0; k < info->arity; k++)
    named[n++] = (Named){names[info->arity - 1][k], operands_of(args)[k], NO_SCALAR};
  const Scalar *params = params_of(o, args);
  for (int k = info->arity; k < o->nargs && o->args[k].kind == ARG_SCALAR; k++)
    named[n++] = (Named){o->args[k].name, NULL, params[k - info->arity]};
  const ParsedDerivative *parsed = derivative_of(o, i);
  Tensor *dx = expression_run(call, parsed->expression, named);
  return link_compared(call, parsed->compared, args, y, dx);
}

static Tensor *derivative(Call *call, int i, const void *args, Tensor *y, Tensor *dy)
{
  switch (op_plan(call->op)->derivatives[i]) {
    case DERIVATIVE_IS_DY: return dy;
    case DERIVATIVE_ZERO: return zeros_like_of(dy);
    default: break;
  }
  return (call->ctx->grad_enabled ? run_derivative_ops : run_derivative_kernel)(call, i, args, y, dy);
}

Tensor *pointwise_derivative(Call *parent, const Op *op, int i, const void *args, Tensor *y, Tensor *dy)
{
  Call call = {.ctx = parent->ctx, .op = op, .parent = parent};
  switch (op_plan(op)->derivatives[i]) {
    case DERIVATIVE_IS_DY: return dy;
    case DERIVATIVE_ZERO: return word_like(&call, dy, 0);
    default: return run_derivative_ops(&call, i, args, y, dy);
  }
}

void pointwise_backward(Call *call, const void *args, Tensor *const *y, Tensor *const *dy, struct Gradients *g)
{
  int arity = call->op->pointwise->arity, wanted = 0;
  Tensor *dx[3];
  bool wants[3];
  for (int i = 0; i < arity; i++) wanted += wants[i] = gradient_wanted(g, (size_t)i * sizeof(Tensor *), 0);
  bool both = wanted == 2 && run_both_derivatives(call, args, y[0], dy[0], dx);
  for (int i = 0; i < arity; i++) {
    if (!wants[i]) continue;
    if (!both) dx[i] = derivative(call, i, args, y[0], dy[0]);
    *gradient_place(g, (size_t)i * sizeof(Tensor *), 0) = summed_to(dx[i], operands_of(args)[i]);
  }
}
