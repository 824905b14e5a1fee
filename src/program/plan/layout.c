/* Where a plan's results are: in its memory by their lifetimes, as headers over others', or made at each run. */
#include <stdlib.h>
#include <string.h>

#include "core/iter.h"
#include "program/plan/plan.h"

enum { PLACE_ALIGNMENT = 64 };

/* A root in the arena: from the step that makes it to the last one that reads it or a view of it. */
typedef struct Place {
  int32_t value, first, last;
  size_t bytes, offset;
} Place;

/* Whether a step is gone since its results are headers. */
static bool becomes_headers(const Plan *plan, const PlanStep *s)
{
  if (!s->is_view) return false;
  for (int32_t k = 0; k < s->nresults; k++)
    if (plan->values[s->results[k]].leaves && plan->values[s->results[k]].root != s->results[k]) return false;
  return true;
}

static void choose_homes(Plan *plan)
{
  for (int32_t i = 0; i < plan->nsteps; i++) {
    PlanStep *s = &plan->steps[i];
    if (becomes_headers(plan, s)) {
      for (int32_t k = 0; k < s->nresults; k++) { /* one that is an operand itself is what it was */
        PlanValue *value = &plan->values[s->results[k]];
        if (value->step == i && value->root != s->results[k]) value->is_header = true;
      }
      s->is_gone = true;
      continue;
    }
    if (s->is_view) s->is_plain = true;
    if (s->in_place) {
      const PlanValue *root = &plan->values[plan->values[s->results[0]].root];
      s->is_plain = root->kind != PLAN_RESULT || root->leaves;
      continue;
    }
    for (int32_t k = 0; k < s->nresults; k++) {
      PlanValue *value = &plan->values[s->results[k]];
      if (value->step != i) continue; /* an operand itself */
      if (s->is_kept) value->home = HOME_KEPT;
      else value->home = value->noted && !value->leaves && !s->is_view ? HOME_ARENA : HOME_NEW;
    }
  }
  plan_compact(plan);
}

/* ------------------------------------------------------------------ lifetimes */

/* By root, whether each run reads it or a view of it: a step that isn't kept does, or it is an output. */
static bool *read_by_runs(Call *call, const Plan *plan)
{
  bool *is_read = arena_allocate(call->ctx, (size_t)(plan->nvalues + 1) * sizeof *is_read);
  for (int32_t v = 0; v < plan->nvalues; v++) is_read[v] = false;
  for (int32_t i = 0; i < plan->nsteps; i++)
    for (int32_t k = 0; k < plan->steps[i].noperands && !plan->steps[i].is_kept; k++)
      is_read[plan->values[plan->steps[i].operands[k].value].root] = true;
  for (int32_t i = 0; i < plan->noutputs; i++) is_read[plan->values[plan->outputs[i]].root] = true;
  return is_read;
}

/* Whether a run, or the kept steps for themselves, make a value anew and let go of it after its last reader. */
static bool is_passing(const Plan *plan, const PlanValue *value, const bool *is_read)
{
  const PlanValue *maker = value->is_header ? &plan->values[value->root] : value;
  if (maker->step < 0) return false;
  if (maker->home == HOME_KEPT) return !is_read[value->root] && !plan->steps[maker->step].special;
  return maker->home == HOME_NEW;
}

/* The step after which nothing reads each value; nsteps: it is an output, or isn't let go of. */
static int32_t *last_readers(Call *call, const Plan *plan, const bool *is_read)
{
  int32_t *last = arena_allocate(call->ctx, (size_t)(plan->nvalues + 1) * sizeof *last);
  for (int32_t v = 0; v < plan->nvalues; v++) {
    const PlanValue *value = &plan->values[v];
    last[v] = is_passing(plan, value, is_read) ? plan->values[value->is_header ? value->root : v].step : plan->nsteps;
  }
  for (int32_t i = 0; i < plan->nsteps; i++)
    for (int32_t k = 0; k < plan->steps[i].noperands; k++) {
      int32_t v = plan->steps[i].operands[k].value, root = plan->values[v].root;
      if (last[v] < i) last[v] = i;
      if (plan->steps[i].is_plain && last[root] < i) last[root] = i; /* views that leave are tied to it */
    }
  for (int32_t i = 0; i < plan->noutputs; i++) last[plan->outputs[i]] = plan->nsteps;
  return last;
}

