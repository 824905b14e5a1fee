/* Products composed of those in matmul.def. */
#include "ops/linalg/product.h"

#include <math.h>
#include <string.h>

#include "ops/linalg/matmul.h"
#include "ops/linalg/solve.h"
#include "ops/math/arithmetic.h"
#include "ops/math/composed_arithmetic.h"
#include "ops/reduce/sum.h"
#include "ops/shape/cat_split.h"
#include "ops/shape/copy.h"
#include "ops/shape/factory.h"
#include "ops/shape/permute_repeat.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

FORWARD(addmv)
{
  check_rank(call, a->mat, "mat", 2);
  check_rank(call, a->vec, "vec", 1);
  Tensor *input = op(unsqueeze, op(expand, a->input, INTS(a->mat->shape[0])), 1);
  y[0] = op(select, op(addmm, input, a->mat, op(unsqueeze, a->vec, 1), a->beta, a->alpha), 1, 0);
}

FORWARD(addr)
{
  check_rank(call, a->vec1, "vec1", 1);
  check_rank(call, a->vec2, "vec2", 1);
  if (a->input->dtype == DTYPE_b8 && a->vec1->dtype == DTYPE_b8 && a->vec2->dtype == DTYPE_b8) {
    Tensor *keep = tensor_from_number(call, scalar_bool(!scalar_equals(a->beta, 0)));
    Tensor *take = tensor_from_number(call, scalar_bool(!scalar_equals(a->alpha, 0)));
    Tensor *product = op(mul, op(mul, op(unsqueeze, a->vec1, 1), a->vec2), take);
    y[0] = plus(op(mul, a->input, keep), product); /* the sum of bools is whether one is true */
    return;
  }
  Tensor *input = op(expand, a->input, INTS(a->vec1->shape[0], a->vec2->shape[0]));
  if (scalar_equals(a->beta, 0)) input = zeros_like_of(input); /* what is there may be nan */
  else if (!scalar_equals(a->beta, 1)) input = op(mul, input, tensor_from_number(call, a->beta));
  y[0] = op(addcmul, input, op(unsqueeze, a->vec1, 1), a->vec2, a->alpha);
}

/* ---------------------------------------------------------------------- vectors */

static Tensor *checked_outer(Call *call, Tensor *u, Tensor *v)
{
  check_rank(call, u, "input", 1);
  check_rank(call, v, "vec2", 1);
  return op(mul, op(unsqueeze, u, 1), v);
}

FORWARD(outer) { y[0] = checked_outer(call, a->input, a->vec2); }

FORWARD(ger) { y[0] = checked_outer(call, a->input, a->vec2); }

FORWARD(inner)
{
  Tensor *l = a->input, *r = a->other;
  if (l->ndim == 0 || r->ndim == 0) y[0] = op(mul, l, r);
  else y[0] = op(tensordot_pairs, l, r, INTS(-1, -1));
}

FORWARD(vdot)
{
  check_rank(call, a->input, "input", 1);
  check_rank(call, a->other, "other", 1);
  y[0] = op(dot, op(conj, a->input), a->other);
}

FORWARD(linalg_vecdot) { y[0] = op(sum, op(mul, op(conj, a->x), a->y), INTS(a->dim), false, DTYPE_NONE); }

FORWARD(linalg_matmul) { y[0] = op(matmul, a->input, a->other); }

FORWARD(linalg_cross)
{
  Tensor *operands[] = {a->input, a->other};
  Ints shape = broadcast_operands(call, operands, 2);
  if (a->input->ndim != a->other->ndim)
    raise(call, "input and other must have as many dimensions, not shapes %s and %s",
          shape_text(call, tensor_shape(a->input)), shape_text(call, tensor_shape(a->other)));
  int dim = shape_dim(call, a->dim, (int)shape.n);
  if (shape.n == 0 || a->input->shape[dim] != 3 || a->other->shape[dim] != 3)
    raise(call, "dimension %d must have size 3: shapes %s and %s", dim + 1, shape_text(call, tensor_shape(a->input)),
          shape_text(call, tensor_shape(a->other)));
  /* each component side by side, as three products read it */
  Tensor *l = op(contiguous, op(movedim, op(expand, a->input, shape), INTS(dim), INTS(0)));
  Tensor *r = op(contiguous, op(movedim, op(expand, a->other, shape), INTS(dim), INTS(0)));
  Tensor *left[3], *right[3], *parts[3];
  for (int i = 0; i < 3; i++) left[i] = op(select, l, 0, i), right[i] = op(select, r, 0, i);
  for (int i = 0; i < 3; i++) {
    int j = (i + 1) % 3, k = (i + 2) % 3;
    parts[i] = minus(op(mul, left[j], right[k]), op(mul, left[k], right[j]));
  }
  y[0] = op(stack, ((Tensors){parts, 3}), dim);
}

FORWARD(cross)
{
  int64_t dim = a->dim;
  for (int d = 0; d < a->input->ndim && dim == NONE_DIM; d++)
    if (a->input->shape[d] == 3) dim = d;
  if (dim == NONE_DIM) raise(call, "no dimension of shape %s has size 3", shape_text(call, tensor_shape(a->input)));
  y[0] = op(linalg_cross, a->input, a->other, dim);
}

