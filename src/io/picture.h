/* Pictures in files: PNG by libpng, JPEG by TurboJPEG, both loaded when a picture first needs them. */
#ifndef NNLUA_IO_PICTURE_H
#define NNLUA_IO_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which channels are wanted: those of the file, or these. */
typedef enum PictureMode {
  PICTURE_UNCHANGED,
  PICTURE_GRAY,
  PICTURE_GRAY_ALPHA,
  PICTURE_RGB,
  PICTURE_RGB_ALPHA,
  PICTURE_MODES
} PictureMode;

/* Rows of pixels, each of so many channels next to each other, without gaps; `pixels` is malloc's. */
typedef struct Picture {
  int64_t width, height;
  int channels;
  bool is_16_bit; /* elements are uint16_t, else uint8_t */
  void *pixels;
} Picture;

/* What an encoder wrote; malloc's. */
typedef struct PictureFile {
  uint8_t *bytes;
  size_t n, capacity;
} PictureFile;

/*
 * Reads a picture from the bytes of a file, PNG or JPEG by content. Raises nothing: if it fails, nothing is left to
 * free and `error` tells why. A header is believed only as far as the bytes behind it can hold so many pixels, and up
 * to 2^28 of them. `by_orientation` turns the picture as its EXIF data want it shown.
 */
bool picture_read(const void *bytes, size_t n, PictureMode mode, bool by_orientation, Picture *picture, char *error,
                  size_t error_size);

/* The encoders, of uint8 pixels in 1 (gray), 2 (gray, alpha), 3 (RGB) or 4 channels; JPEG has 1 or 3. level: 0 to 9;
   quality: 1 to 100. */
bool picture_write_png(const Picture *picture, int level, PictureFile *file, char *error, size_t error_size);
bool picture_write_jpeg(const Picture *picture, int quality, PictureFile *file, char *error, size_t error_size);

/* The readers of a format each, for picture.c. */
bool png_read(const uint8_t *bytes, size_t n, PictureMode mode, Picture *picture, char *error, size_t error_size);
bool jpeg_read(const uint8_t *bytes, size_t n, PictureMode mode, Picture *picture, char *error, size_t error_size);

/* The pixels of a picture whose size and channels are set, not larger than `most` bytes per byte of its file allow;
   false with the error's text. */
bool picture_allocate(Picture *picture, size_t file_bytes, uint64_t most_pixels_per_byte, char *error,
                      size_t error_size);

/* How EXIF data want the picture of a file shown: 1 (as it is) to 8, as its tag Orientation counts. */
int png_orientation(const uint8_t *bytes, size_t n);
int jpeg_orientation(const uint8_t *bytes, size_t n);

#endif
