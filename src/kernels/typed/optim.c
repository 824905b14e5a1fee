/*
 * Steps of optimizers, each one pass over n elements: of the parameter, its gradient and what is kept between steps,
 * all contiguous. The buffers come in that order, NULL for what isn't kept. The formulas are PyTorch's.
 */
#include "kernels/optim.h"
#include "kernels/typed/typed.h"

#if T_FLOATING

/* What to do is constant where a loop is called, so that each call is a loop without tests. */

/* Coefficients as T. */
typedef struct TypedSlope {
  T sign, decay;
} TypedSlope;
typedef struct TypedAverage {
  T kept, added;
} TypedAverage;

static inline TypedSlope slope_of(Slope s) { return (TypedSlope){(T)s.sign, (T)s.weight_decay}; }
static inline TypedAverage average_of(Average a) { return (TypedAverage){(T)a.kept, (T)a.added}; }

static inline T slope(TypedSlope s, T grad, T param)
{
  return s.decay != 0 ? s.sign * grad + s.decay * param : s.sign * grad;
}

static inline T averaged(TypedAverage a, T average, T value) { return a.kept * average + a.added * value; }

/* The same of the value's square. */
static inline T averaged_square(TypedAverage a, T average, T value)
{
  return a.kept * average + a.added * value * value;
}

static inline T larger_or_nan(T a, T b) { return a >= b || a != a ? a : b; } /* nan if one of them is */

INLINE void sgd_loop(int64_t n, T *restrict param, const T *restrict grad, T *restrict momentum,
                     const SgdCoefficients *c, bool first, bool nesterov)
{
  const TypedSlope s = slope_of(c->slope);
  const TypedAverage a = average_of(c->velocity);
  const T lr = (T)c->lr;
  for (int64_t i = 0; i < n; i++) {
    T d = slope(s, grad[i], param[i]);
    T velocity = first ? d : averaged(a, momentum[i], d);
    momentum[i] = velocity;
    param[i] -= lr * (nesterov ? d + a.kept * velocity : velocity);
  }
}

static void plain_sgd(int64_t n, T *restrict param, const T *restrict grad, const SgdCoefficients *c)
{
  const TypedSlope s = slope_of(c->slope);
  const T lr = (T)c->lr;
  for (int64_t i = 0; i < n; i++) param[i] -= lr * slope(s, grad[i], param[i]);
}

static void sgd(int64_t n, void *const *b, const StepCoefficients *coefficients)
{
  const SgdCoefficients *c = &coefficients->sgd;
  if (!b[2]) plain_sgd(n, b[0], b[1], c);
  else if (c->first) sgd_loop(n, b[0], b[1], b[2], c, true, c->nesterov);
  else sgd_loop(n, b[0], b[1], b[2], c, false, c->nesterov);
}

INLINE void adam_loop(int64_t n, T *restrict param, const T *restrict grad, T *restrict exp_avg, T *restrict exp_avg_sq,
                      T *restrict largest, const AdamCoefficients *c, bool amsgrad)
{
  const TypedSlope s = slope_of(c->slope);
  const TypedAverage a = average_of(c->exp_avg), a_sq = average_of(c->exp_avg_sq);
  const T decayed = (T)c->decayed, rate = (T)c->rate, correction = (T)c->correction, eps = (T)c->eps;
  for (int64_t i = 0; i < n; i++) {
    T d = slope(s, grad[i], param[i]);
    T first = exp_avg[i] = averaged(a, exp_avg[i], d);
    T second = exp_avg_sq[i] = averaged_square(a_sq, exp_avg_sq[i], d);
    if (amsgrad) second = largest[i] = larger_or_nan(largest[i], second);
    param[i] = decayed * param[i] - rate * first / (LIBM(sqrt)(second) * correction + eps);
  }
}

static void adam(int64_t n, void *const *b, const StepCoefficients *coefficients)
{
  const AdamCoefficients *c = &coefficients->adam;
  if (b[4]) adam_loop(n, b[0], b[1], b[2], b[3], b[4], c, true);
  else adam_loop(n, b[0], b[1], b[2], b[3], NULL, c, false);
}

