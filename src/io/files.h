/* Files read by place, and files that come to be whole or not at all. */
#ifndef NNLUA_IO_FILES_H
#define NNLUA_IO_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why the last of these functions failed. */
const char *file_error(void);

/* Sets it to that of an errno, or to that of a file without the bytes that were there; returns false. */
bool file_fail(int error);
bool file_cut_off(void);

/* Opens a regular file for reading: its descriptor and size, or -1. */
int file_open(const char *path, uint64_t *size);

/* Opens anything that is read from its start on, a pipe and a device too: its descriptor, or -1. */
int file_open_stream(const char *path);

/* Reads all of so many bytes from a place on. */
bool file_read(int descriptor, void *data, size_t bytes, uint64_t place);

/* Closes a descriptor; -1 is none. */
void file_close(int descriptor);

/* Makes a folder, and those that it is in, unless they are there. */
bool folder_make(const char *path);

/* What is in a folder, in no order, without "." and "..". The name lasts until the next one is read. */
typedef struct Folder Folder;
typedef struct FolderEntry {
  const char *name;
  bool is_folder; /* or leads to one */
} FolderEntry;
Folder *folder_open(const char *path); /* NULL if it can't be read */
bool folder_next(Folder *folder, FolderEntry *entry);
void folder_close(Folder *folder); /* NULL is none */

/* A file that is being written beside the one that it will replace. */
typedef struct NewFile {
  int descriptor;
  char *path, *target;
} NewFile;

bool new_file_open(NewFile *file, const char *path);
bool new_file_write(NewFile *file, const void *data, size_t bytes);

/* Puts it on the disk and in its place. */
bool new_file_finish(NewFile *file);

/* After a failure: leaves nothing behind. */
void new_file_abandon(NewFile *file);

#endif
