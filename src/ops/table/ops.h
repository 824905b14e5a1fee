/* How C code calls an op, and how a family defines one. The rows themselves are declared by their families' headers. */
#ifndef NNLUA_OPS_TABLE_OPS_H
#define NNLUA_OPS_TABLE_OPS_H

#include "ops/table/op.h"

/*
 * op(sum, x, dims, false, DTYPE_NONE) runs the row `sum` in the scope of the variable `call` and
 * gives its result (Tensors for rows of several results); a forgotten argument is a compile error.
 * op_(copy_, x, y) runs the in-place form.
 */
#define op(row, ...) op_##row(call, &(struct row##_args){__VA_ARGS__})
#define op_(row, ...) op_inplace_##row(call, &(struct row##_args){__VA_ARGS__})

/* In a composed row, the op that gives its result: in place if the row's first tensor is changed in place, and is the
   op's first one, too. Nothing may be read of it afterwards. */
#define op_last(row, ...) \
  (is_overwritten(call, FIRST_OF(__VA_ARGS__, 0)) ? op_(row, __VA_ARGS__) : op(row, __VA_ARGS__))
#define FIRST_OF(first, ...) first

static inline bool is_overwritten(const Call *call, const struct Tensor *t)
{
  return call->last_into && t == call->last_into;
}

#define NO_PARAMS

#define RETURN_ONE Tensor *
#define RETURN_TWO Tensors
#define RETURN_THREE Tensors
#define RETURN_LIST Tensors
#define POINTWISE_PROTOTYPES(row)                           \
  Tensor *op_##row(Call *call, const struct row##_args *a); \
  Tensor *op_inplace_##row(Call *call, const struct row##_args *a);

/*
 * FORWARD(row) {…} and BACKWARD(row) {…} define a row's functions. Inside: call, the arguments a,
 * the results y (to be set by a forward), and in a backward the results' gradients dy (NULL where
 * none arrived). A composed row has a FORWARD only, whose body calls ops.
 */
#define FORWARD(row)                                                                                     \
  static void row##_forward_typed(Call *call, const struct row##_args *a, Tensor **y);                   \
  void row##_forward(Call *call, const void *args_, Tensor **y) { row##_forward_typed(call, args_, y); } \
  static void row##_forward_typed(UNUSED Call *call, UNUSED const struct row##_args *a, UNUSED Tensor **y)

#define BACKWARD(row)                                                                                             \
  static void row##_backward_typed(Call *call, const struct row##_args *a, Tensor *const *y, Tensor *const *dy,   \
                                   struct Gradients *g);                                                          \
  void row##_backward(Call *call, const void *args_, Tensor *const *y, Tensor *const *dy, struct Gradients *g)    \
  {                                                                                                               \
    row##_backward_typed(call, args_, y, dy, g);                                                                  \
  }                                                                                                               \
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
