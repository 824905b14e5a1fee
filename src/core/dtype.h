/* The element types of tensors and how they promote, as PyTorch's do. */
#ifndef NNLUA_CORE_DTYPE_H
#define NNLUA_CORE_DTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum DType {
  DTYPE_NONE = -1, /* an optional dtype that was not given */
#define DTYPE(suffix, ...) DTYPE_##suffix,
#include "core/dtypes.def"
#undef DTYPE
  DTYPE_COUNT
} DType;

/* Categories in order: a value of a higher one decides the result's dtype. */
typedef enum DTypeCategory { CATEGORY_BOOL, CATEGORY_INTEGRAL, CATEGORY_FLOATING, CATEGORY_COMPLEX } DTypeCategory;

typedef struct DTypeInfo {
  const char *name; /* "float32" */
  uint8_t size;     /* bytes of a block */
  uint8_t category;
  uint8_t block;   /* values in a block, the smallest part along the last dimension; 1 of all dtypes so far */
  uint8_t compute; /* the dtype that kernels compute in */
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
/* The dtype that kernels compute in: the type itself if it has kernels of its own, float32 for the halves. */
static inline DType dtype_compute(DType d) { return (DType)dtype_table[d].compute; }
/* The bytes of n values side by side, which are whole blocks. */
static inline size_t dtype_bytes(DType d, size_t n) { return n / dtype_table[d].block * dtype_table[d].size; }

/* The smallest dtype that holds both, by PyTorch's table. */
DType dtype_promote(DType a, DType b);

/* The complex dtype of a floating one's precision. */
DType dtype_to_complex(DType d);

/* The real dtype of a complex one's parts; any other dtype itself. */
DType dtype_to_real(DType d);

/* A number rounded to a floating dtype; to any other it is not rounded. */
double dtype_rounded(DType d, double x);

/* The largest finite number of a floating dtype, or of the parts of a complex one. */
double dtype_largest(DType d);

/* Whether a result of dtype `from` may be stored in place in `to` (never down a category). */
static inline bool dtype_can_cast(DType from, DType to)
{
  return dtype_category(from) <= dtype_category(to)
         || (dtype_category(from) == CATEGORY_INTEGRAL && dtype_is_integral(to));
}

#endif
