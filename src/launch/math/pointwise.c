/* Pointwise kernels over tensors of any strides and dtypes. */
#include "launch/math/pointwise.h"

#include "core/arith.h"
#include "core/blocks.h"
#include "core/iter.h"
#include "core/parallel.h"
#include "kernels/cast.h"
#include "kernels/copy.h"
#include "kernels/table.h"
#include "launch/launch.h"

/* The kernel of a choice; NULL if there is none for the dtype. */
static PointwiseKernel kernel_of(PointwiseChoice choice, DType dtype)
{
  const PointwiseKernels *k = &kernels_of(dtype)->pointwise[choice.family][choice.index];
  return choice.derivative == NO_DERIVATIVE ? k->forward : k->backward[choice.derivative];
}

_Static_assert(POINTWISE_OPERANDS + 1 <= ITER_OPERANDS, "an iterator walks the result and all operands of a launch");

typedef struct Pointwise {
  PointwiseKernel kernel;
  const Scalar *params;
  int operands;                        /* operand 0 is the result */
  size_t size[POINTWISE_OPERANDS + 1]; /* bytes of an element in memory */
  size_t compute_size[POINTWISE_OPERANDS + 1];
  CastKernel cast[POINTWISE_OPERANDS + 1]; /* NULL where memory has the kernel's dtype */
  int place[POINTWISE_OPERANDS + 1];       /* where the kernel wants operand k; unused places repeat operand 1 */
  int places;
  int64_t count, steps[POINTWISE_OPERANDS + 1]; /* elements of a line and bytes between them, of a walk over lines, */
  int64_t at_once;                              /* of which so many go together */
  char *filled[POINTWISE_OPERANDS + 1];         /* a buffer full of operand k's one element, or NULL */
} Pointwise;

static bool is_direct(const Pointwise *l, int k, const int64_t *strides)
{
  return !l->cast[k] && strides[k] == (int64_t)l->size[k];
}

typedef char Buffer[POINTWISE_CHUNK * 16]; /* of what is loaded */

/* How many elements there is room for in a buffer. */
static int64_t room_of(const Pointwise *l, int k) { return POINTWISE_CHUNK * 16 / (int64_t)l->compute_size[k]; }

static void load_block(const Pointwise *l, int k, int64_t n, const char *from, int64_t stride, char *to)
{
  if (l->cast[k] && stride == 0) { /* the one element, which is then repeated */
    l->cast[k](1, from, 0, to, 0);
    copy_elements(l->compute_size[k], n, to, 0, to, (int64_t)l->compute_size[k]);
    return;
  }
  if (l->cast[k]) l->cast[k](n, from, stride, to, (int64_t)l->compute_size[k]);
  else copy_elements(l->size[k], n, from, stride, to, (int64_t)l->size[k]);
}

static void store_block(const Pointwise *l, int64_t n, const char *from, char *to, int64_t stride)
{
  if (l->cast[0]) l->cast[0](n, from, (int64_t)l->compute_size[0], to, stride);
  else copy_elements(l->size[0], n, from, (int64_t)l->size[0], to, stride);
}

static void call_kernel(const Pointwise *l, int64_t n, char *const *p)
{
  char *places[POINTWISE_OPERANDS + 1];
  for (int i = 0; i < l->places; i++) places[i] = p[1];
  for (int k = 0; k < l->operands; k++) places[l->place[k]] = p[k];
  l->kernel(n, places, l->params);
}

/* A run with operands that the kernel can't take as they are: through buffers, piece by piece. */
static void run_buffered(const Pointwise *l, int64_t n, char *const *p, const int64_t *strides)
{
  _Alignas(64) Buffer buffer[POINTWISE_OPERANDS + 1];
  char *q[POINTWISE_OPERANDS + 1];
  for (int64_t done = 0; done < n; done += POINTWISE_CHUNK) {
    int64_t piece = n - done < POINTWISE_CHUNK ? n - done : POINTWISE_CHUNK;
    for (int k = 1; k < l->operands; k++) {
      q[k] = l->filled[k] ? l->filled[k] : p[k] + done * strides[k];
      if (l->filled[k] || is_direct(l, k, strides)) continue;
      if (strides[k] != 0 || done == 0) load_block(l, k, piece, q[k], strides[k], buffer[k]); /* else it is there */
      q[k] = buffer[k];
    }
    bool direct = is_direct(l, 0, strides);
    q[0] = direct ? p[0] + done * strides[0] : buffer[0];
    call_kernel(l, piece, q);
    if (!direct) store_block(l, piece, buffer[0], p[0] + done * strides[0], strides[0]);
  }
}

