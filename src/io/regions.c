/* Connected regions: each pixel takes the region of a neighbour before it; two regions that meet become one. */
#include "io/regions.h"

#include <string.h>

/* The first one of the regions that a region was made one with; the way there gets shorter. */
static int64_t root_of(int64_t *same, int64_t region)
{
  while (same[region] != region) {
    same[region] = same[same[region]];
    region = same[region];
  }
  return region;
}

static int64_t join(int64_t *same, int64_t a, int64_t b)
{
  if (a == 0 || b == 0) return a ? a : b;
  a = root_of(same, a);
  b = root_of(same, b);
  if (a < b) same[b] = a;
  else same[a] = b;
  return a < b ? a : b;
}

/* Regions as they are met, from 1 on, and in `same` which of them are one; returns how many there are. */
static int64_t meet(const uint8_t *mask, int64_t height, int64_t width, bool diagonals, int64_t *labels, int64_t *same)
{
  int64_t n = 0;
  for (int64_t y = 0; y < height; y++)
    for (int64_t x = 0; x < width; x++) {
      int64_t at = y * width + x, region = 0;
      labels[at] = 0;
      if (!mask[at]) continue;
      if (x > 0) region = join(same, region, labels[at - 1]);
      if (y > 0) region = join(same, region, labels[at - width]);
      if (y > 0 && diagonals && x > 0) region = join(same, region, labels[at - width - 1]);
      if (y > 0 && diagonals && x < width - 1) region = join(same, region, labels[at - width + 1]);
      if (region == 0) {
        region = ++n;
        same[n] = n;
      }
      labels[at] = region;
    }
  return n;
}

static void add_pixel(int64_t *of, int64_t x, int64_t y)
{
  if (of[REGION_AREA] == 0) {
    of[REGION_LEFT] = x;
    of[REGION_TOP] = y;
  }
  int64_t right = of[REGION_LEFT] + of[REGION_WIDTH];
  if (x < of[REGION_LEFT]) of[REGION_LEFT] = x;
  if (x + 1 > right) right = x + 1;
  of[REGION_WIDTH] = right - of[REGION_LEFT];
  of[REGION_HEIGHT] = y + 1 - of[REGION_TOP]; /* rows come in order */
  of[REGION_AREA]++;
}

Tensor *label_regions(Call *call, const Tensor *mask, bool diagonals, Tensor *labels_of)
{
  int64_t height = mask->shape[0], width = mask->shape[1], *labels = tensor_data(labels_of), regions = 0;
  int64_t *same = arena_allocate(call->ctx, ((size_t)mask->numel / 2 + 2 + (size_t)width) * sizeof *same);
  int64_t met = meet(tensor_data(mask), height, width, diagonals, labels, same);
  /* what belongs to another one comes behind it, and gets its number, which is kept below zero */
  for (int64_t i = 1; i <= met; i++) same[i] = same[i] == i ? -++regions : same[same[i]];
  Tensor *stats = tensor_new(call, DTYPE_i64, DEVICE_CPU, INTS(regions, REGION_NUMBERS));
  int64_t *of = tensor_data(stats);
  if (regions) memset(of, 0, tensor_bytes(stats));
  for (int64_t at = 0; at < mask->numel; at++) {
    if (labels[at] == 0) continue;
    labels[at] = -same[labels[at]];
    add_pixel(of + (labels[at] - 1) * REGION_NUMBERS, at % width + 1, at / width + 1);
  }
  return stats;
}
