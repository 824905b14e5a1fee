/* The formulas and derivatives of the pointwise rows as contiguous loops over T. */
#include "kernels/typed/typed.h"

#define NO_PARAMS
#define CONJ_REAL(x) (x)

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
#define POW(a, b) LIBM(pow)(a, b)
#elif T_FLOATING
#define CONJ(x) (x)
#define EXP(x) MATH(exp)(x)
#define LOG(x) MATH(log)(x)
#define LOG1P(x) MATH(log1p)(x)
#define TANH(x) MATH(tanh)(x)
#define SIGMOID(x) MATH(sigmoid)(x)
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

/* Which classes of rows exist for T. */
#define YES(...) __VA_ARGS__
#define NO(...)
#define CLASS_NUMERIC YES
#define CLASS_COMPARE YES
#if T_BOOL
#define CLASS_NUMBER NO
#else
#define CLASS_NUMBER YES
#endif
#if T_BOOL || T_COMPLEX
#define CLASS_REAL NO
#else
#define CLASS_REAL YES
#endif
#if T_COMPLEX
#define CLASS_ORDER NO
#else
#define CLASS_ORDER YES
#endif
#if T_FLOATING
#define CLASS_FLOATING YES
#else
#define CLASS_FLOATING NO
#endif
#if T_FLOATING || T_COMPLEX
#define CLASS_FLOATS YES
#define WHERE_INEXACT YES
#else
#define CLASS_FLOATS NO
#define WHERE_INEXACT NO
#endif

/* Result types: comparisons give bool. */
#define RESULT_NUMERIC T
#define RESULT_NUMBER T
#define RESULT_REAL T
#define RESULT_FLOATING T
#define RESULT_FLOATS T
#define RESULT_COMPARE bool
#define RESULT_ORDER bool
#define SLOT_NUMERIC forward
#define SLOT_NUMBER forward
#define SLOT_REAL forward
#define SLOT_FLOATING forward
#define SLOT_FLOATS forward
#define SLOT_COMPARE comparison
#define SLOT_ORDER comparison
#define DIFFERENTIABLE_NUMERIC WHERE_INEXACT
#define DIFFERENTIABLE_NUMBER WHERE_INEXACT
#define DIFFERENTIABLE_FLOATING CLASS_FLOATING
#define DIFFERENTIABLE_REAL(...) WHERE_REAL_INEXACT(__VA_ARGS__)
#if T_FLOATING
#define WHERE_REAL_INEXACT YES
#else
#define WHERE_REAL_INEXACT NO
#endif
#define DIFFERENTIABLE_FLOATS WHERE_INEXACT
#define DIFFERENTIABLE_COMPARE NO
#define DIFFERENTIABLE_ORDER NO

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
#undef UNARY
#undef BINARY
#undef TERNARY
#define SCALAR(name, dflt) UNUSED const T name = NEXT_PARAM;
#define UNARY(row, class, forms, params, formula, dx, doc)                                      \
  CLASS_##class(LOOP(row##_loop, RESULT_##class, params, LOAD(x, 1), formula))                   \
  DIFFERENTIABLE_##class(LOOP(row##_dx, T, params, LOAD(dy, 1) LOAD(x, 2) LOAD(y, 3), dx))
#define BINARY(row, name, class, forms, params, formula, da, db, doc)                           \
  CLASS_##class(LOOP(row##_loop, RESULT_##class, params, LOAD(a, 1) LOAD(b, 2), formula))        \
  DIFFERENTIABLE_##class(LOOP(row##_da, T, params, LOAD(dy, 1) LOAD(a, 2) LOAD(b, 3) LOAD(y, 4), da) \
                         LOOP(row##_db, T, params, LOAD(dy, 1) LOAD(a, 2) LOAD(b, 3) LOAD(y, 4), db))
#include "ops/pointwise.def"

void TYPED(fill_pointwise)(KernelTable *t);
void TYPED(fill_pointwise)(KernelTable *t)
{
#include "ops/rows_undefined.h"
#undef UNARY
#undef BINARY
#undef TERNARY
#define ENTER_ROW(slot, row) ENTER_ROW_(slot, row)
#define ENTER_ROW_(slot, row) t->slot[PW_##row] = row##_loop;
#define UNARY(row, class, ...)                   \
  CLASS_##class(ENTER_ROW(SLOT_##class, row))    \
  DIFFERENTIABLE_##class(t->backward[PW_##row][0] = row##_dx;)
#define BINARY(row, name, class, ...)            \
  CLASS_##class(ENTER_ROW(SLOT_##class, row))    \
  DIFFERENTIABLE_##class(t->backward[PW_##row][0] = row##_da; t->backward[PW_##row][1] = row##_db;)
#include "ops/pointwise.def"
#include "ops/rows_undefined.h"
}
