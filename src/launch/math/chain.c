/* Chains of pointwise rows, tile by tile. */
#include "launch/math/chain.h"

#include <stdlib.h>
#include <string.h>

#include "core/arith.h"
#include "core/parallel.h"
#include "core/planned.h"
#include "kernels/cast.h"
#include "kernels/copy.h"
#include "kernels/table.h"
#include "launch/launch.h"

enum { CHAIN_VALUES = CHAIN_OPERANDS + CHAIN_ROWS };

/* Where elements of a tile are. */
typedef enum PlaceKind {
  PLACE_DIRECT, /* in an operand's memory */
  PLACE_SINGLE, /* a tile full of one element, made once for all tiles */
  PLACE_RESULT, /* in a result's memory */
  PLACE_SLOT    /* in the memory of the tile */
} PlaceKind;

typedef struct Place {
  uint8_t kind;
  int16_t of;   /* which operand, result or slot */
  int16_t last; /* the last step that reads it */
  DType dtype;
} Place;

typedef enum StepKind { STEP_FILL, STEP_CAST, STEP_KERNEL } StepKind;

typedef struct Step {
  uint8_t kind;
  int16_t to, from[3], n; /* places; of STEP_FILL an operand */
  CastKernel cast;
  PointwiseKernel kernel;
  const Scalar *params;
} Step;

struct Chain {
  int noperands, nresults, nsteps, nplaces, nrows;
  int nslots, nsingles; /* tiles: of results that stay inside, and of single elements */
  ChainOperand operands[CHAIN_OPERANDS];
  int64_t numel, tile, slot_bytes;
  Place places[CHAIN_PLACES];
  Step steps[CHAIN_STEPS];
  size_t result_size[CHAIN_RESULTS];
};

/* ------------------------------------------------------------------- making */

typedef struct Maker {
  Chain *chain;
  const ChainRow *rows;
  int16_t as[CHAIN_VALUES][DTYPE_COUNT]; /* where a value is as elements of a dtype; -1 */
  int result_of[CHAIN_ROWS];             /* which result a row is; -1 */
  bool failed;
} Maker;

static int16_t new_place(Maker *m, PlaceKind kind, int of, DType dtype)
{
  Chain *c = m->chain;
  if (c->nplaces == CHAIN_PLACES) {
    m->failed = true;
    return 0;
  }
  c->places[c->nplaces] = (Place){(uint8_t)kind, (int16_t)of, -1, dtype};
  return (int16_t)c->nplaces++;
}

static Step *new_step(Maker *m, StepKind kind, int16_t to)
{
  static Step none;
  Chain *c = m->chain;
  if (c->nsteps == CHAIN_STEPS) {
    m->failed = true;
    return &none;
  }
  Step *s = &c->steps[c->nsteps++];
  *s = (Step){.kind = (uint8_t)kind, .to = to};
  return s;
}

static bool is_whole(const Chain *c, const ChainOperand *o) { return o->repeat == 1 && o->period == c->numel; }

/* Where an operand is as it lies in memory. */
static int16_t place_of_operand(Maker *m, int k)
{
  Chain *c = m->chain;
  const ChainOperand *o = &c->operands[k];
  int16_t *as = &m->as[k][o->dtype];
  if (*as >= 0) return *as;
  if (o->period == 1 || is_whole(c, o)) {
    *as = new_place(m, is_whole(c, o) ? PLACE_DIRECT : PLACE_SINGLE, k, o->dtype);
    return *as;
  }
  *as = new_place(m, PLACE_SLOT, -1, o->dtype);
  new_step(m, STEP_FILL, *as)->from[0] = (int16_t)k;
  return *as;
}

static int16_t cast_place(Maker *m, int16_t from, int16_t to)
{
  const Place *places = m->chain->places;
  Step *s = new_step(m, STEP_CAST, to);
  s->from[0] = from;
  s->n = 1;
  s->cast = cast_kernel(places[from].dtype, places[to].dtype);
  return to;
}

static DType dtype_of_value(const Maker *m, int value)
{
  int k = m->chain->noperands;
  return value < k ? m->chain->operands[value].dtype : m->rows[value - k].produced;
}

/* Where a value is as elements of a dtype. */
static int16_t place_as(Maker *m, int value, DType dtype)
{
  if (m->as[value][dtype] >= 0) return m->as[value][dtype];
  DType own = dtype_of_value(m, value);
  int16_t from = value < m->chain->noperands ? place_of_operand(m, value) : m->as[value][own];
  if (own == dtype) return from;
  if (value < m->chain->noperands && m->chain->operands[value].period == 1) /* cast once for all tiles */
    return m->as[value][dtype] = new_place(m, PLACE_SINGLE, value, dtype);
  m->as[value][dtype] = cast_place(m, from, new_place(m, PLACE_SLOT, -1, dtype));
  return m->as[value][dtype];
}

