/* What is wrong with a file, as the user reads it: "net.pt: it is cut off". */
#ifndef NNLUA_IO_PROBLEM_H
#define NNLUA_IO_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>

enum { PROBLEM_SIZE = 1024, SHOWN = 80 };

typedef struct Problem {
  const char *name; /* of the file; the caller's */
  char text[PROBLEM_SIZE];
} Problem;

/* Sets the text, with the file's name before it; returns false. */
bool problem_is(Problem *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

bool problem_no_memory(Problem *p);

/* A name from a file for a message: its beginning, with what can't be shown as '?'. */
typedef struct Shown {
  char text[SHOWN + 4];
} Shown;

Shown shown(const char *name, size_t n);

#endif
