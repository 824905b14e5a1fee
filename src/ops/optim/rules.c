/* What distinguishes the optimizers: their options, what they keep, and the coefficients of a step. */
#include <math.h>
#include <string.h>

#include "kernels/kernels.h"
#include "ops/optim/step.h"

#define KEPT(name) static unsigned name##_kept(const double *o)
#define INITIAL(name) static double name##_initial(const double *o, int state)
#define COEFFICIENTS(name) \
  static void name##_coefficients(const double *o, unsigned fresh, double *numbers, double *c)

/* Of most optimizers. */
static unsigned keeps_two(const double *o) { return (void)o, 3; }
static unsigned keeps_three(const double *o) { return (void)o, 7; }
static unsigned keeps_four(const double *o) { return (void)o, 15; }
static double zero_at_first(const double *o, int state) { return (void)o, (void)state, 0; }

/* c[0] and c[1] of every kernel. */
static void set_gradient(double *c, double maximize, double weight_decay)
{
  c[0] = maximize != 0 ? -1 : 1;
  c[1] = weight_decay;
}

/* --------------------------------------------------------------------- SGD */

enum { SGD_LR, SGD_MOMENTUM, SGD_DAMPENING, SGD_DECAY, SGD_NESTEROV, SGD_MAXIMIZE };

KEPT(sgd) { return o[SGD_MOMENTUM] != 0; }

COEFFICIENTS(sgd)
{
  (void)numbers;
  set_gradient(c, o[SGD_MAXIMIZE], o[SGD_DECAY]);
  c[2] = o[SGD_LR];
  c[3] = o[SGD_MOMENTUM];
  c[4] = 1 - o[SGD_DAMPENING];
  c[5] = o[SGD_NESTEROV];
  c[6] = fresh & 1;
}

/* -------------------------------------------------- Adam, AdamW, NAdam, RAdam */

enum { ADAM_LR, ADAM_BETA1, ADAM_BETA2, ADAM_EPS, ADAM_DECAY, ADAM_MAXIMIZE, ADAM_DECOUPLED, ADAM_AMSGRAD };
#define ADAM_OPTIONS "lr", "betas[1]", "betas[2]", "eps", "weight_decay", "maximize", "decoupled_weight_decay"

KEPT(adam) { return o[ADAM_AMSGRAD] != 0 ? 15 : 7; }

/* c[0..6] of the kernels of this family; counts the step. */
static double begin_adam(const double *o, double *numbers, double *c)
{
  bool decoupled = o[ADAM_DECOUPLED] != 0;
  set_gradient(c, o[ADAM_MAXIMIZE], decoupled ? 0 : o[ADAM_DECAY]);
  c[2] = decoupled ? 1 - o[ADAM_LR] * o[ADAM_DECAY] : 1;
  c[3] = o[ADAM_BETA1];
  c[4] = 1 - o[ADAM_BETA1];
  c[5] = o[ADAM_BETA2];
  c[6] = 1 - o[ADAM_BETA2];
  return numbers[0] += 1;
}

COEFFICIENTS(adam)
{
  (void)fresh;
  double step = begin_adam(o, numbers, c);
  c[7] = o[ADAM_LR] / (1 - pow(o[ADAM_BETA1], step));
  c[8] = 1 / sqrt(1 - pow(o[ADAM_BETA2], step));
  c[9] = o[ADAM_EPS];
}

enum { NADAM_MOMENTUM_DECAY = ADAM_AMSGRAD, NADAM_STEP = 0, NADAM_MU_PRODUCT };

INITIAL(nadam) { return (void)o, state == NADAM_MU_PRODUCT; }

static double momentum_at(const double *o, double step)
{
  return o[ADAM_BETA1] * (1 - 0.5 * pow(0.96, step * o[NADAM_MOMENTUM_DECAY]));
}

COEFFICIENTS(nadam)
{
  (void)fresh;
  double step = begin_adam(o, numbers, c), now = momentum_at(o, step), next = momentum_at(o, step + 1);
  double product = numbers[NADAM_MU_PRODUCT] *= now;
  c[7] = 1 / sqrt(1 - pow(o[ADAM_BETA2], step));
  c[8] = o[ADAM_EPS];
  c[9] = o[ADAM_LR] * (1 - now) / (1 - product);
  c[10] = o[ADAM_LR] * next / (1 - product * next);
}

