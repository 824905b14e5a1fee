/* Finds what in a program follows from the sizes of its inputs. */
#include "program/dynamic.h"

#include <math.h>
#include <string.h>

#include "program/block.h"

enum { DOUBLED = 2, TRIPLED = 3 };

/* The traces, and the sizes of the symbols in the first one. */
typedef struct Comparison {
  Call *call;
  Program *program;
  Program *const *traces; /* one for each symbol, and the last */
  int32_t n;
  int64_t *sizes;
  int32_t step; /* that is compared */
} Comparison;

_Noreturn static void refuse(const Comparison *c, const char *what, const char *name)
{
  const Op *op = c->step < c->program->nsteps ? c->program->steps[c->step].op : NULL;
  raise_plain(c->call->ctx, "trace: the network does something else for other sizes: step %d (%s): %s%s", c->step + 1,
              op ? op->name : "none", what, name);
}

static void *allocate(const Comparison *c, size_t bytes)
{
  return blocks_allocate(c->call->ctx, &c->program->blocks, bytes);
}

/* --------------------------------------------------------------- expressions */

/* An integer as it is in the first trace, in those with one size doubled, and in the last. */
typedef struct Seen {
  int64_t first, last;
  const int64_t *doubled;
} Seen;

static bool is_constant(const Comparison *c, const Seen *s)
{
  bool same = s->first == s->last;
  for (int32_t i = 0; i < c->n; i++) same = same && s->doubled[i] == s->first;
  return same;
}

