/* Normalization, of channels and of rows. */
#ifndef NNLUA_KERNELS_NORMALIZATION_H
#define NNLUA_KERNELS_NORMALIZATION_H

#include <stdbool.h>
#include <stdint.h>

/* Floats only. */
typedef struct NormalizationKernels {
  /* Of n elements side by side: x, y, dy and dx [n], sums [2]. Adds to sums those of x - pivot and of its square; of dy
     and of dy (x - mean). y = (x - mean) scale + shift. dx = f[0] dy + f[1] (x - mean) + f[2]. */
  void (*stretch_moments)(int64_t n, const void *x, double pivot, double *sums);
  void (*stretch_products)(int64_t n, const void *dy, const void *x, double mean, double *sums);
  void (*stretch_map)(int64_t n, const void *x, double mean, double scale, double shift, void *y);
  void (*stretch_gradient)(int64_t n, const void *dy, const void *x, double mean, const double *f, void *dx);
  /* x [rows][n], n > 0, normalized to y [rows][n], times w [n], plus b [n] (each may be NULL), with the rows' means and
     variances [rows]; and the gradients: dx [rows][n] may be NULL, and dw and db [n], which are added to. If not
     centred, means are 0 and variances means of squares. */
  void (*layer_norm)(int64_t rows, int64_t n, bool centred, const void *x, const void *w, const void *b, double eps,
                     void *y, double *mean, double *var);
  void (*layer_norm_backward)(int64_t rows, int64_t n, bool centred, const void *dy, const void *x, const void *w,
                              double eps, const double *mean, const double *var, void *dx, double *dw, double *db);
} NormalizationKernels;

#endif
