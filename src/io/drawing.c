/* Draws by cairo. */
#include "io/drawing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/library.h"
#include "core/text.h"

/* ------------------------------------------------------------------- library */

/* cairo.h, version 1.16. */
enum { FORMAT_RGB24 = 1, JOIN_ROUND = 1, CAP_BUTT = 0, CAP_ROUND = 1, FILTER_GOOD = 1, FILTER_NEAREST = 3 };
enum { SLANT_NORMAL = 0, EXTEND_PAD = 3 };
enum { STATUS_SUCCESS = 0, STATUS_WRITE_ERROR = 11 };
typedef struct cairo_surface Surface;
typedef struct cairo_context Context2d;
typedef struct cairo_pattern Pattern;
typedef struct TextExtents {
  double x_bearing, y_bearing, width, height, x_advance, y_advance;
} TextExtents;
typedef int (*WriteBytes)(void *closure, const unsigned char *data, unsigned n);

static Surface *(*image_surface_create)(int format, int width, int height);
static Surface *(*image_surface_create_for_data)(unsigned char *data, int format, int width, int height, int stride);
static int (*format_stride_for_width)(int format, int width);
static int (*surface_status)(Surface *surface);
static void (*surface_destroy)(Surface *surface);
static int (*surface_write_to_png_stream)(Surface *surface, WriteBytes write, void *closure);
static Context2d *(*create)(Surface *surface);
static void (*destroy)(Context2d *c);
static int (*status)(Context2d *c);
static const char *(*status_to_string)(int status);
static void (*save)(Context2d *c);
static void (*restore)(Context2d *c);
static void (*scale)(Context2d *c, double x, double y);
static void (*translate)(Context2d *c, double x, double y);
static void (*rotate)(Context2d *c, double angle);
static void (*set_source_rgba)(Context2d *c, double red, double green, double blue, double alpha);
static void (*set_source_surface)(Context2d *c, Surface *surface, double x, double y);
static Pattern *(*get_source)(Context2d *c);
static void (*pattern_set_filter)(Pattern *pattern, int filter);
static void (*pattern_set_extend)(Pattern *pattern, int extend);
static void (*move_to)(Context2d *c, double x, double y);
static void (*line_to)(Context2d *c, double x, double y);
static void (*rectangle)(Context2d *c, double x, double y, double width, double height);
static void (*set_line_width)(Context2d *c, double width);
static void (*set_line_cap)(Context2d *c, int cap);
static void (*set_line_join)(Context2d *c, int join);
static void (*set_dash)(Context2d *c, const double *dashes, int n, double offset);
static void (*stroke)(Context2d *c);
static void (*fill)(Context2d *c);
static void (*select_font_face)(Context2d *c, const char *family, int slant, int weight);
static void (*set_font_size)(Context2d *c, double size);
static void (*text_extents)(Context2d *c, const char *text, TextExtents *extents);
static void (*show_text)(Context2d *c, const char *text);

static Library cairo = {
  .what = "cairo, which draws PNG pictures of figures,",
  .package = "libcairo2",
  .files = (const char *const[]){"libcairo.so.2", "libcairo.so", NULL},
  .functions = (const LibraryFunction[]){{"cairo_image_surface_create", &image_surface_create},
                                         {"cairo_image_surface_create_for_data", &image_surface_create_for_data},
                                         {"cairo_format_stride_for_width", &format_stride_for_width},
                                         {"cairo_surface_status", &surface_status},
                                         {"cairo_surface_destroy", &surface_destroy},
                                         {"cairo_surface_write_to_png_stream", &surface_write_to_png_stream},
                                         {"cairo_create", &create},
                                         {"cairo_destroy", &destroy},
                                         {"cairo_status", &status},
                                         {"cairo_status_to_string", &status_to_string},
                                         {"cairo_save", &save},
                                         {"cairo_restore", &restore},
                                         {"cairo_scale", &scale},
                                         {"cairo_translate", &translate},
                                         {"cairo_rotate", &rotate},
                                         {"cairo_set_source_rgba", &set_source_rgba},
                                         {"cairo_set_source_surface", &set_source_surface},
                                         {"cairo_get_source", &get_source},
                                         {"cairo_pattern_set_filter", &pattern_set_filter},
                                         {"cairo_pattern_set_extend", &pattern_set_extend},
                                         {"cairo_move_to", &move_to},
                                         {"cairo_line_to", &line_to},
                                         {"cairo_rectangle", &rectangle},
                                         {"cairo_set_line_width", &set_line_width},
                                         {"cairo_set_line_cap", &set_line_cap},
                                         {"cairo_set_line_join", &set_line_join},
                                         {"cairo_set_dash", &set_dash},
                                         {"cairo_stroke", &stroke},
                                         {"cairo_fill", &fill},
                                         {"cairo_select_font_face", &select_font_face},
                                         {"cairo_set_font_size", &set_font_size},
                                         {"cairo_text_extents", &text_extents},
                                         {"cairo_show_text", &show_text},
                                         {NULL, NULL}},
};

