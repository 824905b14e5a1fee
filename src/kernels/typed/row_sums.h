/*
 * Sums along rows of floats, by vectors: up to eight terms a lane are added up in the type they have, and their sums to
 * lanes of doubles, so a sum is as accurate as it is fast. What is left of a row is one vector of which lanes are 0.
 */
#ifndef NNLUA_KERNELS_ROW_SUMS_H
#define NNLUA_KERNELS_ROW_SUMS_H

#include "kernels/typed/vector_math.h"

#if T_FLOATING

/* What is added of elements: themselves, their magnitudes, or what isn't nan; a constant where functions are called. */
typedef enum RowTerm { ROW_ELEMENTS, ROW_MAGNITUDES, ROW_NUMBERS } RowTerm;

INLINE Vector plain_term(RowTerm term, Vector v)
{
  if (term == ROW_NUMBERS) return choose(v == v, v, (Vector){0});
  return term == ROW_MAGNITUDES ? vector_abs(v) : v;
}

/* The sum of 8 vectors side by side. */
INLINE Vector vectors_sum(RowTerm term, const T *x)
{
  Vector a = plain_term(term, load(x)) + plain_term(term, load(x + V));
  Vector b = plain_term(term, load(x + 2 * V)) + plain_term(term, load(x + 3 * V));
  Vector c = plain_term(term, load(x + 4 * V)) + plain_term(term, load(x + 5 * V));
  Vector d = plain_term(term, load(x + 6 * V)) + plain_term(term, load(x + 7 * V));
  return (a + b) + (c + d);
}

/* x: [n] */
INLINE double plain_row(RowTerm term, int64_t n, const T *x)
{
  Doubles total = {0};
  Vector first = {0}, second = {0}; /* at most four terms a lane each */
  int64_t i = 0;
  for (; i + 8 * V <= n; i += 8 * V) {
    Vector sum = vectors_sum(term, x + i);
    total += low_doubles(sum) + high_doubles(sum);
  }
  for (; i + 2 * V <= n; i += 2 * V) {
    first += plain_term(term, load(x + i));
    second += plain_term(term, load(x + i + V));
  }
  if (i + V <= n) {
    first += plain_term(term, load(x + i));
    i += V;
  }
  if (i < n) second += plain_term(term, load_first(x + i, lanes_of((int)(n - i)), (int)(n - i)));
  first += second;
  return total_of_doubles(total + (low_doubles(first) + high_doubles(first)));
}

/* The sums of distances from a centre and of their squares. */
typedef struct Moments {
  Doubles first, second;
} Moments;

INLINE void moments_step(Moments *m, Doubles d)
{
  m->first += d;
  m->second += d * d;
}

/* Of a vector: its halves in parts of their own. */
INLINE void moments_of_vector(Moments *low, Moments *high, Vector v, double centre)
{
  moments_step(low, low_doubles(v) - centre);
  if (sizeof(T) < sizeof(double)) moments_step(high, high_doubles(v) - centre);
}

/* Of x [n], in doubles: the first in sums[0], the second in sums[1]. */
INLINE void wide_moments(int64_t n, const T *x, double centre, double *sums)
{
  Moments low = {{0}, {0}}, high = {{0}, {0}}, next_low = {{0}, {0}}, next_high = {{0}, {0}};
  int64_t i = 0;
  for (; i + 2 * V <= n; i += 2 * V) {
    moments_of_vector(&low, &high, load(x + i), centre);
    moments_of_vector(&next_low, &next_high, load(x + i + V), centre);
  }
  if (i + V <= n) {
    moments_of_vector(&low, &high, load(x + i), centre);
    i += V;
  }
  if (i < n) {
    int left = (int)(n - i);
    Vector v = load_first(x + i, lanes_of(left), left);
    moments_step(&low, first_doubles(low_doubles(v) - centre, left));
    if (sizeof(T) < sizeof(double)) moments_step(&high, first_doubles(high_doubles(v) - centre, left - V / 2));
  }
  sums[0] = total_of_doubles((low.first + high.first) + (next_low.first + next_high.first));
  sums[1] = total_of_doubles((low.second + high.second) + (next_low.second + next_high.second));
}

/* A few distances' sums, in the type they have. */
typedef struct FewMoments {
  Vector first, second;
} FewMoments;

INLINE void few_step(FewMoments *m, Vector d)
{
  m->first += d;
  m->second += d * d;
}

INLINE void add_few(Moments *m, FewMoments a, FewMoments b)
{
  Vector first = a.first + b.first, second = a.second + b.second;
  m->first += low_doubles(first) + high_doubles(first);
  m->second += low_doubles(second) + high_doubles(second);
}

