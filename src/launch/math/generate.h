/* Elements made from their places alone. Results have any strides and dtypes. */
#ifndef NNLUA_LAUNCH_GENERATE_H
#define NNLUA_LAUNCH_GENERATE_H

#include "core/scalar.h"
#include "core/tensor.h"

/* Gives the doubles of the places first, first + 1, … of a tensor in row-major order. It may give GENERATE_PIECE of
   them, of which first is a multiple, but reads nothing for more than n: loops of a known length become vectors. */
typedef void (*ByIndex)(const void *params, int64_t first, int n, double *to);

/* y = what a function of places gives, rounded once. */
void launch_by_index(Call *call, ByIndex fill, const void *params, Tensor *y);

/* y[i] = c[0] - c[1] cos(a) + c[2] cos(2a), a = 2 pi i / steps. */
void launch_cosines(Call *call, const double *c, int64_t steps, Tensor *y);

/* y[i] = first + i step: in whole numbers (which wrap) if both are, else in doubles. */
void launch_range(Call *call, Scalar first, Scalar step, Tensor *y);

/* y[i] evenly from start to stop, in y's dtype (float32 or float64):
   counted from the nearer end, so that both are exact. */
void launch_linspace(Call *call, double start, double stop, Tensor *y);

/* Fills y, an int64 tensor in row-major order, by one call. */
void launch_positions_of(Call *call, void (*fill)(const void *params, int64_t *to), const void *params, Tensor *y);

/* y = the lower or upper triangles of matrices x [..., rows, columns], 0 elsewhere. The diagonal's elements belong to
   both; it lies `diagonal` columns to the right of the main one. */
void launch_triangle(Call *call, Tensor *x, int64_t diagonal, bool lower, Tensor *y);

/* In row r of `columns` elements, where a triangle and the rest of the row meet. */
int64_t triangle_split(int64_t r, int64_t columns, int64_t diagonal, bool lower);

#endif
