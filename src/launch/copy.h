/* Copies and fills of tensors of any strides and dtypes. */
#ifndef NNLUA_LAUNCH_COPY_H
#define NNLUA_LAUNCH_COPY_H

#include "core/scalar.h"
#include "core/tensor.h"

/* Copies with a cast: to takes the elements of from, which broadcasts to it; they may overlap. */
void launch_copy(Call *call, Tensor *to, const Tensor *from);

/* Raises if a dtype can't hold a number: complex ones among real ones, integers beyond its limits. */
void check_number_fits(Call *call, Scalar number, DType dtype);

/* The same for a value that is a number, or a tensor: of that only a complex one is refused. */
void check_value_fits(Call *call, const Tensor *value, DType dtype);

/* Fills all elements with a number; raises if their dtype can't hold it. */
void launch_fill(Call *call, Tensor *y, Scalar value);

/* Changes the sign of the imaginary parts of a complex tensor that fills its memory without holes. */
void launch_conjugate(Tensor *t);

#endif
