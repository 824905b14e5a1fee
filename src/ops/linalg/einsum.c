/*
 * einsum: every operand becomes a tensor whose dimensions have labels; two at a time are contracted by one product of
 * matrices, the pair first whose result is smallest beside what goes into it.
 */
#include <limits.h>
#include <string.h>

#include "core/text.h"
#include "ops/linalg/matmul.h"
#include "ops/linalg/product.h"
#include "ops/math/arithmetic.h"
#include "ops/reduce/sum.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

/* Letters, then the dimensions that ellipses stand for, counted from the last one. */
enum { LETTERS = 52, LABELS = LETTERS + MAX_DIMS, OPERANDS = 64 };

typedef struct Labelled {
  Tensor *t;
  int labels[MAX_DIMS];
} Labelled;

typedef struct Equation {
  Labelled operands[OPERANDS];
  int count;
  int64_t sizes[LABELS]; /* 1 unless an operand has more */
  uint8_t uses[LABELS];  /* in how many places of operands, up to 2 */
  int ellipsis;          /* the most dimensions that one stands for */
  int output[LABELS], noutput;
} Equation;

static int label_of(char c) { return is_upper(c) ? c - 'A' : c - 'a' + 26; }

static const char *skip_spaces(const char *s)
{
  while (*s == ' ') s++;
  return s;
}

/* ------------------------------------------------------------------- the equation */

/* Reads one operand's letters up to a comma, an arrow or the end. */
static const char *read_operand(Call *call, const char *s, Labelled *o, Equation *e, int number)
{
  int labels[MAX_DIMS], n = 0, dots_at = -1;
  for (s = skip_spaces(s); *s && *s != ',' && strncmp(s, "->", 2) != 0; s = skip_spaces(s)) {
    if (strncmp(s, "...", 3) == 0) {
      if (dots_at >= 0) raise(call, "operand %d has two ellipses", number);
      dots_at = n;
      s += 3;
      continue;
    }
    if (!is_letter(*s)) raise(call, "'%c' is no letter for a dimension", *s);
    if (n == o->t->ndim)
      raise(call, "operand %d of shape %s has fewer dimensions than letters", number,
            shape_text(call, tensor_shape(o->t)));
    labels[n++] = label_of(*s++);
  }
  int dots = o->t->ndim - n;
  if (dots > 0 && dots_at < 0)
    raise(call, "operand %d of shape %s has more dimensions than letters", number,
          shape_text(call, tensor_shape(o->t)));
  if (dots > e->ellipsis) e->ellipsis = dots;
  for (int d = 0, i = 0; d < o->t->ndim; d++) {
    bool in_dots = dots_at >= 0 && d >= dots_at && d < dots_at + dots;
    o->labels[d] = in_dots ? LETTERS + (dots_at + dots - 1 - d) : labels[i++];
  }
  return s;
}

/* Notes sizes; where an operand has 1 and another more, it broadcasts. */
static void note_sizes(Call *call, Equation *e, const Labelled *o)
{
  for (int d = 0; d < o->t->ndim; d++) {
    int label = o->labels[d];
    int64_t size = o->t->shape[d];
    if (e->uses[label] < 2) e->uses[label]++;
    if (size == 1) continue;
    if (e->sizes[label] != 1 && e->sizes[label] != size)
      raise(call, "one letter stands for dimensions of sizes %lld and %lld", (long long)e->sizes[label],
            (long long)size);
    e->sizes[label] = size;
  }
}

static void put_ellipsis(Equation *e)
{
  for (int i = e->ellipsis - 1; i >= 0; i--) e->output[e->noutput++] = LETTERS + i;
}

static void read_output(Call *call, const char *s, Equation *e)
{
  bool seen[LABELS] = {false}, dots = false;
  for (s = skip_spaces(s); *s; s = skip_spaces(s)) {
    if (strncmp(s, "...", 3) == 0) {
      if (dots) raise(call, "the result has two ellipses");
      dots = true;
      put_ellipsis(e);
      s += 3;
      continue;
    }
    if (!is_letter(*s)) raise(call, "'%c' is no letter for a dimension", *s);
    int label = label_of(*s);
    if (seen[label]) raise(call, "the result has '%c' twice", *s);
    if (!e->uses[label]) raise(call, "the result has '%c', which no operand has", *s);
    seen[label] = true;
    e->output[e->noutput++] = label;
    s++;
  }
  if (e->noutput > MAX_DIMS) raise(call, "a tensor has at most %d dimensions", MAX_DIMS);
}

