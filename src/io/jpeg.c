/*
 * JPEG pictures, by TurboJPEG's interface of libjpeg-turbo: it returns errors, where libjpeg's own jumps out of the
 * library. What that interface doesn't tell (EXIF, whether the file is whole) is read here.
 */
#include <stdlib.h>
#include <string.h>

#include "core/library.h"
#include "core/text.h"
#include "io/exif.h"
#include "io/picture.h"

/* ------------------------------------------------------------------- library */

/* turbojpeg.h, version 2.0 on. */
enum { FORMAT_RGB = 0, FORMAT_GRAY = 6, FORMAT_CMYK = 11 };
enum { SUBSAMPLED_420 = 2, SUBSAMPLED_GRAY = 3 };
enum { FLAG_ACCURATE_DCT = 4096, FLAG_LIMIT_SCANS = 32768 };

static void *(*init_decompress)(void), *(*init_compress)(void);
static int (*decompress)(void *handle, const unsigned char *jpeg, unsigned long size, unsigned char *pixels, int width,
                         int pitch, int height, int format, int flags);
static int (*compress)(void *handle, const unsigned char *pixels, int width, int pitch, int height, int format,
                       unsigned char **jpeg, unsigned long *size, int subsampling, int quality, int flags);
static int (*error_code)(void *handle);
static char *(*error_text)(void *handle);
static int (*destroy)(void *handle);
static void (*free_jpeg)(unsigned char *jpeg);

static Library turbojpeg = {
  .what = "TurboJPEG, which reads and writes JPEG pictures,",
  .package = "libturbojpeg0",
  .files = (const char *const[]){"libturbojpeg.so.0", "libturbojpeg.so", NULL},
  .functions = (const LibraryFunction[]){{"tjInitDecompress", &init_decompress},
                                         {"tjInitCompress", &init_compress},
                                         {"tjDecompress2", &decompress},
                                         {"tjCompress2", &compress},
                                         {"tjGetErrorCode", &error_code},
                                         {"tjGetErrorStr2", &error_text},
                                         {"tjDestroy", &destroy},
                                         {"tjFree", &free_jpeg},
                                         {NULL, NULL}},
};

static bool failed(char *error, size_t error_size, const char *what)
{
  text_format(error, error_size, "%s", what);
  return false;
}

/* ------------------------------------------------------------------- markers */

/* What is read of the segments before the first scan. */
typedef struct Header {
  int64_t width, height;
  int components;
  int orientation;
  size_t scan; /* where the first scan's segment begins */
} Header;

