/*
 * x[index] and x[index] = value. The index is read into items first, with Lua's API only; then, in
 * one entry of the core, the items become a chain of views and at last one op for all the tensors.
 */
/* What stands between the brackets of x[...]: positions, ranges, new axes, tensors. */

#include <string.h>

#include "core/recorder.h"
#include "core/shape.h"
#include "lua/call.h"
#include "lua/number_text.h"
#include "lua/open.h"
#include "lua/parse.h"
#include "ops/index/mask.h"
#include "ops/shape/copy.h"
#include "ops/shape/view.h"
#include "ops/table/helpers.h"

typedef enum ItemKind { SELECT, RANGE, NEWAXIS, ELLIPSIS, PICK, TRUTH } ItemKind;

/* One entry of an index. */
typedef struct Item {
  ItemKind kind;
  int64_t first, last, step; /* SELECT: first; RANGE: both ends, counted from 1 or, below 0, from the end */
  Tensor *tensor;            /* PICK: held by the stack */
  bool truth;
} Item;

enum { MOST_ITEMS = 3 * MAX_DIMS };

typedef struct Index {
  int n;
  Item items[MOST_ITEMS];
} Index;

/* ----------------------------------------------------------------- singletons */

typedef struct Singleton {
  uint32_t kind;
  ItemKind item;
} Singleton;
static char newaxis_key, ellipsis_key; /* registry keys, by address */

static int singleton_tostring(lua_State *L)
{
  const Singleton *s = userdata_test(L, 1, KIND_SUBSCRIPT, sizeof *s);
  lua_pushstring(L, s && s->item == ELLIPSIS ? "nl.ellipsis" : "nl.newaxis");
  return 1;
}

