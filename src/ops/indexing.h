/* What gathers, scatters and indexing by tensors share. */
#ifndef NNLUA_OPS_INDEXING_H
#define NNLUA_OPS_INDEXING_H

#include "ops/op.h"

typedef enum LineKind { GATHER, SCATTER, SCATTER_ADD, SCATTER_MULTIPLY } LineKind;

/* One side of a pairing: a tensor of the shape that is iterated over, and how many elements lie between steps. */
typedef struct Side { Tensor *t; int64_t step; } Side;

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

#endif
