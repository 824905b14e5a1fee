/* What is common to all launches: see launch.h. */
#include "launch/launch.h"

#include "core/blocks.h"
#include "core/parallel.h"
#include "launch/copy.h"

static DType wanted_dtype(const Tensor *t, uint8_t wants, DType compute)
{
  if (wants & AS_INT64) return DTYPE_i64;
  if (wants & AS_DOUBLE) return DTYPE_f64;
  return wants & MOVED ? tensor_dtype(t) : compute;
}

static bool lies_as_wanted(const Tensor *t, uint8_t wants)
{
  switch (wants & LAYOUT_BITS) {
    case ANY_STRIDES: return true;
    case LAST_DENSE: return t->ndim == 0 || t->shape[t->ndim - 1] <= 1 || t->strides[t->ndim - 1] == 1;
    default: return t->is_contiguous;
  }
}

static bool is_as_wanted(const Tensor *t, uint8_t wants, DType compute)
{
  return tensor_dtype(t) == wanted_dtype(t, wants, compute) && lies_as_wanted(t, wants);
}

/* Whether an operand must be copied since what the kernel writes may change it on the way. */
static bool is_overwritten(const Launch *l, int64_t results, const Tensor *x)
{
  for (int64_t i = 0; i < results; i++) {
    const Tensor *y = l->y[i];
    if (!y || x->storage != y->storage) continue;
    if (may_overlap(x, y) && !(l->driver->in_place && same_place(x, y))) return true;
  }
  return false;
}

/* Results first: those that are written elsewhere are in nobody's way. */
static void prepare_results(Call *call, Launch *l, Tensors results)
{
  for (int64_t i = 0; i < results.n; i++) {
    Tensor *y = results.v[i];
    uint8_t wants = l->driver->results[i];
    if (!y || is_as_wanted(y, wants, l->dtype)) {
      l->y[i] = y;
      continue;
    }
    l->y[i] = new_beside(call, y, wanted_dtype(y, wants, l->dtype), tensor_shape(y));
    if (wants & UPDATED) launch_copy(call, l->y[i], y);
  }
}

static void prepare_operands(Call *call, Launch *l, int64_t results, Tensors operands)
{
  for (int64_t i = 0; i < operands.n; i++) {
    Tensor *x = operands.v[i];
    uint8_t wants = l->driver->operands[i];
    if (!x) continue;
    if (!is_as_wanted(x, wants, l->dtype)) x = contiguous_as(call, x, wanted_dtype(x, wants, l->dtype));
    if (is_overwritten(l, results, x)) {
      x = copy_of(call, x, tensor_dtype(x));
      if (!lies_as_wanted(x, wants)) x = contiguous_as(call, x, tensor_dtype(x));
    }
    l->x[i] = x;
  }
}

static void run_items(void *arg, int64_t begin, int64_t end)
{
  const Launch *l = arg;
  l->driver->run(l, begin, end);
}

void launch_items(Work work, void (*body)(void *arg, int64_t begin, int64_t end), void *arg)
{
  bool is_small = work.items <= GRAIN && work.elements <= GRAIN && work.items * work.elements <= GRAIN;
  int64_t grain = is_small ? work.items : grain_of(GRAIN, work.elements);
  if (work.items <= grain) {
    if (work.items > 0) body(arg, 0, work.items);
  } else {
    parallel_for(work.items, grain, body, arg);
  }
}

/* A result that there is something to do for, or NULL. */
static const Tensor *first_running(Tensors results)
{
  for (int64_t i = 0; i < results.n; i++)
    if (results.v[i] && launch_runs(results.v[i])) return results.v[i];
  return NULL;
}

bool launch_begin(Call *call, Launch *l, const Driver *driver, DType dtype, Tensors results, Tensors operands,
                  const void *params)
{
  const Tensor *first = first_running(results);
  if (!first) return false;
  *l = (Launch){.driver = driver, .dtype = dtype_compute(dtype), .params = (void *)(uintptr_t)params};
  l->k = kernels_for(first, l->dtype);
  l->size = (int64_t)dtype_size(l->dtype);
  prepare_results(call, l, results);
  prepare_operands(call, l, results.n, operands);
  for (int64_t i = 0; i < results.n; i++)
    if (l->y[i] && driver->results[i] & ZEROED) launch_fill(call, l->y[i], scalar_int(0));
  return true;
}

void launch_end(Call *call, const Launch *l, Tensors results)
{
  for (int64_t i = 0; i < results.n; i++)
    if (l->y[i] != results.v[i]) launch_copy(call, results.v[i], l->y[i]);
}

void launch(Call *call, const Driver *driver, DType dtype, Tensors results, Tensors operands, Work work,
            const void *params)
{
  Launch l;
  if (!launch_begin(call, &l, driver, dtype, results, operands, params)) return;
  if (driver->before) driver->before(call, &l);
  launch_items(work, run_items, &l);
  if (driver->after) driver->after(call, &l);
  launch_end(call, &l, results);
}
