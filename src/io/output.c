/* Bytes that are written to a new file or to memory. */
#include "io/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool output_open(Output *o, const char *path)
{
  *o = (Output){.is_file = path != NULL, .file.descriptor = -1};
  return !path || new_file_open(&o->file, path);
}

bool output_write(Output *o, const void *data, size_t bytes)
{
  if (o->is_file) {
    o->size += bytes;
    return new_file_write(&o->file, data, bytes);
  }
  if (o->capacity - o->size < bytes) {
    size_t capacity = o->size + o->size / 2 + bytes + 256;
    char *larger = realloc(o->memory, capacity);
    if (!larger) return file_fail(ENOMEM);
    o->memory = larger;
    o->capacity = capacity;
  }
  if (bytes) memcpy(o->memory + o->size, data, bytes);
  o->size += bytes;
  return true;
}

bool output_finish(Output *o) { return !o->is_file || new_file_finish(&o->file); }

void output_close(Output *o)
{
  if (o->is_file) new_file_abandon(&o->file);
  free(o->memory);
  *o = (Output){.file.descriptor = -1};
}
