/* What distinguishes the optimizers: their options, what they keep, and the coefficients of a step. */
#include <math.h>
#include <string.h>

#include "ops/optim/step.h"

/* The functions of a rule; what they take is in step.h. */
#define KEPT(name) static unsigned name##_kept(const StepOptions *o)
#define INITIAL(name) static double name##_initial(const StepOptions *o, int state)
#define COEFFICIENTS(name) \
  static void name##_coefficients(const StepOptions *o, unsigned fresh, double *numbers, StepCoefficients *c)

/* Of most optimizers. */
static unsigned keeps_two(const StepOptions *o) { return (void)o, 3; }
static unsigned keeps_three(const StepOptions *o) { return (void)o, 7; }
static unsigned keeps_four(const StepOptions *o) { return (void)o, 15; }
static double zero_at_first(const StepOptions *o, int state) { return (void)o, (void)state, 0; }

/* Where there is a number "step", it is the first one. */
static double count_step(double *numbers) { return numbers[0] += 1; }

static Slope slope_of(const StepOptions *o, double weight_decay)
{
  return (Slope){.sign = o->maximize != 0 ? -1 : 1, .weight_decay = weight_decay};
}

static Average average_of(double kept) { return (Average){.kept = kept, .added = 1 - kept}; }

/* --------------------------------------------------------------------- SGD */

KEPT(sgd) { return o->momentum != 0; }

COEFFICIENTS(sgd)
{
  (void)numbers;
  c->sgd = (SgdCoefficients){.slope = slope_of(o, o->weight_decay),
                             .lr = o->lr,
                             .velocity = {.kept = o->momentum, .added = 1 - o->dampening},
                             .nesterov = o->nesterov != 0,
                             .first = fresh & 1};
}

/* -------------------------------------------------- Adam, AdamW, NAdam, RAdam */

KEPT(adam) { return o->amsgrad != 0 ? 15 : 7; }

/* Weight decay goes with the gradient, or apart from it. */
static double coupled_decay(const StepOptions *o, bool decoupled) { return decoupled ? 0 : o->weight_decay; }
static double left_by_decay(const StepOptions *o, bool decoupled)
{
  return decoupled ? 1 - o->lr * o->weight_decay : 1;
}

static inline void fill_adam(const StepOptions *o, bool decoupled, double step, AdamCoefficients *c)
{
  *c = (AdamCoefficients){.slope = slope_of(o, coupled_decay(o, decoupled)),
                          .decayed = left_by_decay(o, decoupled),
                          .exp_avg = average_of(o->betas[0]),
                          .exp_avg_sq = average_of(o->betas[1]),
                          .rate = o->lr / (1 - pow(o->betas[0], step)),
                          .correction = 1 / sqrt(1 - pow(o->betas[1], step)),
                          .eps = o->eps};
}

COEFFICIENTS(adam)
{
  (void)fresh;
  fill_adam(o, o->decoupled_weight_decay != 0, count_step(numbers), &c->adam);
}

COEFFICIENTS(adamw)
{
  (void)fresh;
  fill_adam(o, true, count_step(numbers), &c->adam);
}

enum { NADAM_STEP, NADAM_MU_PRODUCT };

INITIAL(nadam) { return (void)o, state == NADAM_MU_PRODUCT; }

static double momentum_at(const StepOptions *o, double step)
{
  return o->betas[0] * (1 - 0.5 * pow(0.96, step * o->momentum_decay));
}

COEFFICIENTS(nadam)
{
  (void)fresh;
  bool decoupled = o->decoupled_weight_decay != 0;
  double step = numbers[NADAM_STEP] += 1, now = momentum_at(o, step), next = momentum_at(o, step + 1);
  /* PyTorch keeps the product as float32, and goes on with it as it is kept */
  double product = numbers[NADAM_MU_PRODUCT] = (double)((float)numbers[NADAM_MU_PRODUCT] * (float)now);
  c->nadam = (NadamCoefficients){.slope = slope_of(o, coupled_decay(o, decoupled)),
                                 .decayed = left_by_decay(o, decoupled),
                                 .exp_avg = average_of(o->betas[0]),
                                 .exp_avg_sq = average_of(o->betas[1]),
                                 .correction = 1 / sqrt(1 - pow(o->betas[1], step)),
                                 .eps = o->eps,
                                 .grad_rate = o->lr * (1 - now) / (1 - product),
                                 .exp_avg_rate = o->lr * next / (1 - product * next)};
}