static bool is_frame(uint8_t marker)
{
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

static bool read_segment(Header *h, uint8_t marker, const uint8_t *v, size_t n, char *error, size_t error_size)
{
  if (is_frame(marker)) {
    if (n < 6 || h->components) return failed(error, error_size, "its header is damaged");
    if (v[0] != 8) return failed(error, error_size, "its samples have other than 8 bits, which isn't supported");
    h->height = v[1] << 8 | v[2];
    h->width = v[3] << 8 | v[4];
    h->components = v[5];
    if (h->components != 1 && h->components != 3 && h->components != 4)
      return failed(error, error_size, "it has neither 1, 3 nor 4 components");
  }
  if (marker == 0xE1 && n > 6 && memcmp(v, "Exif\0\0", 6) == 0) h->orientation = exif_orientation(v + 6, n - 6);
  return true;
}

/* Reads the segments up to the first scan, of which each has its length. */
static bool read_header(const uint8_t *v, size_t n, Header *h, char *error, size_t error_size)
{
  size_t at = 2;
  *h = (Header){.orientation = 1};
  for (;;) {
    while (at < n && v[at] == 0xFF && at + 1 < n && v[at + 1] == 0xFF) at++; /* a marker may have more of them before */
    if (n - at < 4) return failed(error, error_size, "the file ends too early");
    uint8_t marker = v[at + 1];
    size_t length = (size_t)(v[at + 2] << 8 | v[at + 3]);
    if (v[at] != 0xFF || length < 2) return failed(error, error_size, "its header is damaged");
    if (length > n - at - 2) return failed(error, error_size, "the file ends too early");
    if (marker == 0xDA) break;
    if (!read_segment(h, marker, v + at + 4, length - 2, error, error_size)) return false;
    at += 2 + length;
  }
  h->scan = at;
  return h->components > 0 || failed(error, error_size, "its header is damaged");
}

int jpeg_orientation(const uint8_t *bytes, size_t n)
{
  Header h;
  char unused[1];
  return read_header(bytes, n, &h, unused, sizeof unused) ? h.orientation : 1;
}

/* Whether the end of the image is marked; the library would fill up what is cut off with gray. */
static bool is_whole(const uint8_t *v, size_t n, size_t from)
{
  for (size_t i = n - 1; i > from; i--)
    if (v[i] == 0xD9 && v[i - 1] == 0xFF) return true;
  return false;
}

/* ------------------------------------------------------------------- reading */

/* k c / 255, rounded as Pillow and torchvision do: what k of black and c of a colour leave, both stored inverted. */
static uint8_t light(int k, int c)
{
  int v = k * (255 - c) + 128;
  v = ((v >> 8) + v) >> 8;
  return (uint8_t)(k > v ? k - v : 0);
}

/* Four inks, inverted as all who write them have it, to three colours, or to gray by BT.601's weights; in place. */
static void mix_inks(Picture *p, bool gray)
{
  int64_t pixels = p->width * p->height;
  const uint8_t *from = p->pixels;
  uint8_t *to = p->pixels;
  for (int64_t i = 0; i < pixels; i++, from += 4) {
    uint8_t rgb[3] = {light(from[3], from[0]), light(from[3], from[1]), light(from[3], from[2])};
    if (gray) {
      *to++ = (uint8_t)((rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16);
    } else {
      memcpy(to, rgb, sizeof rgb);
      to += sizeof rgb;
    }
  }
  p->channels = gray ? 1 : 3;
}

static bool decode(const uint8_t *v, size_t n, const Picture *p, int format, char *error, size_t error_size)
{
  void *handle = init_decompress();
  if (!handle) return failed(error, error_size, "not enough memory");
  /* a warning is of damage that can be passed over; the sizes given are the most that it writes */
  bool ok = decompress(handle, v, n, p->pixels, (int)p->width, (int)(p->width * p->channels), (int)p->height, format,
                       FLAG_LIMIT_SCANS)
              == 0
            || error_code(handle) == 0;
  if (!ok) failed(error, error_size, error_text(handle));
  destroy(handle);
  return ok;
}

bool jpeg_read(const uint8_t *v, size_t n, PictureMode mode, Picture *p, char *error, size_t error_size)
{
  enum { PIXELS_PER_BYTE = 512 }; /* a block of 64 pixels takes at least a bit */
  Header h;
  if (mode != PICTURE_UNCHANGED && mode != PICTURE_GRAY && mode != PICTURE_RGB)
    return failed(error, error_size, "a JPEG picture has no alpha: mode is UNCHANGED, GRAY or RGB");
  if (!read_header(v, n, &h, error, error_size)) return false;
  if (!is_whole(v, n, h.scan)) return failed(error, error_size, "the file ends too early");
  if (!library_want(&turbojpeg, error, error_size)) return false;
  bool gray = mode == PICTURE_GRAY || (mode == PICTURE_UNCHANGED && h.components == 1), inks = h.components == 4;
  *p = (Picture){.width = h.width, .height = h.height, .channels = inks ? 4 : gray ? 1 : 3};
  if (!picture_allocate(p, n, PIXELS_PER_BYTE, error, error_size)) return false;
  if (!decode(v, n, p, inks ? FORMAT_CMYK : gray ? FORMAT_GRAY : FORMAT_RGB, error, error_size)) {
    free(p->pixels);
    return false;
  }
  if (inks && mode != PICTURE_UNCHANGED) mix_inks(p, gray);
  return true;
}

/* ------------------------------------------------------------------- writing */

bool picture_write_jpeg(const Picture *p, int quality, PictureFile *file, char *error, size_t error_size)
{
  if (!library_want(&turbojpeg, error, error_size)) return false;
  if (p->width > 65500 || p->height > 65500)
    return failed(error, error_size, "JPEG has at most 65500 rows and columns");
  void *handle = init_compress();
  if (!handle) return failed(error, error_size, "not enough memory");
  unsigned char *jpeg = NULL;
  unsigned long size = 0;
  bool gray = p->channels == 1;
  bool ok = compress(handle, p->pixels, (int)p->width, (int)(p->width * p->channels), (int)p->height,
                     gray ? FORMAT_GRAY : FORMAT_RGB, &jpeg, &size, gray ? SUBSAMPLED_GRAY : SUBSAMPLED_420, quality,
                     FLAG_ACCURATE_DCT)
            == 0;
  if (!ok) failed(error, error_size, error_text(handle));
  file->bytes = ok ? malloc(size) : NULL;
  if (ok && !file->bytes) ok = failed(error, error_size, "not enough memory");
  if (ok) memcpy(file->bytes, jpeg, file->n = size);
  free_jpeg(jpeg);
  destroy(handle);
  return ok;
}
