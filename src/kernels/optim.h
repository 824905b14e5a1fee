/* The optimizers' steps. */
#ifndef NNLUA_KERNELS_OPTIM_H
#define NNLUA_KERNELS_OPTIM_H

#include <stdbool.h>
#include <stdint.h>

/* An optimizer of two names (Adam, AdamW) may be one. */
typedef enum StepId {
  STEP_SGD,
  STEP_ADAM,
  STEP_ADAGRAD,
  STEP_RMSPROP,
  STEP_ADADELTA,
  STEP_ADAMAX,
  STEP_NADAM,
  STEP_RADAM,
  STEP_ASGD,
  STEP_RPROP,
  STEP_COUNT
} StepId;

/* What each kernel is given for a step: worked out by ops/optim/rules.c, the same for all elements. */

/* What is taken for the gradient: sign * gradient + weight_decay * parameter. */
typedef struct Slope {
  double sign, weight_decay;
} Slope;

/* A moving average: kept * average + added * value. */
typedef struct Average {
  double kept, added;
} Average;

typedef struct SgdCoefficients {
  Slope slope;
  double lr;
  Average velocity;
  bool nesterov, first; /* whether there is no velocity yet */
} SgdCoefficients;

typedef struct AdamCoefficients {
  Slope slope;
  double decayed; /* what decoupled weight decay leaves of a parameter */
  Average exp_avg, exp_avg_sq;
  double rate;       /* the learning rate over exp_avg's bias correction */
  double correction; /* of the root of exp_avg_sq: a factor */
  double eps;
} AdamCoefficients;

typedef struct NadamCoefficients {
  Slope slope;
  double decayed;
  Average exp_avg, exp_avg_sq;
  double correction, eps;
  double grad_rate, exp_avg_rate;
} NadamCoefficients;

typedef struct RadamCoefficients {
  Slope slope;
  double decayed;
  Average exp_avg, exp_avg_sq;
  double rate, eps;
  bool rectified;
} RadamCoefficients;

typedef struct AdamaxCoefficients {
  Slope slope;
  double rate; /* the learning rate over the bias correction */
  Average exp_avg;
  double norm_kept, eps;
} AdamaxCoefficients;

typedef struct AdagradCoefficients {
  Slope slope;
  double rate, eps;
} AdagradCoefficients;

typedef struct RmspropCoefficients {
  Slope slope;
  double lr;
  Average average; /* of the squares, and of the gradients where those are kept */
  double eps, momentum;
} RmspropCoefficients;

typedef struct AdadeltaCoefficients {
  Slope slope;
  double lr;
  Average average; /* of the gradients' squares, and of the changes' */
  double eps;
} AdadeltaCoefficients;

typedef struct AsgdCoefficients {
  Slope slope;
  double decayed; /* what decay by lambd leaves of a parameter */
  double eta;
  double mu; /* the weight of the new parameter in the average */
} AsgdCoefficients;

typedef struct RpropCoefficients {
  Slope slope;
  double shrink, grow; /* factors of a step size whose gradient changed or kept its sign */
  double least, most;  /* of a step size */
} RpropCoefficients;

typedef union StepCoefficients {
  SgdCoefficients sgd;
  AdamCoefficients adam;
  NadamCoefficients nadam;
  RadamCoefficients radam;
  AdamaxCoefficients adamax;
  AdagradCoefficients adagrad;
  RmspropCoefficients rmsprop;
  AdadeltaCoefficients adadelta;
  AsgdCoefficients asgd;
  RpropCoefficients rprop;
} StepCoefficients;

typedef struct OptimKernels {
  /* One step on contiguous buffers [n]: the parameter, its gradient, then what is kept between steps, NULL for what
     isn't. Floats only. */
  void (*step[STEP_COUNT])(int64_t n, void *const *buffers, const StepCoefficients *coefficients);
} OptimKernels;

#endif
