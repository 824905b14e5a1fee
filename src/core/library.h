/* Shared libraries that only some calls need. Each is loaded at its first use: starting up doesn't wait for it, and who
   never calls what needs it can do without it. */
#ifndef NNLUA_CORE_LIBRARY_H
#define NNLUA_CORE_LIBRARY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/call.h"

/* A function that a library must have, and where the pointer to it is put. */
typedef struct LibraryFunction {
  const char *name;
  void *place;
} LibraryFunction;

typedef struct Library {
  const char *what;                 /* for errors: "LAPACK" */
  const char *package;              /* Debian's that has it */
  const char *const *files;         /* their names, tried in turn; NULL ends them */
  const LibraryFunction *functions; /* a row of zeros ends them */
  /* NULL, or what opens a file in the place of dlopen(file, RTLD_LAZY); returns NULL and why if it can't */
  void *(*open)(const char *file, char *why, size_t size);
  atomic_bool loaded;
} Library;

/* Loads the library unless it is there, and fills in its functions; false with the error's text, which says why it
   can't and which package has it. */
bool library_want(Library *library, char *error, size_t size);

/* The same for who can raise. */
static inline void library_load(const Call *call, Library *library)
{
  char error[400];
  if (!library_want(library, error, sizeof error)) raise(call, "%s", error);
}

/* The same for who can do without: whether it is there; if not, a text of at most `size` bytes that says why. */
bool library_try(Library *library, char *why, size_t size);

#endif
