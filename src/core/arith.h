/* Arithmetic on sizes that C has no name for. */
#ifndef NNLUA_CORE_ARITH_H
#define NNLUA_CORE_ARITH_H

#include <stdint.h>

static inline int64_t min_i64(int64_t a, int64_t b) { return a < b ? a : b; }

static inline int64_t max_i64(int64_t a, int64_t b) { return a > b ? a : b; }

/* n kept within low..high. */
static inline int64_t clamp_i64(int64_t n, int64_t low, int64_t high) { return n < low ? low : n > high ? high : n; }

/* a / b rounded up, for a >= 0 and b > 0. */
static inline int64_t ceil_div_i64(int64_t a, int64_t b) { return (a + b - 1) / b; }

/* a / b rounded down, for any a and b > 0. */
static inline int64_t floor_div_i64(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

#endif
