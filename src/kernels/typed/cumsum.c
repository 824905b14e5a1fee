/* Cumulative sums along rows (inner = 1) or columns of [outer, n, inner]. */
#include "kernels/typed/typed.h"

enum { STRIP = 64 };

#if T_FLOATING || T_COMPLEX
typedef Wide Total;
#else
typedef uint64_t Total; /* overflow wraps */
#endif

/* A strip of columns; y may be x. */
static void strip(int64_t n, int64_t step, int64_t columns, const T *x, T *y)
{
  Total total[STRIP] = {0};
  for (int64_t k = 0; k < n; k++, x += step, y += step)
    for (int64_t i = 0; i < columns; i++) {
      total[i] += (Total)x[i];
      y[i] = (T)total[i];
    }
}

static void cumsum(int64_t outer, int64_t n, int64_t inner, bool from_end, const void *x, void *y)
{
  int64_t first = from_end ? (n - 1) * inner : 0, step = from_end ? -inner : inner;
  for (int64_t o = 0; o < outer; o++)
    for (int64_t i = 0; i < inner; i += STRIP) {
      int64_t at = o * n * inner + first + i;
      strip(n, step, inner - i < STRIP ? inner - i : STRIP, (const T *)x + at, (T *)y + at);
    }
}

void TYPED(fill_cumsum)(KernelTable *t);
void TYPED(fill_cumsum)(KernelTable *t) { t->cumsum = cumsum; }
