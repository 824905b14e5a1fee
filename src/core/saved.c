/* Graphs part from tensors that are about to change. */
#include "core/saved.h"

/* A header of what a graph keeps of t: with its memory only if the elements are needed. */
static Tensor *copy_of(Call *call, const Tensor *t, bool with_elements)
{
  if (!with_elements) return tensor_ghost(call, t);
  Tensor *copy = tensor_alias(call, t);
  copy->is_wrapped_number = t->is_wrapped_number;
  return copy;
}

/* The references in a list to one tensor, or, if that is NULL, all of them. Neighbours that are alike share a copy. */
static void part(Call *call, Saved *first, const Tensor *only)
{
  const Tensor *last = NULL;
  Tensor *copy = NULL;
  bool has_elements = false;
  for (Saved *s = first, *next; s; s = next) {
    next = s->next;
    Tensor *t = s->tensor;
    if (only && t != only) continue;
    if (s->version == SAVED_LEAF) continue;
    if (t != last || has_elements != (s->version >= 0)) {
      has_elements = s->version >= 0;
      copy = copy_of(call, t, has_elements);
      last = t;
    }
    saved_unlink(s);
    s->tensor = tensor_retain(copy);
    scope_own(call->ctx, t); /* the reference that the graph had: it goes when all are done */
  }
}

void saved_part(Call *call, const Tensor *t)
{
  Saved *first = (t->base ? t->base : t)->saved;
  if (first) part(call, first, t);
}

void saved_part_all(Call *call, const Tensor *base)
{
  if (base->saved) part(call, base->saved, NULL);
}

void saved_untie(Tensor *view)
{
  Tensor *base = view->base;
  for (Saved *s = base->saved, *next; s; s = next) {
    next = s->next;
    if (s->tensor != view) continue;
    saved_unlink(s);
    saved_list(s, view);
  }
  view->base = NULL;
  view->view_kind = VIEW_NORMAL;
  tensor_release(base);
}

static Saved *leaf_in(Saved *s)
{
  while (s && s->version != SAVED_LEAF) s = s->next;
  return s;
}

void saved_let_leaves_go(Tensor *base)
{
  for (Saved *s; (s = leaf_in(base->saved));) {
    if (!tensor_is_tied(s->tensor)) {
      saved_untie(s->tensor);
      continue;
    }
    s->tensor->accumulator = NULL;
    saved_drop(s);
  }
}
