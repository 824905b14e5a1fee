#include "ops/optim.h"

#include "core/blocks.h"
#include "core/shape.h"
#include "ops/helpers.h"

/* The work on one parameter: its buffers as the kernel takes them. */
typedef struct Part {
  const KernelTable *kernels;
  Tensor *tensors[2 + STEP_STATES];   /* the parameter, its gradient, then its states, where kept */
  Tensor *buffers[2 + STEP_STATES];   /* the same or contiguous copies of the kernel's dtype; no numbers among them */
  void *data[2 + STEP_STATES];        /* their elements */
  StepEntry *entry;
  int64_t count, first_chunk;         /* elements, and where its chunks begin among those of all parts */
  unsigned kept, fresh;               /* which states are kept, and which of them are new */
  double c[STEP_COEFFICIENTS];
} Part;

typedef struct Step {
  const StepRule *rule;
  const double *options;
  Part *parts;
  int64_t n;
} Step;

/* ------------------------------------------------------------------ checks */

static void check_gradient(Call *call, const StepRule *rule, const Tensor *param, const Tensor *grad)
{
  DType dtype = tensor_dtype(param);
  if (!dtype_is_inexact(dtype))
    raise(call, "%s: a parameter is %s; only floating point ones can be optimized", rule->name, dtype_name(dtype));
  if (grad->dtype != param->dtype)
    raise(call, "%s: a parameter is %s and its gradient %s", rule->name, dtype_name(dtype),
          dtype_name(tensor_dtype(grad)));
  if (!tensor_same_shape(param, grad))
    raise(call, "%s: a parameter of shape %s has a gradient of shape %s", rule->name,
          shape_text(call, tensor_shape(param)), shape_text(call, tensor_shape(grad)));
  if (tensor_overlaps_itself(param))
    raise(call, "%s: elements of a parameter share memory (shape %s, strides %s): clone it before it is optimized",
          rule->name, shape_text(call, tensor_shape(param)), shape_text(call, tensor_strides(param)));
  if (grad->device != param->device)
    raise(call, "%s: a parameter and its gradient are on different devices", rule->name);
}

static void check_state(Call *call, const StepRule *rule, const Tensor *param, const Tensor *state, int k)
{
  const char *name = rule->states[k];
  if (k < rule->numbers) {
    if (state->numel != 1 || state->device != DEVICE_CPU || !dtype_is_floating(tensor_dtype(state)))
      raise(call, "%s: the state's %s must be a floating point tensor of one element, not %s of shape %s", rule->name,
            name, dtype_name(tensor_dtype(state)), shape_text(call, tensor_shape(state)));
  } else if (state->dtype != param->dtype || state->device != param->device || !tensor_same_shape(state, param)) {
    raise(call, "%s: a parameter is %s of shape %s, but its state's %s is %s of shape %s", rule->name,
          dtype_name(tensor_dtype(param)), shape_text(call, tensor_shape(param)), name,
          dtype_name(tensor_dtype(state)), shape_text(call, tensor_shape(state)));
  }
}

/* ----------------------------------------------------------------- prepare */

static Tensor *new_state(Call *call, const Step *s, const Tensor *param, int k)
{
  bool is_number = k < s->rule->numbers;
  DType dtype = is_number ? call->ctx->default_dtype : tensor_dtype(param);
  Device device = is_number ? DEVICE_CPU : (Device)param->device;
  Tensor *t = tensor_new(call, dtype, device, is_number ? (Ints){NULL, 0} : tensor_shape(param));
  launch_fill(call, t, scalar_float(s->rule->initial(s->options, k)));
  return t;
}