static void run_strided(void *arg, int64_t n, char *const *p, const int64_t *strides)
{
  const Pointwise *l = arg;
  for (int k = 0; k < l->operands; k++) {
    if (!is_direct(l, k, strides)) {
      run_buffered(l, n, p, strides);
      return;
    }
  }
  call_kernel(l, n, p);
}

/* Lines are short: several at a time, whose results lie side by side, with the operands that don't in buffers. */

static bool is_dense(const Pointwise *l, int k, int64_t stride)
{
  return is_direct(l, k, l->steps) && stride == l->count * (int64_t)l->size[k];
}

static void load_lines(const Pointwise *l, int k, int64_t lines, const char *from, int64_t stride, char *to)
{
  const int64_t size = (int64_t)l->compute_size[k], from_strides[] = {stride, l->steps[k]};
  const int64_t to_strides[] = {l->count * size, size};
  if (!l->cast[k]) copy_lines(l->size[k], lines, l->count, from, from_strides, to, to_strides);
  else
    for (int64_t i = 0; i < lines; i++)
      load_block(l, k, l->count, from + i * stride, l->steps[k], to + i * to_strides[0]);
}

static void run_lines(void *arg, int64_t lines, char *const *p, const int64_t *strides)
{
  _Alignas(64) Buffer buffer[POINTWISE_OPERANDS + 1];
  const Pointwise *l = arg;
  const int64_t at_once = l->at_once;
  char *q[POINTWISE_OPERANDS + 1];
  for (int64_t done = 0; done < lines; done += at_once) {
    const int64_t piece = lines - done < at_once ? lines - done : at_once;
    q[0] = p[0] + done * strides[0];
    for (int k = 1; k < l->operands; k++) {
      q[k] = l->filled[k] ? l->filled[k] : p[k] + done * strides[k];
      if (l->filled[k] || is_dense(l, k, strides[k])) continue;
      if (strides[k] != 0 || done == 0) load_lines(l, k, piece, q[k], strides[k], buffer[k]); /* else it is there */
      q[k] = buffer[k];
    }
    call_kernel(l, piece * l->count, q);
  }
}

/* Lines that the kernel takes as they are, one after the other. */
static void run_whole_lines(void *arg, int64_t lines, char *const *p, const int64_t *strides)
{
  const Pointwise *l = arg;
  char *places[POINTWISE_OPERANDS + 1];
  int64_t steps[POINTWISE_OPERANDS + 1] = {0};
  for (int i = 0; i < l->places; i++) places[i] = p[1];
  for (int k = 0; k < l->operands; k++) {
    places[l->place[k]] = l->filled[k] ? l->filled[k] : p[k];
    steps[l->place[k]] = l->filled[k] ? 0 : strides[k];
  }
  for (int64_t i = 0; i < lines; i++) {
    l->kernel(l->count, places, l->params);
    for (int k = 0; k < l->places; k++) places[k] += steps[k];
  }
}

static bool are_whole(const Pointwise *l)
{
  for (int k = 0; k < l->operands; k++)
    if (!l->filled[k] && !is_direct(l, k, l->steps)) return false;
  return true;
}

/* Returns false where a walk over runs is as good. */
static bool run_by_lines(Pointwise *l, Iter *it)
{
  const int inner = it->ndim - 1;
  size_t widest = 1;
  if (inner < 1) return false;
  l->count = it->shape[inner];
  for (int k = 0; k < l->operands; k++) {
    l->steps[k] = it->strides[k][inner];
    if (l->compute_size[k] > widest) widest = l->compute_size[k];
  }
  l->at_once = POINTWISE_CHUNK * 16 / (int64_t)widest / l->count;
  if (l->at_once < 4) return false;
  const bool dense = is_dense(l, 0, it->strides[0][inner - 1]);
  if (!dense && !are_whole(l)) return false;
  it->ndim = inner;
  it->numel /= l->count;
  iter_parallel(it, grain_of(GRAIN, l->count), dense ? run_lines : run_whole_lines, l);
  return true;
}

