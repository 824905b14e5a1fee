/* The formulas and derivatives of the pointwise rows as contiguous loops over T. */
#include "kernels/typed/typed.h"

#define NO_PARAMS

#if T_COMPLEX
#if T_c64
#define CONJ(x) conjf(x)
#else
#define CONJ(x) conj(x)
#endif
#define EXP(x) LIBM(exp)(x)
#define LOG(x) LIBM(log)(x)
#define TANH(x) LIBM(tanh)(x)
#define SIGMOID(x) (1 / (1 + EXP(-(x))))
#define SIN(x) LIBM(sin)(x)
#define COS(x) LIBM(cos)(x)
#define SQRT(x) LIBM(sqrt)(x)
#define ABS(x) LIBM(abs)(x) /* a real number */
#define POW(a, b) LIBM(pow)(a, b)
#elif T_FLOATING
#define CONJ(x) (x)
#define EXP(x) MATH(exp)(x)
#define LOG(x) MATH(log)(x)
#define TANH(x) MATH(tanh)(x)
#define SIGMOID(x) MATH(sigmoid)(x)
#define SIN(x) MATH(sin)(x)
#define COS(x) MATH(cos)(x)
#define SQRT(x) LIBM(sqrt)(x)
#define ABS(x) LIBM(fabs)(x)
#define LOG1P(x) MATH(log1p)(x) /* from here on of real numbers only */
#define EXPM1(x) MATH(expm1)(x)
#define ERF(x) MATH(erf)(x)
#define POW(a, b) LIBM(pow)(a, b)
#define TRUNC_DIV(a, b) LIBM(trunc)((a) / (b))
#define FLOOR_DIV(a, b) floor_div(a, b)

/* The quotient rounded down, by way of the remainder so that it agrees with it (Python's divmod). */
static inline T floor_div(T a, T b)
{
  if (b == 0) return a / b;
  T rest = LIBM(fmod)(a, b), quotient = (a - rest) / b;
  if (rest != 0 && (b < 0) != (rest < 0)) quotient -= 1;
  if (quotient == 0) return LIBM(copysign)(0, a / b);
  T down = LIBM(floor)(quotient);
  return quotient - down > (T)0.5 ? down + 1 : down;
}
#else
#define CONJ(x) (x)
#define ABS(x) ((x) < 0 ? -(x) : (x))
#define POW(a, b) integer_pow(a, b)
#define TRUNC_DIV(a, b) trunc_div(a, b)
#define FLOOR_DIV(a, b) floor_div(a, b)

/* Overflow wraps; a negative exponent gives 0 but for the bases 1 and -1, as in PyTorch. */
static inline T integer_pow(T a, T b)
{
  uint64_t result = 1, base = (uint64_t)a;
  if (b < 0) return a == 1 ? 1 : a == (T)-1 ? (T)(b % 2 ? a : 1) : 0;
  for (uint64_t n = (uint64_t)b; n; n >>= 1, base *= base)
    if (n & 1) result *= base;
  return (T)result;
}

/* The op has checked that no divisor is 0; the most negative number by -1 wraps. */
static inline T trunc_div(T a, T b) { return b == (T)-1 && (T)-1 < 0 ? (T)(0 - (uint64_t)a) : (T)(a / b); }

static inline T floor_div(T a, T b)
{
  T quotient = trunc_div(a, b);
  return (T)(quotient - (a % (b == (T)-1 ? 1 : b) != 0 && (a < 0) != (b < 0)));
}
#endif

#define SELECT(c, a, b) ((c) ? (a) : (b))
#define NO_GRAD 0

/* Of a class of rows: TAKEN(class)(code) is code if there are kernels for T, DERIVED(class)(code) if these have
   derivatives; the kernels' result type, and their place in the table. */
