/* Pictures made larger or smaller, to the bit as Pillow (src/libImaging/Resample.c) does. */
#ifndef NNLUA_IO_RESAMPLE_H
#define NNLUA_IO_RESAMPLE_H

#include "core/tensor.h"

typedef enum ResampleFilter {
  RESAMPLE_NEAREST,
  RESAMPLE_BOX,
  RESAMPLE_BILINEAR,
  RESAMPLE_HAMMING,
  RESAMPLE_BICUBIC,
  RESAMPLE_LANCZOS,
  RESAMPLE_FILTERS
} ResampleFilter;

/* From (channels, height, width) of any strides to a contiguous tensor of another size, both uint8 or both float32,
   none of them empty. When it makes smaller the filter is as wide as what becomes one pixel. */
void resample(Call *call, const Tensor *from, Tensor *to, ResampleFilter filter);

#endif
