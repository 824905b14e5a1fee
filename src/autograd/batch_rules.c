/*
 * How ops work on batches. Most ops of tensors and dimensions do for a batch what they do for one of its rows, one
 * dimension further on; matrix products have products of batches, and ops of images take a batch of batches of images
 * as one of more images. Ops without a rule go row by row.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "autograd/batch.h"
#include "core/shape.h"
#include "ops/index/mask.h"
#include "ops/linalg/matmul.h"
#include "ops/math/arithmetic.h"
#include "ops/math/composed_arithmetic.h"
#include "ops/nn/cross_entropy.h"
#include "ops/nn/losses.h"
#include "ops/nn/reduction.h"
#include "ops/reduce/max_min.h"
#include "ops/reduce/sum.h"
#include "ops/shape/copy.h"
#include "ops/shape/factory.h"
#include "ops/shape/permute_repeat.h"
#include "ops/shape/view.h"
#include "ops/table/ops.h"
#include "ops/table/words.h"

/* --------------------------------------------------------- one dimension further on */

/* A dimension of a row, of so many, as the batch has it. */
static int64_t further(const Batch *b, int64_t dim, int ndim) { return shape_dim(b->call, dim, ndim) + 1; }

/* All dimensions of a row, for an op that takes none for all. */
static Ints all_further(Batch *b)
{
  int n = batch_ndim(b);
  int64_t *v = arena_allocate(b->call->ctx, (size_t)(n + 1) * sizeof *v);
  for (int i = 0; i < n; i++) v[i] = i + 1;
  return (Ints){v, n};
}

static Ints list_further(Batch *b, Ints dims, int ndim)
{
  int64_t *v = arena_allocate(b->call->ctx, (size_t)(dims.n + 1) * sizeof *v);
  for (int64_t i = 0; i < dims.n; i++) v[i] = further(b, dims.v[i], ndim);
  return (Ints){v, dims.n};
}

/* Moves all arguments that are dimensions of a tensor of ndim dimensions. */
static void move_dims(Batch *b, int ndim)
{
  for (int i = 0; i < b->op->nargs; i++) {
    if (b->op->args[i].kind == ARG_DIM) {
      int64_t *dim = batch_argument(b, i);
      if (*dim != NONE_DIM) *dim = further(b, *dim, ndim);
    } else if (b->op->args[i].kind == ARG_DIMS) {
      Ints *dims = batch_argument(b, i);
      *dims = dims->n > 0 ? list_further(b, *dims, ndim) : all_further(b);
    }
  }
}

/* A row without dimensions takes part as one of a single element. */
static void give_rows_a_dimension(Batch *b)
{
  Call *call = b->call;
  const OpPlan *plan = op_plan(b->op);
  for (int k = 0; k < plan->ntensors; k++) {
    Tensor **t = (Tensor **)(void *)(b->room.bytes + plan->tensors[k].offset);
    if (*t && (*t)->ndim == 1) *t = op(unsqueeze, *t, 1);
  }
}

/* Whether a reduction kept the dimension that give_rows_a_dimension made. */
static void take_dimension_away(Batch *b, Tensor **y)
{
  Call *call = b->call;
  for (int i = 0; i < b->op->results; i++) {
    Tensor *value = behind(y[i], b->transform);
    if (value->ndim == 2) batch_give(b, y, i, op(select, value, 1, 0));
  }
}

static bool is_list_op(const Batch *b) { return op_plan(b->op)->has_list; }

static void shifted(Batch *b, Tensor **y)
{
  batch_align(b);
  int ndim = is_list_op(b) ? ((const Tensors *)b->args)->v[0]->ndim : batch_ndim(b);
  bool without = ndim == 0 && !is_list_op(b) && b->op->results > 0 && !b->call->into;
  if (without) give_rows_a_dimension(b);
  move_dims(b, ndim);
  if (without && ndim == 0)
    for (int i = 0; i < b->op->nargs; i++)
      if (b->op->args[i].kind == ARG_DIMS) *(Ints *)batch_argument(b, i) = arena_ints(b->call->ctx, (int64_t[]){1}, 1);
  batch_run(b, b->op, y);
  if (without) take_dimension_away(b, y);
}

