/* A reader of JSON that makes nothing: signs, strings and numbers of a text, one after the other. */
#include "io/json.h"

#include <string.h>

enum { DEEPEST = 140 }; /* nl.save writes two levels a table, for up to 61 tables in each other */

bool json_fail(Json *j, const char *problem)
{
  if (!j->problem) j->problem = problem;
  return false;
}

/* ------------------------------------------------------------------- UTF-8 */

/* The length of the character at the start of a text, or 0 if it is none (Unicode 15, table 3-7). */
static size_t character_length(const unsigned char *s, size_t n)
{
  static const struct {
    unsigned char first, last, low, high;
    size_t length;
  } forms[] = {{0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
               {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
               {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    if (*s < forms[i].first || *s > forms[i].last) continue;
    size_t length = forms[i].length;
    if (length > n) return 0;
    if (length > 1 && (s[1] < forms[i].low || s[1] > forms[i].high)) return 0;
    for (size_t k = 2; k < length; k++)
      if ((s[k] & 0xc0) != 0x80) return 0;
    return length;
  }
  return 0;
}

bool is_utf8(const char *text, size_t n)
{
  for (size_t at = 0; at < n;) {
    size_t length = character_length((const unsigned char *)text + at, n - at);
    if (!length) return false;
    at += length;
  }
  return true;
}

/* ------------------------------------------------------------------- signs */

static void skip_space(Json *j)
{
  while (j->at < j->size && strchr(" \t\n\r", j->text[j->at]) && j->text[j->at]) j->at++;
}

bool json_take(Json *j, char sign)
{
  skip_space(j);
  if (j->problem || j->at == j->size || j->text[j->at] != sign) return false;
  j->at++;
  return true;
}

bool json_expect(Json *j, char sign)
{
  if (json_take(j, sign)) return true;
  return json_fail(j, sign == '{'   ? "'{' expected"
                      : sign == '[' ? "'[' expected"
                      : sign == ':' ? "':' expected"
                      : sign == ']' ? "',' or ']' expected"
                      : sign == '}' ? "',' or '}' expected"
                                    : "something else expected");
}

bool json_end(Json *j)
{
  skip_space(j);
  return !j->problem && (j->at == j->size || json_fail(j, "the value is followed by something else"));
}

/* ----------------------------------------------------------------- strings */

static int hex_digit(char c)
{
  if (c >= '0' && c <= '9') return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four hexadecimal digits; -1 if they aren't there. */
static int32_t unit(Json *j)
{
  int32_t value = 0;
  if (j->size - j->at < 4) return -1;
  for (int i = 0; i < 4; i++) {
    int digit = hex_digit(j->text[j->at + (size_t)i]);
    if (digit < 0) return -1;
    value = 16 * value + digit;
  }
  j->at += 4;
  return value;
}

static size_t encode(char *out, uint32_t code)
{
  if (code < 0x80) {
    out[0] = (char)code;
    return 1;
  }
  size_t length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  for (size_t i = length; i-- > 1; code >>= 6) out[i] = (char)(0x80 | (code & 0x3f));
  static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
  out[0] = (char)(lead[length] | code);
  return length;
}

/* What follows "\u": six or twelve bytes become at most four. */
static bool unicode_escape(Json *j, char **out)
{
  int32_t code = unit(j);
  if (code >= 0xd800 && code < 0xdc00 && j->size - j->at >= 2 && j->text[j->at] == '\\' && j->text[j->at + 1] == 'u') {
    j->at += 2;
    int32_t low = unit(j);
    code = low >= 0xdc00 && low < 0xe000 ? 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00) : -1;
  }
  if (code < 0 || (code >= 0xd800 && code < 0xe000)) return json_fail(j, "'\\u' is followed by no character's number");
  *out += encode(*out, (uint32_t)code);
  return true;
}

static bool escape(Json *j, char **out)
{
  static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
  if (j->at == j->size) return json_fail(j, "the string doesn't end");
  char name = j->text[j->at++];
  if (name == 'u') return unicode_escape(j, out);
  const char *place = name ? strchr(names, name) : NULL;
  if (!place) return json_fail(j, "there is no such escape");
  *(*out)++ = values[place - names];
  return true;
}

bool json_string(Json *j, JsonText *text)
{
  if (!json_take(j, '"')) return json_fail(j, "a string expected");
  char *out = j->text + j->at;
  text->v = out;
  while (j->at < j->size) {
    char c = j->text[j->at++];
    if (c == '"') {
      text->n = (size_t)(out - text->v);
      return true;
    }
    if ((unsigned char)c < 0x20) return json_fail(j, "a control character in a string");
    if (c != '\\') *out++ = c;
    else if (!escape(j, &out)) return false;
  }
  return json_fail(j, "the string doesn't end");
}

/* ------------------------------------------------------------ other values */

static bool at_digit(const Json *j) { return j->at < j->size && j->text[j->at] >= '0' && j->text[j->at] <= '9'; }

bool json_unsigned(Json *j, uint64_t *value)
{
  skip_space(j);
  if (j->problem || !at_digit(j)) return json_fail(j, "an integer from 0 on expected");
  size_t start = j->at;
  *value = 0;
  for (; at_digit(j); j->at++) {
    unsigned digit = (unsigned)(j->text[j->at] - '0');
    if (*value > (UINT64_MAX - digit) / 10) return json_fail(j, "the integer is too large");
    *value = 10 * *value + digit;
  }
  if (j->text[start] == '0' && j->at > start + 1) return json_fail(j, "an integer that begins with 0");
  if (j->at < j->size && strchr(".eE", j->text[j->at]) && j->text[j->at]) return json_fail(j, "an integer expected");
  return true;
}

static bool next_is(const Json *j, const char *signs)
{
  return j->at < j->size && j->text[j->at] && strchr(signs, j->text[j->at]);
}

static bool skip_digits(Json *j)
{
  if (!at_digit(j)) return json_fail(j, "a digit expected");
  while (at_digit(j)) j->at++;
  return true;
}

bool json_number(Json *j, JsonText *digits, bool *is_integer)
{
  skip_space(j);
  if (j->problem) return false;
  size_t start = j->at;
  *is_integer = true;
  if (next_is(j, "-")) j->at++;
  if (!skip_digits(j)) return false;
  if (next_is(j, ".")) {
    *is_integer = false;
    j->at++;
    if (!skip_digits(j)) return false;
  }
  if (next_is(j, "eE")) {
    *is_integer = false;
    j->at++;
    if (next_is(j, "+-")) j->at++;
    if (!skip_digits(j)) return false;
  }
  *digits = (JsonText){j->text + start, j->at - start};
  return true;
}

static bool word_is(const Json *j, const char *word)
{
  size_t n = strlen(word);
  return j->size - j->at >= n && memcmp(j->text + j->at, word, n) == 0;
}

JsonKind json_kind(Json *j)
{
  skip_space(j);
  if (j->problem || j->at == j->size) return JSON_NOTHING;
  switch (j->text[j->at]) {
    case '{': return JSON_OBJECT;
    case '[': return JSON_LIST;
    case '"': return JSON_STRING;
    case 't': return word_is(j, "true") ? JSON_TRUE : JSON_NOTHING;
    case 'f': return word_is(j, "false") ? JSON_FALSE : JSON_NOTHING;
    case 'n': return word_is(j, "null") ? JSON_NULL : JSON_NOTHING;
    default: return next_is(j, "-0123456789") ? JSON_NUMBER : JSON_NOTHING;
  }
}

bool json_open(Json *j, char sign)
{
  return json_expect(j, sign) && (++j->depth <= DEEPEST || json_fail(j, "values are nested too deeply"));
}

bool json_entry(Json *j, char end, bool first)
{
  if (first && !json_take(j, end)) return !j->problem;
  if (!first && json_take(j, ',')) return true;
  if (!first) json_expect(j, end);
  j->depth--;
  return false;
}

static bool skip_entries(Json *j, char begin, char end)
{
  JsonText name;
  if (!json_open(j, begin)) return false;
  for (bool first = true; json_entry(j, end, first); first = false) {
    if (begin == '{' && !(json_string(j, &name) && json_expect(j, ':'))) return false;
    if (!json_skip(j)) return false;
  }
  return !j->problem;
}

bool json_skip(Json *j)
{
  JsonText ignored;
  bool is_integer;
  switch (json_kind(j)) {
    case JSON_OBJECT: return skip_entries(j, '{', '}');
    case JSON_LIST: return skip_entries(j, '[', ']');
    case JSON_STRING: return json_string(j, &ignored);
    case JSON_NUMBER: return json_number(j, &ignored, &is_integer);
    case JSON_FALSE: j->at += 5; return true;
    case JSON_TRUE:
    case JSON_NULL: j->at += 4; return true;
    default: return json_fail(j, "a value expected");
  }
}