static int64_t common_divisor(int64_t a, int64_t b)
{
  while (b) {
    int64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a < 0 ? -a : a;
}

static SizeTerm term_of(const Comparison *c, int64_t factor, int32_t nsymbols)
{
  return (SizeTerm){factor, nsymbols, allocate(c, (size_t)(nsymbols + 1) * sizeof(int32_t))};
}

/* (a₁ s₁ + a₂ s₂ + … + b) / d. A size that is doubled grows by itself, so its slope is the difference over it. */
static bool fit_sum(const Comparison *c, const Seen *s, SizeExpression *e)
{
  int64_t divisor = 1, rest = s->first, last = s->first;
  int32_t nterms = 0;
  SizeTerm *terms = allocate(c, (size_t)(c->n + 1) * sizeof *terms);
  for (int32_t i = 0; i < c->n; i++) {
    int64_t step = s->doubled[i] - s->first, denominator = c->sizes[i] / common_divisor(step, c->sizes[i]);
    divisor = divisor / common_divisor(divisor, denominator) * denominator;
    rest -= step;
    last += (TRIPLED - 1) * step;
  }
  if (last != s->last) return false;
  for (int32_t i = 0; i < c->n; i++) {
    if (s->doubled[i] == s->first) continue;
    terms[nterms] = term_of(c, (s->doubled[i] - s->first) * divisor / c->sizes[i], 1);
    ((int32_t *)terms[nterms++].symbols)[0] = i;
  }
  if (rest != 0) terms[nterms++] = term_of(c, rest * divisor, 0);
  *e = (SizeExpression){terms, nterms, divisor};
  return true;
}

/* a s₁ s₂ … / d, a size as often as a factor as the number grows with it: not at all, twofold or fourfold. */
static bool fit_product(const Comparison *c, const Seen *s, SizeExpression *e)
{
  int64_t sizes = 1, last = s->first;
  int32_t count = 0;
  SizeTerm *term = allocate(c, sizeof *term);
  *term = term_of(c, 0, 2 * c->n);
  for (int32_t i = 0; i < c->n; i++) {
    int32_t times = s->doubled[i] == s->first ? 0 : s->doubled[i] == DOUBLED * s->first ? 1 : 2;
    if (times == 2 && s->doubled[i] != DOUBLED * DOUBLED * s->first) return false;
    for (int32_t k = 0; k < times; k++) {
      ((int32_t *)term->symbols)[count++] = i;
      if (__builtin_mul_overflow(sizes, c->sizes[i], &sizes) || __builtin_mul_overflow(last, TRIPLED, &last))
        return false;
    }
  }
  if (last != s->last) return false;
  int64_t common = common_divisor(s->first, sizes);
  term->factor = s->first / common;
  term->nsymbols = count;
  *e = (SizeExpression){term, 1, sizes / common};
  return true;
}

static bool fit(const Comparison *c, const Seen *s, SizeExpression *e)
{
  return fit_sum(c, s, e) || fit_product(c, s, e);
}

/* The integer that get(trace) gives in all traces. */
static Seen seen_of(const Comparison *c, const void *first, const void *const *places, int64_t *room)
{
  for (int32_t i = 0; i < c->n; i++) memcpy(&room[i], places[i], sizeof *room);
  Seen s = {.doubled = room};
  memcpy(&s.first, first, sizeof s.first);
  memcpy(&s.last, places[c->n], sizeof s.last);
  return s;
}

/* ----------------------------------------------------------------- arguments */

typedef struct Bindings {
  Binding *v;
  int32_t n, room;
} Bindings;

static void add_binding(const Comparison *c, Bindings *b, Binding binding)
{
  if (b->n == b->room) {
    Binding *larger = allocate(c, (size_t)(b->room = b->room ? 2 * b->room : 4) * sizeof *larger);
    if (b->n) memcpy(larger, b->v, (size_t)b->n * sizeof *larger);
    b->v = larger;
  }
  b->v[b->n++] = binding;
}

/* Compares one integer of an argument; places has it in each trace. */
static void compare_integer(const Comparison *c, Bindings *b, int argument, int32_t element, const void *first,
                            const void *const *places)
{
  int64_t *room = arena_allocate(c->call->ctx, (size_t)(c->n + 1) * sizeof *room);
  Seen s = seen_of(c, first, places, room);
  if (is_constant(c, &s)) return;
  Binding binding = {(uint8_t)argument, element, {0}};
  if (!fit(c, &s, &binding.size))
    refuse(c, "no sum or product of sizes gives its ", c->program->steps[c->step].op->args[argument].name);
  add_binding(c, b, binding);
}

static bool is_integer_kind(ArgKind kind) { return kind == ARG_INT || kind == ARG_DIM || kind == ARG_POSITION; }

/* The places of an argument in all traces but the first. */
static const void **places_of(const Comparison *c, int argument)
{
  const void **places = arena_allocate(c->call->ctx, (size_t)(c->n + 1) * sizeof *places);
  uint16_t offset = c->program->steps[c->step].op->args[argument].offset;
  for (int32_t i = 0; i <= c->n; i++) places[i] = (const char *)c->traces[i]->steps[c->step].args + offset;
  return places;
}

static void compare_list(const Comparison *c, Bindings *b, int argument, const Ints *first, const void **places)
{
  const ArgSpec *spec = &c->program->steps[c->step].op->args[argument];
  const void **elements = arena_allocate(c->call->ctx, (size_t)(c->n + 1) * sizeof *elements);
  for (int32_t i = 0; i <= c->n; i++)
    if (((const Ints *)places[i])->n != first->n) refuse(c, "there are more or fewer numbers in its ", spec->name);
  for (int64_t k = 0; k < first->n; k++) {
    for (int32_t i = 0; i <= c->n; i++) elements[i] = &((const Ints *)places[i])->v[k];
    if (spec->kind != ARG_NUMBERS) {
      compare_integer(c, b, argument, (int32_t)k, &first->v[k], elements);
      continue;
    }
    for (int32_t i = 0; i <= c->n; i++)
      if (memcmp(elements[i], &first->v[k], sizeof first->v[k]) != 0) refuse(c, "numbers differ in its ", spec->name);
  }
}

/* Whether a value that is no integer is the same in all traces. */
static bool is_same_value(const ArgSpec *spec, const void *a, const void *b)
{
  switch (spec->kind) {
    case ARG_SCALAR: {
      const Scalar *x = a, *y = b;
      return x->kind == y->kind && x->i == y->i && memcmp(&x->re, &y->re, 2 * sizeof x->re) == 0;
    }
    case ARG_REAL: return memcmp(a, b, sizeof(double)) == 0;
    case ARG_BOOL: return *(const bool *)a == *(const bool *)b;
    case ARG_OPT_BOOL: return *(const int8_t *)a == *(const int8_t *)b;
    case ARG_TYPE: return *(const DType *)a == *(const DType *)b;
    case ARG_DEVICE: return *(const Device *)a == *(const Device *)b;
    case ARG_STRING: {
      const char *x = *(const char *const *)a, *y = *(const char *const *)b;
      return x == y || (x && y && strcmp(x, y) == 0);
    }
    default: return true; /* generators, which programs don't have */
  }
}

/* Whether a number is an integer in all traces. */
static bool are_integers(const Comparison *c, const Scalar *first, const void *const *places)
{
  bool all = first->kind == SCALAR_INT;
  for (int32_t i = 0; i <= c->n; i++) all = all && ((const Scalar *)places[i])->kind == SCALAR_INT;
  return all;
}

/* The whole number that a value of a number has; false if it is none. */
static bool whole_number(const Value *v, int64_t *whole)
{
  if (v->kind != VALUE_CONSTANT || !v->tensor->is_wrapped_number || !v->tensor->storage) return false;
  Scalar s = tensor_item(v->tensor);
  *whole = s.kind == SCALAR_INT ? s.i : s.kind == SCALAR_FLOAT && fabs(s.re) < 1e15 ? (int64_t)s.re : 0;
  return s.kind == SCALAR_INT || (s.kind == SCALAR_FLOAT && (double)*whole == s.re);
}

/* Compares an operand that is a number, as n in x / n: whole ones may follow from sizes. */
static void compare_number(const Comparison *c, Bindings *b, int argument, int tensor)
{
  const Step *s = &c->program->steps[c->step];
  ValueId id = s->operands[s->places[tensor].first];
  int64_t first, *others = arena_allocate(c->call->ctx, (size_t)(c->n + 1) * sizeof *others);
  const void **places = arena_allocate(c->call->ctx, (size_t)(c->n + 1) * sizeof *places);
  if (id == NO_VALUE || !whole_number(&c->program->values[id], &first)) return;
  for (int32_t i = 0; i <= c->n; i++) {
    places[i] = &others[i];
    if (!whole_number(&c->traces[i]->values[id], &others[i])) return; /* compare_value tells */
  }
  compare_integer(c, b, argument, -1, &first, places);
}

static void compare_argument(const Comparison *c, Bindings *b, int argument)
{
  const Step *s = &c->program->steps[c->step];
  const ArgSpec *spec = &s->op->args[argument];
  const void *first = (const char *)s->args + spec->offset, **places = places_of(c, argument);
  ArgHolds holds = argument_holds(spec);
  if (holds == HOLDS_TENSOR) compare_number(c, b, argument, op_plan(s->op)->tensor_at[spec->offset / sizeof(Tensor *)]);
  if (holds == HOLDS_TENSOR || holds == HOLDS_TENSORS) return;
  if (is_integer_kind(spec->kind)) {
    compare_integer(c, b, argument, -1, first, places);
  } else if (spec->kind == ARG_SCALAR && are_integers(c, first, places)) {
    for (int32_t i = 0; i <= c->n; i++) places[i] = &((const Scalar *)places[i])->i;
    compare_integer(c, b, argument, -1, &((const Scalar *)first)->i, places);
  } else if (holds == POINTS_TO_LIST) {
    compare_list(c, b, argument, first, places);
  } else {
    for (int32_t i = 0; i <= c->n; i++)
      if (!is_same_value(spec, first, places[i])) refuse(c, "another value for its ", spec->name);
  }
}

/* --------------------------------------------------------------------- steps */

static void compare_ids(const Comparison *c, const ValueId *a, const ValueId *b, int32_t n, int32_t m)
{
  if (n != m || (n && memcmp(a, b, (size_t)n * sizeof *a) != 0)) refuse(c, "it reads or gives other values", "");
}

static void compare_step(Comparison *c)
{
  Step *s = &c->program->steps[c->step];
  if (s->kind != STEP_ROW) refuse(c, "a branch or loop can't be traced at several sizes", "");
  for (int32_t i = 0; i <= c->n; i++) {
    const Step *other = &c->traces[i]->steps[c->step];
    if (other->op != s->op || other->in_place != s->in_place || other->no_grad != s->no_grad)
      refuse(c, "there it is ", other->op ? other->op->name : "a branch or loop");
    compare_ids(c, s->operands, other->operands, s->noperands, other->noperands);
    compare_ids(c, s->results, other->results, s->nresults, other->nresults);
  }
  Bindings bindings = {0};
  for (int a = 0; a < s->op->nargs; a++) compare_argument(c, &bindings, a);
  s->bindings = bindings.v;
  s->nbindings = bindings.n;
}

/* -------------------------------------------------------------------- values */

static bool same_elements(const Tensor *a, const Tensor *b)
{
  if (a == b) return true;
  if (a->dtype != b->dtype || !tensor_same_shape(a, b) || !a->is_contiguous || !b->is_contiguous) return false;
  return a->numel == 0
         || (tensor_data(a) && tensor_data(b) && memcmp(tensor_data(a), tensor_data(b), tensor_bytes(a)) == 0);
}

/* A size of a value: a number, a symbol, or unknown. */
static int64_t general_size(const Comparison *c, ValueId value, int d)
{
  const void **places = arena_allocate(c->call->ctx, (size_t)(c->n + 1) * sizeof *places);
  int64_t *room = arena_allocate(c->call->ctx, (size_t)(c->n + 1) * sizeof *room);
  for (int32_t i = 0; i <= c->n; i++) places[i] = &c->traces[i]->values[value].shape[d];
  Seen s = seen_of(c, &c->program->values[value].shape[d], places, room);
  SizeExpression e;
  if (is_constant(c, &s)) return s.first;
  bool is_symbol = fit(c, &s, &e) && e.nterms == 1 && e.divisor == 1 && e.terms[0].factor == 1
                   && e.terms[0].nsymbols == 1;
  return is_symbol ? symbol_size(e.terms[0].symbols[0]) : SIZE_UNKNOWN;
}

static void compare_value(Comparison *c, ValueId id)
{
  Value *v = &c->program->values[id];
  c->step = v->step >= 0 ? v->step : 0;
  for (int32_t i = 0; i <= c->n; i++) {
    const Value *other = &c->traces[i]->values[id];
    if (other->kind != v->kind || other->dtype != v->dtype || other->ndim != v->ndim)
      refuse(c, "a value has another dtype or another number of dimensions", "");
    int64_t whole;
    bool is_bound = whole_number(v, &whole) && whole_number(other, &whole); /* by each step that reads it */
    if (v->kind == VALUE_CONSTANT && !is_bound && !same_elements(v->tensor, other->tensor))
      refuse(c, "a constant that was made of sizes differs", "");
  }
  if (v->tensor || v->ndim <= 0) return;
  int64_t *shape = allocate(c, (size_t)v->ndim * sizeof *shape);
  for (int d = 0; d < v->ndim; d++) shape[d] = general_size(c, id, d);
  v->shape = shape;
}

/* The sizes of the symbols, of inputs that differ where one of them is doubled. */
static void find_sizes(const Comparison *c)
{
  const Program *p = c->program;
  for (int32_t s = 0; s < c->n; s++) {
    c->sizes[s] = 0;
    for (int32_t i = 0; i < p->ninputs; i++) {
      const Value *a = &p->values[p->inputs[i]], *b = &c->traces[s]->values[p->inputs[i]];
      for (int d = 0; d < a->ndim; d++)
        if (a->shape[d] != b->shape[d]) c->sizes[s] = a->shape[d];
    }
  }
}

void program_generalize(Call *call, Program *p, Program *const *traces, const char *const *names, int32_t n)
{
  Context *ctx = call->ctx;
  Comparison c = {call, p, traces, n, arena_allocate(ctx, (size_t)(n + 1) * sizeof(int64_t)), 0};
  find_sizes(&c);
  int32_t common = p->nsteps;
  for (int32_t i = 0; i <= n; i++)
    if (traces[i]->nsteps < common) common = traces[i]->nsteps;
  for (; c.step < common; c.step++) compare_step(&c);
  for (int32_t i = 0; i <= n; i++)
    if (traces[i]->nsteps != p->nsteps || traces[i]->nvalues != p->nvalues || traces[i]->noutputs != p->noutputs)
      raise_plain(ctx, "trace: the network does something else for other sizes: %d steps for one, %d for another",
                  (int)p->nsteps, (int)traces[i]->nsteps);
  for (ValueId v = 0; v < p->nvalues; v++) compare_value(&c, v);
  const char **symbols = allocate(&c, (size_t)(n + 1) * sizeof *symbols);
  for (int32_t i = 0; i < n; i++) symbols[i] = blocks_copy(ctx, &p->blocks, names[i], strlen(names[i]) + 1);
  p->symbols = symbols;
  p->nsymbols = n;
}