INLINE void adagrad_loop(int64_t n, T *restrict param, const T *restrict grad, T *restrict sum,
                         const AdagradCoefficients *c)
{
  const TypedSlope s = slope_of(c->slope);
  const T rate = (T)c->rate, eps = (T)c->eps;
  for (int64_t i = 0; i < n; i++) {
    T d = slope(s, grad[i], param[i]);
    T squares = sum[i] += d * d;
    param[i] -= rate * d / (LIBM(sqrt)(squares) + eps);
  }
}

static void adagrad(int64_t n, void *const *b, const StepCoefficients *coefficients)
{
  adagrad_loop(n, b[0], b[1], b[2], &coefficients->adagrad);
}

INLINE void rmsprop_loop(int64_t n, T *restrict param, const T *restrict grad, T *restrict square_avg,
                         T *restrict momentum, T *restrict grad_avg, const RmspropCoefficients *c, bool has_momentum,
                         bool centered)
{
  const TypedSlope s = slope_of(c->slope);
  const TypedAverage a = average_of(c->average);
  const T lr = (T)c->lr, eps = (T)c->eps, kept_move = (T)c->momentum;
  for (int64_t i = 0; i < n; i++) {
    T d = slope(s, grad[i], param[i]);
    T second = square_avg[i] = averaged_square(a, square_avg[i], d);
    if (centered) {
      T mean = grad_avg[i] = averaged(a, grad_avg[i], d);
      second -= mean * mean;
    }
    T move = d / (LIBM(sqrt)(second) + eps);
    if (has_momentum) move = momentum[i] = kept_move * momentum[i] + move;
    param[i] -= lr * move;
  }
}

static void rmsprop(int64_t n, void *const *b, const StepCoefficients *coefficients)
{
  const RmspropCoefficients *c = &coefficients->rmsprop;
  if (b[3] && b[4]) rmsprop_loop(n, b[0], b[1], b[2], b[3], b[4], c, true, true);
  else if (b[3]) rmsprop_loop(n, b[0], b[1], b[2], b[3], NULL, c, true, false);
  else if (b[4]) rmsprop_loop(n, b[0], b[1], b[2], NULL, b[4], c, false, true);
  else rmsprop_loop(n, b[0], b[1], b[2], NULL, NULL, c, false, false);
}

INLINE void adadelta_loop(int64_t n, T *restrict param, const T *restrict grad, T *restrict square_avg,
                          T *restrict acc_delta, const AdadeltaCoefficients *c)
{
  const TypedSlope s = slope_of(c->slope);
  const TypedAverage a = average_of(c->average);
  const T lr = (T)c->lr, eps = (T)c->eps;
  for (int64_t i = 0; i < n; i++) {
    T d = slope(s, grad[i], param[i]);
    T second = square_avg[i] = averaged_square(a, square_avg[i], d);
    T delta = LIBM(sqrt)(acc_delta[i] + eps) / LIBM(sqrt)(second + eps) * d;
    acc_delta[i] = averaged_square(a, acc_delta[i], delta);
    param[i] -= lr * delta;
  }
}

static void adadelta(int64_t n, void *const *b, const StepCoefficients *coefficients)
{
  adadelta_loop(n, b[0], b[1], b[2], b[3], &coefficients->adadelta);
}

INLINE void adamax_loop(int64_t n, T *restrict param, const T *restrict grad, T *restrict exp_avg, T *restrict exp_inf,
                        const AdamaxCoefficients *c)
{
  const TypedSlope s = slope_of(c->slope);
  const TypedAverage a = average_of(c->exp_avg);
  const T rate = (T)c->rate, norm_kept = (T)c->norm_kept, eps = (T)c->eps;
  for (int64_t i = 0; i < n; i++) {
    T d = slope(s, grad[i], param[i]);
    T first = exp_avg[i] = averaged(a, exp_avg[i], d);
    T norm = exp_inf[i] = larger_or_nan(norm_kept * exp_inf[i], LIBM(fabs)(d) + eps);
    param[i] -= rate * first / norm;
  }
}

static void adamax(int64_t n, void *const *b, const StepCoefficients *coefficients)
{
  adamax_loop(n, b[0], b[1], b[2], b[3], &coefficients->adamax);
}

