/* The safetensors format: reading and checking headers, writing files. */
#include "io/safetensors.h"

#include <stdlib.h>
#include <string.h>

#include "core/text.h"

enum { LENGTH_BYTES = 8, MOST_HEADER = 100 * 1000 * 1000 };

/* Names in the format, which has no complex128 (docs/files.md) and some that nnlua doesn't have. */
static const char *const dtype_names[DTYPE_COUNT] = {
  [DTYPE_b8] = "BOOL", [DTYPE_u8] = "U8",   [DTYPE_i8] = "I8",   [DTYPE_i16] = "I16",
  [DTYPE_i32] = "I32", [DTYPE_i64] = "I64", [DTYPE_f16] = "F16", [DTYPE_bf16] = "BF16",
  [DTYPE_f32] = "F32", [DTYPE_f64] = "F64", [DTYPE_c64] = "C64"};

static bool fail_at(TensorFile *f, const Json *j)
{
  return problem_is(&f->problem, "byte %zu of its header: %s", j->at + 1, j->problem);
}

/* ----------------------------------------------------------------- reading */

/* Makes room for one element more in a list that grows twofold. */
static bool grow(TensorFile *f, void **list, size_t count, size_t size)
{
  if (count & (count - 1)) return true; /* full at powers of two */
  void *larger = realloc(*list, (count ? 2 * count : 1) * size);
  if (!larger) return problem_no_memory(&f->problem);
  *list = larger;
  return true;
}

static bool equals(JsonText a, const char *b) { return a.n == strlen(b) && memcmp(a.v, b, a.n) == 0; }

static bool read_dtype(TensorFile *f, Json *j, StoredTensor *t)
{
  JsonText name;
  if (!json_string(j, &name)) return fail_at(f, j);
  for (int d = 0; d < DTYPE_COUNT; d++) {
    if (!dtype_names[d] || !equals(name, dtype_names[d])) continue;
    t->dtype = (DType)d;
    return true;
  }
  return problem_is(&f->problem, "tensor '%s' is of dtype '%s', which nnlua does not have",
                    shown(t->name.v, t->name.n).text, shown(name.v, name.n).text);
}

static bool read_shape(TensorFile *f, Json *j, StoredTensor *t)
{
  t->ndim = 0;
  if (!json_expect(j, '[')) return fail_at(f, j);
  if (json_take(j, ']')) return true;
  do {
    uint64_t size;
    if (!json_unsigned(j, &size)) return fail_at(f, j);
    if (t->ndim == MAX_DIMS)
      return problem_is(&f->problem, "tensor '%s' has more than %d dimensions", shown(t->name.v, t->name.n).text,
                        MAX_DIMS);
    if (size > INT64_MAX)
      return problem_is(&f->problem, "tensor '%s' has a dimension that is too large", shown(t->name.v, t->name.n).text);
    t->shape[t->ndim++] = (int64_t)size;
  } while (json_take(j, ','));
  return json_expect(j, ']') || fail_at(f, j);
}

static bool read_offsets(TensorFile *f, Json *j, StoredTensor *t)
{
  bool well = json_expect(j, '[') && json_unsigned(j, &t->begin);
  if (well && !json_take(j, ','))
    return problem_is(&f->problem, "tensor '%s': data_offsets must be two numbers", shown(t->name.v, t->name.n).text);
  well = well && json_unsigned(j, &t->end) && json_expect(j, ']');
  return well || fail_at(f, j);
}

enum { HAS_DTYPE = 1, HAS_SHAPE = 2, HAS_OFFSETS = 4 };

static bool read_field(TensorFile *f, Json *j, StoredTensor *t, int *fields)
{
  JsonText name;
  if (!json_string(j, &name) || !json_expect(j, ':')) return fail_at(f, j);
  int field = equals(name, "dtype")          ? HAS_DTYPE
              : equals(name, "shape")        ? HAS_SHAPE
              : equals(name, "data_offsets") ? HAS_OFFSETS
                                             : 0;
  if (*fields & field)
    return problem_is(&f->problem, "tensor '%s': '%s' stands there twice", shown(t->name.v, t->name.n).text,
                      shown(name.v, name.n).text);
  *fields |= field;
  switch (field) {
    case HAS_DTYPE: return read_dtype(f, j, t);
    case HAS_SHAPE: return read_shape(f, j, t);
    case HAS_OFFSETS: return read_offsets(f, j, t);
    default: return json_skip(j) || fail_at(f, j);
  }
}

