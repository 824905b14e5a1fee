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

enum { LONGEST_LINE = 1 << 28 }; /* what is longer is no table */

/* The integers that are wanted. */
typedef struct Range {
  int64_t least, most;
} Range;

typedef struct Reader {
  gzFile file;
  const char *path;
  char *text;                  /* what was read and isn't used up: text[begin..end) */
  size_t capacity, begin, end; /* there is room for a byte behind the capacity */
  bool ended;
  int64_t line, skip;
  char delimiter;
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

/* The next line without its end, *n bytes; *line is NULL at the end of the file. */
static bool next_line(Reader *r, char **line, size_t *n)
{
  size_t looked = 0;
  char *stop = NULL;
  r->line++;
  while (!(stop = memchr(r->text + r->begin + looked, '\n', r->end - r->begin - looked)) && !r->ended) {
    if (!check_unended(r, looked)) return false;
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

/* What became of a field. */
typedef enum Field { FIELD_READ, FIELD_NO_NUMBER, FIELD_NO_INTEGER, FIELD_BEYOND } Field;

/* A field's text, without blanks and quotes. */
typedef struct Text {
  char *v;
  size_t n;
} Text;

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

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

/* "nan", "inf" and "infinity", in large or small letters. */
static bool is_word_for_number(Text t)
{
  static const char *const words[] = {"nan", "inf", "infinity"};
  if (t.n > 0 && (*t.v == '-' || *t.v == '+')) t.v++, t.n--;
  for (size_t w = 0; w < sizeof words / sizeof *words; w++) {
    size_t i = 0;
    while (i < t.n && (t.v[i] | 0x20) == words[w][i]) i++; /* stops at the word's end, a zero */
    if (i == t.n && words[w][i] == '\0' && i > 0) return true;
  }
  return false;
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

static bool no_field(Reader *r, Field why, int64_t field, Text t)
{
  char text[200], shown[41];
  size_t length = t.n < sizeof shown - 1 ? t.n : sizeof shown - 1;
  for (size_t i = 0; i < length; i++) shown[i] = t.v[i] >= ' ' && t.v[i] <= '~' ? t.v[i] : '?';
  shown[length] = '\0';
  const char *more = length < t.n ? "..." : "", *dtype = dtype_name(r->table->wanted);
  int n = text_format(text, sizeof text, "field %lld: '%s%s' is ", (long long)field, shown, more);
  char *rest = text + n;
  size_t room = sizeof text - (size_t)n;
  if (why == FIELD_NO_NUMBER) text_format(rest, room, "not a number");
  else if (why == FIELD_NO_INTEGER) text_format(rest, room, "no integer, and the dtype is %s", dtype);
  else
    text_format(rest, room, "beyond %s, which goes from %lld to %lld", dtype, (long long)r->range.least,
                (long long)r->range.most);
  return failed(r, text);
}

/* -------------------------------------------------------------------- rows */

/* Makes room for one value more. */
static bool grow(Reader *r)
{
  if (r->values < r->capacity_of_values) return true;
  int64_t capacity = r->capacity_of_values ? 2 * r->capacity_of_values : 1024;
  CsvValue *larger = capacity < INT64_MAX / 16 ? realloc(r->table->values, (size_t)capacity * sizeof *larger) : NULL;
  if (!larger) return no_memory(r);
  r->table->values = larger;
  r->capacity_of_values = capacity;
  return true;
}

static bool read_row(Reader *r, char *line, size_t n)
{
  CsvTable *t = r->table;
  int64_t fields = 0;
  for (char *at = line, *end = line + n; at <= end;) {
    const char *stop = memchr(at, r->delimiter, (size_t)(end - at));
    Text text = {at, (size_t)((stop ? stop : end) - at)}, inner = bare(text);
    if (!grow(r)) return false;
    CsvValue *value = &t->values[r->values++];
    Field got = t->dtype == DTYPE_i64 ? read_integer(inner, r->range, &value->i) : read_float(inner, &value->f);
    fields++;
    if (got != FIELD_READ) return no_field(r, got, fields, text);
    at += text.n + 1;
  }
  if (t->rows == 0) t->columns = fields;
  if (fields != t->columns) {
    char text[120];
    text_format(text, sizeof text, "%lld fields, but the first row has %lld", (long long)fields, (long long)t->columns);
    return failed(r, text);
  }
  t->rows++;
  return true;
}

/* What editors and Excel put before the first line: of UTF-8 it is passed over. */
static bool pass_mark(Reader *r)
{
  if (!fill_buffer(r)) return false;
  if (r->end >= 3 && memcmp(r->text, "\xEF\xBB\xBF", 3) == 0) r->begin = 3;
  bool is_utf16 = r->end >= 2 && (memcmp(r->text, "\xFF\xFE", 2) == 0 || memcmp(r->text, "\xFE\xFF", 2) == 0);
  return !is_utf16 || failed(r, "the file is UTF-16: save it as UTF-8");
}

static bool read_rows(Reader *r)
{
  char *line;
  size_t n;
  if (!pass_mark(r)) return false;
  for (;;) {
    if (!next_line(r, &line, &n)) return false;
    if (!line) return true;
    bool empty = true;
    for (size_t i = 0; i < n && empty; i++) empty = is_blank(line[i]);
    if (r->line <= r->skip || empty) continue;
    if (!read_row(r, line, n)) return false;
  }
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
              .table = table,
              .capacity = CSV_BUFFER,
              .error = error,
              .error_size = error_size};
  choose_type(&r, options->dtype);
  errno = 0;
  bool ok = open_reader(&r) && read_rows(&r);
  free(r.text);
  if (r.file) gzclose(r.file);
  if (!ok) {
    free(table->values);
    table->values = NULL;
  }
  return ok;
}
