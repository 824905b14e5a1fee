/* Reading JSON in place: a cursor over a text, which strings are decoded in. */
#ifndef NNLUA_IO_JSON_H
#define NNLUA_IO_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct JsonText { const char *v; size_t n; } JsonText;

/* `problem` is what was wrong where the cursor stands, or NULL; after one, nothing more can be read. */
typedef struct Json { char *text; size_t size, at; const char *problem; } Json;

/* Whether text is UTF-8: no overlong forms, no surrogates. */
bool is_utf8(const char *text, size_t n);

/* Passes over a sign such as '{', with white space before it; false, without a problem, if something else is there. */
bool json_take(Json *j, char sign);

/* The same, but its absence is a problem. */
bool json_expect(Json *j, char sign);

/* A string, decoded where it stands: it may hold zeros. */
bool json_string(Json *j, JsonText *text);

/* An integer from 0 on, without fraction and exponent, that fits. */
bool json_unsigned(Json *j, uint64_t *value);

/* Passes over any value; a problem if it is nested deeper than a few dozen. */
bool json_skip(Json *j);

/* Whether nothing but white space is left; a problem otherwise. */
bool json_end(Json *j);

#endif
