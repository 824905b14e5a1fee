/* NumPy's .npy: reading headers. */
#include "io/npy.h"

#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "io/files.h"
#include "io/little.h"

enum { PREFIX = 8, MOST_HEADER = 1 << 20 };

static const char *const dtype_texts[DTYPE_COUNT] = {
  [DTYPE_b8] = "|b1",  [DTYPE_u8] = "|u1",  [DTYPE_i8] = "|i1",   [DTYPE_i16] = "<i2",
  [DTYPE_i32] = "<i4", [DTYPE_i64] = "<i8", [DTYPE_f16] = "<f2",  [DTYPE_f32] = "<f4",
  [DTYPE_f64] = "<f8", [DTYPE_c64] = "<c8", [DTYPE_c128] = "<c16"};

const char *npy_dtype_text(DType dtype) { return dtype_texts[dtype]; }

DType npy_dtype(const char *text, size_t n, bool *is_turned)
{
  char order = n ? *text : '\0';
  *is_turned = order == '>';
  if (!order || !strchr("<>|=", order)) order = '\0'; /* it may be left out */
  const char *kind = order ? text + 1 : text;
  size_t length = order ? n - 1 : n;
  for (int d = 0; d < DTYPE_COUNT; d++)
    if (dtype_texts[d] && strlen(dtype_texts[d] + 1) == length && memcmp(dtype_texts[d] + 1, kind, length) == 0)
      return (DType)d;
  return DTYPE_NONE;
}

/* ------------------------------------------------------------------ header */

/* A cursor over the header, a dict of Python's: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } */
typedef struct Header {
  NpyArray *a;
  const char *at, *end;
} Header;

static bool expected(Header *h, const char *what)
{
  return problem_is(&h->a->problem, "its header has no %s where one is expected", what);
}

static bool take(Header *h, char sign)
{
  while (h->at < h->end && is_space(*h->at)) h->at++;
  if (h->at == h->end || *h->at != sign) return false;
  h->at++;
  return true;
}

static bool read_text(Header *h, const char **text, size_t *n)
{
  char quote = take(h, '\'') ? '\'' : take(h, '"') ? '"' : '\0';
  if (!quote) return expected(h, "text");
  const char *close = memchr(h->at, quote, (size_t)(h->end - h->at));
  if (!close) return expected(h, "end of a text");
  *text = h->at;
  *n = (size_t)(close - h->at);
  h->at = close + 1;
  return true;
}

static bool is_text(const char *text, size_t n, const char *wanted)
{
  return n == strlen(wanted) && memcmp(text, wanted, n) == 0;
}

static bool read_descr(Header *h)
{
  const char *text;
  size_t n;
  if (take(h, '['))
    return problem_is(&h->a->problem, "it has a structured dtype, records of fields, which no tensor has");
  if (!read_text(h, &text, &n)) return false;
  h->a->dtype = npy_dtype(text, n, &h->a->is_turned);
  return h->a->dtype != DTYPE_NONE
         || problem_is(&h->a->problem, "its dtype is '%s', which nnlua does not have", shown(text, n).text);
}

static bool read_truth(Header *h)
{
  static const char *const words[] = {"False", "True"};
  while (h->at < h->end && is_space(*h->at)) h->at++;
  for (int i = 0; i < 2; i++) {
    size_t n = strlen(words[i]);
    if ((size_t)(h->end - h->at) < n || memcmp(h->at, words[i], n) != 0) continue;
    h->a->is_fortran = i;
    h->at += n;
    return true;
  }
  return expected(h, "True or False");
}

static bool read_size(Header *h, int64_t *size)
{
  *size = 0;
  if (h->at == h->end || !is_digit(*h->at)) return expected(h, "size");
  for (; h->at < h->end && is_digit(*h->at); h->at++)
    if (__builtin_mul_overflow(*size, 10, size) || __builtin_add_overflow(*size, *h->at - '0', size))
      return problem_is(&h->a->problem, "its shape is too large");
  if (h->at < h->end && *h->at == 'L') h->at++; /* as Python 2 wrote long ones */
  return true;
}

