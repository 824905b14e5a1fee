/* PNG and JPEG pictures, by the libraries. The first byte chooses the channels, and whether the picture is turned. */
#include <stdlib.h>

#include "fuzz.h"
#include "io/picture.h"

/* A byte of a picture of single bits may become 33000 bytes of RGB and alpha: of more the blocks would be too large. */
enum { LONGEST = 1500 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
  Picture picture;
  char error[256] = "";
  if (size == 0 || size > LONGEST) return 0;
  PictureMode mode = (PictureMode)(bytes[0] % PICTURE_MODES);
  if (picture_read(bytes + 1, size - 1, mode, bytes[0] >= 128, &picture, error, sizeof error)) {
    must(picture.width > 0 && picture.height > 0 && picture.channels >= 1 && picture.channels <= 4);
    size_t pixels = (size_t)(picture.width * picture.height);
    look_at(picture.pixels, pixels * (size_t)picture.channels * (picture.is_16_bit ? 2 : 1));
    free(picture.pixels);
  } else {
    must(error[0] != '\0');
  }
  return 0;
}
