/*
 * The gamma function's logarithm and its derivatives, of vectors of doubles. From 1 to 3 they are polynomials beside
 * their zeros, from there on beside the leading terms of Stirling's series, interpolated at Chebyshev's points (worked
 * out with 50 digits by definition); below 1 comes one step of the recurrence, below 0 the reflection.
 */
#ifndef NNLUA_KERNELS_VECTOR_GAMMA_H
#define NNLUA_KERNELS_VECTOR_GAMMA_H

#include "kernels/typed/special.h"
#include "kernels/typed/vector_polynomial.h"

#if T_f64

/* Of t = x - 2, 1 <= x <= 3, and of t = 2 (3 / x)^2 - 1, x >= 3: lgamma(x) / ((x - 1) (x - 2)), and
   x (lgamma(x) - (x - 1/2) log(x) + x - log(2 pi) / 2) */
static const double lgamma_near[] = {
  0.42278433509846714,    -0.10031730167435392,   0.032965000621156909,   -0.012384192193371804,
  0.0049986411646271282,  -0.0021081308339216707, 0.00091537692403869071, -0.00040570739837751511,
  0.00018255261539826382, -8.3095114777095616e-5, 3.8169076582760812e-5,  -1.7661767658452519e-5,
  8.2212344759429059e-6,  -3.8468580915330143e-6, 1.8113906873056684e-6,  -8.5456090897588299e-7,
  3.9589404593674681e-7,  -1.878442644643758e-7,  1.042041826608264e-7,   -4.9827532071170235e-8,
  5.9105658535078692e-9,  -2.7296358592514826e-9, 1.6194359237484173e-8,  -7.8425577205383554e-9,
  -4.3124957703508174e-9, 2.0986002157033105e-9,  1.5746606982777302e-9,  -7.6392923458362009e-10};
static const double lgamma_far[] = {0.083181366976551971,    -0.00014970021836481405, 2.1834243385029594e-6,
                                    -7.7489242819625125e-8,  4.7416891381000344e-9,   -4.2388139437325855e-10,
                                    5.0229677165425719e-11,  -7.4035310810321514e-12, 1.2801191081419294e-12,
                                    -2.5700542910190587e-13, 7.4763974936961241e-14,  -1.9592427077600294e-14};
/* digamma(x) / (x - x0), where x0 is its zero, and x^2 (log(x) - 1 / (2 x) - digamma(x)) */
static const double digamma_near[] = {
  0.78530753860410527,   -0.26073895468300139,    0.10899991701762626,    -0.04955103291767291,
  0.023447309597724548,  -0.011338432553333682,   0.0055522541713508144,  -0.0027395728831692796,
  0.0013581421903714413, -0.00067531336979956498, 0.00033643237613001387, -0.00016781518722379936,
  8.3779665405306442e-5, -4.1846229319378812e-5,  2.0891708911121206e-5,  -1.0441066319835142e-5,
  5.2687194289721798e-6, -2.6338311326151924e-6,  1.2119815782595426e-6,  -6.0593227950452558e-7,
  4.6173797029851077e-7, -2.3086248081342954e-7,  -5.6422994902202781e-8, 2.821220170829738e-8,
  1.1540536834062044e-7, -5.7702592677173903e-8,  -3.5705337308985144e-8, 1.7852672191376553e-8,
  1.0201545142033868e-8, -5.100770214989469e-9};
static const double digamma_far[] = {0.082881966539822345,    -0.00044036695774121971, 1.0452186234834231e-5,
                                     -5.0449116794222389e-7,  3.8436404058745675e-8,   -4.0600625772633199e-9,
                                     5.4923966265269098e-10,  -9.0235118980040083e-11, 1.737950971021729e-11,
                                     -3.8058274237740913e-12, 8.7159427965479578e-13,  -2.2789542346781276e-13,
                                     1.0614390926576152e-13,  -3.4600999940520103e-14};
/* trigamma(x), and x^3 (trigamma(x) - 1 / x - 1 / (2 x^2)) */
static const double trigamma_near[] = {
  0.64493406684822643,    -0.40411380631918857,    0.24696970113341942,    -0.14771102057348219,
  0.086715309921835298,   -0.050095664291326353,   0.028541493399334633,   -0.016067142615700733,
  0.0089511759099340374,  -0.0049418859178102564,  0.0027069546262119503,  -0.0014725614743570302,
  0.00079620820251809574, -0.00042822629997992275, 0.00022931737606686525, -0.00012223800753716217,
  6.4611997544209863e-5,  -3.4203105920942621e-5,  1.8813937819624448e-5,  -9.8921081165551526e-6,
  3.7834293715583022e-6,  -1.9945874003301403e-6,  2.9468326565001964e-6,  -1.5241547678813245e-6,
  -1.0693762313744417e-6, 5.4646564503422896e-7,   1.0006593619196302e-6,  -5.1424664873668301e-7,
  -3.2502357218129627e-7, 1.6679400273371708e-7,   7.6973729444926405e-8,  -3.9557411102886197e-8};
