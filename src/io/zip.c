/* Reading archives of the zip format. */
#include "io/zip.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "io/files.h"
#include "io/little.h"

enum {
  END_BYTES = 22, /* the record that ends an archive, before a comment */
  MOST_COMMENT = 65535,
  END64_BYTES = 56, /* the same of a large one, and what says where it is */
  LOCATOR_BYTES = 20,
  ENTRY_BYTES = 46, /* of the directory, before name, extra fields and comment */
  LOCAL_BYTES = 30, /* a member's own header, before name and extra fields */
  METHOD_STORED = 0,
  METHOD_DEFLATED = 8,
  FLAG_ENCRYPTED = 1,
  MOST_INFLATED = 1032 /* bytes that one byte can stand for (zlib's technical details) */
};

/* --------------------------------------------------------------- directory */

/* Where the directory is. */
typedef struct Directory {
  uint64_t place, size, count;
} Directory;

static bool cut_off(ZipArchive *z) { return problem_is(&z->problem, "the end of its zip archive is cut off"); }

static bool is_signed(const char *bytes, char a, char b)
{
  return bytes[0] == 'P' && bytes[1] == 'K' && bytes[2] == a && bytes[3] == b;
}

/* The numbers that fit no record of 32 bits stand in another one before it. */
static bool read_end64(ZipArchive *z, uint64_t end, Directory *d)
{
  char locator[LOCATOR_BYTES], record[END64_BYTES];
  if (end < LOCATOR_BYTES || !source_read(z->source, locator, sizeof locator, end - LOCATOR_BYTES)) return cut_off(z);
  if (!is_signed(locator, 6, 7)) return true;
  uint64_t place = little_get(locator + 8, 8);
  if (place > end || end - place < END64_BYTES || !source_read(z->source, record, sizeof record, place)
      || !is_signed(record, 6, 6))
    return cut_off(z);
  *d = (Directory){little_get(record + 48, 8), little_get(record + 40, 8), little_get(record + 32, 8)};
  return true;
}

/* The record that ends the archive: the last one, as a comment may look like one. */
static bool read_end(ZipArchive *z, Directory *d)
{
  uint64_t size = z->source->size, most = END_BYTES + MOST_COMMENT, n = size < most ? size : most;
  char *bytes = malloc((size_t)n + 1);
  if (!bytes) return problem_no_memory(&z->problem);
  bool well = source_read(z->source, bytes, n, size - n);
  const char *record = NULL;
  for (uint64_t i = n >= END_BYTES ? n - END_BYTES + 1 : 0; well && i-- > 0 && !record;)
    if (is_signed(bytes + i, 5, 6)) record = bytes + i;
  if (record) {
    uint64_t end = size - n + (uint64_t)(record - bytes);
    *d = (Directory){little_get(record + 16, 4), little_get(record + 12, 4), little_get(record + 10, 2)};
    bool is_large = d->place == UINT32_MAX || d->size == UINT32_MAX || d->count == UINT16_MAX;
    well = !is_large || read_end64(z, end, d);
  }
  free(bytes);
  if (!well && !z->problem.text[0]) problem_is(&z->problem, "it can't be read: %s", file_error());
  return well && (record || cut_off(z));
}

/* What an entry's extra fields have of the numbers that fit no 32 bits, in this order. */
static bool read_large(ZipMember *m, const char *extra, size_t n)
{
  uint64_t *wanted[] = {&m->size, &m->packed, &m->header};
  for (size_t at = 0; n - at >= 4;) {
    size_t id = little_get(extra + at, 2), size = little_get(extra + at + 2, 2);
    at += 4;
    if (size > n - at) return true; /* no field: some writers pad so */
    size_t used = 0;
    for (int i = 0; i < 3 && id == 1; i++) {
      if (*wanted[i] != UINT32_MAX) continue;
      if (size - used < 8) return false;
      *wanted[i] = little_get(extra + at + used, 8);
      used += 8;
    }
    at += size;
  }
  return true;
}

static bool read_entry(ZipArchive *z, uint64_t size, uint64_t *at)
{
  const char *e = z->directory + *at;
  if (size - *at < ENTRY_BYTES || !is_signed(e, 1, 2)) return cut_off(z);
  size_t name = little_get(e + 28, 2), extra = little_get(e + 30, 2), comment = little_get(e + 32, 2);
  if (size - *at - ENTRY_BYTES < name + extra + comment) return cut_off(z);
  ZipMember *m = &z->members[z->count++];
  *m = (ZipMember){.name = e + ENTRY_BYTES,
                   .name_size = name,
                   .packed = little_get(e + 20, 4),
                   .size = little_get(e + 24, 4),
                   .header = little_get(e + 42, 4),
                   .crc = (uint32_t)little_get(e + 16, 4),
                   .method = (uint16_t)little_get(e + 10, 2),
                   .flags = (uint16_t)little_get(e + 8, 2)};
  *at += ENTRY_BYTES + name + extra + comment;
  return read_large(m, e + ENTRY_BYTES + name, extra) || cut_off(z);
}

static int by_name(const void *a, const void *b)
{
  const ZipMember *m = *(const ZipMember *const *)a, *n = *(const ZipMember *const *)b;
  int order = memcmp(m->name, n->name, m->name_size < n->name_size ? m->name_size : n->name_size);
  return order ? order : (m->name_size > n->name_size) - (m->name_size < n->name_size);
}

