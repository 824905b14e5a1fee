/* Normalization by mean and variance: of channels over a batch or in groups, and of rows. */
#ifndef NNLUA_LAUNCH_NORMALIZE_H
#define NNLUA_LAUNCH_NORMALIZE_H

#include "core/tensor.h"

/* What is normalized together in [N, channels, ...]: each channel over the batch (no groups), or so many groups of
   channels in each sample. The weight and the bias, a number for each channel, may be NULL. */
typedef struct ChannelNorm {
  int64_t groups;
  double eps;
  Tensor *weight, *bias;
} ChannelNorm;

/* How many means and variances there are. */
int64_t channel_norm_units(const Tensor *x, int64_t groups);

/* A tensor like x, in the order that launches for it write without a copy. */
Tensor *channel_norm_result(Call *call, const Tensor *x, int64_t groups);

/* y = x normalized, times weight, plus bias; mean and var, [units], float64: 0 if there are no elements. */
void launch_channel_norm(Call *call, Tensor *x, const ChannelNorm *norm, Tensor *y, Tensor *mean, Tensor *var);

/* The gradients: dx, which may be NULL, of x's shape; those of weight and bias are added to dw and db, float64,
   [channels], with groups [N, channels]. */
void launch_channel_norm_backward(Call *call, Tensor *dy, Tensor *x, const ChannelNorm *norm, Tensor *mean, Tensor *var,
                                  Tensor *dx, Tensor *dw, Tensor *db);

/* y = (x - mean) scale + shift, of numbers for each channel, [channels]; x and y are contiguous. */
void launch_channel_map(Call *call, Tensor *x, Tensor *mean, Tensor *scale, Tensor *shift, Tensor *y);

/* The same of rows of n elements that lie one after the other in x; weight and bias are of n elements, mean and var
   float64, [rows]. If not centred, means are 0 and variances means of squares. */
typedef struct RowNorm {
  int64_t n;
  bool centred;
  double eps;
  Tensor *weight, *bias;
} RowNorm;

void launch_row_norm(Call *call, Tensor *x, const RowNorm *norm, Tensor *y, Tensor *mean, Tensor *var);

/* Into how many parts rows are cut for the gradients of weight and bias: these depend on it, not on threads. */
int64_t row_norm_parts(const Tensor *x, int64_t n);

/* dx, dw and db may be NULL; dw and db, float64, [parts, n], are added to. */
void launch_row_norm_backward(Call *call, Tensor *dy, Tensor *x, const RowNorm *norm, Tensor *mean, Tensor *var,
                              Tensor *dx, Tensor *dw, Tensor *db);

#endif
