/* Grids of places, and images sampled there: M. Jaderberg and others, "Spatial transformer networks", 2015. */
#include "ops/nn/grid.h"

#include <string.h>

#include "launch/nn/taps.h"
#include "ops/index/mask.h"
#include "ops/linalg/matmul.h"
#include "ops/math/arithmetic.h"
#include "ops/math/comparison.h"
#include "ops/math/composed_arithmetic.h"
#include "ops/math/rounding.h"
#include "ops/nn/extents.h"
#include "ops/shape/cat_split.h"
#include "ops/shape/factory.h"
#include "ops/shape/view.h"

/* --------------------------------------------------------------------- affine grids */

/* n places from -1 to 1: the centres of n elements, or, aligned, from the first one's to the last one's. */
static Tensor *line_of_places(Call *call, const Tensor *like, int64_t n, bool align_corners)
{
  if (n == 1) return op(zeros, INTS(1), tensor_dtype(like), device_behind(like), false);
  Tensor *line = op(linspace, scalar_float(-1), scalar_float(1), n, tensor_dtype(like), device_behind(like), false);
  return align_corners ? line : scaled(line, (double)(n - 1) / (double)n);
}

static Tensor *affine(Call *call, Tensor *theta, Ints size, bool align_corners)
{
  int n = (int)size.n - 2;
  check_argument_floating(call, "theta", theta);
  bool fits = (n == 2 || n == 3) && theta->ndim == 3 && theta->shape[1] == n && theta->shape[2] == n + 1
              && theta->shape[0] == size.v[0];
  if (!fits)
    raise(call,
          "theta of shape %s and size %s don't belong together: (N, 2, 3) and (N, C, H, W) do, and (N, 3, 4) "
          "and (N, C, D, H, W)",
          shape_text(call, tensor_shape(theta)), shape_text(call, size));
  for (int i = 0; i < size.n; i++)
    if (size.v[i] < 1) raise(call, "size is %s; it must be positive", shape_text(call, size));
  Ints places = {size.v + 2, n};
  Tensor *parts[MOST_SPATIAL + 1];
  for (int i = 0; i < n; i++) { /* x, the place in a line, comes first */
    int64_t shape[MOST_SPATIAL] = {1, 1, 1};
    shape[n - 1 - i] = places.v[n - 1 - i];
    Tensor *line = line_of_places(call, theta, places.v[n - 1 - i], align_corners);
    parts[i] = op(expand, op(view, line, (Ints){shape, n}), places);
  }
  parts[n] = op(ones, places, tensor_dtype(theta), device_behind(theta), false);
  Tensor *base = op(reshape, op(stack, ((Tensors){parts, n + 1}), -1), INTS(-1, n + 1));
  Tensor *grid = op(matmul, base, op(transpose, theta, 1, 2));
  int64_t shape[MOST_SPATIAL + 2] = {size.v[0]};
  memcpy(shape + 1, places.v, (size_t)n * sizeof *shape);
  shape[n + 1] = n;
  return op(view, grid, (Ints){shape, n + 2});
}

FORWARD(affine_grid) { y[0] = affine(call, a->theta, a->size, a->align_corners); }
FORWARD(affine_grid_generator) { y[0] = affine(call, a->theta, a->size, a->align_corners); }

/* ------------------------------------------------------------------------- sampling */

typedef enum Between { BILINEAR, NEAREST, BICUBIC } Between;
typedef enum Outside { ZEROS, BORDER, REFLECTION } Outside;

typedef struct Sampling {
  Between between;
  Outside outside;
  bool align_corners;
  int n;               /* spatial dimensions */
  const int64_t *size; /* of the input along them, lines' elements last */
  Tensor *flat;        /* the input, [N, C, elements] */
  Ints result;
} Sampling;

/* A coordinate from -1 to 1 as a place among `size` elements, from 0. */
static Tensor *placed(Call *call, Tensor *x, int64_t size, bool align_corners)
{
  if (align_corners) return scaled(plus(x, number(1)), (double)(size - 1) / 2);
  return scaled(minus(scaled(plus(x, number(1)), (double)size), number(1)), 0.5);
}

static Tensor *clipped(Call *call, Tensor *x, int64_t size)
{
  return op(clamp, x, scalar_int(0), scalar_int(size - 1));
}

