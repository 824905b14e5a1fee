/* A step of all parameters of a group: checks, states, coefficients. */
#include "ops/optim/step.h"

#include <string.h>

#include "core/recorder.h"
#include "core/shape.h"
#include "ops/shape/copy.h"
#include "ops/table/helpers.h"

/* What is known of a parameter's step beside the work. */
typedef struct Part {
  StepEntry *entry;
  Tensor *states[STEP_STATES];                         /* where kept */
  unsigned fresh;                                      /* which of them are new, as bits */
  double numbers[STEP_NUMBERS], counted[STEP_NUMBERS]; /* before the step and after it */
} Part;

typedef struct Step {
  const StepRule *rule;
  const StepOptions *options;
  Part *parts;
  StepPart *work;
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
    if (state->numel != 1 || state->device != device_of_numbers() || !dtype_is_floating(tensor_dtype(state)))
      raise(call, "%s: the state's %s must be a floating point tensor of one element, not %s of shape %s", rule->name,
            name, dtype_name(tensor_dtype(state)), shape_text(call, tensor_shape(state)));
  } else if (state->dtype != param->dtype || state->device != param->device || !tensor_same_shape(state, param)) {
    raise(call, "%s: a parameter is %s of shape %s, but its state's %s is %s of shape %s", rule->name,
          dtype_name(tensor_dtype(param)), shape_text(call, tensor_shape(param)), name, dtype_name(tensor_dtype(state)),
          shape_text(call, tensor_shape(state)));
  }
}

/* ----------------------------------------------------------------- prepare */

/* A state before the first step; the parts of a complex one are two real ones. */
static Tensor *new_state(Call *call, const Step *s, const Tensor *param, int k)
{
  bool is_number = k < s->rule->numbers;
  DType dtype = is_number ? call->ctx->default_dtype : tensor_dtype(param);
  Device device = is_number ? device_of_numbers() : device_of(param);
  Tensor *t = tensor_new(call, dtype, device, is_number ? (Ints){NULL, 0} : tensor_shape(param));
  double initial = s->rule->initial(s->options, k);
  launch_fill(call, t, dtype_is_complex(dtype) ? scalar_complex(initial, initial) : scalar_float(initial));
  return t;
}

/* Checks a parameter and makes all that its step needs: nothing fails after that. */
static void prepare_part(Call *call, const Step *s, StepEntry *e, Part *part, StepPart *work)
{
  Tensor *param = e->param;
  unsigned kept = s->rule->kept(s->options);
  check_gradient(call, s->rule, param, param->grad);
  *part = (Part){.entry = e};
  *work = (StepPart){.tensors = {param, param->grad}};
  for (int k = 0; s->rule->states[k]; k++) {
    if (!(kept >> k & 1)) continue;
    if (e->state[k]) check_state(call, s->rule, param, e->state[k], k);
    else part->fresh |= 1u << k;
    part->states[k] = e->state[k] ? e->state[k] : new_state(call, s, param, k);
    if (k >= s->rule->numbers) work->tensors[2 + k - s->rule->numbers] = part->states[k];
  }
  step_part_prepare(call, work);
}

/* -------------------------------------------------------------------- step */

static void wrote(Tensor *t)
{
  if (!t->storage) return;
  t->storage->writes++;
  if (!t->is_unversioned) t->storage->version++;
}

/* Whether two parts' steps have the same coefficients. */
static bool steps_alike(const Part *a, const Part *b, int numbers)
{
  bool alike = a->fresh == b->fresh;
  for (int k = 0; k < numbers; k++) alike &= a->numbers[k] == b->numbers[k];
  return alike;
}

/* Works out the coefficients of a part: those of the one before it if it was stepped as often. Moves its numbers on. */
static void count_step(const Step *s, int64_t i)
{
  Part *part = &s->parts[i];
  int n = s->rule->numbers;
  for (int k = 0; k < n; k++) part->numbers[k] = step_number(part->states[k]);
  if (i > 0 && steps_alike(part - 1, part, n)) {
    s->work[i].coefficients = s->work[i - 1].coefficients;
    memcpy(part->counted, part[-1].counted, sizeof part->counted);
  } else {
    memcpy(part->counted, part->numbers, sizeof part->counted);
    s->rule->coefficients(s->options, part->fresh, part->counted, &s->work[i].coefficients);
  }
  for (int k = 0; k < n; k++) step_number_set(part->states[k], part->counted[k]);
}

/* Counts what has been written, and hands new states over. */
static void finish_part(const Part *part)
{
  wrote(part->entry->param);
  for (int k = 0; k < STEP_STATES; k++) {
    if (!part->states[k]) continue;
    wrote(part->states[k]);
    if (part->fresh >> k & 1) part->entry->state[k] = tensor_retain(part->states[k]);
  }
}

static void step_all(Call *call, const OptimizerWork *work)
{
  Step s = {.rule = work->rule, .options = &work->options};
  s.parts = arena_allocate(call->ctx, (size_t)work->n * sizeof *s.parts);
  s.work = arena_allocate(call->ctx, (size_t)work->n * sizeof *s.work);
  for (int64_t i = 0; i < work->n; i++) {
    StepEntry *e = &work->entries[i];
    if (!e->param || !e->param->grad) continue;
    prepare_part(call, &s, e, &s.parts[s.n], &s.work[s.n]);
    s.n++;
  }
  bool outer_change = call->ctx->changes_in_place;
  call->ctx->changes_in_place = true;
  for (int64_t i = 0; i < s.n; i++) count_step(&s, i);
  launch_steps(call, work->rule->step, s.work, s.n);
  for (int64_t i = 0; i < s.n; i++) finish_part(&s.parts[i]);
  call->ctx->changes_in_place = outer_change;
}

void optimizer_step(Call *call, const OptimizerWork *work)
{
  Recorder *r = call->ctx->recorder;
  tell_training(call->ctx, "step");
  bool suspended = call->ctx->recording_suspended;
  call->ctx->recording_suspended |= r != NULL;
  step_all(call, work);
  call->ctx->recording_suspended = suspended;
  if (r && r->stepped) r->stepped(r, call, work);
}

void gradient_clear(Call *call, Tensor *t)
{
  Tensor *grad = t->grad;
  if (grad->grad_fn) grad = tensor_alias(call, grad);
  op_(fill, grad, scalar_int(0));
  if (grad == t->grad) return;
  Tensor *old = t->grad;
  t->grad = tensor_retain(grad);
  tensor_release(old);
}
