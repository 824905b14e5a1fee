/* Fills of arrays with random numbers, number for number those of PyTorch's
   CPU generator. float16 (f16) and bfloat16 (bf16) are stored as uint16_t. */
#ifndef NNLUA_KERNELS_RANDOM_FILL_H
#define NNLUA_KERNELS_RANDOM_FILL_H

#include <stdint.h>

#include "core/random.h"

/* Uniform numbers in [from, to). */
void random_uniform_f32(Generator *generator, int64_t n, float *out, double from, double to);
void random_uniform_f64(Generator *generator, int64_t n, double *out, double from, double to);
void random_uniform_f16(Generator *generator, int64_t n, uint16_t *out, double from, double to);
void random_uniform_bf16(Generator *generator, int64_t n, uint16_t *out, double from, double to);

/* Normal numbers; from 16 elements on they are made in blocks of 16, below in pairs whose second value is kept. */
void random_normal_f32(Generator *generator, int64_t n, float *out, double mean, double std);
void random_normal_f64(Generator *generator, int64_t n, double *out, double mean, double std);
void random_normal_f16(Generator *generator, int64_t n, uint16_t *out, double mean, double std);
void random_normal_bf16(Generator *generator, int64_t n, uint16_t *out, double mean, double std);

/* Exponential numbers of the rate lambda. */
void random_exponential_f32(Generator *generator, int64_t n, float *out, double lambda);
void random_exponential_f64(Generator *generator, int64_t n, double *out, double lambda);
void random_exponential_f16(Generator *generator, int64_t n, uint16_t *out, double lambda);
void random_exponential_bf16(Generator *generator, int64_t n, uint16_t *out, double lambda);

/* With probability p the value `yes`, else 0: 1 for bernoulli, 1 / (1 - rate) for the mask of dropout. */
void random_bernoulli_f32(Generator *generator, int64_t n, float *out, double p, float yes);
void random_bernoulli_f64(Generator *generator, int64_t n, double *out, double p, double yes);
void random_bernoulli_f16(Generator *generator, int64_t n, uint16_t *out, double p, uint16_t yes);
void random_bernoulli_bf16(Generator *generator, int64_t n, uint16_t *out, double p, uint16_t yes);
void random_bernoulli_u8(Generator *generator, int64_t n, uint8_t *out, double p, uint8_t yes);

/* One with the probability of its own element of p, else 0. A float p draws 32 bits an element, a double p 64;
   PyTorch takes a float16 or bfloat16 p as float. */
void random_bernoulli_each_f32(Generator *generator, int64_t n, uint8_t *out, const float *p);
void random_bernoulli_each_f64(Generator *generator, int64_t n, uint8_t *out, const double *p);

/* Integers in [low, high), which must not be empty. */
void random_integers(Generator *generator, int64_t n, int64_t *out, int64_t low, int64_t high);

/* A permutation of the positions 1 to n. */
void random_permutation(Generator *generator, int64_t n, int64_t *out);

#endif
