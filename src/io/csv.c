/* Tables of numbers in text files. */
#include "io/csv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "core/blocks.h"
#include "core/interrupt.h"
#include "core/text.h"
#include "io/files.h"

enum { LONGEST_LINE = 1 << 28, NOWHERE = -1 }; /* a longer line is no table */

/* The integers that are wanted. */
typedef struct Range {
  int64_t least, most;
} Range;

typedef struct Reader {
  gzFile file;
  const char *path;
  char *text;                  /* what was read and isn't used up: text[begin..end) */
  size_t capacity, begin, end; /* there is room for a byte behind the capacity */
  bool ended, after_return;    /* whether the last line ended with '\r', which a '\n' may follow */
  int64_t line, passed, skip;  /* the line that a row begins in; how many have been read */
  char delimiter;
  const CsvOptions *options;
  int64_t *places; /* of chosen columns: by field, which column of the table it becomes, or NOWHERE */
  int64_t fields;  /* how many each row has: as many as the first */
  CsvTable *table;
  Range range;
  int64_t values, capacity_of_values;
  char *error;
  int error_size;
} Reader;

static bool failed(Reader *r, const char *what)
{
  text_format(r->error, (size_t)r->error_size, "%s: line %lld: %s", r->path, (long long)(r->line > 0 ? r->line : 1),
              what);
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
  text_format(text, sizeof text, "the file can't be read on, at byte %lld of it: %s", (long long)gzoffset(r->file),
              what);
  return failed(r, text);
}

/* Ctrl-C has been pressed where it counts: in the interpreter, which will raise. */
static bool is_interrupted(void) { return interrupt_is_requested() && interrupt_target() != NULL; }

/* gzread, which a signal doesn't end unless it is Ctrl-C. */
static int read_some(Reader *r, size_t room)
{
  for (;;) {
    int n = gzread(r->file, r->text + r->end, room < CSV_BUFFER ? (unsigned)room : CSV_BUFFER), code = Z_OK;
    if (n >= 0 || errno != EINTR || is_interrupted()) return n;
    gzerror(r->file, &code);
    if (code != Z_ERRNO) return n;
    gzclearerr(r->file);
  }
}

/* Reads more text behind what there is. */
static bool fill_buffer(Reader *r)
{
  memmove(r->text, r->text + r->begin, r->end - r->begin);
  r->end -= r->begin;
  r->begin = 0;
  if (is_interrupted()) return failed(r, "interrupted");
  if (r->end == r->capacity) {
    char *larger = r->capacity < SIZE_MAX / 2 ? realloc(r->text, 2 * r->capacity + 1) : NULL;
    if (!larger) return no_memory(r);
    r->text = larger;
    r->capacity *= 2;
  }
  size_t room = r->capacity - r->end;
  int n = read_some(r, room), code = Z_OK;
  gzerror(r->file, &code); /* a file that ends too early is told only here */
  if (n < 0 || (n == 0 && code != Z_OK && code != Z_STREAM_END)) return damaged(r);
  r->end += (size_t)n;
  r->ended = n == 0;
  return true;
}

/* What of a line has been read so far: a file of zeros, or one without ends of lines, would fill the memory. */
static bool check_unended(Reader *r, size_t from)
{
  size_t length = r->end - r->begin;
  if (memchr(r->text + r->begin + from, '\0', length - from)) return failed(r, "there are zero bytes: it is no text");
  return length <= LONGEST_LINE || failed(r, "the line has more than 268435456 bytes: it is no table");
}

/* The first end of a line in a text, "\n" or "\r"; NULL if there is none. It looks at pieces that grow: where lines end
   with "\r" alone, a look for "\n" would go through the whole text for each. */
static const char *end_of_line(const char *text, size_t n)
{
  for (size_t at = 0, piece = 32; at < n; at += piece, piece *= 2) {
    const char *from = text + at;
    size_t length = n - at < piece ? n - at : piece;
    const char *stop = memchr(from, '\n', length);
    const char *before = memchr(from, '\r', stop ? (size_t)(stop - from) : length);
    if (before || stop) return before ? before : stop;
  }
  return NULL;
}

