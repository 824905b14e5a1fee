/* A number outside of tensors: its kind takes part in promotion, and an integer keeps all its bits. */
#ifndef NNLUA_CORE_SCALAR_H
#define NNLUA_CORE_SCALAR_H

#include "core/dtype.h"

typedef enum ScalarKind {
  SCALAR_NONE, /* an optional scalar that was not given */
  SCALAR_BOOL,
  SCALAR_INT,
  SCALAR_FLOAT,
  SCALAR_COMPLEX
} ScalarKind;

typedef struct Scalar {
  ScalarKind kind;
  int64_t i; /* BOOL and INT */
  double re; /* FLOAT and COMPLEX */
  double im;
} Scalar;

#define NO_SCALAR ((Scalar){SCALAR_NONE, 0, 0, 0})

static inline Scalar scalar_bool(bool b) { return (Scalar){SCALAR_BOOL, b, 0, 0}; }
static inline Scalar scalar_int(int64_t i) { return (Scalar){SCALAR_INT, i, 0, 0}; }
static inline Scalar scalar_float(double f) { return (Scalar){SCALAR_FLOAT, 0, f, 0}; }
static inline Scalar scalar_complex(double re, double im) { return (Scalar){SCALAR_COMPLEX, 0, re, im}; }

/* The real part as a double. */
static inline double scalar_real(Scalar s) { return s.kind <= SCALAR_INT ? (double)s.i : s.re; }

/* As an integer; a float is truncated, out of range saturates. */
int64_t scalar_integer(Scalar s);

/* The number that a row's text says: "1", "0.01", "true"; none for "NONE" and "REQUIRED". */
Scalar scalar_from_text(const char *text);

/* Whether two scalars are the same number. */
bool scalar_equals(Scalar s, double value);

/* The dtype a scalar brings into promotion, before the default dtype is applied to floats. */
DType scalar_dtype(Scalar s, DType default_float);

/* Whether a dtype can hold a number: an integer dtype has limits and no nan, and only a complex one complex numbers. */
bool scalar_fits(Scalar v, DType dtype);

/* Writes the scalar as one element of a dtype. */
void scalar_store(Scalar s, DType dtype, void *element);

/* Reads one element of a dtype. */
Scalar scalar_load(DType dtype, const void *element);

#endif
