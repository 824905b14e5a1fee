/*
 * Reading JSON in place: a cursor over a text, which strings are decoded in. It needs no memory however large a text
 * is; who reads makes of the values what it wants.
 */
#ifndef NNLUA_IO_JSON_H
#define NNLUA_IO_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct JsonText {
  const char *v;
  size_t n;
} JsonText;

/*
 * `text` may be written to, and one byte behind it. `problem` is what was wrong where the cursor stands, or NULL; after
 * one, nothing more can be read.
 */
typedef struct Json {
  char *text;
  size_t size, at;
  int depth;
  const char *problem;
} Json;

/* What may stand at the cursor. */
typedef enum JsonKind {
  JSON_NOTHING,
  JSON_OBJECT,
  JSON_LIST,
  JSON_STRING,
  JSON_NUMBER,
  JSON_TRUE,
  JSON_FALSE,
  JSON_NULL
} JsonKind;

/* Whether text is UTF-8: no overlong forms, no surrogates. */
bool is_utf8(const char *text, size_t n);

/* Notes a problem, if there is none yet; returns false. */
bool json_fail(Json *j, const char *problem);

/* What comes next, after white space: by its first signs. */
JsonKind json_kind(Json *j);

/* Passes over a sign such as '{', with white space before it; false, without a problem, if something else is there. */
bool json_take(Json *j, char sign);

/* The same, but its absence is a problem. */
bool json_expect(Json *j, char sign);

/* A string, decoded where it stands: it may hold zeros. */
bool json_string(Json *j, JsonText *text);

/* The sign that begins an object or a list; a problem if too many are open. */
bool json_open(Json *j, char sign);

/*
 * Passes over what stands before the next entry of an object or a list, and says whether there is one: if not, its end
 * has been passed over too, or there is a problem. `for (bool first = true; json_entry(j, ']', first); first = false)`
 */
bool json_entry(Json *j, char end, bool first);

/* A number as it is written, and whether it has neither fraction nor exponent. */
bool json_number(Json *j, JsonText *digits, bool *is_integer);

/* An integer from 0 on, without fraction and exponent, that fits. */
bool json_unsigned(Json *j, uint64_t *value);

/* Passes over any value. */
bool json_skip(Json *j);

/* Whether nothing but white space is left; a problem otherwise. */
bool json_end(Json *j);

#endif
