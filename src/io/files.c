/* Files read by place, and files that come to be whole or not at all. */
#define _GNU_SOURCE
#include "io/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/blocks.h"
#include "core/interrupt.h"
#include "core/text.h"
#include "io/bundle.h"

enum { MOST_TRIES = 1000 };

/* What errno can't say. */
enum { ERROR_NOT_REGULAR = -1, ERROR_CUT_OFF = -2 };
static _Thread_local int last_error;

const char *file_error(void)
{
  if (last_error == ERROR_NOT_REGULAR) return "it is no regular file";
  if (last_error == ERROR_CUT_OFF) return "it has become shorter meanwhile";
  return strerror(last_error);
}

bool file_fail(int error)
{
  last_error = error;
  return false;
}

bool file_cut_off(void) { return file_fail(ERROR_CUT_OFF); }

/* ----------------------------------------------------------------- reading */

int file_open(const char *path, uint64_t *size)
{
  struct stat status;
  int descriptor = bundle_descriptor(path);
  if (descriptor < 0) descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not keep us waiting */
  if (descriptor < 0) {
    file_fail(errno);
    return -1;
  }
  int error = fstat(descriptor, &status) != 0 ? errno
              : S_ISDIR(status.st_mode)       ? EISDIR
              : S_ISREG(status.st_mode)       ? 0
                                              : ERROR_NOT_REGULAR;
  if (error) {
    file_fail(error);
    close(descriptor);
    return -1;
  }
  *size = (uint64_t)status.st_size;
  return descriptor;
}

int file_open_stream(const char *path)
{
  struct stat status;
  int descriptor = bundle_descriptor(path);
  while (descriptor < 0) {
    descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0 && (errno != EINTR || interrupt_is_requested())) break;
  }
  if (descriptor < 0) {
    file_fail(errno);
    return -1;
  }
  if (fstat(descriptor, &status) == 0 && !S_ISDIR(status.st_mode)) return descriptor;
  file_fail(EISDIR);
  close(descriptor);
  return -1;
}

bool file_read(int descriptor, void *data, size_t bytes, uint64_t place)
{
  while (bytes > 0) {
    ssize_t n = pread(descriptor, data, bytes < FILE_PIECE ? bytes : FILE_PIECE, (off_t)place);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return file_fail(n < 0 ? errno : ERROR_CUT_OFF);
    data = (char *)data + n;
    place += (uint64_t)n;
    bytes -= (size_t)n;
  }
  return true;
}

void file_close(int descriptor)
{
  if (descriptor >= 0) close(descriptor);
}

/* ----------------------------------------------------------------- folders */

bool folder_make(const char *path)
{
  char part[PATH_MAX];
  size_t n = strlen(path);
  if (n >= sizeof part) return file_fail(ENAMETOOLONG);
  for (size_t i = 1; i <= n; i++) {
    if (path[i] != '/' && path[i] != '\0') continue;
    memcpy(part, path, i);
    part[i] = '\0';
    struct stat status;
    if (mkdir(part, 0777) == 0) continue;
    const int problem = errno;
    const bool is_there = stat(part, &status) == 0;
    if (!is_there || !S_ISDIR(status.st_mode)) return file_fail(is_there ? ENOTDIR : problem);
  }
  return true;
}

Folder *folder_open(const char *path)
{
  DIR *entries = opendir(path);
  if (!entries) file_fail(errno);
  return (Folder *)entries;
}

bool folder_next(Folder *folder, FolderEntry *entry)
{
  struct stat status;
  const struct dirent *e;
  do e = readdir((DIR *)folder);
  while (e && (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0));
  if (!e) return false;
  entry->name = e->d_name;
  entry->is_folder = fstatat(dirfd((DIR *)folder), e->d_name, &status, 0) == 0 && S_ISDIR(status.st_mode);
  return true;
}

void folder_close(Folder *folder)
{
  if (folder) closedir((DIR *)folder);
}

/* ----------------------------------------------------------------- writing */

/* The path behind links, so that the file they lead to is replaced and not they. */
static bool find_target(NewFile *file, const char *path, mode_t *mode)
{
  struct stat status;
  if (stat(path, &status) == 0) {
    if (!S_ISREG(status.st_mode)) return file_fail(S_ISDIR(status.st_mode) ? EISDIR : ERROR_NOT_REGULAR);
    *mode = status.st_mode & 07777;
    file->target = realpath(path, NULL);
  } else if (errno == ENOENT) {
    *mode = 0;
    file->target = strdup(path);
  }
  return file->target || file_fail(errno);
}

