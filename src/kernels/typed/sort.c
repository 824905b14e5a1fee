/*
 * Sorting of rows. An element becomes an item: a key, an unsigned number that orders as the element does (nan last),
 * with its index. Few items are ranked by comparing all with all, some are merged, many go by their keys' digits; of
 * the first few only, a heap keeps the candidates.
 */
#include "core/blocks.h"
#include "kernels/sort.h"
#include "kernels/typed/typed.h"

#if !T_COMPLEX

enum { DIGIT_BITS = 8, DIGITS = 1 << DIGIT_BITS, LEADING = 12 /* bits of a first digit */ };

#if T_f64 || T_i64
#define WIDE_ITEM 1
typedef uint64_t Key;
typedef struct Item {
  Key key;
  uint64_t index;
} Item;
enum { KEY_BITS = 64 };
#define KEY_OF(item) ((item).key)
#define INDEX_OF(item) ((item).index)
#define ITEM(k, i) ((Item){(k), (uint64_t)(i)})
#else
/* The key in the upper half, the index in the lower one: comparing items compares both. */
typedef uint32_t Key;
typedef uint64_t Item;
#if T_f32 || T_i32
enum { KEY_BITS = 32 };
#else
enum { KEY_BITS = 16 };
#endif
#define KEY_OF(item) ((Key)((item) >> 32))
#define INDEX_OF(item) ((item)&UINT32_MAX)
#define ITEM(k, i) ((Item)(k) << 32 | (uint32_t)(i))
#endif

static inline bool item_less(Item a, Item b)
{
#if WIDE_ITEM
  return a.key < b.key || (a.key == b.key && a.index < b.index);
#else
  return a < b;
#endif
}

/* Enough where equal keys come in the order of their indices. */
static inline bool key_less(Item a, Item b)
{
#if WIDE_ITEM
  return a.key < b.key;
#else
  return a < b;
#endif
}

static inline Key key_of(T x)
{
#if T_f32 || T_f64
  Key bits, sign = (Key)1 << (KEY_BITS - 1);
  T plain = x == 0 ? 0 : x; /* -0 is 0 */
  memcpy(&bits, &plain, sizeof bits);
  return x != x ? ~(Key)0 : bits & sign ? ~bits : bits | sign;
#elif T_i64 || T_i32
  return (Key)x ^ (Key)1 << (KEY_BITS - 1);
#elif T_i16 || T_i8
  return (Key)((int32_t)x + 0x8000);
#else
  return (Key)x;
#endif
}

/* The bits of a key that may differ. */
#define KEY_MASK (~(Key)0 >> (8 * sizeof(Key) - KEY_BITS))

static void make_items(int64_t n, const T *x, bool descending, Item *items)
{
  Key turn = descending ? KEY_MASK : 0;
  for (int64_t i = 0; i < n; i++) items[i] = ITEM(key_of(x[i]) ^ turn, i);
}

/* --------------------------------------------------------------------- merging */

/* to = items in order; an item's rank is the number of those before it. */
static void rank_items(int n, const Item *items, Item *to)
{
  int rank[SORT_RANKED] = {0};
  for (int i = 1; i < n; i++)
    for (int j = 0; j < i; j++) {
      int after = !key_less(items[i], items[j]);
      rank[i] += after;
      rank[j] += 1 - after;
    }
  for (int i = 0; i < n; i++) to[rank[i]] = items[i];
}

static void merge(const Item *a, const Item *a_end, const Item *b, const Item *b_end, Item *to)
{
  while (a < a_end && b < b_end) {
    bool second = key_less(*b, *a);
    *to++ = second ? *b : *a;
    b += second;
    a += !second;
  }
  memcpy(to, a, (size_t)(a_end - a) * sizeof *a);
  memcpy(to + (a_end - a), b, (size_t)(b_end - b) * sizeof *b);
}

/* Sorted runs of SORT_RANKED, merged to one; returns where it is: in items or in other. */
static Item *merge_sort(int64_t n, Item *items, Item *other)
{
  for (int64_t i = 0; i < n; i += SORT_RANKED)
    rank_items((int)(n - i < SORT_RANKED ? n - i : SORT_RANKED), items + i, other + i);
  Item *from = other, *to = items;
  for (int64_t run = SORT_RANKED; run < n; run *= 2) {
    for (int64_t i = 0; i < n; i += 2 * run) {
      int64_t middle = i + run < n ? i + run : n, end = middle + run < n ? middle + run : n;
      merge(from + i, from + middle, from + middle, from + end, to + i);
    }
    Item *t = from;
    from = to;
    to = t;
  }
  return from;
}

/* ---------------------------------------------------------------------- digits */

/* From the last digit to the first, each time keeping the order among equals.
   Digits that all items share are left out. */
