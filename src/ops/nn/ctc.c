/* Connectionist temporal classification. */
#include "ops/nn/ctc.h"

#include "launch/nn/ctc.h"
#include "launch/math/generate.h"
#include "launch/look.h"
#include "ops/math/arithmetic.h"
#include "ops/nn/reduction.h"
#include "ops/reduce/sum.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

static void check_batch(Call *call, const Tensor *x, const Tensor *targets, Ints in, Ints out, int64_t blank)
{
  int64_t total = 0, n = x->shape[1];
  if (in.n != n || out.n != n)
    raise(call, "there are %lld input_lengths and %lld target_lengths for a batch of %lld", (long long)in.n,
          (long long)out.n, (long long)n);
  if (blank < 0 || blank >= x->shape[2])
    raise(call, "blank %lld is no class: there are %lld, counted from 1", (long long)blank + 1, (long long)x->shape[2]);
  if (targets->dtype != DTYPE_i64 && targets->dtype != DTYPE_i32)
    raise(call, "targets are %s; int64 positions of classes are wanted", dtype_name(tensor_dtype(targets)));
  bool rows = targets->ndim == 2 && targets->shape[0] == n;
  for (int64_t i = 0; i < n; i++) {
    if (in.v[i] < 0 || in.v[i] > x->shape[0])
      raise(call, "input_lengths: number %lld is %lld, and there are %lld steps", (long long)i + 1, (long long)in.v[i],
            (long long)x->shape[0]);
    if (out.v[i] < 0 || (rows && out.v[i] > targets->shape[1]))
      raise(call, "target_lengths: number %lld is %lld, and targets have shape %s", (long long)i + 1,
            (long long)out.v[i], shape_text(call, tensor_shape(targets)));
    total += out.v[i];
  }
  if (!rows && (targets->ndim != 1 || targets->shape[0] != total))
    raise(call, "targets have shape %s; [%lld, longest] or all in a row, [%lld], is wanted",
          shape_text(call, tensor_shape(targets)), (long long)n, (long long)total);
}

FORWARD(ctc_losses)
{
  Tensor *x = a->log_probs;
  y[0] = result_new(call, tensor_dtype(x), device_of(x), INTS(x->shape[1]));
  launch_ctc(call, x, &(CtcTargets){a->targets, a->input_lengths, a->target_lengths, a->blank}, a->zero_infinity, y[0]);
}

BACKWARD(ctc_losses)
{
  GRAD(log_probs) = op(ctc_gradient, dy[0], a->log_probs, a->targets, a->input_lengths, a->target_lengths, a->blank,
                       a->zero_infinity);
}

FORWARD(ctc_gradient)
{
  Tensor *x = a->log_probs;
  y[0] = result_new(call, tensor_dtype(x), device_of(x), tensor_shape(x));
  launch_ctc_backward(call, a->dy, x, &(CtcTargets){a->targets, a->input_lengths, a->target_lengths, a->blank},
                      a->zero_infinity, y[0]);
}

BACKWARD(ctc_gradient)
{
  if (WANTS(dy) || WANTS(log_probs)) raise(call, "its gradient has no gradient of its own");
}

/* -------------------------------------------------------------- what is public */

static void lengths_at(const void *params, int64_t first, int n, double *to)
{
  const int64_t *lengths = ((const Ints *)params)->v + first;
  for (int i = 0; i < n; i++) to[i] = lengths[i] > 0 ? (double)lengths[i] : 1;
}

/* What losses are divided by: lengths, of which none is 0. */
static Tensor *lengths_of(Call *call, const Tensor *losses, Ints lengths)
{
  Tensor *y = tensor_new(call, tensor_dtype(losses), device_behind(losses), tensor_shape(losses));
  launch_by_index(call, lengths_at, &lengths, y);
  return y;
}

static Tensor *ctc_loss(Call *call, const struct ctc_loss_args *a)
{
  Tensor *x = a->log_probs, *targets = a->targets;
  bool single = x->ndim == 2;
  if (x->ndim != 2 && x->ndim != 3)
    raise(call, "log_probs has shape %s; [steps, batch, classes] or [steps, classes] is wanted",
          shape_text(call, tensor_shape(x)));
  check_argument_floating(call, "log_probs", x);
  if (single) x = op(unsqueeze, x, 1);
  check_batch(call, x, targets, a->input_lengths, a->target_lengths, a->blank);
  Tensor *losses = op(ctc_losses, x, targets, a->input_lengths, a->target_lengths, a->blank, a->zero_infinity);
  switch (reduction_of(call, a->reduction)) {
    case MEAN:
      losses = op(div, losses, lengths_of(call, losses, a->target_lengths));
      return op(mean, losses, NO_INTS, false, DTYPE_NONE);
    case SUM: return sum_of(losses);
    default: return single ? op(reshape, losses, ((Ints){NULL, 0})) : losses;
  }
}

FORWARD(ctc_loss) { y[0] = ctc_loss(call, a); }

/* A tensor of lengths as a list. */
static Ints lengths_in(Call *call, Tensor *t, const char *name)
{
  if (!can_look(t)) raise(call, "%s on the meta device have no numbers", name);
  if (!dtype_is_integral(tensor_dtype(t)) || t->ndim > 1)
    raise(call, "%s are %s of shape %s; a vector of integers is wanted", name, dtype_name(tensor_dtype(t)),
          shape_text(call, tensor_shape(t)));
  return arena_ints(call->ctx, tensor_data(contiguous_as(call, t, DTYPE_i64)), t->numel);
}

FORWARD(ctc_loss_tensor)
{
  y[0] = ctc_loss(call,
                  &(struct ctc_loss_args){a->log_probs, a->targets, lengths_in(call, a->input_lengths, "input_lengths"),
                                          lengths_in(call, a->target_lengths, "target_lengths"), a->blank, a->reduction,
                                          a->zero_infinity});
}