/* ------------------------------------------------------------------- drawing */

struct Drawing {
  Surface *surface;
  Context2d *c;
};

Drawing *drawing_new(int width, int height, double pixels, char *error, size_t error_size)
{
  if (!library_want(&cairo, error, error_size)) return NULL;
  Drawing *d = malloc(sizeof *d);
  if (!d) {
    text_format(error, error_size, "not enough memory");
    return NULL;
  }
  d->surface = image_surface_create(FORMAT_RGB24, (int)ceil(width * pixels), (int)ceil(height * pixels));
  d->c = create(d->surface);
  int problem = surface_status(d->surface);
  if (problem != STATUS_SUCCESS) {
    text_format(error, error_size, "a picture of %d x %d can't be made: %s", (int)ceil(width * pixels),
                (int)ceil(height * pixels), status_to_string(problem));
    drawing_free(d);
    return NULL;
  }
  scale(d->c, pixels, pixels);
  set_line_join(d->c, JOIN_ROUND);
  return d;
}

void drawing_free(Drawing *d)
{
  if (!d) return;
  destroy(d->c);
  surface_destroy(d->surface);
  free(d);
}

void drawing_color(Drawing *d, double red, double green, double blue, double alpha)
{
  set_source_rgba(d->c, red, green, blue, alpha);
}

void drawing_move(Drawing *d, double x, double y) { move_to(d->c, x, y); }

void drawing_line(Drawing *d, double x, double y) { line_to(d->c, x, y); }

void drawing_rectangle(Drawing *d, double x, double y, double width, double height)
{
  rectangle(d->c, x, y, width, height);
}

void drawing_stroke(Drawing *d, double width, bool round_ends, const double *dashes, int n_dashes)
{
  set_line_width(d->c, width);
  set_line_cap(d->c, round_ends ? CAP_ROUND : CAP_BUTT);
  set_dash(d->c, dashes, n_dashes, 0);
  stroke(d->c);
}

void drawing_fill(Drawing *d) { fill(d->c); }

void drawing_text(Drawing *d, double x, double y, const char *text, double size, bool is_bold, double anchor,
                  double angle)
{
  TextExtents extents;
  const double below_middle = 0.35; /* the base line, in sizes: half of a capital's height */
  save(d->c);
  select_font_face(d->c, "DejaVu Sans", SLANT_NORMAL, is_bold ? 1 : 0);
  set_font_size(d->c, size);
  text_extents(d->c, text, &extents);
  translate(d->c, x, y);
  rotate(d->c, angle * (3.14159265358979323846 / 180));
  move_to(d->c, -anchor * extents.x_advance, below_middle * size);
  show_text(d->c, text);
  restore(d->c);
}

bool drawing_picture(Drawing *d, double x, double y, double width, double height, const uint8_t *rgb, int columns,
                     int rows)
{
  int stride = format_stride_for_width(FORMAT_RGB24, columns);
  uint8_t *pixels = stride > 0 ? malloc((size_t)stride * (size_t)rows) : NULL;
  if (!pixels) return false;
  for (int row = 0; row < rows; row++)
    for (int column = 0; column < columns; column++, rgb += 3) {
      uint32_t pixel = (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2];
      memcpy(pixels + (size_t)row * (size_t)stride + 4 * (size_t)column, &pixel, 4);
    }
  Surface *picture = image_surface_create_for_data(pixels, FORMAT_RGB24, columns, rows, stride);
  save(d->c);
  rectangle(d->c, x, y, width, height);
  translate(d->c, x, y);
  scale(d->c, width / columns, height / rows);
  set_source_surface(d->c, picture, 0, 0);
  pattern_set_filter(get_source(d->c), width >= columns ? FILTER_NEAREST : FILTER_GOOD);
  pattern_set_extend(get_source(d->c), EXTEND_PAD);
  fill(d->c);
  restore(d->c);
  surface_destroy(picture);
  free(pixels);
  return true;
}

/* -------------------------------------------------------------------- output */

static int append(void *closure, const unsigned char *data, unsigned n)
{
  PictureFile *f = closure;
  if (n > f->capacity - f->n) {
    size_t capacity = 2 * f->capacity + n;
    uint8_t *larger = realloc(f->bytes, capacity);
    if (!larger) return STATUS_WRITE_ERROR;
    f->bytes = larger;
    f->capacity = capacity;
  }
  memcpy(f->bytes + f->n, data, n);
  f->n += n;
  return STATUS_SUCCESS;
}

bool drawing_png(Drawing *d, PictureFile *file, char *error, size_t error_size)
{
  *file = (PictureFile){0};
  int problem = status(d->c);
  if (problem == STATUS_SUCCESS) problem = surface_write_to_png_stream(d->surface, append, file);
  if (problem == STATUS_SUCCESS) return true;
  free(file->bytes);
  text_format(error, error_size, "cairo can't draw the picture: %s", status_to_string(problem));
  return false;
}
