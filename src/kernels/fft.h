/*
 * Discrete Fourier transforms of lines of complex or real numbers.
 *
 * A plan says how a length is done. Its factors become passes of Stockham's kind, which need no order of their own: a
 * pass of radix r takes [r][m][s] to [m][r][s], where s is the product of the radices before it and m that of those
 * after. Numbers lie in two arrays of real and imaginary parts, and `lanes` transforms side by side make s that much
 * wider, so that vectors run along s. A length with a large prime factor is a convolution with a chirp (Bluestein, "A
 * linear filtering approach to the computation of discrete Fourier transform", 1970), by transforms of a longer length.
 */
#ifndef NNLUA_KERNELS_FFT_H
#define NNLUA_KERNELS_FFT_H

#include <stdbool.h>
#include <stdint.h>

enum {
  FFT_PASSES = 40,     /* 3^40 is out of reach */
  FFT_LANES = 16,      /* the most lanes of a vector */
  FFT_LARGE_PRIME = 50 /* from here on a chirp is cheaper than a sum over all */
};

typedef struct FftPass {
  int64_t radix, m;
  const void *twiddles; /* [m][radix - 1] pairs e^(-2 pi i p q / (radix m)); of a turned pass [radix - 1][2][m] */
  const void *roots;    /* of odd radices, with h = (radix - 1) / 2: cosines [h][h], sines [h][h] */
} FftPass;

typedef struct FftPlan {
  int64_t n;
  bool turned; /* for one transform alone: the first pass has a vector's lanes as its radix, and turns its tiles */
  int passes;
  FftPass pass[FFT_PASSES];
  const struct FftPlan *longer; /* of a chirp: the plan of its convolutions; then there are no passes */
  const void *chirp, *filter;   /* [2][n] e^(-pi i k^2 / n), [2][longer->n] the transform of its conjugate */
} FftPlan;

typedef enum FftKind { FFT_COMPLEX, FFT_FROM_REAL, FFT_FROM_REAL_WHOLE, FFT_TO_REAL } FftKind;

/* What is done with lines: n is the length of the transform, count up to FFT_LANES of them. Lengths of real lines are
   n, of halves of their transforms n / 2 + 1. Steps are from element to element. */
typedef struct FftLines {
  FftKind kind;
  bool inverse;
  int64_t n;
  double scale;
  const FftPlan *alone, *together; /* plans of lines one by one, and of a vector's lanes; NULL: not to be used */
  const void *roots;               /* of even real lines: [n / 4 + 1] pairs e^(-2 pi i k / n) */
  int count;
  const void *x[FFT_LANES];
  void *y[FFT_LANES];
  int64_t x_step, y_step;
} FftLines;

typedef struct FftKernels {
  int lanes;
  /* Numbers of a real type that a plan's transforms take as memory, `lanes` at a time or alone, and lines of n. */
  int64_t (*room)(const FftLines *lines);
  void (*lines)(const FftLines *lines, void *room);
  /* Fills the filter of a plan whose chirp is there. */
  void (*fill_filter)(FftPlan *plan, void *filter, void *room);
} FftKernels;

#endif
