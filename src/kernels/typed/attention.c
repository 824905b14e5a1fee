/* What attention needs besides products and softmax. */
#include "kernels/attention.h"
#include "kernels/typed/typed.h"

#if T_FLOATING

/* y = factor x. x, y: [rows, n] */
static void scale_rows(int64_t rows, int64_t n, double factor, const void *x, int64_t x_row, void *y, int64_t y_row)
{
  const T f = (T)factor;
  for (int64_t i = 0; i < rows; i++) {
    const T *from = (const T *)x + i * x_row;
    T *to = (T *)y + i * y_row;
    for (int64_t j = 0; j < n; j++) to[j] = f * from[j];
  }
}

/* y += x. y: [rows, n]; x: the same, or with x_col = 0 one number a row */
static void add_rows(int64_t rows, int64_t n, const void *x, int64_t x_row, int64_t x_col, void *y, int64_t y_row)
{
  for (int64_t i = 0; i < rows; i++) {
    const T *from = (const T *)x + i * x_row;
    T *to = (T *)y + i * y_row;
    if (x_col == 1)
      for (int64_t j = 0; j < n; j++) to[j] += from[j];
    else
      for (int64_t j = 0; j < n; j++) to[j] += from[j * x_col];
  }
}

/* y = a b. a, b, y: [rows, n] */
static void multiply_rows(int64_t rows, int64_t n, const void *a, int64_t a_row, const void *b, int64_t b_row, void *y,
                          int64_t y_row)
{
  for (int64_t i = 0; i < rows; i++) {
    const T *p = (const T *)a + i * a_row, *q = (const T *)b + i * b_row;
    T *to = (T *)y + i * y_row;
    for (int64_t j = 0; j < n; j++) to[j] = p[j] * q[j];
  }
}

/* scores, y: [rows, n] */
static void clear_hidden_rows(int64_t rows, int64_t n, const void *scores, void *y)
{
  for (int64_t i = 0; i < rows; i++) {
    const T *score = (const T *)scores + i * n;
    T *to = (T *)y + i * n;
    int64_t hidden = 0;
    while (hidden < n && score[hidden] == -(T)INFINITY) hidden++;
    for (int64_t j = 0; hidden == n && j < n; j++) to[j] = 0;
  }
}

#endif

void TYPED(fill_attention)(AttentionKernels *t);
void TYPED(fill_attention)(AttentionKernels *t)
{
#if T_FLOATING
  t->scale_rows = scale_rows;
  t->add_rows = add_rows;
  t->multiply_rows = multiply_rows;
  t->clear_hidden_rows = clear_hidden_rows;
#else
  (void)t;
#endif
}
