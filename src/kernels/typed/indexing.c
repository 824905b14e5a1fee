/* Scatters that add or multiply: their loops need to know the type. */
#include "kernels/typed/typed.h"

static inline void add_to(T *to, T x)
{
#if T_BOOL
  *to = *to || x;
#elif T_INTEGRAL
  *to = (T)((uint64_t)*to + (uint64_t)x); /* overflow wraps */
#else
  *to += x;
#endif
}

static inline void multiply_by(T *to, T x)
{
#if T_BOOL
  *to = *to && x;
#elif T_INTEGRAL
  *to = (T)((uint64_t)*to * (uint64_t)x);
#else
  *to *= x;
#endif
}

static void add_line(int64_t n, const char *from, int64_t from_step, char *to, int64_t to_step)
{
  if (from_step == (int64_t)sizeof(T) && to_step == (int64_t)sizeof(T))
    for (int64_t i = 0; i < n; i++) add_to((T *)to + i, ((const T *)from)[i]);
  else
    for (int64_t i = 0; i < n; i++) add_to((T *)(to + i * to_step), *(const T *)(from + i * from_step));
}

static inline int64_t position(const IndexedLines *l, int64_t i, int64_t k)
{
  return *(const int64_t *)(l->index + i * l->index_line + k * l->index_step) - 1;
}

static void scatter_add_lines(const IndexedLines *l)
{
  if (l->index_line == 0 && l->n > 1 && l->to_line < l->to_step) { /* lines side by side share their positions */
    for (int64_t k = 0; k < l->count; k++)
      add_line(l->n, l->from + k * l->from_step, l->from_line, l->to + position(l, 0, k) * l->to_step, l->to_line);
    return;
  }
  for (int64_t i = 0; i < l->n; i++)
    for (int64_t k = 0; k < l->count; k++)
      add_to((T *)(l->to + i * l->to_line + position(l, i, k) * l->to_step),
             *(const T *)(l->from + i * l->from_line + k * l->from_step));
}

static void scatter_multiply_lines(const IndexedLines *l)
{
  for (int64_t i = 0; i < l->n; i++)
    for (int64_t k = 0; k < l->count; k++)
      multiply_by((T *)(l->to + i * l->to_line + position(l, i, k) * l->to_step),
                  *(const T *)(l->from + i * l->from_line + k * l->from_step));
}

void TYPED(fill_indexing)(KernelTable *t);
void TYPED(fill_indexing)(KernelTable *t)
{
  t->scatter_add_lines = scatter_add_lines;
  t->scatter_multiply_lines = scatter_multiply_lines;
}
