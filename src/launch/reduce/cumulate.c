/* Sums, products and extremes of all elements up to each one: whole slabs in parallel. */
#include "launch/reduce/cumulate.h"

#include "launch/launch.h"

typedef struct Cumulate {
  CumulateId id;
  PositionOf what;
  bool from_end;
  Slabs s;
} Cumulate;

static void cumulate_slabs(const Launch *l, int64_t begin, int64_t end)
{
  const Cumulate *c = l->params;
  int64_t at = begin * c->s.n * c->s.inner;
  l->k->cumulate->values[c->id](end - begin, c->s.n, c->s.inner, c->from_end, operand_at(l, 0, at),
                                result_at(l, 0, at));
}

static void cumulate_extreme_slabs(const Launch *l, int64_t begin, int64_t end)
{
  const Cumulate *c = l->params;
  int64_t at = begin * c->s.n * c->s.inner;
  l->k->cumulate->extremes[c->what](end - begin, c->s.n, c->s.inner, operand_at(l, 0, at), result_at(l, 0, at),
                                    result_at(l, 1, at));
}

static Work work_of(Slabs s) { return (Work){s.outer, s.n * s.inner}; }

void launch_cumulate(Call *call, CumulateId id, Tensor *x, int dim, bool from_end, Tensor *y)
{
  static const Driver driver = {.run = cumulate_slabs, .results = {DENSE}, .operands = {DENSE}, .in_place = true};
  DType dtype = tensor_dtype(y);
  if (!launch_runs(y)) return;
  NEEDS_KERNEL(call, kernels_for(y, dtype_compute(dtype))->cumulate->values[id], dtype);
  Cumulate c = {.id = id, .from_end = from_end, .s = slabs_of(x, dim)};
  launch(call, &driver, dtype, TENSOR_LIST(y), TENSOR_LIST(x), work_of(c.s), &c);
}

void launch_cumulate_extreme(Call *call, PositionOf what, Tensor *x, int dim, Tensor *values, Tensor *positions)
{
  static const Driver driver = {
    .run = cumulate_extreme_slabs, .results = {DENSE, AS_INT64}, .operands = {DENSE}, .in_place = true};
  Cumulate c = {.what = what, .s = slabs_of(x, dim)};
  launch(call, &driver, tensor_dtype(values), TENSOR_LIST(values, positions), TENSOR_LIST(x), work_of(c.s), &c);
}