/* Rectified while the approximated average's length is over 5: Liu et al., arXiv 1908.03265, algorithm 2. */
COEFFICIENTS(radam)
{
  (void)fresh;
  bool decoupled = o->decoupled_weight_decay != 0;
  double step = count_step(numbers), left = pow(o->betas[1], step), correction = 1 - left;
  double longest = 2 / (1 - o->betas[1]) - 1, length = longest - 2 * step * left / correction;
  double rate = o->lr / (1 - pow(o->betas[0], step));
  bool rectified = length > 5;
  if (rectified)
    rate *= sqrt(correction * (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length));
  c->radam = (RadamCoefficients){.slope = slope_of(o, coupled_decay(o, decoupled)),
                                 .decayed = left_by_decay(o, decoupled),
                                 .exp_avg = average_of(o->betas[0]),
                                 .exp_avg_sq = average_of(o->betas[1]),
                                 .rate = rate,
                                 .eps = o->eps,
                                 .rectified = rectified};
}

/* ------------------------------------------------------------------ Adamax */

COEFFICIENTS(adamax)
{
  (void)fresh;
  c->adamax = (AdamaxCoefficients){.slope = slope_of(o, o->weight_decay),
                                   .rate = o->lr / (1 - pow(o->betas[0], count_step(numbers))),
                                   .exp_avg = average_of(o->betas[0]),
                                   .norm_kept = o->betas[1],
                                   .eps = o->eps};
}

/* ------------------------------------------------ Adagrad, RMSprop, Adadelta */

INITIAL(adagrad) { return state == 1 ? o->initial_accumulator_value : 0; }

COEFFICIENTS(adagrad)
{
  (void)fresh;
  c->adagrad = (AdagradCoefficients){
    .slope = slope_of(o, o->weight_decay), .rate = o->lr / (1 + numbers[0] * o->lr_decay), .eps = o->eps};
  count_step(numbers);
}

KEPT(rmsprop) { return 3u | (o->momentum > 0 ? 4u : 0) | (o->centered != 0 ? 8u : 0); }

COEFFICIENTS(rmsprop)
{
  (void)fresh;
  count_step(numbers);
  c->rmsprop = (RmspropCoefficients){.slope = slope_of(o, o->weight_decay),
                                     .lr = o->lr,
                                     .average = average_of(o->alpha),
                                     .eps = o->eps,
                                     .momentum = o->momentum};
}

COEFFICIENTS(adadelta)
{
  (void)fresh;
  count_step(numbers);
  c->adadelta = (AdadeltaCoefficients){
    .slope = slope_of(o, o->weight_decay), .lr = o->lr, .average = average_of(o->rho), .eps = o->eps};
}

/* -------------------------------------------------------------- ASGD, Rprop */

enum { ASGD_STEP, ASGD_ETA, ASGD_MU };

INITIAL(asgd) { return state == ASGD_ETA ? o->lr : state == ASGD_MU; }

COEFFICIENTS(asgd)
{
  (void)fresh;
  double step = numbers[ASGD_STEP] += 1;
  c->asgd = (AsgdCoefficients){.slope = slope_of(o, o->weight_decay),
                               .decayed = 1 - o->lambd * numbers[ASGD_ETA],
                               .eta = numbers[ASGD_ETA],
                               .mu = numbers[ASGD_MU]};
  numbers[ASGD_ETA] = o->lr / pow(1 + o->lambd * o->lr * step, o->alpha);
  numbers[ASGD_MU] = 1 / fmax(1, step - o->t0);
}

INITIAL(rprop) { return state == 2 ? o->lr : 0; }

COEFFICIENTS(rprop)
{
  (void)fresh;
  count_step(numbers);
  c->rprop = (RpropCoefficients){.slope = slope_of(o, 0),
                                 .shrink = o->etas[0],
                                 .grow = o->etas[1],
                                 .least = o->step_sizes[0],
                                 .most = o->step_sizes[1]};
}

/* ------------------------------------------------------------------- rules */

