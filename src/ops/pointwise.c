#include <stdlib.h>
#include <string.h>

#include "core/blocks.h"
#include "core/iter.h"
#include "ops/expression.h"
#include "ops/helpers.h"

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

/* --------------------------------------------------------------- launching */

typedef struct Launch {
  PointwiseKernel kernel;
  const Scalar *params;
  int operands;                       /* operand 0 is the result */
  size_t size[LAUNCH_OPERANDS + 1];   /* bytes of an element in memory */
  size_t compute_size[LAUNCH_OPERANDS + 1];
  CastKernel cast[LAUNCH_OPERANDS + 1]; /* NULL where memory has the kernel's dtype */
  int place[LAUNCH_OPERANDS + 1];     /* where the kernel wants operand k; unused places repeat operand 1 */
  int places;
  bool used[LAUNCH_OPERANDS + 1];
} Launch;

static bool is_direct(const Launch *l, int k, const int64_t *strides)
{
  return !l->cast[k] && strides[k] == (int64_t)l->size[k];
}

static void load(const Launch *l, int k, int64_t n, const char *from, int64_t stride, char *to)
{
  if (l->cast[k]) l->cast[k](n, from, stride, to, (int64_t)l->compute_size[k]);
  else copy_elements(l->size[k], n, from, stride, to, (int64_t)l->size[k]);
}

static void store(const Launch *l, int64_t n, const char *from, char *to, int64_t stride)
{
  if (l->cast[0]) l->cast[0](n, from, (int64_t)l->compute_size[0], to, stride);
  else copy_elements(l->size[0], n, from, (int64_t)l->size[0], to, stride);
}

static void call_kernel(const Launch *l, int64_t n, char *const *p)
{
  char *places[LAUNCH_OPERANDS + 1];
  for (int i = 0; i < l->places; i++) places[i] = p[1];
  for (int k = 0; k < l->operands; k++) places[l->place[k]] = p[k];
  l->kernel(n, places, l->params);
}

/* A run with operands that the kernel can't take as they are: through buffers, piece by piece. */
static void run_buffered(const Launch *l, int64_t n, char *const *p, const int64_t *strides)
{
  _Alignas(64) char buffer[LAUNCH_OPERANDS + 1][POINTWISE_CHUNK * 16];
  char *q[LAUNCH_OPERANDS + 1];
  for (int64_t done = 0; done < n; done += POINTWISE_CHUNK) {
    int64_t piece = n - done < POINTWISE_CHUNK ? n - done : POINTWISE_CHUNK;
    for (int k = 1; k < l->operands; k++) {
      q[k] = p[k] + done * strides[k];
      if (is_direct(l, k, strides)) continue;
      if (strides[k] != 0 || done == 0) load(l, k, piece, q[k], strides[k], buffer[k]); /* else it is there */
      q[k] = buffer[k];
    }
    bool direct = is_direct(l, 0, strides);
    q[0] = direct ? p[0] + done * strides[0] : buffer[0];
    call_kernel(l, piece, q);
    if (!direct) store(l, piece, buffer[0], p[0] + done * strides[0], strides[0]);
  }
}

static void launch_run(void *arg, int64_t n, char *const *p, const int64_t *strides)
{
  const Launch *l = arg;
  for (int k = 0; k < l->operands; k++) {
    if (!is_direct(l, k, strides)) {
      run_buffered(l, n, p, strides);
      return;
    }
  }
  call_kernel(l, n, p);
}

static bool same_strides(const Tensor *a, const Tensor *b)
{
  if (a->is_contiguous && b->is_contiguous) return true;
  return memcmp(a->strides, b->strides, a->ndim * sizeof *a->strides) == 0 && tensor_is_dense(a);
}

/* All operands lie in memory alike, or have a single element: one stretch, no iterator. */
typedef struct Flat {
  const Launch *launch;
  char *p[LAUNCH_OPERANDS + 1];
  bool single[LAUNCH_OPERANDS + 1]; /* p points to a buffer full of the one element */
  bool any_single;
} Flat;

