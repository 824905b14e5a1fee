/*
 * Where readers get their bytes: a file that is read by place, one that is mapped, or memory; all of it, or a part such
 * as a member of an archive. Functions return false and leave the reason to file_error.
 */
#ifndef NNLUA_IO_SOURCE_H
#define NNLUA_IO_SOURCE_H

#include "io/mapped.h"

typedef struct Source {
  uint64_t size;
  const char *memory; /* all bytes, where they are in memory; of a mapped file, its pages */
  MappedFile *mapped; /* what to hold for as long as pages are used, or NULL */
  /* private */
  char *own;      /* malloc's */
  int descriptor; /* of a file that is read */
  bool is_whole;  /* not a part, which what it is a part of outlives */
  uint64_t begin; /* of a part: where in the file */
} Source;

/* Nothing, which can be closed. */
#define NO_SOURCE ((Source){.descriptor = -1})

bool source_open(Source *s, const char *path);
bool source_map(Source *s, const char *path, const void *owner);

/* Memory of the caller's, which outlives the source, or (own) a block of malloc that goes with it. */
Source source_of_memory(const void *memory, uint64_t size);
Source source_of_own(void *memory, uint64_t size);

/* Bytes of a source, which outlives its part. The caller has checked that they are there. */
Source source_part(const Source *whole, uint64_t begin, uint64_t size);

/* Reads all of so many bytes from a place on; fewer left than that is an error. */
bool source_read(const Source *s, void *data, uint64_t bytes, uint64_t place);

void source_close(Source *s);

#endif