/* Whether a name is one that new_file_open makes of a file's: "net.safetensors.4711-0.tmp". */
static bool is_remains(const char *name, const char *base)
{
  size_t n = strlen(base);
  if (strncmp(name, base, n) != 0 || name[n] != '.') return false;
  const char *s = name + n + 1;
  size_t process = strspn(s, "0123456789"), number = s[process] == '-' ? strspn(s + process + 1, "0123456789") : 0;
  return process > 0 && number > 0 && strcmp(s + process + 1 + number, ".tmp") == 0;
}

/* What writers that were killed have left beside a file goes away: no one has it locked any more. */
static void clear_remains(const char *target)
{
  const char *slash = strrchr(target, '/'), *base = slash ? slash + 1 : target;
  char *folder = slash ? strndup(target, (size_t)(base - target)) : strdup(".");
  DIR *entries = folder ? opendir(folder) : NULL;
  for (const struct dirent *e; entries && (e = readdir(entries));) {
    if (!is_remains(e->d_name, base)) continue;
    int descriptor = openat(dirfd(entries), e->d_name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor >= 0 && flock(descriptor, LOCK_EX | LOCK_NB) == 0) unlinkat(dirfd(entries), e->d_name, 0);
    file_close(descriptor);
  }
  if (entries) closedir(entries);
  free(folder);
}

/* Makes a file that wasn't there, and locks it for as long as its writer lives; some file systems have no locks. False
   with EEXIST if it is another's, which may be about to clear it away. */
static bool create(NewFile *file, const char *name)
{
  struct stat status;
  file->descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file->descriptor < 0) return false;
  bool is_taken = flock(file->descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  if (!is_taken && fstat(file->descriptor, &status) == 0 && status.st_nlink > 0) return true;
  close(file->descriptor);
  file->descriptor = -1;
  errno = EEXIST;
  return false;
}

bool new_file_open(NewFile *file, const char *path)
{
  mode_t mode = 0;
  *file = (NewFile){.descriptor = -1};
  if (!find_target(file, path, &mode)) return false;
  clear_remains(file->target);
  size_t room = strlen(file->target) + 64;
  char *name = malloc(room);
  if (!name) return file_fail(ENOMEM);
  for (int i = 0; i < MOST_TRIES && file->descriptor < 0; i++) {
    text_format(name, room, "%s.%ld-%d.tmp", file->target, (long)getpid(), i);
    if (!create(file, name) && errno != EEXIST) break;
  }
  if (file->descriptor < 0) {
    int error = errno;
    free(name);
    return file_fail(error);
  }
  file->path = name;
  if (mode) (void)!fchmod(file->descriptor, mode); /* as the old one; some file systems have no modes */
  return true;
}

/* write, but a limit to the size of files (ulimit -f) is an error like others: its signal, which would end the process,
   is held back and taken away. */
static ssize_t write_some(int descriptor, const void *data, size_t bytes)
{
  sigset_t limit, before, pending;
  sigemptyset(&limit);
  sigaddset(&limit, SIGXFSZ);
  pthread_sigmask(SIG_BLOCK, &limit, &before);
  ssize_t n = write(descriptor, data, bytes);
  int error = errno, got;
  if (n < 0 && error == EFBIG && sigpending(&pending) == 0 && sigismember(&pending, SIGXFSZ) == 1)
    sigwait(&limit, &got);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  errno = error;
  return n;
}

bool new_file_write(NewFile *file, const void *data, size_t bytes)
{
  while (bytes > 0) {
    ssize_t n = write_some(file->descriptor, data, bytes < FILE_PIECE ? bytes : FILE_PIECE);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return file_fail(errno);
    data = (const char *)data + n;
    bytes -= (size_t)n;
  }
  return true;
}

/* A rename is on the disk when its folder is; where folders can't be synchronised, nothing more can be done. */
static void sync_folder(const char *path)
{
  char folder[PATH_MAX];
  const char *slash = strrchr(path, '/');
  size_t n = slash == path ? 1 : slash ? (size_t)(slash - path) : 0;
  if (n >= sizeof folder) return;
  memcpy(folder, n ? path : ".", n ? n : 1);
  folder[n ? n : 1] = '\0';
  int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  (void)!fsync(descriptor);
  close(descriptor);
}

bool new_file_finish(NewFile *file)
{
  int descriptor = file->descriptor;
  if (fsync(descriptor) != 0 && errno != EINVAL && errno != ENOTSUP) return file_fail(errno);
  file->descriptor = -1;
  if (close(descriptor) != 0) return file_fail(errno);
  if (rename(file->path, file->target) != 0) return file_fail(errno);
  sync_folder(file->target);
  free(file->path);
  free(file->target);
  *file = (NewFile){.descriptor = -1};
  return true;
}

void new_file_abandon(NewFile *file)
{
  file_close(file->descriptor);
  if (file->path) unlink(file->path);
  free(file->path);
  free(file->target);
  *file = (NewFile){.descriptor = -1};
}