/* Whether the bytes are as many as shape and dtype ask for. */
static bool check_size(TensorFile *f, const StoredTensor *t)
{
  bool empty = false, fits = true;
  uint64_t bytes = dtype_size(t->dtype);
  for (int i = 0; i < t->ndim; i++) empty |= t->shape[i] == 0;
  for (int i = 0; i < t->ndim && fits; i++)
    fits = t->shape[i] == 0 || !__builtin_mul_overflow(bytes, (uint64_t)t->shape[i], &bytes);
  if (!fits || bytes > INT64_MAX)
    return problem_is(&f->problem, "tensor '%s': its shape is too large", shown(t->name.v, t->name.n).text);
  if (empty) bytes = 0;
  if (t->begin <= t->end && t->end - t->begin == bytes) return true;
  return problem_is(&f->problem,
                    "tensor '%s': its shape and dtype %s ask for %llu bytes, but its data_offsets are [%llu, %llu]",
                    shown(t->name.v, t->name.n).text, dtype_names[t->dtype], (unsigned long long)bytes,
                    (unsigned long long)t->begin, (unsigned long long)t->end);
}

static bool read_tensor(TensorFile *f, Json *j, JsonText name)
{
  int fields = 0;
  if (!grow(f, (void **)&f->tensors, f->ntensors, sizeof *f->tensors)) return false;
  StoredTensor *t = &f->tensors[f->ntensors++];
  *t = (StoredTensor){.name = name};
  if (!json_expect(j, '{')) return fail_at(f, j);
  if (!json_take(j, '}')) {
    do {
      if (!read_field(f, j, t, &fields)) return false;
    } while (json_take(j, ','));
    if (!json_expect(j, '}')) return fail_at(f, j);
  }
  const char *missing = !(fields & HAS_DTYPE) ? "dtype" : !(fields & HAS_SHAPE) ? "shape" : "data_offsets";
  if (fields != (HAS_DTYPE | HAS_SHAPE | HAS_OFFSETS))
    return problem_is(&f->problem, "tensor '%s' has no %s", shown(name.v, name.n).text, missing);
  return check_size(f, t);
}

static bool read_texts(TensorFile *f, Json *j)
{
  if (f->ntexts) return problem_is(&f->problem, "'__metadata__' stands there twice");
  if (json_kind(j) == JSON_NULL) return json_skip(j); /* as some writers put it where there are none */
  if (!json_expect(j, '{')) return fail_at(f, j);
  if (json_take(j, '}')) return true;
  do {
    StoredText t;
    if (!json_string(j, &t.name) || !json_expect(j, ':') || !json_string(j, &t.value)) return fail_at(f, j);
    if (!grow(f, (void **)&f->texts, f->ntexts, sizeof t)) return false;
    f->texts[f->ntexts++] = t;
  } while (json_take(j, ','));
  return json_expect(j, '}') || fail_at(f, j);
}

static bool read_header(TensorFile *f, Json *j)
{
  if (!json_expect(j, '{')) return fail_at(f, j);
  if (!json_take(j, '}')) {
    do {
      JsonText name;
      if (!json_string(j, &name) || !json_expect(j, ':')) return fail_at(f, j);
      if (!(equals(name, "__metadata__") ? read_texts(f, j) : read_tensor(f, j, name))) return false;
    } while (json_take(j, ','));
    if (!json_expect(j, '}')) return fail_at(f, j);
  }
  return json_end(j) || fail_at(f, j);
}

/* ---------------------------------------------------------- what must hold */

static int compare_texts(JsonText a, JsonText b)
{
  int order = memcmp(a.v, b.v, a.n < b.n ? a.n : b.n);
  return order ? order : (a.n > b.n) - (a.n < b.n);
}

static int by_name(const void *a, const void *b)
{
  return compare_texts((*(const StoredTensor *const *)a)->name, (*(const StoredTensor *const *)b)->name);
}

static int by_place(const void *a, const void *b)
{
  const StoredTensor *s = *(const StoredTensor *const *)a, *t = *(const StoredTensor *const *)b;
  if (s->begin != t->begin) return s->begin < t->begin ? -1 : 1;
  return (s->end > t->end) - (s->end < t->end);
}

