/*
 * Texts whatever the locale: a host may have set one whose decimals have a comma or whose letters have accents, and the
 * C library's functions follow it. All of nnlua writes and reads numbers with these (tests/spec/tree_spec.lua looks).
 */
#ifndef NNLUA_CORE_TEXT_H
#define NNLUA_CORE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* snprintf and vsnprintf. */
int text_format(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
int text_vformat(char *text, size_t size, const char *format, va_list arguments) __attribute__((format(printf, 3, 0)));

/* The letters, digits and spaces of ASCII. */
static inline bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static inline bool is_letter(char c) { return is_upper(c) || (c >= 'a' && c <= 'z'); }
static inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
static inline bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* The number that a text begins with, as strtod reads it; *end is where it ends. */
double number_from_text(const char *text, char **end);

/*
 * For functions of others that write or read numbers: between these two calls they do it with a point, on this thread
 * alone. Nothing in between may leave by a jump.
 */
typedef struct Locale Locale;
Locale *locale_enter_plain(void);
void locale_leave_plain(Locale *before);

#endif
