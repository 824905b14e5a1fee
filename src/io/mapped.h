/*
 * Files whose bytes lie in memory as pages, which the system reads when they are first touched. The pages are private:
 * what is written to them never reaches the file. A mapped file is counted, so that storages can hold it.
 *
 * Where a page can't be read (another program has cut the file off, or the disk fails), the system sends a signal.
 * It is caught here: from that page on zeros stand in memory, the owner is noted, and core/interrupt.h has a request,
 * for who calls into the core next to raise an error.
 */
#ifndef NNLUA_IO_MAPPED_H
#define NNLUA_IO_MAPPED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct MappedFile {
  char *data; /* NULL of an empty file */
  uint64_t size;
  /* private */
  uint32_t refs; /* of the one state that it belongs to */
  struct Watched *watched;
} MappedFile;

/* Maps a regular file, with one reference; NULL if it can't be (file_error). The owner is who is told of damage. */
MappedFile *mapped_file_open(const char *path, const void *owner);

MappedFile *mapped_file_retain(MappedFile *file);
void mapped_file_release(MappedFile *file);

/* The same as a storage calls it: tensor_from_memory(…, mapped_file_unlink, file). */
void mapped_file_unlink(void *file, void *data);

/* Whether a file of an owner has lost pages since it was last asked; then copies its path into `path`. */
bool mapped_file_lost(const void *owner, char *path, size_t size);

#endif
