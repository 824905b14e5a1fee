/* The element types of tensors and how they promote, as PyTorch's do. */
#ifndef NNLUA_CORE_DTYPE_H
#define NNLUA_CORE_DTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* DTYPE(suffix of kernels, public name, C type of an element, category) in order of promotion. */
#define DTYPES(DTYPE)                        \
  DTYPE(b8, bool, bool, BOOL)                \
  DTYPE(u8, uint8, uint8_t, INTEGRAL)        \
  DTYPE(i8, int8, int8_t, INTEGRAL)          \
  DTYPE(i16, int16, int16_t, INTEGRAL)       \
  DTYPE(i32, int32, int32_t, INTEGRAL)       \
  DTYPE(i64, int64, int64_t, INTEGRAL)       \
  DTYPE(f16, float16, uint16_t, FLOATING)    \
  DTYPE(bf16, bfloat16, uint16_t, FLOATING)  \
  DTYPE(f32, float32, float, FLOATING)       \
  DTYPE(f64, float64, double, FLOATING)      \
  DTYPE(c64, complex64, float _Complex, COMPLEX) \
  DTYPE(c128, complex128, double _Complex, COMPLEX)

typedef enum DType {
  DTYPE_NONE = -1, /* an optional dtype that was not given */
#define DTYPE_NUMBER(suffix, name, type, category) DTYPE_##suffix,
  DTYPES(DTYPE_NUMBER)
#undef DTYPE_NUMBER
  DTYPE_COUNT
} DType;

/* Categories in order: a value of a higher one decides the result's dtype. */
typedef enum DTypeCategory {
  CATEGORY_BOOL, CATEGORY_INTEGRAL, CATEGORY_FLOATING, CATEGORY_COMPLEX
} DTypeCategory;

typedef struct DTypeInfo {
  const char *name; /* "float32" */
  uint8_t size;     /* bytes of an element */
  uint8_t category;
} DTypeInfo;

extern const DTypeInfo dtype_table[DTYPE_COUNT];

static inline const char *dtype_name(DType d) { return dtype_table[d].name; }
static inline size_t dtype_size(DType d) { return dtype_table[d].size; }
static inline DTypeCategory dtype_category(DType d) { return (DTypeCategory)dtype_table[d].category; }
static inline bool dtype_is_floating(DType d) { return dtype_category(d) == CATEGORY_FLOATING; }
static inline bool dtype_is_complex(DType d) { return dtype_category(d) == CATEGORY_COMPLEX; }
/* Whether gradients can flow through the type. */
static inline bool dtype_is_inexact(DType d) { return dtype_category(d) >= CATEGORY_FLOATING; }
/* Integers, bool excluded. */
static inline bool dtype_is_integral(DType d) { return dtype_category(d) == CATEGORY_INTEGRAL; }
static inline bool dtype_is_half(DType d) { return d == DTYPE_f16 || d == DTYPE_bf16; }

/* The dtype that kernels run in for a dtype's elements: float32 for the halves, which have none of their own. */
static inline DType dtype_compute(DType d) { return dtype_is_half(d) ? DTYPE_f32 : d; }

/* The smallest dtype that holds both, by PyTorch's table. */
DType dtype_promote(DType a, DType b);

/* The complex dtype of a floating one's precision. */
DType dtype_to_complex(DType d);

/* The real dtype of a complex one's parts; any other dtype itself. */
DType dtype_to_real(DType d);

/* Whether a result of dtype `from` may be stored in place in `to` (never down a category). */
static inline bool dtype_can_cast(DType from, DType to)
{
  return dtype_category(from) <= dtype_category(to)
         || (dtype_category(from) == CATEGORY_INTEGRAL && dtype_is_integral(to));
}

#endif
