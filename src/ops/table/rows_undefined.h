/* Every pass over the rows starts from here and defines what it needs. No include guard: used many times. */
#undef UNARY
#undef BINARY
#undef TERNARY
#undef OP
#undef COMPOSED
#undef OP_PLAIN
#undef POINTWISE_FAMILY
#define POINTWISE_FAMILY(name)
#undef POINTWISE_ROWS
#define POINTWISE_ROWS(file) file

#undef ARGUMENT /* of ops/table/arguments.def, which a pass over arguments includes */
#undef SCALAR   /* the kernels make their own of those that pointwise rows have */
#undef BOOL