/* The same for ops whose dimensions are those of a result with one more. */
static void shifted_in_result(Batch *b, Tensor **y)
{
  batch_align(b);
  int ndim = is_list_op(b) ? ((const Tensors *)b->args)->v[0]->ndim : batch_ndim(b);
  move_dims(b, ndim + 1);
  batch_run(b, b->op, y);
}

/* The same for ops without dimensions among their arguments. */
static void aligned(Batch *b, Tensor **y)
{
  batch_align(b);
  batch_run(b, b->op, y);
}

/* Ops whose further tensors are the same for all rows; row by row if they aren't. */
static void first_only(Batch *b, Tensor **y, void (*rule)(Batch *, Tensor **))
{
  for (int k = 1; k < op_plan(b->op)->ntensors; k++)
    if (batch_has(b, k)) {
      batch_row_by_row(b, y);
      return;
    }
  rule(b, y);
}

static void move_dims_and_run(Batch *b, Tensor **y)
{
  move_dims(b, batch_ndim(b));
  batch_run(b, b->op, y);
}

static void shifted_first(Batch *b, Tensor **y)
{
  if (batch_ndim(b) == 0) batch_row_by_row(b, y);
  else first_only(b, y, move_dims_and_run);
}

/* The same indices for all rows, which needn't be expanded. */
static void shifted_but_index(Batch *b, Tensor **y)
{
  Tensor *index = ((Tensor *const *)(const void *)((const char *)b->args + op_plan(b->op)->tensors[1].offset))[0];
  if (batch_has(b, 1) || batch_ndim(b) == 0) {
    batch_row_by_row(b, y);
    return;
  }
  batch_align(b);
  *(Tensor **)(void *)(b->room.bytes + op_plan(b->op)->tensors[1].offset) = index;
  move_dims_and_run(b, y);
}

/* masked_fill's value has no dimensions, so it can't differ from row to row in one call. */
static void masked(Batch *b, Tensor **y) { (batch_has(b, 2) ? batch_row_by_row : batch_pointwise)(b, y); }

static void permuted(Batch *b, Tensor **y)
{
  Call *call = b->call;
  Ints dims = *(Ints *)batch_argument(b, 1);
  int ndim = batch_ndim(b);
  if (dims.n != ndim) raise(call, "%d dimensions are wanted, one for each, but there are %d", ndim, (int)dims.n);
  int64_t v[MAX_DIMS + 1] = {0};
  for (int64_t i = 0; i < dims.n; i++) v[i + 1] = further(b, dims.v[i], ndim);
  batch_give(b, y, 0, op(permute, *batch_first_behind(b), ((Ints){v, dims.n + 1})));
}

/* x:t(): of matrices. */
static void turned(Batch *b, Tensor **y)
{
  Call *call = b->call;
  Tensor *x = *batch_first_behind(b);
  batch_give(b, y, 0, x->ndim == 3 ? op(transpose, x, 1, 2) : op(alias, x));
}

static void squeezed(Batch *b, Tensor **y)
{
  Call *call = b->call;
  Tensor *x = *batch_first_behind(b);
  int64_t shape[MAX_DIMS + 1];
  int n = 0;
  for (int i = 0; i < x->ndim; i++)
    if (i == 0 || x->shape[i] != 1) shape[n++] = x->shape[i];
  batch_give(b, y, 0, op(view, x, ((Ints){shape, n})));
}

/* ------------------------------------------------------------------------- sizes */

/* The rows' number before a size. */
static Ints prefixed(Batch *b, Ints size)
{
  int64_t *v = arena_allocate(b->call->ctx, (size_t)(size.n + 1) * sizeof *v);
  v[0] = b->transform->rows;
  if (size.n > 0) memcpy(v + 1, size.v, (size_t)size.n * sizeof *v);
  return (Ints){v, (size.n > 0 ? size.n : 0) + 1};
}

/* The first argument that is a list of numbers. */
static Ints *size_argument(Batch *b)
{
  for (int i = 0; i < b->op->nargs; i++)
    if (b->op->args[i].kind == ARG_SIZE || b->op->args[i].kind == ARG_INTLIST) return batch_argument(b, i);
  return NULL;
}

