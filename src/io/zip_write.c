/* Writing archives of the zip format. Members are stored as they are, so that readers can map them. */
#include <errno.h>
#include <zlib.h>

#include "io/little.h"
#include "io/zip.h"

enum {
  ALIGNMENT = 64,
  VERSION = 20,
  VERSION_LARGE = 45, /* a reader must know numbers of 64 bits */
  FLAG_UTF8 = 1 << 11,
  NEW_YEAR_1980 = 0x21, /* the format's first day: the same value gives the same file */
  LOCAL_BYTES = 30,
  ENTRY_BYTES = 46,
  LARGE_BYTES = 28, /* an extra field of three numbers of 64 bits */
  PADDING_ID = 0x4246
};

/* A member, as its two headers have it. */
typedef struct Member {
  const char *name;
  size_t name_size;
  uint64_t size, place;
  uint32_t crc;
} Member;

static bool is_large(const Member *m) { return m->size >= UINT32_MAX || m->place >= UINT32_MAX; }

static uint64_t capped(uint64_t n) { return n < UINT32_MAX ? n : UINT32_MAX; }

/* What both headers have from the flags on: 24 bytes. */
static void put_common(char *header, const Member *m, size_t extra)
{
  bool large = is_large(m);
  little_put(header, FLAG_UTF8, 2);
  little_put(header + 2, 0, 2); /* stored */
  little_put(header + 4, 0, 2);
  little_put(header + 6, NEW_YEAR_1980, 2);
  little_put(header + 8, m->crc, 4);
  little_put(header + 12, large ? UINT32_MAX : m->size, 4);
  little_put(header + 16, large ? UINT32_MAX : m->size, 4);
  little_put(header + 20, m->name_size, 2);
  little_put(header + 22, extra, 2);
}

/* The numbers of a large member; its place is in the directory only. */
static size_t put_large(char *field, const Member *m, bool has_place)
{
  if (!is_large(m)) return 0;
  size_t n = has_place ? LARGE_BYTES : LARGE_BYTES - 8;
  little_put(field, 1, 2);
  little_put(field + 2, n - 4, 2);
  little_put(field + 4, m->size, 8);
  little_put(field + 12, m->size, 8);
  if (has_place) little_put(field + 20, m->place, 8);
  return n;
}

/* A member's own header, with an extra field that aligns what follows. */
static bool write_local(ZipWriter *w, const Member *m)
{
  char header[LOCAL_BYTES] = {'P', 'K', 3, 4}, extra[LARGE_BYTES + 4 + ALIGNMENT] = {0};
  size_t n = put_large(extra, m, false), before = LOCAL_BYTES + m->name_size + n + 4;
  size_t padding = (size_t)(ALIGNMENT - (m->place + before) % ALIGNMENT) % ALIGNMENT;
  little_put(extra + n, PADDING_ID, 2);
  little_put(extra + n + 2, padding, 2);
  n += 4 + padding;
  little_put(header + 4, is_large(m) ? VERSION_LARGE : VERSION, 2);
  put_common(header + 6, m, n);
  return output_write(w->output, header, sizeof header) && output_write(w->output, m->name, m->name_size)
         && output_write(w->output, extra, n);
}

static bool write_entry(ZipWriter *w, const Member *m)
{
  char header[ENTRY_BYTES] = {'P', 'K', 1, 2}, extra[LARGE_BYTES];
  size_t n = put_large(extra, m, true);
  little_put(header + 4, is_large(m) ? VERSION_LARGE : VERSION, 2);
  little_put(header + 6, is_large(m) ? VERSION_LARGE : VERSION, 2);
  put_common(header + 8, m, n);
  little_put(header + 42, is_large(m) ? UINT32_MAX : m->place, 4);
  return output_write(&w->directory, header, sizeof header) && output_write(&w->directory, m->name, m->name_size)
         && output_write(&w->directory, extra, n);
}

void zip_begin(ZipWriter *w, Output *output)
{
  *w = (ZipWriter){.output = output};
  output_open(&w->directory, NULL);
}

bool zip_add(ZipWriter *w, const char *name, size_t name_size, const ZipPiece *pieces, size_t count)
{
  Member m = {.name = name, .name_size = name_size, .place = w->output->size};
  if (name_size > UINT16_MAX) return file_fail(ENAMETOOLONG);
  for (size_t i = 0; i < count; i++) {
    m.size += pieces[i].size;
    if (pieces[i].size) m.crc = (uint32_t)crc32_z(m.crc, pieces[i].data, pieces[i].size);
  }
  if (!write_local(w, &m)) return false;
  for (size_t i = 0; i < count; i++)
    if (!output_write(w->output, pieces[i].data, pieces[i].size)) return false;
  w->count++;
  return write_entry(w, &m);
}

/* The end of an archive whose directory begins at a place; that of a large one stands twice. */
static bool write_end(ZipWriter *w, uint64_t place)
{
  char large[56] = {'P', 'K', 6, 6}, locator[20] = {'P', 'K', 6, 7}, end[22] = {'P', 'K', 5, 6};
  uint64_t size = w->directory.size, count = w->count, behind = place + size;
  little_put(large + 4, sizeof large - 12, 8);
  little_put(large + 12, VERSION_LARGE, 2);
  little_put(large + 14, VERSION_LARGE, 2);
  little_put(large + 24, count, 8);
  little_put(large + 32, count, 8);
  little_put(large + 40, size, 8);
  little_put(large + 48, place, 8);
  little_put(locator + 8, behind, 8);
  little_put(locator + 16, 1, 4);
  little_put(end + 8, count < UINT16_MAX ? count : UINT16_MAX, 2);
  little_put(end + 10, count < UINT16_MAX ? count : UINT16_MAX, 2);
  little_put(end + 12, capped(size), 4);
  little_put(end + 16, capped(place), 4);
  bool needs_large = count >= UINT16_MAX || size >= UINT32_MAX || place >= UINT32_MAX;
  return (!needs_large
          || (output_write(w->output, large, sizeof large) && output_write(w->output, locator, sizeof locator)))
         && output_write(w->output, end, sizeof end);
}

bool zip_end(ZipWriter *w)
{
  uint64_t place = w->output->size;
  bool well = output_write(w->output, w->directory.memory, w->directory.size) && write_end(w, place);
  output_close(&w->directory);
  return well;
}

void zip_abandon(ZipWriter *w) { output_close(&w->directory); }
