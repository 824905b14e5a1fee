/* Single numbers of distributions, drawn as PyTorch draws them on a CPU: in doubles, whatever the tensor's dtype. */
#ifndef NNLUA_KERNELS_DRAWS_H
#define NNLUA_KERNELS_DRAWS_H

#include "core/random.h"

/* A number drawn with the distribution's parameters. */
typedef double (*DrawOne)(Generator *generator, const double *parameters);

/* Each with its own parameters. */
double draw_poisson(Generator *generator, const double *rate);
double draw_binomial(Generator *generator, const double *count_prob);
double draw_gamma(Generator *generator, const double *concentration); /* of rate 1 */

double draw_log_normal(Generator *generator, const double *mean_std);
double draw_cauchy(Generator *generator, const double *median_sigma);
double draw_geometric(Generator *generator, const double *p); /* how many trials until the first success */

#endif
