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

#undef TENSOR
#undef OPT_TENSOR
#undef POSITION_TENSOR
#undef TENSORS
#undef OPERAND
#undef SCALAR
#undef INT
#undef REAL
#undef BOOL
#undef STRING
#undef SIZE
#undef DIM
#undef DIMS
#undef INTLIST
#undef EXTENTS
#undef DIM_PAIR
#undef NUMBERS
#undef POSITION
#undef TYPE
#undef DEVICE
#undef GENERATOR