/* All operands lie in memory alike, or have a single element: one stretch, no iterator. */
typedef struct Flat {
  const Pointwise *launch;
  char *p[POINTWISE_OPERANDS + 1];
  bool single[POINTWISE_OPERANDS + 1]; /* p points to a buffer full of the one element */
  bool any_single;
  bool streamed; /* the result goes past the caches, through a buffer */
} Flat;

static void flat_part(void *arg, int64_t begin, int64_t end)
{
  const Flat *f = arg;
  const Pointwise *l = f->launch;
  int64_t step = f->any_single || f->streamed ? POINTWISE_CHUNK : end - begin;
  _Alignas(64) char buffer[POINTWISE_CHUNK * 16];
  for (int64_t at = begin; at < end; at += step) {
    int64_t n = end - at < step ? end - at : step;
    char *q[POINTWISE_OPERANDS + 1];
    for (int k = 0; k < l->operands; k++) q[k] = f->p[k] + (f->single[k] ? 0 : at * (int64_t)l->size[k]);
    char *to = q[0];
    if (f->streamed) q[0] = buffer;
    call_kernel(l, n, q);
    if (f->streamed) copy_past_caches((size_t)n * l->size[0], buffer, to);
  }
  if (f->streamed) copies_past_caches_end();
}

static bool lies_flat(const Pointwise *l, Tensor *const *t, int k)
{
  return !l->cast[k] && (k == 0 || (tensor_same_shape(t[0], t[k]) && lie_alike(t[0], t[k])));
}

static bool run_flat(const Pointwise *l, Tensor *const *t)
{
  int64_t n = t[0]->numel;
  Flat f = {.launch = l};
  if (!t[0]->is_contiguous && !tensor_is_dense(t[0])) return false;
  f.streamed = (size_t)n * l->size[0] >= POINTWISE_STREAMED;
  for (int k = 0; k < l->operands; k++) {
    if (k && t[k]->storage == t[0]->storage) f.streamed = false; /* the caches have it */
    if (lies_flat(l, t, k)) continue;
    if (k == 0 || t[k]->numel != 1) return false;
    f.single[k] = f.any_single = true;
  }
  _Alignas(64) Buffer buffer[POINTWISE_OPERANDS + 1];
  for (int k = 0; k < l->operands; k++) {
    f.p[k] = tensor_data(t[k]);
    if (!f.single[k]) continue;
    load_block(l, k, n < POINTWISE_CHUNK ? n : POINTWISE_CHUNK, f.p[k], 0, buffer[k]);
    f.p[k] = buffer[k];
  }
  if (n <= GRAIN) flat_part(&f, 0, n);
  else parallel_for(n, GRAIN, flat_part, &f);
  return true;
}

/* Fills a buffer with each operand that has a single element, once for all runs. */
static void fill_singles(Pointwise *l, Tensor *const *t, Buffer *buffers)
{
  for (int k = 1; k < l->operands; k++) {
    if (t[k]->numel != 1) continue;
    load_block(l, k, min_i64(room_of(l, k), t[0]->numel), tensor_data(t[k]), 0, buffers[k]);
    l->filled[k] = buffers[k];
  }
}

static void add_operand(Pointwise *l, Tensor **list, Tensor *t, int place, DType in_memory, DType in_kernel)
{
  int k = l->operands++;
  list[k] = t;
  l->place[k] = place;
  l->size[k] = dtype_size(in_memory);
  l->compute_size[k] = dtype_size(in_kernel);
  if (in_memory == in_kernel) l->cast[k] = NULL;
  else l->cast[k] = k ? cast_kernel(in_memory, in_kernel) : cast_kernel(in_kernel, in_memory);
}

/* Small contiguous operands of the kernel's own dtype, which is most calls of small models:
   no more work than needed. */
static bool run_plain(PointwiseKernel kernel, DType compute, DType produced, Tensor *y, Tensor *const *operands, int n,
                      const Scalar *params)
{
  char *p[POINTWISE_OPERANDS + 1];
  if (!y->is_contiguous || y->numel > GRAIN || y->dtype != (uint8_t)produced) return false;
  p[0] = p[1] = tensor_data(y);
  for (int i = 0; i < n; i++) {
    const Tensor *t = operands[i];
    p[i + 1] = p[1]; /* any pointer stands for what isn't needed */
    if (!t) continue;
    if (t->dtype != (uint8_t)compute || !t->is_contiguous || t->numel != y->numel || t->ndim != y->ndim) return false;
    p[i + 1] = tensor_data(t);
    if (t->storage == y->storage && p[i + 1] != p[0]) return false;
  }
  kernel(y->numel, p, params);
  return true;
}

