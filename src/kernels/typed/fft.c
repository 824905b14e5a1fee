/* Discrete Fourier transforms: see kernels/fft.h. */
#include "kernels/fft.h"

#include "kernels/typed/typed.h"

#if T_FLOATING

#include "kernels/typed/fft_butterflies.h"
#include "kernels/typed/fft_lines.h"

/* ------------------------------------------------------------------ passes */

/*
 * One line of a pass: of radix r, x[q apart + c] to y[q s + c] for c below s. Where s is no multiple of V, the last
 * vector is done over again with some before it; where s is less than a vector, what is written too much is written
 * again by what follows, and arrays have V more places at their ends.
 */
INLINE void columns(int r, bool turns, const FftPass *f, const T *w, int64_t apart, int64_t s, Split x, Split y)
{
  for (int64_t c = 0;;) {
    Complex v[FFT_LARGE_PRIME];
    UNROLL for (int q = 0; q < r; q++) v[q] = (Complex){load(x.re + q * apart + c), load(x.im + q * apart + c)};
    butterfly(r, v, f->roots);
    UNROLL for (int q = 0; q < r; q++)
    {
      Complex t = q && turns ? times_number(v[q], w[2 * q - 2], w[2 * q - 1]) : v[q];
      store(y.re + q * s + c, t.re);
      store(y.im + q * s + c, t.im);
    }
    c += V;
    if (c >= s) break;
    if (c > s - V) c = s - V;
  }
}

INLINE void pass(int r, const FftPass *f, int64_t s, Split x, Split y)
{
  const T *w = f->twiddles;
  if (f->m == 1) {
    columns(r, false, f, w, s, s, x, y);
    return;
  }
  for (int64_t p = 0; p < f->m; p++, w += 2 * (r - 1))
    columns(r, true, f, w, f->m * s, s, (Split){x.re + p * s, x.im + p * s},
            (Split){y.re + p * r * s, y.im + p * r * s});
}

#define PASS(r) \
  static void pass_##r(const FftPass *f, int64_t s, Split x, Split y) { pass(r, f, s, x, y); }
PASS(2)
PASS(3)
PASS(4)
PASS(5)
PASS(7)
PASS(8)
PASS(11)
PASS(13)

static void pass_odd(const FftPass *f, int64_t s, Split x, Split y) { pass((int)f->radix, f, s, x, y); }

static void run_pass(const FftPass *f, int64_t s, Split x, Split y)
{
  switch (f->radix) {
    case 2: pass_2(f, s, x, y); break;
    case 3: pass_3(f, s, x, y); break;
    case 4: pass_4(f, s, x, y); break;
    case 5: pass_5(f, s, x, y); break;
    case 7: pass_7(f, s, x, y); break;
    case 8: pass_8(f, s, x, y); break;
    case 11: pass_11(f, s, x, y); break;
    case 13: pass_13(f, s, x, y); break;
    default: pass_odd(f, s, x, y);
  }
}

/* The first pass of a transform alone, of radix V: vectors run along m, and tiles are turned for what follows. */
static void turned_pass(const FftPass *f, Split x, Split y)
{
  const int64_t m = f->m;
  const T *w = f->twiddles;
  for (int64_t p = 0;;) {
    Complex v[V];
    Vector re[V], im[V];
    UNROLL for (int q = 0; q < V; q++) v[q] = (Complex){load(x.re + q * m + p), load(x.im + q * m + p)};
    butterfly(V, v, NULL);
    UNROLL for (int q = 1; q < V; q++)
    {
      const T *at = w + (2 * q - 2) * m + p;
      v[q] = times(v[q], load(at), load(at + m));
    }
    UNROLL for (int q = 0; q < V; q++)
    {
      re[q] = v[q].re;
      im[q] = v[q].im;
    }
    turn_tile(re);
    turn_tile(im);
    UNROLL for (int q = 0; q < V; q++)
    {
      store(y.re + (p + q) * V, re[q]);
      store(y.im + (p + q) * V, im[q]);
    }
    p += V;
    if (p >= m) break;
    if (p > m - V) p = m - V;
  }
}

/* -------------------------------------------------------------- transforms */

/* The memory of a transform: what is in x is transformed on the way from one to the other. */
typedef struct Room {
  Split x, other;
} Room;

static Room room_swapped(Room r) { return (Room){swapped(r.x, true), swapped(r.other, true)}; }

