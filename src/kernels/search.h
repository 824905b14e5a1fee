/* Binary searches in sorted rows. */
#ifndef NNLUA_KERNELS_SEARCH_H
#define NNLUA_KERNELS_SEARCH_H

#include "core/dtype.h"

/* places [n]: for each of values [n] the first place (from 0) of row [m], which is sorted, before which it could stand;
   the last such place if `right`. f32, f64 or i64; nan comes last. order [m]: the positions of the row's elements in
   order, or NULL. */
void search_sorted(DType dtype, const void *row, const int64_t *order, int64_t m, const void *values, int64_t n,
                   bool right, int64_t *places);

#endif
