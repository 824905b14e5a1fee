/* Steps of optimizers, each one pass over the parameter, its gradient and what is kept between steps. */
#include "kernels/typed/typed.h"

#if T_FLOATING

/* What to do is constant where it is called, so that each call is a loop without tests. */
static inline __attribute__((always_inline)) void sgd_loop(int64_t n, T *restrict param, const T *restrict grad,
                                                           T *restrict momentum, const T *c, bool has_momentum,
                                                           bool first, bool nesterov)
{
  const T rate = c[0], decay = c[1], keep = c[2], take = c[3], sign = c[4];
  for (int64_t i = 0; i < n; i++) {
    T d = sign * grad[i] + decay * param[i];
    if (has_momentum) {
      T velocity = first ? d : keep * momentum[i] + take * d;
      momentum[i] = velocity;
      d = nesterov ? d + keep * velocity : velocity;
    }
    param[i] -= rate * d;
  }
}

static void sgd(int64_t n, void *param, const void *grad, void *momentum, const double *coefficients, int flags)
{
  const T c[] = {(T)coefficients[0], (T)coefficients[1], (T)coefficients[2], (T)(1 - coefficients[3]),
                 flags & SGD_MAXIMIZE ? -1 : 1};
  bool first = flags & SGD_FIRST_MOMENTUM, nesterov = flags & SGD_NESTEROV;
  if (!momentum && c[1] == 0) {
    const T rate = c[0] * c[4], *restrict g = grad;
    T *restrict p = param;
    for (int64_t i = 0; i < n; i++) p[i] -= rate * g[i];
  } else if (!momentum) {
    sgd_loop(n, param, grad, NULL, c, false, false, false);
  } else if (first) {
    if (nesterov) sgd_loop(n, param, grad, momentum, c, true, true, true);
    else sgd_loop(n, param, grad, momentum, c, true, true, false);
  } else {
    if (nesterov) sgd_loop(n, param, grad, momentum, c, true, false, true);
    else sgd_loop(n, param, grad, momentum, c, true, false, false);
  }
}

#endif

void TYPED(fill_optim)(KernelTable *t);
void TYPED(fill_optim)(KernelTable *t)
{
  (void)t;
#if T_FLOATING
  t->sgd = sgd;
#endif
}
