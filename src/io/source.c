/* Bytes of files, of mapped files and of memory, read in one way. */
#include "io/source.h"

#include <stdlib.h>
#include <string.h>

#include "io/bundle.h"
#include "io/files.h"

bool source_open(Source *s, const char *path)
{
  if (bundle_find(path, s)) return true;
  *s = NO_SOURCE;
  s->is_whole = true;
  s->descriptor = file_open(path, &s->size);
  return s->descriptor >= 0;
}

bool source_map(Source *s, const char *path, const void *owner)
{
  if (bundle_map(path, s, owner)) return true;
  *s = NO_SOURCE;
  s->is_whole = true;
  s->mapped = mapped_file_open(path, owner);
  if (!s->mapped) return false;
  s->memory = s->mapped->data;
  s->size = s->mapped->size;
  return true;
}

Source source_of_memory(const void *memory, uint64_t size)
{
  return (Source){.size = size, .memory = memory, .descriptor = -1};
}

Source source_of_own(void *memory, uint64_t size)
{
  return (Source){.size = size, .memory = memory, .own = memory, .descriptor = -1, .is_whole = true};
}

Source source_part(const Source *whole, uint64_t begin, uint64_t size)
{
  Source part = *whole;
  part.size = size;
  part.begin += begin;
  if (part.memory) part.memory += begin;
  part.is_whole = false;
  part.own = NULL;
  return part;
}

bool source_read(const Source *s, void *data, uint64_t bytes, uint64_t place)
{
  if (place > s->size || bytes > s->size - place) return file_cut_off();
  if (bytes == 0) return true;
  if (!s->memory) return file_read(s->descriptor, data, (size_t)bytes, s->begin + place);
  memcpy(data, s->memory + place, (size_t)bytes);
  return true;
}

void source_close(Source *s)
{
  free(s->own);
  if (s->is_whole && s->mapped) mapped_file_release(s->mapped);
  if (s->is_whole) file_close(s->descriptor);
  *s = NO_SOURCE;
}