/* Passes over the '\n' of a line that ended with "\r\n". */
static bool pass_newline(Reader *r)
{
  if (!r->after_return) return true;
  r->after_return = false;
  if (r->begin == r->end && !r->ended && !fill_buffer(r)) return false;
  r->begin += r->begin < r->end && r->text[r->begin] == '\n';
  return true;
}

/* How far a row has been looked through for quotes, and where that is. */
typedef struct Quotes {
  size_t at;
  enum { FIELD_START, PLAIN, QUOTED, BEHIND_QUOTE } place;
} Quotes;

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

/* Whether a row that has been looked through up to some place goes on in a quoted field after n bytes. */
static bool is_within_quotes(Quotes *q, const char *row, size_t n, char delimiter)
{
  if (q->at == 0 && !memchr(row, '"', n)) return false;
  for (; q->at < n; q->at++) {
    char c = row[q->at];
    if (q->place == QUOTED) q->place = c == '"' ? BEHIND_QUOTE : QUOTED;
    else if (c == delimiter) q->place = FIELD_START;
    else if (c == '"' && q->place != PLAIN) q->place = QUOTED;
    else if (q->place == BEHIND_QUOTE || !is_blank(c)) q->place = PLAIN;
  }
  return q->place == QUOTED;
}

/*
 * The next row, *n bytes without the line's end; *row is NULL at the end of the file. It is a line, or several where a
 * quoted field holds their ends; of those that are skipped a line.
 */
static bool next_row(Reader *r, char **row, size_t *n)
{
  size_t looked = 0, length;
  Quotes quotes = {0};
  const char *stop;
  if (!pass_newline(r)) return false;
  r->line = ++r->passed;
  for (;;) {
    const char *text = r->text + r->begin;
    size_t there = r->end - r->begin;
    stop = end_of_line(text + looked, there - looked);
    length = stop ? (size_t)(stop - text) : there;
    if (stop && (r->passed <= r->skip || !is_within_quotes(&quotes, text, length, r->delimiter))) break;
    if (stop) { /* a quoted field goes on behind it */
      r->passed += *stop == '\r' || length == 0 || stop[-1] != '\r';
      looked = length + 1;
    } else {
      if (r->ended) break;
      if (!check_unended(r, looked)) return false;
      looked = there;
      if (!fill_buffer(r)) return false;
    }
  }
  r->after_return = stop && *stop == '\r';
  *row = stop || length > 0 ? r->text + r->begin : NULL;
  r->begin += length + (stop != NULL);
  *n = length;
  return true;
}

/* ----------------------------------------------------------------- numbers */

/* What became of a field. */
typedef enum Field { FIELD_READ, FIELD_NO_NUMBER, FIELD_NO_INTEGER, FIELD_BEYOND } Field;

/* A field's text, without blanks and quotes. */
typedef struct Text {
  char *v;
  size_t n;
} Text;

static Text trimmed(Text t)
{
  while (t.n > 0 && is_blank(*t.v)) t.v++, t.n--;
  while (t.n > 0 && is_blank(t.v[t.n - 1])) t.n--;
  return t;
}

static Text bare(Text t)
{
  t = trimmed(t);
  bool is_quoted = t.n >= 2 && *t.v == '"' && t.v[t.n - 1] == '"';
  return is_quoted ? trimmed((Text){t.v + 1, t.n - 2}) : t;
}

