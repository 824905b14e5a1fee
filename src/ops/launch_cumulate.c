/* How sums, products and extremes of all elements up to each one run: whole slabs in parallel. */
#include "core/blocks.h"
#include "ops/helpers.h"
#include "ops/reduction.h"

typedef struct Cumulate {
  const KernelTable *k;
  CumulateId id;
  PositionOf what;
  bool from_end;
  const char *x;
  char *y;
  int64_t *positions;
  Slabs s;
  int64_t slab; /* elements */
  int64_t size; /* bytes of an element */
} Cumulate;

static void cumulate_part(void *arg, int64_t begin, int64_t end)
{
  const Cumulate *c = arg;
  int64_t at = begin * c->slab * c->size;
  c->k->cumulate[c->id](end - begin, c->s.n, c->s.inner, c->from_end, c->x + at, c->y + at);
}

static void cumulate_extreme_part(void *arg, int64_t begin, int64_t end)
{
  const Cumulate *c = arg;
  int64_t first = begin * c->slab, at = first * c->size;
  c->k->cumulate_extreme[c->what](end - begin, c->s.n, c->s.inner, c->x + at, c->y + at, c->positions + first);
}

/* y itself where the kernels can write to it, else room for what is copied to it. */
static Tensor *room_for(Call *call, Tensor *y, DType d)
{
  return y->dtype == (uint8_t)d && y->is_contiguous ? y : tensor_new(call, d, DEVICE_CPU, tensor_shape(y));
}

static Cumulate cumulate_of(Tensor *x, int dim, Tensor *to)
{
  DType d = tensor_dtype(to);
  Slabs s = slabs_of(x, dim);
  return (Cumulate){.k = kernels_of(d), .x = tensor_data(x), .y = tensor_data(to), .s = s, .slab = s.n * s.inner,
                    .size = (int64_t)dtype_size(d)};
}

void launch_cumulate(Call *call, CumulateId id, Tensor *x, int dim, bool from_end, Tensor *y)
{
  if (y->device == DEVICE_META || y->numel == 0) return;
  DType d = kernel_dtype(tensor_dtype(y));
  x = contiguous_as(call, x, d);
  Tensor *to = room_for(call, y, d);
  Cumulate c = cumulate_of(x, dim, to);
  c.id = id;
  c.from_end = from_end;
  if (!c.k->cumulate[id]) raise(call, "%s tensors are not taken", dtype_name(d));
  parallel_for(c.s.outer, grain_of(GRAIN, c.slab), cumulate_part, &c);
  if (to != y) launch_copy(call, y, to);
}

void launch_cumulate_extreme(Call *call, PositionOf what, Tensor *x, int dim, Tensor *values, Tensor *positions)
{
  if (values->device == DEVICE_META || values->numel == 0) return;
  DType d = kernel_dtype(tensor_dtype(values));
  x = contiguous_as(call, x, d);
  Tensor *to = room_for(call, values, d);
  Cumulate c = cumulate_of(x, dim, to);
  c.what = what;
  c.positions = tensor_data(positions);
  parallel_for(c.s.outer, grain_of(GRAIN, c.slab), cumulate_extreme_part, &c);
  if (to != values) launch_copy(call, values, to);
}
