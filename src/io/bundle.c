/* The archive at the end of the executable. */
#define _GNU_SOURCE
#include "io/bundle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io/files.h"
#include "io/zip.h"

#define EXECUTABLE "/proc/self/exe"

/* Set once, by bundle_open, while the process has one thread. */
static struct {
  Source executable;
  ZipArchive archive;
  const char *program;
  size_t folder; /* length of the program's folder, with the slash */
  bool is_open;
} bundle;

bool bundle_open(const char *program)
{
  const char *slash = strrchr(program, '/');
  if (!source_map(&bundle.executable, EXECUTABLE, NULL)) return false;
  if (!zip_open(&bundle.archive, program, &bundle.executable)) return file_cut_off();
  bundle.program = program;
  bundle.folder = slash ? (size_t)(slash - program) + 1 : 0;
  bundle.is_open = true;
  return true;
}

static bool find(const char *prefix, const char *name, Source *bytes)
{
  size_t before = strlen(prefix), n = strlen(name);
  for (size_t i = 0; i < bundle.archive.count; i++) {
    const ZipMember *m = &bundle.archive.members[i];
    if (m->name_size != before + n || memcmp(m->name, prefix, before) != 0 || memcmp(m->name + before, name, n) != 0)
      continue;
    if (!zip_member(&bundle.archive, m, bytes)) return false;
    bytes->mapped = NULL; /* these pages are for all who read the file: they are no tensor's */
    return true;
  }
  return false;
}

bool bundle_member(const char *name, Source *bytes) { return bundle.is_open && find("", name, bytes); }

bool bundle_find(const char *path, Source *bytes)
{
  if (!bundle.is_open) return false;
  if (bundle.folder && strncmp(path, bundle.program, bundle.folder) == 0) path += bundle.folder;
  while (strncmp(path, "./", 2) == 0) path += 2;
  return find(BUNDLE_FILES, path, bytes);
}

bool bundle_map(const char *path, Source *bytes, const void *owner)
{
  Source whole, part;
  if (!bundle_find(path, &part) || part.own || !source_map(&whole, EXECUTABLE, owner)) return false;
  *bytes = whole;
  bytes->memory += part.memory - bundle.executable.memory;
  bytes->size = part.size;
  return true;
}

int bundle_descriptor(const char *path)
{
  Source bytes;
  if (!bundle_find(path, &bytes)) return -1;
  int descriptor = memfd_create("nnlua", MFD_CLOEXEC);
  for (uint64_t at = 0; descriptor >= 0 && at < bytes.size;) {
    ssize_t n = write(descriptor, bytes.memory + at, (size_t)(bytes.size - at));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      close(descriptor);
      descriptor = -1;
    }
    at += (uint64_t)n;
  }
  source_close(&bytes);
  if (descriptor >= 0) lseek(descriptor, 0, SEEK_SET);
  return descriptor;
}
