/* Searches in sorted rows, and tables of how often integers occur. */
#ifndef NNLUA_LAUNCH_SEARCH_H
#define NNLUA_LAUNCH_SEARCH_H

#include "core/tensor.h"

/* y, int64 or int32 of the shape of values, = for each value the position (from 1) before which it could stand in its
   sorted row: rows [m], or [..., m] for values [..., n]. `right` gives the last such position. All are compared in a
   dtype (float32, float64 or int64). order: checked positions (int64) of the elements of rows in order, or NULL. */
void launch_search(Call *call, DType dtype, Tensor *rows, Tensor *values, Tensor *order, bool right, Tensor *y);

/* table[x - low] = how often the integers of x occur; table is an int64 vector that they all fit in. */
void launch_count_values(Call *call, Tensor *x, int64_t low, Tensor *table);

/* y = table[x - low], int64 of x's shape. */
void launch_look_up_values(Call *call, Tensor *x, int64_t low, Tensor *table, Tensor *y);

/* counts[k] = how many elements of x (float32 or float64) lie in the k-th of evenly wide bins from low to high, its
   upper end being the last one's; counts has x's dtype, in which all is computed, as in PyTorch. */
void launch_count_bins(Call *call, Tensor *x, double low, double high, Tensor *counts);

/* y[k] = the sum of weights (1 if NULL) of the elements between edges k and k + 1, the last bin having its upper edge
   too. As a density their integral is 1. */
void launch_sum_bins(Call *call, Tensor *x, Tensor *edges, Tensor *weight, bool density, Tensor *y);

#endif
