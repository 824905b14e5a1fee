/*
 * Archives of the zip format, read and written: members that are stored as they are or deflated, archives and members
 * of more than 4 GB too. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
#ifndef NNLUA_IO_ZIP_H
#define NNLUA_IO_ZIP_H

#include "io/output.h"
#include "io/problem.h"
#include "io/source.h"

/* ----------------------------------------------------------------- reading */

typedef struct ZipMember {
  const char *name; /* without a zero at its end */
  size_t name_size;
  uint64_t packed, size; /* bytes in the archive, and of the member */
  uint64_t header;       /* where its own header is */
  uint32_t crc;
  uint16_t method, flags;
} ZipMember;

typedef struct ZipArchive {
  ZipMember *members; /* in the order of the archive's directory */
  size_t count;
  Problem problem;
  /* private */
  const Source *source;
  char *directory;
} ZipArchive;

/* Reads an archive's directory and checks it: no name twice, no more bytes than there are. Close it in any case. */
bool zip_open(ZipArchive *z, const char *name, const Source *source);

/* Makes a source of a member's bytes: a part of the archive's source or, of one that is deflated, memory. */
bool zip_member(ZipArchive *z, const ZipMember *member, Source *bytes);

void zip_close(ZipArchive *z);

/* ----------------------------------------------------------------- writing */

/* A piece of a member that is written. */
typedef struct ZipPiece {
  const void *data;
  size_t size;
} ZipPiece;

typedef struct ZipWriter {
  Output *output;
  /* private: the directory that comes behind all members */
  Output directory;
  uint64_t count;
} ZipWriter;

void zip_begin(ZipWriter *w, Output *output);

/* Writes a member as it is, its first byte at a multiple of 64. False: file_error. */
bool zip_add(ZipWriter *w, const char *name, size_t name_size, const ZipPiece *pieces, size_t count);

/* Writes the directory. */
bool zip_end(ZipWriter *w);

/* Frees what is left of it. */
void zip_abandon(ZipWriter *w);

#endif
