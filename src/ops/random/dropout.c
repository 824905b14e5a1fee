/* Dropout of whole channels, and the one that keeps selu's mean and variance. */
#include "ops/random/dropout.h"

#include <math.h>

#include "ops/math/arithmetic.h"
#include "ops/random/random.h"
#include "ops/shape/factory.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

typedef struct Kind {
  bool channels, alpha;
} Kind;

/* Ones for what is kept and zeros, for each element or each channel. */
static Tensor *draw_kept(Call *call, Tensor *x, double p, bool channels)
{
  if (!channels) return op_(bernoulli_fill, op(empty_like, x, DTYPE_NONE, DEVICE_NONE, false), 1 - p, NULL);
  if (x->ndim < 2)
    raise(call, "the shape is %s, but there are no channels in less than two dimensions",
          shape_text(call, tensor_shape(x)));
  int64_t shape[MAX_DIMS];
  for (int i = 0; i < x->ndim; i++) shape[i] = i > 1 ? 1 : x->shape[i];
  Tensor *kept = op(new_empty, x, ((Ints){shape, x->ndim}), DTYPE_NONE, DEVICE_NONE, false);
  return op_(bernoulli_fill, kept, 1 - p, NULL);
}

/* Self-Normalizing Neural Networks (Klambauer and others, 2017), section 2: what is dropped becomes -alpha' = -lambda
   alpha, and an affine map restores mean 0 and variance 1. */
static Tensor *drop_to_alpha(Call *call, Tensor *x, Tensor *kept, double p)
{
  const double alpha = 1.7580993408473766;
  double a = 1 / sqrt((alpha * alpha * p + 1) * (1 - p));
  Tensor *shift = op(mul, minus(kept, number(1)), number(alpha * a));
  shift = plus(shift, number(alpha * a * p));
  return op(addcmul, shift, x, op(mul, kept, number(a)), scalar_int(1));
}

static void check_dropout(Call *call, double p)
{
  if (!(p >= 0 && p <= 1)) raise(call, "the probability of dropout lies between 0 and 1, not %g", p);
}

static Tensor *dropped(Call *call, Tensor *x, double p, bool train, Kind kind)
{
  check_dropout(call, p);
  if (p == 0 || !train || x->numel == 0) return x;
  if (p == 1) return op(mul, x, op(zeros, ((Ints){NULL, 0}), tensor_dtype(x), device_behind(x), false));
  Tensor *kept = draw_kept(call, x, p, kind.channels);
  return kind.alpha ? drop_to_alpha(call, x, kept, p) : op(mul, x, op(div, kept, number(1 - p)));
}

FORWARD(feature_dropout) { y[0] = dropped(call, a->input, a->p, a->train, (Kind){true, false}); }
FORWARD(alpha_dropout) { y[0] = dropped(call, a->input, a->p, a->train, (Kind){false, true}); }
FORWARD(feature_alpha_dropout) { y[0] = dropped(call, a->input, a->p, a->train, (Kind){true, true}); }
FORWARD(functional_alpha_dropout) { y[0] = dropped(call, a->input, a->p, a->training, (Kind){false, true}); }
FORWARD(functional_feature_alpha_dropout) { y[0] = dropped(call, a->input, a->p, a->training, (Kind){true, true}); }

/* Of a batch with so many dimensions, or of one entry of it. */
static Tensor *drop_channels(Call *call, Tensor *x, double p, bool train, int dims)
{
  if (x->ndim != dims && x->ndim != dims - 1)
    raise(call, "the shape is %s, but %d dimensions are wanted, or one less without a batch",
          shape_text(call, tensor_shape(x)), dims);
  if (x->ndim == dims) return dropped(call, x, p, train, (Kind){true, false});
  return op(squeeze_dims, dropped(call, op(unsqueeze, x, 0), p, train, (Kind){true, false}), INTS(0));
}

FORWARD(dropout1d) { y[0] = drop_channels(call, a->input, a->p, a->training, 3); }
FORWARD(dropout3d) { y[0] = drop_channels(call, a->input, a->p, a->training, 5); }

/* Three dimensions are taken for a batch of sequences, as PyTorch does. */
FORWARD(dropout2d) { y[0] = dropped(call, a->input, a->p, a->training, (Kind){true, false}); }

FORWARD(native_dropout)
{
  Tensor *x = a->input, *kept = op(ones_like, x, DTYPE_b8, DEVICE_NONE, false);
  check_dropout(call, a->p);
  y[1] = kept;
  if (a->train == 0) {
    y[0] = op(clone, x);
    return;
  }
  op_(bernoulli_fill, kept, 1 - a->p, NULL);
  y[0] = op(mul, op(mul, x, kept), number(a->p < 1 ? 1 / (1 - a->p) : 0));
}
