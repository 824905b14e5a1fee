/*
 * The body of one sum over rows and columns, included once for each, as their types differ. The includer defines
 *   SUM      its name: SUM_rows and SUM_columns are entered into the table
 *   HAS_ROWS 1 where the includer has the rows' function, which gets one for up to 8 terms, SUM_of_few
 *   TERM(e)  what is added of an element
 *   PART     what eight terms are added up in
 *   TOTAL    what their sums are added to, the results' type
 * which are undefined at the end.
 */
#define NAME__(sum, name) sum##name
#define NAME_(sum, name) NAME__(sum, name)
#define NAME(name) NAME_(SUM, name)

/* The sum of eight terms that lie `step` apart. */
static inline PART NAME(_of_8)(const T *x, int64_t step)
{
  return ((TERM(x[0]) + TERM(x[step])) + (TERM(x[2 * step]) + TERM(x[3 * step])))
         + ((TERM(x[4 * step]) + TERM(x[5 * step])) + (TERM(x[6 * step]) + TERM(x[7 * step])));
}

#if HAS_ROWS
/* x: [n], n <= 8 */
static inline TOTAL NAME(_of_few)(int64_t n, const T *x)
{
  PART total = 0;
  for (int64_t i = 0; i < n; i++) total += TERM(x[i]);
  return (TOTAL)total;
}
#else
/* x: [n], n >= LANES */
static inline TOTAL NAME(_row)(int64_t n, const T *x)
{
  TOTAL lane[LANES] = {0};
  int64_t i = 0;
  for (; i + 8 * LANES <= n; i += 8 * LANES)
    for (int j = 0; j < LANES; j++) lane[j] += (TOTAL)NAME(_of_8)(x + i + j, LANES);
  PART rest[LANES] = {0}; /* at most eight terms a lane, as above */
  for (; i + LANES <= n; i += LANES)
    for (int j = 0; j < LANES; j++) rest[j] += TERM(x[i + j]);
  const T *end = x + n - LANES; /* the last lanes overlap what has been added: that is left out */
  for (int j = 0, left = (int)(n - i); j < LANES; j++) rest[j] += j >= LANES - left ? TERM(end[j]) : 0;
  for (int j = 0; j < LANES; j++) lane[j] += (TOTAL)rest[j];
  for (int half = LANES / 2; half; half /= 2)
    for (int j = 0; j < half; j++) lane[j] += lane[j + half];
  return lane[0];
}

/* x: [rows, n], rows `step` apart; y: [rows] */
static void NAME(_rows)(int64_t rows, int64_t n, int64_t step, const void *x, void *y)
{
  TOTAL *out = y;
  const T *p = x;
  if (n >= 2 * LANES) {
    for (int64_t r = 0; r < rows; r++) out[r] = NAME(_row)(n, p + r * step);
    return;
  }
  for (int64_t r = 0; r < rows; r++, p += step) {
    TOTAL total = 0;
    for (int64_t i = 0; i < n; i++) total += (TOTAL)TERM(p[i]);
    out[r] = total;
  }
}
#endif

/* x: [n, columns], rows `step` apart; y: [columns] */
static void NAME(_columns)(int64_t n, int64_t step, int64_t columns, const void *x, void *y)
{
  const T *p = x;
  TOTAL *restrict out = y;
  int64_t k = 0;
  for (int64_t i = 0; i < columns; i++) out[i] = 0;
  for (; k + 8 <= n; k += 8, p += 8 * step)
    for (int64_t i = 0; i < columns; i++) out[i] += (TOTAL)NAME(_of_8)(p + i, step);
  for (; k < n; k++, p += step)
    for (int64_t i = 0; i < columns; i++) out[i] += (TOTAL)TERM(p[i]);
}

#undef NAME__
#undef NAME_
#undef NAME
#undef SUM
#undef HAS_ROWS
#undef TERM
#undef PART
#undef TOTAL