INLINE void nadam_loop(int64_t n, T *restrict param, const T *restrict grad, T *restrict exp_avg,
                       T *restrict exp_avg_sq, const NadamCoefficients *c)
{
  const TypedSlope s = slope_of(c->slope);
  const TypedAverage a = average_of(c->exp_avg), a_sq = average_of(c->exp_avg_sq);
  const T decayed = (T)c->decayed, correction = (T)c->correction, eps = (T)c->eps;
  const T grad_rate = (T)c->grad_rate, exp_avg_rate = (T)c->exp_avg_rate;
  for (int64_t i = 0; i < n; i++) {
    T kept = decayed * param[i], d = slope(s, grad[i], param[i]);
    T first = exp_avg[i] = averaged(a, exp_avg[i], d);
    T second = exp_avg_sq[i] = averaged_square(a_sq, exp_avg_sq[i], d);
    param[i] = kept - (grad_rate * d + exp_avg_rate * first) / (LIBM(sqrt)(second) * correction + eps);
  }
}

static void nadam(int64_t n, void *const *b, const StepCoefficients *coefficients)
{
  nadam_loop(n, b[0], b[1], b[2], b[3], &coefficients->nadam);
}

INLINE void radam_loop(int64_t n, T *restrict param, const T *restrict grad, T *restrict exp_avg,
                       T *restrict exp_avg_sq, const RadamCoefficients *c, bool rectified)
{
  const TypedSlope s = slope_of(c->slope);
  const TypedAverage a = average_of(c->exp_avg), a_sq = average_of(c->exp_avg_sq);
  const T decayed = (T)c->decayed, rate = (T)c->rate, eps = (T)c->eps;
  for (int64_t i = 0; i < n; i++) {
    T kept = decayed * param[i], d = slope(s, grad[i], param[i]);
    T first = exp_avg[i] = averaged(a, exp_avg[i], d);
    T second = exp_avg_sq[i] = averaged_square(a_sq, exp_avg_sq[i], d);
    param[i] = kept - rate * (rectified ? first / (LIBM(sqrt)(second) + eps) : first);
  }
}

static void radam(int64_t n, void *const *b, const StepCoefficients *coefficients)
{
  const RadamCoefficients *c = &coefficients->radam;
  if (c->rectified) radam_loop(n, b[0], b[1], b[2], b[3], c, true);
  else radam_loop(n, b[0], b[1], b[2], b[3], c, false);
}

INLINE void asgd_loop(int64_t n, T *restrict param, const T *restrict grad, T *restrict average,
                      const AsgdCoefficients *c)
{
  const TypedSlope s = slope_of(c->slope);
  const T decayed = (T)c->decayed, eta = (T)c->eta, mu = (T)c->mu;
  for (int64_t i = 0; i < n; i++) {
    T d = slope(s, grad[i], param[i]);
    T moved = param[i] = decayed * param[i] - eta * d;
    average[i] = mu != 1 ? average[i] + (moved - average[i]) * mu : moved;
  }
}

static void asgd(int64_t n, void *const *b, const StepCoefficients *coefficients)
{
  asgd_loop(n, b[0], b[1], b[2], &coefficients->asgd);
}

static inline T sign_of(T x) { return x > 0 ? 1 : x < 0 ? -1 : x; }

INLINE void rprop_loop(int64_t n, T *restrict param, const T *restrict grad, T *restrict previous,
                       T *restrict step_size, const RpropCoefficients *c)
{
  const TypedSlope s = slope_of(c->slope);
  const T shrink = (T)c->shrink, grow = (T)c->grow, least = (T)c->least, most = (T)c->most;
  for (int64_t i = 0; i < n; i++) {
    T d = slope(s, grad[i], param[i]);
    T agree = d * previous[i];
    T size = step_size[i] * (agree > 0 ? grow : agree < 0 ? shrink : 1);
    size = size < least ? least : size;
    size = size > most ? most : size;
    T used = agree < 0 ? 0 : d;
    step_size[i] = size;
    previous[i] = used;
    param[i] -= sign_of(used) * size;
  }
}

static void rprop(int64_t n, void *const *b, const StepCoefficients *coefficients)
{
  rprop_loop(n, b[0], b[1], b[2], b[3], &coefficients->rprop);
}

#endif

void TYPED(fill_optim)(OptimKernels *t) AT_START;
void TYPED(fill_optim)(OptimKernels *t)
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