/* a[k] times t[k], for one transform or for V side by side. */
static void multiply(int64_t n, int64_t lanes, Split a, const T *re, const T *im)
{
  int64_t k = 0;
  if (lanes == 1)
    for (; k < n; k += V) {
      Complex c = times((Complex){load(a.re + k), load(a.im + k)}, load(re + k), load(im + k));
      store(a.re + k, c.re);
      store(a.im + k, c.im);
    }
  else
    for (; k < n; k++) {
      Complex c = times_number((Complex){load(a.re + k * V), load(a.im + k * V)}, re[k], im[k]);
      store(a.re + k * V, c.re);
      store(a.im + k * V, c.im);
    }
}

/* Where numbers of a table of split parts begin: each part has V places more. */
static const T *imaginary_part(const void *table, int64_t n) { return (const T *)table + n + V; }

static Room run_passes(const FftPlan *plan, int64_t lanes, Room r)
{
  int64_t s = lanes;
  for (int i = 0; i < plan->passes; i++) {
    const FftPass *f = &plan->pass[i];
    if (i == 0 && plan->turned) turned_pass(f, r.x, r.other);
    else run_pass(f, s, r.x, r.other);
    s *= f->radix;
    r = (Room){r.other, r.x};
  }
  return r;
}

/* x in r.x to its transform, in the r.x that is returned; each part has V places more at its end. */
static Room transform(const FftPlan *plan, int64_t lanes, Room r)
{
  if (!plan->longer) return run_passes(plan, lanes, r);
  const int64_t n = plan->n, length = plan->longer->n;
  const T *chirp = plan->chirp, *filter = plan->filter;
  multiply(n, lanes, r.x, chirp, imaginary_part(chirp, n));
  memset(r.x.re + n * lanes, 0, (size_t)((length - n) * lanes) * sizeof(T));
  memset(r.x.im + n * lanes, 0, (size_t)((length - n) * lanes) * sizeof(T));
  r = run_passes(plan->longer, lanes, r);
  multiply(length, lanes, r.x, filter, imaginary_part(filter, length));
  r = room_swapped(run_passes(plan->longer, lanes, room_swapped(r)));
  multiply(n, lanes, r.x, chirp, imaginary_part(chirp, n));
  return r;
}

/* ---------------------------------------------------------- real transforms */

/*
 * Of n = 2 h real numbers, seen as h complex ones whose transform is z, in y [h + 1]: z[k] and z[h - k]* have the
 * transforms of the even and the odd ones as their half sum and difference, and
 *   y[k] = (z[k] + z[h - k]*) / 2 - i w^k (z[k] - z[h - k]*) / 2, where w = e^(-2 pi i / n).
 */
INLINE void half_to_whole(Complex a, Complex b, Complex w, Complex *first, Complex *last)
{
  const T half = (T)0.5;
  Complex even = {(a.re + b.re) * half, (a.im - b.im) * half};
  Complex odd = times((Complex){(a.im + b.im) * half, (b.re - a.re) * half}, w.re, w.im);
  *first = sum(even, odd);
  *last = (Complex){even.re - odd.re, odd.im - even.im};
}

/* Back: y[k] and y[h - k] to z[k] and z[h - k], without the halves: the inverse of the double length. */
INLINE void whole_to_half(Complex a, Complex b, Complex w, Complex *first, Complex *last)
{
  Complex even = {a.re + b.re, a.im - b.im};
  Complex odd = times((Complex){a.re - b.re, a.im + b.im}, w.re, -w.im);
  *first = plus_i(even, odd);
  *last = (Complex){even.re + odd.im, odd.re - even.im};
}

INLINE void fold(bool whole, Complex a, Complex b, Complex w, Complex *first, Complex *last)
{
  if (whole) half_to_whole(a, b, w, first, last);
  else whole_to_half(a, b, w, first, last);
}

#define BROADCAST(number) AS_VECTOR((T)(number))

/* For all k up to h / 2, of one transform: from[k] and from[h - k] to to[k] and to[h - k]; from[h] is there. */
INLINE void fold_alone(bool whole, int64_t h, Split from, Split to, const T *re, const T *im)
{
  for (int64_t k = 0; 2 * k <= h; k += V) {
    /* The last vector goes over the middle, where both sides say the same. */
    int64_t other = h - k - (V - 1);
    Complex first, last;
    Complex a = {load(from.re + k), load(from.im + k)};
    Complex b = {REVERSED(load(from.re + other)), REVERSED(load(from.im + other))};
    fold(whole, a, b, (Complex){load(re + k), load(im + k)}, &first, &last);
    store(to.re + k, first.re);
    store(to.im + k, first.im);
    store(to.re + other, REVERSED(last.re));
    store(to.im + other, REVERSED(last.im));
  }
}

