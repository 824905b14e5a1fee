/*
 * Files that go with the running program: a zip archive at the end of its executable, where `nnlua build` has put it.
 * Whoever opens a file by its path finds them there. Their bytes are pages of the executable.
 */
#ifndef NNLUA_IO_BUNDLE_H
#define NNLUA_IO_BUNDLE_H

#include "io/source.h"

/* Where an archive has the files: those that scripts open lie in a folder of their own. */
#define BUNDLE_FILES "files/"

/*
 * Opens the archive of this process's executable; once, before all else. Paths that begin with the folder that the
 * program was started by are looked for without it. False: file_error tells why.
 */
bool bundle_open(const char *program);

/* The bytes of a member of this name; whether there is one. */
bool bundle_member(const char *name, Source *bytes);

/* The same of the file that a path names; without a bundle there is none. */
bool bundle_find(const char *path, Source *bytes);

/* The same over pages of its own, as source_map has it: what is written there is seen nowhere else. */
bool bundle_map(const char *path, Source *bytes, const void *owner);

/* A descriptor of a copy of such a file, for who reads by one; -1 if there is none. */
int bundle_descriptor(const char *path);

#endif
