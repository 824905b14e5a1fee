/* The op table: the rows as data, and the C functions that send a call through the door. */
#define ROWS "ops/table/families.def"
#include "ops/table/declare.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "launch/layout.h"
#include "ops/table/pointwise.h"

/* pass 2: numbers of rows */
#include "ops/table/rows_undefined.h"
#define UNARY(row, ...) OP_ID_##row,
#define BINARY(row, ...) OP_ID_##row,
#define TERNARY(row, ...) OP_ID_##row,
#define OP(row, ...) OP_ID_##row,
#define OP_PLAIN(row, ...) OP_ID_##row,
#define COMPOSED(row, ...) OP_ID_##row,
enum {
#include "ops/table/families.def"
  OP_COUNT
};

enum { AS_IT_IS = false, FROM_ONE = true };
const ArgTraits arg_traits[] = {
#define KIND(kind, type, absent, holds, counts, parser, word) [ARG_##kind] = {holds, counts, word},
#include "ops/table/arguments.def"
};

/* pass 3: argument specs. Each is inside a function, where A names the op's argument struct. */
#define SPEC(member, text, what, default_as_text, ...) \
  {.name = text,                                       \
   .kind = what,                                       \
   .offset = offsetof(A, member),                      \
   .required = IS_REQUIRED(default_as_text),           \
   .default_text = default_as_text,                    \
   .dflt = {__VA_ARGS__}},
/* The text is as the row has it: in the initializer REQUIRED has become 0. */
#define IS_REQUIRED(text) (sizeof(text) == sizeof("REQUIRED") && text[0] == 'R')

