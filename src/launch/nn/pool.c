/* Pooling: whole volumes in parallel. */
#include "launch/nn/pool.h"

#include "launch/launch.h"

static int64_t inside_of(const Pool *p) { return p->size[0] * p->size[1] * p->size[2]; }
static int64_t outside_of(const Pool *p) { return p->result[0] * p->result[1] * p->result[2]; }

/* Volumes are those of a tensor with the elements of x, or of its gradient. */
static Work work_of(const Pool *p, const Tensor *x)
{
  int64_t inside = inside_of(p);
  return (Work){inside ? x->numel / inside : 0, inside + outside_of(p)};
}

/* ------------------------------------------------------------------ means */

static void avg_volumes(const Launch *l, int64_t begin, int64_t end)
{
  const Pool *p = l->params;
  l->k->pool->average(p, end - begin, operand_at(l, 0, begin * inside_of(p)), result_at(l, 0, begin * outside_of(p)));
}

static void avg_backward_volumes(const Launch *l, int64_t begin, int64_t end)
{
  const Pool *p = l->params;
  l->k->pool->average_backward(p, end - begin, operand_at(l, 0, begin * outside_of(p)),
                               result_at(l, 0, begin * inside_of(p)));
}

void launch_avg_pool(Call *call, const Pool *p, Tensor *x, Tensor *y)
{
  static const Driver driver = {.run = avg_volumes, .results = {DENSE}, .operands = {DENSE}};
  launch(call, &driver, tensor_dtype(y), TENSOR_LIST(y), TENSOR_LIST(x), work_of(p, x), p);
}

void launch_avg_pool_backward(Call *call, const Pool *p, Tensor *dy, Tensor *dx)
{
  static const Driver driver = {.run = avg_backward_volumes, .results = {DENSE}, .operands = {DENSE}};
  launch(call, &driver, tensor_dtype(dx), TENSOR_LIST(dx), TENSOR_LIST(dy), work_of(p, dx), p);
}

/* ------------------------------------------------------------------ maxima */

static void max_volumes(const Launch *l, int64_t begin, int64_t end)
{
  const Pool *p = l->params;
  int64_t outside = begin * outside_of(p);
  l->k->pool->max(p, end - begin, operand_at(l, 0, begin * inside_of(p)), result_at(l, 0, outside),
                  result_at(l, 1, outside));
}

static void max_backward_volumes(const Launch *l, int64_t begin, int64_t end)
{
  const Pool *p = l->params;
  int64_t inside = begin * inside_of(p);
  l->k->pool->max_backward(p, end - begin, operand_at(l, 0, inside), operand_at(l, 1, begin * outside_of(p)),
                           result_at(l, 0, inside));
}

static void placed_max_volumes(const Launch *l, int64_t begin, int64_t end)
{
  const Pool *p = l->params;
  int64_t outside = begin * outside_of(p), begins = begin * (p->result[0] + p->result[1] + p->result[2]);
  l->k->pool->placed_max(p, end - begin, operand_at(l, 1, begins), operand_at(l, 0, begin * inside_of(p)),
                         result_at(l, 0, outside), result_at(l, 1, outside));
}

void launch_max_pool(Call *call, const Pool *p, Tensor *x, Tensor *y, Tensor *positions)
{
  static const Driver driver = {.run = max_volumes, .results = {DENSE, AS_INT64}, .operands = {DENSE}};
  launch(call, &driver, tensor_dtype(y), TENSOR_LIST(y, positions), TENSOR_LIST(x), work_of(p, x), p);
}

void launch_max_pool_backward(Call *call, const Pool *p, Tensor *x, Tensor *dy, Tensor *dx)
{
  static const Driver driver = {.run = max_backward_volumes, .results = {DENSE}, .operands = {DENSE, DENSE}};
  launch(call, &driver, tensor_dtype(dx), TENSOR_LIST(dx), TENSOR_LIST(x, dy), work_of(p, dx), p);
}

void launch_placed_max_pool(Call *call, const Pool *p, Tensor *x, Tensor *begins, Tensor *y, Tensor *positions)
{
  static const Driver driver = {.run = placed_max_volumes, .results = {DENSE, AS_INT64}, .operands = {DENSE, AS_INT64}};
  launch(call, &driver, tensor_dtype(y), TENSOR_LIST(y, positions), TENSOR_LIST(x, begins), work_of(p, x), p);
}