/* --------------------------------------------------------- several dimensions */

/* As a matrix: the dimensions that are not summed over, then those that are, or the other way around. */
static Tensor *as_matrix(Call *call, Tensor *t, const int *summed, int64_t n, bool summed_first, int64_t depth,
                         Ints *rest)
{
  int64_t order[MAX_DIMS], shape[MAX_DIMS];
  uint32_t mask = 0;
  int at = 0, free_dims = 0;
  for (int64_t i = 0; i < n; i++) mask |= 1u << summed[i];
  for (int64_t i = 0; i < n && summed_first; i++) order[at++] = summed[i];
  for (int d = 0; d < t->ndim; d++) {
    if (mask >> d & 1) continue;
    shape[free_dims++] = t->shape[d];
    order[at++] = d;
  }
  for (int64_t i = 0; i < n && !summed_first; i++) order[at++] = summed[i];
  *rest = arena_ints(call->ctx, shape, free_dims);
  int64_t rows = shape_numel(call, *rest);
  return op(reshape, op(permute, t, (Ints){order, t->ndim}), summed_first ? INTS(depth, rows) : INTS(rows, depth));
}

FORWARD(tensordot_pairs)
{
  Tensor *l = a->a, *r = a->b;
  int64_t n = a->dims.n / 2, depth = 1, shape[2 * MAX_DIMS];
  int left[MAX_DIMS], right[MAX_DIMS];
  uint32_t seen_left = 0, seen_right = 0;
  if (n > MAX_DIMS) raise(call, "a tensor has at most %d dimensions", MAX_DIMS);
  for (int64_t i = 0; i < n; i++) {
    int u = left[i] = shape_dim(call, a->dims.v[i], l->ndim), v = right[i] = shape_dim(call, a->dims.v[n + i], r->ndim);
    if (l->ndim == 0 || r->ndim == 0) raise(call, "a tensor without dimensions has none to sum over");
    if (seen_left >> u & 1 || seen_right >> v & 1)
      raise(call, "dimension %d appears twice", (seen_left >> u & 1 ? u : v) + 1);
    seen_left |= 1u << u;
    seen_right |= 1u << v;
    if (l->shape[u] != r->shape[v] && l->shape[u] == 1) r = op(sum, r, INTS(v), true, tensor_dtype(r));
    else if (l->shape[u] != r->shape[v] && r->shape[v] == 1) l = op(sum, l, INTS(u), true, tensor_dtype(l));
    if (l->shape[u] != r->shape[v])
      raise(call, "dimension %d of shape %s and dimension %d of shape %s don't fit", u + 1,
            shape_text(call, tensor_shape(l)), v + 1, shape_text(call, tensor_shape(r)));
    depth *= l->shape[u];
  }
  Ints rest_left, rest_right;
  Tensor *ml = as_matrix(call, l, left, n, false, depth, &rest_left);
  Tensor *mr = as_matrix(call, r, right, n, true, depth, &rest_right);
  if (rest_left.n + rest_right.n > MAX_DIMS) raise(call, "a tensor has at most %d dimensions", MAX_DIMS);
  memcpy(shape, rest_left.v, (size_t)rest_left.n * sizeof *shape);
  memcpy(shape + rest_left.n, rest_right.v, (size_t)rest_right.n * sizeof *shape);
  y[0] = op(reshape, op(mm, ml, mr), (Ints){shape, rest_left.n + rest_right.n});
}

FORWARD(tensordot)
{
  int64_t pairs[2 * MAX_DIMS], n = a->dims;
  if (n < 0 || n > a->a->ndim || n > a->b->ndim)
    raise(call, "dims = %lld don't fit shapes %s and %s", (long long)n, shape_text(call, tensor_shape(a->a)),
          shape_text(call, tensor_shape(a->b)));
  for (int64_t i = 0; i < n; i++) {
    pairs[i] = a->a->ndim - n + i;
    pairs[n + i] = i;
  }
  y[0] = op(tensordot_pairs, a->a, a->b, (Ints){pairs, 2 * n});
}

FORWARD(kron)
{
  Tensor *l = a->input, *r = a->other;
  int ndim = l->ndim > r->ndim ? l->ndim : r->ndim;
  int64_t left[MAX_DIMS], right[MAX_DIMS], joined[MAX_DIMS];
  if (2 * ndim > MAX_DIMS) raise(call, "more than %d dimensions are not taken", MAX_DIMS / 2);
  for (int d = 0; d < ndim; d++) {
    int i = d - (ndim - l->ndim), j = d - (ndim - r->ndim);
    left[2 * d] = i < 0 ? 1 : l->shape[i];
    right[2 * d + 1] = j < 0 ? 1 : r->shape[j];
    left[2 * d + 1] = right[2 * d] = 1;
    if (__builtin_mul_overflow(left[2 * d], right[2 * d + 1], &joined[d])) raise(call, "the result is too large");
  }
  bool plain = ndim > 1 && l->is_contiguous && r->is_contiguous; /* others give the result their order in memory */
  l = op(reshape, l, (Ints){left, 2 * ndim});
  r = op(reshape, r, (Ints){right, 2 * ndim});
  if (plain) { /* lines of both in full: those of r alone are short runs, and a line is little beside the result */
    int64_t columns = left[2 * ndim - 2], each = right[2 * ndim - 1];
    left[2 * ndim - 1] = each;
    right[2 * ndim - 2] = columns;
    l = op(contiguous, op(expand, l, (Ints){left, 2 * ndim}));
    r = op(contiguous, op(expand, r, (Ints){right, 2 * ndim}));
  }
  Tensor *product = op(mul, l, r);
  y[0] = op(reshape, product, (Ints){joined, ndim});
}