/* x reflected at twice_low / 2 and twice_high / 2 until it lies between. */
static Tensor *reflected(Call *call, Tensor *x, int64_t twice_low, int64_t twice_high)
{
  if (twice_low == twice_high) return op(mul, x, number(0));
  double low = (double)twice_low / 2, span = (double)(twice_high - twice_low) / 2;
  Tensor *far = op(abs, minus(x, number(low)));
  Tensor *flips = op(floor, scaled(far, 1 / span)), *rest = op(fmod, far, number(span));
  Tensor *even = op(eq, op(remainder, flips, number(2)), number(0));
  return plus(op(where, even, rest, op(sub, number(span), rest, scalar_int(1))), number(low));
}

static Tensor *brought_inside(Call *call, const Sampling *s, Tensor *x, int64_t size)
{
  switch (s->outside) {
    case ZEROS: return x;
    case BORDER: return clipped(call, x, size);
    case REFLECTION: break;
  }
  x = s->align_corners ? reflected(call, x, 0, 2 * (size - 1)) : reflected(call, x, -1, 2 * size - 1);
  return clipped(call, x, size);
}

/* Sums of elements at positions: linear in each operand, so that each one's gradient is another of the three. */

FORWARD(weighted_taps)
{
  Tensor *x = a->input;
  y[0] = result_new(call, tensor_dtype(x), device_of(x), INTS(x->shape[0], x->shape[1], a->positions->shape[2]));
  launch_taps(call, x, a->weights, a->positions, y[0]);
}

BACKWARD(weighted_taps)
{
  if (WANTS(input)) GRAD(input) = op(weighted_taps_back, dy[0], a->weights, a->positions, a->input->shape[2]);
  if (WANTS(weights)) GRAD(weights) = op(weighted_taps_of_weights, dy[0], a->input, a->positions);
}

FORWARD(weighted_taps_back)
{
  Tensor *dy = a->grad;
  y[0] = result_new(call, tensor_dtype(dy), device_of(dy), INTS(dy->shape[0], dy->shape[1], a->elements));
  launch_taps_back(call, dy, a->weights, a->positions, y[0]);
}

BACKWARD(weighted_taps_back)
{
  if (WANTS(grad)) GRAD(grad) = op(weighted_taps, dy[0], a->weights, a->positions);
  if (WANTS(weights)) GRAD(weights) = op(weighted_taps_of_weights, a->grad, dy[0], a->positions);
}

FORWARD(weighted_taps_of_weights)
{
  y[0] = result_new(call, tensor_dtype(a->grad), device_of(a->grad), tensor_shape(a->positions));
  launch_taps_of_weights(call, a->grad, a->input, a->positions, y[0]);
}

BACKWARD(weighted_taps_of_weights)
{
  if (WANTS(grad)) GRAD(grad) = op(weighted_taps, a->input, dy[0], a->positions);
  if (WANTS(input)) GRAD(input) = op(weighted_taps_back, a->grad, dy[0], a->positions, a->input->shape[2]);
}

/* What is added to a position for a whole place outside of the image: any sum of that is below 0. */
static const double FAR_OUTSIDE = -0x1p60;

/* What a whole place along dimension i, [N, M], adds to the positions of elements, which count from 1. */
static Tensor *index_along(Call *call, const Sampling *s, int i, Tensor *at)
{
  double step = 1;
  for (int k = i + 1; k < s->n; k++) step *= (double)s->size[k];
  Tensor *inside = op(logical_and, op(ge, at, number(0)), op(le, at, number((double)(s->size[i] - 1))));
  Tensor *index = cast(op(where, inside, op(detach, at), number(0)), DTYPE_i64);
  if (step > 1) index = op(mul, index, cast(number(step), DTYPE_i64));
  if (i == s->n - 1) index = plus(index, cast(number(1), DTYPE_i64));
  return op(where, inside, index, cast(number(FAR_OUTSIDE), DTYPE_i64));
}

/* Terms of sums: positions and weights, [N, M] each. */
enum { MOST_TAPS = 4, MOST_TERMS = 64 };
typedef struct Terms {
  Tensor *positions[MOST_TERMS], *weights[MOST_TERMS];
} Terms;

/* Of each place along each dimension, what the elements that count there add to positions, and their weights:
   NULL for 1. */
