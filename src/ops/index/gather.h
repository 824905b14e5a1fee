/* What gathers, scatters and indexing by tensors share. */
#ifndef NNLUA_OPS_INDEX_GATHER_H
#define NNLUA_OPS_INDEX_GATHER_H

#include "launch/positions.h"

#define ROWS "ops/index/gather.def"
#include "ops/table/declare.h"

typedef enum LineKind { GATHER, SCATTER, SCATTER_ADD, SCATTER_MULTIPLY, SCATTER_MAX, SCATTER_MIN } LineKind;

/* One side of a pairing: a tensor of the shape that is iterated over, and how many elements lie between steps. */
typedef struct Side { Tensor *t; int64_t step; } Side;

/*
 * Pairs elements along lines, `count` steps to each element of the iterated shape (that of `to`):
 * GATHER copies from[position] to to[k], the others from[k] to to[position]. Positions are int64,
 * checked, counted from 1; the three broadcast to the iterated shape.
 */
void launch_lines(Call *call, LineKind kind, Side to, Side from, Side positions, int64_t count);

/* One gather or scatter over the shape of index; all are of the same number of dimensions. */
void pair_along(Call *call, LineKind kind, Tensor *to, Tensor *from, Tensor *index, int dim);

/* The same for what combines elements; float16 and bfloat16 in float32, rounded at the end. */
void combine_along(Call *call, LineKind kind, Tensor *to, Tensor *from, Tensor *index, int dim);

/* Checks the arguments of a scatter; returns the dimension and sets the positions. src may be NULL. */
int check_scatter(Call *call, Tensor *input, int64_t dim, Tensor **index, const Tensor *src);

/* One element as a tensor of the shape of index. */
Tensor *value_like(Call *call, Tensor *value, DType dtype, const Tensor *index);

/* The gradient of a src of which only the part that index covers was used. */
Tensor *covered_gradient(Call *call, Tensor *part, const Tensor *src);

#endif