/* Checks a parameter and makes all that its step needs: nothing fails after that. */
static void prepare_part(Call *call, const Step *s, StepEntry *e, Part *part)
{
  Tensor *param = e->param;
  check_gradient(call, s->rule, param, param->grad);
  *part = (Part){.entry = e, .tensors = {param, param->grad}, .kept = s->rule->kept(s->options)};
  for (int k = 0; s->rule->states[k]; k++) {
    if (!(part->kept >> k & 1)) continue;
    if (e->state[k]) check_state(call, s->rule, param, e->state[k], k);
    else part->fresh |= 1u << k;
    part->tensors[2 + k] = e->state[k] ? e->state[k] : new_state(call, s, param, k);
  }
  if (param->device == DEVICE_META || param->numel == 0) return;
  DType dtype = kernel_dtype(tensor_dtype(param)), real = dtype_to_real(dtype);
  part->kernels = kernels_of(real);
  part->count = param->numel * (real == dtype ? 1 : 2); /* a complex number is two real ones */
  for (int b = 0; b < 2 + STEP_STATES; b++) {
    bool is_number = b >= 2 && b - 2 < s->rule->numbers;
    if (!part->tensors[b] || is_number) continue;
    part->buffers[b] = contiguous_as(call, part->tensors[b], dtype);
    part->data[b < 2 ? b : b - s->rule->numbers] = tensor_data(part->buffers[b]);
  }
}

/* -------------------------------------------------------------------- step */

static void wrote(Tensor *t)
{
  if (t->storage && !t->is_unversioned) t->storage->version++;
}

/* Works out the coefficients of a part and moves its numbers on. */
static void count_step(const Step *s, Part *part)
{
  double numbers[STEP_NUMBERS];
  for (int k = 0; k < s->rule->numbers; k++) numbers[k] = scalar_real(tensor_item(part->tensors[2 + k]));
  s->rule->coefficients(s->options, part->fresh, numbers, part->c);
  for (int k = 0; k < s->rule->numbers; k++)
    scalar_store(scalar_float(numbers[k]), tensor_dtype(part->tensors[2 + k]), tensor_data(part->tensors[2 + k]));
}

static void step_elements(const Step *s, const Part *part, int64_t begin, int64_t end)
{
  void *data[2 + STEP_STATES];
  int64_t size = (int64_t)dtype_size(dtype_to_real(tensor_dtype(part->buffers[0])));
  for (int b = 0; b < 2 + STEP_STATES; b++) data[b] = part->data[b] ? (char *)part->data[b] + begin * size : NULL;
  part->kernels->step[s->rule->step](end - begin, data, part->c);
}

static int64_t chunks_of(const Part *part) { return (part->count + GRAIN - 1) / GRAIN; }

/* The part that a chunk belongs to. */
static const Part *part_at(const Step *s, int64_t chunk)
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
  const Step *s = arg;
  for (int64_t chunk = begin; chunk < end; chunk++) {
    const Part *part = part_at(s, chunk);
    int64_t from = (chunk - part->first_chunk) * GRAIN, to = from + GRAIN;
    step_elements(s, part, from, to < part->count ? to : part->count);
  }
}

/* Writes copies back, and hands new states over. */
static void finish_part(Call *call, const Part *part)
{
  for (int b = 0; b < 2 + STEP_STATES; b++) {
    if (!part->tensors[b] || b == 1) continue;
    if (part->buffers[b] && part->buffers[b] != part->tensors[b])
      launch_copy(call, part->tensors[b], part->buffers[b]);
    wrote(part->tensors[b]);
    if (b >= 2 && part->fresh >> (b - 2) & 1) part->entry->state[b - 2] = tensor_retain(part->tensors[b]);
  }
}

static void run(Call *call, Step *s)
{
  int64_t chunks = 0, elements = 0;
  for (int64_t i = 0; i < s->n; i++) {
    Part *part = &s->parts[i];
    count_step(s, part);
    part->first_chunk = chunks;
    chunks += chunks_of(part);
    elements += part->count;
  }
  if (elements > GRAIN) parallel_for(chunks, 1, step_chunks, s);
  else
    for (int64_t i = 0; i < s->n; i++)
      if (s->parts[i].count) step_elements(s, &s->parts[i], 0, s->parts[i].count);
  for (int64_t i = 0; i < s->n; i++) finish_part(call, &s->parts[i]);
}

void optimizer_step(Call *call, const StepRule *rule, StepEntry *entries, int64_t n, const double *options)
{
  Step s = {.rule = rule, .options = options};
  s.parts = arena_allocate(call->ctx, (size_t)n * sizeof *s.parts);
  for (int64_t i = 0; i < n; i++)
    if (entries[i].param && entries[i].param->grad) prepare_part(call, &s, &entries[i], &s.parts[s.n++]);
  call->ctx->changes_in_place = true;
  run(call, &s);
  call->ctx->changes_in_place = false;
}
