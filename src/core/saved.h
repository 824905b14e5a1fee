/*
 * What a graph keeps of the tensors that it was made from. A graph holds the very tensor, not a copy, since most are
 * never changed. Before one changes in more than its elements (other memory, another shape, another history), the
 * references of graphs are turned to a copy of its header: the graph sees what it was, and no circle closes through
 * what it becomes.
 */
#ifndef NNLUA_CORE_SAVED_H
#define NNLUA_CORE_SAVED_H

#include "core/tensor.h"

/* A graph's reference to a tensor, in the list of the tensor or, if that is a view, of its base. */
typedef struct Saved {
  Tensor *tensor; /* NULL: none */
  struct Saved *next, **link;
  int64_t version; /* of the elements; SAVED_FORM: they aren't needed; the others: see below */
} Saved;

/*
 * SAVED_LEAF: the reference is that of an accumulator of gradients to its leaf, which is a view: it stays as it is.
 * SAVED_PACKED: the host has what a hook made of the elements.
 */
enum { SAVED_FORM = -1, SAVED_LEAF = -2, SAVED_PACKED = -3 };

/* Puts a reference into a tensor's list. */
static inline void saved_list(Saved *s, Tensor *root)
{
  s->next = root->saved;
  s->link = &root->saved;
  if (s->next) s->next->link = &s->next;
  root->saved = s;
}

/* Refers to a tensor that may change. `s` is zeroed. */
static inline void saved_keep(Saved *s, Tensor *t)
{
  s->tensor = tensor_retain(t);
  saved_list(s, t->base ? t->base : t);
}

/* Takes a reference out of its list, if it is in one. */
static inline void saved_unlink(Saved *s)
{
  if (!s->link) return;
  *s->link = s->next;
  if (s->next) s->next->link = s->link;
  s->link = NULL;
}

/* Gives the reference back. */
static inline void saved_drop(Saved *s)
{
  Tensor *t = s->tensor;
  saved_unlink(s);
  s->tensor = NULL;
  tensor_release(t);
}

/* A tensor goes: what is still in its list is in none. */
static inline void saved_abandon(Tensor *t)
{
  while (t->saved) saved_unlink(t->saved);
}

/* Turns graphs' references to `t` to copies of it as it is now. Nothing else has changed if it raises. */
void saved_part(Call *call, const Tensor *t);

/* The same for a base and all its views. */
void saved_part_all(Call *call, const Tensor *base);

/* Makes a view whose memory is no longer its base's a tensor of its own, with the history that it has. */
void saved_untie(Tensor *view);

/*
 * A base gets another history: its views are no leaves any more, and the accumulators that were theirs let them go, or
 * a history with one of them in it would hold the base. Can't fail.
 */
void saved_let_leaves_go(Tensor *base);

#endif