#include "ops/classes.def"
#if T_BOOL
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
#define DERIVED_GIVES_BOOL NO
#define RESULT(class) JOIN(RESULT_, APPLY(RESULT_COLUMN, CLASS_##class))
#define RESULT_KEEPS T
#define RESULT_GIVES_BOOL bool
#define SLOT(class) JOIN(SLOT_, APPLY(RESULT_COLUMN, CLASS_##class))
#define SLOT_KEEPS forward
#define SLOT_GIVES_BOOL comparison

#define UNUSED __attribute__((unused))
#define VECTOR _Pragma("GCC ivdep")
#define NEXT_PARAM scalar_as_T(*params++)

#define LOOP(name, Y, params_of_row, loads, formula)                                             \
  static void name(int64_t n, char *const *p, const Scalar *params)                              \
  {                                                                                              \
    (void)params;                                                                                \
    Y *out = (Y *)p[0];                                                                          \
    params_of_row                                                                                \
    VECTOR for (int64_t i = 0; i < n; i++) {                                                     \
      loads                                                                                      \
      out[i] = (Y)(formula);                                                                     \
    }                                                                                            \
  }
#define LOAD(name, place) UNUSED const T name = ((const T *)p[place])[i];

#include "ops/rows_undefined.h"
#define SCALAR(name, dflt) UNUSED const T name = NEXT_PARAM;
#define UNARY(row, class, forms, params, formula, dx, doc)                                             \
  TAKEN(class)(LOOP(row##_loop, RESULT(class), params, LOAD(x, 1), formula)                            \
    DERIVED(class)(LOOP(row##_dx, T, params, LOAD(dy, 1) LOAD(x, 2) LOAD(y, 3), dx)))
#define BINARY(row, name, class, forms, params, formula, da, db, doc)                                  \
  TAKEN(class)(LOOP(row##_loop, RESULT(class), params, LOAD(a, 1) LOAD(b, 2), formula)                 \
    DERIVED(class)(LOOP(row##_da, T, params, LOADS_OF_2, da) LOOP(row##_db, T, params, LOADS_OF_2, db)))
#define LOADS_OF_2 LOAD(dy, 1) LOAD(a, 2) LOAD(b, 3) LOAD(y, 4)
#define TERNARY(row, name_b, name_c, class, forms, params, formula, da, db, dc, doc)                   \
  TAKEN(class)(LOOP(row##_loop, RESULT(class), params, LOAD(a, 1) LOAD(b, 2) LOAD(c, 3), formula)      \
    DERIVED(class)(LOOP(row##_da, T, params, LOADS_OF_3, da) LOOP(row##_db, T, params, LOADS_OF_3, db) \
                   LOOP(row##_dc, T, params, LOADS_OF_3, dc)))
#define LOADS_OF_3 LOAD(dy, 1) LOAD(a, 2) LOAD(b, 3) LOAD(c, 4) LOAD(y, 5)
#include "ops/pointwise.def"

void TYPED(fill_pointwise)(KernelTable *t);
void TYPED(fill_pointwise)(KernelTable *t)
{
#include "ops/rows_undefined.h"
#define ENTER(class, row, ...) TAKEN(class)(ENTER_(SLOT(class), row) DERIVED(class)(__VA_ARGS__))
#define ENTER_(slot, row) ENTER_ROW(slot, row)
#define ENTER_ROW(slot, row) t->slot[PW_##row] = row##_loop;
#define ENTER_DERIVATIVE(row, i, name) t->backward[PW_##row][i] = row##_##name;
#define UNARY(row, class, ...) ENTER(class, row, ENTER_DERIVATIVE(row, 0, dx))
#define BINARY(row, name, class, ...) ENTER(class, row, ENTER_DERIVATIVE(row, 0, da) ENTER_DERIVATIVE(row, 1, db))
#define TERNARY(row, name_b, name_c, class, ...) \
  ENTER(class, row, ENTER_DERIVATIVE(row, 0, da) ENTER_DERIVATIVE(row, 1, db) ENTER_DERIVATIVE(row, 2, dc))
#include "ops/pointwise.def"
#include "ops/rows_undefined.h"
}
