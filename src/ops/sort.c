/* Sorting: rows are brought side by side for the kernel, which sorts them one by one. */
#include <string.h>

#include "core/blocks.h"
#include "ops/helpers.h"

/* A view with a dimension moved behind all others, below the door. */
static Tensor *with_dim_last(Call *call, const Tensor *t, int dim)
{
  int64_t shape[MAX_DIMS], strides[MAX_DIMS];
  int n = 0;
  for (int d = 0; d < t->ndim; d++) {
    if (d == dim) continue;
    shape[n] = t->shape[d];
    strides[n++] = t->strides[d];
  }
  if (t->ndim > 0) {
    shape[n] = t->shape[dim];
    strides[n] = t->strides[dim];
  }
  return tensor_view(call, t, (Ints){shape, t->ndim}, (Ints){strides, t->ndim}, t->offset);
}

typedef struct SortJob {
  const KernelTable *kernels;
  int64_t rows, per_task, n, count;
  bool descending;
  const char *x;
  char *values, *scratch;
  int64_t *positions, size;
} SortJob;

/* A task is a stretch of rows with scratch memory of its own. */
static void sort_tasks(void *arg, int64_t begin, int64_t end)
{
  const SortJob *j = arg;
  for (int64_t task = begin; task < end; task++) {
    int64_t first = task * j->per_task, rows = j->rows - first < j->per_task ? j->rows - first : j->per_task;
    j->kernels->sort(rows, j->n, j->count, j->descending, j->x + first * j->n * j->size,
                     j->values + first * j->count * j->size, j->positions + first * j->count,
                     j->scratch + (size_t)task * sort_scratch(j->n));
  }
}

/* The first `count` elements in order along a dimension, and their positions. */
static void sort_along(Call *call, Tensor *x, int dim, int64_t count, bool descending, Tensor **y)
{
  DType dtype = tensor_dtype(x), compute = kernel_dtype(dtype);
  int64_t shape[MAX_DIMS];
  if (dtype_is_complex(dtype)) raise(call, "complex numbers have no order");
  memcpy(shape, x->shape, x->ndim * sizeof *shape);
  if (x->ndim) shape[dim] = count;
  y[0] = result_new(call, dtype, device_of(x), (Ints){shape, x->ndim});
  y[1] = tensor_new(call, DTYPE_i64, device_of(x), (Ints){shape, x->ndim});
  if (y[0]->device == DEVICE_META || y[0]->numel == 0) return;
  int64_t n = slabs_of(x, dim).n;
  if (n > UINT32_MAX) raise(call, "more than %u elements in a row can't be sorted", UINT32_MAX);
  Tensor *rows = contiguous_as(call, with_dim_last(call, x, dim), compute);
  Tensor *values = with_dim_last(call, y[0], dim), *positions = with_dim_last(call, y[1], dim);
  bool direct = values->is_contiguous;
  Tensor *v = direct && compute == dtype ? values : tensor_new(call, compute, DEVICE_CPU, tensor_shape(values));
  Tensor *p = direct ? positions : tensor_new(call, DTYPE_i64, DEVICE_CPU, tensor_shape(positions));
  SortJob job = {.kernels = kernels_of(compute), .rows = rows->numel / n, .n = n, .count = count,
                 .descending = descending, .x = tensor_data(rows), .values = tensor_data(v), .positions = tensor_data(p),
                 .size = (int64_t)dtype_size(compute)};
  int64_t tasks = rows->numel < SORT_LEAST ? 1 : job.rows < SORT_TASKS ? job.rows : SORT_TASKS;
  Tensor *scratch = tensor_new(call, DTYPE_u8, DEVICE_CPU, INTS(tasks * (int64_t)sort_scratch(n)));
  job.scratch = tensor_data(scratch);
  job.per_task = (job.rows + tasks - 1) / tasks;
  parallel_for((job.rows + job.per_task - 1) / job.per_task, 1, sort_tasks, &job);
  if (v != values) launch_copy(call, values, v);
  if (p != positions) launch_copy(call, positions, p);
}

/* The gradient goes back to the positions that elements came from. */
static Tensor *unsorted(Call *call, Tensor *dy, Tensor *positions, int64_t dim, const Tensor *x)
{
  return op(scatter, zeros_for(call, dy, tensor_shape(x)), dim, positions, dy);
}

FORWARD(sort)
{
  int dim = shape_dim(call, a->dim, a->input->ndim);
  sort_along(call, a->input, dim, slabs_of(a->input, dim).n, a->descending, y);
}

BACKWARD(sort) { GRAD(input) = unsorted(call, dy[0], y[1], a->dim, a->input); }

FORWARD(argsort) { y[0] = op(sort, op(detach, a->input), a->dim, a->descending, a->stable).v[1]; }

FORWARD(msort) { y[0] = op(sort, a->input, 0, false, false).v[0]; }

FORWARD(topk)
{
  int dim = shape_dim(call, a->dim, a->input->ndim);
  int64_t n = slabs_of(a->input, dim).n;
  if (a->k < 0 || a->k > n)
    raise(call, "k = %lld elements can't be had of dimension %d of size %lld", (long long)a->k, dim + 1, (long long)n);
  if (a->input->ndim == 0 && a->k == 0) raise(call, "k = 0 elements of a tensor without dimensions are no tensor");
  sort_along(call, a->input, dim, a->k, a->largest, y);
}

BACKWARD(topk) { GRAD(input) = unsorted(call, dy[0], y[1], a->dim, a->input); }