static bool check_names(TensorFile *f, StoredTensor **order)
{
  qsort(order, f->ntensors, sizeof *order, by_name);
  for (size_t i = 1; i < f->ntensors; i++)
    if (compare_texts(order[i - 1]->name, order[i]->name) == 0)
      return problem_is(&f->problem, "it has two tensors '%s'", shown(order[i]->name.v, order[i]->name.n).text);
  return true;
}

static bool check_places(TensorFile *f, StoredTensor **order, uint64_t data_size)
{
  uint64_t end = 0;
  qsort(order, f->ntensors, sizeof *order, by_place);
  for (size_t i = 0; i < f->ntensors; i++) {
    const StoredTensor *t = order[i];
    if (t->end > data_size)
      return problem_is(&f->problem, "tensor '%s' ends at byte %llu of the elements, but there are %llu%s",
                        shown(t->name.v, t->name.n).text, (unsigned long long)t->end, (unsigned long long)data_size,
                        ": the file is cut off");
    if (t->begin != end)
      return problem_is(&f->problem, "tensor '%s' begins at byte %llu of the elements, but %s %llu",
                        shown(t->name.v, t->name.n).text, (unsigned long long)t->begin,
                        t->begin < end ? "another one reaches up to" : "the one before ends at",
                        (unsigned long long)end);
    end = t->end;
  }
  if (end == data_size) return true;
  return problem_is(&f->problem, "%llu bytes of elements belong to no tensor", (unsigned long long)(data_size - end));
}

static bool check_all(TensorFile *f, uint64_t data_size)
{
  StoredTensor **order = malloc((f->ntensors + 1) * sizeof *order);
  if (!order) return problem_no_memory(&f->problem);
  for (size_t i = 0; i < f->ntensors; i++) order[i] = &f->tensors[i];
  bool well = check_names(f, order) && check_places(f, order, data_size);
  free(order);
  return well;
}

/* -------------------------------------------------------------------- open */

static bool read_length(const Source *source, TensorFile *f, uint64_t *header_size)
{
  unsigned char bytes[LENGTH_BYTES];
  if (source->size < LENGTH_BYTES)
    return problem_is(&f->problem, "it has %llu bytes, too few for a safetensors file",
                      (unsigned long long)source->size);
  if (!source_read(source, bytes, sizeof bytes, 0))
    return problem_is(&f->problem, "it can't be read: %s", file_error());
  *header_size = 0;
  for (int i = LENGTH_BYTES; i-- > 0;) *header_size = *header_size << 8 | bytes[i];
  if (*header_size <= source->size - LENGTH_BYTES && *header_size <= MOST_HEADER) return true;
  return problem_is(&f->problem,
                    "its first bytes say that the header has %llu bytes, but the file has %llu: it is damaged or no "
                    "safetensors file",
                    (unsigned long long)*header_size, (unsigned long long)source->size);
}

bool tensor_file_open(TensorFile *f, const char *name, const Source *source)
{
  uint64_t size = 0;
  *f = (TensorFile){.problem.name = name};
  if (!read_length(source, f, &size)) return false;
  f->elements = LENGTH_BYTES + size;
  f->header = malloc(size + 1);
  if (!f->header) return problem_no_memory(&f->problem);
  if (!source_read(source, f->header, size, LENGTH_BYTES))
    return problem_is(&f->problem, "its header can't be read: %s", file_error());
  if (!is_utf8(f->header, size)) return problem_is(&f->problem, "its header is no UTF-8 text");
  Json j = {.text = f->header, .size = size};
  return read_header(f, &j) && check_all(f, source->size - f->elements);
}

void tensor_file_close(TensorFile *f)
{
  free(f->header);
  free(f->tensors);
  free(f->texts);
  *f = (TensorFile){0};
}

/* ----------------------------------------------------------------- writing */

/* A text that grows; `failed` once there was no memory. */
typedef struct Text {
  char *v;
  size_t n, capacity;
  bool failed;
} Text;

