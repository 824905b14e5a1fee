/*
 * PNG pictures, by libpng. Its errors end in our function of errors, which must not return: it jumps back to the
 * function that called libpng, over no frames but libpng's and those of what libpng calls back. What is used after the
 * jump stands in a struct. (libpng's simplified interface returns errors, but mixes alpha and gamma into the pixels.)
 */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "core/library.h"
#include "core/text.h"
#include "io/exif.h"
#include "io/picture.h"

/* ------------------------------------------------------------------- library */

/* png.h, version 1.6. */
#define LIBPNG_VERSION "1.6.0"                                /* whose first two numbers must be the library's */
enum { COLOR_PALETTE = 3, COLOR_COLOR = 2, COLOR_ALPHA = 4 }; /* a type of colour; masks of all but that one */
enum { INFO_TRANSPARENCY = 0x10, FILLER_AFTER = 1, GRAY_SILENTLY = 1 };
typedef struct png_struct PngStruct;
typedef struct png_info PngInfo;
typedef void (*PngError)(PngStruct *png, const char *text);
typedef void (*PngRead)(PngStruct *png, unsigned char *data, size_t n);

static PngStruct *(*create_read)(const char *version, void *error_pointer, PngError error, PngError warning);
static PngStruct *(*create_write)(const char *version, void *error_pointer, PngError error, PngError warning);
static PngInfo *(*create_info)(PngStruct *png);
static void (*destroy_read)(PngStruct **png, PngInfo **info, PngInfo **end);
static void (*destroy_write)(PngStruct **png, PngInfo **info);
static void *(*get_error_pointer)(const PngStruct *png);
static void *(*get_io_pointer)(const PngStruct *png);
static void (*png_fail)(PngStruct *png, const char *text);
static void (*set_read)(PngStruct *png, void *io, PngRead read);
static void (*set_write)(PngStruct *png, void *io, PngRead write, void (*flush)(PngStruct *png));
static void (*set_most_chunks)(PngStruct *png, uint32_t most);
static void (*set_most_bytes)(PngStruct *png, size_t most);
static void (*set_limits)(PngStruct *png, uint32_t width, uint32_t height);
static void (*read_info)(PngStruct *png, PngInfo *info);
static uint32_t (*get_header)(const PngStruct *png, const PngInfo *info, uint32_t *width, uint32_t *height, int *depth,
                              int *color, int *interlace, int *compression, int *filter);
static uint32_t (*get_valid)(const PngStruct *png, const PngInfo *info, uint32_t flag);
static void (*set_packing)(PngStruct *png);
static void (*set_expand_gray)(PngStruct *png);
static void (*set_expand)(PngStruct *png);
static void (*set_swap)(PngStruct *png);
static void (*set_strip_alpha)(PngStruct *png);
static void (*set_add_alpha)(PngStruct *png, uint32_t filler, int flags);
static void (*set_gray_to_rgb)(PngStruct *png);
static void (*set_rgb_to_gray)(PngStruct *png, int error_action, double red, double green);
static int (*set_interlace_handling)(PngStruct *png);
static void (*update_info)(PngStruct *png, PngInfo *info);
static size_t (*get_row_bytes)(const PngStruct *png, const PngInfo *info);
static void (*read_row)(PngStruct *png, unsigned char *row, unsigned char *display);
static void (*read_end)(PngStruct *png, PngInfo *info);
static void (*set_header)(PngStruct *png, PngInfo *info, uint32_t width, uint32_t height, int depth, int color,
                          int interlace, int compression, int filter);
static void (*set_compression_level)(PngStruct *png, int level);
static void (*write_info)(PngStruct *png, PngInfo *info);
static void (*write_row)(PngStruct *png, const unsigned char *row);
static void (*write_end)(PngStruct *png, PngInfo *info);

static Library libpng = {
  .what = "libpng, which reads and writes PNG pictures,",
  .package = "libpng16-16",
  .files = (const char *const[]){"libpng16.so.16", "libpng16.so", NULL},
  .functions = (const LibraryFunction[]){{"png_create_read_struct", &create_read},
                                         {"png_create_write_struct", &create_write},
                                         {"png_create_info_struct", &create_info},
                                         {"png_destroy_read_struct", &destroy_read},
                                         {"png_destroy_write_struct", &destroy_write},
                                         {"png_get_error_ptr", &get_error_pointer},
                                         {"png_get_io_ptr", &get_io_pointer},
                                         {"png_error", &png_fail},
                                         {"png_set_read_fn", &set_read},
                                         {"png_set_write_fn", &set_write},
                                         {"png_set_chunk_cache_max", &set_most_chunks},
                                         {"png_set_chunk_malloc_max", &set_most_bytes},
                                         {"png_set_user_limits", &set_limits},
                                         {"png_read_info", &read_info},
                                         {"png_get_IHDR", &get_header},
                                         {"png_get_valid", &get_valid},
                                         {"png_set_packing", &set_packing},
                                         {"png_set_expand_gray_1_2_4_to_8", &set_expand_gray},
                                         {"png_set_expand", &set_expand},
                                         {"png_set_swap", &set_swap},
                                         {"png_set_strip_alpha", &set_strip_alpha},
                                         {"png_set_add_alpha", &set_add_alpha},
                                         {"png_set_gray_to_rgb", &set_gray_to_rgb},
                                         {"png_set_rgb_to_gray", &set_rgb_to_gray},
                                         {"png_set_interlace_handling", &set_interlace_handling},
                                         {"png_read_update_info", &update_info},
                                         {"png_get_rowbytes", &get_row_bytes},
                                         {"png_read_row", &read_row},
                                         {"png_read_end", &read_end},
                                         {"png_set_IHDR", &set_header},
                                         {"png_set_compression_level", &set_compression_level},
                                         {"png_write_info", &write_info},
                                         {"png_write_row", &write_row},
                                         {"png_write_end", &write_end},
                                         {NULL, NULL}},
};