INLINE void fold_one_by_one(bool whole, int64_t h, int64_t lanes, Split from, Split to, const T *re, const T *im)
{
  for (int64_t k = 0; 2 * k <= h; k++) {
    int64_t p = k * lanes, q = (h - k) * lanes;
    Complex first, last, a = {load(from.re + p), load(from.im + p)}, b = {load(from.re + q), load(from.im + q)};
    fold(whole, a, b, (Complex){BROADCAST(re[k]), BROADCAST(im[k])}, &first, &last);
    if (lanes == V) {
      store(to.re + p, first.re);
      store(to.im + p, first.im);
      store(to.re + q, last.re);
      store(to.im + q, last.im);
    } else {
      to.re[p] = first.re[0];
      to.im[p] = first.im[0];
      to.re[q] = last.re[0];
      to.im[q] = last.im[0];
    }
  }
}

static void fold_halves(bool whole, int64_t h, int64_t lanes, Split from, Split to, const T *roots)
{
  const T *re = roots, *im = imaginary_part(roots, h / 2 + 1);
  if (lanes == 1 && h >= 2 * V && whole) fold_alone(true, h, from, to, re, im);
  else if (lanes == 1 && h >= 2 * V) fold_alone(false, h, from, to, re, im);
  else if (lanes == 1 && whole) fold_one_by_one(true, h, 1, from, to, re, im);
  else if (lanes == 1) fold_one_by_one(false, h, 1, from, to, re, im);
  else if (whole) fold_one_by_one(true, h, V, from, to, re, im);
  else fold_one_by_one(false, h, V, from, to, re, im);
}

/* a[n - k] = a[k]*, for k above n / 2. */
static void mirror(int64_t n, int64_t lanes, Split a)
{
  for (int64_t k = n / 2 + 1; k < n; k++)
    for (int64_t l = 0; l < lanes; l++) {
      a.re[k * lanes + l] = a.re[(n - k) * lanes + l];
      a.im[k * lanes + l] = -a.im[(n - k) * lanes + l];
    }
}

/* ------------------------------------------------------------------- lines */

/* What a kind of line has as elements: how many, and whether they are pairs. */
static int64_t count_of(const FftLines *l, bool is_result)
{
  return (l->kind == FFT_FROM_REAL && is_result) || (l->kind == FFT_TO_REAL && !is_result) ? l->n / 2 + 1 : l->n;
}

static bool is_real(const FftLines *l, bool is_result)
{
  return is_result ? l->kind == FFT_TO_REAL : l->kind == FFT_FROM_REAL || l->kind == FFT_FROM_REAL_WHOLE;
}

/* Real lines of even length are seen as pairs, if these lie together or lines lie side by side. */
static bool by_halves(const FftLines *l) { return l->kind != FFT_COMPLEX && l->n % 2 == 0; }

static void load_lines(const FftLines *l, int64_t lanes, int first, Split to)
{
  int64_t n = count_of(l, false), step = l->x_step;
  int width = is_real(l, false) ? 1 : 2;
  if (width == 1 && by_halves(l) && step == 1) {
    n /= 2;
    width = 2;
  }
  if (width == 1 && by_halves(l)) { /* even ones, then odd ones */
    const void *x[FFT_LANES];
    for (int i = 0; i < l->count; i++) x[i] = (const T *)l->x[i] + step;
    if (lanes == 1) {
      load_alone(n / 2, 1, l->x[first], 2 * step, to);
      load_alone(n / 2, 1, x[first], 2 * step, swapped(to, true));
    } else {
      load_together(n / 2, 1, l->x, l->count, 2 * step, to);
      load_together(n / 2, 1, x, l->count, 2 * step, swapped(to, true));
    }
    return;
  }
  if (lanes == 1) load_alone(n, width, l->x[first], step, to);
  else load_together(n, width, l->x, l->count, step, to);
  if (width == 1) memset(to.im, 0, (size_t)(n * lanes) * sizeof(T));
}

static void store_lines(const FftLines *l, int64_t lanes, int first, Split from)
{
  int64_t n = count_of(l, true), step = l->y_step;
  int width = is_real(l, true) ? 1 : 2;
  T scale = (T)l->scale;
  if (width == 1 && by_halves(l) && step == 1) {
    n /= 2;
    width = 2;
  }
  if (width == 1 && by_halves(l)) {
    void *y[FFT_LANES];
    for (int i = 0; i < l->count; i++) y[i] = (T *)l->y[i] + step;
    if (lanes == 1) {
      store_alone(n / 2, 1, from, scale, l->y[first], 2 * step);
      store_alone(n / 2, 1, swapped(from, true), scale, y[first], 2 * step);
    } else {
      store_together(n / 2, 1, from, scale, l->y, l->count, 2 * step);
      store_together(n / 2, 1, swapped(from, true), scale, y, l->count, 2 * step);
    }
    return;
  }
  if (lanes == 1) store_alone(n, width, from, scale, l->y[first], step);
  else store_together(n, width, from, scale, l->y, l->count, step);
}

