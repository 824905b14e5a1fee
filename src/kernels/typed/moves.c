/* Fills, choices, gathers and scatters. Those that only move elements serve any type of the size. */
#include "kernels/moves.h"
#include "kernels/typed/typed.h"

/* ------------------------------------------------------------------- moves */

static void fill_elements(int64_t n, const void *value, char *to, int64_t to_stride)
{
  T v;
  memcpy(&v, value, sizeof v);
  if (to_stride == (int64_t)sizeof(T))
    for (int64_t i = 0; i < n; i++) ((T *)to)[i] = v;
  else
    for (int64_t i = 0; i < n; i++) *(T *)(to + i * to_stride) = v;
}

/* A step of 0 takes the same element each time. */
static inline void choose(int64_t n, T *y, const uint8_t *c, const T *a, int64_t a_step, const T *b, int64_t b_step)
{
  for (int64_t i = 0; i < n; i++) {
    T yes = a[i * a_step], no = b[i * b_step];
    y[i] = c[i] ? yes : no;
  }
}

static void where_elements(int64_t n, char *const *p, const int64_t *strides)
{
  int64_t size = (int64_t)sizeof(T);
  bool plain = strides[0] == size && strides[1] == 1;
  for (int k = 2; k < 4; k++) plain &= strides[k] == size || strides[k] == 0;
  T *y = (T *)p[0];
  const uint8_t *c = (const uint8_t *)p[1];
  const T *a = (const T *)p[2], *b = (const T *)p[3];
  if (plain && strides[2] && strides[3]) choose(n, y, c, a, 1, b, 1);
  else if (plain && strides[2]) choose(n, y, c, a, 1, b, 0);
  else if (plain && strides[3]) choose(n, y, c, a, 0, b, 1);
  else
    for (int64_t i = 0; i < n; i++)
      *(T *)(p[0] + i * strides[0]) =
        *(const T *)(c[i * strides[1]] ? p[2] + i * strides[2] : p[3] + i * strides[3]);
}

static inline void put(T *to, T x) { *to = x; }

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

#if !T_COMPLEX
#if T_FLOATING
#define IS_NAN(x) ((x) != (x))
#else
#define IS_NAN(x) false
#endif

/* nan stays, and wins. */
static inline void keep_larger(T *to, T x) { *to = x > *to || IS_NAN(x) ? x : *to; }
static inline void keep_smaller(T *to, T x) { *to = x < *to || IS_NAN(x) ? x : *to; }
#endif

/* ------------------------------------------------------------------- lines */

/* One of the two axes, the lines or their steps: strides by which index, from and to move along it. */
typedef struct Axis { int64_t n, index, from, to; } Axis;

static inline int64_t offset_at(const char *index, int64_t step) { return (*(const int64_t *)index - 1) * step; }

#define LINE(name, combine)                                                                       \
  static void name##_line(int64_t n, const char *from, int64_t from_stride, char *to, int64_t to_stride) \
  {                                                                                               \
    if (from_stride == (int64_t)sizeof(T) && to_stride == (int64_t)sizeof(T))                     \
      for (int64_t i = 0; i < n; i++) combine((T *)to + i, ((const T *)from)[i]);                 \
    else                                                                                          \
      for (int64_t i = 0; i < n; i++)                                                             \
        combine((T *)(to + i * to_stride), *(const T *)(from + i * from_stride));                 \
  }
LINE(put, put)
LINE(add, add_to)
LINE(multiply, multiply_by)
#if !T_COMPLEX
LINE(max, keep_larger)
LINE(min, keep_smaller)
#endif

/* Along an axis where positions differ. */
static void gather_line(const Axis *a, const char *index, const char *from, int64_t step, char *to)
{
  if (a->index == sizeof(int64_t) && a->to == sizeof(T) && a->from == 0 && step == sizeof(T))
    for (int64_t i = 0; i < a->n; i++) ((T *)to)[i] = ((const T *)from)[((const int64_t *)index)[i] - 1];
  else
    for (int64_t i = 0; i < a->n; i++)
      *(T *)(to + i * a->to) = *(const T *)(from + i * a->from + offset_at(index + i * a->index, step));
}

static void gather_lines(const IndexedLines *l)
{
  Axis lines = {l->n, l->index_line, l->from_line, l->to_line}, steps = {l->count, l->index_step, 0, l->to_step};
  bool across = l->n > 1 && l->to_line < l->to_step; /* the inner loop writes elements side by side */
  Axis outer = across ? steps : lines, inner = across ? lines : steps;
  for (int64_t i = 0; i < outer.n; i++) {
    const char *index = l->index + i * outer.index, *from = l->from + i * outer.from;
    char *to = l->to + i * outer.to;
    if (inner.index == 0) put_line(inner.n, from + offset_at(index, l->from_step), inner.from, to, inner.to);
    else gather_line(&inner, index, from, l->from_step, to);
  }
}

#define SCATTER(name, combine)                                                                    \
  static void name##_lines(const IndexedLines *l)                                                 \
  {                                                                                               \
    Axis lines = {l->n, l->index_line, l->from_line, l->to_line};                                 \
    Axis steps = {l->count, l->index_step, l->from_step, 0};                                      \
    bool across = l->n > 1 && l->to_line < l->to_step;                                            \
    Axis outer = across ? steps : lines, inner = across ? lines : steps;                          \
    for (int64_t i = 0; i < outer.n; i++) {                                                       \
      const char *index = l->index + i * outer.index, *from = l->from + i * outer.from;           \
      char *to = l->to + i * outer.to;                                                            \
      if (inner.index == 0) {                                                                     \
        name##_line(inner.n, from, inner.from, to + offset_at(index, l->to_step), inner.to);      \
        continue;                                                                                 \
      }                                                                                           \
      for (int64_t j = 0; j < inner.n; j++)                                                       \
        combine((T *)(to + j * inner.to + offset_at(index + j * inner.index, l->to_step)),        \
                *(const T *)(from + j * inner.from));                                             \
    }                                                                                             \
  }
SCATTER(put, put)
SCATTER(add, add_to)
SCATTER(multiply, multiply_by)
#if !T_COMPLEX
SCATTER(max, keep_larger)
SCATTER(min, keep_smaller)
#endif

/* --------------------------------------------------------------- positions */

#if T_i64
/* A position p is within when neither p - 1 nor size - p is negative: the sign of both is looked at for all at once. */
static bool positions_within(int64_t n, const int64_t *positions, int64_t size)
{
  uint64_t signs = 0;
  for (int64_t i = 0; i < n; i++) {
    uint64_t p = (uint64_t)positions[i];
    signs |= (p - 1) | ((uint64_t)size - p);
  }
  return (int64_t)signs >= 0;
}
#endif

void TYPED(fill_moves)(MoveKernels *t);
void TYPED(fill_moves)(MoveKernels *t)
{
  t->fill = fill_elements;
  t->where = where_elements;
  t->gather = gather_lines;
  t->scatter = put_lines;
  t->scatter_add = add_lines;
  t->scatter_multiply = multiply_lines;
#if !T_COMPLEX
  t->scatter_max = max_lines;
  t->scatter_min = min_lines;
#endif
#if T_i64
  t->positions_within = positions_within;
#endif
}
