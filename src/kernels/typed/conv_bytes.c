/*
 * Convolutions of bytes: blocks of some rows by two vectors of places stay in registers over all taps, and are made
 * bytes as they are stored.
 */
#include "kernels/conv_bytes.h"

#include "core/blocks.h"
#include "kernels/typed/typed.h"

#if T_i32

#if __x86_64__
#include <immintrin.h>
#endif

#define UNROLL _Pragma("GCC unroll 16")

typedef int32_t Sums __attribute__((vector_size(VECTOR_BYTES)));
typedef int32_t LooseSums __attribute__((vector_size(VECTOR_BYTES), aligned(4), may_alias));
typedef float Floats __attribute__((vector_size(VECTOR_BYTES)));

enum { LANES = VECTOR_BYTES / 4, WIDTH = 2 * LANES, ROWS = BLOCK_SIZE(PRODUCT_ROWS, 2), SOME_ROWS = BLOCK_SIZE(4, 1) };
enum { TURNED = WIDTH < 16 ? WIDTH : 16 }; /* places that are made words at once */
#if __AVX512VNNI__
enum { TERMS = 4 };
#else
enum { TERMS = 2 };
#endif

/* sum, and the products of a word of the places with one of weights. */
INLINE Sums with_products(Sums sum, Sums places, Sums weights)
{
#if __AVX512VNNI__
  return (Sums)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)places, (__m512i)weights);
#elif __AVX512BW__ && VECTOR_BYTES == 64
  return sum + (Sums)_mm512_madd_epi16((__m512i)places, (__m512i)weights);
#elif __AVX2__ && VECTOR_BYTES == 32
  return sum + (Sums)_mm256_madd_epi16((__m256i)places, (__m256i)weights);
#elif __SSE2__ && VECTOR_BYTES == 16
  return sum + (Sums)_mm_madd_epi16((__m128i)places, (__m128i)weights);
#else
  return sum + (places << 16 >> 16) * (weights << 16 >> 16) + (places >> 16) * (weights >> 16);
#endif
}

/* -------------------------------------------------------------------- packing */

INLINE uint32_t word_of(const int8_t *terms)
{
#if __AVX512VNNI__
  uint32_t word;
  memcpy(&word, terms, sizeof word);
  return word;
#else
  return (uint32_t)(uint16_t)terms[0] | (uint32_t)terms[1] << 16;
#endif
}

/* How many of so many rows are packed together, the first ones. */
INLINE int block_of(int64_t rows) { return rows >= ROWS ? ROWS : rows >= SOME_ROWS ? SOME_ROWS : 1; }

static void pack(int64_t rows, int64_t taps, const uint8_t *w, uint8_t flip, void *to, int32_t *sums)
{
  const int64_t words = (taps + TERMS - 1) / TERMS;
  uint32_t *word = to;
  for (int64_t i = 0; i < rows; i++) {
    sums[i] = 0;
    for (int64_t k = 0; k < taps; k++) sums[i] += (int8_t)(w[i * taps + k] ^ flip);
  }
  for (int64_t i = 0, block; i < rows; i += block) {
    block = block_of(rows - i);
    for (int64_t q = 0; q < words; q++)
      for (int64_t r = 0; r < block; r++, word++) {
        int8_t terms[TERMS] = {0};
        for (int t = 0; t < TERMS && q * TERMS + t < taps; t++)
          terms[t] = (int8_t)(w[(i + r) * taps + q * TERMS + t] ^ flip);
        *word = word_of(terms);
      }
  }
}

/* ------------------------------------------------------------------ gathering */

typedef uint8_t Bytes __attribute__((vector_size(16)));
typedef uint8_t LooseBytes __attribute__((vector_size(16), aligned(1), may_alias));

INLINE Bytes bytes_at(const uint8_t *p, uint8_t flip) { return *(const LooseBytes *)p ^ flip; }