static void sized(Batch *b, Tensor **y)
{
  Ints *size = size_argument(b);
  *size = prefixed(b, *size);
  batch_run(b, b->op, y);
}

/* view and reshape: a size that is left out follows from the row's elements. */
static void reshaped(Batch *b, Tensor **y)
{
  Ints *size = size_argument(b);
  *size = prefixed(b, shape_infer(b->call, *size, batch_first(b)->numel));
  batch_run(b, b->op, y);
}

static void expanded(Batch *b, Tensor **y)
{
  Ints *size = size_argument(b);
  *batch_first_behind(b) = batch_widened(b->call, *batch_first_behind(b), size->n);
  *size = prefixed(b, *size);
  batch_run(b, b->op, y);
}

/* The sum to a shape of no more dimensions: those that go are summed, the rest has sizes of 1. */
static void summed(Batch *b, Tensor **y)
{
  Call *call = b->call;
  Ints *size = size_argument(b), wanted = *size;
  int64_t shape[MAX_DIMS + 1] = {b->transform->rows};
  int ndim = batch_ndim(b), gone = ndim - (int)wanted.n;
  for (int i = 0; i < ndim; i++) shape[1 + i] = i < gone ? 1 : wanted.v[i - gone];
  *size = arena_ints(call->ctx, shape, ndim + 1);
  Tensor *room[MAX_RESULTS];
  Tensor *sum = dispatch(call, b->op, b->room.bytes, NULL, room).v[0];
  batch_give(b, y, 0, op(reshape, sum, prefixed(b, wanted)));
}

static void strided(Batch *b, Tensor **y)
{
  Call *call = b->call;
  Tensor *x = *batch_first_behind(b);
  Ints size = *(Ints *)batch_argument(b, 1), stride = *(Ints *)batch_argument(b, 2);
  int64_t offset = *(int64_t *)batch_argument(b, 3), strides[MAX_DIMS + 1] = {x->strides[0]};
  if (size.n != stride.n || size.n >= MAX_DIMS) raise(call, "size and stride must be as long as each other");
  memcpy(strides + 1, stride.v, (size_t)stride.n * sizeof *strides);
  if (offset == NO_INT) offset = x->offset;
  batch_give(b, y, 0, op(as_strided, x, prefixed(b, size), ((Ints){strides, stride.n + 1}), offset));
}

/* ------------------------------------------------------------------- reductions */

static Tensor *rows_flat(Batch *b)
{
  Call *call = b->call;
  return op(reshape, *batch_first_behind(b), INTS(b->transform->rows, batch_first(b)->numel));
}

/* Equal extremes share the gradient, as those of the whole do. */
static void greatest(Batch *b, Tensor **y)
{
  Call *call = b->call;
  batch_give(b, y, 0, op(amax, rows_flat(b), INTS(1), false));
}

static void least(Batch *b, Tensor **y)
{
  Call *call = b->call;
  batch_give(b, y, 0, op(amin, rows_flat(b), INTS(1), false));
}

/* argmax and argmin of all elements, or along a dimension. */
static void position(Batch *b, Tensor **y)
{
  int64_t *dim = batch_argument(b, 1);
  bool keepdim = *(bool *)batch_argument(b, 2);
  if (*dim != NONE_DIM && batch_ndim(b) > 0) {
    move_dims_and_run(b, y);
    return;
  }
  *batch_first_behind(b) = rows_flat(b);
  *dim = 1;
  *(bool *)batch_argument(b, 2) = false;
  batch_run(b, b->op, y);
  if (!keepdim) return;
  Call *call = b->call;
  int64_t shape[MAX_DIMS];
  for (int i = 0; i < batch_ndim(b); i++) shape[i] = 1;
  Ints kept = prefixed(b, (Ints){shape, batch_ndim(b)});
  batch_give(b, y, 0, op(view, behind(y[0], b->transform), kept));
}

/* ---------------------------------------------------------------------- products */

static Tensor **operand(Batch *b, int k)
{
  return (Tensor **)(void *)(b->room.bytes + op_plan(b->op)->tensors[k].offset);
}

