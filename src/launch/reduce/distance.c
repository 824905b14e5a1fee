/* Distances of rows: an item is one row and all those that it is compared with. */
#include "launch/reduce/distance.h"

#include "launch/launch.h"

typedef struct Distances {
  DistanceKind kind;
  int64_t p, r, n;
} Distances;

static void rows_to_rows(const Launch *l, int64_t begin, int64_t end)
{
  const Distances *d = l->params;
  for (int64_t i = begin; i < end; i++)
    l->k->reduce->distances[d->kind](d->r, d->n, operand_at(l, 0, i * d->n), operand_at(l, 1, i / d->p * d->r * d->n),
                                     result_at(l, 0, i * d->r));
}

void launch_distances(Call *call, DistanceKind kind, Tensor *a, Tensor *b, Tensor *y)
{
  static const Driver driver = {.run = rows_to_rows, .results = {DENSE}, .operands = {DENSE, DENSE}};
  Distances d = {kind, a->shape[1], b->shape[1], a->shape[2]};
  launch(call, &driver, tensor_dtype(y), TENSOR_LIST(y), TENSOR_LIST(a, b), (Work){a->shape[0] * d.p, d.r * d.n}, &d);
}

static void rows_to_later(const Launch *l, int64_t begin, int64_t end)
{
  const Distances *d = l->params;
  for (int64_t i = begin; i < end; i++)
    l->k->reduce->distances[d->kind](d->p - 1 - i, d->n, operand_at(l, 0, i * d->n), operand_at(l, 0, (i + 1) * d->n),
                                     result_at(l, 0, i * d->p - i * (i + 1) / 2));
}

void launch_pair_distances(Call *call, DistanceKind kind, Tensor *x, Tensor *y)
{
  static const Driver driver = {.run = rows_to_later, .results = {DENSE}, .operands = {DENSE}};
  Distances d = {kind, x->shape[0], 0, x->shape[1]};
  launch(call, &driver, tensor_dtype(y), TENSOR_LIST(y), TENSOR_LIST(x), (Work){d.p - 1, d.p / 2 * d.n}, &d);
}