static Item *radix_sort(int64_t n, Item *items, Item *other)
{
  uint32_t counts[KEY_BITS / DIGIT_BITS][DIGITS] = {{0}};
  for (int64_t i = 0; i < n; i++)
    for (int d = 0; d < KEY_BITS / DIGIT_BITS; d++) counts[d][KEY_OF(items[i]) >> d * DIGIT_BITS & (DIGITS - 1)]++;
  for (int d = 0; d < KEY_BITS / DIGIT_BITS; d++) {
    uint32_t *place = counts[d], sum = 0;
    int shift = d * DIGIT_BITS;
    if (place[KEY_OF(items[0]) >> shift & (DIGITS - 1)] == (uint64_t)n) continue;
    for (int i = 0; i < DIGITS; i++) {
      uint32_t count = place[i];
      place[i] = sum;
      sum += count;
    }
    for (int64_t i = 0; i < n; i++) other[place[KEY_OF(items[i]) >> shift & (DIGITS - 1)]++] = items[i];
    Item *t = items;
    items = other;
    other = t;
  }
  return items;
}

/* ------------------------------------------------------------- the first few only */

static void sift_down(Item *heap, int64_t n, int64_t i, Item x)
{
  for (;;) {
    int64_t child = 2 * i + 1;
    if (child >= n) break;
    if (child + 1 < n && item_less(heap[child], heap[child + 1])) child++;
    if (!item_less(x, heap[child])) break;
    heap[i] = heap[child];
    i = child;
  }
  heap[i] = x;
}

/* The first `count` items in order: a heap holds the candidates, the last of them on top. */
static void select_first(int64_t n, int64_t count, const T *x, bool descending, Item *heap)
{
  Key turn = descending ? KEY_MASK : 0, keys[SORT_BLOCK];
  make_items(count, x, descending, heap);
  for (int64_t i = count / 2 - 1; i >= 0; i--) sift_down(heap, count, i, heap[i]);
  for (int64_t start = count; start < n; start += SORT_BLOCK) {
    int length = (int)(n - start < SORT_BLOCK ? n - start : SORT_BLOCK);
    Key worst = KEY_OF(heap[0]), any = 0;
    for (int i = 0; i < length; i++) {
      keys[i] = key_of(x[start + i]) ^ turn;
      any |= keys[i] < worst;
    }
    if (!any) continue;
    for (int i = 0; i < length; i++)
      if (keys[i] < KEY_OF(heap[0])) sift_down(heap, count, 0, ITEM(keys[i], start + i));
  }
  for (int64_t last = count - 1; last > 0; last--) {
    Item x_last = heap[last];
    heap[last] = heap[0];
    sift_down(heap, last, 0, x_last);
  }
}

/* The items among which the first `count` are, in their old order, and their number: those up to a leading digit. */
static int64_t take_candidates(int64_t n, int64_t count, const T *x, bool descending, Item *items)
{
  enum { SHIFT = KEY_BITS - LEADING };
  uint32_t counts[1 << LEADING] = {0};
  Key turn = descending ? KEY_MASK : 0, last = 0;
  int64_t taken = 0;
  for (int64_t i = 0; i < n; i++) counts[(key_of(x[i]) ^ turn) >> SHIFT]++;
  for (int64_t sum = counts[0]; sum < count; sum += counts[last]) last++;
  for (int64_t i = 0; i < n; i++) {
    Key key = key_of(x[i]) ^ turn;
    items[taken] = ITEM(key, i);
    taken += key >> SHIFT <= last;
  }
  return taken;
}

/* ------------------------------------------------------------------------ rows */

static Item *sort_items(int64_t n, Item *items, Item *other)
{
  if (n > SORT_RANKED) return n < SORT_FROM_RADIX ? merge_sort(n, items, other) : radix_sort(n, items, other);
  rank_items((int)n, items, other);
  return other;
}

static void sort_row(int64_t n, int64_t count, bool descending, const T *x, T *values, int64_t *positions, Item *items)
{
  Item *sorted = items;
  if (count < n && n > SORT_RANKED && (count <= SORT_FEW || count <= n / SORT_SHARE)) {
    select_first(n, count, x, descending, items);
  } else {
    int64_t candidates = n;
    if (count < n / 2 && n >= SORT_MANY) candidates = take_candidates(n, count, x, descending, items);
    else make_items(n, x, descending, items);
    sorted = sort_items(candidates, items, items + n);
  }
  for (int64_t i = 0; i < count; i++) {
    int64_t index = (int64_t)INDEX_OF(sorted[i]);
    values[i] = x[index];
    positions[i] = index + 1;
  }
}