/* Every second byte of 32 from p on. */
INLINE Bytes even_bytes(const uint8_t *p)
{
  return __builtin_shufflevector(*(const LooseBytes *)p, *(const LooseBytes *)(p + 16), 0, 2, 4, 6, 8, 10, 12, 14, 16,
                                 18, 20, 22, 24, 26, 28, 30);
}

/* n bytes, at least `size`, in pieces of that size, of which the last one begins where it ends with the line. */
#define COPY_PIECES(size)                                             \
  do {                                                                \
    for (int64_t i = 0; i < n - size; i += size) memcpy(to + i, from + i, size); \
    memcpy(to + n - size, from + n - size, size);                     \
  } while (0)

static void copy(int64_t lines, int64_t n, const uint8_t *from, int64_t from_step, uint8_t *to, int64_t to_step)
{
  for (int64_t l = 0; l < lines; l++, from += from_step, to += to_step)
    if (n >= 16) COPY_PIECES(16);
    else if (n >= 4) COPY_PIECES(4);
    else
      for (int64_t i = 0; i < n; i++) to[i] = from[i];
}

/* Whether 16 bytes, or 32 with a step of 2, may be read for the last columns of the lines that x begins. */
static bool has_slack(const BytePlaces *p, const uint8_t *x)
{
  const int64_t columns = (p->columns + 15) / 16 * 16;
  return p->end - x >= (p->lines - 1) * p->line_step + columns * p->step;
}

/* What a tap meets, line by line; lines may be copied up to 15 bytes too far, for the next one covers that. */
static void copy_lines(const BytePlaces *p, const uint8_t *x, uint8_t *to)
{
  const int64_t n = p->columns, step = p->step;
  const bool is_fast = step <= 2 && has_slack(p, x);
  for (int64_t l = 0; l < p->lines; l++, x += p->line_step, to += n) {
    if (!is_fast)
      for (int64_t i = 0; i < n; i++) to[i] = x[i * step];
    else if (step == 2)
      for (int64_t i = 0; i < n; i += 16) *(LooseBytes *)(to + i) = even_bytes(x + 2 * i);
    else
      for (int64_t i = 0; i < n; i += 16) *(LooseBytes *)(to + i) = *(const LooseBytes *)(x + i);
  }
}

/* Words of the terms of some places. */
INLINE void interleave(const uint8_t *const *terms, int64_t at, uint8_t flip, uint8_t *to)
{
#if __AVX512VNNI__
  const __m128i a = (__m128i)bytes_at(terms[0] + at, flip), b = (__m128i)bytes_at(terms[1] + at, flip);
  const __m128i c = (__m128i)bytes_at(terms[2] + at, flip), d = (__m128i)bytes_at(terms[3] + at, flip);
  const __m128i low[2] = {_mm_unpacklo_epi8(a, b), _mm_unpackhi_epi8(a, b)};
  const __m128i high[2] = {_mm_unpacklo_epi8(c, d), _mm_unpackhi_epi8(c, d)};
  for (int i = 0; i < 2; i++) {
    *(LooseBytes *)(to + 32 * i) = (Bytes)_mm_unpacklo_epi16(low[i], high[i]);
    *(LooseBytes *)(to + 32 * i + 16) = (Bytes)_mm_unpackhi_epi16(low[i], high[i]);
  }
#else
  uint16_t pairs[2 * TURNED];
  for (int i = 0; i < TURNED; i++)
    for (int t = 0; t < TERMS; t++) pairs[TERMS * i + t] = terms[t][at + i] ^ flip;
  memcpy(to, pairs, sizeof pairs);
#endif
}

