/* Orthogonal polynomials of vectors of doubles by their recurrences, lanes with their degrees; see orthogonal.h. */
#ifndef NNLUA_KERNELS_VECTOR_ORTHOGONAL_H
#define NNLUA_KERNELS_VECTOR_ORTHOGONAL_H

#include "kernels/typed/orthogonal.h"
#include "kernels/typed/vector_polynomial.h"

#if T_f64

enum { LANES_TOGETHER = 64 }; /* up to this degree */

/* The steps that a vector of degrees takes; more than LANES_TOGETHER if a lane is to be looked at alone. */
INLINE int steps_of(Vector n)
{
  int k = 0;
  while (k <= LANES_TOGETHER && any_of(n > k)) k++;
  return k;
}

LARGE Vector vector_chebyshev(ChebyshevKind kind, Vector x, Vector degree)
{
  Vector n = vector_trunc(degree), p = AS_VECTOR(1.0);
  if (any_of(n > 8)) {
    for (int j = 0; j < V; j++) x[j] = chebyshev(kind, x[j], degree[j]);
    return x;
  }
  Vector q = kind == KIND_T ? x : kind == KIND_U ? x + x : kind == KIND_V ? x + x - 1 : x + x + 1;
  Vector y = choose(n == 0, p, q);
  for (int k = 2, steps = steps_of(n); k <= steps; k++) {
    Vector next = (x + x) * q - p;
    p = q;
    q = next;
    y = choose(n >= k, q, y);
  }
  return choose(n >= 0, y, AS_VECTOR(0.0));
}

LARGE Vector vector_hermite(bool physicists, Vector x, Vector degree)
{
  Vector n = vector_trunc(degree), p = {0}, q = AS_VECTOR(1.0), y = q;
  int steps = steps_of(n);
  if (steps > LANES_TOGETHER) {
    for (int j = 0; j < V; j++) x[j] = hermite(physicists, x[j], degree[j]);
    return x;
  }
  for (int k = 0; k < steps; k++) {
    Vector next = (physicists ? 2.0 : 1.0) * (x * q - k * p);
    p = q;
    q = next;
    y = choose(n > k, q, y);
  }
  return choose(n >= 0, y, AS_VECTOR(0.0));
}

LARGE Vector vector_laguerre(Vector x, Vector degree)
{
  Vector n = vector_trunc(degree), p = {0}, q = AS_VECTOR(1.0), y = q;
  int steps = steps_of(n);
  if (steps > LANES_TOGETHER) {
    for (int j = 0; j < V; j++) x[j] = laguerre(x[j], degree[j]);
    return x;
  }
  for (int k = 0; k < steps; k++) {
    Vector next = ((k + k + 1 - x) * q - k * p) / (k + 1);
    p = q;
    q = next;
    y = choose(n > k, q, y);
  }
  return choose(n >= 0, choose(x == 0, AS_VECTOR(1.0), y), AS_VECTOR(0.0));
}

LARGE Vector vector_legendre(Vector x, Vector degree)
{
  Vector n = vector_trunc(degree), p = {0}, q = AS_VECTOR(1.0), y = q;
  int steps = steps_of(n);
  if (steps > LANES_TOGETHER) {
    for (int j = 0; j < V; j++) x[j] = legendre(x[j], degree[j]);
    return x;
  }
  for (int k = 0; k < steps; k++) {
    Vector next = ((k + k + 1) * x * q - k * p) / (k + 1);
    p = q;
    q = next;
    y = choose(n > k, q, y);
  }
  return choose(n >= 0, y, AS_VECTOR(0.0));
}

#endif
#endif