/* x: [rows, n]; values, positions: [rows, count] */
static void sort(int64_t rows, int64_t n, int64_t count, bool descending, const void *x, void *values,
                 int64_t *positions, void *scratch)
{
  if (count == 0) return;
  for (int64_t r = 0; r < rows; r++)
    sort_row(n, count, descending, (const T *)x + r * n, (T *)values + r * count, positions + r * count, scratch);
}

/* --------------------------------------------------------------- one rank of a row */

/* Of items that are alike in all digits before this one, those that share the digit of the item of a rank (from 0),
   which becomes the rank among them; their number. */
static int64_t narrow_items(int64_t n, int64_t *rank, int shift, Key digits, Item *items)
{
  uint32_t counts[1 << LEADING];
  Key digit = 0;
  int64_t taken = 0;
  memset(counts, 0, ((size_t)digits + 1) * sizeof *counts);
  for (int64_t i = 0; i < n; i++) counts[KEY_OF(items[i]) >> shift & digits]++;
  for (; *rank >= counts[digit]; digit++) *rank -= counts[digit];
  for (int64_t i = 0; i < n; i++) {
    Item item = items[i];
    items[taken] = item;
    taken += (KEY_OF(item) >> shift & digits) == digit;
  }
  return taken;
}

/* The same of a row's first digit. */
static int64_t take_digit(int64_t n, int64_t *rank, int shift, Key digits, const T *x, Item *items)
{
  uint32_t counts[1 << LEADING];
  Key digit = 0;
  int64_t taken = 0;
  memset(counts, 0, ((size_t)digits + 1) * sizeof *counts);
  for (int64_t i = 0; i < n; i++) counts[key_of(x[i]) >> shift]++;
  for (; *rank >= counts[digit]; digit++) *rank -= counts[digit];
  for (int64_t i = 0; i < n; i++) {
    Key key = key_of(x[i]);
    items[taken] = ITEM(key, i);
    taken += key >> shift == digit;
  }
  return taken;
}

/* The index of the element of a rank (from 0): digit by digit, among ever fewer items. */
static int64_t index_of_rank(int64_t n, int64_t rank, const T *x, Item *items)
{
  if (n <= SORT_RANKED) {
    make_items(n, x, false, items);
    rank_items((int)n, items, items + n);
    return (int64_t)INDEX_OF(items[n + rank]);
  }
  int bits = n < SORT_MANY ? DIGIT_BITS : LEADING, shift = KEY_BITS - bits;
  Key digits = ((Key)1 << bits) - 1;
  int64_t left = take_digit(n, &rank, shift, digits, x, items);
  while (left > 1 && shift > 0) {
    shift = shift > bits ? shift - bits : 0;
    left = narrow_items(left, &rank, shift, digits, items);
  }
  return (int64_t)INDEX_OF(items[rank]);
}

/* x: [rows, n]; ranks, values, positions: [rows] */
static void ranked(int64_t rows, int64_t n, const int64_t *ranks, const void *x, void *values, int64_t *positions,
                   void *scratch)
{
  for (int64_t r = 0; r < rows; r++) {
    const T *row = (const T *)x + r * n;
    int64_t index = index_of_rank(n, ranks[r] - 1, row, scratch);
    ((T *)values)[r] = row[index];
    positions[r] = index + 1;
  }
}

/* ---------------------------------------------------------- orders of whole rows */

static bool row_is_before(int64_t m, const T *a, const T *b)
{
  for (int64_t i = 0; i < m; i++) {
    Key ka = key_of(a[i]), kb = key_of(b[i]);
    if (ka != kb) return ka < kb;
  }
  return false;
}

/* x: [n, m]; positions, scratch: [n] */
static void sort_rows(int64_t n, int64_t m, const void *x, int64_t *positions, int64_t *scratch)
{
  int64_t *from = positions, *to = scratch;
  for (int64_t i = 0; i < n; i++) positions[i] = i + 1;
  for (int64_t run = 1; run < n; run *= 2) {
    for (int64_t start = 0; start < n; start += 2 * run) {
      int64_t middle = start + run < n ? start + run : n, end = middle + run < n ? middle + run : n;
      int64_t a = start, b = middle;
      for (int64_t k = start; k < end; k++) {
        bool second = a == middle
                      || (b < end
                          && row_is_before(m, (const T *)x + (from[b] - 1) * m, (const T *)x + (from[a] - 1) * m));
        to[k] = second ? from[b++] : from[a++];
      }
    }
    int64_t *t = from;
    from = to;
    to = t;
  }
  if (from != positions) memcpy(positions, from, (size_t)n * sizeof *from);
}
#endif

void TYPED(fill_sort)(SortKernels *t) AT_START;
void TYPED(fill_sort)(SortKernels *t)
{
#if !T_COMPLEX
  t->elements = sort;
  t->ranked = ranked;
  t->rows = sort_rows;
#else
  (void)t;
#endif
}