static const double trigamma_far[] = {
  0.16488319916416225,    -0.0017196590860249666,  5.9686170402055536e-5,  -3.7284381297439194e-6,
  3.4376339707665289e-7,  -4.2129702285154858e-8,  6.4262092646352502e-9,  -1.166378233882391e-9,
  2.4379738413445792e-10, -5.7321104049915796e-11, 1.5103182816838629e-11, -4.2966686015768142e-12,
  1.053964811822604e-12,  -3.2198705217834249e-13, 2.6504724517097119e-13, -1.0145107478627877e-13};

/* A number x > 0 as these functions take it: the polynomials' arguments; below 1 that of x + 1. */
typedef struct GammaPlace {
  Vector near, far;
  Mask is_low, is_far;
} GammaPlace;

INLINE GammaPlace gamma_place(Vector x)
{
  GammaPlace g = {.is_low = x<1, .is_far = x> 3};
  g.near = choose(g.is_far, AS_VECTOR(1.0), choose(g.is_low, x - 1, x - 2));
  Vector r = 3 / larger(AS_VECTOR(3.0), x);
  g.far = 2 * r * r - 1;
  return g;
}

/* sin(pi x) and cos(pi x), but for their signs, and the quotient of both with its sign. */
typedef struct HalfTurns {
  Vector sine, cosine, cotangent;
} HalfTurns;

INLINE HalfTurns half_turns_of(Vector x)
{
  const double pi = 3.1415926535897932;
  Vector rest = x - vector_nearbyint(x), a = vector_abs(rest);
  HalfTurns h = {.sine = sin_near(a * pi), .cosine = sin_near((0.5 - a) * pi)};
  h.cotangent = vector_signed(h.cosine / h.sine, rest);
  return h;
}

/* lgamma of x > 0 */
INLINE Vector lgamma_above(Vector x)
{
  GammaPlace g = gamma_place(x);
  Vector log_x = vector_log(x);
  Vector y = (g.near + 1) * g.near * VECTOR_POLYNOMIAL(lgamma_near, g.near) + 0; /* at 1 it is 0, not -0 */
  y = choose(g.is_low, y - log_x, y);
  if (!any_of(g.is_far)) return y;
  Vector far = (x - 0.5) * (log_x - 1) + (0.41893853320467274 + VECTOR_POLYNOMIAL(lgamma_far, g.far) / x);
  return choose(g.is_far, far, y);
}

RARE Vector lgamma_anywhere(Vector x)
{
  for (int j = 0; j < V; j++) x[j] = log_gamma(x[j]);
  return x;
}

/* The logarithm of the gamma function's magnitude. Between its zeros below -2 it is the C library's. */
LARGE Vector vector_lgamma(Vector x)
{
  Vector a = vector_abs(x), y = lgamma_above(a);
  if (any_of(~(a < 1e15))) return lgamma_anywhere(x);
  if (!any_of(x <= 0)) return y;
  Vector below = vector_log(3.1415926535897932 / (a * half_turns_of(x).sine)) - y;
  if (any_of((x < -2) & (vector_abs(below) < 0.1))) return lgamma_anywhere(x);
  return choose(x >= 0, y, below);
}

/* The derivative of lgamma. */
LARGE Vector vector_digamma(Vector x)
{
  Vector a = vector_abs(x), r = 1 / a;
  GammaPlace g = gamma_place(a);
  Vector y = ((g.near + 0.5383678550316378) - 9.549995429965697e-17) * VECTOR_POLYNOMIAL(digamma_near, g.near);
  y = choose(g.is_low, y - r, y);
  if (any_of(g.is_far)) y = choose(g.is_far, vector_log(a) - r * (0.5 + r * VECTOR_POLYNOMIAL(digamma_far, g.far)), y);
  y = choose(a < INFINITY, y, x);
  if (!any_of(x <= 0)) return y;
  Vector below = y + r - 3.1415926535897932 * half_turns_of(x).cotangent;
  below = choose(vector_nearbyint(x) == x, AS_VECTOR((T)NAN), below);
  return choose(x > 0, y, choose(x == 0, -1 / x, choose(x == x, below, x)));
}

/* The derivative of digamma. */
LARGE Vector vector_trigamma(Vector x)
{
  Vector a = vector_abs(x), r = 1 / a;
  GammaPlace g = gamma_place(a);
  Vector y = VECTOR_POLYNOMIAL(trigamma_near, g.near);
  y = choose(g.is_low, y + r * r, y);
  if (any_of(g.is_far)) y = choose(g.is_far, r * (1 + r * (0.5 + r * VECTOR_POLYNOMIAL(trigamma_far, g.far))), y);
  if (!any_of(x <= 0)) return choose(x == x, y, x);
  Vector turn = 3.1415926535897932 / half_turns_of(x).sine;
  return choose(x > 0, y, choose(x == x, choose(x == 0, r, turn * turn - (y - r * r)), x));
}

INLINE Vector vector_polygamma(T order, Vector x)
{
  if (order == 0) return vector_digamma(x);
  if (order == 1) return vector_trigamma(x);
  for (int j = 0; j < V; j++) x[j] = polygamma(order, x[j]);
  return x;
}

#endif
#endif