/* ----------------------------------------------------------------- callbacks */

/* One reading or writing. */
typedef struct Png {
  PngStruct *png;
  PngInfo *info;
  const uint8_t *bytes; /* what is read: bytes[at..n) is left */
  size_t n, at;
  PictureMode mode;
  Picture *picture;
  PictureFile *file; /* what is written */
  int level;
  jmp_buf escape;
  char *error;
  size_t error_size;
} Png;

/* The rest, which a failure says nothing more about. */
_Noreturn static void leave(Png *p) { longjmp(p->escape, 1); }

static void on_error(PngStruct *png, const char *text)
{
  Png *p = get_error_pointer(png);
  text_format(p->error, p->error_size, "%s", text);
  leave(p);
}

static void on_warning(PngStruct *png, const char *text) { (void)png, (void)text; }

static void read_bytes(PngStruct *png, unsigned char *data, size_t n)
{
  Png *p = get_io_pointer(png);
  if (n > p->n - p->at) png_fail(png, "the file ends too early");
  memcpy(data, p->bytes + p->at, n);
  p->at += n;
}

static void write_bytes(PngStruct *png, unsigned char *data, size_t n)
{
  PictureFile *f = ((Png *)get_io_pointer(png))->file;
  if (n > f->capacity - f->n) {
    size_t capacity = 2 * f->capacity + n;
    uint8_t *larger = realloc(f->bytes, capacity);
    if (!larger) png_fail(png, "not enough memory");
    f->bytes = larger;
    f->capacity = capacity;
  }
  memcpy(f->bytes + f->n, data, n);
  f->n += n;
}

static void flush_nothing(PngStruct *png) { (void)png; }

/* ------------------------------------------------------------------- reading */

/* The channels of the file in 8 or 16 bits: of a palette the numbers of its colours. */
static void keep_channels(const Png *p, int color)
{
  set_packing(p->png);
  if (color == 0) set_expand_gray(p->png);
  p->picture->channels = color == COLOR_PALETTE ? 1 : (color & COLOR_COLOR ? 3 : 1) + (color & COLOR_ALPHA ? 1 : 0);
}

/* Has libpng make the channels that are wanted of the file's: palettes become colours, transparent ones alpha. */
static void choose_channels(const Png *p, int color)
{
  bool has_alpha = (color & COLOR_ALPHA) != 0 || get_valid(p->png, p->info, INFO_TRANSPARENCY) != 0;
  bool has_color = (color & COLOR_COLOR) != 0;
  bool wants_color = p->mode == PICTURE_RGB || p->mode == PICTURE_RGB_ALPHA;
  bool wants_alpha = p->mode == PICTURE_GRAY_ALPHA || p->mode == PICTURE_RGB_ALPHA;
  set_expand(p->png);
  if (has_alpha && !wants_alpha) set_strip_alpha(p->png);
  if (!has_alpha && wants_alpha) set_add_alpha(p->png, p->picture->is_16_bit ? 0xFFFF : 0xFF, FILLER_AFTER);
  if (has_color && !wants_color) set_rgb_to_gray(p->png, GRAY_SILENTLY, 0.2989, 0.587);
  if (!has_color && wants_color) set_gray_to_rgb(p->png);
  p->picture->channels = (wants_color ? 3 : 1) + wants_alpha;
}

static void read_header(Png *p)
{
  enum { MOST_CHUNKS = 1000, MOST_BYTES_A_CHUNK = 8000000, DEFLATE = 1032 /* bytes of a byte, at most */ };
  static const int samples[] = {1, 0, 3, 1, 2, 0, 4}; /* by type of colour */
  uint32_t width, height;
  int depth, color;
  set_read(p->png, p, read_bytes);
  set_most_chunks(p->png, MOST_CHUNKS);
  set_most_bytes(p->png, MOST_BYTES_A_CHUNK);
  set_limits(p->png, INT32_MAX, INT32_MAX);
  read_info(p->png, p->info);
  get_header(p->png, p->info, &width, &height, &depth, &color, NULL, NULL, NULL);
  p->picture->width = width;
  p->picture->height = height;
  p->picture->is_16_bit = depth == 16;
  if (depth == 16 && *(const uint8_t *)&(const uint16_t){1}) set_swap(p->png); /* the file's first byte is the larger */
  (p->mode == PICTURE_UNCHANGED ? keep_channels : choose_channels)(p, color);
  uint64_t most = 8 * DEFLATE / (unsigned)(depth * samples[color]);
  if (!picture_allocate(p->picture, p->n, most > 0 ? most : 1, p->error, p->error_size)) leave(p);
}

