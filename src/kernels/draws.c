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

double draw_log_normal(Generator *generator, const double *mean_std)
{
  return exp(draw_normal(generator) * mean_std[1] + mean_std[0]);
}

double draw_cauchy(Generator *generator, const double *median_sigma)
{
  return median_sigma[0] + median_sigma[1] * tan(pi * (draw_unit(generator) - 0.5));
}

double draw_geometric(Generator *generator, const double *p) { return ceil(log(draw_unit(generator)) / log1p(-p[0])); }
