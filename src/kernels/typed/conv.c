/* Gradients of weights of few rows as dot products of lines, and places of many images, of floats (kernels/conv.h). */
#include "kernels/conv.h"
#include "core/blocks.h"
#include "kernels/typed/conv_rows.h"

#if T_FLOATING

#if NNLUA_SMALL_BLOCKS
enum { DOT_ROWS = 2 };
#else
enum { DOT_ROWS = CONV_DOT_ROWS }; /* kernels/isa.def */
#endif

/* One block of dots; at has CONV_DOT_TAPS offsets, of which `taps` are kept. */
INLINE void run_dots(const ConvDots *k, int64_t row, int64_t tap, int rows)
{
  Vector sum[DOT_ROWS][CONV_DOT_TAPS];
  int taps = k->taps - tap < CONV_DOT_TAPS ? (int)(k->taps - tap) : CONV_DOT_TAPS;
  int rest = (int)(k->columns % V);
  Lanes lanes = lanes_of(rest);
  int64_t at[CONV_DOT_TAPS];
  for (int t = 0; t < CONV_DOT_TAPS; t++) at[t] = k->at[tap + (t < taps ? t : taps - 1)];
  UNROLL for (int i = 0; i < rows; i++) UNROLL for (int t = 0; t < CONV_DOT_TAPS; t++) sum[i][t] = (Vector){0};
  for (int64_t l = 0; l < k->lines; l++) {
    const T *dy = (const T *)k->dy + row * k->dy_row + l * k->dy_line, *x = (const T *)k->x + l * k->x_line;
    int64_t c = 0;
    for (; c + V <= k->columns; c += V) {
      Vector left[DOT_ROWS];
      UNROLL for (int i = 0; i < rows; i++) left[i] = load(dy + i * k->dy_row + c);
      UNROLL for (int t = 0; t < CONV_DOT_TAPS; t++)
      {
        Vector right = load(x + at[t] + c);
        UNROLL for (int i = 0; i < rows; i++) sum[i][t] += left[i] * right;
      }
    }
    if (!rest) continue;
    Vector left[DOT_ROWS];
    UNROLL for (int i = 0; i < rows; i++) left[i] = load_first(dy + i * k->dy_row + c, lanes, rest);
    UNROLL for (int t = 0; t < CONV_DOT_TAPS; t++)
    {
      Vector right = load_first(x + at[t] + c, lanes, rest);
      UNROLL for (int i = 0; i < rows; i++) sum[i][t] += left[i] * right;
    }
  }
  UNROLL for (int i = 0; i < rows; i++) UNROLL for (int t = 0; t < CONV_DOT_TAPS; t++) if (t < taps)(
    (T *)k->sums)[(row + i) * k->taps + tap + t] += total_of(sum[i][t]);
}

static void dots_1(const ConvDots *k, int64_t row, int64_t tap) { run_dots(k, row, tap, 1); }
static void dots_2(const ConvDots *k, int64_t row, int64_t tap) { run_dots(k, row, tap, 2); }
#if CONV_DOT_ROWS == 4 && !NNLUA_SMALL_BLOCKS
static void dots_3(const ConvDots *k, int64_t row, int64_t tap) { run_dots(k, row, tap, 3); }
static void dots_4(const ConvDots *k, int64_t row, int64_t tap) { run_dots(k, row, tap, 4); }
static void (*const dots[])(const ConvDots *, int64_t, int64_t) = {dots_1, dots_2, dots_3, dots_4};
#else
static void (*const dots[])(const ConvDots *, int64_t, int64_t) = {dots_1, dots_2};
#endif

static void conv_dots(const ConvDots *k)
{
  for (int64_t row = 0; row < k->rows; row += DOT_ROWS) {
    int64_t rows = k->rows - row < DOT_ROWS ? k->rows - row : DOT_ROWS;
    for (int64_t tap = 0; tap < k->taps; tap += CONV_DOT_TAPS) dots[rows - 1](k, row, tap);
  }
}

/* ---- a place of some images ---- */

/* images and vectors are constants where it is called, so that the sums stay in registers. */
INLINE void run_place(const ConvPlaceOfImages *k, int64_t vector, int images, int vectors)
{
  Vector sum[CONV_ROWS][VECTORS];
  const T *x = k->x, *w[VECTORS];
  const int64_t channels = k->channels, taps = k->taps, x_channel = k->x_channel, w_channel = k->w_channel;
  const ConvTap *tap = k->tap;
  const int64_t c_row = k->vectors * V;
  T *c = (T *)k->c + vector * V;
  UNROLL for (int j = 0; j < vectors; j++)
  {
    const Vector start = k->start ? load((const T *)k->start + (vector + j) * V) : (Vector){0};
    w[j] = (const T *)k->w + (vector + j) * k->w_vector;
    UNROLL for (int i = 0; i < images; i++) sum[i][j] = start;
  }
  for (int64_t n = 0; n < channels; n++) {
    for (int64_t t = 0; t < taps; t++) {
      const T *left = x + tap[t].x;
      Vector right[VECTORS];
      UNROLL for (int j = 0; j < vectors; j++) right[j] = load(w[j] + tap[t].w);
      UNROLL for (int i = 0; i < images; i++) UNROLL for (int j = 0; j < vectors; j++) sum[i][j] += left[i] * right[j];
    }
    x += x_channel;
    UNROLL for (int j = 0; j < vectors; j++) w[j] += w_channel;
  }
  UNROLL for (int i = 0; i < images; i++) UNROLL for (int j = 0; j < vectors; j++)
  {
    T *to = c + i * c_row + j * V;
    store(to, k->add ? load(to) + sum[i][j] : sum[i][j]);
  }
}

#define PLACE_RUNNERS(images, vectors)                                                                    \
  static void place_##images(const ConvPlaceOfImages *k, int64_t v) { run_place(k, v, images, vectors); } \
  static void single_place_##images(const ConvPlaceOfImages *k, int64_t v) { run_place(k, v, images, 1); }
BLOCKS(PLACE_RUNNERS)

typedef struct PlaceRunner {
  int vectors;
  void (*full)(const ConvPlaceOfImages *, int64_t vector), (*single)(const ConvPlaceOfImages *, int64_t vector);
} PlaceRunner;

#define PLACE_RUNNER(images, vectors) {vectors, place_##images, single_place_##images},
static const PlaceRunner place_runners[] = {BLOCKS(PLACE_RUNNER)};

static void place_of_images(const ConvPlaceOfImages *k)
{
  const PlaceRunner *r = &place_runners[k->images - 1];
  int64_t v = 0;
  for (; v + r->vectors <= k->vectors; v += r->vectors) r->full(k, v);
  for (; v < k->vectors; v++) r->single(k, v);
}

#endif

void TYPED(fill_conv)(ConvKernels *t) AT_START;
void TYPED(fill_conv)(ConvKernels *t)
{
#if T_FLOATING
  t->dots = conv_dots;
  t->place_of_images = place_of_images;
#endif
  (void)t;
}