static void read_equation(Call *call, const char *s, Tensors operands, Equation *e)
{
  if (operands.n == 0) raise(call, "at least one operand is needed");
  if (operands.n > OPERANDS)
    raise(call, "%lld operands are given, at most %d are taken", (long long)operands.n, OPERANDS);
  for (int i = 0; i < LABELS; i++) e->sizes[i] = 1;
  e->count = (int)operands.n;
  for (int i = 0; i < e->count; i++) {
    e->operands[i].t = operands.v[i];
    if (operands.v[i]->dtype != operands.v[0]->dtype)
      raise(call, "operands must have one dtype, not %s and %s", dtype_name(tensor_dtype(operands.v[0])),
            dtype_name(tensor_dtype(operands.v[i])));
    s = read_operand(call, s, &e->operands[i], e, i + 1);
    note_sizes(call, e, &e->operands[i]);
    bool more = i + 1 < e->count;
    if (more != (*s == ',')) raise(call, "the equation has %s operands than are given", more ? "fewer" : "more");
    if (more) s++;
  }
  if (*s) {
    read_output(call, s + 2, e);
    return;
  }
  put_ellipsis(e);
  for (int label = 0; label < LETTERS; label++)
    if (e->uses[label] == 1) e->output[e->noutput++] = label;
  if (e->noutput > MAX_DIMS) raise(call, "a tensor has at most %d dimensions", MAX_DIMS);
}

/* -------------------------------------------------------------------- operands */

static int find_label(const Labelled *o, int label)
{
  for (int d = 0; d < o->t->ndim; d++)
    if (o->labels[d] == label) return d;
  return -1;
}

static void drop_label(Labelled *o, int d, int ndim)
{
  for (int i = d; i + 1 < ndim; i++) o->labels[i] = o->labels[i + 1];
}

static bool is_in_output(const Equation *e, int label)
{
  for (int k = 0; k < e->noutput; k++)
    if (e->output[k] == label) return true;
  return false;
}

/* A letter that is there twice becomes a diagonal; one that broadcasts, or sums a single element, goes away. */
static void simplify(Call *call, Labelled *o, const Equation *e)
{
  for (int d = o->t->ndim - 1; d >= 0; d--) {
    int label = o->labels[d], ndim = o->t->ndim, first = find_label(o, label);
    bool is_summed = e->count > 1 && !is_in_output(e, label); /* a sum of one operand has a dtype of its own */
    bool broadcasts = o->t->shape[d] == 1 && (e->sizes[label] != 1 || is_summed);
    if (broadcasts) {
      o->t = op(select, o->t, d, 0);
      drop_label(o, d, ndim);
    } else if (first != d) {
      if (o->t->shape[first] == 1 && o->t->shape[d] != 1) {
        o->t = op(select, o->t, first, 0);
        drop_label(o, first, ndim);
        continue;
      }
      o->t = op(diagonal, o->t, 0, first, d); /* the last dimension is the diagonal */
      drop_label(o, d, ndim);
      drop_label(o, first, ndim - 1);
      o->labels[ndim - 2] = label;
    }
  }
}

/* Labels in one order for all operands: those of the result, then the others, ellipses first. */
static int place_of(const Equation *e, int label)
{
  for (int k = 0; k < e->noutput; k++)
    if (e->output[k] == label) return k;
  return label >= LETTERS ? 2 * LABELS - label : 2 * LABELS + label;
}

/* Permutes an operand's dimensions into that order: in it, results lie in memory as PyTorch's do. */
static void align(Call *call, Labelled *o, const Equation *e)
{
  int64_t order[MAX_DIMS];
  int labels[MAX_DIMS], n = o->t->ndim;
  for (int d = 0; d < n; d++) {
    int i = d;
    for (; i > 0 && place_of(e, labels[i - 1]) > place_of(e, o->labels[d]); i--) {
      labels[i] = labels[i - 1];
      order[i] = order[i - 1];
    }
    labels[i] = o->labels[d];
    order[i] = d;
  }
  o->t = op(permute, o->t, ((Ints){order, n}));
  memcpy(o->labels, labels, (size_t)n * sizeof *labels);
}

