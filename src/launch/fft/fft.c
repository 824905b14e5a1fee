/* Lines along a dimension, in groups of a vector's lanes or one by one, whatever their strides. */
#include "launch/fft/fft.h"

#include "core/blocks.h"
#include "kernels/fft.h"
#include "launch/fft/plan.h"
#include "launch/launch.h"
#include "launch/scratch.h"

typedef struct Fft {
  FftLines lines;
  int dim;
  int64_t count, group; /* of lines, and how many go together */
  int ndim;             /* of the dimensions that lines are counted by, the innermost last */
  int64_t shape[MAX_DIMS], x_stride[MAX_DIMS], y_stride[MAX_DIMS]; /* in bytes */
  Scratch *scratch;
} Fft;

/* A line's number in all dimensions, and where it begins. */
typedef struct Place {
  int64_t at[MAX_DIMS];
  const char *x;
  char *y;
} Place;

static Place place_of(const Launch *l, const Fft *f, int64_t line)
{
  Place p = {.x = tensor_data(l->x[0]), .y = tensor_data(l->y[0])};
  for (int d = f->ndim - 1; d >= 0; d--) {
    p.at[d] = line % f->shape[d];
    line /= f->shape[d];
    p.x += p.at[d] * f->x_stride[d];
    p.y += p.at[d] * f->y_stride[d];
  }
  return p;
}

static void go_on(const Fft *f, Place *p)
{
  for (int d = f->ndim - 1; d >= 0; d--) {
    p->x += f->x_stride[d];
    p->y += f->y_stride[d];
    if (++p->at[d] < f->shape[d]) return;
    p->at[d] = 0;
    p->x -= f->x_stride[d] * f->shape[d];
    p->y -= f->y_stride[d] * f->shape[d];
  }
}

static void fft_groups(void *arg, int64_t begin, int64_t end)
{
  const Launch *l = arg;
  const Fft *f = l->params;
  FftLines lines = f->lines;
  Place p = place_of(l, f, begin * f->group);
  char *room = scratch_take(f->scratch);
  for (int64_t g = begin; g < end; g++) {
    int64_t left = f->count - g * f->group;
    lines.count = (int)(left < f->group ? left : f->group);
    for (int i = 0; i < lines.count; i++, go_on(f, &p)) {
      lines.x[i] = p.x;
      lines.y[i] = p.y;
    }
    l->k->fft->lines(&lines, room);
  }
  scratch_give(f->scratch, room);
}

/* All dimensions but the lines' own, in the order of x's memory, so that lines of a group lie side by side. */
static void count_lines(Fft *f, const Tensor *x, const Tensor *y)
{
  int64_t x_size = (int64_t)dtype_size(tensor_dtype(x)), y_size = (int64_t)dtype_size(tensor_dtype(y));
  f->count = 1;
  f->ndim = 0;
  for (int d = 0; d < x->ndim; d++) {
    if (d == f->dim || x->shape[d] == 1) continue;
    int at = f->ndim++;
    for (; at > 0 && f->x_stride[at - 1] < x->strides[d] * x_size; at--) {
      f->shape[at] = f->shape[at - 1];
      f->x_stride[at] = f->x_stride[at - 1];
      f->y_stride[at] = f->y_stride[at - 1];
    }
    f->shape[at] = x->shape[d];
    f->x_stride[at] = x->strides[d] * x_size;
    f->y_stride[at] = y->strides[d] * y_size;
    f->count *= x->shape[d];
  }
}

/* Whether lines are better done a vector's lanes at a time. */
static bool goes_together(const Fft *f, const FftKernels *k, int64_t n, int64_t size)
{
  bool turns = n % k->lanes == 0 && n >= (int64_t)k->lanes * k->lanes;
  int64_t bytes = 4 * n * k->lanes * size;
  if (2 * f->count < k->lanes) return false;
  if (f->lines.x_step != 1) return bytes <= FFT_COLUMN_BYTES;
  return bytes <= (turns ? FFT_TURNED_BYTES : FFT_ROW_BYTES);
}

static int64_t step_of(const Tensor *t, int dim) { return t->ndim && t->shape[dim] > 1 ? t->strides[dim] : 1; }

/* Plans and memory for lines as they were laid out; returns how many groups there are. */
static int64_t prepare(Call *call, const Launch *l, Fft *f)
{
  const FftKernels *k = l->k->fft;
  FftLines *lines = &f->lines;
  const Tensor *x = l->x[0], *y = l->y[0];
  bool halves = lines->kind != FFT_COMPLEX && lines->n % 2 == 0;
  int64_t n = halves ? lines->n / 2 : lines->n;
  lines->x_step = step_of(x, f->dim);
  lines->y_step = step_of(y, f->dim);
  count_lines(f, x, y);
  bool together = goes_together(f, k, n, l->size);
  f->group = together ? k->lanes : 1;
  lines->roots = halves ? fft_half_roots(call, lines->n, l->dtype) : NULL;
  lines->together = together ? fft_plan(call, n, l->dtype, false) : NULL;
  int64_t left = f->count % f->group;
  lines->alone = !together || (left && 2 * left < k->lanes) ? fft_plan(call, n, l->dtype, true) : NULL;
  int64_t groups = (f->count + f->group - 1) / f->group;
  scratch_init(call, f->scratch, groups, k->room(lines) * l->size);
  return groups;
}

bool takes_fft(DType dtype) { return dtype_is_inexact(dtype) && !dtype_is_half(dtype); }

void launch_fft(Call *call, FftKind kind, bool inverse, Tensor *x, int dim, double scale, Tensor *y)
{
  static const Driver driver = {.results = {ANY_STRIDES | MOVED}, .operands = {ANY_STRIDES | MOVED}, .in_place = true};
  if (!launch_runs(y)) return;
  const Tensor *whole = kind == FFT_TO_REAL ? y : x;
  Scratch scratch;
  Fft f = {.lines = {.kind = kind, .inverse = inverse, .n = whole->ndim ? whole->shape[dim] : 1, .scale = scale},
           .dim = dim,
           .scratch = &scratch};
  Tensors results = TENSOR_LIST(y);
  Launch l;
  if (!launch_begin(call, &l, &driver, dtype_to_real(tensor_dtype(y)), results, TENSOR_LIST(x), &f)) return;
  int64_t groups = prepare(call, &l, &f);
  launch_items((Work){groups, f.lines.n * f.group}, fft_groups, &l);
  launch_end(call, &l, results);
  fft_plans_trim(call->ctx);
}
