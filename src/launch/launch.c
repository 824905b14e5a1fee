/* What is common to all launches: see launch.h. */
#include "launch/launch.h"

#include <string.h>

#include "core/blocks.h"
#include "core/parallel.h"
#include "launch/copy.h"

static inline DType wanted_dtype(const Tensor *t, uint8_t wants, DType compute)
{
  if (!(wants & DTYPE_BITS)) return compute;
  return wants & AS_INT64 ? DTYPE_i64 : wants & AS_DOUBLE ? DTYPE_f64 : tensor_dtype(t);
}

static inline bool lies_as_wanted(const Tensor *t, uint8_t wants)
{
  if (t->is_contiguous || (wants & LAYOUT_BITS) == ANY_STRIDES) return true;
  if ((wants & LAYOUT_BITS) == DENSE) return false;
  return t->ndim == 0 || t->shape[t->ndim - 1] <= 1 || t->strides[t->ndim - 1] == 1;
}

static inline bool is_as_wanted(const Tensor *t, uint8_t wants, DType compute)
{
  return tensor_dtype(t) == wanted_dtype(t, wants, compute) && lies_as_wanted(t, wants);
}

/* Whether nothing that is written can be an operand's; a first look. */
static inline bool is_apart(const Launch *l, int64_t results, const Tensor *x)
{
  for (int64_t i = 0; i < results; i++)
    if (l->y[i] && l->y[i]->storage == x->storage) return false;
  return true;
}

/* Whether an operand must be copied since what the kernel writes may change it on the way. */
static bool is_overwritten(const Launch *l, const Tensor *x)
{
  for (int i = 0; i < LAUNCH_RESULTS; i++) {
    const Tensor *y = l->y[i];
    if (y && may_overlap(x, y) && !(l->driver->in_place && same_place(x, y))) return true;
  }
  return false;
}

static Tensor *result_elsewhere(Call *call, const Launch *l, Tensor *y, uint8_t wants)
{
  Tensor *to = new_beside(call, y, wanted_dtype(y, wants, l->dtype), tensor_shape(y));
  if (wants & UPDATED) launch_copy(call, to, y);
  return to;
}

static Tensor *operand_laid_out(Call *call, const Launch *l, Tensor *x, uint8_t wants)
{
  if (!is_as_wanted(x, wants, l->dtype)) x = contiguous_as(call, x, wanted_dtype(x, wants, l->dtype));
  if (is_overwritten(l, x)) x = copy_of(call, x, tensor_dtype(x));
  return lies_as_wanted(x, wants) ? x : contiguous_as(call, x, tensor_dtype(x));
}

static void zero_results(Call *call, const Launch *l)
{
  for (int i = 0; i < LAUNCH_RESULTS; i++)
    if (l->y[i] && l->driver->results[i] & ZEROED) launch_fill(call, l->y[i], scalar_int(0));
}

static void run_items(void *arg, int64_t begin, int64_t end)
{
  const Launch *l = arg;
  l->driver->run(l, begin, end);
}

void launch_items(Work work, void (*body)(void *arg, int64_t begin, int64_t end), void *arg)
{
  bool is_small = work.items <= 1
                  || (work.elements <= GRAIN && work.items <= GRAIN && work.items * work.elements <= GRAIN);
  if (!is_small) parallel_for(work.items, grain_of(GRAIN, work.elements), body, arg);
  else if (work.items > 0) body(arg, 0, work.items);
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
  l->driver = driver;
  l->dtype = dtype_compute(dtype);
  l->params = (void *)(uintptr_t)params;
  memset(l->y, 0, sizeof l->y);
  memset(l->x, 0, sizeof l->x);
  l->k = kernels_for(first, l->dtype);
  l->size = (int64_t)dtype_size(l->dtype);
  uint8_t all_wants = 0;
  for (int64_t i = 0; i < results.n; i++) { /* results first: those that are written elsewhere are in nobody's way */
    Tensor *y = results.v[i];
    uint8_t wants = driver->results[i];
    l->y[i] = !y || is_as_wanted(y, wants, l->dtype) ? y : result_elsewhere(call, l, y, wants);
    all_wants |= wants;
  }
  for (int64_t i = 0; i < operands.n; i++) {
    Tensor *x = operands.v[i];
    uint8_t wants = driver->operands[i];
    if (x && x->device != first->device) raise(call, "tensors are on different devices: cpu and meta");
    bool ready = !x || (is_as_wanted(x, wants, l->dtype) && is_apart(l, results.n, x));
    l->x[i] = ready ? x : operand_laid_out(call, l, x, wants);
  }
  if (all_wants & ZEROED) zero_results(call, l);
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