/* Which labels are still wanted when operands i and j are left out. */
static void mark_wanted(const Equation *e, int i, int j, bool *wanted)
{
  memset(wanted, 0, LABELS * sizeof *wanted);
  for (int k = 0; k < e->noutput; k++) wanted[e->output[k]] = true;
  for (int k = 0; k < e->count; k++)
    for (int d = 0; k != i && k != j && d < e->operands[k].t->ndim; d++) wanted[e->operands[k].labels[d]] = true;
}

/* Sums over what only this operand has and the result hasn't. */
static void sum_alone(Call *call, Equation *e, int i)
{
  bool wanted[LABELS];
  int64_t dims[MAX_DIMS], n = 0;
  Labelled *o = &e->operands[i], kept = {NULL, {0}};
  int rank = 0;
  mark_wanted(e, i, i, wanted);
  for (int d = 0; d < o->t->ndim; d++) {
    if (wanted[o->labels[d]]) kept.labels[rank++] = o->labels[d];
    else dims[n++] = d;
  }
  if (n == 0) return;
  kept.t = op(sum, o->t, (Ints){dims, n}, false, DTYPE_NONE); /* of integers int64, as PyTorch */
  *o = kept;
}

/* ------------------------------------------------------------------- contraction */

/* The dimensions with these labels, in this order, grouped into blocks of one dimension each. */
typedef struct Groups {
  int labels[3][2 * MAX_DIMS], n[3];
} Groups;

static Tensor *grouped(Call *call, const Labelled *o, const Groups *g, const int64_t *sizes)
{
  int64_t order[MAX_DIMS], n = 0;
  for (int k = 0; k < 3; k++)
    for (int i = 0; i < g->n[k]; i++) order[n++] = find_label(o, g->labels[k][i]);
  return op(reshape, op(permute, o->t, (Ints){order, n}), (Ints){sizes, 3});
}

static int64_t size_of(Call *call, const Equation *e, const int *labels, int n)
{
  int64_t sizes[2 * MAX_DIMS];
  for (int i = 0; i < n; i++) sizes[i] = e->sizes[labels[i]];
  return shape_numel(call, (Ints){sizes, n});
}

static void add_label(Groups *g, int group, int label) { g->labels[group][g->n[group]++] = label; }

/* The product of two operands, element by element: each gets the dimensions that only the other one has. */
static Labelled multiply(Call *call, const Equation *e, const Labelled *l, const Labelled *r)
{
  Labelled y = {NULL, {0}};
  Tensor *tl = l->t, *tr = r->t;
  int n = 0, i = 0, j = 0;
  while (i < l->t->ndim || j < r->t->ndim) {
    int from_l = i < l->t->ndim ? place_of(e, l->labels[i]) : INT_MAX;
    int from_r = j < r->t->ndim ? place_of(e, r->labels[j]) : INT_MAX;
    if (n == MAX_DIMS) raise(call, "more than %d dimensions are needed", MAX_DIMS);
    y.labels[n] = from_l <= from_r ? l->labels[i] : r->labels[j];
    if (from_l <= from_r) i++;
    else tl = op(unsqueeze, tl, n);
    if (from_r <= from_l) j++;
    else tr = op(unsqueeze, tr, n);
    n++;
  }
  y.t = op(mul, tl, tr);
  return y;
}

static Tensor *product_of(Call *call, Tensor *l, Tensor *r, bool batches)
{
  Tensor *both[] = {l, r};
  DType dtype = promote_operands(call, both, 2); /* one may have been summed to int64 */
  l = cast(l, dtype);
  r = cast(r, dtype);
  if (batches) return op(bmm, l, r);
  Tensor *y = op(mm, op(select, l, 0, 0), op(select, r, 0, 0));
  return op(unsqueeze, y, 0);
}

/*
 * Whether the right operand's own dimensions lie outside of the left one's in the product: as in PyTorch, where all of
 * them come first in the result. To these belong what neither operand has, or has any more.
 */
static bool right_comes_first(const Equation *e, const Labelled *l, const Labelled *r)
{
  int first_left = INT_MAX, last_right = -1;
  for (int label = 0; label < LABELS; label++) {
    if (!e->uses[label]) continue;
    int place = place_of(e, label);
    bool in_l = find_label(l, label) >= 0 && e->sizes[label] != 1;
    bool in_r = find_label(r, label) >= 0 && e->sizes[label] != 1;
    if (in_l && in_r) continue;
    if (in_l && place < first_left) first_left = place;
    if (!in_l && place > last_right) last_right = place;
  }
  return first_left != INT_MAX && last_right < first_left;
}

