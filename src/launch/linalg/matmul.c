/* Products: matrices as gemm takes them, which cuts the work for threads itself. Small ones spend their time around the
   product, not in it, so they are prepared here, with little ado, rather than by launch. */
#include "launch/linalg/matmul.h"

#include <string.h>

#include "core/blocks.h"
#include "kernels/cast.h"
#include "kernels/reduce.h"
#include "launch/copy.h"
#include "launch/linalg/gemm.h"
#include "launch/launch.h"

static const Addend NOTHING = {NULL, 0, 0};

/* ------------------------------------------------------------ preparations */

/* What gemm writes to: y if it is in row-major order and of the dtype that is computed in, else a tensor beside it. */
static Tensor *target_of(Call *call, Tensor *y)
{
  DType d = dtype_compute(tensor_dtype(y));
  return y->dtype == (uint8_t)d && y->is_contiguous ? y : new_beside(call, y, d, tensor_shape(y));
}

static void store_target(Call *call, Tensor *y, const Tensor *target)
{
  if (target != y) launch_copy(call, y, target);
}

/* An operand of the target's dtype and with memory of its own. */
static Tensor *operand_for(Call *call, Tensor *t, const Tensor *target)
{
  if (t->dtype != target->dtype) return contiguous_as(call, t, tensor_dtype(target));
  return t->storage == target->storage ? apart_from(call, t, target) : t;
}

static Stored stored_as(const Tensor *t)
{
  switch (tensor_dtype(t)) {
    case DTYPE_f16: return STORED_F16;
    case DTYPE_bf16: return STORED_BF16;
    case DTYPE_i8: return STORED_I8;
    case DTYPE_u8: return STORED_U8;
    default: return STORED_SAME;
  }
}

static Matrix last_two(const Tensor *t)
{
  int r = t->ndim - 2, c = t->ndim - 1;
  return (Matrix){tensor_data(t), t->shape[r], t->shape[c], t->strides[r], t->strides[c], STORED_SAME};
}

/* The same of elements that are narrower than the product's. */
static Matrix narrow_last_two(const Tensor *t)
{
  Matrix m = last_two(t);
  m.stored = stored_as(t);
  return m;
}

/* The last two dimensions as a matrix of the target's dtype that gemm takes; in `t` the tensor it lies in, a copy if
   need be. */
static Matrix matrix_of(Call *call, Tensor **t, const Tensor *target)
{
  *t = operand_for(call, *t, target);
  Matrix m = last_two(*t);
  if ((*t)->is_contiguous || !dtype_is_inexact(tensor_dtype(target)) || gemm_takes(&m)) return m;
  *t = contiguous_as(call, *t, tensor_dtype(target));
  return last_two(*t);
}

/* The same, but many halves are left as they are stored. */
static Matrix factor_of(Call *call, Tensor *t, const Tensor *target)
{
  if (t->numel >= GEMM_HALVES && dtype_is_half(tensor_dtype(t))) {
    Matrix m = narrow_last_two(t);
    if (gemm_takes(&m)) return m;
  }
  return matrix_of(call, &t, target);
}

/* A matrix, or a vector as a row. */
static Matrix left_of(Call *call, Tensor *t, const Tensor *target)
{
  if (t->ndim > 1) return factor_of(call, t, target);
  t = contiguous_as(call, operand_for(call, t, target), tensor_dtype(target));
  return (Matrix){tensor_data(t), 1, t->shape[0], t->shape[0], 1, STORED_SAME};
}

/* A matrix, or a vector as a column. */
static Matrix right_of(Call *call, Tensor *t, const Tensor *target)
{
  if (t->ndim > 1) return factor_of(call, t, target);
  t = contiguous_as(call, operand_for(call, t, target), tensor_dtype(target));
  return (Matrix){tensor_data(t), t->shape[0], 1, 1, 1, STORED_SAME};
}

/* ---------------------------------------------------------------- products */

/* The target is the result itself, or what is stored into it later. */
static void multiply_into(Call *call, const Matrix *l, const Matrix *r, double alpha, Addend addend, Tensor *target,
                          const Tensor *y)
{
  if (target == y) gemm_result(call, l, r, alpha, addend, target);
  else gemm(call, tensor_dtype(target), l, r, alpha, addend, tensor_data(target), r->cols);
}

void launch_product(Call *call, Tensor *l, Tensor *r, Tensor *y)
{
  if (!launch_runs(y)) return;
  Tensor *target = target_of(call, y);
  Matrix ml = left_of(call, l, target), mr = right_of(call, r, target);
  multiply_into(call, &ml, &mr, 1, NOTHING, target, y);
  store_target(call, y, target);
}

/* What broadcasts to the target, as gemm takes it: a matrix or a row as it lies, or a copy in the target. */
static Addend addend_of(Call *call, Tensor *t, Tensor *target, double factor)
{
  const int64_t cols = target->shape[target->ndim - 1];
  const bool row = t->ndim == 1 || (t->ndim == 2 && t->shape[0] == 1 && target->ndim == 2);
  const bool fits = t->ndim > 0 && t->shape[t->ndim - 1] == cols && (cols == 1 || t->strides[t->ndim - 1] == 1)
                    && (row || (t->ndim == 2 && target->ndim == 2));
  if (fits && t->dtype == target->dtype && t->storage != target->storage)
    return (Addend){tensor_data(t), row ? 0 : t->strides[0], factor};
  launch_copy(call, target, t);
  return (Addend){tensor_data(target), cols, factor};
}