/* Operands of any strides and dtypes. Called, so that run_plain finds its registers free. */
static __attribute__((noinline)) void run_any(Call *call, PointwiseKernel kernel, DType compute, DType produced,
                                              Tensor *y, Tensor *const *operands, int n, const Scalar *params)
{
  Pointwise l = {.kernel = kernel, .params = params, .places = n + 1};
  Tensor *list[POINTWISE_OPERANDS + 1];
  add_operand(&l, list, y, 0, tensor_dtype(y), produced);
  for (int i = 0; i < n; i++) {
    Tensor *t = operands[i];
    if (!t) continue;
    if (t->storage == y->storage && may_overlap(y, t) && !same_place(y, t)) t = copy_of(call, t, tensor_dtype(t));
    add_operand(&l, list, t, i + 1, tensor_dtype(t), compute);
  }
  if (run_flat(&l, list)) return;
  _Alignas(64) Buffer buffers[POINTWISE_OPERANDS + 1];
  fill_singles(&l, list, buffers);
  Iter it;
  iter_init(&it, tensor_shape(y));
  for (int k = 0; k < l.operands; k++) iter_add(&it, list[k]);
  iter_plan(&it);
  if (!run_by_lines(&l, &it)) iter_parallel(&it, GRAIN, run_strided, &l);
}

void launch_pointwise(Call *call, PointwiseChoice choice, DType dtype, DType produced, Tensor *y,
                      Tensor *const *operands, int n, const Scalar *params)
{
  if (y->device == DEVICE_META || y->numel == 0) return;
  DType compute = dtype_compute(dtype);
  PointwiseKernel kernel = kernel_of(choice, compute);
  produced = dtype_compute(produced);
  if (!kernel && compute == DTYPE_f32) { /* what has no kernels for floats is computed in double */
    compute = DTYPE_f64;
    kernel = kernel_of(choice, compute);
    if (produced == DTYPE_f32) produced = DTYPE_f64;
  }
  if (!kernel) raise(call, "%s tensors are not taken", dtype_name(compute));
  if (run_plain(kernel, compute, produced, y, operands, n, params)) return;
  run_any(call, kernel, compute, produced, y, operands, n, params);
}

/* -------------------------------------------------------- both derivatives at once */

enum { PAIR_OPERANDS = 4 };

bool pair_is_plain(PointwiseChoice choice, DType dtype, Tensor *const *operands)
{
  if (dtype_compute(dtype) != dtype || !kernels_of(dtype)->pointwise[choice.family][choice.index].both) return false;
  for (int k = 0; k < PAIR_OPERANDS; k++) {
    const Tensor *t = operands[k];
    if (t && (tensor_dtype(t) != dtype || !t->is_contiguous || !tensor_same_shape(t, operands[0]))) return false;
  }
  return true;
}

typedef struct Pair {
  PointwiseKernel kernel;
  const Scalar *params;
  char *p[PAIR_OPERANDS + 2];
  int64_t size;
} Pair;

static void pair_part(void *arg, int64_t begin, int64_t end)
{
  const Pair *pair = arg;
  char *q[PAIR_OPERANDS + 2];
  for (int k = 0; k < PAIR_OPERANDS + 2; k++) q[k] = pair->p[k] + begin * pair->size;
  pair->kernel(end - begin, q, pair->params);
}

void launch_derivative_pair(PointwiseChoice choice, Tensor *const *dx, Tensor *const *operands, const Scalar *params)
{
  if (!launch_runs(dx[0])) return;
  DType dtype = tensor_dtype(dx[0]);
  Pair pair = {.kernel = kernels_of(dtype)->pointwise[choice.family][choice.index].both,
               .params = params,
               .size = (int64_t)dtype_size(dtype)};
  pair.p[0] = tensor_data(dx[0]);
  for (int k = 0; k < PAIR_OPERANDS; k++) pair.p[1 + k] = tensor_data(operands[k] ? operands[k] : operands[0]);
  pair.p[PAIR_OPERANDS + 1] = tensor_data(dx[1]);
  launch_items((Work){dx[0]->numel, 1}, pair_part, &pair);
}
