/* Fills, choices, gathers and scatters. Those that only move elements serve any type of the size. */
#include "kernels/moves.h"
#include "kernels/typed/typed.h"

/* ------------------------------------------------------------------- moves */

/* to: [n], to_stride bytes apart */
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

/* p: y, cond, a, b, each [n]; strides in bytes */
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
      *(T *)(p[0] + i * strides[0]) = *(const T *)(c[i * strides[1]] ? p[2] + i * strides[2] : p[3] + i * strides[3]);
}

/* What becomes of an element where another one arrives; of equal ones of the last two, and nan: it stays, and wins. */
typedef enum Combine { PUT, ADD, MULTIPLY, KEEP_LARGER, KEEP_SMALLER } Combine;

#if T_FLOATING
#define IS_NAN(x) ((x) != (x))
#else
#define IS_NAN(x) false
#endif

/* `how` is a constant where this, and what calls it, is called, so that each call is a loop without tests. */
INLINE void combine(Combine how, T *to, T x)
{
  switch (how) {
    case PUT: *to = x; break;
#if T_BOOL
    case ADD: *to = *to || x; break;
    case MULTIPLY: *to = *to && x; break;
#elif T_INTEGRAL /* overflow wraps */
    case ADD: *to = (T)((uint64_t)*to + (uint64_t)x); break;
    case MULTIPLY: *to = (T)((uint64_t)*to * (uint64_t)x); break;
#else
    case ADD: *to += x; break;
    case MULTIPLY: *to *= x; break;
#endif
#if !T_COMPLEX
    case KEEP_LARGER: *to = (x > *to) | IS_NAN(x) ? x : *to; break; /* | as loops of it become vectors */
    case KEEP_SMALLER: *to = (x < *to) | IS_NAN(x) ? x : *to; break;
#else
    default: break; /* complex numbers have no order */
#endif
  }
}

/* ------------------------------------------------------------------- lines */

/* One of the two axes, the lines or their steps: strides by which index, from and to move along it. */
typedef struct Axis {
  int64_t n, index, from, to;
} Axis;

static inline int64_t offset_at(const char *index, int64_t step) { return (*(const int64_t *)index - 1) * step; }

INLINE void combine_line(Combine how, int64_t n, const char *from, int64_t from_stride, char *to, int64_t to_stride)
{
  bool dense = from_stride == (int64_t)sizeof(T) && to_stride == (int64_t)sizeof(T);
  if (dense && how == PUT) memcpy(to, from, (size_t)n * sizeof(T));
  else if (dense)
    for (int64_t i = 0; i < n; i++) combine(how, (T *)to + i, ((const T *)from)[i]);
  else
    for (int64_t i = 0; i < n; i++) combine(how, (T *)(to + i * to_stride), *(const T *)(from + i * from_stride));
}

/* Along an axis where positions differ. */
static void gather_line(const Axis *a, const char *index, const char *from, int64_t step, char *to)
{
  if (a->index == sizeof(int64_t) && a->to == sizeof(T) && a->from == 0 && step == sizeof(T))
    for (int64_t i = 0; i < a->n; i++) ((T *)to)[i] = ((const T *)from)[((const int64_t *)index)[i] - 1];
  else
    for (int64_t i = 0; i < a->n; i++)
      *(T *)(to + i * a->to) = *(const T *)(from + i * a->from + offset_at(index + i * a->index, step));
}

/* How much longer the loop over lines must be than that over their steps, to be the inner one though it writes far
   apart. */
enum { LINES_OF_ONE = 8 };

/* to[i][k] = from[i][index[i][k]], i < n, k < count */
static void gather_lines(const IndexedLines *l)
{
  Axis lines = {l->n, l->index_line, l->from_line, l->to_line}, steps = {l->count, l->index_step, 0, l->to_step};
  /* The inner loop writes elements side by side, unless a position that all lines share has more of them. */
  bool across = l->n > 1 && (l->to_line < l->to_step || (l->index_line == 0 && l->n > LINES_OF_ONE * l->count));
  Axis outer = across ? steps : lines, inner = across ? lines : steps;
  for (int64_t i = 0; i < outer.n; i++) {
    const char *index = l->index + i * outer.index, *from = l->from + i * outer.from;
    char *to = l->to + i * outer.to;
    if (inner.index == 0) combine_line(PUT, inner.n, from + offset_at(index, l->from_step), inner.from, to, inner.to);
    else gather_line(&inner, index, from, l->from_step, to);
  }
}

/* Along an axis where positions differ. */
INLINE void scatter_line(Combine how, const Axis *a, const char *index, const char *from, char *to, int64_t step)
{
  if (a->index == sizeof(int64_t) && a->to == 0 && step == sizeof(T))
    for (int64_t i = 0; i < a->n; i++, from += a->from)
      combine(how, (T *)to + ((const int64_t *)index)[i] - 1, *(const T *)from);
  else
    for (int64_t i = 0; i < a->n; i++)
      combine(how, (T *)(to + i * a->to + offset_at(index + i * a->index, step)), *(const T *)(from + i * a->from));
}

INLINE void scatter(Combine how, const IndexedLines *l)
{
  Axis lines = {l->n, l->index_line, l->from_line, l->to_line};
  Axis steps = {l->count, l->index_step, l->from_step, 0};
  bool across = l->n > 1 && l->to_line < l->to_step;
  Axis outer = across ? steps : lines, inner = across ? lines : steps;
  for (int64_t i = 0; i < outer.n; i++) {
    const char *index = l->index + i * outer.index, *from = l->from + i * outer.from;
    char *to = l->to + i * outer.to;
    if (inner.index == 0) combine_line(how, inner.n, from, inner.from, to + offset_at(index, l->to_step), inner.to);
    else scatter_line(how, &inner, index, from, to, l->to_step);
  }
}

static void put_lines(const IndexedLines *l) { scatter(PUT, l); }
static void add_lines(const IndexedLines *l) { scatter(ADD, l); }
static void multiply_lines(const IndexedLines *l) { scatter(MULTIPLY, l); }
#if !T_COMPLEX
static void max_lines(const IndexedLines *l) { scatter(KEEP_LARGER, l); }
static void min_lines(const IndexedLines *l) { scatter(KEEP_SMALLER, l); }
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

static void positions_range(int64_t n, const int64_t *positions, PositionRange *range)
{
  int64_t low = range->low, high = range->high;
  uint64_t zero = 0;
  for (int64_t i = 0; i < n; i++) {
    int64_t p = positions[i];
    low = p < low ? p : low;
    high = p > high ? p : high;
    zero |= p == 0;
  }
  *range = (PositionRange){low, high, range->zero || zero};
}
#endif

void TYPED(fill_moves)(MoveKernels *t) AT_START;
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
  t->positions_range = positions_range;
#endif
}