static bool read_shape(Header *h)
{
  NpyArray *a = h->a;
  if (!take(h, '(')) return expected(h, "shape");
  while (!take(h, ')')) {
    if (a->ndim == MAX_DIMS) return problem_is(&a->problem, "it has more than %d dimensions", MAX_DIMS);
    if (!read_size(h, &a->shape[a->ndim++])) return false;
    if (take(h, ',')) continue;
    return take(h, ')') || expected(h, "')'");
  }
  return true;
}

enum { HAS_DESCR = 1, HAS_ORDER = 2, HAS_SHAPE = 4, HAS_ALL = 7 };

static bool read_field(Header *h, int *fields)
{
  const char *text;
  size_t n;
  if (!read_text(h, &text, &n)) return false;
  if (!take(h, ':')) return expected(h, "':'");
  int field = is_text(text, n, "descr")           ? HAS_DESCR
              : is_text(text, n, "fortran_order") ? HAS_ORDER
              : is_text(text, n, "shape")         ? HAS_SHAPE
                                                  : 0;
  if (!field || *fields & field)
    return problem_is(&h->a->problem, "its header has the field '%s', which it can't have", shown(text, n).text);
  *fields |= field;
  return field == HAS_DESCR ? read_descr(h) : field == HAS_ORDER ? read_truth(h) : read_shape(h);
}

static bool read_header(Header *h)
{
  int fields = 0;
  if (!take(h, '{')) return expected(h, "'{'");
  while (!take(h, '}')) {
    if (!read_field(h, &fields)) return false;
    if (take(h, ',')) continue;
    if (!take(h, '}')) return expected(h, "'}'");
    break;
  }
  if (fields != HAS_ALL) return problem_is(&h->a->problem, "its header lacks descr, fortran_order or shape");
  take(h, '\n'); /* passes over what it is padded with */
  return h->at == h->end || problem_is(&h->a->problem, "its header is followed by something else");
}

static bool check_size(NpyArray *a, const Source *source)
{
  uint64_t bytes = dtype_size(a->dtype), left = source->size - a->elements;
  bool empty = false, fits = true;
  for (int i = 0; i < a->ndim; i++) empty |= a->shape[i] == 0;
  for (int i = 0; i < a->ndim && fits; i++)
    fits = a->shape[i] == 0 || !__builtin_mul_overflow(bytes, (uint64_t)a->shape[i], &bytes);
  if (!fits || bytes > INT64_MAX) return problem_is(&a->problem, "its shape is too large");
  if (empty) bytes = 0;
  if (bytes <= left) return true; /* more arrays may follow, which NumPy reads one by one */
  return problem_is(&a->problem, "its shape and dtype ask for %llu bytes of elements, but there are %llu",
                    (unsigned long long)bytes, (unsigned long long)left);
}

bool npy_read(NpyArray *a, const char *name, const Source *source)
{
  char prefix[PREFIX + 4];
  *a = (NpyArray){.problem.name = name, .dtype = DTYPE_NONE};
  if (source->size < sizeof prefix || !source_read(source, prefix, sizeof prefix, 0)
      || memcmp(prefix, "\x93NUMPY", 6) != 0)
    return problem_is(&a->problem, "it is no file of NumPy's, or cut off");
  int version = prefix[6], length_bytes = version == 1 ? 2 : 4;
  if (version < 1 || version > 3)
    return problem_is(&a->problem, "it is of version %d of NumPy's format, which is unknown", version);
  uint64_t size = little_get(prefix + PREFIX, length_bytes), begin = PREFIX + (uint64_t)length_bytes;
  if (size > source->size - begin || size > MOST_HEADER) return problem_is(&a->problem, "its header is cut off");
  a->elements = begin + size;
  char *text = malloc((size_t)size + 1);
  if (!text) return problem_no_memory(&a->problem);
  Header h = {a, text, text + size};
  bool well = source_read(source, text, size, begin) || problem_is(&a->problem, "it can't be read: %s", file_error());
  well = well && read_header(&h) && check_size(a, source);
  free(text);
  return well;
}