/* Cells for what a run makes anew, and lists of what dies behind each step. */
static void list_dying(Call *call, Plan *plan)
{
  const int32_t *last = last_readers(call, plan, read_by_runs(call, plan));
  int32_t n = 0;
  plan->dying = plan_allocate(plan, (size_t)(plan->nvalues + 1) * sizeof *plan->dying);
  for (int32_t v = 0; v < plan->nvalues; v++) {
    PlanValue *value = &plan->values[v];
    if (value->step >= 0 && value->home == HOME_NEW && !value->is_header) value->cell = plan->ncells++;
    if (last[v] < plan->nsteps) plan->steps[last[v]].ndying++;
  }
  for (int32_t i = 0; i < plan->nsteps; i++) {
    PlanStep *s = &plan->steps[i];
    s->first_dying = n;
    n += s->ndying;
    s->ndying = 0;
    s->is_last = s->noperands > 0 && last[s->operands[s->noperands - 1].value] == i;
  }
  for (int32_t v = 0; v < plan->nvalues; v++) {
    if (last[v] >= plan->nsteps) continue; /* or no step makes it any more */
    PlanStep *s = &plan->steps[last[v]];
    plan->dying[s->first_dying + s->ndying++] = v;
  }
}

static int32_t find_places(const Plan *plan, Place *places, int32_t *place_of)
{
  int32_t n = 0;
  for (int32_t v = 0; v < plan->nvalues; v++) {
    const PlanValue *value = &plan->values[v];
    place_of[v] = -1;
    if (value->home != HOME_ARENA || value->root != v || value->is_header) continue;
    place_of[v] = n;
    size_t bytes = value->seen->storage ? value->seen->storage->bytes : 0;
    places[n++] = (Place){v, value->step, value->step, (bytes + PLACE_ALIGNMENT - 1) & ~(size_t)(PLACE_ALIGNMENT - 1),
                          0};
  }
  for (int32_t i = 0; i < plan->nsteps; i++)
    for (int32_t k = 0; k < plan->steps[i].noperands; k++) {
      int32_t p = place_of[plan->values[plan->steps[i].operands[k].value].root];
      if (p >= 0 && places[p].last < i) places[p].last = i;
    }
  return n;
}

static int by_size(const void *a, const void *b)
{
  const Place *p = a, *q = b;
  if (p->bytes != q->bytes) return p->bytes < q->bytes ? 1 : -1;
  return p->value < q->value ? -1 : 1;
}

/* The places that have their offset, by the steps in which they live: a tree whose nodes halve the steps, down to one.
   A place is listed at the largest nodes all of whose steps it lives in. */
typedef struct LifeTree {
  int32_t nsteps, *lists; /* of each node: an entry; -1 */
  struct LifeEntry {
    const Place *place;
    int32_t next;
  } * entries;
  struct Extent {
    size_t offset, end;
  } * found; /* of those that live in the steps that were asked for, some more than once */
  int32_t nentries, entries_room, nfound, found_room;
} LifeTree;

static LifeTree tree_new(Call *call, int32_t nsteps)
{
  LifeTree tree = {.nsteps = 1};
  while (tree.nsteps < nsteps) tree.nsteps *= 2;
  tree.lists = arena_allocate(call->ctx, 2 * (size_t)tree.nsteps * sizeof *tree.lists);
  for (int32_t i = 0; i < 2 * tree.nsteps; i++) tree.lists[i] = -1;
  return tree;
}

/* Room for one more in a list of the arena, which is copied when it is full. */
static void *with_room(Call *call, void *list, int32_t n, int32_t *room, size_t size)
{
  if (n < *room) return list;
  *room = *room ? 2 * *room : 64;
  void *larger = arena_allocate(call->ctx, (size_t)*room * size);
  if (n) memcpy(larger, list, (size_t)n * size);
  return larger;
}

