/* Compressed bytes, by zlib. */
#include "io/gunzip.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "core/interrupt.h"
#include "core/text.h"

enum { PIECE = 1 << 20 /* bytes that are asked of zlib at a time */ };

bool is_gzip(const void *bytes, size_t n) { return n >= 2 && memcmp(bytes, "\x1f\x8b", 2) == 0; }

/* What is being made. */
typedef struct Output {
  uint8_t *v;
  size_t n, capacity;
} Output;

/* Makes room for more; the block grows with what is in it, not with what a file says. */
static bool make_room(Output *o)
{
  if (o->n < o->capacity) return true;
  size_t capacity = o->capacity ? 2 * o->capacity : 1 << 14;
  uint8_t *larger = capacity > o->capacity ? realloc(o->v, capacity) : NULL;
  if (!larger) return false;
  o->v = larger;
  o->capacity = capacity;
  return true;
}

static const char *inflate_all(z_stream *z, const uint8_t *bytes, size_t n, Output *o)
{
  size_t at = 0;
  int code = Z_OK;
  while (code != Z_STREAM_END || is_gzip(bytes + at, n - at)) { /* what else is behind the last part is passed over */
    if (code == Z_STREAM_END && inflateReset(z) != Z_OK) return "not enough memory";
    if (!make_room(o)) return "not enough memory";
    if (interrupt_is_requested() && interrupt_target()) return "interrupted";
    size_t in = n - at < PIECE ? n - at : PIECE, out = o->capacity - o->n < PIECE ? o->capacity - o->n : PIECE;
    z->next_in = (z_const Bytef *)(uintptr_t)(bytes + at);
    z->avail_in = (uInt)in;
    z->next_out = o->v + o->n;
    z->avail_out = (uInt)out;
    code = inflate(z, Z_NO_FLUSH);
    at += in - z->avail_in;
    o->n += out - z->avail_out;
    if (code == Z_MEM_ERROR) return "not enough memory";
    if (code == Z_BUF_ERROR || (code == Z_OK && at == n && z->avail_out > 0))
      return "the compressed file ends too early";
    if (code != Z_OK && code != Z_STREAM_END) return "the compressed file is damaged";
  }
  return NULL;
}

bool gunzip(const void *bytes, size_t n, uint8_t **out, size_t *out_n, char *error, size_t error_size)
{
  enum { GZIP = 16 };
  z_stream z = {0};
  Output o = {0};
  const char *why = inflateInit2(&z, MAX_WBITS + GZIP) == Z_OK ? inflate_all(&z, bytes, n, &o) : "not enough memory";
  inflateEnd(&z);
  if (why) {
    text_format(error, error_size, "%s", why);
    free(o.v);
    return false;
  }
  *out = o.v;
  *out_n = o.n;
  return true;
}
