/* Copies past the caches. */
#include "kernels/copy.h"

#include <string.h>

#if __SSE2__
#include <emmintrin.h>
#endif

/* Whole lines of the cache: what is written of one in several goes is read first. */
void copy_past_caches(size_t bytes, const char *from, char *to)
{
#if __SSE2__
  if (((uintptr_t)from | (uintptr_t)to) % 16 == 0) {
    for (; bytes >= 64; bytes -= 64, from += 64, to += 64) {
      const __m128i *line = (const __m128i *)from;
      __m128i a = line[0], b = line[1], c = line[2], d = line[3];
      _mm_stream_si128((__m128i *)to, a);
      _mm_stream_si128((__m128i *)to + 1, b);
      _mm_stream_si128((__m128i *)to + 2, c);
      _mm_stream_si128((__m128i *)to + 3, d);
    }
  }
#endif
  memcpy(to, from, bytes);
}

void copies_past_caches_end(void)
{
#if __SSE2__
  _mm_sfence();
#endif
}
