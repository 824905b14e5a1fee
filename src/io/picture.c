/* Pictures of any known format, and what their EXIF data say of how to show them. */
#include "io/picture.h"

#include <stdlib.h>
#include <string.h>

#include "core/text.h"

enum { MOST_PIXELS = 1 << 28 };

bool picture_allocate(Picture *p, size_t file_bytes, uint64_t most_pixels_per_byte, char *error, size_t error_size)
{
  enum { ALWAYS = 1 << 16 }; /* pixels that any file may have: headers are no part of the rate */
  if (p->width <= 0 || p->height <= 0 || p->width > MOST_PIXELS || p->height > MOST_PIXELS) {
    text_format(error, error_size, "a picture of %lld x %lld pixels can't be", (long long)p->width,
                (long long)p->height);
    return false;
  }
  uint64_t pixels = (uint64_t)p->width * (uint64_t)p->height;
  if (pixels > MOST_PIXELS || (pixels > ALWAYS && (pixels - ALWAYS) / most_pixels_per_byte > file_bytes)) {
    text_format(error, error_size, "its header wants %lld x %lld pixels, %s", (long long)p->width, (long long)p->height,
                pixels > MOST_PIXELS ? "more than the 268435456 that are read" : "more than its bytes can hold");
    return false;
  }
  /* zeros: what a damaged file leaves out is black */
  p->pixels = calloc(pixels, (size_t)p->channels * (p->is_16_bit ? 2 : 1));
  if (!p->pixels) text_format(error, error_size, "not enough memory");
  return p->pixels != NULL;
}

/* One element moved to where it is shown: orientations 5 to 8 are those with rows and columns exchanged. */
static bool turn(Picture *p, int orientation, char *error, size_t error_size)
{
  if (orientation == 1) return true;
  size_t size = (size_t)p->channels * (p->is_16_bit ? 2 : 1);
  bool exchanged = orientation >= 5;
  bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  bool from_below = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  int64_t width = exchanged ? p->height : p->width, height = exchanged ? p->width : p->height;
  char *turned = malloc((size_t)width * (size_t)height * size);
  if (!turned) {
    text_format(error, error_size, "not enough memory");
    free(p->pixels);
    return false;
  }
  for (int64_t y = 0; y < height; y++)
    for (int64_t x = 0; x < width; x++) {
      int64_t row = exchanged ? x : y, column = exchanged ? y : x;
      if (from_right) column = p->width - 1 - column;
      if (from_below) row = p->height - 1 - row;
      memcpy(turned + (size_t)(y * width + x) * size, (char *)p->pixels + (size_t)(row * p->width + column) * size,
             size);
    }
  free(p->pixels);
  *p = (Picture){width, height, p->channels, p->is_16_bit, turned};
  return true;
}

bool picture_read(const void *bytes, size_t n, PictureMode mode, bool by_orientation, Picture *picture, char *error,
                  size_t error_size)
{
  const uint8_t *v = bytes;
  *picture = (Picture){0};
  if (n >= 8 && memcmp(v, "\x89PNG\r\n\x1a\n", 8) == 0)
    return png_read(v, n, mode, picture, error, error_size)
           && (!by_orientation || turn(picture, png_orientation(v, n), error, error_size));
  if (n >= 3 && memcmp(v, "\xff\xd8\xff", 3) == 0)
    return jpeg_read(v, n, mode, picture, error, error_size)
           && (!by_orientation || turn(picture, jpeg_orientation(v, n), error, error_size));
  text_format(error, error_size, "%s", n == 0 ? "it is empty" : "it is neither a PNG nor a JPEG picture");
  return false;
}
