/*
 * Convolutions of a few places an image: one product of what each place meets with the weights as these lie. Where
 * there are few in all it is dot products, so that the weights, which are most of what there is to read, are read once
 * and never packed.
 */
#include <string.h>

#include "core/arith.h"
#include "core/blocks.h"
#include "kernels/copy.h"
#include "kernels/table.h"
#include "launch/conv/job.h"
#include "launch/linalg/gemm.h"

static int64_t places_of(const Convolution *c) { return c->images * c->result[0] * c->result[1] * c->result[2]; }

bool conv_has_few_places(const Convolution *c, DType dtype)
{
  const int64_t depth = c->channels * c->kernel[0] * c->kernel[1] * c->kernel[2];
  if (!dtype_is_floating(dtype) || c->groups != 1) return false;
  return places_of(c) <= CONV_FEW_PLACES * c->images && places_of(c) * depth <= CONV_FEW_ELEMENTS
         && depth >= GEMM_DOT_DEPTH && c->rows >= CONV_FEW_ROWS;
}

/* The taps of a dimension of the kernel that lie inside of the image, at a place whose first tap lies at `first`. */
typedef struct Taps {
  int64_t begin, end;
} Taps;

static Taps taps_inside(const Convolution *c, int d, int64_t first)
{
  const int64_t step = c->dilation[d], begin = ceil_div_i64(max_i64(-first, 0), step);
  const int64_t end = ceil_div_i64(max_i64(c->size[d] - first, 0), step);
  return (Taps){min_i64(begin, c->kernel[d]), min_i64(end, c->kernel[d])};
}

/* The taps of a line of all channels, along whichever is more: from[channel][tap], and to rows of `volume` taps. */
static void gather_line(const Convolution *c, const ConvJob *j, int64_t taps, const char *from, char *to,
                        int64_t volume)
{
  const int64_t size = j->size, tap = c->dilation[2] * j->x_step[2] * size, channel = j->x_channel * size;
  if (taps < c->channels) {
    for (int64_t t = 0; t < taps; t++)
      copy_elements((size_t)size, c->channels, from + t * tap, channel, to + t * size, volume * size);
  } else {
    for (int64_t n = 0; n < c->channels; n++)
      copy_elements((size_t)size, taps, from + n * channel, tap, to + n * volume * size, size);
  }
}

/* What the taps of all channels meet at a place, [channels][taps]; zeros outside of the image. */
static void gather_place(const Convolution *c, const ConvJob *j, int64_t image, const int64_t *place, char *to)
{
  int64_t first[CONV_DIMS], volume = 1;
  Taps taps[CONV_DIMS];
  bool is_inside = true;
  for (int d = 0; d < CONV_DIMS; d++) {
    first[d] = place[d] * c->stride[d] - c->padding[d];
    taps[d] = taps_inside(c, d, first[d]);
    volume *= c->kernel[d];
    is_inside &= taps[d].begin == 0 && taps[d].end == c->kernel[d];
  }
  if (!is_inside) memset(to, 0, (size_t)(c->channels * volume * j->size));
  for (int64_t p = taps[0].begin; p < taps[0].end; p++)
    for (int64_t l = taps[1].begin; l < taps[1].end; l++) {
      const int64_t at[] = {first[0] + p * c->dilation[0], first[1] + l * c->dilation[1],
                            first[2] + taps[2].begin * c->dilation[2]};
      int64_t from = image * j->x_image;
      for (int d = 0; d < CONV_DIMS; d++) from += at[d] * j->x_step[d];
      gather_line(c, j, taps[2].end - taps[2].begin, j->x + from * j->size,
                  to + ((p * c->kernel[1] + l) * c->kernel[2] + taps[2].begin) * j->size, volume);
    }
}

static void gather_places(const Convolution *c, const ConvJob *j, char *to, int64_t depth)
{
  int64_t place[CONV_DIMS];
  for (int64_t i = 0; i < c->images; i++)
    for (place[0] = 0; place[0] < c->result[0]; place[0]++)
      for (place[1] = 0; place[1] < c->result[1]; place[1]++)
        for (place[2] = 0; place[2] < c->result[2]; place[2]++, to += depth * j->size) gather_place(c, j, i, place, to);
}

void conv_few_places(Call *call, const Convolution *c, const ConvJob *j, const Tensor *weight)
{
  const int64_t places = places_of(c), of_image = places / c->images;
  const int64_t depth = c->channels * c->kernel[0] * c->kernel[1] * c->kernel[2];
  const Tensor *x = new_beside(call, weight, j->dtype, INTS(places, depth));
  gather_places(c, j, tensor_data(x), depth);
  const bool direct = of_image == 1;
  char *sums = direct ? j->y : tensor_data(new_beside(call, weight, j->dtype, INTS(places, c->rows)));
  const Matrix left = {tensor_data(x), places, depth, depth, 1, STORED_SAME};
  const Matrix right = {tensor_data(weight), depth, c->rows, 1, depth, STORED_SAME};
  gemm(call, j->dtype, &left, &right, 1, (Addend){j->bias, 0, 1}, sums, c->rows);
  if (direct) return;
  for (int64_t i = 0; i < c->images; i++)
    j->k->conv_product->turn(of_image, c->rows, sums + i * of_image * c->rows * j->size, c->rows,
                             j->y + i * j->y_image * j->size, of_image);
}
