/* Ties views to their bases, refuses changes that gradients can't follow, and rewrites the history of what changed. */
#include "autograd/inplace.h"

#include "core/recorder.h"
#include "core/saved.h"
#include "core/shape.h"
#include "ops/shape/copy.h"
#include "ops/shape/factory.h"
#include "ops/shape/view.h"
#include "ops/table/words.h"

/* Whether a view is a leaf of its own, whose base wants no gradient. */
static bool is_leaf_view(const Tensor *t) { return t->base && t->requires_grad && !t->grad_fn; }

void view_tie(Tensor *view, Tensor *of, ViewKind kind)
{
  Tensor *base = tensor_is_tied(of) ? of->base : of;
  if (is_leaf_view(of) && (kind == VIEW_NORMAL || kind == VIEW_OF_BORDER)) kind = VIEW_OF_LEAF;
  view->base = tensor_retain(base);
  view->history = base->history;
  bool harmless = of->view_kind == VIEW_NORMAL || of->view_kind == VIEW_OF_BORDER;
  view->view_kind = (uint8_t)(!harmless && (kind == VIEW_NORMAL || kind == VIEW_OF_BORDER) ? of->view_kind : kind);
}

static void check_view(Call *call, const Tensor *into)
{
  const Tensor *base = into->base;
  if (into->view_kind == VIEW_OF_LIST)
    raise(call,
          "a view among several results (split, chunk, unbind) can't be changed in place while gradients are recorded");
  if (into->view_kind == VIEW_OF_FUNCTION)
    raise(call, "a view returned by a custom function can't be changed in place while gradients are recorded");
  if (into->view_kind == VIEW_OF_NO_GRAD)
    raise(call, "a view made under no_grad can't be changed in place while gradients are recorded");
  if (into->view_kind == VIEW_OF_LEAF || (tensor_is_leaf(base) && base->requires_grad))
    raise(call, "a view of a leaf that requires a gradient can't be changed in place; use no_grad for updates");
}

void inplace_check_view(Call *call, const Tensor *into, bool recorded)
{
  if (into->is_inference && !call->ctx->inference)
    raise(call, "a tensor made in inference mode can't be changed in place outside of it; clone it");
  if (!recorded) return;
  if (into->base) check_view(call, into);
  if (tensor_is_leaf(into) && into->requires_grad)
    raise(call, "a leaf that requires a gradient can't be changed in place; use no_grad for updates");
}

void inplace_check(Call *call, const Tensor *into, bool recorded)
{
  bool fits = !recorded && call->op->forms & WRITES_ONE_VALUE;
  if (!fits && tensor_is_expanded(into))
    raise(call, "elements of the tensor share a place in memory (expand); clone it before changing it in place");
  inplace_check_view(call, into, recorded);
}

/* --------------------------------------------- changes through a view of a base */

/* The base's new history: the op's node works on the slice that the view is, the rest goes through. */
typedef struct SliceNode {
  Node node;
  Node *inner;         /* the op's */
  Tensor *base, *view; /* ghosts: their geometries */
} SliceNode;

/* Memory of the base's layout for a gradient that is like another. */
static Tensor *new_whole(Call *call, const Tensor *b, Tensor *like)
{
  if (!tensor_stands_in(like))
    return tensor_new_strided(call, tensor_dtype(like), (Device)like->device, tensor_shape(b), tensor_strides(b));
  Tensor *flat = op(new_empty, like, INTS(shape_extent(call, tensor_shape(b), tensor_strides(b))), tensor_dtype(like),
                    DEVICE_NONE, false);
  return op(as_strided, flat, tensor_shape(b), tensor_strides(b), NO_INT);
}

static Tensor *slice_of(Call *call, const SliceNode *n, Tensor *whole)
{
  const Tensor *v = n->view;
  return op(as_strided, whole, tensor_shape(v), tensor_strides(v), v->offset - n->base->offset);
}