typedef struct Taps {
  Tensor *index[MOST_SPATIAL][MOST_TAPS], *weights[MOST_SPATIAL][MOST_TAPS];
} Taps;

/* The sums over all elements at the crossings of so many taps along each dimension, weighed by their products. */
static Tensor *sum_of_taps(Call *call, const Sampling *s, const Taps *taps, int count)
{
  Terms t;
  int n = 1;
  for (int i = 0; i < s->n; i++) n *= count;
  for (int term = 0; term < n; term++) {
    Tensor *index = NULL, *weight = NULL;
    for (int i = s->n - 1, rest = term; i >= 0; i--, rest /= count) {
      Tensor *here = taps->index[i][rest % count], *w = taps->weights[i][rest % count];
      index = index ? plus(here, index) : here;
      weight = weight && w ? op(mul, w, weight) : w ? w : weight;
    }
    t.positions[term] = op(clamp, index, scalar_int(0), NO_SCALAR);
    t.weights[term] = weight;
  }
  Tensor *positions = op(stack, ((Tensors){t.positions, n}), 1), *weights = op(stack, ((Tensors){t.weights, n}), 1);
  return op(weighted_taps, s->flat, weights, positions);
}

static Tensor *nearest(Call *call, const Sampling *s, Tensor *const *places)
{
  Taps taps;
  for (int i = 0; i < s->n; i++) {
    taps.index[i][0] = index_along(call, s, i, op(round, places[i]));
    taps.weights[i][0] = i ? NULL : ones_like_of(places[0]);
  }
  return sum_of_taps(call, s, &taps, 1);
}

static Tensor *linear(Call *call, const Sampling *s, Tensor *const *places)
{
  Taps taps;
  for (int i = 0; i < s->n; i++) {
    Tensor *low = op(floor, places[i]), *part = minus(places[i], low);
    taps.index[i][0] = index_along(call, s, i, low);
    taps.index[i][1] = index_along(call, s, i, plus(low, number(1)));
    taps.weights[i][0] = op(sub, number(1), part, scalar_int(1));
    taps.weights[i][1] = part;
  }
  return sum_of_taps(call, s, &taps, 2);
}

/* R. Keys' kernel with A = -0.75 at a distance up to 1, and from 1 to 2. */
static Tensor *cubic_near(Call *call, Tensor *x)
{
  const double A = -0.75;
  Tensor *inner = minus(scaled(x, A + 2), number(A + 3));
  return plus(op(mul, op(mul, inner, x), x), number(1));
}

static Tensor *cubic_far(Call *call, Tensor *x)
{
  const double A = -0.75;
  Tensor *inner = plus(op(mul, minus(scaled(x, A), number(5 * A)), x), number(8 * A));
  return minus(op(mul, inner, x), number(4 * A));
}

/* The weight of the element `tap` - 1 places behind the one before a place. */
static Tensor *cubic_weight(Call *call, Tensor *part, int tap)
{
  switch (tap) {
    case 0: return cubic_far(call, plus(part, number(1)));
    case 1: return cubic_near(call, part);
    case 2: return cubic_near(call, op(sub, number(1), part, scalar_int(1)));
    default: return cubic_far(call, op(sub, number(2), part, scalar_int(1)));
  }
}

/* Four elements along each dimension; those that are weighed are brought inside one by one. */
static Tensor *cubic(Call *call, const Sampling *s, Tensor *const *places)
{
  Taps taps;
  for (int i = 0; i < s->n; i++) {
    Tensor *low = op(floor, places[i]), *part = minus(places[i], low);
    for (int tap = 0; tap < MOST_TAPS; tap++) {
      Tensor *at = brought_inside(call, s, op(detach, plus(low, number(tap - 1))), s->size[i]);
      taps.index[i][tap] = index_along(call, s, i, at);
      taps.weights[i][tap] = cubic_weight(call, part, tap);
    }
  }
  return sum_of_taps(call, s, &taps, MOST_TAPS);
}