#define OPTION(member)                                                                       \
  {                                                                                          \
#member, offsetof(StepOptions, member), sizeof((StepOptions){0}.member) / sizeof(double) \
  }
#define OPTIONS(...)            \
  (const StepOption[])          \
  {                             \
    __VA_ARGS__, { NULL, 0, 0 } \
  }
#define ADAM_OPTIONS OPTION(lr), OPTION(betas), OPTION(eps), OPTION(weight_decay), OPTION(maximize)
#define ADAM_STATES "step", "exp_avg", "exp_avg_sq"

static const StepRule rules[] = {
  {"optim.SGD",
   STEP_SGD,
   0,
   OPTIONS(OPTION(lr), OPTION(momentum), OPTION(dampening), OPTION(weight_decay), OPTION(nesterov), OPTION(maximize)),
   {"momentum_buffer"},
   sgd_kept,
   zero_at_first,
   sgd_coefficients},
  {"optim.Adam",
   STEP_ADAM,
   1,
   OPTIONS(ADAM_OPTIONS, OPTION(decoupled_weight_decay), OPTION(amsgrad)),
   {ADAM_STATES, "max_exp_avg_sq"},
   adam_kept,
   zero_at_first,
   adam_coefficients},
  {"optim.AdamW",
   STEP_ADAM,
   1,
   OPTIONS(ADAM_OPTIONS, OPTION(amsgrad)),
   {ADAM_STATES, "max_exp_avg_sq"},
   adam_kept,
   zero_at_first,
   adamw_coefficients},
  {"optim.NAdam",
   STEP_NADAM,
   2,
   OPTIONS(ADAM_OPTIONS, OPTION(decoupled_weight_decay), OPTION(momentum_decay)),
   {"step", "mu_product", "exp_avg", "exp_avg_sq"},
   keeps_four,
   nadam_initial,
   nadam_coefficients},
  {"optim.RAdam",
   STEP_RADAM,
   1,
   OPTIONS(ADAM_OPTIONS, OPTION(decoupled_weight_decay)),
   {ADAM_STATES},
   keeps_three,
   zero_at_first,
   radam_coefficients},
  {"optim.Adamax",
   STEP_ADAMAX,
   1,
   OPTIONS(ADAM_OPTIONS),
   {"step", "exp_avg", "exp_inf"},
   keeps_three,
   zero_at_first,
   adamax_coefficients},
  {"optim.Adagrad",
   STEP_ADAGRAD,
   1,
   OPTIONS(OPTION(lr), OPTION(lr_decay), OPTION(weight_decay), OPTION(initial_accumulator_value), OPTION(eps),
           OPTION(maximize)),
   {"step", "sum"},
   keeps_two,
   adagrad_initial,
   adagrad_coefficients},
  {"optim.RMSprop",
   STEP_RMSPROP,
   1,
   OPTIONS(OPTION(lr), OPTION(alpha), OPTION(eps), OPTION(weight_decay), OPTION(momentum), OPTION(centered),
           OPTION(maximize)),
   {"step", "square_avg", "momentum_buffer", "grad_avg"},
   rmsprop_kept,
   zero_at_first,
   rmsprop_coefficients},
  {"optim.Adadelta",
   STEP_ADADELTA,
   1,
   OPTIONS(OPTION(lr), OPTION(rho), OPTION(eps), OPTION(weight_decay), OPTION(maximize)),
   {"step", "square_avg", "acc_delta"},
   keeps_three,
   zero_at_first,
   adadelta_coefficients},
  {"optim.ASGD",
   STEP_ASGD,
   3,
   OPTIONS(OPTION(lr), OPTION(lambd), OPTION(alpha), OPTION(t0), OPTION(weight_decay), OPTION(maximize)),
   {"step", "eta", "mu", "ax"},
   keeps_four,
   asgd_initial,
   asgd_coefficients},
  {"optim.Rprop",
   STEP_RPROP,
   1,
   OPTIONS(OPTION(lr), OPTION(etas), OPTION(step_sizes), OPTION(maximize)),
   {"step", "prev", "step_size"},
   keeps_three,
   rprop_initial,
   rprop_coefficients},
};

const StepRule *step_rule(const char *name)
{
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
    if (strcmp(rules[i].name + strlen("optim."), name) == 0) return &rules[i];
  return NULL;
}
