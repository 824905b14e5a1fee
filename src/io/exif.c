/* EXIF data: a directory of tags, as TIFF has it. */
#include "io/exif.h"

#include <stdbool.h>
#include <string.h>

/* Bytes of TIFF, in either order. */
typedef struct Tiff {
  const uint8_t *v;
  size_t n;
  bool big_endian;
} Tiff;

static unsigned tiff_16(const Tiff *t, size_t at)
{
  return t->big_endian ? (unsigned)(t->v[at] << 8 | t->v[at + 1]) : (unsigned)(t->v[at + 1] << 8 | t->v[at]);
}

static uint32_t tiff_32(const Tiff *t, size_t at)
{
  uint32_t first = tiff_16(t, at), second = tiff_16(t, at + 2);
  return t->big_endian ? first << 16 | second : second << 16 | first;
}

int exif_orientation(const uint8_t *v, size_t n)
{
  enum { TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3, ENTRY = 12 };
  Tiff t = {v, n, n > 0 && v[0] == 'M'};
  if (n < 10 || (memcmp(v, "MM\0*", 4) != 0 && memcmp(v, "II*\0", 4) != 0)) return 1;
  size_t at = tiff_32(&t, 4);
  if (at > n - 2) return 1;
  unsigned entries = tiff_16(&t, at);
  at += 2;
  for (unsigned i = 0; i < entries && n - at >= ENTRY; i++, at += ENTRY) {
    if (tiff_16(&t, at) != TAG_ORIENTATION || tiff_16(&t, at + 2) != TYPE_SHORT) continue;
    unsigned value = tiff_16(&t, at + 8);
    return value >= 1 && value <= 8 ? (int)value : 1;
  }
  return 1;
}
