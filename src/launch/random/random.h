/* Random numbers for tensors of any strides, number for number PyTorch's. */
#ifndef NNLUA_LAUNCH_RANDOM_H
#define NNLUA_LAUNCH_RANDOM_H

#include "core/random.h"
#include "core/tensor.h"
#include "kernels/draws.h"

typedef enum RandomKind { RANDOM_UNIFORM, RANDOM_NORMAL, RANDOM_EXPONENTIAL, RANDOM_BERNOULLI } RandomKind;

/* Fills a floating tensor: uniform from a to b, normal of mean a and deviation b, exponential of rate a, or b with
   probability a and else 0. */
void launch_random(Call *call, Generator *g, RandomKind kind, Tensor *t, double a, double b);

/* Fills a tensor of a real dtype with numbers drawn one by one, all with the same one or two parameters. */
void launch_draws(Call *call, Generator *g, DrawOne draw, const double *parameters, int count, Tensor *t);

/* The same into a contiguous tensor, each with its own parameters: elements of up to two operands, which broadcast. */
void launch_draws_of(Call *call, Generator *g, DrawOne draw, Tensor *y, Tensors operands);

/* Integers from low to before high, of any dtype. */
void launch_random_integers(Call *call, Generator *g, Tensor *t, int64_t low, int64_t high);

/* Integers from 0 to before bound; 0 stands for 2^63. */
void launch_random_bits(Call *call, Generator *g, Tensor *t, int64_t bound);

/* For each element of x that isn't above 0 a number between the bounds, drawn as float64, and 1 for the others: y has
   x's shape. */
void launch_random_slopes(Call *call, Generator *g, Tensor *x, double lower, double upper, Tensor *y);

/* A permutation of the positions 1 to n into a vector. */
void launch_permutation(Call *call, Generator *g, Tensor *t);

/* Ones with probability p, else zeros, of any real dtype: the draws don't depend on it. */
void launch_bernoulli(Call *call, Generator *g, Tensor *t, double p);

/* The probabilities as a contiguous tensor: float64 if they are that, else float32.
   Raises if one isn't between 0 and 1. */
Tensor *checked_probabilities(Call *call, Tensor *p);

/* Ones and zeros, each of its own probability; p is checked and broadcasts to t. */
void launch_bernoulli_each(Call *call, Generator *g, Tensor *t, Tensor *p);

/* Positions (int64, y of [count] or [rows, count], contiguous) drawn by the weights of each row ([n] or [rows, n]),
   floating. Raises where a row has wrong weights. */
void launch_multinomial(Call *call, Generator *g, Tensor *weights, bool replacement, Tensor *y);

#endif
