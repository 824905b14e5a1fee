/* The texts of errors that readers and writers of files give. */
#include "io/problem.h"

#include <stdarg.h>
#include <string.h>

#include "core/text.h"

bool problem_is(Problem *p, const char *format, ...)
{
  va_list arguments;
  int n = text_format(p->text, PROBLEM_SIZE, "%s: ", p->name);
  va_start(arguments, format);
  if (n >= 0 && n < PROBLEM_SIZE) text_vformat(p->text + n, (size_t)(PROBLEM_SIZE - n), format, arguments);
  va_end(arguments);
  return false;
}

bool problem_no_memory(Problem *p) { return problem_is(p, "not enough memory"); }

Shown shown(const char *name, size_t n)
{
  Shown s;
  size_t kept = n < SHOWN ? n : SHOWN;
  for (size_t i = 0; i < kept; i++) s.text[i] = (unsigned char)name[i] < 0x20 ? '?' : name[i];
  strcpy(s.text + kept, kept < n ? "..." : "");
  return s;
}