/* Of x [n] as wide_moments, but eight terms a lane are added up in the type they have. */
INLINE void narrow_moments(int64_t n, const T *x, T centre, double *sums)
{
  Moments total = {{0}, {0}};
  FewMoments a = {{0}, {0}}, b = a;
  int64_t i = 0;
  for (; i + 8 * V <= n; i += 8 * V) {
    FewMoments even = {{0}, {0}}, odd = even;
    UNROLL for (int j = 0; j < 8; j += 2)
    {
      few_step(&even, load(x + i + j * V) - centre);
      few_step(&odd, load(x + i + (j + 1) * V) - centre);
    }
    add_few(&total, even, odd);
  }
  for (; i + 2 * V <= n; i += 2 * V) {
    few_step(&a, load(x + i) - centre);
    few_step(&b, load(x + i + V) - centre);
  }
  for (; i < n; i += V) {
    int left = n - i < V ? (int)(n - i) : V;
    few_step(&a, load_first_or(x + i, lanes_of(left), left, centre) - centre);
  }
  add_few(&total, a, b);
  sums[0] = total_of_doubles(total.first);
  sums[1] = total_of_doubles(total.second);
}

/* Whether squares in the narrow type have lost nothing: none can have overflowed, what vanished is too small to matter
   in their sum, and the centre is no further from the mean than the elements are. */
INLINE bool narrow_squares_hold(double sum) { return sum >= 1e-30 && sum < (double)INFINITY; }

INLINE bool narrow_moments_hold(int64_t n, const double *sums)
{
  return narrow_squares_hold(sums[1]) && 2 * sums[0] * sums[0] <= (double)n * sums[1];
}

/* Of x [n] about the centre: the first in sums[0], the second in sums[1]. Floats are added up as they are about what
   the first ones' mean, or the mean, comes to, if they can be. */
INLINE void row_moments(int64_t n, const T *x, double centre, double *sums)
{
  if (sizeof(T) < sizeof(double) && n >= 8 * V) {
    T pivot = total_of(vectors_sum(ROW_ELEMENTS, x)) / (8 * V);
    for (int tries = 0; tries < 2; tries++) {
      narrow_moments(n, x, pivot, sums);
      if (narrow_moments_hold(n, sums)) {
        double shift = (double)pivot - centre;
        sums[1] += shift * (2 * sums[0] + (double)n * shift);
        sums[0] += (double)n * shift;
        return;
      }
      pivot += (T)(sums[0] / (double)n);
    }
  }
  wide_moments(n, x, centre, sums);
}

/* The sum of the squares of x [n], in doubles. */
INLINE double wide_squares(int64_t n, const T *x)
{
  Doubles sums[4] = {{0}};
  int64_t i = 0;
  for (; i + 2 * V <= n; i += 2 * V) {
    Vector v = load(x + i), w = load(x + i + V);
    sums[0] += low_doubles(v) * low_doubles(v);
    sums[1] += low_doubles(w) * low_doubles(w);
    if (sizeof(T) == sizeof(double)) continue;
    sums[2] += high_doubles(v) * high_doubles(v);
    sums[3] += high_doubles(w) * high_doubles(w);
  }
  for (; i < n; i += V) {
    int left = n - i < V ? (int)(n - i) : V;
    Vector v = load_first(x + i, lanes_of(left), left);
    sums[0] += low_doubles(v) * low_doubles(v);
    sums[2] += high_doubles(v) * high_doubles(v);
  }
  return total_of_doubles((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

INLINE Vector vectors_squares(const T *x)
{
  Vector a = load(x) * load(x), b = load(x + V) * load(x + V);
  UNROLL for (int j = 2; j < 8; j += 2)
  {
    a += load(x + j * V) * load(x + j * V);
    b += load(x + (j + 1) * V) * load(x + (j + 1) * V);
  }
  return a + b;
}

/* The same, but eight squares a lane are added up in the type they have. */
INLINE double narrow_squares(int64_t n, const T *x)
{
  Doubles total = {0};
  Vector a = {0}, b = {0};
  int64_t i = 0;
  for (; i + 8 * V <= n; i += 8 * V) {
    Vector sum = vectors_squares(x + i);
    total += low_doubles(sum) + high_doubles(sum);
  }
  for (; i + 2 * V <= n; i += 2 * V) {
    a += load(x + i) * load(x + i);
    b += load(x + i + V) * load(x + i + V);
  }
  for (; i < n; i += V) {
    int left = n - i < V ? (int)(n - i) : V;
    Vector v = load_first(x + i, lanes_of(left), left);
    a += v * v;
  }
  a += b;
  return total_of_doubles(total + (low_doubles(a) + high_doubles(a)));
}

/* The sum of the squares of x [n]. */
INLINE double square_row(int64_t n, const T *x)
{
  if (sizeof(T) < sizeof(double)) {
    double sum = narrow_squares(n, x);
    if (narrow_squares_hold(sum)) return sum;
  }
  return wide_squares(n, x);
}

#endif
#endif