static void check_dims(Batch *b, int first, int second)
{
  Tensor *const *given = b->args;
  if (given[0]->ndim != first || given[1]->ndim != second)
    raise(b->call, "tensors of %d and %d dimensions are wanted, not of shapes %s and %s", first, second,
          shape_text(b->call, tensor_shape(given[0])), shape_text(b->call, tensor_shape(given[1])));
}

static void matrices(Batch *b, Tensor **y)
{
  Call *call = b->call;
  int ndim = strcmp(b->op->row, "mm") == 0 ? 2 : 3;
  check_dims(b, ndim, ndim);
  batch_give(b, y, 0, op(matmul, *operand(b, 0), *operand(b, 1)));
}

static void matrix_by_vector(Batch *b, Tensor **y)
{
  Call *call = b->call;
  check_dims(b, 2, 1);
  Tensor *column = op(unsqueeze, *operand(b, 1), -1);
  batch_give(b, y, 0, op(select, op(matmul, *operand(b, 0), column), -1, 0));
}

static void vectors(Batch *b, Tensor **y)
{
  Call *call = b->call;
  check_dims(b, 1, 1);
  Tensor *row = op(unsqueeze, *operand(b, 0), -2), *column = op(unsqueeze, *operand(b, 1), -1);
  batch_give(b, y, 0, op(select, op(select, op(matmul, row, column), -1, 0), -1, 0));
}

/* Behind the batch's dimension as many of size 1 as bring the rest to ndim. */
static Tensor *row_operand(Batch *b, int k, int64_t ndim)
{
  Tensor *t = *operand(b, k);
  return batch_has(b, k) ? batch_widened(b->call, t, ndim) : t;
}

/* weight, and bias if there is one, differ from row to row. */
static void linear_rows(Batch *b, Tensor **y)
{
  Call *call = b->call;
  const Tensor *given = batch_first(b), *weight = *(Tensor *const *)((const char *)b->args + sizeof(Tensor *));
  if (weight->ndim != 2 || given->ndim == 0) {
    batch_row_by_row(b, y);
    return;
  }
  bool is_vector = given->ndim == 1;
  Tensor *x = *operand(b, 0), *w = row_operand(b, 1, is_vector ? 2 : given->ndim);
  if (is_vector) x = op(unsqueeze, x, -2);
  Tensor *product = op(matmul, x, op(transpose, w, -2, -1));
  if (is_vector) product = op(select, product, -2, 0);
  if (*operand(b, 2)) product = plus(product, row_operand(b, 2, given->ndim));
  batch_give(b, y, 0, product);
}

static void linear_rule(Batch *b, Tensor **y)
{
  if (batch_has(b, 1) || batch_has(b, 2)) linear_rows(b, y);
  else batch_run(b, b->op, y);
}

/* beta * input + alpha * product, without what input has where beta is 0. */
static void give_scaled_sum(Batch *b, Tensor **y, Tensor *product, Tensor *input, Scalar beta, Scalar alpha)
{
  Call *call = b->call;
  product = op(mul, product, tensor_from_number(call, alpha));
  if (scalar_real(beta) != 0 || beta.im != 0) product = plus(product, op(mul, input, tensor_from_number(call, beta)));
  batch_give(b, y, 0, product);
}

/* addmm and baddbmm: input broadcasts to the product. */
static void added_product(Batch *b, Tensor **y)
{
  Call *call = b->call;
  int ndim = strcmp(b->op->row, "addmm") == 0 ? 2 : 3;
  Tensor *const *given = b->args;
  if (call->into || given[0]->ndim > ndim || given[1]->ndim != ndim || given[2]->ndim != ndim) {
    batch_row_by_row(b, y);
    return;
  }
  give_scaled_sum(b, y, op(matmul, *operand(b, 1), *operand(b, 2)), row_operand(b, 0, ndim),
                  *(Scalar *)batch_argument(b, 3), *(Scalar *)batch_argument(b, 4));
}

/* All tensors with the batch's dimension, and behind it as many others as the one that has most: but the k-th, whose
   vectors belong to the others' matrices, with one less; -1: none. */
