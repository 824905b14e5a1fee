/* Pictures that are drawn: lines, areas, texts and other pictures, by cairo, which is loaded when one is begun. */
#ifndef NNLUA_IO_DRAWING_H
#define NNLUA_IO_DRAWING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/picture.h"

typedef struct Drawing Drawing;

/* One of width x height units, each of them `scale` pixels. NULL with the error's text if it can't be. */
Drawing *drawing_new(int width, int height, double scale, char *error, size_t error_size);
void drawing_free(Drawing *drawing);

/* What is drawn from now on has this colour, of parts from 0 to 1. */
void drawing_color(Drawing *drawing, double red, double green, double blue, double alpha);

/* A path is begun by the first move or rectangle after it was stroked or filled. */
void drawing_move(Drawing *drawing, double x, double y);
void drawing_line(Drawing *drawing, double x, double y);
void drawing_rectangle(Drawing *drawing, double x, double y, double width, double height);

/* Lines along the path; their ends are round or cut, `dashes` are the lengths of strokes and gaps in turn. */
void drawing_stroke(Drawing *drawing, double width, bool round_ends, const double *dashes, int n_dashes);
void drawing_fill(Drawing *drawing);

/* A text in UTF-8 whose middle is at a height and of whose width `anchor` (0 to 1) lies before x, turned by an angle in
   degrees. */
void drawing_text(Drawing *drawing, double x, double y, const char *text, double size, bool is_bold, double anchor,
                  double angle);

/* A picture, rows of bytes red, green, blue, stretched over a rectangle; false if there is no memory for it. */
bool drawing_picture(Drawing *drawing, double x, double y, double width, double height, const uint8_t *rgb, int columns,
                     int rows);

/* The picture as a PNG file, whose bytes are malloc's; false with the error's text. */
bool drawing_png(Drawing *drawing, PictureFile *file, char *error, size_t error_size);

#endif
