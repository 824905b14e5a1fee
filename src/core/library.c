/* Loads shared libraries at their first use, from whatever thread that comes. */
#include "core/library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#include "core/text.h"

static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;

/* Fills in all functions, or says which one is missing. */
static bool take_functions(const Library *l, const char *file, void *handle, char *why, size_t size)
{
  for (const LibraryFunction *f = l->functions; f->name; f++) {
    void *function = dlsym(handle, f->name);
    if (!function) {
      text_format(why, size, "%s has no function %s", file, f->name);
      return false;
    }
    memcpy(f->place, &function, sizeof function); /* POSIX: pointers to functions and to data are alike */
  }
  return true;
}

static void *open_file(const char *file, char *why, size_t size)
{
  void *handle = dlopen(file, RTLD_LAZY);
  if (!handle) text_format(why, size, "%s", dlerror());
  return handle;
}

static bool load_file(const Library *l, const char *file, char *why, size_t size)
{
  void *handle = (l->open ? l->open : open_file)(file, why, size);
  if (!handle) return false;
  if (take_functions(l, file, handle, why, size)) return true;
  dlclose(handle);
  return false;
}

/* Why the first file can't be used is what is told: the others only stand in for it. */
static bool load_any(const Library *l, char *why, size_t size)
{
  char other[200];
  for (int i = 0; l->files[i]; i++)
    if (load_file(l, l->files[i], i == 0 ? why : other, i == 0 ? size : sizeof other)) return true;
  return false;
}

bool library_try(Library *l, char *why, size_t size)
{
  if (atomic_load_explicit(&l->loaded, memory_order_acquire)) return true;
  pthread_mutex_lock(&loading);
  bool good = atomic_load_explicit(&l->loaded, memory_order_relaxed) || load_any(l, why, size);
  if (good) atomic_store_explicit(&l->loaded, true, memory_order_release);
  pthread_mutex_unlock(&loading);
  return good;
}

bool library_want(Library *l, char *error, size_t size)
{
  char why[200];
  if (library_try(l, why, sizeof why)) return true;
  text_format(error, size, "%s can't be loaded: %s (Debian has it in the package %s)", l->what, why, l->package);
  return false;
}
