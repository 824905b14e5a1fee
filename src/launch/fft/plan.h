/* Plans of transforms, kept for the next of their length. */
#ifndef NNLUA_LAUNCH_FFT_PLAN_H
#define NNLUA_LAUNCH_FFT_PLAN_H

#include "core/call.h"
#include "kernels/fft.h"

/* The plan of complex transforms of length n in a real dtype, one alone or as many together as a vector has lanes. It
   lives until the next fft_plans_trim, as do two others that were asked for just before it. */
const FftPlan *fft_plan(Call *call, int64_t n, DType real, bool alone);

/* e^(-2 pi i k / n), which real transforms of even length take: FftLines.roots. */
const void *fft_half_roots(Call *call, int64_t n, DType real);

/* Lets go of those that have not been used longest, as far as they take too much memory. */
void fft_plans_trim(Context *ctx);

#endif
