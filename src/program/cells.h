/*
 * Where the values of a running program are: a cell each, in the list of what the running scope owns, so that an error
 * at any point releases them. A sequence's tensors are owned further up in that list, and the cell says where.
 */
#ifndef NNLUA_PROGRAM_CELLS_H
#define NNLUA_PROGRAM_CELLS_H

#include "program/program.h"

typedef struct Cells {
  Context *ctx;
  size_t base; /* the tensor of cell i is ctx->owned[base + i] */
  struct CellList {
    Tensors list; /* in the arena; n < 0: no sequence */
    size_t first; /* where its tensors are owned */
  } * lists;      /* NULL: no cell has a sequence */
} Cells;

/* n empty cells at the end of what is owned. */
Cells cells_open(Call *call, int32_t n, bool sequences);

/* What is in a cell; the reference stays there. */
static inline Argument cell_get(const Cells *c, int32_t i)
{
  Tensors none = {NULL, -1};
  return (Argument){c->ctx->owned[c->base + (size_t)i], c->lists ? c->lists[i].list : none};
}

/* Empties a cell. */
void cell_drop(const Cells *c, int32_t i);

/* Puts arguments into cells i[0]…, and then gives back all that is owned beyond the mark, as they may be. */
void cells_keep(Call *call, const Cells *c, size_t mark, const ValueId *i, const Argument *arguments, int32_t n);

/* Leaves a scope: what is owned beyond the mark is given back but for these, which are owned there then. */
void arguments_keep(Call *call, size_t mark, const Argument *arguments, int32_t n);

#endif
