/* Where writers put their bytes: a file that is there whole or not at all, or memory. */
#ifndef NNLUA_IO_OUTPUT_H
#define NNLUA_IO_OUTPUT_H

#include "io/files.h"

typedef struct Output {
  char *memory; /* malloc's */
  size_t size;  /* how many bytes were written */
  /* private */
  bool is_file;
  NewFile file;
  size_t capacity;
} Output;

/* Begins a file, or memory if there is no path. These return false and leave the reason to file_error. */
bool output_open(Output *o, const char *path);
bool output_write(Output *o, const void *data, size_t bytes);

/* Puts a file on the disk and in its place. Memory stays until the output is closed. */
bool output_finish(Output *o);

/* Frees everything; a file that isn't finished leaves nothing behind. */
void output_close(Output *o);

#endif
