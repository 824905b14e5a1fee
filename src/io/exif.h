/* What cameras write beside a picture. */
#ifndef NNLUA_IO_EXIF_H
#define NNLUA_IO_EXIF_H

#include <stddef.h>
#include <stdint.h>

/* How EXIF data (from "MM" or "II" on) want their picture shown, 1 to 8 as their tag Orientation counts: 1, as it is,
   where they don't tell. */
int exif_orientation(const uint8_t *tiff, size_t n);

#endif