#include "ops/table/rows_undefined.h"
#define SPECS_OF(row, ...)                                                                                  \
  static const ArgSpec *row##_specs(void)                                                                   \
  {                                                                                                         \
    typedef struct row##_args A;                                                                            \
    static const ArgSpec specs[] = {__VA_ARGS__{.name = NULL}};                                             \
    _Static_assert(sizeof(A) <= ARGS_BYTES, #row " has larger arguments than ARGS_BYTES has room for");     \
    _Static_assert(sizeof specs / sizeof *specs - 1 <= MAX_ARGUMENTS, #row " has more than MAX_ARGUMENTS"); \
    return specs;                                                                                           \
  }
#define FIRST_TENSOR(member) SPEC(member, "input", ARG_TENSOR, "REQUIRED", .i = 0)
#define FIRST_OPERAND(member) SPEC(member, "input", ARG_OPERAND, "REQUIRED", .i = 0)
#define OPERAND_AS(member, text) SPEC(member, text, ARG_OPERAND, "REQUIRED", .i = 0)
#define UNARY(row, class, forms, params, ...) SPECS_OF(row, FIRST_TENSOR(x) params)
#define BINARY(row, name, class, forms, params, ...) SPECS_OF(row, FIRST_OPERAND(a) OPERAND_AS(b, #name) params)
#define TERNARY(row, name_b, name_c, class, forms, params, ...) \
  SPECS_OF(row, FIRST_OPERAND(a) OPERAND_AS(b, #name_b) OPERAND_AS(c, #name_c) params)
#define OP(row, name, forms, results, args, ...) SPECS_OF(row, args)
#define OP_PLAIN OP
#define COMPOSED OP
#define ARGUMENT(kind, member, ...) SPEC(member, #member, ARG_##kind, __VA_ARGS__)
#include "ops/table/arguments.def"
#include "ops/table/families.def"

/* pass 4: the functions behind op(row, …) */
#define RESULT_ONE return dispatch(call, o, a, into, room).v[0];
#define KEEP_LIST                                    \
  Tensors list = dispatch(call, o, a, into, room);   \
  if (list.v == room) {                              \
    list.v = arena_allocate(call->ctx, sizeof room); \
    memcpy(list.v, room, sizeof room);               \
  }                                                  \
  return list;
#define RESULT_TWO KEEP_LIST
#define RESULT_THREE KEEP_LIST
#define RESULT_LIST KEEP_LIST
#define FUNCTIONS(row, results)                                             \
  RETURN_##results op_##row(Call *call, const struct row##_args *a)         \
  {                                                                         \
    Tensor *room[MAX_RESULTS], *into = NULL;                                \
    const Op *o = &op_table[OP_ID_##row];                                   \
    RESULT_##results                                                        \
  }                                                                         \
  RETURN_##results op_inplace_##row(Call *call, const struct row##_args *a) \
  {                                                                         \
    Tensor *room[MAX_RESULTS], *into = first_tensor(a);                     \
    const Op *o = &op_table[OP_ID_##row];                                   \
    RESULT_##results                                                        \
  }

/* The destination of an in-place form: the first argument, which is at the start of the struct. */
static Tensor *first_tensor(const void *args) { return *(Tensor *const *)args; }

#include "ops/table/rows_undefined.h"
#define UNARY(row, ...) FUNCTIONS(row, ONE)
#define BINARY(row, ...) FUNCTIONS(row, ONE)
#define TERNARY(row, ...) FUNCTIONS(row, ONE)
#define OP(row, name, forms, results, ...) FUNCTIONS(row, results)
#define OP_PLAIN OP
#define COMPOSED OP
#include "ops/table/families.def"

/* pass 5: the table; the parts of a doc are one text, written as a Lua source's doc comment is */
#define SHAPES(text) "\nShapes: " text
#define EXAMPLE(code, result) "\n    > " code "\n    " result

/* A pointwise row's number: its family's in the upper half, its own within the family in the lower. */
enum { WITHIN_FAMILY = 0x10000 };
enum {
#include "ops/table/rows_undefined.h"
#undef POINTWISE_FAMILY
#define POINTWISE_FAMILY(name) BEFORE_##name = FAMILY_##name * WITHIN_FAMILY - 1,
#define UNARY(row, ...) PW_##row,
#define BINARY(row, ...) PW_##row,
#define TERNARY(row, ...) PW_##row,
#include "ops/table/pointwise_families.def"
};

#include "ops/table/rows_undefined.h"
#define POINTWISE_ROW(row, class, forms, arity, formula, dx, dy, dz, doc) \
  {#row,                                                                  \
   #row,                                                                  \
   doc,                                                                   \
   forms,                                                                 \
   RESULTS_ONE,                                                           \
   OP_POINTWISE,                                                          \
   0,                                                                     \
   sizeof(struct row##_args),                                             \
   NULL,                                                                  \
   pointwise_forward,                                                     \
   pointwise_backward,                                                    \
   NULL,                                                                  \
   &(const PointwiseInfo){PW_##row / WITHIN_FAMILY,                       \
                          PW_##row % WITHIN_FAMILY,                       \
                          arity,                                          \
                          CLASS_OF(CLASS_##class),                        \
                          #class,                                         \
                          formula,                                        \
                          {dx, dy, dz}},                                  \
   OP_ID_##row,                                                           \
   NULL},
#define CLASS_OF(...) CLASS_OF_COLUMNS(__VA_ARGS__)
#define CLASS_OF_COLUMNS(bools, integers, floatings, complexes, result) \
  {                                                                     \
    {bools, integers, floatings, complexes}, result                     \
  }
#define UNARY(row, class, forms, params, formula, dx, doc) \
  POINTWISE_ROW(row, class, forms, 1, #formula, #dx, "", "", doc)
#define BINARY(row, name, class, forms, params, formula, da, db, doc) \
  POINTWISE_ROW(row, class, forms, 2, #formula, #da, #db, "", doc)
#define TERNARY(row, name_b, name_c, class, forms, params, formula, da, db, dc, doc) \
  POINTWISE_ROW(row, class, forms, 3, #formula, #da, #db, #dc, doc)
#define ROW(row, name, forms, results, kind, backward, saves, doc)                                     \
  {#row,          name,     doc,   forms, RESULTS_##results, kind, 0, sizeof(struct row##_args), NULL, \
   row##_forward, backward, saves, NULL,  OP_ID_##row,       NULL},
#define OP(row, name, forms, results, args, saves, doc) \
  ROW(row, name, forms, results, OP_PRIMITIVE, row##_backward, saves, doc)
#define OP_PLAIN(row, name, forms, results, args, doc) ROW(row, name, forms, results, OP_PRIMITIVE, NULL, "", doc)
#define COMPOSED(row, name, forms, results, args, doc) ROW(row, name, forms, results, OP_COMPOSED, NULL, "", doc)

Op op_table[] = {
#include "ops/table/families.def"
};
const int op_count = OP_COUNT;
const Op *const as_strided_row = &op_table[OP_ID_as_strided], *const where_row = &op_table[OP_ID_where];
const Op *const pow_row = &op_table[OP_ID_pow];
const Op *const square_number_row = &op_table[OP_ID_square_number], *const cube_row = &op_table[OP_ID_cube];
const Op *const sqrt_row = &op_table[OP_ID_sqrt], *const rsqrt_row = &op_table[OP_ID_rsqrt];
const Op *const reciprocal_row = &op_table[OP_ID_reciprocal];

/* pass 6: what is worked out once a process */
static OpPlan plans[OP_COUNT];

static void attach_specs(void)
{
#include "ops/table/rows_undefined.h"
#define ATTACH(row, ...) op_table[OP_ID_##row].args = row##_specs();
#define UNARY ATTACH
#define BINARY ATTACH
#define TERNARY ATTACH
#define OP ATTACH
#define OP_PLAIN ATTACH
#define COMPOSED ATTACH
#include "ops/table/families.def"
#include "ops/table/rows_undefined.h"
}

static int find_argument(const Op *o, const char *name, size_t length)
{
  for (int i = 0; i < o->nargs; i++)
    if (strlen(o->args[i].name) == length && memcmp(o->args[i].name, name, length) == 0) return i;
  return -1;
}

/* The bit of a name in a `saves` text: an argument's, or that of a result (y, y1, y2, y3). */
static uint32_t saved_bit(const Op *o, const char *name, size_t length)
{
  int i = find_argument(o, name, length);
  if (i >= 0) return argument_bit(i);
  if (name[0] == 'y') return result_bit(length > 1 ? name[1] - '1' : 0);
  fprintf(stderr, "nnlua: row %s saves the unknown %.*s\n", o->row, (int)length, name);
  abort();
}

/* The length of the name that a text begins with; 0 if it begins with none. */
static size_t name_length(const char *p)
{
  size_t n = 0;
  while (is_letter(p[n]) || is_digit(p[n]) || p[n] == '_') n++;
  return n;
}

/* "a: b y; b: a": each clause names an argument and what its gradient needs. */
static void plan_saves(const Op *o, OpPlan *plan)
{
  const char *p = o->saves;
  int target = -1;
  while (*p) {
    size_t length = name_length(p);
    if (length == 0) {
      if (*p == ';') target = -1;
      p++;
    } else if (target < 0) {
      target = find_argument(o, p, length);
      if (target < 0) {
        fprintf(stderr, "nnlua: row %s has no argument %.*s\n", o->row, (int)length, p);
        abort();
      }
      p += length;
    } else {
      plan->needs[target] |= saved_bit(o, p, length);
      p += length;
    }
  }
}

static DerivativeKind derivative_kind(const char *text)
{
  if (strcmp(text, "dy") == 0) return DERIVATIVE_IS_DY;
  return strcmp(text, "0") == 0 || strcmp(text, "NO_GRAD") == 0 ? DERIVATIVE_ZERO : DERIVATIVE_COMPUTED;
}

/* The bit of a name in a derivative: x, or a, b and c, in the order of the operands, or y; else 0. */
static uint32_t operand_bit(const Op *o, char name)
{
  const char first = o->pointwise->arity == 1 ? 'x' : 'a';
  if (name == 'y') return result_bit(0);
  return name >= first && name < first + o->pointwise->arity ? argument_bit(name - first) : 0;
}

/* A pointwise derivative needs the names that stand in it. */
static void plan_derivative(const Op *o, OpPlan *plan, int i)
{
  const char *text = o->pointwise->derivative[i];
  plan->derivatives[i] = (uint8_t)derivative_kind(text);
  for (const char *p = text; *p;) {
    size_t length = name_length(p);
    if (length == 1) plan->needs[i] |= operand_bit(o, *p);
    p += length ? length : 1;
  }
}

static void plan_pointwise(const Op *o, OpPlan *plan)
{
  for (int i = 0; i < o->pointwise->arity; i++) plan_derivative(o, plan, i);
}

static void plan_tensors(const Op *o, OpPlan *plan)
{
  for (int i = 0; i < o->nargs; i++) {
    ArgHolds holds = argument_holds(&o->args[i]);
    plan->points |= holds == POINTS_TO_LIST || holds == POINTS_TO_TEXT;
    plan->draws |= o->args[i].kind == ARG_GENERATOR;
    if (holds != HOLDS_TENSOR && holds != HOLDS_TENSORS) continue;
    bool list = holds == HOLDS_TENSORS;
    plan->tensor_at[o->args[i].offset / sizeof(Tensor *)] = (uint8_t)plan->ntensors;
    plan->tensors[plan->ntensors].offset = o->args[i].offset;
    plan->tensors[plan->ntensors].arg = (uint8_t)i;
    plan->tensors[plan->ntensors++].is_list = list;
    plan->has_list |= list;
  }
}

static void prepare(void)
{
  attach_specs();
  for (int id = 0; id < op_count; id++)
    while (op_table[id].args[op_table[id].nargs].name) op_table[id].nargs++;
  for (int id = 0; id < op_count; id++) {
    Op *o = &op_table[id];
    OpPlan *plan = o->plan = &plans[id];
    plan_tensors(o, plan);
    if (o->pointwise) plan_pointwise(o, plan);
    else if (o->saves) plan_saves(o, plan);
    for (int i = 0; i < o->nargs; i++) plan->needs_any |= plan->needs[i];
    if (o->pointwise && strcmp(o->pointwise->derivative[0], "NO_GRAD") == 0) o->backward = NULL;
  }
}

void ops_prepare(void)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, prepare);
}

/* Rows in lists by a hash of their own names, and of their public ones. */
enum { NAME_LISTS = 1024 };
typedef struct NameLists {
  const Op *first[NAME_LISTS], *next[OP_COUNT];
} NameLists;
static NameLists by_row, by_name;

static size_t list_of_name(const char *name)
{
  size_t hash = 0;
  for (; *name; name++) hash = hash * 31 + (unsigned char)*name;
  return hash % NAME_LISTS;
}

static void add_to_list(NameLists *lists, const char *name, int id)
{
  const Op **list = &lists->first[list_of_name(name)];
  lists->next[id] = *list;
  *list = &op_table[id];
}

static void make_lists(void)
{
  for (int id = op_count - 1; id >= 0; id--) { /* backwards: each comes before those that follow it */
    add_to_list(&by_row, op_table[id].row, id);
    add_to_list(&by_name, op_table[id].name, id);
  }
}

static const NameLists *lists_of(const NameLists *lists)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, make_lists);
  return lists;
}

const Op *op_find(const char *row)
{
  const NameLists *lists = lists_of(&by_row);
  const Op *o = lists->first[list_of_name(row)];
  while (o && strcmp(o->row, row) != 0) o = lists->next[o->id];
  return o;
}

static const Op *skip_other_names(const Op *o, const char *name)
{
  while (o && strcmp(o->name, name) != 0) o = by_name.next[o->id];
  return o;
}

const Op *op_first_named(const char *name)
{
  return skip_other_names(lists_of(&by_name)->first[list_of_name(name)], name);
}

const Op *op_next_named(const Op *op) { return skip_other_names(by_name.next[op->id], op->name); }

const char *op_suffix(const Op *op) { return (op->forms & CALLABLE) == INPLACE ? "_" : ""; }

const char *call_user_name(const Call *call, const char **suffix)
{
  const Op *op = NULL;
  for (; call; call = call->parent)
    if (call->op) op = call->op;
  *suffix = op ? op_suffix(op) : "";
  return op ? op->name : NULL;
}

Tensor **result_list(Call *call, int64_t n)
{
  if (n > 1 << 26) raise(call, "%lld results are too many", (long long)n);
  call->list = arena_allocate(call->ctx, (size_t)(n > 0 ? n : 1) * sizeof *call->list);
  call->list_count = (int32_t)n;
  return call->list;
}

void result_check(Call *call, DType dtype, Ints shape)
{
  const Tensor *into = call->into;
  if (!shape_equal(tensor_shape(into), shape))
    raise(call, "the result has shape %s, which doesn't fit the tensor of shape %s that it is written to",
          shape_text(call, shape), shape_text(call, tensor_shape(into)));
  if (!dtype_can_cast(dtype, tensor_dtype(into)))
    raise(call, "the result is %s, which can't be written to a %s tensor", dtype_name(dtype),
          dtype_name(tensor_dtype(into)));
}

/* In an in-place form the destination is the result where its dtype and shape are the computed ones. */
static Tensor *destination(Call *call, DType dtype, Ints shape)
{
  Tensor *into = call->into;
  if (!into) return NULL;
  result_check(call, dtype, shape);
  return into->dtype == (uint8_t)dtype ? into : NULL;
}

static bool lies_so(const Tensor *t, Ints strides)
{
  return strides.n < 0 ? t->is_contiguous : shape_equal(tensor_strides(t), strides);
}

/* A result in a plan's call; strides.n < 0: in row-major order. */
static Tensor *planned_result(Call *call, DType dtype, Device device, Ints shape, Ints strides)
{
  Planned *p = call->planned;
  Tensor *t = !p->noting && p->asked < p->n ? p->results[p->asked++] : NULL;
  if (t && t->dtype == (uint8_t)dtype && shape_equal(tensor_shape(t), shape) && lies_so(t, strides)) return t;
  t = strides.n < 0 ? tensor_new(call, dtype, device, shape) : tensor_new_strided(call, dtype, device, shape, strides);
  if (p->noting && p->n < PLANNED_RESULTS) p->results[p->n++] = t;
  return t;
}

Tensor *result_new(Call *call, DType dtype, Device device, Ints shape)
{
  Tensor *into = destination(call, dtype, shape);
  if (into) return into;
  if (call->planned) return planned_result(call, dtype, device, shape, NO_INTS);
  return tensor_new(call, dtype, device, shape);
}

Tensor *result_strided(Call *call, DType dtype, Device device, Ints shape, Ints strides)
{
  Tensor *into = destination(call, dtype, shape);
  if (into) return into;
  if (call->planned) return planned_result(call, dtype, device, shape, strides);
  return tensor_new_strided(call, dtype, device, shape, strides);
}

Tensor *result_of_images(Call *call, DType dtype, Ints shape, const Tensor *like)
{
  Device device = (Device)like->device;
  if (like->ndim != shape.n || !has_channels_last(like)) return result_new(call, dtype, device, shape);
  shape_numel(call, shape);
  return result_strided(call, dtype, device, shape, channels_last_order(call, shape));
}

Tensor *result_ordered(Call *call, DType dtype, Device device, Ints shape, Tensor *const *operands, int n)
{
  Tensor *into = destination(call, dtype, shape);
  if (into) return into;
  Ints order = result_order(call, shape, operands, n);
  if (call->planned) return planned_result(call, dtype, device, shape, order);
  return order.n < 0 ? tensor_new(call, dtype, device, shape) : tensor_new_strided(call, dtype, device, shape, order);
}