/* A word of all places. What terms have behind the last whole panel goes through `tail`, where no more may be read. */
static void put_words(const BytePlaces *p, const uint8_t *const *terms, const uint8_t *end, int64_t words, uint32_t *to)
{
  const int64_t places = p->lines * p->columns;
  for (int64_t j = 0; j < places; j += WIDTH, to += words * WIDTH) {
    uint8_t tail[TERMS][WIDTH];
    const uint8_t *from[TERMS];
    for (int t = 0; t < TERMS; t++) {
      from[t] = terms[t] + j;
      if (j + WIDTH > places && from[t] + WIDTH > end) from[t] = memcpy(tail[t], from[t], (size_t)(places - j));
    }
    for (int i = 0; i < WIDTH; i += TURNED) interleave(from, i, p->flip, (uint8_t *)(to + i));
  }
}

static void gather(const BytePlaces *p)
{
  const int64_t words = (p->taps + TERMS - 1) / TERMS;
  const bool lies_together = p->lines == 1 && p->step == 1;
  const uint8_t *end = lies_together ? p->end : p->buffer + TERMS * p->buffer_line;
  for (int64_t q = 0; q < words; q++) {
    const uint8_t *terms[TERMS];
    for (int t = 0; t < TERMS; t++) {
      const int64_t tap = q * TERMS + t;
      uint8_t *line = p->buffer + t * p->buffer_line;
      if (tap >= p->taps) terms[t] = terms[0]; /* its weights are 0 */
      else if (lies_together) terms[t] = p->x + p->at[tap];
      else copy_lines(p, p->x + p->at[tap], line), terms[t] = line;
    }
    put_words(p, terms, end, words, (uint32_t *)p->panels + q * WIDTH);
  }
}

/* ----------------------------------------------------------------------- rows */

/* The first n lanes of a vector, of at least one; n may be more than there are. */
typedef uint8_t Few __attribute__((vector_size(LANES), aligned(1), may_alias));

#if __AVX512BW__ && VECTOR_BYTES == 64
INLINE uint16_t lanes_of(int64_t n) { return (uint16_t)(n >= LANES ? 0xffff : (1u << n) - 1); }
INLINE void put_sums(Sums sum, int64_t n, int32_t *y) { _mm512_mask_storeu_epi32(y, lanes_of(n), (__m512i)sum); }
INLINE void put_bytes(Sums whole, int64_t n, uint8_t *y)
{
  _mm512_mask_cvtepi32_storeu_epi8(y, lanes_of(n), (__m512i)whole);
}
#else
INLINE void put_sums(Sums sum, int64_t n, int32_t *y)
{
  if (n >= LANES) *(LooseSums *)y = sum;
  else memcpy(y, &sum, (size_t)n * sizeof *y);
}
INLINE void put_bytes(Sums whole, int64_t n, uint8_t *y)
{
  const Few few = __builtin_convertvector(whole, Few);
  if (n >= LANES) *(Few *)y = few;
  else memcpy(y, &few, (size_t)n);
}
#endif

INLINE void store_sums(const Sums *sum, int vectors, int64_t n, int32_t *y)
{
  for (int j = 0; j < vectors; j++) put_sums(sum[j], n - j * LANES, y + j * LANES);
}

INLINE Floats floats_of(float x) { return (Floats){0} + x; }

/* Numbers within low and high, rounded to even ones of two as near; what is no number is the lowest. */
#if __AVX512BW__ && VECTOR_BYTES == 64
INLINE Sums rounded(Floats x, float low, float high)
{
  const __m512 above = _mm512_max_ps((__m512)x, (__m512)floats_of(low));
  return (Sums)_mm512_cvtps_epi32(_mm512_min_ps(above, (__m512)floats_of(high)));
}
#elif __AVX2__ && VECTOR_BYTES == 32
INLINE Sums rounded(Floats x, float low, float high)
{
  const __m256 above = _mm256_max_ps((__m256)x, (__m256)floats_of(low));
  return (Sums)_mm256_cvtps_epi32(_mm256_min_ps(above, (__m256)floats_of(high)));
}
#elif __SSE2__ && VECTOR_BYTES == 16
INLINE Sums rounded(Floats x, float low, float high)
{
  const __m128 above = _mm_max_ps((__m128)x, (__m128)floats_of(low));
  return (Sums)_mm_cvtps_epi32(_mm_min_ps(above, (__m128)floats_of(high)));
}
#else
#define ROUNDER 0x1.8p23f /* adding it leaves a number of less than 2^22 rounded */
INLINE Floats chosen(Sums mask, Floats a, Floats b) { return (Floats)(((Sums)a & mask) | ((Sums)b & ~mask)); }
INLINE Sums rounded(Floats x, float low, float high)
{
  const Floats above = chosen(x > low, x, floats_of(low));
  return __builtin_convertvector(chosen(above < high, above, floats_of(high)) + ROUNDER - ROUNDER, Sums);
}
#endif