static void read_rows(const Png *p)
{
  const Picture *picture = p->picture;
  size_t row = (size_t)picture->width * (size_t)picture->channels * (picture->is_16_bit ? 2 : 1);
  int passes = set_interlace_handling(p->png);
  update_info(p->png, p->info);
  if (get_row_bytes(p->png, p->info) != row) png_fail(p->png, "its pixels are of an unknown kind");
  for (int pass = 0; pass < passes; pass++)
    for (int64_t y = 0; y < picture->height; y++)
      read_row(p->png, (unsigned char *)picture->pixels + (size_t)y * row, NULL);
  read_end(p->png, NULL);
}

/* Between here and the return of setjmp with 1 only what `p` points to is changed. */
static bool read_all(Png *p)
{
  if (setjmp(p->escape)) return false;
  p->png = create_read(LIBPNG_VERSION, p, on_error, on_warning);
  p->info = p->png ? create_info(p->png) : NULL;
  if (!p->info) {
    text_format(p->error, p->error_size, "libpng can't be used: another version, or not enough memory");
    return false;
  }
  read_header(p);
  read_rows(p);
  return true;
}

/* -------------------------------------------------------------------- chunks */

static uint32_t big_32(const uint8_t *v)
{
  return (uint32_t)v[0] << 24 | (uint32_t)v[1] << 16 | (uint32_t)v[2] << 8 | v[3];
}

enum { SIGNATURE = 8, CHUNK = 12 /* length, name, checksum */ };

/* The length of the chunk at a place; false if it isn't all there. */
static bool chunk_at(const uint8_t *v, size_t n, size_t at, size_t *length)
{
  if (n < CHUNK || at > n - CHUNK) return false;
  *length = big_32(v + at);
  return *length <= n - at - CHUNK;
}

/* Whether all chunks up to the last one are there: libpng makes room for some by what their lengths say. */
static bool has_all_chunks(const uint8_t *v, size_t n)
{
  size_t length;
  for (size_t at = SIGNATURE; chunk_at(v, n, at, &length); at += CHUNK + length)
    if (memcmp(v + at + 4, "IEND", 4) == 0) return true;
  return false;
}

int png_orientation(const uint8_t *v, size_t n)
{
  size_t length;
  for (size_t at = SIGNATURE; chunk_at(v, n, at, &length); at += CHUNK + length)
    if (memcmp(v + at + 4, "eXIf", 4) == 0) return exif_orientation(v + at + 8, length);
  return 1;
}

bool png_read(const uint8_t *bytes, size_t n, PictureMode mode, Picture *picture, char *error, size_t error_size)
{
  Png p = {.bytes = bytes, .n = n, .mode = mode, .picture = picture, .error = error, .error_size = error_size};
  if (!has_all_chunks(bytes, n)) {
    text_format(error, error_size, "the file ends too early");
    return false;
  }
  if (!library_want(&libpng, error, error_size)) return false;
  bool ok = read_all(&p);
  destroy_read(&p.png, &p.info, NULL);
  if (!ok) free(picture->pixels);
  return ok;
}

/* ------------------------------------------------------------------- writing */

static bool write_all(Png *p)
{
  static const int colors[] = {0, COLOR_ALPHA, COLOR_COLOR, COLOR_COLOR | COLOR_ALPHA}; /* by channels */
  const Picture *picture = p->picture;
  if (setjmp(p->escape)) return false;
  p->png = create_write(LIBPNG_VERSION, p, on_error, on_warning);
  p->info = p->png ? create_info(p->png) : NULL;
  if (!p->info) {
    text_format(p->error, p->error_size, "libpng can't be used: another version, or not enough memory");
    return false;
  }
  set_write(p->png, p, write_bytes, flush_nothing);
  set_limits(p->png, INT32_MAX, INT32_MAX);
  set_header(p->png, p->info, (uint32_t)picture->width, (uint32_t)picture->height, 8, colors[picture->channels - 1], 0,
             0, 0);
  set_compression_level(p->png, p->level);
  write_info(p->png, p->info);
  for (int64_t y = 0; y < picture->height; y++)
    write_row(p->png, (const unsigned char *)picture->pixels + y * picture->width * picture->channels);
  write_end(p->png, p->info);
  return true;
}

bool picture_write_png(const Picture *picture, int level, PictureFile *file, char *error, size_t error_size)
{
  Picture pixels = *picture;
  Png p = {.picture = &pixels, .level = level, .file = file, .error = error, .error_size = error_size};
  if (!library_want(&libpng, error, error_size)) return false;
  *file = (PictureFile){0};
  bool ok = write_all(&p);
  destroy_write(&p.png, &p.info);
  if (!ok) free(file->bytes);
  return ok;
}
