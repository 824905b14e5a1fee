/* Steps of optimizers, each one pass over the parameter, its gradient and what is kept between steps.
   The formulas are PyTorch's; c[0] is the gradient's sign, c[1] the weight decay that is added to it. */
#include "kernels/typed/typed.h"

#if T_FLOATING

/* The coefficients as T, in registers. */
#define COEFFICIENTS(count)                                  \
  T c[count];                                                \
  for (int k = 0; k < (count); k++) c[k] = (T)coefficients[k]

static inline T slope(T grad, T param, T sign, T decay)
{
  return decay != 0 ? sign * grad + decay * param : sign * grad;
}

static inline T larger(T a, T b) { return a >= b || a != a ? a : b; } /* nan if one of them is */

/* What to do is constant where a loop is called, so that each call is a loop without tests. */

/* c[2..]: learning rate, momentum, 1 - dampening, nesterov, first */
INLINE void sgd_loop(int64_t n, T *restrict param, const T *restrict grad, T *restrict momentum, const T *c, bool first,
              bool nesterov)
{
  for (int64_t i = 0; i < n; i++) {
    T d = slope(grad[i], param[i], c[0], c[1]);
    T velocity = first ? d : c[3] * momentum[i] + c[4] * d;
    momentum[i] = velocity;
    param[i] -= c[2] * (nesterov ? d + c[3] * velocity : velocity);
  }
}

static void plain_sgd(int64_t n, T *restrict param, const T *restrict grad, const T *c)
{
  for (int64_t i = 0; i < n; i++) param[i] -= c[2] * slope(grad[i], param[i], c[0], c[1]);
}

/* b: what the loop takes, each [n] */
static void sgd(int64_t n, void *const *b, const double *coefficients)
{
  COEFFICIENTS(7);
  bool nesterov = c[5] != 0;
  if (!b[2]) plain_sgd(n, b[0], b[1], c);
  else if (c[6] != 0) sgd_loop(n, b[0], b[1], b[2], c, true, nesterov);
  else sgd_loop(n, b[0], b[1], b[2], c, false, nesterov);
}

/* c[2..]: what decoupled decay leaves, beta1, 1 - beta1, beta2, 1 - beta2, step size, 1 / sqrt(bias correction), eps */
INLINE void adam_loop(int64_t n, T *restrict param, const T *restrict grad, T *restrict exp_avg, T *restrict exp_avg_sq,
               T *restrict largest, const T *c, bool amsgrad)
{
  for (int64_t i = 0; i < n; i++) {
    T d = slope(grad[i], param[i], c[0], c[1]);
    T first = exp_avg[i] = c[3] * exp_avg[i] + c[4] * d;
    T second = exp_avg_sq[i] = c[5] * exp_avg_sq[i] + c[6] * d * d;
    if (amsgrad) second = largest[i] = larger(largest[i], second);
    param[i] = c[2] * param[i] - c[7] * first / (LIBM(sqrt)(second) * c[8] + c[9]);
  }
}

static void adam(int64_t n, void *const *b, const double *coefficients)
{
  COEFFICIENTS(10);
  if (b[4]) adam_loop(n, b[0], b[1], b[2], b[3], b[4], c, true);
  else adam_loop(n, b[0], b[1], b[2], b[3], NULL, c, false);
}

/* c[2..]: learning rate, eps */
INLINE void adagrad_loop(int64_t n, T *restrict param, const T *restrict grad, T *restrict sum, const T *c)
{
  for (int64_t i = 0; i < n; i++) {
    T d = slope(grad[i], param[i], c[0], c[1]);
    T squares = sum[i] += d * d;
    param[i] -= c[2] * d / (LIBM(sqrt)(squares) + c[3]);
  }
}

static void adagrad(int64_t n, void *const *b, const double *coefficients)
{
  COEFFICIENTS(4);
  adagrad_loop(n, b[0], b[1], b[2], c);
}