/* Rectified while the approximated average's length is over 5: Liu et al., arXiv 1908.03265, algorithm 2. */
COEFFICIENTS(radam)
{
  (void)fresh;
  double step = begin_adam(o, numbers, c), left = pow(o[ADAM_BETA2], step), correction = 1 - left;
  double longest = 2 / (1 - o[ADAM_BETA2]) - 1, length = longest - 2 * step * left / correction;
  bool rectified = length > 5;
  c[7] = o[ADAM_LR] / (1 - pow(o[ADAM_BETA1], step));
  if (rectified)
    c[7] *= sqrt(correction * (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length));
  c[8] = rectified;
  c[9] = o[ADAM_EPS];
}

/* ------------------------------------------------------------------ Adamax */

enum { ADAMAX_LR, ADAMAX_BETA1, ADAMAX_BETA2, ADAMAX_EPS, ADAMAX_DECAY, ADAMAX_MAXIMIZE };

COEFFICIENTS(adamax)
{
  (void)fresh;
  set_gradient(c, o[ADAMAX_MAXIMIZE], o[ADAMAX_DECAY]);
  c[2] = o[ADAMAX_LR] / (1 - pow(o[ADAMAX_BETA1], numbers[0] += 1));
  c[3] = o[ADAMAX_BETA1];
  c[4] = 1 - o[ADAMAX_BETA1];
  c[5] = o[ADAMAX_BETA2];
  c[6] = o[ADAMAX_EPS];
}

/* ------------------------------------------------ Adagrad, RMSprop, Adadelta */

enum { ADAGRAD_LR, ADAGRAD_LR_DECAY, ADAGRAD_DECAY, ADAGRAD_INITIAL, ADAGRAD_EPS, ADAGRAD_MAXIMIZE };

INITIAL(adagrad) { return state == 1 ? o[ADAGRAD_INITIAL] : 0; }

COEFFICIENTS(adagrad)
{
  (void)fresh;
  set_gradient(c, o[ADAGRAD_MAXIMIZE], o[ADAGRAD_DECAY]);
  c[2] = o[ADAGRAD_LR] / (1 + numbers[0] * o[ADAGRAD_LR_DECAY]);
  c[3] = o[ADAGRAD_EPS];
  numbers[0] += 1;
}

enum { RMSPROP_LR, RMSPROP_ALPHA, RMSPROP_EPS, RMSPROP_DECAY, RMSPROP_MOMENTUM, RMSPROP_CENTERED, RMSPROP_MAXIMIZE };

KEPT(rmsprop) { return 3u | (o[RMSPROP_MOMENTUM] > 0 ? 4u : 0) | (o[RMSPROP_CENTERED] != 0 ? 8u : 0); }

COEFFICIENTS(rmsprop)
{
  (void)fresh;
  numbers[0] += 1;
  set_gradient(c, o[RMSPROP_MAXIMIZE], o[RMSPROP_DECAY]);
  c[2] = o[RMSPROP_LR];
  c[3] = o[RMSPROP_ALPHA];
  c[4] = 1 - o[RMSPROP_ALPHA];
  c[5] = o[RMSPROP_EPS];
  c[6] = o[RMSPROP_MOMENTUM];
}

enum { ADADELTA_LR, ADADELTA_RHO, ADADELTA_EPS, ADADELTA_DECAY, ADADELTA_MAXIMIZE };

COEFFICIENTS(adadelta)
{
  (void)fresh;
  numbers[0] += 1;
  set_gradient(c, o[ADADELTA_MAXIMIZE], o[ADADELTA_DECAY]);
  c[2] = o[ADADELTA_LR];
  c[3] = o[ADADELTA_RHO];
  c[4] = 1 - o[ADADELTA_RHO];
  c[5] = o[ADADELTA_EPS];
}

/* -------------------------------------------------------------- ASGD, Rprop */

enum { ASGD_LR, ASGD_LAMBD, ASGD_ALPHA, ASGD_T0, ASGD_DECAY, ASGD_MAXIMIZE, ASGD_STEP = 0, ASGD_ETA, ASGD_MU };

INITIAL(asgd) { return state == ASGD_ETA ? o[ASGD_LR] : state == ASGD_MU; }

