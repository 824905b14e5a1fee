/*
 * What OpenBLAS does as it is loaded depends on the environment alone. It starts threads, which spin for a while: of no
 * use here, where work is divided before BLAS is called. And it chooses its kernels by a table of processors: one that
 * is newer than the table has those of a Prescott, of 2004.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* environ */
#endif
#include "kernels/openblas.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/text.h"

#define THREADS "OPENBLAS_NUM_THREADS"
#define CORE "OPENBLAS_CORETYPE"

/* Whether it has what OpenBLAS's kernels for a Haswell need. */
static bool processor_is_haswell(void)
{
#if __x86_64__
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return false;
#endif
}

/* The name in our list, of cores without AVX2 that newer processors are taken for; NULL if it is none of them. */
static const char *older_core(const char *core)
{
  static const char *const older[] = {"Prescott", "Core2", "Nehalem", "Barcelona", "Sandybridge"};
  for (size_t i = 0; core && i < sizeof older / sizeof *older; i++)
    if (strcmp(core, older[i]) == 0) return older[i];
  return NULL;
}

/*
 * dlopen with more in the environment, which is as before when it returns. setenv would do, were it not for other
 * threads that read the environment meanwhile: it changes the list that they read and may free it. So the process has
 * another list for that time, whose memory stays.
 */
static void *open_on_one_thread(const char *file, bool as_haswell)
{
  enum { MOST = 4000 };
  static char one_thread[] = THREADS "=1", haswell[] = CORE "=Haswell", *list[MOST + 3];
  char **before = environ, **end = list;
  size_t n = 0;
  while (before && before[n]) n++;
  if (n > MOST) return dlopen(file, RTLD_LAZY);
  *end++ = one_thread;
  if (as_haswell) *end++ = haswell;
  for (size_t i = 0; i < n; i++) *end++ = before[i];
  *end = NULL;
  environ = list;
  void *library = dlopen(file, RTLD_LAZY);
  if (environ == list) {
    environ = before;
  } else { /* another thread has set a variable */
    unsetenv(THREADS);
    if (as_haswell) unsetenv(CORE);
  }
  return library;
}

/* -------------------------------------------------------------- what is opened */

static void *opened;
static const char *mistaken; /* the core that it took the processor for, if that was wrong */

/* What a function without arguments returns; NULL if the library has none of that name. */
static const char *text_of(void *library, const char *function)
{
  const char *(*get)(void);
  *(void **)&get = dlsym(library, function);
  return get ? get() : NULL;
}

/* For builds whose threads are OpenMP's, and for one that the process had before. */
static void leave_threads_to_us(void *library)
{
  void (*set_threads)(int);
  *(void **)&set_threads = dlsym(library, "openblas_set_num_threads");
  if (set_threads) set_threads(1);
}

/* It maps a buffer of 128 MB at its first call, and where it gets none it asks for it for ever. */
static bool has_room(void)
{
  enum { BUFFER = 128 << 20 };
  void *room = mmap(NULL, BUFFER, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return room != MAP_FAILED && munmap(room, BUFFER) == 0;
}

void *openblas_open(const char *file, char *why, size_t size)
{
  void *library = open_on_one_thread(file, false);
  const char *core = library ? text_of(library, "openblas_get_corename") : NULL, *older = older_core(core);
  if (older && processor_is_haswell() && !getenv(CORE)) {
    dlclose(library);
    library = open_on_one_thread(file, true);
  } else {
    older = NULL;
  }
  if (!library) {
    text_format(why, size, "%s", dlerror());
    return NULL;
  }
  if (core && !has_room()) {
    text_format(why, size, "%s: 128 MB of address space are wanted", file);
    dlclose(library);
    return NULL;
  }
  leave_threads_to_us(library);
  opened = library;
  mistaken = older;
  return library;
}

/* Its configuration reads "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ...". */
void openblas_describe(char *text, size_t size)
{
  const char *config = text_of(opened, "openblas_get_config"), *core = text_of(opened, "openblas_get_corename");
  if (!config || !core) {
    text_format(text, size, "LAPACK, not OpenBLAS's");
    return;
  }
  const char *space = strchr(config, ' '), *end = space ? strchr(space + 1, ' ') : NULL;
  int length = (int)(end ? (size_t)(end - config) : strlen(config));
  const char *before = mistaken ? ", which by itself took this processor for " : "";
  text_format(text, size, "%.*s for %s%s%s", length, config, core, before, mistaken ? mistaken : "");
}
