/* Connected regions of a mask. */
#ifndef NNLUA_IO_REGIONS_H
#define NNLUA_IO_REGIONS_H

#include "core/tensor.h"

/* Of a region: its first column and row, counted from 1, how many columns and rows it covers, and its pixels. */
enum { REGION_LEFT, REGION_TOP, REGION_WIDTH, REGION_HEIGHT, REGION_AREA, REGION_NUMBERS };

/*
 * Numbers the regions of pixels that are not zero in a contiguous mask (height, width) of bytes from 1 on, by their
 * first pixels in rows; `labels`, int64 of the same shape, gets each pixel's number, 0 outside of regions. Neighbours
 * are those beside and above each other, with `diagonals` also the others. Returns what is told of each, int64
 * (regions, REGION_NUMBERS).
 */
Tensor *label_regions(Call *call, const Tensor *mask, bool diagonals, Tensor *labels);

#endif
