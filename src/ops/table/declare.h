/*
 * A family's rows declared: argument structs and prototypes. A family's header defines ROWS, the name of the file of
 * its rows, and includes this; who calls an op of the family includes that header alone, so that a new row reaches
 * nobody else. No include guard: used once a family.
 */
#include "ops/table/ops.h"

#include "ops/table/rows_undefined.h"
#define UNARY(row, class, forms, params, ...) \
  struct row##_args {                         \
    Tensor *x;                                \
    params                                    \
  };
#define BINARY(row, name, class, forms, params, ...) \
  struct row##_args {                                \
    Tensor *a, *b;                                   \
    params                                           \
  };
#define TERNARY(row, name_b, name_c, class, forms, params, ...) \
  struct row##_args {                                           \
    Tensor *a, *b, *c;                                          \
    params                                                      \
  };
#define OP(row, name, forms, results, args, ...) \
  struct row##_args {                            \
    args                                         \
  };
#define OP_PLAIN(row, name, forms, results, args, ...) \
  struct row##_args {                                  \
    args                                               \
  };
#define COMPOSED(row, name, forms, results, args, ...) \
  struct row##_args {                                  \
    args                                               \
  };
#define ARGUMENT(kind, name, ...) Argument_##kind name;
#include "ops/table/arguments.def"
#include ROWS

#include "ops/table/rows_undefined.h"
#define UNARY(row, ...) POINTWISE_PROTOTYPES(row)
#define BINARY(row, ...) POINTWISE_PROTOTYPES(row)
#define TERNARY(row, ...) POINTWISE_PROTOTYPES(row)
#define OP(row, name, forms, results, args, saves, ...)                      \
  RETURN_##results op_##row(Call *call, const struct row##_args *a);         \
  RETURN_##results op_inplace_##row(Call *call, const struct row##_args *a); \
  void row##_forward(Call *call, const void *args_, Tensor **y);             \
  void row##_backward(Call *call, const void *args_, Tensor *const *y, Tensor *const *dy, struct Gradients *g);
#define OP_PLAIN(row, name, forms, results, args, ...)                       \
  RETURN_##results op_##row(Call *call, const struct row##_args *a);         \
  RETURN_##results op_inplace_##row(Call *call, const struct row##_args *a); \
  void row##_forward(Call *call, const void *args_, Tensor **y);
#define COMPOSED OP_PLAIN
#include ROWS
#include "ops/table/rows_undefined.h"
#undef ROWS