INLINE void store_bytes(const ByteRows *p, const Sums *sum, int vectors, float scale, int64_t n, uint8_t *y)
{
  for (int j = 0; j < vectors; j++) {
    const Floats real = __builtin_convertvector(sum[j], Floats) * scale;
    put_bytes(rounded(real, p->low, p->high) + (int32_t)p->zero, n - j * LANES, y + j * LANES);
  }
}

/* Rows from i on of a panel. */
INLINE void run_block(const ByteRows *p, int64_t i, int rows, const int32_t *panel, int vectors, int64_t at)
{
  Sums sum[ROWS][2];
  const int32_t *weight = (const int32_t *)p->weights + i * p->words;
  UNROLL for (int r = 0; r < rows; r++) sum[r][0] = sum[r][1] = (Sums){0};
  for (int64_t q = 0; q < p->words; q++, panel += WIDTH, weight += rows) {
    Sums place[2];
    for (int j = 0; j < vectors; j++) place[j] = *(const LooseSums *)(panel + j * LANES);
    UNROLL for (int r = 0; r < rows; r++)
    {
      const Sums factor = (Sums){0} + weight[r];
      for (int j = 0; j < vectors; j++) sum[r][j] = with_products(sum[r][j], place[j], factor);
    }
  }
  const int64_t n = p->places - at < WIDTH ? p->places - at : WIDTH;
  UNROLL for (int r = 0; r < rows; r++)
  {
    for (int j = 0; j < vectors; j++) {
      sum[r][j] += p->offset[i + r];
      if (p->zeros) sum[r][j] -= p->zeros[i + r] * *(const LooseSums *)(p->totals + at + j * LANES);
    }
    const int64_t to = (i + r) * p->y_row + at;
    if (p->scale) store_bytes(p, sum[r], vectors, p->scale[i + r], n, (uint8_t *)p->y + to);
    else store_sums(sum[r], vectors, n, (int32_t *)p->y + to);
  }
}

/* What the places of a panel meet, added up. */
INLINE void add_up(const ByteRows *p, const int32_t *panel, int32_t *totals)
{
  const int32_t *one = p->ones;
  Sums sum[2] = {{0}, {0}};
  for (int64_t q = 0; q < p->words; q++, panel += WIDTH)
    for (int j = 0; j < 2; j++)
      sum[j] = with_products(sum[j], *(const LooseSums *)(panel + j * LANES), (Sums){0} + one[q]);
  for (int j = 0; j < 2; j++) *(LooseSums *)(totals + j * LANES) = sum[j];
}

INLINE void run_rows(const ByteRows *p, int64_t i, int rows)
{
  const int32_t *panel = p->panels;
  for (int64_t at = 0; at < p->places; at += WIDTH, panel += p->words * WIDTH)
    if (p->places - at > LANES) run_block(p, i, rows, panel, 2, at);
    else run_block(p, i, rows, panel, 1, at);
}