static void check_sampling(Call *call, const Tensor *x, const Tensor *grid)
{
  int n = x->ndim - 2;
  bool fits = (n == 2 || n == 3) && grid->ndim == x->ndim && grid->shape[0] == x->shape[0] && grid->shape[n + 1] == n;
  if (!fits)
    raise(call,
          "input of shape %s and grid of shape %s don't belong together: (N, C, H, W) and (N, H_out, W_out, 2) "
          "do, and (N, C, D, H, W) and (N, D_out, H_out, W_out, 3)",
          shape_text(call, tensor_shape(x)), shape_text(call, tensor_shape(grid)));
  for (int i = 2; i < x->ndim; i++)
    if (x->shape[i] < 1) raise(call, "input has shape %s, without elements", shape_text(call, tensor_shape(x)));
  if (x->dtype != grid->dtype)
    raise(call, "input is %s, grid %s", dtype_name(tensor_dtype(x)), dtype_name(tensor_dtype(grid)));
  check_floating(call, tensor_dtype(x));
}

static Tensor *sampled(Call *call, Tensor *x, Tensor *grid, Between between, Outside outside, bool align_corners)
{
  check_sampling(call, x, grid);
  DType dtype = tensor_dtype(x);
  Tensor *given = grid;
  x = widened(x);
  grid = widened(grid);
  int n = x->ndim - 2;
  int64_t elements = 1, shape[MOST_SPATIAL + 2] = {x->shape[0], x->shape[1]};
  for (int i = 0; i < n; i++) {
    elements *= x->shape[2 + i];
    shape[2 + i] = grid->shape[1 + i];
  }
  Sampling s = {between, outside, align_corners, n, x->shape + 2, NULL, {shape, n + 2}};
  s.flat = op(reshape, x, INTS(x->shape[0], x->shape[1], elements));
  int64_t places_in_all = 1;
  for (int i = 0; i < n; i++) places_in_all *= grid->shape[1 + i];
  Tensor *flat_grid = op(reshape, grid, INTS(grid->shape[0], places_in_all, n)), *places[MOST_SPATIAL];
  for (int i = 0; i < n; i++) {
    places[i] = placed(call, op(select, flat_grid, 2, n - 1 - i), s.size[i], align_corners);
    if (between != BICUBIC) places[i] = brought_inside(call, &s, places[i], s.size[i]);
  }
  Tensor *y = (between == NEAREST ? nearest : between == BICUBIC ? cubic : linear)(call, &s, places);
  y = cast(op(view, y, s.result), dtype);
  return between == NEAREST ? op(zero_link, y, given) : y; /* its gradient is one of zeros */
}

FORWARD(grid_sample)
{
  static const char *const modes[] = {"bilinear", "nearest", "bicubic"}, *const outsides[] = {"zeros", "border",
                                                                                              "reflection"};
  int mode = -1, outside = -1;
  for (int i = 0; i < 3; i++) {
    if (strcmp(a->mode, modes[i]) == 0) mode = i;
    if (strcmp(a->padding_mode, outsides[i]) == 0) outside = i;
  }
  if (mode < 0) raise(call, "mode is \"%s\"; it is \"bilinear\", \"nearest\" or \"bicubic\"", a->mode);
  if (outside < 0)
    raise(call, "padding_mode is \"%s\"; it is \"zeros\", \"border\" or \"reflection\"", a->padding_mode);
  y[0] = sampled(call, a->input, a->grid, (Between)mode, (Outside)outside, a->align_corners);
}

static Tensor *by_numbers(Call *call, Tensor *x, Tensor *grid, int64_t mode, int64_t outside, bool align_corners)
{
  if (mode < 0 || mode > 2) raise(call, "interpolation_mode is %lld; it is 0, 1 or 2", (long long)mode);
  if (outside < 0 || outside > 2) raise(call, "padding_mode is %lld; it is 0, 1 or 2", (long long)outside);
  return sampled(call, x, grid, (Between)mode, (Outside)outside, align_corners);
}

FORWARD(grid_sampler)
{
  y[0] = by_numbers(call, a->input, a->grid, a->interpolation_mode, a->padding_mode, a->align_corners);
}
FORWARD(grid_sampler_2d)
{
  y[0] = by_numbers(call, a->input, a->grid, a->interpolation_mode, a->padding_mode, a->align_corners);
}
FORWARD(grid_sampler_3d)
{
  y[0] = by_numbers(call, a->input, a->grid, a->interpolation_mode, a->padding_mode, a->align_corners);
}