void launch_addmm(Call *call, Tensor *input, Tensor *l, Tensor *r, double beta, double alpha, Tensor *y)
{
  if (!launch_runs(y)) return;
  Tensor *target = target_of(call, y);
  Matrix ml = factor_of(call, l, target), mr = factor_of(call, r, target);
  Addend addend = beta != 0 ? addend_of(call, input, target, beta) : NOTHING;
  multiply_into(call, &ml, &mr, alpha, addend, target, y);
  store_target(call, y, target);
}

void launch_baddbmm(Call *call, Tensor *input, Tensor *l, Tensor *r, double beta, double alpha, Tensor *y)
{
  if (!launch_runs(y)) return;
  Tensor *target = target_of(call, y);
  Matrix ml = matrix_of(call, &l, target), mr = matrix_of(call, &r, target);
  if (beta != 0) launch_copy(call, target, input);
  gemm_batch(call, tensor_dtype(target), target->shape[0], ml, mr, alpha, beta, tensor_data(target),
             (BatchSteps){l->strides[0], r->strides[0], ml.rows * mr.cols});
  store_target(call, y, target);
}

void launch_bmm(Call *call, Tensor *l, Tensor *r, Tensor *y) { launch_baddbmm(call, NULL, l, r, 0, 1, y); }

/* ------------------------------------------------------------------ linear */

/* All dimensions but the last as rows. */
static Matrix rows_of(Call *call, Tensor *x, int64_t rows, const Tensor *target)
{
  if (x->ndim == 2) return factor_of(call, x, target);
  int64_t n = x->shape[x->ndim - 1];
  if (!dtype_is_half(tensor_dtype(x)) || !x->is_contiguous || x->numel < GEMM_HALVES)
    x = contiguous_as(call, operand_for(call, x, target), tensor_dtype(target));
  return (Matrix){tensor_data(x), rows, n, n, 1, x->dtype == target->dtype ? STORED_SAME : stored_as(x)};
}

void launch_linear(Call *call, Tensor *x, Tensor *weight, Tensor *bias, Tensor *y)
{
  if (!launch_runs(y)) return;
  Tensor *target = target_of(call, y);
  Matrix w = factor_of(call, weight, target), r = turned(&w), l = rows_of(call, x, y->numel / w.rows, target);
  Addend addend = bias ? addend_of(call, bias, target, 1) : NOTHING;
  multiply_into(call, &l, &r, 1, addend, target, y);
  store_target(call, y, target);
}

void launch_linear_int8(Call *call, Tensor *x, Tensor *weight, Tensor *y)
{
  if (!launch_runs(y)) return;
  weight = contiguous_as(call, weight, DTYPE_i8);
  Matrix w = narrow_last_two(weight), r = turned(&w), l = rows_of(call, x, y->numel / w.rows, y);
  gemm(call, DTYPE_f32, &l, &r, 1, NOTHING, tensor_data(y), r.cols);
}

void launch_bytes_product(Call *call, Tensor *l, Tensor *r, Tensor *y)
{
  if (!launch_runs(y)) return;
  Tensor *target = target_of(call, y);
  Matrix ml = narrow_last_two(l), mr = narrow_last_two(r);
  gemm(call, DTYPE_i32, &ml, &mr, 1, NOTHING, tensor_data(target), mr.cols);
  store_target(call, y, target);
}

static bool is_plain(const Tensor *t, const Tensor *like)
{
  return t->dtype == like->dtype && t->is_contiguous && t->numel > 0;
}

bool takes_linear_backward(const Tensor *dy, const Tensor *x, const Tensor *weight)
{
  DType d = tensor_dtype(dy);
  return dtype_is_floating(d) && !dtype_is_half(d) && dy->ndim == 2 && dy->numel <= LINEAR_SMALL && is_plain(dy, dy)
         && dy->shape[1] <= LINEAR_COLUMNS && (!x || is_plain(x, dy)) && (!weight || is_plain(weight, dy));
}

static void column_sums(const Tensor *x, Tensor *y)
{
  double wide[LINEAR_COLUMNS];
  DType d = tensor_dtype(x);
  const int64_t size = (int64_t)dtype_size(d), n = x->shape[1];
  kernels_for(x, d)->reduce->columns[REDUCE_SUM](x->shape[0], n, n, tensor_data(x), wide);
  if (d == DTYPE_f64) memcpy(tensor_data(y), wide, (size_t)(n * size));
  else cast_kernel(DTYPE_f64, d)(n, (const char *)wide, sizeof *wide, tensor_data(y), size);
}

void launch_linear_backward(Call *call, const Tensor *dy, const Tensor *x, const Tensor *weight, Tensor *dx,
                            Tensor *dweight, Tensor *dbias)
{
  if (!launch_runs(dy)) return;
  Matrix down = last_two(dy), across = turned(&down);
  if (dx) {
    Matrix w = last_two(weight);
    gemm(call, tensor_dtype(dy), &down, &w, 1, NOTHING, tensor_data(dx), w.cols);
  }
  if (dweight) {
    Matrix rows = last_two(x);
    gemm(call, tensor_dtype(dy), &across, &rows, 1, NOTHING, tensor_data(dweight), rows.cols);
  }
  if (dbias) column_sums(dy, dbias);
}