static void widen_all(Batch *b, int vectors)
{
  int64_t most = 0;
  int n = op_plan(b->op)->ntensors;
  batch_align(b);
  for (int k = 0; k < n; k++) {
    const Tensor *t = *operand(b, k);
    int64_t ndim = t ? t->ndim - 1 + (k == vectors) : 0;
    if (ndim > most) most = ndim;
  }
  for (int k = 0; k < n; k++)
    if (*operand(b, k)) *operand(b, k) = batch_widened(b->call, *operand(b, k), most - (k == vectors));
}

/* Ops that broadcast all but the last dimensions: of matrices, attention. */
static void widened_rows(Batch *b, Tensor **y)
{
  widen_all(b, -1);
  batch_run(b, b->op, y);
}

/* Factors of matrices, their pivots (or the scales of reflections), and what they work on. */
static void factored(Batch *b, Tensor **y)
{
  widen_all(b, 1);
  batch_run(b, b->op, y);
}

/* Ops of the first tensor; the others, if there are any, are the same for all rows, and broadcast. */
static void run_as_it_is(Batch *b, Tensor **y) { batch_run(b, b->op, y); }
static void first_alone(Batch *b, Tensor **y) { first_only(b, y, run_as_it_is); }

/* A solution of A X = B, whose B may be a vector. */
static void solved(Batch *b, Tensor **y)
{
  Call *call = b->call;
  Tensor *const *given = b->args;
  bool vector = given[1]->ndim == 1;
  if (!vector && given[1]->ndim != given[0]->ndim) {
    batch_row_by_row(b, y);
    return;
  }
  batch_align(b);
  if (vector) *operand(b, 1) = batch_widened(call, op(unsqueeze, *operand(b, 1), -1), given[0]->ndim);
  batch_run(b, b->op, y);
  if (vector) batch_give(b, y, 0, op(select, behind(y[0], b->transform), -1, 0));
}

/* ------------------------------------------------------------------ norms and losses */

/* Norms of the last elements, by weights that all rows share; the moments come as a list of all. */
static void normed(Batch *b, Tensor **y)
{
  Call *call = b->call;
  Tensor *room[MAX_RESULTS];
  Tensors results = dispatch(call, b->op, b->room.bytes, NULL, room);
  for (int i = 0; i < (int)results.n; i++)
    batch_give(b, y, i, i == 0 ? results.v[i] : op(view, results.v[i], INTS(b->transform->rows, -1)));
}

static void norm_of_rows(Batch *b, Tensor **y) { first_only(b, y, normed); }

static void squared_error(Batch *b, Tensor **y)
{
  Call *call = b->call;
  Reduction reduction = reduction_of(call, ((const struct mse_loss_args *)b->args)->reduction);
  widen_all(b, -1);
  Tensor *difference = minus(*operand(b, 0), *operand(b, 1));
  Tensor *squares = op(mul, difference, difference);
  if (reduction != NO_REDUCTION) {
    squares = op(flatten, op(unsqueeze, squares, -1), 1, -1);
    squares = reduction == MEAN ? op(mean, squares, INTS(1), false, DTYPE_NONE)
                                : op(sum, squares, INTS(1), false, DTYPE_NONE);
  }
  batch_give(b, y, 0, squares);
}

/* Losses of classes: all rows' samples as those of one call, unreduced. */
typedef struct ClassLosses {
  Tensor *input, *target, *weight; /* [rows * N, C, …], [rows * N, …], the class weights that all rows share */
  Ints shape;                      /* of the rows' inputs, with the batch's dimension */
  Ints losses;                     /* of the rows' targets, likewise */
  Reduction reduction;
} ClassLosses;

/* Takes the operands from the k-th on; false: rows go one after the other, which also says what doesn't fit. */
static bool class_losses(Batch *b, int k, const char *reduction, ClassLosses *l)
{
  Call *call = b->call;
  if (batch_has(b, k + 2)) return false;
  const OpPlan *plan = op_plan(b->op);
  Tensor *weight = *(Tensor *const *)(const void *)((const char *)b->args + plan->tensors[k + 2].offset);
  batch_align(b);
  Tensor *x = *operand(b, k), *target = *operand(b, k + 1);
  if (x->ndim < 2 || target->ndim != x->ndim - 1) return false;
  Tensor *samples = x->ndim == 2 ? x : op(flatten, x, 0, 1);
  Tensor *labels = x->ndim == 2 ? target : op(flatten, target, 0, 1);
  *l = (ClassLosses){samples,
                     labels,
                     weight,
                     arena_ints(call->ctx, x->shape, x->ndim),
                     arena_ints(call->ctx, target->shape, target->ndim),
                     reduction_of(call, reduction)};
  for (int i = 1; i < target->ndim; i++)
    if (target->shape[i] != x->shape[i < 2 ? i : i + 1]) return false;
  return true;
}

