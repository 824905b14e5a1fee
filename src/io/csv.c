/* Tables of numbers in text files. */
#include "io/csv.h"

#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "core/blocks.h"

enum { LONGEST_NUMBER = 400 };

typedef struct Reader {
  gzFile file;
  const char *path;
  char *text; /* what was read and isn't used up: text[begin..end) */
  size_t capacity, begin, end;
  bool ended;
  int64_t line, skip;
  char delimiter;
  CsvTable *table;
  int64_t values, capacity_of_values;
  char *error;
  int error_size;
} Reader;

static bool failed(Reader *r, const char *what)
{
  snprintf(r->error, (size_t)r->error_size, "%s: line %lld: %s", r->path, (long long)r->line, what);
  return false;
}

static bool no_memory(Reader *r) { return failed(r, "not enough memory"); }

/* ------------------------------------------------------------------- lines */

static bool damaged(Reader *r)
{
  int code = 0;
  const char *what = gzerror(r->file, &code);
  if (code == Z_ERRNO) what = strerror(errno);
  if (code == Z_BUF_ERROR) what = "the compressed file ends too early";
  char text[256];
  snprintf(text, sizeof text, "the file can't be read on, at byte %lld of it: %s", (long long)gzoffset(r->file), what);
  return failed(r, text);
}

/* Reads more text behind what there is. */
static bool fill_buffer(Reader *r)
{
  memmove(r->text, r->text + r->begin, r->end - r->begin);
  r->end -= r->begin;
  r->begin = 0;
  if (r->end == r->capacity) {
    char *larger = r->capacity < SIZE_MAX / 2 ? realloc(r->text, 2 * r->capacity) : NULL;
    if (!larger) return no_memory(r);
    r->text = larger;
    r->capacity *= 2;
  }
  size_t room = r->capacity - r->end;
  int n = gzread(r->file, r->text + r->end, room < CSV_BUFFER ? (unsigned)room : CSV_BUFFER);
  int code = Z_OK;
  gzerror(r->file, &code); /* a file that ends too early is told only here */
  if (n < 0 || (n == 0 && code != Z_OK && code != Z_STREAM_END)) return damaged(r);
  r->end += (size_t)n;
  r->ended = n == 0;
  return true;
}

/* The next line without its end, *n bytes; *line is NULL at the end of the file. */
static bool next_line(Reader *r, const char **line, size_t *n)
{
  size_t looked = 0;
  const char *stop = NULL;
  r->line++;
  while (!(stop = memchr(r->text + r->begin + looked, '\n', r->end - r->begin - looked)) && !r->ended) {
    looked = r->end - r->begin;
    if (!fill_buffer(r)) return false;
  }
  size_t length = stop ? (size_t)(stop - (r->text + r->begin)) : r->end - r->begin;
  *line = stop || length > 0 ? r->text + r->begin : NULL;
  r->begin += length + (stop != NULL);
  *n = length > 0 && (*line)[length - 1] == '\r' ? length - 1 : length;
  return true;
}

/* ----------------------------------------------------------------- numbers */

/* Exact: up to 2^53, and ten to a power that is a double itself, multiplied or divided once. */
static bool simple_number(const char *s, size_t n, double *value)
{
  static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  bool negative = n > 0 && *s == '-';
  size_t i = negative, digits = 0, after = 0;
  uint64_t mantissa = 0;
  bool point = false;
  for (; i < n; i++) {
    if (s[i] == '.' && !point) {
      point = true;
    } else if (s[i] >= '0' && s[i] <= '9') {
      mantissa = mantissa * 10 + (uint64_t)(s[i] - '0');
      after += point;
      if (++digits > 15) return false;
    } else {
      return false;
    }
  }
  if (digits == 0) return false;
  *value = (double)mantissa / powers[after];
  if (negative) *value = -*value;
  return true;
}

