/* What gzip made. */
#include <stdlib.h>

#include "fuzz.h"
#include "io/gunzip.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
  uint8_t *made;
  size_t n;
  char error[256] = "";
  if (!is_gzip(bytes, size) || size > 32768) return 0; /* which may become 34 MB */
  if (gunzip(bytes, size, &made, &n, error, sizeof error)) {
    must(n <= 1032 * size);
    look_at(made, n);
    free(made);
  } else {
    must(error[0] != '\0');
  }
  return 0;
}