static void push_singleton(lua_State *L, const void *key, ItemKind item, const char *name)
{
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, key) == LUA_TUSERDATA) return;
  lua_pop(L, 1);
  Singleton *s = lua_newuserdatauv(L, sizeof *s, 0);
  *s = (Singleton){KIND_SUBSCRIPT, item};
  lua_createtable(L, 0, 2);
  lua_pushcfunction(L, singleton_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__name");
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

void push_newaxis(lua_State *L) { push_singleton(L, &newaxis_key, NEWAXIS, "nl.newaxis"); }
void push_ellipsis(lua_State *L) { push_singleton(L, &ellipsis_key, ELLIPSIS, "nl.ellipsis"); }

static bool singleton_test(lua_State *L, int index, ItemKind *item)
{
  const Singleton *s = userdata_test(L, index, KIND_SUBSCRIPT, sizeof *s);
  if (!s) return false;
  *item = s->item;
  return true;
}

/* ------------------------------------------------------------ reading an index */

/* "index" or "entry 3 of the index" as the beginning of a message. */
static const char *item_name(lua_State *L, int number)
{
  return number ? lua_pushfstring(L, "entry %d of the index", number) : "index";
}

static int zero_position(lua_State *L, int number)
{
  return user_error(L, "%s is 0: positions count from 1", item_name(L, number));
}

/* An integer at an index of the stack; a float of integral value is one, as in Lua's tables. */
static bool integer_at(lua_State *L, int index, int64_t *value)
{
  int is_integer = 0;
  lua_Integer i = lua_type(L, index) == LUA_TNUMBER ? lua_tointegerx(L, index, &is_integer) : 0;
  if (is_integer) *value = i;
  return is_integer;
}

/* Whether there is anything in a table without a first entry. */
static bool has_entries(lua_State *L, int index)
{
  lua_pushvalue(L, index);
  lua_pushnil(L);
  bool any = lua_next(L, -2);
  lua_pop(L, any ? 3 : 1);
  return any;
}

/* A bound of the range on top of the stack; nil or nl.none there leaves it as it is. */
static void read_bound(lua_State *L, int number, int place, int64_t *value)
{
  static const char *const names[] = {"first", "last", "step"};
  lua_rawgeti(L, -1, place + 1);
  if (!lua_isnil(L, -1) && !is_none(L, -1) && !integer_at(L, -1, value)) {
    const char *found = luaL_tolstring(L, -1, NULL);
    user_error(L, "%s: a range is {first, last, step}, all integers, but %s is %s", item_name(L, number), names[place],
               found);
  }
  lua_pop(L, 1);
}

/* {}, {first}, {first, last} and {first, last, step} */
static void read_range(lua_State *L, int number, Item *item)
{
  *item = (Item){.kind = RANGE, .first = 1, .last = -1, .step = 1};
  lua_Unsigned n = lua_rawlen(L, -1);
  if (n > 3)
    user_error(L, "%s: a range is {first, last, step}; to pick %I positions write nl.tensor{...}", item_name(L, number),
               (LUAI_UACINT)n);
  if (n == 0 && has_entries(L, -1))
    user_error(L, "%s: a range is {first, last, step}, without names", item_name(L, number));
  read_bound(L, number, 0, &item->first);
  read_bound(L, number, 1, &item->last);
  read_bound(L, number, 2, &item->step);
  if (item->first == 0) user_error(L, "%s: the range begins at 0, but positions count from 1", item_name(L, number));
  if (item->step <= 0)
    user_error(L, "%s: the step of a range must be positive, not %I", item_name(L, number), (LUAI_UACINT)item->step);
}

/* Reads the value on top of the stack, entry `number` of a list or 0; tells whether it must stay there. */
static bool read_item(lua_State *L, int number, Item *item)
{
  *item = (Item){.kind = SELECT};
  switch (lua_type(L, -1)) {
    case LUA_TNUMBER:
      if (!integer_at(L, -1, &item->first)) {
        const char *value = push_number_text(L, lua_tonumber(L, -1));
        user_error(L, "%s is %s, which is no integer", item_name(L, number), value);
      }
      if (item->first == 0) zero_position(L, number);
      return false;
    case LUA_TBOOLEAN:
      item->kind = TRUTH;
      item->truth = lua_toboolean(L, -1);
      return false;
    case LUA_TTABLE: read_range(L, number, item); return false;
    default:
      if (singleton_test(L, -1, &item->kind)) return false;
      item->kind = PICK;
      item->tensor = tensor_test(L, -1);
      if (!item->tensor) {
        const char *type = luaL_typename(L, -1);
        user_error(L, "%s is a %s; a tensor is indexed by integers, ranges and tensors", item_name(L, number), type);
      }
      return true;
  }
}

/*
 * Reads the index at 2. Tensors in it stay on the stack: a finalizer could take them out of their
 * table before they are used.
 */
static void read_index(lua_State *L, Index *ix)
{
  ix->n = 0;
  if (lua_type(L, 2) != LUA_TTABLE) {
    lua_pushvalue(L, 2);
    read_item(L, 0, &ix->items[ix->n++]);
    return;
  }
  lua_Unsigned n = lua_rawlen(L, 2);
  if (n > MOST_ITEMS)
    user_error(L, "index: %I entries are too many; to pick positions write nl.tensor{...}", (LUAI_UACINT)n);
  if (n == 0 && has_entries(L, 2)) user_error(L, "index: a table without names is expected");
  luaL_checkstack(L, (int)n + 16, "index");
  for (int i = 1; i <= (int)n; i++) {
    lua_rawgeti(L, 2, i);
    if (!read_item(L, i, &ix->items[ix->n++])) lua_pop(L, 1);
  }
}

/* ------------------------------------------------------------ applying an index */

/* The chain of views so far, and the tensors still to be applied to the last of them. */
typedef struct Picking {
  Tensor *x;
  int dim;        /* the next dimension of x */
  int source_dim; /* the same of the tensor indexed, for messages */
  Tensor *indices[MAX_DIMS];
  int n, covered; /* how many indices, and dimensions of x that they take */
} Picking;

static int64_t checked_position(Call *call, const Picking *p, int64_t i)
{
  int64_t size = p->x->shape[p->dim];
  if (i == 0) raise_plain(call->ctx, "index is 0: positions count from 1");
  if (i > size || i < -size)
    raise_plain(call->ctx, "index %lld is out of range for dimension %d of size %lld", (long long)i, p->source_dim + 1,
                (long long)size);
  return i < 0 ? i + size : i - 1;
}

static void apply_select(Call *call, Picking *p, int64_t position)
{
  p->x = op(select, p->x, p->dim, checked_position(call, p, position));
  p->source_dim++;
}

/* What lies beyond a dimension is cut off; a range that ends before it begins is empty. */
static void apply_range(Call *call, Picking *p, const Item *r)
{
  int64_t size = p->x->shape[p->dim];
  int64_t start = r->first < 0 ? r->first + size : r->first - 1, stop = r->last < 0 ? r->last + size + 1 : r->last;
  if (start < 0) start = 0;
  if (stop > size) stop = size;
  if (start > size) start = size;
  if (stop < start) stop = start;
  if (start > 0 || stop < size || r->step > 1) p->x = op(slice, p->x, p->dim, start, stop, r->step);
  p->dim++;
  p->source_dim++;
}

/* Puts an index tensor in the place of the dimension that stands next; those left out before it take all. */
static void add_pick(Call *call, Picking *p, Tensor *t)
{
  int width = is_mask(t) ? t->ndim : 1;
  if (p->dim + width > MAX_DIMS) raise_plain(call->ctx, "index: a tensor has at most %d dimensions", MAX_DIMS);
  for (; p->covered < p->dim; p->covered++) p->indices[p->n++] = NULL;
  p->indices[p->n++] = t;
  p->covered += width;
  p->dim += width;
  p->source_dim += width;
}

/* true and false, as a tensor too: one more dimension, of which all or nothing is picked. */
static void apply_truth(Call *call, Picking *p, bool truth)
{
  p->x = op(unsqueeze, p->x, p->dim);
  Tensor *t = tensor_new(call, DTYPE_i64, (Device)p->x->device, INTS(truth));
  if (truth && tensor_data(t)) *(int64_t *)tensor_data(t) = 1;
  add_pick(call, p, t);
  p->source_dim--;
}

static void apply_tensor(Call *call, Picking *p, Tensor *t)
{
  if (t->ndim > 0) {
    add_pick(call, p, t);
    return;
  }
  if (t->device == DEVICE_META) raise_plain(call->ctx, "index: %s", why_no_elements(t));
  tell_read(t, "index");
  Scalar value = tensor_item(t);
  if (is_mask(t)) apply_truth(call, p, value.i != 0);
  else if (value.kind == SCALAR_INT) apply_select(call, p, value.i);
  else raise_plain(call->ctx, "index: tensors of %s can't be indices; int64 and bool can", dtype_name(tensor_dtype(t)));
}

/* How many dimensions of the tensor the items take up. */
static int dims_taken(const Index *ix)
{
  int n = 0;
  for (int i = 0; i < ix->n; i++) {
    const Item *item = &ix->items[i];
    if (item->kind == SELECT || item->kind == RANGE) n++;
    else if (item->kind == PICK) n += is_mask(item->tensor) ? item->tensor->ndim : 1;
  }
  return n;
}

static void apply_index(Call *call, const Index *ix, Picking *p)
{
  int taken = dims_taken(ix), ndim = p->x->ndim;
  bool ellipsis = false;
  if (ndim == 0 && taken > 0) raise_plain(call->ctx, "index: a 0-dim tensor can't be indexed; its number is x:item()");
  if (taken > ndim)
    raise_plain(call->ctx, "index: %d dimensions are indexed, but the tensor of shape %s has %d", taken,
                shape_text(call, tensor_shape(p->x)), ndim);
  for (int i = 0; i < ix->n; i++) {
    const Item *item = &ix->items[i];
    switch (item->kind) {
      case SELECT: apply_select(call, p, item->first); break;
      case RANGE: apply_range(call, p, item); break;
      case NEWAXIS:
        p->x = op(unsqueeze, p->x, p->dim);
        p->dim++;
        break;
      case ELLIPSIS:
        if (ellipsis) raise_plain(call->ctx, "index: there are two of nl.ellipsis");
        ellipsis = true;
        p->dim += ndim - taken;
        p->source_dim += ndim - taken;
        break;
      case PICK: apply_tensor(call, p, item->tensor); break;
      case TRUTH: apply_truth(call, p, item->truth); break;
    }
  }
}

/* -------------------------------------------------------------------- reading */

static Tensor *read_elements(Call *call, Tensor *x, const Index *ix)
{
  Picking p = {.x = x};
  apply_index(call, ix, &p);
  if (p.n > 0) return op(index, p.x, ((Tensors){p.indices, p.n}));
  return p.x == x ? op(alias, x) : p.x;
}

/* x[i]: the common case. One behind the last position gives nil, which ends ipairs. */
static int get_position(lua_State *L, Tensor *x, int64_t i)
{
  Context *ctx = x->ctx;
  if (x->ndim > 0 && i > 0 && i - 1 == x->shape[0]) {
    lua_pushnil(L);
    return 1;
  }
  TensorBox *box = push_box(L, ctx);
  core_prepare(L, ctx);
  Entry entry;
  if (!ENTER(ctx, &entry)) return core_failed(L, ctx);
  Call scope = {.ctx = ctx}, *call = &scope;
  Picking p = {.x = x};
  if (x->ndim == 0) raise_plain(ctx, "index: a 0-dim tensor can't be indexed; its number is x:item()");
  apply_select(call, &p, i);
  box_fill(box, p.x);
  entry_leave(ctx, &entry);
  finish_results(L, 1, 2, lua_gettop(L), 1);
  return 1;
}

int tensor_get_item(lua_State *L)
{
  Tensor *x = tensor_check(L, 1);
  Context *ctx = x->ctx;
  int64_t i = 0;
  if (integer_at(L, 2, &i)) return get_position(L, x, i);
  Index ix;
  read_index(L, &ix);
  TensorBox *box = push_box(L, ctx);
  core_prepare(L, ctx);
  Entry entry;
  if (!ENTER(ctx, &entry)) return core_failed(L, ctx);
  Call call = {.ctx = ctx};
  box_fill(box, read_elements(&call, x, &ix));
  entry_leave(ctx, &entry);
  finish_results(L, 1, 2, lua_gettop(L), 1);
  return 1;
}

/* -------------------------------------------------------------------- writing */

/* What is assigned: a tensor, or else a number. */
typedef struct Value {
  Tensor *tensor;
  Scalar number;
} Value;

static Value read_value(lua_State *L)
{
  Value v = {tensor_test(L, 3), NO_SCALAR};
  if (v.tensor && v.tensor->is_wrapped_number && !tensor_requires_grad(v.tensor)) /* nl.complex(1, 2) */
    return (Value){NULL, tensor_item(v.tensor)};
  if (v.tensor || scalar_test(L, 3, &v.number)) return v;
  const char *type = luaL_typename(L, 3), *hint = lua_type(L, 3) == LUA_TTABLE ? "; see nl.tensor" : "";
  user_error(L, "a %s can't be assigned to elements of a tensor, only numbers, booleans and tensors%s", type, hint);
  return v;
}

/* Leading dimensions of size 1 that the destination doesn't have are dropped. */
static Tensor *without_leading_ones(Call *call, Tensor *value, int ndim)
{
  int drop = 0;
  while (value->ndim - drop > ndim && value->shape[drop] == 1) drop++;
  return drop ? op(view, value, ((Ints){value->shape + drop, value->ndim - drop})) : value;
}

static void check_number(Call *call, Scalar number, const Tensor *x)
{
  if (scalar_fits(number, tensor_dtype(x))) return;
  if (number.kind == SCALAR_COMPLEX)
    raise_plain(call->ctx, "a complex number doesn't fit a %s tensor", dtype_name(tensor_dtype(x)));
  else
    raise_plain(call->ctx, "the number %.17g is nothing that %s can hold", scalar_real(number),
                dtype_name(tensor_dtype(x)));
}

static void write_view(Call *call, Tensor *x, const Value *v)
{
  if (!v->tensor) {
    op_(fill, x, v->number);
    return;
  }
  Tensor *value = without_leading_ones(call, v->tensor, x->ndim);
  if (!shape_expands(tensor_shape(value), tensor_shape(x)))
    raise_plain(call->ctx, "a tensor of shape %s can't be assigned to elements of shape %s",
                shape_text(call, tensor_shape(v->tensor)), shape_text(call, tensor_shape(x)));
  op_(copy, x, value, false);
}

/* How many dimensions the elements have that index tensors pick. */
static int picked_ndim(const Picking *p)
{
  int common = 0;
  for (int i = 0; i < p->n; i++) {
    int ndim = !p->indices[i] ? 0 : is_mask(p->indices[i]) ? 1 : p->indices[i]->ndim;
    if (ndim > common) common = ndim;
  }
  int taken = p->covered;
  for (int i = 0; i < p->n; i++) taken -= p->indices[i] == NULL;
  return common + p->x->ndim - taken;
}

static void write_picked(Call *call, Picking *p, const Value *v)
{
  Tensor *mask = p->indices[0];
  if (v->tensor) {
    Tensor *value = without_leading_ones(call, v->tensor, picked_ndim(p));
    op_(index_put, p->x, ((Tensors){p->indices, p->n}), value, false);
  } else if (p->n == 1 && mask && mask->dtype == DTYPE_b8 && tensor_same_shape(mask, p->x)) {
    op_(masked_fill, p->x, mask, tensor_from_number(call, v->number)); /* spares working out the positions */
  } else {
    op_(index_put, p->x, ((Tensors){p->indices, p->n}), tensor_from_number(call, v->number), false);
  }
}

int tensor_set_item(lua_State *L)
{
  Tensor *x = tensor_check(L, 1);
  Context *ctx = x->ctx;
  Index ix;
  Value value = read_value(L);
  read_index(L, &ix);
  core_prepare(L, ctx);
  Entry entry;
  if (!ENTER(ctx, &entry)) return core_failed(L, ctx);
  Call scope = {.ctx = ctx}, *call = &scope;
  Picking p = {.x = x};
  if (!value.tensor) check_number(call, value.number, x);
  apply_index(call, &ix, &p);
  if (p.n > 0) write_picked(call, &p, &value);
  else write_view(call, p.x, &value);
  entry_leave(ctx, &entry);
  finish_inplace(L, 1, 1, 3);
  return 0;
}
