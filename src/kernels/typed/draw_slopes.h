/*
 * How draws of gamma and beta distributions move with their parameters while the random numbers stay:
 * -(dF/da) / f of the distribution function F and the density f, in double precision. Where the series don't reach, by
 * the approximations of M. Jankowiak and F. Obermeyer, "Pathwise derivatives beyond the reparameterization trick"
 * (2018), with the coefficients that PyTorch has, so that gradients are its gradients: 5e-4 of the slope may be off.
 */
#ifndef NNLUA_KERNELS_DRAW_SLOPES_H
#define NNLUA_KERNELS_DRAW_SLOPES_H

#include "kernels/typed/special.h"

static inline double number_or_zero(double x) { return x == x ? x : 0; }

/* c[0] + c[1] x + … of four coefficients. */
static inline double cubic(const double *c, double x) { return c[0] + x * (c[1] + x * (c[2] + x * c[3])); }

/* ------------------------------------------------------------------ gamma */

/* Taylor's series in x of the lower incomplete gamma function and of its derivative. */
static inline double gamma_slope_small(double a, double x)
{
  double numerator = 1, denominator = a, sum = 1 / a, squares = sum * sum;
  for (int i = 1; i <= 5; i++) {
    numerator *= -x / i;
    denominator += 1;
    sum += numerator / denominator;
    squares += numerator / (denominator * denominator);
  }
  double power = pow(x, a);
  double slope = (log(x) - digamma(a)) * power * sum - power * squares;
  return number_or_zero(-slope / (pow(x, a - 1) * exp(-x)));
}

/* A saddle point expansion (S. O. Rice, 1980) for large a; near x = a, where it has a singularity, its series. */
static inline double gamma_slope_large(double a, double x)
{
  if (0.9 * a <= x && x <= 1.1 * a) {
    double first = 1 + 24 * a * (1 + 12 * a);
    double second = 1440 * (a * a) + 6 * x * (53 - 120 * x) - 65 * x * x / a + a * (107 + 3600 * x);
    return first * second / (1244160 * (a * a) * (a * a));
  }
  double root = sqrt(8 * a), far = root / (a - x), near = pow(x - a - a * log(x / a), -1.5);
  double both = x < a ? far - near : far + near;
  double term = log(x / a) * both - sqrt(2 / a) * (a + x) / ((a - x) * (a - x));
  double stirling = 1 + 1 / (12 * a) * (1 + 1 / (24 * a));
  return -stirling * x * term / root;
}

/* e to the quotient of polynomials in log(x / a) and log a. */
static inline double gamma_slope_between(double a, double x)
{
  static const double c[3][8] = {
    {0.16009398, -0.094634809, 0.025146376, -0.0030648343, 1, 0.32668115, 0.10406089, 0.0014179084},
    {0.53487893, 0.1298071, 0.065735949, -0.0015649758, 0.16639465, 0.020070113, -0.0035938915, -0.00058392623},
    {0.040121004, -0.0065914022, -0.0026286047, -0.0013441777, 0.017050642, -0.0021309326, 0.00085092367,
     -1.5247877e-07}};
  double u = log(x / a), v = log(a), of_v[8];
  for (int i = 0; i < 8; i++) of_v[i] = c[0][i] + u * (c[1][i] + u * c[2][i]);
  return exp(cubic(of_v, v) / cubic(of_v + 4, v));
}

/* dx/da of a draw x of a gamma distribution of concentration a and rate 1. */
static inline double gamma_slope(double a, double x)
{
  if (x < 0.8) return gamma_slope_small(a, x);
  return a > 8 ? gamma_slope_large(a, x) : gamma_slope_between(a, x);
}

/* ------------------------------------------------------------------- beta */

/* For x near 0, by Taylor's series: in a, */
static inline double beta_slope_small(double x, double a, double b)
{
  double factor = digamma(a) - digamma(a + b) - log(x), numerator = 1, sum = 1 / a * (factor + 1 / a);
  for (int i = 1; i <= 10; i++) {
    numerator *= (i - b) * x / i;
    sum += numerator / (a + i) * (factor + 1 / (a + i));
  }
  return number_or_zero(x * pow(1 - x, -b) * sum);
}

/* and in b. */
static inline double beta_slope_of_other_small(double x, double a, double b)
{
  double factor = digamma(a + b) - digamma(b), numerator = 1, product = 1, derivative = 0, sum = factor / a;
  for (int i = 1; i <= 8; i++) {
    numerator *= -x / i;
    derivative = derivative * (b - i) + product;
    product *= b - i;
    sum += numerator / (a + i) * (derivative + factor * product);
  }
  return number_or_zero(-pow(1 - x, 1 - b) * sum);
}

