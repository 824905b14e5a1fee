/* Copies and fills of tensors of any strides and dtypes. */
#ifndef NNLUA_LAUNCH_COPY_H
#define NNLUA_LAUNCH_COPY_H

#include "core/scalar.h"
#include "core/tensor.h"

/* Copies with a cast: to takes the elements of from, which broadcasts to it; they may overlap. */
void launch_copy(Call *call, Tensor *to, const Tensor *from);

/* Raises if a complex value would lose its imaginary part in a dtype. */
void check_value_fits(Call *call, DType value, DType dtype);

/* Fills all elements with a number; raises if that is complex and they are real. */
void launch_fill(Call *call, Tensor *y, Scalar value);

/* Changes the sign of the imaginary parts of a complex tensor that fills its memory without holes. */
void launch_conjugate(Tensor *t);

#endif