static void flat_part(void *arg, int64_t begin, int64_t end)
{
  const Flat *f = arg;
  const Launch *l = f->launch;
  int64_t step = f->any_single ? POINTWISE_CHUNK : end - begin;
  for (int64_t at = begin; at < end; at += step) {
    char *q[LAUNCH_OPERANDS + 1];
    for (int k = 0; k < l->operands; k++) q[k] = f->p[k] + (f->single[k] ? 0 : at * (int64_t)l->size[k]);
    call_kernel(l, end - at < step ? end - at : step, q);
  }
}

static bool is_flat(const Launch *l, Tensor *const *t, int k)
{
  return !l->cast[k] && (k == 0 || (tensor_same_shape(t[0], t[k]) && same_strides(t[0], t[k])));
}

static bool launch_flat(const Launch *l, Tensor *const *t)
{
  int64_t n = t[0]->numel;
  Flat f = {.launch = l};
  if (!t[0]->is_contiguous && !tensor_is_dense(t[0])) return false;
  for (int k = 0; k < l->operands; k++) {
    if (is_flat(l, t, k)) continue;
    if (k == 0 || t[k]->numel != 1) return false;
    f.single[k] = f.any_single = true;
  }
  _Alignas(64) char buffer[LAUNCH_OPERANDS + 1][POINTWISE_CHUNK * 16];
  for (int k = 0; k < l->operands; k++) {
    f.p[k] = tensor_data(t[k]);
    if (!f.single[k]) continue;
    load(l, k, n < POINTWISE_CHUNK ? n : POINTWISE_CHUNK, f.p[k], 0, buffer[k]);
    f.p[k] = buffer[k];
  }
  if (n <= GRAIN) flat_part(&f, 0, n);
  else parallel_for(n, GRAIN, flat_part, &f);
  return true;
}

static void add_operand(Launch *l, Tensor **list, Tensor *t, int place, DType in_memory, DType in_kernel)
{
  int k = l->operands++;
  list[k] = t;
  l->place[k] = place;
  l->size[k] = dtype_size(in_memory);
  l->compute_size[k] = dtype_size(in_kernel);
  if (in_memory == in_kernel) l->cast[k] = NULL;
  else l->cast[k] = k ? cast_kernel(in_memory, in_kernel) : cast_kernel(in_kernel, in_memory);
}

