/* Mapped files, and the signal that comes where their pages can't be read. */
#define _GNU_SOURCE
#include "io/mapped.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/interrupt.h"
#include "core/text.h"
#include "io/files.h"

/* What the handler looks at: one for each mapped file, never freed, used again when a file is closed. */
typedef struct Watched {
  atomic_uintptr_t begin, end; /* begin is 0 of a file that is closed */
  atomic_bool is_lost;         /* until the owner is told, be the file closed or not */
  char *path;                  /* NULL while it is free */
  const void *owner;
  struct Watched *next;
} Watched;

static _Atomic(Watched *) all_watched;
static pthread_mutex_t watched_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t handler_once = PTHREAD_ONCE_INIT;
static struct sigaction others_action;
static uintptr_t page_size;

/* ------------------------------------------------------------------ signal */

/* Puts zeros where pages of a mapped file were, from an address to the file's end. */
static bool cover(uintptr_t address)
{
  for (Watched *w = atomic_load(&all_watched); w; w = w->next) {
    uintptr_t begin = atomic_load(&w->begin), end = atomic_load(&w->end);
    if (!begin || address < begin || address >= end) continue;
    uintptr_t page = address & ~(page_size - 1);
    if (mmap((void *)page, end - page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)
        == MAP_FAILED)
      return false;
    atomic_store(&w->is_lost, true);
    request_make(REQUEST_LOST_FILE);
    return true;
  }
  return false;
}

/* What is no page of ours is for who handled the signal before; without anyone the access is tried again, and ends the
   process. */
static void handle_bus_error(int number, siginfo_t *info, void *context)
{
  int error = errno;
  bool is_ours = cover((uintptr_t)info->si_addr);
  errno = error;
  if (is_ours) return;
  if (others_action.sa_flags & SA_SIGINFO) others_action.sa_sigaction(number, info, context);
  else if (others_action.sa_handler != SIG_DFL && others_action.sa_handler != SIG_IGN) others_action.sa_handler(number);
  else sigaction(SIGBUS, &others_action, NULL);
}

static void install_handler(void)
{
  struct sigaction action = {.sa_sigaction = handle_bus_error, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigemptyset(&action.sa_mask);
  page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
  sigaction(SIGBUS, &action, &others_action);
}

/* ------------------------------------------------------------------- files */

/* A record that is free, or a new one. */
static Watched *take_watched(void)
{
  Watched *w = atomic_load(&all_watched);
  while (w && w->path) w = w->next;
  if (w) return w;
  w = calloc(1, sizeof *w);
  if (!w) return NULL;
  w->next = atomic_load(&all_watched);
  atomic_store(&all_watched, w);
  return w;
}

static Watched *watch(const MappedFile *file, const char *path, const void *owner)
{
  char *copy = strdup(path);
  pthread_mutex_lock(&watched_lock);
  Watched *w = copy ? take_watched() : NULL;
  if (w) {
    w->path = copy;
    w->owner = owner;
    atomic_store(&w->is_lost, false);
    atomic_store(&w->end, (uintptr_t)file->data + file->size);
    atomic_store(&w->begin, (uintptr_t)file->data);
  }
  pthread_mutex_unlock(&watched_lock);
  if (!w) free(copy);
  return w;
}

/* Frees the record of a file that is closed, unless there is something to tell. */
static void free_if_done(Watched *w)
{
  if (atomic_load(&w->begin) || atomic_load(&w->is_lost)) return;
  free(w->path);
  w->path = NULL;
}

static void unwatch(Watched *w)
{
  pthread_mutex_lock(&watched_lock);
  atomic_store(&w->begin, 0);
  free_if_done(w);
  pthread_mutex_unlock(&watched_lock);
}

/* The pages of a file; without a reserve of memory, for most of them are never written to. */
static bool map(MappedFile *file, int descriptor)
{
  if (file->size == 0) return true;
  if (file->size > SIZE_MAX) return file_fail(EFBIG);
  void *data = mmap(NULL, (size_t)file->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, descriptor, 0);
  if (data == MAP_FAILED) return file_fail(errno);
  file->data = data;
  return true;
}

MappedFile *mapped_file_open(const char *path, const void *owner)
{
  pthread_once(&handler_once, install_handler);
  MappedFile *file = calloc(1, sizeof *file);
  if (!file) {
    file_fail(ENOMEM);
    return NULL;
  }
  file->refs = 1;
  int descriptor = file_open(path, &file->size);
  bool well = descriptor >= 0 && map(file, descriptor);
  file_close(descriptor);
  if (well && file->data) {
    file->watched = watch(file, path, owner);
    if (!file->watched) well = file_fail(ENOMEM);
  }
  if (well) return file;
  mapped_file_release(file);
  return NULL;
}

MappedFile *mapped_file_retain(MappedFile *file)
{
  file->refs++;
  return file;
}

void mapped_file_release(MappedFile *file)
{
  if (--file->refs) return;
  if (file->watched) unwatch(file->watched);
  if (file->data) munmap(file->data, (size_t)file->size);
  free(file);
}

void mapped_file_unlink(void *file, void *data)
{
  (void)data;
  mapped_file_release(file);
}

bool mapped_file_lost(const void *owner, char *path, size_t size)
{
  bool is_lost = false, others = false;
  pthread_mutex_lock(&watched_lock);
  request_withdraw(REQUEST_LOST_FILE); /* before looking: what is lost from now on makes it again */
  for (Watched *w = atomic_load(&all_watched); w; w = w->next) {
    if (!atomic_load(&w->is_lost)) continue;
    if (is_lost || w->owner != owner) {
      others = true;
      continue;
    }
    atomic_store(&w->is_lost, false);
    text_format(path, size, "%s", w->path);
    free_if_done(w);
    is_lost = true;
  }
  if (others) request_make(REQUEST_LOST_FILE);
  pthread_mutex_unlock(&watched_lock);
  return is_lost;
}
