/* The rows expanded: argument structs, prototypes, and how C code calls an op. */
#ifndef NNLUA_OPS_OPS_H
#define NNLUA_OPS_OPS_H

#include "ops/op.h"

/*
 * op(sum, x, dims, false, DTYPE_NONE) runs the row `sum` in the scope of the variable `call` and
 * gives its result (Tensors for rows of several results); a forgotten argument is a compile error.
 * op_(copy_, x, y) runs the in-place form.
 */
#define op(row, ...) op_##row(call, &(struct row##_args){__VA_ARGS__})
#define op_(row, ...) op_inplace_##row(call, &(struct row##_args){__VA_ARGS__})

#define NO_PARAMS

/* pass 1: argument structs */
#include "ops/rows_undefined.h"
#define UNARY(row, class, forms, params, ...) struct row##_args { Tensor *x; params };
#define BINARY(row, name, class, forms, params, ...) struct row##_args { Tensor *a, *b; params };
#define TERNARY(row, name_b, name_c, class, forms, params, ...) struct row##_args { Tensor *a, *b, *c; params };
#define OP(row, name, forms, results, args, ...) struct row##_args { args };
#define OP_PLAIN(row, name, forms, results, args, ...) struct row##_args { args };
#define COMPOSED(row, name, forms, results, args, ...) struct row##_args { args };
#define TENSOR(name) Tensor *name;
#define OPT_TENSOR(name) Tensor *name;
#define POSITION_TENSOR(name) Tensor *name;
#define TENSORS(name) Tensors name;
#define OPERAND(name) Tensor *name;
#define SCALAR(name, dflt) Scalar name;
#define INT(name, dflt) int64_t name;
#define REAL(name, dflt) double name;
#define BOOL(name, dflt) bool name;
#define STRING(name, dflt) const char *name;
#define SIZE(name, dflt) Ints name;
#define DIM(name, dflt) int64_t name;
#define DIMS(name, dflt) Ints name;
#define INTLIST(name, dflt) Ints name;
#define EXTENTS(name, dflt) Ints name;
#define DIM_PAIR(name) Ints name;
#define NUMBERS(name, dflt) Numbers name;
#define POSITION(name, dflt) int64_t name;
#define TYPE(name, dflt) DType name;
#define DEVICE(name) Device name;
#define GENERATOR(name) Generator *name;
#include "ops/all.def"

/* pass 2: numbers and prototypes */
#include "ops/rows_undefined.h"
#define UNARY(row, ...) OP_ID_##row,
#define BINARY(row, ...) OP_ID_##row,
#define TERNARY(row, ...) OP_ID_##row,
#define OP(row, ...) OP_ID_##row,
#define OP_PLAIN(row, ...) OP_ID_##row,
#define COMPOSED(row, ...) OP_ID_##row,
enum {
#include "ops/all.def"
  OP_COUNT
};

#define RETURN_ONE Tensor *
#define RETURN_TWO Tensors
#define RETURN_THREE Tensors
#define RETURN_LIST Tensors
#include "ops/rows_undefined.h"
#define POINTWISE_PROTOTYPES(row)                           \
  Tensor *op_##row(Call *call, const struct row##_args *a); \
  Tensor *op_inplace_##row(Call *call, const struct row##_args *a);
#define UNARY(row, ...) POINTWISE_PROTOTYPES(row)
#define BINARY(row, ...) POINTWISE_PROTOTYPES(row)
#define TERNARY(row, ...) POINTWISE_PROTOTYPES(row)
#define OP(row, name, forms, results, args, saves, ...)                     \
  RETURN_##results op_##row(Call *call, const struct row##_args *a);        \
  RETURN_##results op_inplace_##row(Call *call, const struct row##_args *a); \
  void row##_forward(Call *call, const void *args_, Tensor **y);            \
  void row##_backward(Call *call, const void *args_, Tensor *const *y, Tensor *const *dy, struct Gradients *g);
#define OP_PLAIN(row, name, forms, results, args, ...)                      \
  RETURN_##results op_##row(Call *call, const struct row##_args *a);        \
  RETURN_##results op_inplace_##row(Call *call, const struct row##_args *a); \
  void row##_forward(Call *call, const void *args_, Tensor **y);
#define COMPOSED OP_PLAIN
#include "ops/all.def"
#include "ops/rows_undefined.h"

#define OP_OF(row) (&op_table[OP_ID_##row])

/*
 * FORWARD(row) {…} and BACKWARD(row) {…} define a row's functions. Inside: call, the arguments a,
 * the results y (to be set by a forward), and in a backward the results' gradients dy (NULL where
 * none arrived). A composed row has a FORWARD only, whose body calls ops.
 */
#define FORWARD(row)                                                                  \
  static void row##_forward_typed(Call *call, const struct row##_args *a, Tensor **y); \
  void row##_forward(Call *call, const void *args_, Tensor **y)                       \
  {                                                                                   \
    row##_forward_typed(call, args_, y);                                              \
  }                                                                                   \
  static void row##_forward_typed(UNUSED Call *call, UNUSED const struct row##_args *a, UNUSED Tensor **y)

#define BACKWARD(row)                                                                                  \
  static void row##_backward_typed(Call *call, const struct row##_args *a, Tensor *const *y,           \
                                   Tensor *const *dy, struct Gradients *g);                            \
  void row##_backward(Call *call, const void *args_, Tensor *const *y, Tensor *const *dy,              \
                      struct Gradients *g)                                                             \
  {                                                                                                    \
    row##_backward_typed(call, args_, y, dy, g);                                                       \
  }                                                                                                    \
  static void row##_backward_typed(UNUSED Call *call, UNUSED const struct row##_args *a, UNUSED Tensor *const *y, \
                                   UNUSED Tensor *const *dy, struct Gradients *g)
#define UNUSED __attribute__((unused))

/* In a backward: whether an argument's gradient is wanted, and where it goes. */
#define WANTS(arg) gradient_wanted(g, offsetof(__typeof__(*a), arg), 0)
#define GRAD(arg) (*gradient_place(g, offsetof(__typeof__(*a), arg), 0))
#define WANTS_OF(arg, i) gradient_wanted(g, offsetof(__typeof__(*a), arg), i)
#define GRAD_OF(arg, i) (*gradient_place(g, offsetof(__typeof__(*a), arg), i))
bool gradient_wanted(const struct Gradients *g, size_t offset, int64_t i);
Tensor **gradient_place(struct Gradients *g, size_t offset, int64_t i);

/* A number as an operand. */
#define number(value) tensor_from_number(call, scalar_float(value))

#endif