/* The sums of unreduced losses, row by row. */
static Tensor *sums_of_rows(Call *call, const ClassLosses *l, Tensor *losses)
{
  Tensor *lines = op(flatten, op(unsqueeze, op(reshape, losses, l->losses), -1), 1, -1);
  return op(sum, lines, INTS(1), false, DTYPE_NONE);
}

/* The sums of the weights of the targets that count, row by row. */
static Tensor *weights_of_rows(Call *call, const ClassLosses *l, int64_t ignore_index)
{
  Tensor *minus_ones = op(full_like, l->input, scalar_int(-1), DTYPE_NONE, DEVICE_NONE, false);
  return sums_of_rows(call, l, op(nll_loss, minus_ones, l->target, l->weight, NO_INT, ignore_index, NO_INT, "none"));
}

static Tensor *reduced_rows(Call *call, const ClassLosses *l, Tensor *losses, int64_t ignore_index)
{
  if (l->reduction == NO_REDUCTION) return op(reshape, losses, l->losses);
  Tensor *sums = sums_of_rows(call, l, losses);
  return l->reduction == SUM ? sums : op(div, sums, weights_of_rows(call, l, ignore_index));
}

static void log_likelihood(Batch *b, Tensor **y)
{
  Call *call = b->call;
  const struct nll_loss_args *a = b->args;
  ClassLosses l;
  if (!class_losses(b, 0, a->reduction, &l)) {
    batch_row_by_row(b, y);
    return;
  }
  Tensor *losses = op(nll_loss, l.input, l.target, l.weight, NO_INT, a->ignore_index, NO_INT, "none");
  batch_give(b, y, 0, reduced_rows(call, &l, losses, a->ignore_index));
}

static void log_likelihood_backward(Batch *b, Tensor **y)
{
  Call *call = b->call;
  const struct nll_loss_backward_args *a = b->args;
  ClassLosses l;
  if (!class_losses(b, 1, a->reduction, &l)) {
    batch_row_by_row(b, y);
    return;
  }
  Tensor *dy = *operand(b, 0);
  if (l.reduction == MEAN) dy = op(div, dy, weights_of_rows(call, &l, a->ignore_index));
  if (l.reduction != NO_REDUCTION) dy = op(expand, batch_widened(call, dy, l.losses.n - 1), l.losses);
  dy = op(reshape, dy, tensor_shape(l.target));
  Tensor *dx = op(nll_loss_backward, dy, l.input, l.target, l.weight, a->ignore_index, "none");
  batch_give(b, y, 0, op(reshape, dx, l.shape));
}

static void entropy_of_classes(Batch *b, Tensor **y)
{
  Call *call = b->call;
  const struct cross_entropy_of_classes_args *a = b->args;
  ClassLosses l;
  if (!class_losses(b, 0, a->reduction, &l)) {
    batch_row_by_row(b, y);
    return;
  }
  Tensors both = op(cross_entropy_of_classes, l.input, l.target, l.weight, a->ignore_index, "none");
  Tensor *logarithms = both.v[1], *losses = both.v[0];
  batch_give(b, y, 0, reduced_rows(call, &l, losses, a->ignore_index));
  batch_give(b, y, 1, op(reshape, logarithms, l.losses));
}

/* How many classes there are without a number tells each row's labels by themselves. */
static void hot(Batch *b, Tensor **y)
{
  const struct one_hot_args *a = b->args;
  (a->num_classes < 0 ? batch_row_by_row : aligned)(b, y);
}

/* ------------------------------------------------------------------------ images */

