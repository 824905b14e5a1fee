/* A recording holds every tensor that it has seen, so that each is known by its address. Their elements go when nothing
   else has them: no more is in memory than without a recording. */
#include <string.h>

#include "program/plan/record.h"

enum { LEAST_BYTES = 4096, LEAST_FRESH = 1 << 20 };

void record_hold(PlanRecord *r, int32_t v)
{
  struct Held *h = &r->held;
  const Storage *s = r->plan->values[v].seen->storage;
  if (!s || !s->data || s->bytes < LEAST_BYTES || s->external_free) return;
  if (h->n == h->room) {
    h->room = h->room ? 2 * h->room : 64;
    int32_t *larger = plan_allocate(r->plan, (size_t)h->room * sizeof *larger);
    if (h->n) memcpy(larger, h->roots, (size_t)h->n * sizeof *larger);
    h->roots = larger;
  }
  h->roots[h->n++] = v;
  h->bytes += s->bytes;
  h->fresh_bytes += s->bytes;
}

/* Whether nothing has the memory of a value but tensors that nothing has but the recording: by a value and by the map
   of tensors, and by views of theirs. */
static bool is_dead(const Plan *plan, int32_t root)
{
  const Storage *s = plan->values[root].seen->storage;
  uint32_t tensors = 0, references = 0;
  for (int32_t v = root; v >= 0; v = plan->values[v].next, tensors++) {
    const Tensor *t = plan->values[v].seen;
    references += t->refs - 2 - tensor_is_tied(t);
  }
  return references == 0 && s->refs == tensors;
}

/* Puts memory without elements in place of a value's. */
static void empty(Call *call, const Plan *plan, int32_t root)
{
  Storage *instead = tensor_form(call, plan->values[root].seen)->storage;
  instead->bytes = plan->values[root].seen->storage->bytes;
  for (int32_t v = root; v >= 0; v = plan->values[v].next) {
    Tensor *t = plan->values[v].seen;
    storage_release(t->storage);
    t->storage = instead;
    instead->refs++;
  }
}

void record_let_go(Call *call, PlanRecord *r)
{
  struct Held *h = &r->held;
  if (!r->plan || h->fresh_bytes < LEAST_FRESH + h->bytes / 4) return;
  int32_t n = 0;
  h->bytes = h->fresh_bytes = 0;
  for (int32_t i = 0; i < h->n; i++) {
    const int32_t root = h->roots[i];
    const PlanValue *value = &r->plan->values[root];
    if (!value->is_constant && is_dead(r->plan, root)) {
      empty(call, r->plan, root);
      continue;
    }
    h->bytes += value->seen->storage->bytes;
    h->roots[n++] = root;
  }
  h->n = n;
}
