/* Tensors of positions: looked at before kernels go by them. */
#ifndef NNLUA_LAUNCH_POSITIONS_H
#define NNLUA_LAUNCH_POSITIONS_H

#include "core/tensor.h"

/*
 * The positions as int64, each looked at: within 1..size, or -size..-1 if negative ones are allowed.
 * Raises, also for a dtype that isn't one of positions. Elements on the meta device are not looked at.
 */
Tensor *checked_positions(Call *call, Tensor *index, int64_t size, int dim, bool negative);

/* Those of the checked positions 1..size that occur, each once and in order; on the meta device, where they aren't known,
   as many as there are at most. */
Tensor *distinct_positions(Call *call, Tensor *positions, int64_t size);

#endif
