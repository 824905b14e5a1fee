/* Tensors laid out in memory as a memory format says: with the channels of images last, or row by row. */
#include "ops/shape/memory_format.h"

#include <string.h>

#include "ops/shape/copy.h"
#include "ops/shape/factory.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

/* x with its channels, dimension 1, last in memory. */
static Tensor *with_channels_last(Call *call, Tensor *x, const char *name, int ndim)
{
  if (x->ndim != ndim) raise(call, "%s is a layout of %d dimensions, and the tensor has %d", name, ndim, x->ndim);
  Ints last = ndim == 4 ? INTS(0, 2, 3, 1) : INTS(0, 2, 3, 4, 1);
  Ints back = ndim == 4 ? INTS(0, 3, 1, 2) : INTS(0, 4, 1, 2, 3);
  Tensor *rows = op(permute, x, last);
  return rows->is_contiguous ? x : op(permute, op(contiguous, rows), back);
}

/* x itself, or a copy of it in a memory format. */
static Tensor *in_format(Call *call, Tensor *x, const char *format)
{
  if (strcmp(format, "preserve_format") == 0) return x;
  if (strcmp(format, "contiguous_format") == 0) return op(contiguous, x);
  if (strcmp(format, "channels_last") == 0) return with_channels_last(call, x, format, 4);
  if (strcmp(format, "channels_last_3d") == 0) return with_channels_last(call, x, format, 5);
  raise(call, "memory_format is nl.contiguous_format, preserve_format, channels_last or channels_last_3d, not \"%s\"",
        format);
}

FORWARD(contiguous_in)
{
  if (strcmp(a->memory_format, "preserve_format") == 0) raise(call, "preserve_format says nothing here");
  y[0] = in_format(call, a->input, a->memory_format);
}

FORWARD(clone_in)
{
  Tensor *x = in_format(call, a->input, a->memory_format);
  y[0] = x == a->input ? op(clone, x) : x;
}

FORWARD(to_dtype_in)
{
  y[0] = in_format(call, op(to_dtype, a->input, a->dtype, a->non_blocking, a->copy), a->memory_format);
}

FORWARD(to_device_in)
{
  Tensor *x = op(to_device, a->input, a->device, a->dtype, a->non_blocking, a->copy);
  y[0] = in_format(call, x, a->memory_format);
}

FORWARD(to_other_in)
{
  y[0] = in_format(call, op(to_other, a->input, a->other, a->non_blocking, a->copy), a->memory_format);
}

#define CONVERSION(row, dtype) \
  FORWARD(row) { y[0] = in_format(call, cast(a->input, dtype), a->memory_format); }
CONVERSION(to_float_in, DTYPE_f32)
CONVERSION(to_double_in, DTYPE_f64)
CONVERSION(to_half_in, DTYPE_f16)
CONVERSION(to_bfloat16_in, DTYPE_bf16)
CONVERSION(to_int_in, DTYPE_i32)
CONVERSION(to_long_in, DTYPE_i64)
CONVERSION(to_short_in, DTYPE_i16)
CONVERSION(to_char_in, DTYPE_i8)
CONVERSION(to_byte_in, DTYPE_u8)
CONVERSION(to_bool_in, DTYPE_b8)
CONVERSION(to_cfloat_in, DTYPE_c64)
CONVERSION(to_cdouble_in, DTYPE_c128)

/* What is like a tensor is a leaf, in whatever format. */
#define LIKE(row, ...)                                              \
  FORWARD(row##_in)                                                 \
  {                                                                 \
    y[0] = in_format(call, op(row, __VA_ARGS__), a->memory_format); \
    ask_gradient(call, y[0], a->requires_grad);                     \
  }
LIKE(zeros_like, a->input, a->dtype, a->device, false)
LIKE(ones_like, a->input, a->dtype, a->device, false)
LIKE(empty_like, a->input, a->dtype, a->device, false)
LIKE(full_like, a->input, a->fill_value, a->dtype, a->device, false)
