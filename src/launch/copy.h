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

/* Puts the elements of a and b side by side, as the parts of those of `to`, which is new. Returns false, having done
   nothing, unless all three are contiguous, of one shape and of dtypes that fit. */
bool launch_pairs(Tensor *to, const Tensor *a, const Tensor *b);

#endif