COEFFICIENTS(asgd)
{
  (void)fresh;
  double step = numbers[ASGD_STEP] += 1;
  set_gradient(c, o[ASGD_MAXIMIZE], o[ASGD_DECAY]);
  c[2] = 1 - o[ASGD_LAMBD] * numbers[ASGD_ETA];
  c[3] = numbers[ASGD_ETA];
  c[4] = numbers[ASGD_MU];
  numbers[ASGD_ETA] = o[ASGD_LR] / pow(1 + o[ASGD_LAMBD] * o[ASGD_LR] * step, o[ASGD_ALPHA]);
  numbers[ASGD_MU] = 1 / fmax(1, step - o[ASGD_T0]);
}

enum { RPROP_LR, RPROP_ETA_MINUS, RPROP_ETA_PLUS, RPROP_LEAST, RPROP_MOST, RPROP_MAXIMIZE };

INITIAL(rprop) { return state == 2 ? o[RPROP_LR] : 0; }

COEFFICIENTS(rprop)
{
  (void)fresh;
  numbers[0] += 1;
  set_gradient(c, o[RPROP_MAXIMIZE], 0);
  memcpy(c + 2, o + RPROP_ETA_MINUS, 4 * sizeof *c);
}

/* ------------------------------------------------------------------- rules */

#define ADAM_STATES "step", "exp_avg", "exp_avg_sq"

static const StepRule rules[] = {
  {"optim.SGD", STEP_SGD, 0, {"lr", "momentum", "dampening", "weight_decay", "nesterov", "maximize"},
   {"momentum_buffer"}, sgd_kept, zero_at_first, sgd_coefficients},
  {"optim.Adam", STEP_ADAM, 1, {ADAM_OPTIONS, "amsgrad"}, {ADAM_STATES, "max_exp_avg_sq"},
   adam_kept, zero_at_first, adam_coefficients},
  {"optim.AdamW", STEP_ADAM, 1, {ADAM_OPTIONS, "amsgrad"}, {ADAM_STATES, "max_exp_avg_sq"},
   adam_kept, zero_at_first, adam_coefficients},
  {"optim.NAdam", STEP_NADAM, 2, {ADAM_OPTIONS, "momentum_decay"}, {"step", "mu_product", "exp_avg", "exp_avg_sq"},
   keeps_four, nadam_initial, nadam_coefficients},
  {"optim.RAdam", STEP_RADAM, 1, {ADAM_OPTIONS}, {ADAM_STATES}, keeps_three, zero_at_first, radam_coefficients},
  {"optim.Adamax", STEP_ADAMAX, 1, {"lr", "betas[1]", "betas[2]", "eps", "weight_decay", "maximize"},
   {"step", "exp_avg", "exp_inf"}, keeps_three, zero_at_first, adamax_coefficients},
  {"optim.Adagrad", STEP_ADAGRAD, 1,
   {"lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps", "maximize"}, {"step", "sum"},
   keeps_two, adagrad_initial, adagrad_coefficients},
  {"optim.RMSprop", STEP_RMSPROP, 1, {"lr", "alpha", "eps", "weight_decay", "momentum", "centered", "maximize"},
   {"step", "square_avg", "momentum_buffer", "grad_avg"}, rmsprop_kept, zero_at_first, rmsprop_coefficients},
  {"optim.Adadelta", STEP_ADADELTA, 1, {"lr", "rho", "eps", "weight_decay", "maximize"},
   {"step", "square_avg", "acc_delta"}, keeps_three, zero_at_first, adadelta_coefficients},
  {"optim.ASGD", STEP_ASGD, 3, {"lr", "lambd", "alpha", "t0", "weight_decay", "maximize"},
   {"step", "eta", "mu", "ax"}, keeps_four, asgd_initial, asgd_coefficients},
  {"optim.Rprop", STEP_RPROP, 1,
   {"lr", "etas[1]", "etas[2]", "step_sizes[1]", "step_sizes[2]", "maximize"}, {"step", "prev", "step_size"},
   keeps_three, rprop_initial, rprop_coefficients},
};

const StepRule *step_rule(const char *name)
{
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
    if (strcmp(rules[i].name + strlen("optim."), name) == 0) return &rules[i];
  return NULL;
}