/* Whatever strtod takes, with a point whatever the locale says. */
static bool any_number(const char *s, size_t n, double *value)
{
  char text[LONGEST_NUMBER + 1];
  if (n == 0 || n > LONGEST_NUMBER || memchr(s, 0, n)) return false;
  memcpy(text, s, n);
  text[n] = 0;
  char *point = strchr(text, '.'), *stop;
  if (point) *point = *localeconv()->decimal_point;
  *value = strtod(text, &stop);
  return stop == text + n;
}

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

/* The number in a field, which may have blanks and quotes around it. */
static bool parse_number(const char *s, size_t n, double *value)
{
  while (n > 0 && is_blank(*s)) s++, n--;
  while (n > 0 && is_blank(s[n - 1])) n--;
  if (n >= 2 && *s == '"' && s[n - 1] == '"') s++, n -= 2;
  return simple_number(s, n, value) || any_number(s, n, value);
}

static bool no_number(Reader *r, int64_t field, const char *s, size_t n)
{
  char text[120], shown[41];
  size_t length = n < sizeof shown - 1 ? n : sizeof shown - 1;
  for (size_t i = 0; i < length; i++) shown[i] = isprint((unsigned char)s[i]) ? s[i] : '?';
  shown[length] = 0;
  snprintf(text, sizeof text, "field %lld: '%s%s' is not a number", (long long)field, shown, length < n ? "..." : "");
  return failed(r, text);
}

/* -------------------------------------------------------------------- rows */

static bool add_value(Reader *r, double value)
{
  if (r->values == r->capacity_of_values) {
    int64_t capacity = r->capacity_of_values ? 2 * r->capacity_of_values : 1024;
    double *larger = capacity < INT64_MAX / 16 ? realloc(r->table->values, (size_t)capacity * sizeof *larger) : NULL;
    if (!larger) return no_memory(r);
    r->table->values = larger;
    r->capacity_of_values = capacity;
  }
  r->table->values[r->values++] = value;
  return true;
}

static bool read_row(Reader *r, const char *line, size_t n)
{
  int64_t fields = 0;
  for (const char *at = line, *end = line + n; at <= end;) {
    const char *stop = memchr(at, r->delimiter, (size_t)(end - at));
    size_t length = (size_t)((stop ? stop : end) - at);
    double value;
    fields++;
    if (!parse_number(at, length, &value)) return no_number(r, fields, at, length);
    if (!add_value(r, value)) return false;
    at += length + 1;
  }
  CsvTable *t = r->table;
  if (t->rows == 0) t->columns = fields;
  if (fields != t->columns) {
    char text[120];
    snprintf(text, sizeof text, "%lld fields, but the first row has %lld", (long long)fields, (long long)t->columns);
    return failed(r, text);
  }
  t->rows++;
  return true;
}

static bool read_rows(Reader *r)
{
  const char *line;
  size_t n;
  for (;;) {
    if (!next_line(r, &line, &n)) return false;
    if (!line) return true;
    bool empty = true;
    for (size_t i = 0; i < n && empty; i++) empty = is_blank(line[i]);
    if (r->line <= r->skip || empty) continue;
    if (!read_row(r, line, n)) return false;
  }
}

bool csv_read(const char *path, char delimiter, int64_t skip_rows, CsvTable *table, char *error, int error_size)
{
  *table = (CsvTable){0};
  Reader r = {.path = path,
              .delimiter = delimiter,
              .skip = skip_rows,
              .table = table,
              .capacity = CSV_BUFFER,
              .error = error,
              .error_size = error_size};
  errno = 0;
  r.file = gzopen(path, "rb"); /* reads what isn't compressed as it is */
  if (!r.file) {
    snprintf(error, (size_t)error_size, "%s: %s", path, errno ? strerror(errno) : "not enough memory");
    return false;
  }
  r.text = malloc(r.capacity);
  bool ok = r.text ? read_rows(&r) : no_memory(&r);
  free(r.text);
  gzclose(r.file);
  if (!ok) {
    free(table->values);
    table->values = NULL;
  }
  return ok;
}
