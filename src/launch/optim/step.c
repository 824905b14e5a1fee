/* Steps of optimizers: all parameters of a group in chunks for threads. */
#include "launch/optim/step.h"

#include "core/blocks.h"
#include "core/parallel.h"
#include "launch/copy.h"
#include "launch/launch.h"

void step_part_prepare(Call *call, StepPart *part)
{
  const Tensor *param = part->tensors[0];
  if (!launch_runs(param)) return;
  DType dtype = dtype_compute(tensor_dtype(param)), real = dtype_to_real(dtype);
  part->kernels = kernels_for(param, real)->optim;
  part->count = param->numel * (real == dtype ? 1 : 2); /* a complex number is two real ones */
  for (int b = 0; b < STEP_TENSORS; b++) {
    if (!part->tensors[b]) continue;
    part->buffers[b] = contiguous_as(call, part->tensors[b], dtype);
    part->data[b] = tensor_data(part->buffers[b]);
  }
}

static void step_elements(StepId step, const StepPart *part, int64_t begin, int64_t end)
{
  void *data[STEP_TENSORS];
  int64_t size = (int64_t)dtype_size(dtype_to_real(tensor_dtype(part->buffers[0])));
  for (int b = 0; b < STEP_TENSORS; b++) data[b] = part->data[b] ? (char *)part->data[b] + begin * size : NULL;
  part->kernels->step[step](end - begin, data, &part->coefficients);
}

typedef struct Steps {
  StepId step;
  const StepPart *parts;
  int64_t n;
} Steps;

/* The part that a chunk belongs to. */
static const StepPart *part_at(const Steps *s, int64_t chunk)
{
  int64_t low = 0, high = s->n;
  while (high - low > 1) {
    int64_t middle = (low + high) / 2;
    if (s->parts[middle].first_chunk <= chunk) low = middle;
    else high = middle;
  }
  return &s->parts[low];
}

static void step_chunks(void *arg, int64_t begin, int64_t end)
{
  const Steps *s = arg;
  for (int64_t chunk = begin; chunk < end; chunk++) {
    const StepPart *part = part_at(s, chunk);
    int64_t from = (chunk - part->first_chunk) * GRAIN, to = from + GRAIN;
    step_elements(s->step, part, from, to < part->count ? to : part->count);
  }
}

void launch_steps(Call *call, StepId step, StepPart *parts, int64_t n)
{
  int64_t chunks = 0, elements = 0;
  for (int64_t i = 0; i < n; i++) {
    parts[i].first_chunk = chunks;
    chunks += (parts[i].count + GRAIN - 1) / GRAIN;
    elements += parts[i].count;
  }
  if (elements > GRAIN) {
    parallel_for(chunks, 1, step_chunks, &(Steps){step, parts, n});
  } else {
    for (int64_t i = 0; i < n; i++)
      if (parts[i].count) parts[i].kernels->step[step](parts[i].count, parts[i].data, &parts[i].coefficients);
  }
  for (int64_t i = 0; i < n; i++)
    for (int b = 0; b < STEP_TENSORS; b++)
      if (b != 1 && parts[i].buffers[b] != parts[i].tensors[b] && parts[i].buffers[b])
        launch_copy(call, parts[i].tensors[b], parts[i].buffers[b]);
}

double step_number(const Tensor *t) { return scalar_real(tensor_item(t)); }

void step_number_set(Tensor *t, double value) { scalar_store(scalar_float(value), tensor_dtype(t), tensor_data(t)); }