static void rows_of(const ByteRows *p)
{
  for (int64_t at = 0; p->zeros && at < p->places; at += WIDTH)
    add_up(p, (const int32_t *)p->panels + at * p->words, p->totals + at);
  for (int64_t i = 0, block; i < p->rows; i += block) {
    block = block_of(p->rows - i);
    if (block == ROWS) run_rows(p, i, ROWS);
    else if (block == SOME_ROWS) run_rows(p, i, SOME_ROWS);
    else run_rows(p, i, 1);
  }
}

/* ---------------------------------------------------------------- one channel */

/* Words of columns that lie side by side, those of LANES places. */
INLINE Sums window(const uint8_t *x, int step, uint8_t flip)
{
#if __AVX512VNNI__
  const __m512i from = step == 1
                         ? _mm512_setr_epi32(0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6)
                         : _mm512_setr_epi32(0, 1, 2, 3, 2, 3, 4, 5, 4, 5, 6, 7, 6, 7, 8, 9);
  const __m128i bytes = step == 1 ? _mm_setr_epi8(0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6)
                                  : _mm_setr_epi8(0, 1, 2, 3, 2, 3, 4, 5, 4, 5, 6, 7, 6, 7, 8, 9);
  const __m512i parts = _mm512_permutexvar_epi32(from, _mm512_loadu_si512(x));
  return (Sums)_mm512_shuffle_epi8(parts, _mm512_broadcast_i32x4(bytes)) ^ (int)(0x01010101u * flip);
#elif __AVX2__ && VECTOR_BYTES == 32
  const __m128i bytes = _mm_setr_epi8(0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8);
  const __m128i all = _mm_loadu_si128((const void *)x), pairs = step == 1 ? _mm_shuffle_epi8(all, bytes) : all;
  return (Sums)_mm256_cvtepu8_epi16(pairs) ^ (0x00010001 * flip);
#else
  Sums words;
  for (int i = 0; i < LANES; i++) words[i] = (x[i * step] ^ flip) | (x[i * step + 1] ^ flip) << 16;
  return words;
#endif
}

INLINE void run_lines(const ByteLines *l, const ByteRows *p, int step)
{
  const int64_t words = (l->kernel_columns + TERMS - 1) / TERMS;
  const int64_t line_bytes = p->scale ? 1 : 4;
  for (int64_t i = 0; i < l->lines; i++)
    for (int64_t k = 0; k < l->columns; k += LANES) {
      const uint8_t *x = l->x + i * l->line_step + k * step;
      const int32_t *weight = p->weights, *one = p->ones;
      Sums sum = (Sums){0} + p->offset[0], total = {0};
      for (int64_t t = 0; t < l->kernel_lines; t++, x += l->tap_step)
        for (int64_t q = 0; q < words; q++, weight++, one++) {
          const Sums places = window(x + q * TERMS, step, l->flip);
          sum = with_products(sum, places, (Sums){0} + *weight);
          if (p->zeros) total = with_products(total, places, (Sums){0} + *one);
        }
      if (p->zeros) sum -= total * p->zeros[0];
      const int64_t n = l->columns - k < LANES ? l->columns - k : LANES;
      char *y = (char *)p->y + (i * l->columns + k) * line_bytes;
      if (p->scale) store_bytes(p, &sum, 1, p->scale[0], n, (uint8_t *)y);
      else store_sums(&sum, 1, n, (int32_t *)(void *)y);
    }
}

static void lines_of(const ByteLines *l, const ByteRows *p)
{
  if (l->step == 1) run_lines(l, p, 1);
  else run_lines(l, p, 2);
}

#endif

void TYPED(fill_conv_bytes)(ConvBytesKernels *t) AT_START;
void TYPED(fill_conv_bytes)(ConvBytesKernels *t)
{
#if T_i32
  t->terms = TERMS;
  t->width = WIDTH;
  t->rows = ROWS;
  t->pack = pack;
  t->copy = copy;
  t->gather = gather;
  t->rows_of = rows_of;
  t->lines_of = lines_of;
#else
  (void)t;
#endif
}
