/* Loops that move elements by their size alone: fills, choices, gathers and scatters. One build serves every dtype. */
#include <string.h>

#include "core/tensor.h"
#include "kernels/kernels.h"

typedef struct Sixteen { uint64_t half[2]; } Sixteen;

/* Runs `loop` with a type of the size. */
#define BY_SIZE(size, loop)        \
  switch (size) {                  \
    case 1: loop(uint8_t); break;  \
    case 2: loop(uint16_t); break; \
    case 4: loop(uint32_t); break; \
    case 8: loop(uint64_t); break; \
    default: loop(Sixteen);        \
  }

/* -------------------------------------------------------------------- fills */

static bool is_zero(size_t size, const void *value)
{
  static const char zeros[16];
  return memcmp(value, zeros, size) == 0;
}

void fill_elements(size_t size, int64_t n, const void *value, char *to, int64_t to_stride)
{
  if (to_stride == (int64_t)size && (size == 1 || is_zero(size, value))) {
    memset(to, *(const unsigned char *)value, (size_t)n * size);
    return;
  }
#define FILL(type)                                                          \
  type v;                                                                   \
  memcpy(&v, value, sizeof v);                                              \
  if (to_stride == (int64_t)sizeof(type))                                   \
    for (int64_t i = 0; i < n; i++) ((type *)to)[i] = v;                    \
  else                                                                      \
    for (int64_t i = 0; i < n; i++) *(type *)(to + i * to_stride) = v
#define FILL_BLOCK(type) { FILL(type); }
  BY_SIZE(size, FILL_BLOCK)
}

/* ------------------------------------------------------------------ choices */

void where_elements(size_t size, int64_t n, char *const *p, const int64_t *strides)
{
  char *y = p[0];
  const char *c = p[1], *a = p[2], *b = p[3];
  int64_t step = (int64_t)size;
  bool contiguous = strides[0] == step && strides[1] == 1 && strides[2] == step && strides[3] == step;
#define CHOOSE(type)                                                                             \
  if (contiguous)                                                                                \
    for (int64_t i = 0; i < n; i++)                                                              \
      ((type *)y)[i] = c[i] ? ((const type *)a)[i] : ((const type *)b)[i];                       \
  else                                                                                           \
    for (int64_t i = 0; i < n; i++)                                                              \
      *(type *)(y + i * strides[0]) = c[i * strides[1]] ? *(const type *)(a + i * strides[2])    \
                                                        : *(const type *)(b + i * strides[3])
  BY_SIZE(size, CHOOSE)
}

/* ------------------------------------------------------ gathers and scatters */

static inline int64_t position(const IndexedLines *l, int64_t i, int64_t k)
{
  return *(const int64_t *)(l->index + i * l->index_line + k * l->index_step) - 1;
}

/* Whether whole lines share their positions and lie side by side: then it is best to go step by step, a line across. */
static bool goes_across(const IndexedLines *l)
{
  return l->index_line == 0 && l->n > 1 && l->to_line < l->to_step;
}

void gather_lines(size_t size, const IndexedLines *l)
{
  if (goes_across(l)) {
    for (int64_t k = 0; k < l->count; k++)
      copy_elements(size, l->n, l->from + position(l, 0, k) * l->from_step, l->from_line, l->to + k * l->to_step,
                    l->to_line);
    return;
  }
#define GATHER(type)                                                                              \
  for (int64_t i = 0; i < l->n; i++)                                                              \
    for (int64_t k = 0; k < l->count; k++)                                                        \
      *(type *)(l->to + i * l->to_line + k * l->to_step) =                                        \
        *(const type *)(l->from + i * l->from_line + position(l, i, k) * l->from_step)
  BY_SIZE(size, GATHER)
}

void scatter_lines(size_t size, const IndexedLines *l)
{
  if (goes_across(l)) {
    for (int64_t k = 0; k < l->count; k++)
      copy_elements(size, l->n, l->from + k * l->from_step, l->from_line, l->to + position(l, 0, k) * l->to_step,
                    l->to_line);
    return;
  }
#define SCATTER(type)                                                                             \
  for (int64_t i = 0; i < l->n; i++)                                                              \
    for (int64_t k = 0; k < l->count; k++)                                                        \
      *(type *)(l->to + i * l->to_line + position(l, i, k) * l->to_step) =                        \
        *(const type *)(l->from + i * l->from_line + k * l->from_step)
  BY_SIZE(size, SCATTER)
}

/* ---------------------------------------------------------------- positions */

void positions_range(int64_t n, const int64_t *positions, PositionRange *range)
{
  int64_t low = range->low, high = range->high;
  int zero = 0;
  for (int64_t i = 0; i < n; i++) {
    int64_t p = positions[i];
    low = p < low ? p : low;
    high = p > high ? p : high;
    zero |= p == 0;
  }
  *range = (PositionRange){low, high, range->zero || zero};
}

int64_t count_true(int64_t n, const bool *x)
{
  int64_t count = 0;
  for (int64_t i = 0; i < n; i++) count += x[i];
  return count;
}

void positions_of_true(int ndim, const int64_t *shape, const bool *x, int64_t *positions)
{
  int64_t at[MAX_DIMS] = {0}, numel = 1;
  for (int d = 0; d < ndim; d++) numel *= shape[d];
  for (int64_t i = 0; i < numel; i++) {
    if (x[i])
      for (int d = 0; d < ndim; d++) *positions++ = at[d] + 1;
    for (int d = ndim - 1; d >= 0 && ++at[d] == shape[d]; d--) at[d] = 0;
  }
}
