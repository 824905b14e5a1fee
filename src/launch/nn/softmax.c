/* Softmax along a dimension, its logarithm, and the logarithms of its sums: whole slabs in parallel. */
#include "launch/nn/softmax.h"

#include "kernels/softmax.h"
#include "launch/launch.h"

typedef struct Softmax {
  bool log;
  Slabs s;
} Softmax;

static void softmax_slabs(const Launch *l, int64_t begin, int64_t end)
{
  const Softmax *f = l->params;
  int64_t at = begin * f->s.n * f->s.inner;
  l->k->softmax->forward(end - begin, f->s.n, f->s.inner, f->log, operand_at(l, 0, at), result_at(l, 0, at));
}

static void softmax_backward_slabs(const Launch *l, int64_t begin, int64_t end)
{
  const Softmax *f = l->params;
  int64_t at = begin * f->s.n * f->s.inner;
  l->k->softmax->backward(end - begin, f->s.n, f->s.inner, f->log, operand_at(l, 0, at), operand_at(l, 1, at),
                          result_at(l, 0, at));
}

/* A power takes as long as two plain elements. */
static Work work_of(Slabs s) { return (Work){s.outer, 2 * s.n * s.inner}; }

void launch_softmax(Call *call, bool log, Tensor *x, int dim, Tensor *y)
{
  static const Driver driver = {.run = softmax_slabs};
  Softmax f = {log, slabs_of(x, dim)};
  launch(call, &driver, tensor_dtype(y), TENSOR_LIST(y), TENSOR_LIST(x), work_of(f.s), &f);
}

void launch_softmax_backward(Call *call, bool log, Tensor *dy, Tensor *y, int dim, Tensor *dx)
{
  static const Driver driver = {.run = softmax_backward_slabs};
  Softmax f = {log, slabs_of(y, dim)};
  launch(call, &driver, tensor_dtype(dx), TENSOR_LIST(dx), TENSOR_LIST(dy, y), work_of(f.s), &f);
}

static void logsumexp_slabs(const Launch *l, int64_t begin, int64_t end)
{
  const Softmax *f = l->params;
  l->k->softmax->logsumexp(end - begin, f->s.n, f->s.inner, operand_at(l, 0, begin * f->s.n * f->s.inner),
                           result_at(l, 0, begin * f->s.inner));
}

void launch_logsumexp(Call *call, Tensor *x, Slabs slabs, Tensor *y)
{
  static const Driver driver = {.run = logsumexp_slabs};
  Softmax f = {false, slabs};
  launch(call, &driver, tensor_dtype(y), TENSOR_LIST(y), TENSOR_LIST(x), work_of(f.s), &f);
}
