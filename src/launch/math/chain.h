/*
 * Chains: several pointwise rows over one result, tile by tile. A tile's intermediate results stay in the nearest
 * cache, where rows that run one by one write each to memory. A row's own kernel does its part of a tile, so a chain
 * gives what the rows alone give, to the bit.
 */
#ifndef NNLUA_LAUNCH_CHAIN_H
#define NNLUA_LAUNCH_CHAIN_H

#include "core/blocks.h"
#include "launch/math/pointwise.h"

enum { CHAIN_ROWS = 32, CHAIN_OPERANDS = 16, CHAIN_RESULTS = 4 };

/*
 * How an operand lies to the result, which is in row-major order: element i of the result meets element
 * i / repeat % period of the operand, which is in row-major order too. All of one meets one: repeat 1 and the period
 * the result's number of elements; a single element: period 1; a row: repeat 1; a column or channels: repeat what
 * lies behind them.
 */
typedef struct ChainOperand {
  DType dtype;
  int64_t repeat, period;
} ChainOperand;

/* A row of a chain. What it takes is numbered: operands first, then the rows before it. */
typedef struct ChainRow {
  PointwiseChoice choice;
  DType compute, produced; /* the dtypes of its elements: that it is computed for, and that of its result */
  int n, takes[3];
  const Scalar *params; /* they must live as long as the chain */
} ChainRow;

typedef struct Chain Chain;

/*
 * A chain over results of so many elements; `results` are rows whose results are written to tensors, the others stay
 * inside. NULL if there is no kernel for a dtype, or no memory, or it is too long.
 */
Chain *chain_new(const ChainRow *rows, int nrows, const ChainOperand *operands, int noperands, const int *results,
                 int nresults, int64_t numel);
void chain_free(Chain *c);

/* Runs it. A result may be the very elements of an operand of its dtype that meets it one to one. */
void launch_chain(const Chain *c, Tensor *const *operands, Tensor *const *results);

/* The same in steps, for who has parts of the result in the cache already. Begin gets what is common to all parts; a
   worker, of one thread, is opened once for parts that follow each other, of elements [begin, end). */
typedef struct ChainRun {
  const Chain *chain;
  char *operands[CHAIN_OPERANDS], *results[CHAIN_RESULTS];
} ChainRun;
void chain_begin(ChainRun *run, const Chain *c, Tensor *const *operands, Tensor *const *results);

enum {
  CHAIN_STEPS = 4 * CHAIN_ROWS,
  CHAIN_PLACES = CHAIN_STEPS + 2 * CHAIN_OPERANDS,
  CHAIN_MEMORY = CHAIN_BYTES + 64 * CHAIN_PLACES
};

typedef struct ChainWorker {
  const ChainRun *run;
  char *places[CHAIN_PLACES];
  _Alignas(64) char memory[CHAIN_MEMORY];
} ChainWorker;
void chain_open(ChainWorker *w, const ChainRun *run);
void chain_part(ChainWorker *w, int64_t begin, int64_t end);

/* Begins the chain that a plan has follow on a call's result, of which y is the memory; false: none does. */
bool chain_begin_planned(Call *call, Tensor *y, ChainRun *run);

#endif
