/* Tensors laid out in memory as a memory format says: with the channels of images last, or row by row. */
#include "ops/shape/memory_format.h"

#include <string.h>

#include "ops/random/random.h"
#include "ops/shape/copy.h"
#include "ops/shape/factory.h"
#include "ops/table/helpers.h"

typedef enum Format { PRESERVE, CONTIGUOUS, CHANNELS_LAST } Format;

/* What a text says, for a tensor of a shape. */
static Format format_of(Call *call, const char *text, Ints shape)
{
  if (strcmp(text, "preserve_format") == 0) return PRESERVE;
  if (strcmp(text, "contiguous_format") == 0) return CONTIGUOUS;
  int ndim = strcmp(text, "channels_last") == 0 ? 4 : strcmp(text, "channels_last_3d") == 0 ? 5 : 0;
  if (!ndim)
    raise(call, "memory_format is nl.contiguous_format, preserve_format, channels_last or channels_last_3d, not \"%s\"",
          text);
  if (shape.n != ndim)
    raise(call, "%s is a layout of %d dimensions, and the tensor has %lld", text, ndim, (long long)shape.n);
  return CHANNELS_LAST;
}

/* A result, of unset elements, in a format that is not PRESERVE. */
static Tensor *result_in(Call *call, DType dtype, Device device, Ints shape, Format format)
{
  shape_numel(call, shape);
  return format == CONTIGUOUS ? result_new(call, dtype, device, shape)
                              : result_strided(call, dtype, device, shape, channels_last_order(call, shape));
}

FORWARD(laid_out)
{
  Tensor *x = a->input;
  Format format = format_of(call, a->memory_format, tensor_shape(x));
  y[0] = result_in(call, a->dtype, device_of(x), tensor_shape(x), format);
  launch_copy(call, y[0], x);
}

BACKWARD(laid_out) { GRAD(input) = cast(dy[0], tensor_dtype(a->input)); }

/* Whether elements follow each other with their channels last; strides of dimensions of size 1 say nothing. */
static bool lies_channels_last(Call *call, const Tensor *x)
{
  Ints wanted = channels_last_order(call, tensor_shape(x));
  for (int d = 0; d < x->ndim; d++)
    if (x->shape[d] != 1 && x->strides[d] != wanted.v[d]) return false;
  return true;
}

FORWARD(contiguous_in)
{
  Tensor *x = a->input;
  Format format = format_of(call, a->memory_format, tensor_shape(x));
  if (format == PRESERVE && !x->is_contiguous) raise(call, "preserve_format says nothing here");
  if (format != CHANNELS_LAST) y[0] = op(contiguous, x);
  else y[0] = lies_channels_last(call, x) ? x : op(laid_out, x, tensor_dtype(x), a->memory_format);
}

FORWARD(clone_in)
{
  Tensor *x = a->input;
  Format format = format_of(call, a->memory_format, tensor_shape(x));
  y[0] = format == PRESERVE ? op(clone, x) : op(laid_out, x, tensor_dtype(x), a->memory_format);
}

/* x on a device and in a dtype; itself, as in PyTorch, where these are its own and its strides suggest the format. */
static Tensor *moved_to(Call *call, Tensor *x, Device device, DType dtype, bool copy, const char *memory_format)
{
  if (device == DEVICE_NONE) device = device_of(x);
  if (dtype == DTYPE_NONE) dtype = tensor_dtype(x);
  Format format = format_of(call, memory_format, tensor_shape(x));
  if (format == PRESERVE) return op(to_device, x, device, dtype, false, copy);
  bool stays = device == device_of(x);
  if (!stays) x = op(to_device, x, device, DTYPE_NONE, false, false);
  if (stays && !copy && dtype == tensor_dtype(x) && has_channels_last(x) == (format == CHANNELS_LAST)) return x;
  return op(laid_out, x, dtype, memory_format);
}

FORWARD(to_dtype_in) { y[0] = moved_to(call, a->input, DEVICE_NONE, a->dtype, a->copy, a->memory_format); }

FORWARD(to_device_in) { y[0] = moved_to(call, a->input, a->device, a->dtype, a->copy, a->memory_format); }

FORWARD(to_other_in)
{
  y[0] = moved_to(call, a->input, device_behind(a->other), tensor_dtype(a->other), a->copy, a->memory_format);
}

FORWARD(to_cpu_in) { y[0] = moved_to(call, a->input, device_of_numbers(), DTYPE_NONE, false, a->memory_format); }

#define CONVERSION(row, dtype) \
  FORWARD(row) { y[0] = moved_to(call, a->input, DEVICE_NONE, dtype, false, a->memory_format); }
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

/* ------------------------------------------------------------- made in a format */

/* A tensor that lies as one like x in the format does. */
static Tensor *pattern_in(Call *call, Tensor *x, const char *memory_format)
{
  Format format = format_of(call, memory_format, tensor_shape(x));
  return format == PRESERVE ? x : result_in(call, tensor_dtype(x), device_of(x), tensor_shape(x), format);
}

#define LIKE(row, ...) \
  FORWARD(row##_in) { y[0] = op(row, pattern_in(call, a->input, a->memory_format), __VA_ARGS__); }
LIKE(zeros_like, a->dtype, a->device, a->requires_grad)
LIKE(ones_like, a->dtype, a->device, a->requires_grad)
LIKE(empty_like, a->dtype, a->device, a->requires_grad)
LIKE(full_like, a->fill_value, a->dtype, a->device, a->requires_grad)
LIKE(rand_like, a->generator, a->dtype, a->device, a->requires_grad)
LIKE(randn_like, a->generator, a->dtype, a->device, a->requires_grad)
LIKE(randint_like, a->high, a->generator, a->dtype, a->device, a->requires_grad)
LIKE(randint_like_low, a->low, a->high, a->generator, a->dtype, a->device, a->requires_grad)

FORWARD(empty_in)
{
  Format format = format_of(call, a->memory_format, a->size);
  if (format == PRESERVE) raise(call, "there is no tensor whose format could be preserved");
  DType dtype = a->dtype == DTYPE_NONE ? call->ctx->default_dtype : a->dtype;
  y[0] = result_in(call, dtype, device_or_default(call, a->device), a->size, format);
  leave_unset(call, y[0]);
  ask_gradient(call, y[0], a->requires_grad);
}