/* c[2..]: learning rate, alpha, 1 - alpha, eps, momentum */
INLINE void rmsprop_loop(int64_t n, T *restrict param, const T *restrict grad, T *restrict square_avg, T *restrict momentum,
                  T *restrict grad_avg, const T *c, bool has_momentum, bool centered)
{
  for (int64_t i = 0; i < n; i++) {
    T d = slope(grad[i], param[i], c[0], c[1]);
    T second = square_avg[i] = c[3] * square_avg[i] + c[4] * d * d;
    if (centered) {
      T mean = grad_avg[i] = c[3] * grad_avg[i] + c[4] * d;
      second -= mean * mean;
    }
    T move = d / (LIBM(sqrt)(second) + c[5]);
    if (has_momentum) move = momentum[i] = c[6] * momentum[i] + move;
    param[i] -= c[2] * move;
  }
}

static void rmsprop(int64_t n, void *const *b, const double *coefficients)
{
  COEFFICIENTS(7);
  if (b[3] && b[4]) rmsprop_loop(n, b[0], b[1], b[2], b[3], b[4], c, true, true);
  else if (b[3]) rmsprop_loop(n, b[0], b[1], b[2], b[3], NULL, c, true, false);
  else if (b[4]) rmsprop_loop(n, b[0], b[1], b[2], NULL, b[4], c, false, true);
  else rmsprop_loop(n, b[0], b[1], b[2], NULL, NULL, c, false, false);
}

/* c[2..]: learning rate, rho, 1 - rho, eps */
INLINE void adadelta_loop(int64_t n, T *restrict param, const T *restrict grad, T *restrict square_avg, T *restrict acc_delta,
                   const T *c)
{
  for (int64_t i = 0; i < n; i++) {
    T d = slope(grad[i], param[i], c[0], c[1]);
    T second = square_avg[i] = c[3] * square_avg[i] + c[4] * d * d;
    T delta = LIBM(sqrt)(acc_delta[i] + c[5]) / LIBM(sqrt)(second + c[5]) * d;
    acc_delta[i] = c[3] * acc_delta[i] + c[4] * delta * delta;
    param[i] -= c[2] * delta;
  }
}

static void adadelta(int64_t n, void *const *b, const double *coefficients)
{
  COEFFICIENTS(6);
  adadelta_loop(n, b[0], b[1], b[2], b[3], c);
}

/* c[2..]: learning rate over bias correction, beta1, 1 - beta1, beta2, eps */
INLINE void adamax_loop(int64_t n, T *restrict param, const T *restrict grad, T *restrict exp_avg, T *restrict exp_inf,
                 const T *c)
{
  for (int64_t i = 0; i < n; i++) {
    T d = slope(grad[i], param[i], c[0], c[1]);
    T first = exp_avg[i] = c[3] * exp_avg[i] + c[4] * d;
    T norm = exp_inf[i] = larger(c[5] * exp_inf[i], LIBM(fabs)(d) + c[6]);
    param[i] -= c[2] * first / norm;
  }
}

static void adamax(int64_t n, void *const *b, const double *coefficients)
{
  COEFFICIENTS(7);
  adamax_loop(n, b[0], b[1], b[2], b[3], c);
}

/* c[2..]: what decoupled decay leaves, beta1, 1 - beta1, beta2, 1 - beta2, 1 / sqrt(bias correction), eps, rate of the
   gradient, rate of its average */
INLINE void nadam_loop(int64_t n, T *restrict param, const T *restrict grad, T *restrict exp_avg, T *restrict exp_avg_sq,
                const T *c)
{
  for (int64_t i = 0; i < n; i++) {
    T kept = c[2] * param[i], d = slope(grad[i], param[i], c[0], c[1]);
    T first = exp_avg[i] = c[3] * exp_avg[i] + c[4] * d;
    T second = exp_avg_sq[i] = c[5] * exp_avg_sq[i] + c[6] * d * d;
    param[i] = kept - (c[9] * d + c[10] * first) / (LIBM(sqrt)(second) * c[7] + c[8]);
  }
}