/* Batches of batches of images, or signals, as one: tensors lose their first dimension to the second, and get it
   back. */
static void folded(Batch *b, Tensor **y)
{
  Call *call = b->call;
  const OpPlan *plan = op_plan(b->op);
  batch_align(b);
  int64_t images = 0;
  for (int k = 0; k < plan->ntensors; k++) {
    Tensor **t = operand(b, k);
    if (!*t) continue;
    if ((*t)->ndim < 3) {
      batch_row_by_row(b, y);
      return;
    }
    images = (*t)->shape[1];
    int64_t shape[MAX_DIMS] = {(*t)->shape[0] * images};
    memcpy(shape + 1, (*t)->shape + 2, (size_t)((*t)->ndim - 2) * sizeof *shape);
    *t = op(reshape, *t, ((Ints){shape, (*t)->ndim - 1}));
  }
  Tensor *room[MAX_RESULTS];
  Tensors results = dispatch(call, b->op, b->room.bytes, NULL, room);
  for (int64_t i = 0; i < results.n; i++) {
    Tensor *r = results.v[i];
    int64_t shape[MAX_DIMS + 1] = {b->transform->rows, images};
    memcpy(shape + 2, r->shape + 1, (size_t)(r->ndim - 1) * sizeof *shape);
    batch_give(b, y, (int)i, op(view, r, ((Ints){shape, r->ndim + 1})));
  }
}

/* A convolution with weights that all rows share. */
static void folded_first(Batch *b, Tensor **y)
{
  Call *call = b->call;
  for (int k = 1; k < op_plan(b->op)->ntensors; k++)
    if (batch_has(b, k)) {
      batch_row_by_row(b, y);
      return;
    }
  Tensor *x = *batch_first_behind(b);
  int64_t shape[MAX_DIMS + 1] = {x->shape[0] * x->shape[1]};
  memcpy(shape + 1, x->shape + 2, (size_t)(x->ndim - 2) * sizeof *shape);
  *batch_first_behind(b) = op(reshape, x, ((Ints){shape, x->ndim - 1}));
  Tensor *room[MAX_RESULTS];
  Tensor *r = dispatch(call, b->op, b->room.bytes, NULL, room).v[0];
  shape[0] = b->transform->rows;
  shape[1] = x->shape[1];
  memcpy(shape + 2, r->shape + 1, (size_t)(r->ndim - 1) * sizeof *shape);
  batch_give(b, y, 0, op(view, r, ((Ints){shape, r->ndim + 1})));
}

/* ---------------------------------------------------------------- lines of elements */

/* Along a dimension, or along all elements of a row. */
static void rolled(Batch *b, Tensor **y)
{
  Call *call = b->call;
  if (*(int64_t *)batch_argument(b, 2) != NONE_DIM && batch_ndim(b) > 0) {
    move_dims_and_run(b, y);
    return;
  }
  Tensor *x = *batch_first_behind(b);
  batch_give(b, y, 0, op(reshape, op(roll, rows_flat(b), *(int64_t *)batch_argument(b, 1), 1), tensor_shape(x)));
}

/* Places in sequences of as many dimensions as the values have, where each row has its own. */
static void searched(Batch *b, Tensor **y)
{
  Tensor *const *given = b->args;
  if (!given[1] || given[0]->ndim != given[1]->ndim) batch_row_by_row(b, y);
  else aligned(b, y);
}

/* ------------------------------------------------------------------------- rules */

/* Indices that all rows share leave the batch's dimension alone. */
static void indexed(Batch *b, Tensor **y)
{
  if (b->call->into || batch_has(b, 1)) {
    batch_row_by_row(b, y);
    return;
  }
  Tensors *indices = (Tensors *)(void *)(b->room.bytes + op_plan(b->op)->tensors[1].offset);
  Tensor **v = arena_allocate(b->call->ctx, (size_t)(indices->n + 1) * sizeof *v);
  v[0] = NULL;
  memcpy(v + 1, indices->v, (size_t)indices->n * sizeof *v);
  *indices = (Tensors){v, indices->n + 1};
  batch_run(b, b->op, y);
}

