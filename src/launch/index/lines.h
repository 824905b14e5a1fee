/* Elements picked and placed along lines, by tensors of positions. */
#ifndef NNLUA_LAUNCH_LINES_H
#define NNLUA_LAUNCH_LINES_H

#include "core/tensor.h"

typedef enum LineKind { GATHER, SCATTER, SCATTER_ADD, SCATTER_MULTIPLY, SCATTER_MAX, SCATTER_MIN } LineKind;

/* One side of a pairing: a tensor of the shape that is iterated over, and how many elements lie between steps. */
typedef struct Side {
  Tensor *t;
  int64_t step;
} Side;

/*
 * Pairs elements along lines, `count` steps to each element of the iterated shape (that of `to`):
 * GATHER copies from[position] to to[k], the others from[k] to to[position]. Positions are int64,
 * checked, counted from 1; the three broadcast to the iterated shape.
 */
void launch_lines(Call *call, LineKind kind, Side to, Side from, Side positions, int64_t count);

/*
 * The positions as int64, each looked at: within 1..size, or -size..-1 if negative ones are allowed.
 * Raises, also for a dtype that isn't one of positions. Elements on the meta device are not looked at.
 */
Tensor *checked_positions(Call *call, Tensor *index, int64_t size, int dim, bool negative);

/* One gather or scatter over the shape of index; all are of the same number of dimensions. */
void pair_along(Call *call, LineKind kind, Tensor *to, Tensor *from, Tensor *index, int dim);

/* The same for what combines elements; float16 and bfloat16 in float32, rounded at the end. */
void combine_along(Call *call, LineKind kind, Tensor *to, Tensor *from, Tensor *index, int dim);

/* Adds the elements of x to those places of y, contiguous, that a view of it has, one after the other:
   the view's elements may share places. x has the view's shape. */
void launch_add_at_view(Call *call, Tensor *y, const Tensor *view, Tensor *x);

/* Adds to places in memory, in elements, the part that checked positions along one dimension have in them: positions
   broadcast to the shape of places, and negative ones count from the end. Both are int64. */
void launch_add_places(Tensor *places, const Tensor *positions, int64_t size, int64_t stride);

#endif
