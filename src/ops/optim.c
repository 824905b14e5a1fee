#include "ops/optim.h"

#include "core/parallel.h"
#include "kernels/kernels.h"
#include "ops/copy.h"
#include "ops/pointwise.h"

enum { GRAIN = 32768 };

typedef struct Sgd {
  const KernelTable *k;
  char *param, *momentum;
  const char *grad;
  int64_t size;
  double coefficients[4];
  int flags;
} Sgd;

static void sgd_part(void *arg, int64_t begin, int64_t end)
{
  const Sgd *s = arg;
  int64_t at = begin * s->size;
  s->k->sgd(end - begin, s->param + at, s->grad + at, s->momentum ? s->momentum + at : NULL, s->coefficients, s->flags);
}

static void check_step(Call *call, const Tensor *param, const Tensor *grad, const Tensor *momentum)
{
  if (!dtype_is_floating(tensor_dtype(param)))
    raise(call, "a parameter is %s; only floating point ones can be optimized", dtype_name(tensor_dtype(param)));
  if (grad->dtype != param->dtype)
    raise(call, "a parameter is %s and its gradient %s", dtype_name(tensor_dtype(param)), dtype_name(tensor_dtype(grad)));
  if (!tensor_same_shape(param, grad) || (momentum && !tensor_same_shape(param, momentum)))
    raise(call, "a parameter of shape %s has a gradient%s of shape %s", shape_text(call, tensor_shape(param)),
          tensor_same_shape(param, grad) ? "'s momentum" : "",
          shape_text(call, tensor_shape(tensor_same_shape(param, grad) ? momentum : grad)));
  if (momentum && momentum->dtype != param->dtype)
    raise(call, "a parameter is %s and its momentum %s", dtype_name(tensor_dtype(param)),
          dtype_name(tensor_dtype(momentum)));
}

static void wrote(Tensor *t)
{
  if (t->storage && !t->is_unversioned) t->storage->version++;
}

void sgd_step(Call *call, Tensor *param, Tensor *grad, Tensor **momentum, const SgdOptions *o)
{
  check_step(call, param, grad, *momentum);
  bool first = o->momentum != 0 && !*momentum;
  if (first) *momentum = tensor_new(call, tensor_dtype(param), (Device)param->device, tensor_shape(param));
  Tensor *buffer = o->momentum != 0 ? *momentum : NULL;
  if (param->device == DEVICE_META || param->numel == 0) return;
  DType d = dtype_is_half(tensor_dtype(param)) ? DTYPE_f32 : tensor_dtype(param);
  Tensor *p = contiguous_as(call, param, d), *m = buffer ? contiguous_as(call, buffer, d) : NULL;
  Sgd s = {.k = kernels_of(d), .param = tensor_data(p), .momentum = m ? tensor_data(m) : NULL,
           .grad = tensor_data(contiguous_as(call, grad, d)), .size = (int64_t)dtype_size(d),
           .coefficients = {o->lr, o->weight_decay, o->momentum, o->dampening}};
  if (first) s.flags |= SGD_FIRST_MOMENTUM;
  if (o->nesterov) s.flags |= SGD_NESTEROV;
  if (o->maximize) s.flags |= SGD_MAXIMIZE;
  if (param->numel <= GRAIN) sgd_part(&s, 0, param->numel);
  else parallel_for(param->numel, GRAIN, sgd_part, &s);
  if (p != param) launch_copy(call, param, p);
  if (m != buffer) launch_copy(call, buffer, m);
  wrote(param);
  if (buffer) wrote(buffer);
}