/* Exact: up to 2^53, and ten to a power that is a double itself, multiplied or divided once. */
static bool simple_number(Text t, double *value)
{
  static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  bool negative = t.n > 0 && *t.v == '-';
  size_t digits = 0, after = 0;
  uint64_t mantissa = 0;
  bool point = false;
  for (size_t i = negative; i < t.n; i++) {
    if (t.v[i] == '.' && !point) {
      point = true;
    } else if (is_digit(t.v[i])) {
      mantissa = mantissa * 10 + (uint64_t)(t.v[i] - '0');
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

/* The parts of a decimal number: its digits, with a point somewhere among them or not, and its power of ten. */
typedef struct Decimal {
  bool negative;
  const char *digits;
  size_t length, whole; /* of the digits and the point; of the digits before it */
  int64_t exponent;
} Decimal;

static size_t count_digits(Text t, size_t from)
{
  size_t i = from;
  while (i < t.n && is_digit(t.v[i])) i++;
  return i - from;
}

/* Whether a text is one: [+-] digits [.digits] [e [+-] digits], with a digit before or behind the point. */
static bool read_decimal(Text t, Decimal *d)
{
  size_t i = t.n > 0 && (*t.v == '-' || *t.v == '+'), after = 0;
  *d = (Decimal){.negative = t.n > 0 && *t.v == '-', .digits = t.v + i, .whole = count_digits(t, i)};
  i += d->whole;
  if (i < t.n && t.v[i] == '.') {
    after = count_digits(t, i + 1);
    i += 1 + after;
  }
  d->length = (size_t)(t.v + i - d->digits);
  if (d->whole + after == 0) return false;
  if (i == t.n) return true;
  if (t.v[i] != 'e' && t.v[i] != 'E') return false;
  i++;
  bool below = i < t.n && t.v[i] == '-';
  if (below || (i < t.n && t.v[i] == '+')) i++;
  size_t digits = count_digits(t, i);
  for (size_t k = i; k < i + digits; k++)
    if (d->exponent < INT32_MAX) d->exponent = 10 * d->exponent + (t.v[k] - '0');
  if (below) d->exponent = -d->exponent;
  return digits > 0 && i + digits == t.n;
}

/* Whether a text is one of some words, which NULL ends, in large or small letters. */
static bool is_one_of(Text t, const char *const words[])
{
  for (; *words; words++) {
    size_t i = 0;
    while (i < t.n && (t.v[i] | 0x20) == (*words)[i]) i++; /* stops at the word's end, a zero */
    if (i == t.n && (*words)[i] == '\0') return true;
  }
  return false;
}

static bool is_word_for_number(Text t)
{
  static const char *const words[] = {"nan", "inf", "infinity", NULL};
  if (t.n > 0 && (*t.v == '-' || *t.v == '+')) t.v++, t.n--;
  return is_one_of(t, words);
}

/* What stands where there is no number. */
static bool is_word_for_nothing(Text t)
{
  static const char *const words[] = {"", "nan", "na", "n/a", "null", "none", "?", NULL};
  return is_one_of(t, words);
}

static Field read_float(Text t, double *value)
{
  Decimal d;
  if (simple_number(t, value)) return FIELD_READ;
  if (!read_decimal(t, &d) && !is_word_for_number(t)) return FIELD_NO_NUMBER;
  char behind = t.v[t.n]; /* a delimiter, the line's end, or the byte behind the buffer */
  t.v[t.n] = '\0';
  *value = number_from_text(t.v, NULL);
  t.v[t.n] = behind;
  return FIELD_READ;
}

/* Adds a digit, unless the number becomes too large. */
static bool append_digit(uint64_t *magnitude, unsigned digit)
{
  if (*magnitude > (UINT64_MAX - digit) / 10) return false;
  *magnitude = 10 * *magnitude + digit;
  return true;
}

/* To the bit: "1e3" and "2.0" are integers too. */
static Field read_integer(Text t, Range range, int64_t *value)
{
  Decimal d;
  if (!read_decimal(t, &d)) return is_word_for_number(t) ? FIELD_NO_INTEGER : FIELD_NO_NUMBER;
  int64_t point = (int64_t)d.whole + d.exponent, place = 0;
  uint64_t magnitude = 0;
  bool fits = true;
  for (size_t i = 0; i < d.length; i++) {
    if (d.digits[i] == '.') continue;
    if (place++ < point) fits = fits && append_digit(&magnitude, (unsigned)(d.digits[i] - '0'));
    else if (d.digits[i] != '0') return FIELD_NO_INTEGER;
  }
  for (; magnitude != 0 && fits && place < point; place++) fits = append_digit(&magnitude, 0);
  if (!fits || magnitude > (d.negative ? 0 - (uint64_t)range.least : (uint64_t)range.most)) return FIELD_BEYOND;
  *value = d.negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
  return FIELD_READ;
}

/* What to do about a field that is not a number. */
static const char *way_out(const Reader *r, Text t)
{
  if (is_word_for_nothing(bare(t))) return ": the option missing, nl.nan or another number, takes its place";
  if (r->table->rows == 0 && !r->options->header) return ": {header = true} takes the first line for names";
  return r->options->header && r->options->chosen_count == 0 ? ": {columns = …} chooses those of numbers" : "";
}

static bool no_field(Reader *r, Field why, int64_t field, Text t)
{
  char text[260], shown[41];
  size_t length = t.n < sizeof shown - 1 ? t.n : sizeof shown - 1;
  for (size_t i = 0; i < length; i++) shown[i] = t.v[i] >= ' ' && t.v[i] <= '~' ? t.v[i] : '?';
  shown[length] = '\0';
  const char *more = length < t.n ? "..." : "", *dtype = dtype_name(r->table->wanted);
  int n = text_format(text, sizeof text, "field %lld: '%s%s' is ", (long long)field, shown, more);
  char *rest = text + n;
  size_t room = sizeof text - (size_t)n;
  if (why == FIELD_NO_NUMBER) text_format(rest, room, "not a number%s", way_out(r, t));
  else if (why == FIELD_NO_INTEGER) text_format(rest, room, "no integer, and the dtype is %s", dtype);
  else
    text_format(rest, room, "beyond %s, which goes from %lld to %lld", dtype, (long long)r->range.least,
                (long long)r->range.most);
  return failed(r, text);
}

/* -------------------------------------------------------------------- rows */

/* The place of a value of the row that is read, for which room is made; NULL without memory. */
static CsvValue *place_of_value(Reader *r, int64_t column)
{
  int64_t at = r->values + column;
  if (at < r->capacity_of_values) return r->table->values + at;
  int64_t capacity = at < 512 ? 1024 : 2 * at;
  CsvValue *larger = capacity < INT64_MAX / 16 ? realloc(r->table->values, (size_t)capacity * sizeof *larger) : NULL;
  if (!larger) return NULL;
  r->table->values = larger;
  r->capacity_of_values = capacity;
  return larger + at;
}

/* Where a field ends that begins at a place: at the delimiter behind it, or the row's end; NULL in an open quote. */
static char *end_of_field(const Reader *r, char *at, char *end)
{
  while (at < end && is_blank(*at) && *at != r->delimiter) at++;
  if (at < end && *at == '"') {
    for (at++; (at = memchr(at, '"', (size_t)(end - at))) && at + 1 < end && at[1] == '"';) at += 2;
    if (!at) return NULL;
  }
  char *stop = memchr(at, r->delimiter, (size_t)(end - at));
  return stop ? stop : end;
}

static bool open_quote(Reader *r, int64_t field)
{
  char text[60];
  text_format(text, sizeof text, "field %lld: its quote is not closed", (long long)field);
  return failed(r, text);
}

static bool read_field(Reader *r, Text text, int64_t field, int64_t column)
{
  const CsvTable *t = r->table;
  Text inner = bare(text);
  CsvValue *value = place_of_value(r, column);
  if (!value) return no_memory(r);
  if (r->options->has_missing && is_word_for_nothing(inner)) {
    *value = r->options->missing;
    return true;
  }
  Field got = t->dtype == DTYPE_i64 ? read_integer(inner, r->range, &value->i) : read_float(inner, &value->f);
  return got == FIELD_READ || no_field(r, got, field, text);
}

static bool no_column(Reader *r, int64_t number, int64_t fields)
{
  char text[120];
  text_format(text, sizeof text, "there is no column %lld: the row has %lld fields", (long long)number,
              (long long)fields);
  return failed(r, text);
}

static bool check_fields(Reader *r, int64_t fields)
{
  if (fields == r->fields) return true;
  char text[120];
  text_format(text, sizeof text, "%lld fields, but the first row has %lld", (long long)fields, (long long)r->fields);
  return failed(r, text);
}

static bool read_row(Reader *r, char *row, size_t n)
{
  int64_t field = 0;
  for (char *at = row, *end = row + n; at <= end; field++) {
    char *stop = end_of_field(r, at, end);
    if (!stop) return open_quote(r, field + 1);
    int64_t column = !r->places ? field : field < r->fields ? r->places[field] : NOWHERE;
    if (column != NOWHERE && !read_field(r, (Text){at, (size_t)(stop - at)}, field + 1, column)) return false;
    at = stop + 1;
  }
  if (!check_fields(r, field)) return false;
  r->table->rows++;
  r->values += r->table->columns;
  return true;
}

/* ----------------------------------------------------------------- columns */

/* Takes a name out of its quotes, and puts a zero behind it; a doubled quote is one. */
static char *plain_name(Text t)
{
  t = trimmed(t);
  bool is_quoted = t.n >= 2 && *t.v == '"' && t.v[t.n - 1] == '"';
  if (is_quoted) t = (Text){t.v + 1, t.n - 2};
  size_t n = 0;
  for (size_t i = 0; i < t.n; i++) {
    t.v[n++] = t.v[i];
    i += is_quoted && t.v[i] == '"' && i + 1 < t.n && t.v[i + 1] == '"';
  }
  t.v[n] = '\0';
  return t.v;
}

static bool count_fields(Reader *r, char *row, size_t n)
{
  for (char *at = row, *end = row + n; at <= end; r->fields++) {
    char *stop = end_of_field(r, at, end);
    if (!stop) return open_quote(r, r->fields + 1);
    at = stop + 1;
  }
  return true;
}

/* The names of all fields, in a copy of the row. */
static bool read_names(Reader *r, const char *row, size_t n)
{
  CsvTable *t = r->table;
  if (memchr(row, '\0', n)) return failed(r, "there are zero bytes: it is no text");
  t->text_of_names = malloc(n + 1);
  if (!t->text_of_names) return no_memory(r);
  memcpy(t->text_of_names, row, n);
  for (char *at = t->text_of_names, *end = at + n; at <= end; r->fields++) {
    char *stop = end_of_field(r, at, end);
    if (!stop) return open_quote(r, r->fields + 1);
    char **names = realloc(t->names, (size_t)(r->fields + 1) * sizeof *names);
    if (!names) return no_memory(r);
    t->names = names;
    names[r->fields] = plain_name((Text){at, (size_t)(stop - at)});
    at = stop + 1;
  }
  return true;
}

static bool no_name(Reader *r, const char *name)
{
  char text[200];
  int n = text_format(text, sizeof text, "there is no column '%.40s'; there are ", name);
  for (int64_t i = 0; i < r->fields && n < 140; i++)
    n += text_format(text + n, sizeof text - (size_t)n, "%s'%.20s'", i > 0 ? ", " : "", r->table->names[i]);
  return failed(r, text);
}

/* The field of a chosen column, counted from 0: given by its number, or its name. */
static bool find_field(Reader *r, int64_t column, int64_t *field)
{
  const char *name = r->options->chosen_names ? r->options->chosen_names[column] : NULL;
  *field = name ? 0 : r->options->chosen[column] - 1;
  while (name && *field < r->fields && strcmp(r->table->names[*field], name) != 0) ++*field;
  if (name && *field == r->fields) return no_name(r, name);
  return true;
}

/* Works out which fields become which columns. */
static bool choose_columns(Reader *r)
{
  int64_t chosen = r->options->chosen_count;
  r->table->columns = chosen > 0 ? chosen : r->fields;
  if (chosen == 0) return true;
  r->places = malloc((size_t)r->fields * sizeof *r->places);
  if (!r->places) return no_memory(r);
  for (int64_t field = 0; field < r->fields; field++) r->places[field] = NOWHERE;
  for (int64_t column = 0; column < chosen; column++) {
    int64_t field;
    if (!find_field(r, column, &field)) return false;
    if (field >= r->fields) return no_column(r, field + 1, r->fields);
    if (r->places[field] != NOWHERE) return failed(r, "a column is chosen twice");
    r->places[field] = column;
  }
  return true;
}

/* Puts the names of the columns that there are in their order. */
static bool order_names(Reader *r)
{
  if (!r->places || !r->table->names) return true;
  char **names = malloc((size_t)r->table->columns * sizeof *names);
  if (!names) return no_memory(r);
  for (int64_t field = 0; field < r->fields; field++)
    if (r->places[field] != NOWHERE) names[r->places[field]] = r->table->names[field];
  free(r->table->names);
  r->table->names = names;
  return true;
}

/* -------------------------------------------------------------------- file */

/* What editors and Excel put before the first line: of UTF-8 it is passed over. */
static bool pass_mark(Reader *r)
{
  if (!fill_buffer(r)) return false;
  if (r->end >= 3 && memcmp(r->text, "\xEF\xBB\xBF", 3) == 0) r->begin = 3;
  bool is_utf16 = r->end >= 2 && (memcmp(r->text, "\xFF\xFE", 2) == 0 || memcmp(r->text, "\xFE\xFF", 2) == 0);
  return !is_utf16 || failed(r, "the file is UTF-16: save it as UTF-8");
}

static bool is_empty(const char *row, size_t n)
{
  for (size_t i = 0; i < n; i++)
    if (!is_blank(row[i])) return false;
  return true;
}

/* The next row that counts. */
static bool next_full_row(Reader *r, char **row, size_t *n)
{
  do {
    if (!next_row(r, row, n)) return false;
  } while (*row && (r->line <= r->skip || is_empty(*row, *n)));
  return true;
}

static bool read_rows(Reader *r)
{
  char *row;
  size_t n;
  bool header = r->options->header;
  if (!pass_mark(r) || !next_full_row(r, &row, &n)) return false;
  if (!row) {
    r->table->columns = r->options->chosen_count;
    return !header || r->options->chosen_count == 0 || failed(r, "there is no row of names");
  }
  bool is_read = header ? read_names(r, row, n) : count_fields(r, row, n);
  if (!is_read || !choose_columns(r) || !order_names(r)) return false;
  if (header && !next_full_row(r, &row, &n)) return false;
  while (row)
    if (!read_row(r, row, n) || !next_full_row(r, &row, &n)) return false;
  return true;
}

/* Integers are read as such for dtypes of integers, whose limits count; all else as floats. */
static void choose_type(Reader *r, DType wanted)
{
  r->table->wanted = wanted;
  r->table->dtype = dtype_is_integral(wanted) ? DTYPE_i64 : DTYPE_f64;
  if (!dtype_is_integral(wanted)) return;
  int64_t most = INT64_MAX >> (64 - 8 * (int)dtype_size(wanted));
  r->range = wanted == DTYPE_u8 ? (Range){0, UINT8_MAX} : (Range){-most - 1, most};
}

/* What stands for missing numbers fits into the dtype. */
static bool check_missing(Reader *r)
{
  int64_t missing = r->options->missing.i;
  if (!r->options->has_missing || r->table->dtype != DTYPE_i64) return true;
  if (missing >= r->range.least && missing <= r->range.most) return true;
  text_format(r->error, (size_t)r->error_size, "missing is beyond %s, which goes from %lld to %lld",
              dtype_name(r->table->wanted), (long long)r->range.least, (long long)r->range.most);
  return false;
}

static bool open_reader(Reader *r)
{
  int descriptor = file_open_stream(r->path);
  if (descriptor < 0) {
    text_format(r->error, (size_t)r->error_size, "%s: %s", r->path, file_error());
    return false;
  }
  r->file = gzdopen(descriptor, "rb"); /* reads what isn't compressed as it is */
  r->text = malloc(r->capacity + 1);
  if (!r->file) file_close(descriptor);
  return (r->file && r->text) || no_memory(r);
}

bool csv_read(const char *path, const CsvOptions *options, CsvTable *table, char *error, int error_size)
{
  *table = (CsvTable){0};
  Reader r = {.path = path,
              .delimiter = options->delimiter,
              .skip = options->skip_rows,
              .options = options,
              .table = table,
              .capacity = CSV_BUFFER,
              .error = error,
              .error_size = error_size};
  choose_type(&r, options->dtype);
  errno = 0;
  bool ok = check_missing(&r) && open_reader(&r) && read_rows(&r);
  free(r.text);
  free(r.places);
  if (r.file) gzclose(r.file);
  if (!ok) csv_free(table);
  return ok;
}

void csv_free(CsvTable *table)
{
  free(table->values);
  free(table->names);
  free(table->text_of_names);
  *table = (CsvTable){0};
}
