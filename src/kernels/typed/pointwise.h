/*
 * A family of pointwise rows as contiguous loops over T, formulas and derivatives. A family's file defines ROWS, the
 * name of its rows' file, FAMILY, its own name, MADE_OF_FUNCTIONS as 1 if its formulas are functions of floats that
 * typed/vector_math.h has, and IN_DOUBLES_ONLY as 1 if floats are computed in double, and includes this.
 *
 * Such a family's formulas are compiled for vectors of floats; for other types, and in other families, for elements,
 * of which the compiler makes vectors.
 */
#include "kernels/pointwise.h"
#if T_FLOATING && MADE_OF_FUNCTIONS
#include "kernels/typed/vector_functions.h"
#define BY_VECTORS 1
#else
#include "kernels/typed/functions.h"
#define BY_VECTORS 0
#endif

#define NO_PARAMS

/* Of a class of rows: TAKEN(class)(code) is code if there are kernels for T, DERIVED(class)(code) if these have
   derivatives; KERNEL(class, name) and DERIVATIVE(class, name) are name then, else NULL; the kernels' result type. */
#include "ops/table/classes.def"
#if T_f32 && IN_DOUBLES_ONLY
#define COLUMN(bools, integers, floatings, complexes, result) REFUSES
#elif T_BOOL
#define COLUMN(bools, integers, floatings, complexes, result) bools
#elif T_FLOATING
#define COLUMN(bools, integers, floatings, complexes, result) floatings
#elif T_COMPLEX
#define COLUMN(bools, integers, floatings, complexes, result) complexes
#else
#define COLUMN(bools, integers, floatings, complexes, result) integers
#endif
#define RESULT_COLUMN(bools, integers, floatings, complexes, result) result
#define APPLY(f, ...) f(__VA_ARGS__)
#define JOIN(a, b) JOIN_(a, b)
#define JOIN_(a, b) a##b
#define YES(...) __VA_ARGS__
#define NO(...)

#define TAKEN(class) JOIN(IF_, APPLY(COLUMN, CLASS_##class))
#define IF_TAKES YES
#define IF_WIDENS NO
#define IF_REFUSES NO
#define DERIVED(class) JOIN(DERIVED_, APPLY(RESULT_COLUMN, CLASS_##class))
#if T_FLOATING || T_COMPLEX
#define DERIVED_KEEPS YES
#else
#define DERIVED_KEEPS NO
#endif
#define DERIVED_GIVES_REAL DERIVED_KEEPS
#define DERIVED_GIVES_BOOL NO
#define RESULT(class) JOIN(RESULT_, APPLY(RESULT_COLUMN, CLASS_##class))
#define RESULT_KEEPS T
#define RESULT_GIVES_REAL Real
#define RESULT_GIVES_BOOL bool
#define KERNEL(class, name) JOIN(OR_NULL_, TAKEN(class))(name)
#define DERIVATIVE(class, name) JOIN(OR_NULL_, TAKEN(class))(JOIN(OR_NULL_, DERIVED(class))(name))
#define OR_NULL_YES(name) name
#define OR_NULL_NO(name) NULL
#define ROWS_OF(family) ROWS_OF_(family)
#define ROWS_OF_(family) TYPED(family##_rows)

#define UNUSED __attribute__((unused))
#if defined __clang__
#define VECTOR _Pragma("clang loop vectorize(assume_safety)")
#else
#define VECTOR _Pragma("GCC ivdep")
#endif
#define NEXT_PARAM scalar_as_T(*params++)

#if BY_VECTORS
/* A vector at i, or the lanes that are left there, beside numbers that no function finds odd. */
INLINE Vector load_at(bool full, const void *p, int64_t i, Lanes lanes, int left)
{
  return full ? load((const T *)p + i) : load_first_or((const T *)p + i, lanes, left, 1);
}

INLINE void store_at(bool full, T *p, int64_t i, Lanes lanes, int left, Vector v)
{
  if (full) store(p + i, v);
  else store_first(p + i, lanes, left, v);
}

#define LOAD(name, place) UNUSED const Vector name = load_at(FULL, p[place], i, lanes, left);
#define STORE(out, formula) store_at(FULL, out, i, lanes, left, AS_VECTOR(formula));
/* All full vectors, and what is left. */
#define VECTORS(body)                   \
  int64_t i = 0;                        \
  for (; i + V <= n; i += V) {          \
    enum { FULL = 1 };                  \
    const int left = V;                 \
    const Lanes lanes = lanes_of(V);    \
    (void)left, (void)lanes;            \
    body                                \
  }                                     \
  if (i < n) {                          \
    enum { FULL = 0 };                  \
    const int left = (int)(n - i);      \
    const Lanes lanes = lanes_of(left); \
    body                                \
  }
