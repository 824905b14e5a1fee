/* Texts whatever the host's locale is: the C locale holds meanwhile, on this thread alone. */
#define _GNU_SOURCE
#include "core/text.h"

#include <locale.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#ifdef __APPLE__
#include <xlocale.h>
#endif

/* Made once; where two threads make it at the same time, either is as good. */
static locale_t plain_locale(void)
{
  static _Atomic(locale_t) made;
  locale_t plain = atomic_load(&made);
  if (!plain) {
    plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    atomic_store(&made, plain);
  }
  return plain;
}

Locale *locale_enter_plain(void) { return (Locale *)uselocale(plain_locale()); }

void locale_leave_plain(Locale *before) { uselocale((locale_t)before); }

int text_vformat(char *text, size_t size, const char *format, va_list arguments)
{
  Locale *before = locale_enter_plain();
  int n = vsnprintf(text, size, format, arguments);
  locale_leave_plain(before);
  return n;
}

int text_format(char *text, size_t size, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  int n = text_vformat(text, size, format, arguments);
  va_end(arguments);
  return n;
}

double number_from_text(const char *text, char **end)
{
  Locale *before = locale_enter_plain();
  double value = strtod(text, end);
  locale_leave_plain(before);
  return value;
}