/* Halves of a transform, in r.x, to the complex numbers whose inverse transform has the real ones. */
static Room from_halves(const FftLines *l, int64_t lanes, Room r)
{
  const int64_t h = l->n / 2;
  memset(r.x.im, 0, (size_t)lanes * sizeof(T)); /* what stands there is not looked at */
  if (!by_halves(l)) {
    mirror(l->n, lanes, r.x);
    return r;
  }
  memset(r.x.im + h * lanes, 0, (size_t)lanes * sizeof(T));
  fold_halves(false, h, lanes, r.x, r.other, l->roots);
  return (Room){r.other, r.x};
}

static Room to_halves(const FftLines *l, int64_t lanes, Room r)
{
  const int64_t h = l->n / 2;
  if (!by_halves(l)) return r;
  memcpy(r.x.re + h * lanes, r.x.re, (size_t)lanes * sizeof(T));
  memcpy(r.x.im + h * lanes, r.x.im, (size_t)lanes * sizeof(T));
  fold_halves(true, h, lanes, r.x, r.other, l->roots);
  return (Room){r.other, r.x};
}

/* One line, or all together. The inverse transform is the forward one with the parts exchanged, before and after. */
static void do_lines(const FftLines *l, const FftPlan *plan, int64_t lanes, int first, Room r)
{
  load_lines(l, lanes, first, r.x);
  if (l->kind == FFT_TO_REAL) r = from_halves(l, lanes, r);
  if (l->inverse) r = room_swapped(transform(plan, lanes, room_swapped(r)));
  else r = transform(plan, lanes, r);
  if (l->kind == FFT_FROM_REAL || l->kind == FFT_FROM_REAL_WHOLE) r = to_halves(l, lanes, r);
  if (l->kind == FFT_FROM_REAL_WHOLE) mirror(l->n, lanes, r.x);
  store_lines(l, lanes, first, r.x);
}

/* Elements of each of the four arrays, of a plan for so many lanes. */
static int64_t array_room(const FftLines *l, const FftPlan *plan, int64_t lanes)
{
  if (!plan) return 0;
  int64_t n = plan->longer ? plan->longer->n : plan->n;
  int64_t whole = l->kind == FFT_COMPLEX ? 0 : by_halves(l) && l->kind != FFT_FROM_REAL_WHOLE ? l->n / 2 + 1 : l->n;
  if (n < whole) n = whole;
  return (n * lanes + 2 * V + 31) / 16 * 16;
}

static int64_t most_room(const FftLines *l)
{
  int64_t alone = array_room(l, l->alone, 1), together = array_room(l, l->together, V);
  return alone > together ? alone : together;
}

static int64_t room(const FftLines *l) { return 4 * most_room(l); }

static void lines(const FftLines *l, void *memory)
{
  int64_t n = most_room(l);
  T *p = memory;
  Room r = {{p, p + n}, {p + 2 * n, p + 3 * n}};
  if (l->together && 2 * l->count >= V) do_lines(l, l->together, V, 0, r);
  else
    for (int i = 0; i < l->count; i++) do_lines(l, l->alone, 1, i, r);
}

static void fill_filter(FftPlan *plan, void *filter, void *memory)
{
  const int64_t n = plan->n, length = plan->longer->n, size = length + 2 * V;
  const T *re = plan->chirp, *im = imaginary_part(plan->chirp, n);
  T *p = memory, scale = (T)1 / (T)length;
  Room r = {{p, p + size}, {p + 2 * size, p + 3 * size}};
  memset(p, 0, (size_t)(2 * size) * sizeof(T));
  for (int64_t k = 0; k < n; k++) {
    int64_t back = k ? length - k : 0;
    r.x.re[k] = r.x.re[back] = re[k] * scale;
    r.x.im[k] = r.x.im[back] = -im[k] * scale;
  }
  r = run_passes(plan->longer, 1, r);
  memcpy(filter, r.x.re, (size_t)length * sizeof(T));
  memcpy((T *)filter + length + V, r.x.im, (size_t)length * sizeof(T));
}
#endif

void TYPED(fill_fft)(FftKernels *t) AT_START;
void TYPED(fill_fft)(FftKernels *t)
{
#if T_FLOATING
  t->lanes = V;
  t->room = room;
  t->lines = lines;
  t->fill_filter = fill_filter;
#else
  (void)t;
#endif
}
