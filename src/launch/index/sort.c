/* Rows are brought side by side for the kernel, which sorts them one by one. */
#include "launch/index/sort.h"

#include "core/blocks.h"
#include "kernels/sort.h"
#include "launch/launch.h"

typedef struct Sort {
  int64_t rows, per_task, n, count;
  bool descending;
  char *scratch;
} Sort;

/* A task is a stretch of rows with scratch memory of its own. */
static void sort_tasks(const Launch *l, int64_t begin, int64_t end)
{
  const Sort *s = l->params;
  for (int64_t task = begin; task < end; task++) {
    int64_t first = task * s->per_task, rows = s->rows - first < s->per_task ? s->rows - first : s->per_task;
    l->k->sort->elements(rows, s->n, s->count, s->descending, operand_at(l, 0, first * s->n),
                         result_at(l, 0, first * s->count), result_at(l, 1, first * s->count),
                         s->scratch + (size_t)task * sort_scratch(s->n));
  }
}

/* The rows of x in tasks, and their scratch memory. */
static Sort tasks_of(Call *call, const Tensor *x, int64_t count, bool descending)
{
  int64_t n = x->ndim ? x->shape[x->ndim - 1] : 1;
  if (n > UINT32_MAX) raise(call, "more than %u elements in a row can't be sorted", UINT32_MAX);
  Sort s = {.rows = x->numel / n, .n = n, .count = count, .descending = descending};
  int64_t tasks = x->numel < SORT_LEAST ? 1 : s.rows < SORT_TASKS ? s.rows : SORT_TASKS;
  s.scratch = tensor_data(new_beside(call, x, DTYPE_u8, INTS(tasks * (int64_t)sort_scratch(n))));
  s.per_task = (s.rows + tasks - 1) / tasks;
  return s;
}

static Work work_of(const Sort *s) { return (Work){(s->rows + s->per_task - 1) / s->per_task, EACH_ALONE}; }

void launch_sort(Call *call, Tensor *x, bool descending, Tensor *values, Tensor *positions)
{
  static const Driver driver = {.run = sort_tasks, .results = {DENSE, AS_INT64}, .operands = {DENSE}};
  if (!launch_runs(values)) return;
  Sort s = tasks_of(call, x, values->ndim ? values->shape[values->ndim - 1] : 1, descending);
  launch(call, &driver, tensor_dtype(x), TENSOR_LIST(values, positions), TENSOR_LIST(x), work_of(&s), &s);
}

static void ranked_tasks(const Launch *l, int64_t begin, int64_t end)
{
  const Sort *s = l->params;
  for (int64_t task = begin; task < end; task++) {
    int64_t first = task * s->per_task, rows = s->rows - first < s->per_task ? s->rows - first : s->per_task;
    l->k->sort->ranked(rows, s->n, operand_at(l, 1, first), operand_at(l, 0, first * s->n), result_at(l, 0, first),
                       result_at(l, 1, first), s->scratch + (size_t)task * sort_scratch(s->n));
  }
}

void launch_ranked(Call *call, Tensor *x, Tensor *ranks, Tensor *values, Tensor *positions)
{
  static const Driver driver = {.run = ranked_tasks, .results = {DENSE, AS_INT64}, .operands = {DENSE, AS_INT64}};
  if (!launch_runs(values)) return;
  Sort s = tasks_of(call, x, 1, false);
  launch(call, &driver, tensor_dtype(x), TENSOR_LIST(values, positions), TENSOR_LIST(x, ranks), work_of(&s), &s);
}

static void sort_slices(const Launch *l, int64_t begin, int64_t end)
{
  (void)begin, (void)end;
  const Tensor *x = l->x[0];
  l->k->sort->rows(x->shape[0], x->numel / x->shape[0], tensor_data(x), result_at(l, 0, 0), result_at(l, 1, 0));
}

void launch_sort_slices(Call *call, Tensor *x, Tensor *positions)
{
  static const Driver driver = {.run = sort_slices, .results = {AS_INT64, AS_INT64}, .operands = {DENSE}};
  Tensor *scratch = new_beside(call, x, DTYPE_i64, tensor_shape(positions));
  launch(call, &driver, tensor_dtype(x), TENSOR_LIST(positions, scratch), TENSOR_LIST(x), (Work){1, x->numel}, NULL);
}