/* Two operands as one: [batch, left, summed] @ [batch, summed, right]. */
static Labelled contract(Call *call, const Equation *e, int i, int j)
{
  const Labelled *l = &e->operands[i], *r = &e->operands[j];
  Groups gl = {.n = {0}}, gr = {.n = {0}};
  bool wanted[LABELS];
  Labelled y = {NULL, {0}};
  mark_wanted(e, i, j, wanted);
  if (right_comes_first(e, l, r)) {
    l = &e->operands[j];
    r = &e->operands[i];
  }
  for (int d = 0; d < l->t->ndim; d++) {
    int label = l->labels[d];
    if (find_label(r, label) < 0) {
      add_label(&gl, 1, label);
    } else if (wanted[label]) {
      add_label(&gl, 0, label);
      add_label(&gr, 0, label);
    } else {
      add_label(&gl, 2, label);
      add_label(&gr, 1, label);
    }
  }
  for (int d = 0; d < r->t->ndim; d++)
    if (find_label(l, r->labels[d]) < 0) add_label(&gr, 2, r->labels[d]);
  if (gl.n[2] == 0) return multiply(call, e, &e->operands[i], &e->operands[j]);
  int rank = gl.n[0] + gl.n[1] + gr.n[2];
  if (rank > MAX_DIMS) raise(call, "more than %d dimensions are needed", MAX_DIMS);
  int64_t batch = size_of(call, e, gl.labels[0], gl.n[0]), left = size_of(call, e, gl.labels[1], gl.n[1]);
  int64_t depth = size_of(call, e, gl.labels[2], gl.n[2]), right = size_of(call, e, gr.labels[2], gr.n[2]);
  Tensor *tl = grouped(call, l, &gl, (int64_t[]){batch, left, depth});
  Tensor *tr = grouped(call, r, &gr, (int64_t[]){batch, depth, right});
  Tensor *product = product_of(call, tl, tr, gl.n[0] > 0);
  int64_t shape[MAX_DIMS];
  int n = 0;
  for (int k = 0; k < gl.n[0]; k++) y.labels[n++] = gl.labels[0][k];
  for (int k = 0; k < gl.n[1]; k++) y.labels[n++] = gl.labels[1][k];
  for (int k = 0; k < gr.n[2]; k++) y.labels[n++] = gr.labels[2][k];
  for (int k = 0; k < n; k++) shape[k] = e->sizes[y.labels[k]];
  y.t = op(reshape, product, (Ints){shape, n});
  align(call, &y, e);
  return y;
}

/* How much more the product of two operands takes than they do. */
static double growth(const Equation *e, int i, int j)
{
  const Labelled *l = &e->operands[i], *r = &e->operands[j];
  bool wanted[LABELS];
  double size = 1;
  mark_wanted(e, i, j, wanted);
  for (int d = 0; d < l->t->ndim; d++)
    if (wanted[l->labels[d]]) size *= (double)l->t->shape[d];
  for (int d = 0; d < r->t->ndim; d++)
    if (wanted[r->labels[d]] && find_label(l, r->labels[d]) < 0) size *= (double)r->t->shape[d];
  return size - (double)l->t->numel - (double)r->t->numel;
}

static void contract_best(Call *call, Equation *e)
{
  int left = 0, right = 1;
  double best = growth(e, 0, 1);
  for (int i = 0; i < e->count; i++)
    for (int j = i + 1; j < e->count && e->count > 2; j++) {
      double g = growth(e, i, j);
      if (g >= best) continue;
      best = g;
      left = i;
      right = j;
    }
  e->operands[left] = contract(call, e, left, right);
  memmove(e->operands + right, e->operands + right + 1, (size_t)(e->count - right - 1) * sizeof *e->operands);
  e->count--;
}

FORWARD(einsum)
{
  Equation *e = arena_allocate(call->ctx, sizeof *e);
  memset(e, 0, sizeof *e);
  read_equation(call, a->equation, a->operands, e);
  for (int i = 0; i < e->count; i++) simplify(call, &e->operands[i], e);
  for (int i = 0; i < e->count; i++) align(call, &e->operands[i], e);
  for (int i = 0; i < e->count; i++) sum_alone(call, e, i);
  while (e->count > 1) contract_best(call, e);
  y[0] = e->operands[0].t;
}