void launch_pointwise(Call *call, PointwiseKernel kernel, DType compute, DType produced, Tensor *y,
                      Tensor *const *operands, int n, const Scalar *params)
{
  if (y->device == DEVICE_META || y->numel == 0) return;
  if (!kernel) raise(call, "%s tensors are not taken", dtype_name(compute));
  Launch l = {.kernel = kernel, .params = params, .places = n + 1};
  Tensor *list[LAUNCH_OPERANDS + 1];
  add_operand(&l, list, y, 0, tensor_dtype(y), produced);
  for (int i = 0; i < n; i++)
    if (operands[i]) add_operand(&l, list, operands[i], i + 1, tensor_dtype(operands[i]), compute);
  if (launch_flat(&l, list)) return;
  Iter it;
  iter_init(&it, tensor_shape(y));
  for (int k = 0; k < l.operands; k++) iter_add(&it, list[k]);
  iter_plan(&it);
  iter_parallel(&it, GRAIN, launch_run, &l);
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

/* A scalar parameter must not bring a category that the operands can't hold. */
static void check_params(Call *call, const Op *o, const void *args, DType compute)
{
  const Scalar *p = params_of(o, args);
  for (int i = o->pointwise->arity; i < o->nargs && o->args[i].kind == ARG_SCALAR; i++, p++) {
    bool fits = p->kind <= SCALAR_INT || dtype_is_inexact(compute) || o->forms & TRUNCATES;
    if (p->kind == SCALAR_COMPLEX) fits = dtype_is_complex(compute);
    if (p->kind == SCALAR_BOOL && compute != DTYPE_b8) fits = false;
    if (compute == DTYPE_u8 && o->forms & MAY_OVERWRITE && scalar_real(*p) < 0) fits = false; /* activations have bounds */
    if (!fits) raise(call, "%s doesn't fit a %s result", o->args[i].name, dtype_name(compute));
  }
}

static bool is_comparison(const Op *o) { return o->pointwise->type_class.result == GIVES_BOOL; }

/* What the kernel for operands of a dtype gives. */
static DType produced_dtype(const Op *o, DType d)
{
  if (is_comparison(o)) return DTYPE_b8;
  return o->pointwise->type_class.result == GIVES_REAL ? dtype_to_real(d) : d;
}

/* The result: laid out in memory as the operands are, if they agree. */
static Tensor *pointwise_result(Call *call, Tensor *const *operands, int n, DType dtype)
{
  const Tensor *first = operands[0];
  Device device = call->meta ? DEVICE_META : DEVICE_CPU; /* the first may be a number, which is no meta tensor */
  bool alike = true;
  for (int i = 1; i < n && alike; i++) alike = tensor_same_shape(first, operands[i]);
  if (alike && first->is_contiguous && !call->into) return tensor_new_alike(call, dtype, device, first);
  if (alike && first->is_contiguous) return result_new(call, dtype, device, tensor_shape(first));
  for (int i = 1; i < n && alike; i++) alike = same_strides(first, operands[i]);
  if (alike && tensor_is_dense(first))
    return result_strided(call, dtype, device, tensor_shape(first), tensor_strides(first));
  return result_new(call, dtype, device, broadcast_operands(call, operands, n));
}

/* Small contiguous operands of the kernel's own dtype, which is most calls of small models: no more work than needed. */
static bool run_plain(PointwiseKernel kernel, DType compute, Tensor *y, Tensor *const *operands, int n, const Scalar *params)
{
  char *p[4] = {tensor_data(y)};
  if (!kernel || !p[0] || !y->is_contiguous || y->numel > GRAIN || y->device == DEVICE_META) return false;
  for (int i = 0; i < n; i++) {
    const Tensor *t = operands[i];
    if (t->dtype != (uint8_t)compute || !t->is_contiguous || t->numel != y->numel || t->ndim != y->ndim) return false;
    p[i + 1] = tensor_data(t);
  }
  kernel(y->numel, p, params);
  return true;
}

/* The kernel of a power that is a product, which does without the exponent; else that of pow. */
static PointwiseKernel power_kernel(const KernelTable *k, Tensor *const *operands, int *n)
{
  const Tensor *exponent = operands[1];
  Scalar e = exponent->is_wrapped_number && exponent->device == DEVICE_CPU ? tensor_item(exponent) : NO_SCALAR;
  PointwiseKernel product = NULL;
  if (e.kind == SCALAR_INT || e.kind == SCALAR_FLOAT) {
    if (scalar_real(e) == 2) product = k->forward[PW_square_number];
    if (scalar_real(e) == 3) product = k->forward[PW_cube];
  }
  if (product) *n = 1;
  return product ? product : k->forward[PW_pow];
}

void pointwise_forward(Call *call, const void *args, Tensor **y)
{
  const Op *o = call->op;
  const PointwiseInfo *info = o->pointwise;
  Tensor *const *operands = operands_of(args);
  DType d = compute_dtype(call, o, operands, info->arity), compute = kernel_dtype(d);
  if (o->nargs > info->arity) check_params(call, o, args, d);
  DType produced = produced_dtype(o, d);
  if (call->into && dtype_is_complex(d) && !dtype_is_complex(produced) && produced != DTYPE_b8)
    raise(call, "the result is %s, so it has no in-place form for %s", dtype_name(produced), dtype_name(d));
  y[0] = pointwise_result(call, operands, info->arity, produced);
  const KernelTable *k = kernels_of(compute);
  PointwiseKernel kernel = is_comparison(o) ? k->comparison[info->id] : k->forward[info->id];
  int n = info->arity;
  if (info->id == PW_pow) kernel = power_kernel(k, operands, &n);
  if (d == compute && run_plain(kernel, compute, y[0], operands, n, params_of(o, args))) return;
  launch_pointwise(call, kernel, compute, produced_dtype(o, compute), y[0], operands, n, params_of(o, args));
  if (info->arity > 1) {
    bool numbers = true;
    for (int i = 0; i < info->arity; i++) numbers &= operands[i]->is_wrapped_number;
    y[0]->is_wrapped_number |= numbers;
  }
}

/* ----------------------------------------------------------------- backward */

static Tensor *run_derivative_kernel(Call *call, int i, const void *args, Tensor *y, Tensor *dy)
{
  const Op *o = call->op;
  const PointwiseInfo *info = o->pointwise;
  uint32_t needs = op_plan(o)->needs[i];
  Tensor *const *operands = operands_of(args), *list[LAUNCH_OPERANDS] = {dy};
  DType d = info->type_class.result == GIVES_REAL ? tensor_dtype(operands[0]) : tensor_dtype(dy);
  DType compute = kernel_dtype(d);
  for (int k = 0; k < info->arity; k++) list[1 + k] = needs >> k & 1 ? operands[k] : NULL;
  list[1 + info->arity] = needs >> 16 & 1 ? y : NULL;
  Tensor *dx = tensor_new(call, d, (Device)dy->device, tensor_shape(dy));
  if (!dy->is_contiguous && tensor_is_dense(dy)) tensor_set_geometry(dx, tensor_shape(dy), tensor_strides(dy), 0);
  launch_pointwise(call, kernels_of(compute)->backward[info->id][i], compute, compute, dx, list, info->arity + 2,
                   params_of(o, args));
  return dx;
}

/* What the derivative depends on by comparisons only has a second derivative of zero, which must still arrive. */
static Tensor *link_compared(Call *call, const Expression *e, const Named *named, const char *text, Tensor *dx)
{
  for (; named->name; named++) {
    if (!named->tensor || named->name[1] || !expression_mentions(text, named->name[0])) continue;
    if (tensor_requires_grad(named->tensor) && !expression_varies_with(e, named->name)) dx = op(zero_link, dx, named->tensor);
  }
  return dx;
}

static Tensor *run_derivative_ops(Call *call, int i, const void *args, Tensor *y, Tensor *dy)
{
  const Op *o = call->op;
  const PointwiseInfo *info = o->pointwise;
  static const char *const names[3][3] = {{"x"}, {"a", "b"}, {"a", "b", "c"}};
  Named named[16] = {{"dy", dy, NO_SCALAR}, {"y", y, NO_SCALAR}};
  int n = 2;
  for (int k = 0; k < info->arity; k++) named[n++] = (Named){names[info->arity - 1][k], operands_of(args)[k], NO_SCALAR};
  const Scalar *params = params_of(o, args);
  for (int k = info->arity; k < o->nargs && o->args[k].kind == ARG_SCALAR; k++)
    named[n++] = (Named){o->args[k].name, NULL, params[k - info->arity]};
  const Expression *e = op_plan(o)->expressions[i];
  if (o->forms & CHOOSES) return expression_run(call, e, named);
  return link_compared(call, e, named, info->derivative[i], expression_run(call, e, named));
}

static Tensor *derivative(Call *call, int i, const void *args, Tensor *y, Tensor *dy)
{
  const char *text = call->op->pointwise->derivative[i];
  if (strcmp(text, "dy") == 0) return dy;
  if (strcmp(text, "0") == 0 || strcmp(text, "NO_GRAD") == 0) return op(zeros_like, dy, DTYPE_NONE, DEVICE_NONE, false);
  if (call->ctx->grad_enabled) return run_derivative_ops(call, i, args, y, dy);
  return run_derivative_kernel(call, i, args, y, dy);
}

void pointwise_backward(Call *call, const void *args, Tensor *const *y, Tensor *const *dy, struct Gradients *g)
{
  const Op *o = call->op;
  Tensor *const *operands = operands_of(args);
  for (int i = 0; i < o->pointwise->arity; i++) {
    if (!gradient_wanted(g, (size_t)i * sizeof(Tensor *), 0)) continue;
    Tensor *dx = derivative(call, i, args, y[0], dy[0]);
    *gradient_place(g, (size_t)i * sizeof(Tensor *), 0) = op(sum_to, dx, tensor_shape(operands[i]), tensor_dtype(operands[i]));
  }
}