static void nadam(int64_t n, void *const *b, const double *coefficients)
{
  COEFFICIENTS(11);
  nadam_loop(n, b[0], b[1], b[2], b[3], c);
}

/* c[2..]: what decoupled decay leaves, beta1, 1 - beta1, beta2, 1 - beta2, step size, whether it is rectified, eps */
INLINE void radam_loop(int64_t n, T *restrict param, const T *restrict grad, T *restrict exp_avg, T *restrict exp_avg_sq,
                const T *c, bool rectified)
{
  for (int64_t i = 0; i < n; i++) {
    T kept = c[2] * param[i], d = slope(grad[i], param[i], c[0], c[1]);
    T first = exp_avg[i] = c[3] * exp_avg[i] + c[4] * d;
    T second = exp_avg_sq[i] = c[5] * exp_avg_sq[i] + c[6] * d * d;
    param[i] = kept - c[7] * (rectified ? first / (LIBM(sqrt)(second) + c[9]) : first);
  }
}

static void radam(int64_t n, void *const *b, const double *coefficients)
{
  COEFFICIENTS(10);
  if (c[8] != 0) radam_loop(n, b[0], b[1], b[2], b[3], c, true);
  else radam_loop(n, b[0], b[1], b[2], b[3], c, false);
}

/* c[2..]: what decay by lambd leaves, eta, mu */
INLINE void asgd_loop(int64_t n, T *restrict param, const T *restrict grad, T *restrict average, const T *c)
{
  for (int64_t i = 0; i < n; i++) {
    T d = slope(grad[i], param[i], c[0], c[1]);
    T moved = param[i] = c[2] * param[i] - c[3] * d;
    average[i] = c[4] != 1 ? average[i] + (moved - average[i]) * c[4] : moved;
  }
}

static void asgd(int64_t n, void *const *b, const double *coefficients)
{
  COEFFICIENTS(5);
  asgd_loop(n, b[0], b[1], b[2], c);
}

static inline T sign_of(T x) { return x > 0 ? 1 : x < 0 ? -1 : x; }

/* c[2..]: factors of a step size whose gradient changed or kept its sign, the least and the most that it may be */
INLINE void rprop_loop(int64_t n, T *restrict param, const T *restrict grad, T *restrict previous, T *restrict step_size,
                const T *c)
{
  for (int64_t i = 0; i < n; i++) {
    T d = slope(grad[i], param[i], c[0], c[1]);
    T agree = d * previous[i];
    T size = step_size[i] * (agree > 0 ? c[3] : agree < 0 ? c[2] : 1);
    size = size < c[4] ? c[4] : size;
    size = size > c[5] ? c[5] : size;
    T used = agree < 0 ? 0 : d;
    step_size[i] = size;
    previous[i] = used;
    param[i] -= sign_of(used) * size;
  }
}

static void rprop(int64_t n, void *const *b, const double *coefficients)
{
  COEFFICIENTS(6);
  rprop_loop(n, b[0], b[1], b[2], b[3], c);
}

#endif

void TYPED(fill_optim)(KernelTable *t);
void TYPED(fill_optim)(KernelTable *t)
{
  (void)t;
#if T_FLOATING
  t->step[STEP_SGD] = sgd;
  t->step[STEP_ADAM] = adam;
  t->step[STEP_ADAGRAD] = adagrad;
  t->step[STEP_RMSPROP] = rmsprop;
  t->step[STEP_ADADELTA] = adadelta;
  t->step[STEP_ADAMAX] = adamax;
  t->step[STEP_NADAM] = nadam;
  t->step[STEP_RADAM] = radam;
  t->step[STEP_ASGD] = asgd;
  t->step[STEP_RPROP] = rprop;
#endif
}
