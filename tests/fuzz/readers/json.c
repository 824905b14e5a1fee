/* JSON texts. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "io/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
  Json j = {.text = malloc(size + 1), .size = size};
  if (!j.text) return 0;
  memcpy(j.text, bytes, size);
  if (is_utf8(j.text, size)) must((json_skip(&j) && json_end(&j)) == (j.problem == NULL));
  must(j.at <= size);
  free(j.text);
  return 0;
}
