/* Packs images into slabs (kernels/conv.h): lines with their padding, cut into phases where strides want it. */
#include "kernels/conv.h"

#include <string.h>

#include "core/arith.h"
#include "kernels/copy.h"

/* One phase of a line: element q is the image's column first + q * phases. */
static void pack_line(const Slab *s, size_t size, const char *line, int64_t first, char *to)
{
  int64_t p = s->phases;
  int64_t begin = clamp_i64(first < 0 ? (-first + p - 1) / p : 0, 0, s->width);
  int64_t end = clamp_i64(s->image_columns > first ? (s->image_columns - first + p - 1) / p : 0, begin, s->width);
  memset(to, 0, (size_t)begin * size);
  memset(to + end * (int64_t)size, 0, (size_t)(s->width - end) * size);
  const char *from = line + (first + begin * p) * s->column_step * (int64_t)size;
  char *into = to + begin * (int64_t)size;
  if (begin == end) return;
  if (p * s->column_step == 1) memcpy(into, from, (size_t)(end - begin) * size);
  else copy_elements(size, end - begin, from, p * s->column_step * (int64_t)size, into, (int64_t)size);
}

void slab_pack(const Slab *s, size_t size, const void *image, void *to)
{
  char *out = to;
  const int64_t bytes = s->width * (int64_t)size;
  for (int64_t c = 0; c < s->channels; c++)
    for (int64_t p = 0; p < s->phases; p++)
      for (int64_t l = s->first_line; l < s->first_line + s->lines; l++, out += bytes) {
        const char *line = (const char *)image + (c * s->channel_step + l * s->line_step) * (int64_t)size;
        if (l < 0 || l >= s->image_lines) memset(out, 0, (size_t)bytes);
        else pack_line(s, size, line, s->first_column + p, out);
      }
}