/* Lists a place below a node of the steps from `at` on. */
static void tree_add(Call *call, LifeTree *tree, int32_t node, int32_t at, int32_t steps, const Place *p)
{
  if (p->last < at || at + steps <= p->first) return;
  if (p->first <= at && at + steps - 1 <= p->last) {
    tree->entries = with_room(call, tree->entries, tree->nentries, &tree->entries_room, sizeof *tree->entries);
    tree->entries[tree->nentries] = (struct LifeEntry){p, tree->lists[node]};
    tree->lists[node] = tree->nentries++;
    return;
  }
  tree_add(call, tree, 2 * node, at, steps / 2, p);
  tree_add(call, tree, 2 * node + 1, at + steps / 2, steps / 2, p);
}

/* Finds the places that live in any step of p's. */
static void tree_find(Call *call, LifeTree *tree, int32_t node, int32_t at, int32_t steps, const Place *p)
{
  if (p->last < at || at + steps <= p->first) return;
  for (int32_t e = tree->lists[node]; e >= 0; e = tree->entries[e].next) {
    const Place *q = tree->entries[e].place;
    tree->found = with_room(call, tree->found, tree->nfound, &tree->found_room, sizeof *tree->found);
    tree->found[tree->nfound++] = (struct Extent){q->offset, q->offset + q->bytes};
  }
  if (steps == 1) return;
  tree_find(call, tree, 2 * node, at, steps / 2, p);
  tree_find(call, tree, 2 * node + 1, at + steps / 2, steps / 2, p);
}

static int by_offset(const void *a, const void *b)
{
  const struct Extent *p = a, *q = b;
  return p->offset < q->offset ? -1 : p->offset > q->offset;
}

/* The lowest place where nothing is that lives at the same time; the larger ones have theirs. */
static size_t lowest_place(Call *call, LifeTree *tree, const Place *p)
{
  size_t at = 0;
  tree->nfound = 0;
  tree_find(call, tree, 1, 0, tree->nsteps, p);
  if (tree->nfound) qsort(tree->found, (size_t)tree->nfound, sizeof *tree->found, by_offset);
  for (int32_t i = 0; i < tree->nfound && tree->found[i].offset < at + p->bytes; i++)
    if (tree->found[i].end > at) at = tree->found[i].end;
  return at;
}

static size_t place_all(Call *call, const Plan *plan, Place *places, int32_t n)
{
  size_t bytes = 0;
  LifeTree tree = tree_new(call, plan->nsteps);
  if (n) qsort(places, (size_t)n, sizeof *places, by_size);
  for (int32_t i = 0; i < n; i++) {
    places[i].offset = lowest_place(call, &tree, &places[i]);
    tree_add(call, &tree, 1, 0, tree.nsteps, &places[i]);
    if (places[i].offset + places[i].bytes > bytes) bytes = places[i].offset + places[i].bytes;
  }
  return bytes;
}

/* -------------------------------------------------------------------- tensors */

/* Memory of the arena isn't a tensor's to free. */
static void leave_memory(void *owner, void *data) { (void)owner, (void)data; }

static void make_arena(Call *call, Plan *plan, const Place *places, int32_t n, size_t bytes)
{
  plan->arena_bytes = bytes;
  plan->arena = tensor_retain(tensor_new(call, DTYPE_u8, DEVICE_CPU, INTS((int64_t)bytes + PLACE_ALIGNMENT)));
  char *memory = tensor_data(plan->arena);
  memory += -(uintptr_t)memory & (PLACE_ALIGNMENT - 1);
  for (int32_t i = 0; i < n; i++) {
    PlanValue *value = &plan->values[places[i].value];
    const Tensor *seen = value->seen;
    Tensor *t = tensor_from_memory(call, memory + places[i].offset, seen->storage ? seen->storage->bytes : 0,
                                   tensor_dtype(seen), tensor_shape(seen), tensor_strides(seen), leave_memory, NULL);
    t->offset = seen->offset;
    value->now = tensor_retain(t);
  }
}

/* Headers without memory as yet. */
static void make_headers(Call *call, Plan *plan)
{
  for (int32_t v = 0; v < plan->nvalues; v++) {
    PlanValue *value = &plan->values[v];
    if (!value->is_header) continue;
    Tensor *t = tensor_alias(call, value->seen);
    t->device = DEVICE_CPU; /* of a form, too */
    if (value->seen->view_kind == VIEW_OF_LIST) t->view_kind = VIEW_OF_LIST;
    const Tensor *root = plan->values[value->root].seen;
    value->is_data = value->seen->is_unversioned && !root->is_unversioned;
    value->is_tied = tensor_is_tied(value->seen) && value->seen->base->dtype == root->dtype && !value->is_data;
    storage_release(t->storage);
    t->storage = NULL;
    value->now = tensor_retain(t);
  }
}

