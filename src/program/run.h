/* What the files that run programs share. */
#ifndef NNLUA_PROGRAM_RUN_H
#define NNLUA_PROGRAM_RUN_H

#include "program/cells.h"

typedef struct Run {
  Call *call;
  const Program *program;
  Cells cells;          /* one for each value */
  const int64_t *sizes; /* of the program's symbols */
} Run;

/* A value as it is now; NO_VALUE is absent. */
Argument run_value(const Run *r, ValueId value);

/* The same of one that must be there: raises where it isn't. */
Tensor *run_tensor(const Run *r, ValueId value);

/* Puts what a step gave into its results' cells, and releases what else is owned since the mark. */
void run_keep(const Run *r, const Step *s, size_t mark, const Argument *results);

/* Runs a body; the results, for which outputs has room, are owned by the running scope. */
void run_body(Call *call, const Program *p, const Argument *inputs, Argument *outputs);

/* The steps that call no row. */
void run_control(const Run *r, const Step *s);

#endif
