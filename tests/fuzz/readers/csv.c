/* Tables of numbers, plain and compressed with gzip. The first byte chooses dtype and delimiter. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/text.h"
#include "fuzz.h"
#include "io/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
  static int file = -1;
  char path[64], error[256];
  CsvTable table = {0};
  if (file < 0) file = memfd_create("fuzz", 0);
  if (size == 0 || ftruncate(file, 0) != 0 || pwrite(file, bytes + 1, size - 1, 0) != (ssize_t)size - 1) return 0;
  CsvOptions options = {.delimiter = ",;\t "[bytes[0] & 3], .dtype = (DType)((bytes[0] >> 2) % DTYPE_COUNT)};
  text_format(path, sizeof path, "/proc/self/fd/%d", file);
  if (csv_read(path, &options, &table, error, sizeof error))
    look_at(table.values, (size_t)(table.rows * table.columns) * 8);
  free(table.values);
  return 0;
}