/* Near the mean, where the saddle point expansion has a singularity. */
static inline double beta_slope_at_mean(double x, double a, double b, double total)
{
  double bb = b * b;
  double polynomial = 47 * x * bb * bb
                      + a
                          * ((43 + 20 * (16 + 27 * b) * x) * bb * b
                             + a
                                 * (3 * (59 + 180 * b - 90 * x) * bb
                                    + a
                                        * ((453 + 1620 * b * (1 - x) - 455 * x) * b
                                           + a * (8 * (1 - x) * (135 * b - 11)))));
  double above = (1 + 12 * a) * (1 + 12 * b) / (total * total);
  return above / (1 - x) * polynomial / (12960 * a * a * a * bb * (1 + 12 * total));
}

static inline double stirling_factor(double x) { return 1 + 1 / (12 * x) + 1 / (288 * x * x); }

/* The saddle point expansion, for large a and b. */
static inline double beta_slope_large(double x, double a, double b)
{
  double total = a + b, mean = a / total, deviation = sqrt(a * b / (total + 1)) / total;
  if (mean - 0.1 * deviation <= x && x <= mean + 0.1 * deviation) return beta_slope_at_mean(x, a, b, total);
  double off = a * (x - 1) + b * x;
  double term1 = (2 * (a * a) * (x - 1) + a * b * (x - 1) - x * (b * b))
                 / (sqrt(2 * a / b) * pow(total, 1.5) * off * off);
  double log_a = log(a / (total * x)), term3 = sqrt(8 * a * b / total) / off;
  double term4 = pow(b * log(b / (total * (1 - x))) + a * log_a, -1.5);
  double sum = term1 + 0.5 * log_a * (term3 + (x < mean ? term4 : -term4));
  double stirling = stirling_factor(a) * stirling_factor(b) / stirling_factor(total);
  return stirling * (-x / sqrt(2 * a * b / total)) * sum;
}

/* A quotient of polynomials in log x, log a and log(a + b), times an approximation. */
static inline double beta_slope_between(double x, double a, double total)
{
  static const double c[2][3][3][4] = {{{{1.003668233, -0.01061107488, -0.0657888334, 0.01201642863},
                                         {0.6336835991, -0.3557432599, 0.05486251648, -0.001465281033},
                                         {-0.03276231906, 0.004474107445, 0.002429354597, -0.0001557569013}},
                                        {{0.221950385, -0.3187676331, 0.01799915743, 0.01074823814},
                                         {-0.2951249643, 0.06219954479, 0.01535556598, 0.001550077057},
                                         {0.02155310298, 0.004170831599, 0.001292462449, 6.976601077e-05}},
                                        {{-0.05980841433, 0.008441916499, 0.01085618172, 0.002319392565},
                                         {0.02911413504, 0.01400243777, -0.002721828457, 0.000751041181},
                                         {0.005900514878, -0.001936558688, -9.495446725e-06, 5.385558597e-05}}},
                                       {{{1, -0.02924021934, -0.04438342661, 0.007285809825},
                                         {0.6357567472, -0.3473456711, 0.05454656494, -0.002407477521},
                                         {-0.03301322327, 0.004845219414, 0.00231480583, -0.0002307248149}},
                                        {{0.5925320577, -0.1757678135, 0.01505928619, 0.000564515273},
                                         {0.1014815858, -0.06589186703, 0.01272886114, -0.0007316646956},
                                         {-0.007258481865, 0.001096195486, 0.0003934994223, -4.12701925e-05}},
                                        {{0.06469649321, -0.0236701437, 0.002902096474, -5.896963079e-05},
                                         {0.001925008108, -0.002869809258, 0.0008000589141, -6.063713228e-05},
                                         {-0.0003477407336, 6.959756487e-05, 1.097287507e-05, -1.650964693e-06}}}};
  double u = log(x), v = log(a) - u, w = log(total) - v, p = 0, q = 0;
  double of_u[3] = {1, u, u * u}, of_v[3] = {1, v, v * v};
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++) {
      p += of_u[i] * of_v[j] * cubic(c[0][i][j], w);
      q += of_u[i] * of_v[j] * cubic(c[1][i][j], w);
    }
  return p / q * x * (digamma(total) - digamma(a)) / (total - a);
}

/* dx/da / (1 - x) of a draw x of a beta distribution of a and total - a: what the gradient of a Dirichlet draw is made
   of. */
static inline double beta_slope(double x, double a, double total)
{
  double b = total - a, boundary = total * x * (1 - x);
  if (x <= 0.5 && boundary < 2.5) return beta_slope_small(x, a, b);
  if (x >= 0.5 && boundary < 0.75) return -beta_slope_of_other_small(1 - x, b, a);
  return a > 6 && b > 6 ? beta_slope_large(x, a, b) : beta_slope_between(x, a, total);
}

#define GAMMA_SLOPE(a, x) ((T)gamma_slope((double)(a), (double)(x)))
#define BETA_SLOPE(x, a, total) ((T)beta_slope((double)(x), (double)(a), (double)(total)))

#endif
