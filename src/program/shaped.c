/* Which rows' results have shapes that depend on elements. */
#include "program/shaped.h"

#include <string.h>

/* Of which argument, and the integer that tells the size if it is given. */
static const struct {
  const char *row, *argument, *unless;
} shaped_by[] = {{"nonzero", "input", NULL},
                 {"argwhere", "input", NULL},
                 {"where_positions", "condition", NULL},
                 {"masked_select", "mask", NULL},
                 {"unique", "input", NULL},
                 {"unique_consecutive", "input", NULL},
                 {"bincount", "input", NULL},
                 {"one_hot", "input", "num_classes"},
                 {"repeat_interleave_each", "repeats", "output_size"},
                 {"repeat_interleave_positions", "repeats", "output_size"},
                 {"tensor_split_tensor", "tensor_indices_or_sections", NULL},
                 {"linalg_lstsq", "A", NULL},
                 {"index", "indices", NULL}};

/* The argument of that name, which the row has. */
static const ArgSpec *argument_named(const Op *op, const char *name)
{
  const ArgSpec *spec = op->args;
  while (strcmp(spec->name, name) != 0) spec++;
  return spec;
}

static bool is_mask(const Tensor *t) { return tensor_dtype(t) == DTYPE_b8 || tensor_dtype(t) == DTYPE_u8; }

bool shaped_by_elements(const Op *op, const void *args, bool (*differ)(const void *data, const Tensor *t),
                        const void *data)
{
  if (!(op->forms & DEPENDS_ON_DATA)) return false;
  for (size_t i = 0; i < sizeof shaped_by / sizeof *shaped_by; i++) {
    if (strcmp(shaped_by[i].row, op->row) != 0) continue;
    const ArgSpec *size = shaped_by[i].unless ? argument_named(op, shaped_by[i].unless) : NULL;
    if (size && *(const int64_t *)(const void *)((const char *)args + size->offset) != size->dflt.i) return false;
    const ArgSpec *spec = argument_named(op, shaped_by[i].argument);
    const void *place = (const char *)args + spec->offset;
    if (argument_holds(spec) == HOLDS_TENSOR) return differ(data, *(Tensor *const *)place);
    const Tensors *list = place; /* indices pick by position or by mask */
    for (int64_t k = 0; k < list->n; k++)
      if (list->v[k] && is_mask(list->v[k]) && differ(data, list->v[k])) return true;
  }
  return false;
}