static void add_row(Maker *m, int i)
{
  Chain *c = m->chain;
  const ChainRow *row = &m->rows[i];
  DType compute = dtype_compute(row->compute), made = dtype_compute(row->produced);
  const PointwiseKernels *k = &kernels_of(compute)->pointwise[row->choice.family][row->choice.index];
  int16_t from[3] = {0};
  for (int a = 0; a < row->n; a++) from[a] = place_as(m, row->takes[a], compute);
  bool is_result = m->result_of[i] >= 0;
  int16_t own = new_place(m, is_result ? PLACE_RESULT : PLACE_SLOT, m->result_of[i], row->produced);
  int16_t to = made == row->produced ? own : new_place(m, PLACE_SLOT, -1, made);
  Step *s = new_step(m, STEP_KERNEL, to);
  s->n = (int16_t)row->n;
  memcpy(s->from, from, sizeof from);
  s->kernel = k->forward;
  s->params = row->params;
  m->failed |= !s->kernel;
  if (to != own) cast_place(m, to, own);
  m->as[c->noperands + i][row->produced] = own;
}

/* ------------------------------------------------------------------- slots */

static void note_reads(Chain *c)
{
  for (int i = 0; i < c->nsteps; i++) {
    Step *s = &c->steps[i];
    if (s->kind != STEP_FILL)
      for (int a = 0; a < s->n; a++) c->places[s->from[a]].last = (int16_t)i;
    if (c->places[s->to].last < i) c->places[s->to].last = (int16_t)i;
  }
}

/* Gives places slots, each until its last step, and says how long tiles are; false if there are too many. */
static bool choose_slots(Chain *c)
{
  int16_t free_from[CHAIN_PLACES];
  size_t largest = 1;
  note_reads(c);
  for (int i = 0; i < c->nplaces; i++) {
    if (c->places[i].kind != PLACE_SINGLE) continue;
    c->nsingles++;
    if (dtype_size(c->places[i].dtype) > largest) largest = dtype_size(c->places[i].dtype);
  }
  for (int i = 0; i < c->nsteps; i++) {
    Place *to = &c->places[c->steps[i].to];
    if (to->kind != PLACE_SLOT) continue;
    int slot = 0;
    while (slot < c->nslots && free_from[slot] > i) slot++;
    if (slot == c->nslots) c->nslots++;
    free_from[slot] = (int16_t)(to->last + 1);
    to->of = (int16_t)slot;
    if (dtype_size(to->dtype) > largest) largest = dtype_size(to->dtype);
  }
  int64_t tiles = max_i64(c->nslots + c->nsingles, 1), elements = CHAIN_BYTES / (int64_t)largest / tiles;
  c->tile = min_i64(elements / CHAIN_UNIT * CHAIN_UNIT, CHAIN_MOST);
  c->slot_bytes = (c->tile * (int64_t)largest + 63) / 64 * 64;
  return c->tile > 0;
}

Chain *chain_new(const ChainRow *rows, int nrows, const ChainOperand *operands, int noperands, const int *results,
                 int nresults, int64_t numel)
{
  if (nrows > CHAIN_ROWS || noperands > CHAIN_OPERANDS || nresults > CHAIN_RESULTS) return NULL;
  Chain *c = calloc(1, sizeof *c);
  if (!c) return NULL;
  c->noperands = noperands;
  c->nresults = nresults;
  c->nrows = nrows;
  c->numel = numel;
  memcpy(c->operands, operands, (size_t)noperands * sizeof *operands);
  Maker m = {.chain = c, .rows = rows};
  memset(m.as, -1, sizeof m.as);
  memset(m.result_of, -1, sizeof m.result_of);
  for (int i = 0; i < nresults; i++) {
    m.result_of[results[i]] = i;
    c->result_size[i] = dtype_size(rows[results[i]].produced);
  }
  for (int i = 0; i < nrows && !m.failed; i++) add_row(&m, i);
  if (!m.failed && choose_slots(c)) return c;
  chain_free(c);
  return NULL;
}

void chain_free(Chain *c) { free(c); }

/* ------------------------------------------------------------------ running */

/* n equal elements. */
static void fill_elements(size_t size, int64_t n, const char *from, char *to)
{
  copy_elements(size, n, from, 0, to, (int64_t)size);
}

