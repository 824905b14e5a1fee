/* How rows of tables are looked up by position, and their gradients added up. */
#ifndef NNLUA_LAUNCH_EMBEDDING_H
#define NNLUA_LAUNCH_EMBEDDING_H

#include "core/tensor.h"

/* y [*, width] = the rows of weight [rows, width] at positions (*, from 1). Raises for wrong positions. */
void launch_embedding(Call *call, Tensor *weight, Tensor *positions, Tensor *y);

/* dw [rows, width] = the rows of dy [*, width] added up by position (*, checked), without those at the position
   `padding` (0: none). */
void launch_embedding_gradient(Call *call, Tensor *dy, Tensor *positions, int64_t padding, Tensor *dw);

/* For each of the checked positions 1..rows: 0 at the position `padding` (0: none), else 1, or one over how often it
   occurs. y is of the positions' shape. */
void launch_embedding_factors(Call *call, Tensor *positions, int64_t rows, int64_t padding, bool by_frequency,
                              Tensor *y);

#endif