/* A table of weights that all rows share takes any indices. */
static void looked_up(Batch *b, Tensor **y)
{
  if (batch_has(b, 0)) batch_row_by_row(b, y);
  else batch_run(b, b->op, y);
}

static const struct {
  const char *rows;
  BatchRule rule;
} rules[] = {
  {"where complex_of copy heaviside igamma igammac zeta", batch_pointwise},
  {"gather scatter scatter_value scatter_combine scatter_combine_value scatter_add scatter_reduce sort topk cumsum "
   "cumsum_from_end cumprod cummax cummin logcumsumexp_of max_dim min_dim amax amin median_dim nanmedian_dim kthvalue "
   "mode sum nansum mean any all prod_dim logsumexp count_nonzero var std norm softmax log_softmax flip transpose "
   "select narrow slice squeeze_dims diagonal unfold diagonal_scatter select_scatter slice_scatter split split_sizes "
   "unbind cat resample resample_backward fft_c2c fft_r2c fft_c2r",
   shifted},
  {"unsqueeze stack diag_embed", shifted_in_result},
  {"rand_like randn_like randint_like randint_like_low bernoulli bernoulli_p bernoulli_fill bernoulli_fill_tensor "
   "uniform normal exponential random random_to random_from masked_dropout "
   "zero_link conj clone contiguous detach alias to_dtype to_device fill zero tril triu view_as_real angle zeros_like "
   "ones_like "
   "empty_like full_like constant_pad_nd view_as_complex frexp draw_slope "
   "svd singular_values eigh_factors eigh_values eig_factors eig_values linalg_matrix_sqrth linalg_polar "
   "cholesky_factor lu_factors permutation_of linalg_ldl_factor linalg_ldl_factor_ex matrix_exp qr_factors geqrf "
   "inverse_of det slogdet poisson standard_gamma sample_dirichlet log_normal cauchy geometric normal_means",
   aligned},
  {"lyapunov linalg_solve_triangular cholesky_solve attention binomial normal_tensors", widened_rows},
  {"solve_by_lu linalg_ldl_solve reflections reflected", factored},
  {"solve_factored", solved},
  {"pinv_above", first_alone},
  {"index_select index_fill", shifted_first},
  {"index_add index_copy", shifted_but_index},
  {"masked_fill", masked},
  {"permute", permuted},
  {"t", turned},
  {"squeeze", squeezed},
  {"new_zeros new_ones new_empty new_full rand randn randint randint_low", sized},
  {"view reshape", reshaped},
  {"expand", expanded},
  {"sum_to", summed},
  {"as_strided", strided},
  {"max", greatest},
  {"min", least},
  {"argmax argmin", position},
  {"mm bmm", matrices},
  {"mv", matrix_by_vector},
  {"dot", vectors},
  {"addmm baddbmm", added_product},
  {"linear", linear_rule},
  {"max_pool max_pool_backward max_pool_positions adaptive_max_pool placed_max_pool avg_pool avg_pool_backward "
   "pool_positions_backward frames_of overlap_add weighted_taps weighted_taps_back weighted_taps_of_weights",
   folded},
  {"row_norm", norm_of_rows},
  {"mse_loss", squared_error},
  {"nll_loss", log_likelihood},
  {"nll_loss_backward", log_likelihood_backward},
  {"cross_entropy_of_classes", entropy_of_classes},
  {"one_hot", hot},
  {"roll", rolled},
  {"searchsorted", searched},
  {"convolve", folded_first},
  {"index", indexed},
  {"embedding_rows", looked_up},
};

static BatchRule *by_id; /* one a row of the op table */

static void find_rules(void)
{
  by_id = calloc((size_t)op_count, sizeof *by_id);
  for (size_t i = 0; by_id && i < sizeof rules / sizeof *rules; i++) {
    for (const char *p = rules[i].rows; *p; p += strspn(p, " ")) {
      size_t length = strcspn(p, " ");
      for (int id = 0; id < op_count; id++)
        if (strlen(op_table[id].row) == length && memcmp(op_table[id].row, p, length) == 0) by_id[id] = rules[i].rule;
      p += length;
    }
  }
}

BatchRule batch_rule(const Op *op)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, find_rules);
  return by_id ? by_id[op->id] : NULL;
}
