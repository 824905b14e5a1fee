/* Fills of arrays with random numbers, number for number those of PyTorch's
   CPU generator. */
#ifndef NNLUA_KERNELS_RANDOM_FILL_H
#define NNLUA_KERNELS_RANDOM_FILL_H

#include <stdint.h>

#include "core/random.h"

/* The fills, for the instruction set in use: all give the same numbers. */
typedef struct RandomFills {
  /* Uniform numbers in [from, to). */
  void (*uniform_f32)(Generator *generator, int64_t n, float *out, double from, double to);
  void (*uniform_f64)(Generator *generator, int64_t n, double *out, double from, double to);

  /* Normal numbers; from 16 elements on they are made in blocks of 16, below in pairs whose second value is kept. */
  void (*normal_f32)(Generator *generator, int64_t n, float *out, double mean, double std);
  void (*normal_f64)(Generator *generator, int64_t n, double *out, double mean, double std);

  /* Exponential numbers of the rate lambda. */
  void (*exponential_f32)(Generator *generator, int64_t n, float *out, double lambda);
  void (*exponential_f64)(Generator *generator, int64_t n, double *out, double lambda);

  /* With probability p the value `yes`, else 0: 1 for bernoulli, 1 / (1 - rate) for the mask of dropout. */
  void (*bernoulli_f32)(Generator *generator, int64_t n, float *out, double p, float yes);
  void (*bernoulli_f64)(Generator *generator, int64_t n, double *out, double p, double yes);
  void (*bernoulli_u8)(Generator *generator, int64_t n, uint8_t *out, double p, uint8_t yes);

  /* One with the probability of its own element of p, else 0. A float p draws 32 bits an element, a double p 64;
     PyTorch takes a float16 or bfloat16 p as float. */
  void (*bernoulli_each_f32)(Generator *generator, int64_t n, uint8_t *out, const float *p);
  void (*bernoulli_each_f64)(Generator *generator, int64_t n, uint8_t *out, const double *p);

  /* Integers in [low, high), which must not be empty. */
  void (*integers)(Generator *generator, int64_t n, int64_t *out, int64_t low, int64_t high);

  /* A permutation of the positions 1 to n. */
  void (*permutation)(Generator *generator, int64_t n, int64_t *out);
} RandomFills;

extern RandomFills random_fills;

#endif
