/* Connectionist temporal classification. */
#include "ops/nn/ctc.h"

#include "launch/nn/ctc.h"
#include "launch/math/generate.h"
#include "ops/math/arithmetic.h"
#include "ops/math/composed_arithmetic.h"
#include "ops/shape/copy.h"
#include "ops/nn/reduction.h"
#include "ops/reduce/sum.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

/* What can be told without a look at elements; `in` and `out` are how many lengths there are. */
static void check_batch(Call *call, const Tensor *x, const Tensor *targets, int64_t in, int64_t out, int64_t blank)
{
  if (in != x->shape[1] || out != x->shape[1])
    raise(call, "there are %lld input_lengths and %lld target_lengths for a batch of %lld", (long long)in,
          (long long)out, (long long)x->shape[1]);
  if (blank < 0 || blank >= x->shape[2])
    raise(call, "blank %lld is no class: there are %lld, counted from 1", (long long)blank + 1, (long long)x->shape[2]);
  if (targets->dtype != DTYPE_i64 && targets->dtype != DTYPE_i32)
    raise(call, "targets are %s; int64 positions of classes are wanted", dtype_name(tensor_dtype(targets)));
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

/* log_probs as of a batch. */
static Tensor *batched(Call *call, Tensor *x)
{
  if (x->ndim != 2 && x->ndim != 3)
    raise(call, "log_probs has shape %s; [steps, batch, classes] or [steps, classes] is wanted",
          shape_text(call, tensor_shape(x)));
  check_argument_floating(call, "log_probs", x);
  return x->ndim == 2 ? op(unsqueeze, x, 1) : x;
}

static Tensor *reduced_losses(Call *call, Tensor *losses, Tensor *lengths, const char *reduction, bool single)
{
  switch (reduction_of(call, reduction)) {
    case MEAN:
      losses = op(div, losses, op(clamp, lengths, scalar_int(1), NO_SCALAR));
      return op(mean, losses, NO_INTS, false, DTYPE_NONE);
    case SUM: return sum_of(losses);
    default: return single ? op(reshape, losses, ((Ints){NULL, 0})) : losses;
  }
}

static void length_at(const void *params, int64_t first, int n, double *to)
{
  const int64_t *lengths = ((const Ints *)params)->v + first;
  for (int i = 0; i < n; i++) to[i] = (double)lengths[i];
}

/* A list of lengths as a tensor. */
static Tensor *lengths_of(Call *call, const Tensor *x, Ints lengths)
{
  Tensor *y = tensor_new(call, DTYPE_i64, device_behind(x), INTS(lengths.n));
  launch_by_index(call, length_at, &lengths, y);
  return y;
}

FORWARD(ctc_loss)
{
  Tensor *x = batched(call, a->log_probs);
  check_batch(call, x, a->targets, a->input_lengths.n, a->target_lengths.n, a->blank);
  check_ctc_lengths(call, x, a->targets, a->input_lengths, a->target_lengths);
  Tensor *in = lengths_of(call, x, a->input_lengths), *out = lengths_of(call, x, a->target_lengths);
  Tensor *losses = op(ctc_losses, x, a->targets, in, out, a->blank, a->zero_infinity);
  y[0] = reduced_losses(call, losses, out, a->reduction, a->log_probs->ndim == 2);
}

/* A tensor of lengths as a vector of its own: it may be changed before the loss goes back. On the CPU, as PyTorch wants
   lengths, they may be those of x on the meta device, too. */
static Tensor *own_lengths(Call *call, const Tensor *x, Tensor *t, const char *name)
{
  if (!dtype_is_integral(tensor_dtype(t)) || t->ndim > 1)
    raise(call, "%s are %s of shape %s; a vector of integers is wanted", name, dtype_name(tensor_dtype(t)),
          shape_text(call, tensor_shape(t)));
  Tensor *own = op(clone, op(reshape, t, INTS(t->numel)));
  if (device_behind(own) == device_behind(x)) return own;
  return op(to_device, own, device_behind(x), tensor_dtype(own), false, false);
}

FORWARD(ctc_loss_tensor)
{
  Tensor *x = batched(call, a->log_probs);
  Tensor *in = own_lengths(call, x, a->input_lengths, "input_lengths");
  Tensor *out = own_lengths(call, x, a->target_lengths, "target_lengths");
  check_batch(call, x, a->targets, in->numel, out->numel, a->blank);
  Tensor *losses = op(ctc_losses, x, a->targets, in, out, a->blank, a->zero_infinity);
  y[0] = reduced_losses(call, losses, out, a->reduction, a->log_probs->ndim == 2);
}