static void slice_apply(Call *call, Node *node, Tensor *const *dy, Tensor **dx)
{
  SliceNode *n = (SliceNode *)node;
  Tensor *b = n->base;
  Tensor *whole = new_whole(call, b, dy[0]);
  op_(copy, whole, dy[0], false);
  Tensor *slice = op(clone, slice_of(call, n, whole));
  n->inner->class->apply(call, n->inner, &slice, dx);
  Tensor *inside = dx[0];
  if (!inside) inside = zeros_like_of(slice);
  op_(copy, slice_of(call, n, whole), inside, false);
  dx[0] = whole;
}

static void slice_forget(Node *node) { node_forget(((SliceNode *)node)->inner); }

static void slice_destroy(Node *node)
{
  SliceNode *n = (SliceNode *)node;
  node_release(n->inner);
  tensor_release(n->base);
  tensor_release(n->view);
}

static const char *slice_name(const Node *node)
{
  (void)node;
  return "CopySlices";
}

static const NodeClass slice_class = {slice_apply, slice_forget, slice_destroy, slice_name};

/*
 * A change within a module goes through the module's border, which is the view's own node, if the view is all of
 * the base.
 */
static bool is_whole_border(const Tensor *view)
{
  const Tensor *base = view->base;
  return view->view_kind == VIEW_OF_BORDER && view->grad_fn && view->history == base->history
         && tensor_same_shape(view, base) && shape_equal(tensor_strides(view), tensor_strides(base));
}

static InplacePlan plan_through_view(Call *call, Tensor *view, Node *inner)
{
  Tensor *base = view->base;
  SliceNode *n = (SliceNode *)node_new(call->ctx, &slice_class, sizeof *n, inner->nedges, 1);
  n->inner = node_retain(inner);
  scope_own_node(call->ctx, &n->node);
  n->base = tensor_retain(tensor_ghost(call, base));
  n->view = tensor_retain(tensor_ghost(call, view));
  n->node.edges[0] = is_whole_border(view) ? (Edge){node_retain(view->grad_fn), view->output} : edge_of(call, base);
  for (int i = 1; i < inner->nedges; i++)
    n->node.edges[i] = (Edge){node_retain(inner->edges[i].node), inner->edges[i].output};
  Node *of_view = view_node_new(call, view, &n->node);
  scope_own_node(call->ctx, of_view);
  return (InplacePlan){inner, &n->node, of_view};
}

InplacePlan inplace_plan(Call *call, Tensor *into, Node *n)
{
  if (into->base && !tensor_is_tied(into)) saved_untie(into);
  saved_part_all(call, into->base ? into->base : into);
  if (into->base && (into->view_kind == VIEW_NORMAL || into->view_kind == VIEW_OF_BORDER))
    return plan_through_view(call, into, n);
  return (InplacePlan){n, NULL, NULL};
}

void inplace_commit(Tensor *into, const InplacePlan *plan)
{
  Tensor *base = into->base;
  saved_let_leaves_go(base ? base : into);
  accumulator_let_go(base ? base : into);
  if (plan->base) {
    tensor_set_grad_fn(base, plan->base, 0);
    base->history++;
    tensor_set_grad_fn(into, plan->view, 0); /* the view's own history is that of the base again */
    into->history = base->history;
    return;
  }
  tensor_set_grad_fn(into, plan->node, 0);
  into->requires_grad = false;
  into->history++;
}

void tensor_replace_data(Call *call, Tensor *t, const Tensor *other)
{
  tell_deed(call->ctx, "giving a tensor other memory");
  bool fits = tensor_same_shape(t, other) && t->dtype == other->dtype && t->device == other->device;
  if (!fits) tensor_guard_form(call, t);
  else tensor_grad_fn(call, t); /* of a view, while it has a base */
  saved_part(call, t);
  if (t->base) saved_untie(t);
  tensor_adopt(t, other);
}

void inplace_record(Call *call, Tensor *into, Node *n)
{
  InplacePlan plan = inplace_plan(call, into, n);
  inplace_commit(into, &plan);
}