/* Members have names of their own, and together no more bytes than the archive: they don't lie over each other to be
   read again and again. */
static bool check_members(ZipArchive *z)
{
  uint64_t total = 0;
  ZipMember **order = malloc((z->count + 1) * sizeof *order);
  if (!order) return problem_no_memory(&z->problem);
  for (size_t i = 0; i < z->count; i++) order[i] = &z->members[i];
  qsort(order, z->count, sizeof *order, by_name);
  bool well = true;
  for (size_t i = 0; i < z->count && well; i++) {
    const ZipMember *m = order[i];
    if (i && by_name(&order[i - 1], &order[i]) == 0)
      well = problem_is(&z->problem, "it has two members '%s'", shown(m->name, m->name_size).text);
    else if (__builtin_add_overflow(total, m->packed, &total) || total > z->source->size)
      well = problem_is(&z->problem, "its members have more bytes than the file: it is damaged or cut off");
  }
  free(order);
  return well;
}

bool zip_open(ZipArchive *z, const char *name, const Source *source)
{
  Directory d = {0};
  *z = (ZipArchive){.problem.name = name, .source = source};
  if (!read_end(z, &d)) return false;
  if (d.place > source->size || d.size > source->size - d.place || d.count > d.size / ENTRY_BYTES) return cut_off(z);
  z->directory = malloc((size_t)d.size + 1);
  z->members = malloc(((size_t)d.count + 1) * sizeof *z->members);
  if (!z->directory || !z->members) return problem_no_memory(&z->problem);
  if (!source_read(source, z->directory, d.size, d.place))
    return problem_is(&z->problem, "it can't be read: %s", file_error());
  uint64_t at = 0;
  for (uint64_t i = 0; i < d.count; i++)
    if (!read_entry(z, d.size, &at)) return false;
  return check_members(z);
}

void zip_close(ZipArchive *z)
{
  free(z->directory);
  free(z->members);
  *z = (ZipArchive){0};
}

/* ----------------------------------------------------------------- members */

static bool damaged(ZipArchive *z, const ZipMember *m, const char *what)
{
  return problem_is(&z->problem, "its member '%s' %s", shown(m->name, m->name_size).text, what);
}

/* Inflates all of a member's bytes; `size` is what the directory says, and they must be just as many. */
static bool inflate_all(const char *packed, const ZipMember *m, char *bytes)
{
  z_stream stream = {.next_in = (Bytef *)(uintptr_t)packed};
  uint64_t in = m->packed, out = m->size;
  int state = inflateInit2(&stream, -MAX_WBITS);
  stream.next_out = (Bytef *)bytes;
  while (state == Z_OK) {
    uInt give = in < UINT32_MAX ? (uInt)in : UINT32_MAX, take = out < UINT32_MAX ? (uInt)out : UINT32_MAX;
    stream.avail_in = give;
    stream.avail_out = take;
    state = inflate(&stream, Z_NO_FLUSH);
    in -= give - stream.avail_in;
    out -= take - stream.avail_out;
    if (state == Z_OK && give == stream.avail_in && take == stream.avail_out) state = Z_BUF_ERROR;
  }
  inflateEnd(&stream);
  return state == Z_STREAM_END && out == 0;
}

static bool inflate_member(ZipArchive *z, const ZipMember *m, const Source *packed, Source *bytes)
{
  if (m->size / MOST_INFLATED > m->packed) return damaged(z, m, "can't be so long");
  char *in = packed->memory ? NULL : malloc((size_t)m->packed + 1), *out = malloc((size_t)m->size + 1);
  bool well = (packed->memory || in) && out;
  if (!well) problem_no_memory(&z->problem);
  else if (in && !source_read(packed, in, m->packed, 0))
    well = problem_is(&z->problem, "it can't be read: %s", file_error());
  else if (!inflate_all(in ? in : packed->memory, m, out)
           || crc32_z(0, (const Bytef *)out, (z_size_t)m->size) != m->crc)
    well = damaged(z, m, "is damaged");
  free(in);
  if (well) *bytes = source_of_own(out, m->size);
  else free(out);
  return well;
}

bool zip_member(ZipArchive *z, const ZipMember *m, Source *bytes)
{
  char local[LOCAL_BYTES];
  uint64_t left = z->source->size;
  if (m->flags & FLAG_ENCRYPTED) return damaged(z, m, "is encrypted");
  if (m->method != METHOD_STORED && m->method != METHOD_DEFLATED)
    return damaged(z, m, "is compressed in another way than deflate");
  if (m->header > left || left - m->header < LOCAL_BYTES || !source_read(z->source, local, sizeof local, m->header)
      || !is_signed(local, 3, 4))
    return damaged(z, m, "is not where the directory says");
  uint64_t before = LOCAL_BYTES + little_get(local + 26, 2) + little_get(local + 28, 2);
  left -= m->header;
  if (before > left || m->packed > left - before) return damaged(z, m, "is cut off");
  Source packed = source_part(z->source, m->header + before, m->packed);
  if (m->method == METHOD_DEFLATED) return inflate_member(z, m, &packed, bytes);
  if (m->size != m->packed) return damaged(z, m, "is damaged");
  *bytes = packed;
  return true;
}