#define LOOP(name, Y, params_of_row, loads, formula)                \
  static void name(int64_t n, char *const *p, const Scalar *params) \
  {                                                                 \
    (void)params;                                                   \
    T *out = (T *)p[0];                                             \
    params_of_row VECTORS(loads STORE(out, formula))                \
  }
#define LOOP_OF_BOTH(name, params_of_row, loads, da, db)            \
  static void name(int64_t n, char *const *p, const Scalar *params) \
  {                                                                 \
    (void)params;                                                   \
    T *out_a = (T *)p[0], *out_b = (T *)p[5];                       \
    params_of_row VECTORS(loads STORE(out_a, da) STORE(out_b, db))  \
  }
#else
#define LOOP(name, Y, params_of_row, loads, formula)                                      \
  static void name(int64_t n, char *const *p, const Scalar *params)                       \
  {                                                                                       \
    (void)params;                                                                         \
    Y *out = (Y *)p[0];                                                                   \
    params_of_row VECTOR for (int64_t i = 0; i < n; i++) { loads out[i] = (Y)(formula); } \
  }
/* The derivatives of a binary row in one pass. */
#define LOOP_OF_BOTH(name, params_of_row, loads, da, db)            \
  static void name(int64_t n, char *const *p, const Scalar *params) \
  {                                                                 \
    (void)params;                                                   \
    T *out_a = (T *)p[0], *out_b = (T *)p[5];                       \
    params_of_row VECTOR for (int64_t i = 0; i < n; i++)            \
    {                                                               \
      loads out_a[i] = (T)(da);                                     \
      out_b[i] = (T)(db);                                           \
    }                                                               \
  }
#define LOAD(name, place) UNUSED const T name = ((const T *)p[place])[i];
#endif

#include "ops/table/rows_undefined.h"
#define SCALAR(name, dflt) UNUSED const T name = NEXT_PARAM;
#define BOOL(name, dflt)
#define UNARY(row, class, forms, params, formula, dx, doc)      \
  TAKEN(class)                                                  \
  (LOOP(row##_loop, RESULT(class), params, LOAD(x, 1), formula) \
     DERIVED(class)(LOOP(row##_dx, T, params, LOAD(dy, 1) LOAD(x, 2) LOAD(y, 3), dx)))
#define BINARY(row, name, class, forms, params, formula, da, db, doc)                                   \
  TAKEN(class)                                                                                          \
  (LOOP(row##_loop, RESULT(class), params, LOAD(a, 1) LOAD(b, 2), formula)                              \
     DERIVED(class)(LOOP(row##_da, T, params, LOADS_OF_2, da) LOOP(row##_db, T, params, LOADS_OF_2, db) \
                      LOOP_OF_BOTH(row##_both, params, LOADS_OF_2, da, db)))
#define LOADS_OF_2 LOAD(dy, 1) LOAD(a, 2) LOAD(b, 3) LOAD(y, 4)
#define TERNARY(row, name_b, name_c, class, forms, params, formula, da, db, dc, doc)                    \
  TAKEN(class)                                                                                          \
  (LOOP(row##_loop, RESULT(class), params, LOAD(a, 1) LOAD(b, 2) LOAD(c, 3), formula)                   \
     DERIVED(class)(LOOP(row##_da, T, params, LOADS_OF_3, da) LOOP(row##_db, T, params, LOADS_OF_3, db) \
                      LOOP(row##_dc, T, params, LOADS_OF_3, dc)))
#define LOADS_OF_3 LOAD(dy, 1) LOAD(a, 2) LOAD(b, 3) LOAD(c, 4) LOAD(y, 5)
#include ROWS

/* The rows' kernels in their order; NULL where there are none. */
static const PointwiseKernels rows[] = {
#include "ops/table/rows_undefined.h"
#define UNARY(row, class, ...) {KERNEL(class, row##_loop), {DERIVATIVE(class, row##_dx)}, NULL},
#define BINARY(row, name, class, ...)                          \
  {KERNEL(class, row##_loop),                                  \
   {DERIVATIVE(class, row##_da), DERIVATIVE(class, row##_db)}, \
   DERIVATIVE(class, row##_both)},
#define TERNARY(row, name_b, name_c, class, ...)                                            \
  {KERNEL(class, row##_loop),                                                               \
   {DERIVATIVE(class, row##_da), DERIVATIVE(class, row##_db), DERIVATIVE(class, row##_dc)}, \
   NULL},
#include ROWS
#include "ops/table/rows_undefined.h"
};

const PointwiseKernels *ROWS_OF(FAMILY)(void) AT_START;
const PointwiseKernels *ROWS_OF(FAMILY)(void) { return rows; }
