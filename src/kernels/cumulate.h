/* What is computed of all elements up to each one. */
#ifndef NNLUA_KERNELS_CUMULATE_H
#define NNLUA_KERNELS_CUMULATE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/reduce.h"

typedef enum CumulateId { CUMULATE_SUM, CUMULATE_PROD, CUMULATE_LOG_SUM_EXP, CUMULATE_COUNT } CumulateId;

/* All arrays are contiguous [outer][n][inner]; what is computed goes along n. */
typedef struct CumulateKernels {
  /* Up to each element, or from each on; y may be x. */
  void (*values[CUMULATE_COUNT])(int64_t outer, int64_t n, int64_t inner, bool from_end, const void *x, void *y);
  /* Extremes up to each element, with their positions (from 1), the last of equals; nan before all. */
  void (*extremes[POSITION_COUNT])(int64_t outer, int64_t n, int64_t inner, const void *x, void *values,
                                   int64_t *positions);
} CumulateKernels;

#endif