/* Whether a value is a header that isn't bound for good. */
static bool is_bound_at_runs(const Plan *plan, int32_t v)
{
  return plan->values[v].is_header && plan->values[plan->values[v].root].home != HOME_ARENA;
}

/* The step that makes what a header lies in; NULL: it is given. */
static PlanStep *step_of_root(const Plan *plan, int32_t v)
{
  const PlanValue *root = &plan->values[plan->values[v].root];
  return root->kind == PLAN_RESULT ? &plan->steps[root->step] : NULL;
}

/* Those over what is fixed are bound for good; others are listed behind the step that makes what they lie in. */
static void list_headers(Plan *plan)
{
  plan->bound = plan_allocate(plan, (size_t)(plan->nvalues + 1) * sizeof *plan->bound);
  for (int32_t v = 0; v < plan->nvalues; v++)
    if (is_bound_at_runs(plan, v)) ++*(step_of_root(plan, v) ? &step_of_root(plan, v)->nbound : &plan->nbound_first);
  plan->nbound = plan->nbound_first;
  for (int32_t i = 0; i < plan->nsteps; i++) {
    plan->steps[i].first_bound = plan->nbound;
    plan->nbound += plan->steps[i].nbound;
    plan->steps[i].nbound = 0;
  }
  int32_t first = 0;
  for (int32_t v = 0; v < plan->nvalues; v++) {
    if (!is_bound_at_runs(plan, v)) continue;
    PlanStep *s = step_of_root(plan, v);
    plan->bound[s ? s->first_bound + s->nbound++ : first++] = v;
  }
}

void plan_bind(Plan *plan, int32_t v)
{
  PlanValue *value = &plan->values[v];
  const Tensor *root = plan->values[value->root].now;
  Tensor *t = value->now;
  if (t->storage != root->storage) {
    storage_release(t->storage);
    t->storage = root->storage;
    if (t->storage) t->storage->refs++;
  }
  t->is_inference = root->is_inference; /* as of a view that is made now */
  t->is_unversioned = root->is_unversioned || value->is_data;
  int64_t bytes = root->offset * (int64_t)dtype_size(tensor_dtype(root)) + value->shift;
  t->offset = bytes / (int64_t)dtype_size(tensor_dtype(t));
}

/* Constants that nothing reads any more, as what they were made into is one itself. */
static void release_unread(Call *call, Plan *plan)
{
  bool *is_read = arena_allocate(call->ctx, (size_t)(plan->nvalues + 1) * sizeof *is_read);
  for (int32_t v = 0; v < plan->nvalues; v++) is_read[v] = false;
  for (int32_t v = 0; v < plan->nvalues; v++) {
    const PlanValue *value = &plan->values[v];
    if (value->readers > 0 || value->is_header) is_read[v] = is_read[value->root] = true;
  }
  for (int32_t v = 0; v < plan->nvalues; v++) {
    PlanValue *value = &plan->values[v];
    if (value->kind != PLAN_CONSTANT || is_read[v]) continue;
    tensor_release(value->now);
    value->now = NULL;
  }
}

void plan_lay_out(Call *call, Plan *plan)
{
  plan_survey(plan);
  choose_homes(plan);
  Place *places = arena_allocate(call->ctx, (size_t)(plan->nvalues + 1) * sizeof *places);
  int32_t *place_of = arena_allocate(call->ctx, (size_t)(plan->nvalues + 1) * sizeof *place_of);
  int32_t n = find_places(plan, places, place_of);
  make_arena(call, plan, places, n, place_all(call, plan, places, n));
  make_headers(call, plan);
  list_headers(plan);
  list_dying(call, plan);
  release_unread(call, plan);
  for (int32_t v = 0; v < plan->nvalues; v++) {
    PlanValue *value = &plan->values[v];
    if (value->is_header && plan->values[value->root].home == HOME_ARENA) plan_bind(plan, v);
    tensor_release(value->seen);
    value->seen = NULL;
  }
}
