/* Single numbers of distributions, each from one stream of uniform and normal numbers. */
#include "kernels/draws.h"

#include <math.h>

#include "kernels/random_fill.h"

static const double pi = 3.14159265358979323846;

/* In [0, 1), of 53 bits. */
static double draw_unit(Generator *generator)
{
  return (double)(int64_t)(generator_next64(generator) & ((UINT64_C(1) << 53) - 1)) * 0x1p-53;
}

static double draw_normal(Generator *generator)
{
  double normal;
  random_fills.normal_f64(generator, 1, &normal, 0, 1);
  return normal;
}

static double log_gamma_of(double x)
{
  int sign; /* lgamma itself writes to a variable that all threads share */
  return lgamma_r(x, &sign);
}

double draw_log_normal(Generator *generator, const double *mean_std)
{
  return exp(draw_normal(generator) * mean_std[1] + mean_std[0]);
}

double draw_cauchy(Generator *generator, const double *median_sigma)
{
  return median_sigma[0] + median_sigma[1] * tan(pi * (draw_unit(generator) - 0.5));
}

double draw_geometric(Generator *generator, const double *p) { return ceil(log(draw_unit(generator)) / log1p(-p[0])); }

/* Uniform numbers are multiplied until the product is under e^-rate: one factor more than the number drawn. */
static double draw_small_poisson(Generator *generator, double rate)
{
  double least = exp(-rate), product = draw_unit(generator);
  int64_t count = 0;
  for (; product > least; count++) product *= draw_unit(generator);
  return (double)count;
}

/* Transformed rejection: W. Hoermann, "The transformed rejection method for generating Poisson random variables",
   1993, algorithm PTRS. */
static double draw_large_poisson(Generator *generator, double rate)
{
  double root = sqrt(rate), log_rate = log(rate);
  double b = 0.931 + 2.53 * root, a = -0.059 + 0.02483 * b;
  double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), accepted = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    double u = draw_unit(generator) - 0.5, v = draw_unit(generator), left = 0.5 - fabs(u);
    double k = floor((2 * a / left + b) * u + rate + 0.43);
    if (left >= 0.07 && v <= accepted) return k;
    if (k < 0 || (left < 0.013 && v > left)) continue;
    if (log(v) + log(inverse_alpha) - log(a / (left * left) + b) <= -rate + k * log_rate - log_gamma_of(k + 1))
      return k;
  }
}

double draw_poisson(Generator *generator, const double *rate)
{
  if (!(rate[0] > 0)) return 0;
  return rate[0] >= 10 ? draw_large_poisson(generator, rate[0]) : draw_small_poisson(generator, rate[0]);
}

/* The trials from one success to the next are geometric: how many such fit. */
static double draw_few_successes(Generator *generator, double count, double prob)
{
  double log_failure = log1p(-prob), trials = 0, successes = 0;
  for (;; successes++) {
    trials += ceil(log(draw_unit(generator)) / log_failure);
    if (trials > count) return successes;
  }
}

/* What Stirling's approximation of log k! lacks. */
static double stirling_tail(double k)
{
  static const double small[] = {0.0810614667953272,  0.0413406959554092, 0.0276779256849983, 0.02079067210376509,
                                 0.0166446911898211,  0.0138761288230707, 0.0118967099458917, 0.0104112652619720,
                                 0.00925546218271273, 0.00833056343336287};
  if (k < 10) return small[(int)k];
  double square = (k + 1) * (k + 1);
  return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1);
}

/* Transformed rejection with squeeze: W. Hoermann, "The generation of binomial random variates", 1993, algorithm BTRS.
   prob is at most a half. */
static double draw_many_successes(Generator *generator, double count, double prob)
{
  double deviation = sqrt(count * prob * (1 - prob));
  double b = 1.15 + 2.53 * deviation, a = -0.0873 + 0.0248 * b + 0.01 * prob, c = count * prob + 0.5;
  double accepted = 0.92 - 4.2 / b, odds = prob / (1 - prob), alpha = (2.83 + 5.1 / b) * deviation;
  double mode = floor((count + 1) * prob);
  for (;;) {
    double u = draw_unit(generator) - 0.5, v = draw_unit(generator), left = 0.5 - fabs(u);
    double k = floor((2 * a / left + b) * u + c);
    if (k < 0 || k > count) continue;
    if (left >= 0.07 && v <= accepted) return k;
    double bound = (mode + 0.5) * log((mode + 1) / (odds * (count - mode + 1)))
                   + (count + 1) * log((count - mode + 1) / (count - k + 1))
                   + (k + 0.5) * log(odds * (count - k + 1) / (k + 1)) + stirling_tail(mode)
                   + stirling_tail(count - mode) - stirling_tail(k) - stirling_tail(count - k);
    if (log(v * alpha / (a / (left * left) + b)) <= bound) return k;
  }
}

double draw_binomial(Generator *generator, const double *count_prob)
{
  double count = count_prob[0], prob = count_prob[1];
  if (isnan(count) || isnan(prob)) return count + prob;
  if (count <= 0 || prob <= 0) return 0;
  if (prob >= 1) return count;
  double rarer = prob <= 0.5 ? prob : 1 - prob;
  double drawn = count * rarer >= 10 ? draw_many_successes(generator, count, rarer)
                                     : draw_few_successes(generator, count, rarer);
  return prob <= 0.5 ? drawn : count - drawn;
}

/* G. Marsaglia and W. W. Tsang, "A simple method for generating gamma variables", 2000. That PyTorch writes 1/3 and
   0.0331 in single precision is part of its stream. */
double draw_gamma(Generator *generator, const double *concentration)
{
  double alpha = concentration[0], scale = 1;
  if (alpha < 1) {
    if (alpha == 0) return 0;
    scale = pow(1 - draw_unit(generator), 1 / alpha);
    alpha += 1;
  }
  double d = alpha - (double)(1.0f / 3.0f), c = 1 / sqrt(9 * d);
  for (;;) {
    double x, y;
    do {
      x = draw_normal(generator);
      y = 1 + c * x;
    } while (y <= 0);
    double v = y * y * y, u = 1 - draw_unit(generator), xx = x * x;
    if (u < 1 - (double)0.0331f * xx * xx || log(u) < 0.5 * xx + d * (1 - v + log(v))) return scale * d * v;
  }
}