/* The elements of an operand that those of the result from `at` on meet. */
static void fill_tile(const ChainOperand *o, const char *from, int64_t at, int64_t n, char *to)
{
  const size_t size = dtype_size(o->dtype);
  while (n > 0) {
    int64_t element = at / o->repeat % o->period, stretch;
    if (o->repeat == 1) {
      stretch = min_i64(n, o->period - element);
      memcpy(to, from + element * (int64_t)size, (size_t)stretch * size);
    } else {
      stretch = min_i64(n, o->repeat - at % o->repeat);
      fill_elements(size, stretch, from + element * (int64_t)size, to);
    }
    at += stretch;
    n -= stretch;
    to += stretch * (int64_t)size;
  }
}

static void run_tile(const ChainRun *run, char *const *places, int64_t at, int64_t n)
{
  const Chain *c = run->chain;
  for (int i = 0; i < c->nsteps; i++) {
    const Step *s = &c->steps[i];
    if (s->kind == STEP_KERNEL) {
      char *p[POINTWISE_OPERANDS + 1] = {places[s->to], places[s->from[0]], places[s->from[1]], places[s->from[2]]};
      s->kernel(n, p, s->params);
    } else if (s->kind == STEP_CAST) {
      const Place *from = &c->places[s->from[0]], *to = &c->places[s->to];
      s->cast(n, places[s->from[0]], (int64_t)dtype_size(from->dtype), places[s->to], (int64_t)dtype_size(to->dtype));
    } else {
      fill_tile(&c->operands[s->from[0]], run->operands[s->from[0]], at, n, places[s->to]);
    }
  }
}

/* The places that stay where they are for all tiles of a part. */
static void set_fixed_places(const ChainRun *run, char **places, char *memory, int64_t n)
{
  const Chain *c = run->chain;
  char *singles = memory + c->nslots * c->slot_bytes;
  for (int i = 0; i < c->nplaces; i++) {
    const Place *p = &c->places[i];
    if (p->kind == PLACE_SLOT) {
      places[i] = memory + p->of * c->slot_bytes;
    } else if (p->kind == PLACE_SINGLE) {
      const DType own = c->operands[p->of].dtype;
      places[i] = singles;
      singles += c->slot_bytes;
      if (own == p->dtype) fill_elements(dtype_size(own), n, run->operands[p->of], places[i]);
      else cast_kernel(own, p->dtype)(n, run->operands[p->of], 0, places[i], (int64_t)dtype_size(p->dtype));
    }
  }
}

void chain_open(ChainWorker *w, const ChainRun *run)
{
  w->run = run;
  set_fixed_places(run, w->places, w->memory, min_i64(run->chain->tile, run->chain->numel));
}

void chain_part(ChainWorker *w, int64_t begin, int64_t end)
{
  const ChainRun *run = w->run;
  const Chain *c = run->chain;
  for (int64_t at = begin; at < end; at += c->tile) {
    int64_t n = min_i64(c->tile, end - at);
    for (int i = 0; i < c->nplaces; i++) {
      const Place *p = &c->places[i];
      const int64_t size = (int64_t)dtype_size(p->dtype);
      if (p->kind == PLACE_DIRECT) w->places[i] = run->operands[p->of] + at * size;
      else if (p->kind == PLACE_RESULT) w->places[i] = run->results[p->of] + at * size;
    }
    run_tile(run, w->places, at, n);
  }
}

void chain_begin(ChainRun *run, const Chain *c, Tensor *const *operands, Tensor *const *results)
{
  run->chain = c;
  for (int i = 0; i < c->noperands; i++) run->operands[i] = tensor_data(operands[i]);
  for (int i = 0; i < c->nresults; i++) run->results[i] = tensor_data(results[i]);
}

bool chain_begin_planned(Call *call, Tensor *y, ChainRun *run)
{
  PlannedChain *then = call->planned ? call->planned->then : NULL;
  if (!then || tensor_dtype(y) != then->chain->operands[then->result].dtype) return false;
  then->operands[then->result] = y;
  chain_begin(run, then->chain, then->operands, &y);
  return then->is_done = true;
}

static void run_part(void *arg, int64_t begin, int64_t end)
{
  ChainWorker w;
  chain_open(&w, arg);
  chain_part(&w, begin, end);
}

void launch_chain(const Chain *c, Tensor *const *operands, Tensor *const *results)
{
  if (!launch_runs(results[0])) return;
  ChainRun run;
  chain_begin(&run, c, operands, results);
  int64_t grain = max_i64(GRAIN / c->nrows, c->tile);
  if (c->numel <= grain) run_part(&run, 0, c->numel);
  else parallel_for(c->numel, grain / c->tile * c->tile, run_part, &run);
}