static void add_bytes(Text *t, const char *bytes, size_t n)
{
  if (t->failed) return;
  if (t->capacity - t->n < n) {
    size_t capacity = 2 * t->capacity + n + 256;
    char *larger = realloc(t->v, capacity);
    t->failed = !larger;
    if (t->failed) return;
    t->v = larger;
    t->capacity = capacity;
  }
  memcpy(t->v + t->n, bytes, n);
  t->n += n;
}

static void add(Text *t, const char *text) { add_bytes(t, text, strlen(text)); }

static void add_number(Text *t, uint64_t number)
{
  char digits[32];
  text_format(digits, sizeof digits, "%llu", (unsigned long long)number);
  add(t, digits);
}

static void add_string(Text *t, JsonText s)
{
  add(t, "\"");
  for (size_t i = 0; i < s.n; i++) {
    char escaped[8];
    unsigned char c = (unsigned char)s.v[i];
    if (c == '"' || c == '\\') text_format(escaped, sizeof escaped, "\\%c", c);
    else if (c < 0x20) text_format(escaped, sizeof escaped, "\\u%04x", c);
    if (c == '"' || c == '\\' || c < 0x20) add(t, escaped);
    else add_bytes(t, &s.v[i], 1);
  }
  add(t, "\"");
}

static void add_tensor(Text *text, const StoredTensor *t)
{
  add_string(text, t->name);
  add(text, ":{\"dtype\":\"");
  add(text, dtype_names[t->dtype]);
  add(text, "\",\"shape\":[");
  for (int i = 0; i < t->ndim; i++) {
    if (i) add(text, ",");
    add_number(text, (uint64_t)t->shape[i]);
  }
  add(text, "],\"data_offsets\":[");
  add_number(text, t->begin);
  add(text, ",");
  add_number(text, t->end);
  add(text, "]}");
}

/* The header, after eight bytes of length, and padded so that the elements are aligned. */
static void add_header(Text *text, const TensorFile *f)
{
  char length[LENGTH_BYTES] = {0};
  const char *between = "";
  add_bytes(text, length, sizeof length);
  add(text, "{");
  if (f->ntexts) {
    add(text, "\"__metadata__\":{");
    for (size_t i = 0; i < f->ntexts; i++, between = ",") {
      add(text, between);
      add_string(text, f->texts[i].name);
      add(text, ":");
      add_string(text, f->texts[i].value);
    }
    add(text, "}");
  }
  for (size_t i = 0; i < f->ntensors; i++, between = ",") {
    add(text, between);
    add_tensor(text, &f->tensors[i]);
  }
  add(text, "}");
  while (!text->failed && text->n % LENGTH_BYTES) add(text, " ");
  uint64_t size = text->n - LENGTH_BYTES;
  for (int i = 0; i < LENGTH_BYTES && !text->failed; i++) text->v[i] = (char)(size >> 8 * i & 0xff);
}

/* The larger elements first, so that all are aligned; the order of names in the header is the caller's. */
static void place_tensors(TensorFile *f)
{
  uint64_t end = 0;
  for (size_t size = 8; size > 0; size /= 2) {
    for (size_t i = 0; i < f->ntensors; i++) {
      StoredTensor *t = &f->tensors[i];
      if (dtype_size(t->dtype) != size) continue;
      uint64_t bytes = size;
      for (int d = 0; d < t->ndim; d++) bytes *= (uint64_t)t->shape[d];
      t->begin = end;
      t->end = end += bytes;
    }
  }
}

static bool write_tensors(const TensorFile *f, Output *output)
{
  for (size_t size = 8; size > 0; size /= 2)
    for (size_t i = 0; i < f->ntensors; i++) {
      const StoredTensor *t = &f->tensors[i];
      if (dtype_size(t->dtype) == size && !output_write(output, t->data, (size_t)(t->end - t->begin))) return false;
    }
  return true;
}

bool tensor_file_write(TensorFile *f, Output *output)
{
  Text header = {0};
  place_tensors(f);
  add_header(&header, f);
  bool well = !header.failed;
  if (!well) problem_no_memory(&f->problem);
  else if (header.n - LENGTH_BYTES > MOST_HEADER)
    well = problem_is(&f->problem, "names and metadata are longer than the format allows, %d bytes", MOST_HEADER);
  else
    well = (output_write(output, header.v, header.n) && write_tensors(f, output))
           || problem_is(&f->problem, "it can't be written: %s", file_error());
  free(header.v);
  return well;
}