/* ---------------------------------------------------------------------- chains */

enum { CHAIN = 64 };
typedef struct Chain {
  Tensor **v;
  uint8_t split[CHAIN][CHAIN];
} Chain;

/* Where to split each part of a chain, by the numbers of multiplications (Cormen et al., matrix-chain order). */
static void plan_chain(Chain *c, int n)
{
  double cost[CHAIN][CHAIN];
  for (int i = 0; i < n; i++) cost[i][i] = 0;
  for (int length = 1; length < n; length++)
    for (int i = 0; i + length < n; i++) {
      int j = i + length;
      cost[i][j] = INFINITY;
      for (int k = i; k < j; k++) {
        double rows = (double)c->v[i]->shape[0], inner = (double)c->v[k]->shape[1], cols = (double)c->v[j]->shape[1];
        double total = cost[i][k] + cost[k + 1][j] + rows * inner * cols;
        if (total >= cost[i][j]) continue;
        cost[i][j] = total;
        c->split[i][j] = (uint8_t)k;
      }
    }
}

static Tensor *chain_product(Call *call, const Chain *c, int i, int j)
{
  if (i == j) return c->v[i];
  int k = c->split[i][j];
  return op(mm, chain_product(call, c, i, k), chain_product(call, c, k + 1, j));
}

static Tensor *multiply_chain(Call *call, Tensors list)
{
  Chain c = {.v = list.v};
  if (list.n > CHAIN) raise(call, "%lld tensors are given, at most %d are taken", (long long)list.n, CHAIN);
  for (int64_t i = 0; i < list.n; i++) {
    const Tensor *t = list.v[i];
    if (t->ndim != 2)
      raise(call, "tensor %d has shape %s; a matrix is wanted", (int)i + 1, shape_text(call, tensor_shape(t)));
    if (i > 0 && list.v[i - 1]->shape[1] != t->shape[0])
      raise(call, "shapes %s and %s don't fit", shape_text(call, tensor_shape(list.v[i - 1])),
            shape_text(call, tensor_shape(t)));
  }
  plan_chain(&c, (int)list.n);
  return chain_product(call, &c, 0, (int)list.n - 1);
}

FORWARD(chain_matmul)
{
  if (a->matrices.n == 0) raise(call, "at least one matrix is needed");
  y[0] = multiply_chain(call, a->matrices);
}

FORWARD(linalg_multi_dot)
{
  Tensors list = {arena_allocate(call->ctx, (size_t)(a->tensors.n + 1) * sizeof *list.v), a->tensors.n};
  int64_t last = list.n - 1;
  if (list.n < 2) raise(call, "at least two tensors are needed, not %lld", (long long)list.n);
  for (int64_t i = 0; i < list.n; i++) list.v[i] = a->tensors.v[i];
  bool row = list.v[0]->ndim == 1, column = list.v[last]->ndim == 1;
  if (row) list.v[0] = op(unsqueeze, list.v[0], 0);
  if (column) list.v[last] = op(unsqueeze, list.v[last], 1);
  y[0] = multiply_chain(call, list);
  if (column) y[0] = op(select, y[0], 1, 0);
  if (row) y[0] = op(select, y[0], 0, 0);
}

static Tensor *power_of_matrix(Call *call, Tensor *x, int64_t n)
{
  if (x->ndim < 2 || x->shape[x->ndim - 1] != x->shape[x->ndim - 2])
    raise(call, "square matrices are needed, not shape %s", shape_text(call, tensor_shape(x)));
  uint64_t times = n < 0 ? -(uint64_t)n : (uint64_t)n;
  if (n < 0) x = op(linalg_inv, x);
  if (n == 0) {
    Tensor *eye = op(eye, x->shape[x->ndim - 1], NO_INT, tensor_dtype(x), device_behind(x), false);
    return op(zero_link, op(clone, op(expand, eye, tensor_shape(x))), x);
  }
  Tensor *result = NULL;
  for (;;) {
    if (times & 1) result = result ? op(matmul, result, x) : x;
    times >>= 1;
    if (times == 0) return result == x ? op(clone, x) : result;
    x = op(matmul, x, x);
  }
}

FORWARD(matrix_power) { y[0] = power_of_matrix(call, a->input, a->n); }

FORWARD(linalg_matrix_power) { y[0] = power_of_matrix(call, a->A, a->n); }
