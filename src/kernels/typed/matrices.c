/* Factors of small matrices and solutions by them, one at a time; loops go down columns, which lie together. */
#include "kernels/matrices.h"

#include "kernels/storage.h"
#include "kernels/typed/typed.h"

#if T_FLOATING || T_COMPLEX

#if T_COMPLEX
#define REAL_PART(z) ((Real)creal(z))
/* the magnitude by which LAPACK chooses pivots */
#define SIZE(z) (fabs(creal(z)) + fabs(cimag(z)))
#define CONJUGATE(z) ((T)conj(z))
#else
#define REAL_PART(z) (z)
#define SIZE(z) fabs(z)
#define CONJUGATE(z) (z)
#endif

static int largest_below(int m, int j, const T *column)
{
  int place = j;
  for (int i = j + 1; i < m; i++)
    if (SIZE(column[i]) > SIZE(column[place])) place = i;
  return place;
}

static void swap_two(int n, T *a, T *b, int64_t step)
{
  for (int64_t i = 0; i < n; i++) {
    T t = a[i * step];
    a[i * step] = b[i * step];
    b[i * step] = t;
  }
}

INLINE int factor(int m, int n, T *x, int lda, int *pivots)
{
  int info = 0;
  for (int j = 0; j < m && j < n; j++) {
    T *column = x + (int64_t)j * lda;
    int place = largest_below(m, j, column);
    pivots[j] = place + 1;
    if (column[place] == 0) {
      if (!info) info = j + 1;
      continue;
    }
    if (place != j) swap_two(n, x + j, x + place, lda);
    T pivot = column[j];
    for (int i = j + 1; i < m; i++) column[i] /= pivot;
    for (int c = j + 1; c < n; c++) {
      T *other = x + (int64_t)c * lda, factor = other[j];
      for (int i = j + 1; i < m; i++) other[i] -= column[i] * factor;
    }
  }
  return info;
}

/* The smallest ones have loops of constant length. */
static int lu(int m, int n, void *a, int lda, int *pivots)
{
  if (m == 2 && n == 2) return factor(2, 2, a, lda, pivots);
  if (m == 3 && n == 3) return factor(3, 3, a, lda, pivots);
  if (m == 4 && n == 4) return factor(4, 4, a, lda, pivots);
  return factor(m, n, a, lda, pivots);
}

/* The triangle above the diagonal is, its rows taken for columns, the conjugate of that below. */
static int cholesky(bool upper, int n, void *a, int lda)
{
  T *x = a;
  int64_t row = upper ? lda : 1, col = upper ? 1 : lda;
  for (int j = 0; j < n; j++) {
    Real d = REAL_PART(x[j * row + j * col]);
    for (int k = 0; k < j; k++) {
      T e = x[j * row + k * col];
      d -= REAL_PART(e * CONJUGATE(e));
    }
    if (!(d > 0)) return j + 1;
    Real root = (Real)sqrt(d);
    x[j * row + j * col] = root;
    for (int i = j + 1; i < n; i++) {
      T e = x[i * row + j * col];
      for (int k = 0; k < j; k++) e -= x[i * row + k * col] * CONJUGATE(x[j * row + k * col]);
      x[i * row + j * col] = e / root;
    }
  }
  return 0;
}

INLINE void solve_triangle(const Triangle *t, int n, bool conjugated, int64_t k, T *b, int64_t row, int64_t col)
{
  const T *a = t->a;
  for (int64_t c = 0; c < k; c++) {
    T *x = b + c * col;
    for (int s = 0; s < n; s++) {
      int64_t i = t->upper ? n - 1 - s : s, first = t->upper ? 0 : i + 1, end = t->upper ? i : n;
      const T *column = a + i * t->col;
      T diagonal = t->unit ? 1 : column[i * t->row];
      T value = x[i * row] /= conjugated ? CONJUGATE(diagonal) : diagonal;
      for (int64_t j = first; j < end; j++) {
        T e = column[j * t->row];
        x[j * row] -= (conjugated ? CONJUGATE(e) : e) * value;
      }
    }
  }
}

static void triangle(const Triangle *t, int k, void *b, int64_t row, int64_t col)
{
  if (t->conjugated) solve_triangle(t, t->n, true, k, b, row, col);
  else if (t->n == 3) solve_triangle(t, 3, false, k, b, row, col);
  else if (t->n == 4) solve_triangle(t, 4, false, k, b, row, col);
  else solve_triangle(t, t->n, false, k, b, row, col);
}

static void swap_rows(int n, int k, const int *pivots, bool back, void *b, int ldb)
{
  T *x = b;
  for (int s = 0; s < n; s++) {
    int i = back ? n - 1 - s : s, other = pivots[i] - 1;
    if (other != i) swap_two(k, x + i, x + other, ldb);
  }
}

static void determinant(int n, const void *lu, int lda, const int *pivots, void *det)
{
  const T *x = lu;
  T product = 1;
  for (int i = 0; i < n; i++) {
    product *= x[(int64_t)i * lda + i];
    if (pivots[i] != i + 1) product = -product;
  }
  *(T *)det = product;
}

static void log_determinant(int n, const void *lu, int lda, const int *pivots, void *sign, void *log_size)
{
  const T *x = lu;
  T product = 1;
  Real sum = 0;
  for (int i = 0; i < n; i++) {
    T e = x[(int64_t)i * lda + i];
#if T_COMPLEX
    Real size = (Real)cabs(e);
    product *= size == 0 ? 0 : e / size;
#else
    Real size = (Real)fabs(e);
    product *= (T)((e > 0) - (e < 0));
#endif
    sum += (Real)log(size);
    if (pivots[i] != i + 1) product = -product;
  }
  *(T *)sign = product;
  *(Real *)log_size = sum;
}
#endif

void TYPED(fill_matrices)(MatrixKernels *t) AT_START;
void TYPED(fill_matrices)(MatrixKernels *t)
{
#if T_FLOATING || T_COMPLEX
  *t = (MatrixKernels){lu, cholesky, triangle, swap_rows, determinant, log_determinant};
#else
  (void)t;
#endif
}
