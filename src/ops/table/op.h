/* What a row of the op table becomes: a record that the door, the bindings and the specs read. */
#ifndef NNLUA_OPS_TABLE_OP_H
#define NNLUA_OPS_TABLE_OP_H

#include "core/call.h"
#include "core/planned.h"
#include "core/random.h"
#include "core/shape.h"
#include "core/tensor.h"
#include "core/upward.h"

/* Where an op appears: nl.f, x:f, x:f_, nl.nn.functional.f, and the tables of spaces.def, of which a row has one */
enum {
  IN_NL = 1,
  METHOD = 2,
  INPLACE = 4,
  IN_F = 8,
  IN_LINALG = 16,
  PRIVATE = 0,
  ACROSS_DEVICES = 32, /* takes cpu and meta tensors together */
  NUMBER_FIRST = 64,   /* takes a number as its first operand, not only by way of an operator */
  TRUNCATES = 128,     /* integer operands truncate a parameter that is a float */
  MAY_OVERWRITE = 256, /* called with its last argument, `inplace`, it is the in-place form */
  CHOOSES = 512,       /* the derivatives depend on operands by choosing only: they have no gradient, not one of zero */
  TENSORS_ONLY = 1024, /* no operand may be a number */
  VARIADIC = 2048,     /* takes its list of tensors also one by one */
  WITH_NONE = 8192,    /* nl.none in its list of tensors stands for an absent one */
  DEPENDS_ON_DATA = 16384,          /* the result's shape, or the way there, depends on elements: can't be traced */
  GRADIENT_DEPENDS_ON_DATA = 32768, /* the same of its gradient only */
  TELLS_LOOKS = 1048576, /* it tells by itself which elements those are (launch/look.h): not all of its operands' */
  LOOKS_AT_DATA = DEPENDS_ON_DATA | TELLS_LOOKS,
  WRITES_ONE_VALUE = 65536, /* in place, elements of the tensor may share a place in memory */
  IN_SPECIAL = 131072,
  IN_MASKED = 262144,
  IN_FFT = 524288,
  VIEW_INPLACE = 4096 | 4
}; /* has an in-place form that changes the tensor's shape and strides, no elements */
#define EVERYWHERE (IN_NL | METHOD | INPLACE)
enum {
  IN_SPACES = 0
#define SPACE(form, name) | form
#include "ops/table/spaces.def"
#undef SPACE
};
#define CALLABLE (EVERYWHERE | IN_F | IN_SPACES) /* a user can call it in one of these ways */

/* The last arguments of rows that make new tensors. */
#define TENSOR_OPTIONS TYPE(dtype, NONE) DEVICE(device) BOOL(requires_grad, false)

/* What any row's arguments fit in, which table.c checks for each: their struct, and how many they are. */
enum { ARGS_BYTES = 512, MAX_ARGUMENTS = 16 };

/* Room for the arguments of any op. */
typedef struct ArgsRoom {
  _Alignas(16) char bytes[ARGS_BYTES];
} ArgsRoom;

/* The kinds of arguments: arguments.def. */
typedef enum ArgKind {
#define KIND(kind, ...) ARG_##kind,
#include "ops/table/arguments.def"
} ArgKind;

/* Their C types: Argument_TENSOR … */
#define KIND(kind, type, ...) typedef type Argument_##kind;
#include "ops/table/arguments.def"

/* What an argument's place in the struct has: a value, tensors, or a pointer to what must be copied with it. */
typedef enum ArgHolds { HOLDS_VALUE, HOLDS_TENSOR, HOLDS_TENSORS, POINTS_TO_LIST, POINTS_TO_TEXT } ArgHolds;

/* What a kind's row says of it. */
typedef struct ArgTraits {
  ArgHolds holds;
  bool from_one;    /* counted from 1 outside, from 0 inside */
  const char *word; /* for nl.ops() */
} ArgTraits;

extern const ArgTraits arg_traits[]; /* by ArgKind */

#define NO_INT INT64_MIN /* an optional integer or dimension that was not given */
#define NONE_DIM NO_INT
#define REQUIRED 0
#define NONE 0

typedef struct ArgSpec {
  const char *name;
  ArgKind kind;
  uint16_t offset; /* in the op's argument struct */
  bool required;
  const char *default_text; /* as the row has it */
  union {
    int64_t i;
    double f;
    const char *s;
  } dflt;
} ArgSpec;

static inline ArgHolds argument_holds(const ArgSpec *spec) { return arg_traits[spec->kind].holds; }

typedef enum OpKind { OP_POINTWISE, OP_PRIMITIVE, OP_COMPOSED } OpKind;

/* Numbers of results that rows write: one, several, or a list as long as the call decides. */
enum { RESULTS_ONE = 1, RESULTS_TWO = 2, RESULTS_THREE = 3, RESULTS_LIST = -1, MAX_RESULTS = 3 };

struct Gradients;
typedef void (*OpForward)(Call *call, const void *args, Tensor **y);
typedef void (*OpBackward)(Call *call, const void *args, Tensor *const *y, Tensor *const *dy, struct Gradients *g);

#include "ops/table/classes.def"
/* What a class does with the operands of a category, and what it gives. */
enum { TAKES, WIDENS, REFUSES };
enum { KEEPS, GIVES_REAL, GIVES_BOOL };
typedef struct PointwiseClass {
  uint8_t operands[CATEGORY_COMPLEX + 1];
  uint8_t result;
} PointwiseClass;

/* A pointwise row's class and texts. */
typedef struct PointwiseInfo {
  int family, index; /* where its kernels are: KernelTable.pointwise[family][index] */
  int arity;
  PointwiseClass type_class;
  const char *class_name; /* "NUMERIC" */
  const char *formula;
  const char *derivative[3]; /* of each operand; "" for none */
} PointwiseInfo;

typedef struct Op {
  const char *row, *name, *doc;
  uint32_t forms;
  int8_t results;
  uint8_t kind;
  uint8_t nargs;
  uint16_t args_size;
  const ArgSpec *args;
  OpForward forward;
  OpBackward backward; /* NULL: no gradient */
  const char *saves;   /* "input: y; weight: input": what the gradient of an argument needs */
  const PointwiseInfo *pointwise;
  int id;
  struct OpPlan *plan; /* worked out once a process */
} Op;

/* What gradients need, as bits: those of the arguments, in their order, then those of the results. */
static inline uint32_t argument_bit(int i) { return 1u << i; }
static inline uint32_t result_bit(int i) { return 1u << (MAX_ARGUMENTS + i); }
_Static_assert(MAX_ARGUMENTS + MAX_RESULTS <= 32, "what a gradient needs is told by the bits of a word");

/* What a pointwise row's backward does for an operand. */
typedef enum DerivativeKind { DERIVATIVE_ZERO, DERIVATIVE_IS_DY, DERIVATIVE_COMPUTED } DerivativeKind;

/* What is worked out once of a row. */
typedef struct OpPlan {
  uint32_t needs[MAX_ARGUMENTS]; /* for the gradient of each argument: the row's `saves` */
  uint32_t needs_any;
  struct {
    uint16_t offset;
    uint8_t arg;
    bool is_list;
  } tensors[MAX_ARGUMENTS]; /* the arguments that hold tensors */
  int ntensors;
  uint8_t tensor_at[ARGS_BYTES / sizeof(Tensor *)]; /* which of them starts at a word of the arguments */
  bool has_list, points; /* whether one is a list of tensors; whether arguments point to lists or texts */
  bool draws;            /* random numbers: it has an argument for their generator */
  /* of a pointwise row, for each derivative: */
  uint8_t derivatives[3];                                /* a DerivativeKind */
  _Atomic(const struct ParsedDerivative *) as_parsed[3]; /* NULL until create_graph wants it (expression.h) */
} OpPlan;

/* What stands behind a row's name where it is told to users: see call_user_name. */
const char *op_suffix(const Op *op);

extern Op op_table[]; /* constant once prepared */
extern const int op_count;
/* Rows that C code speaks of. */
extern const Op *const as_strided_row, *const where_row, *const pow_row, *const square_number_row, *const cube_row;

/* The plan of an op; valid after ops_prepare. */
static inline OpPlan *op_plan(const Op *op) { return op->plan; }

/* Works out all rows' plans; once a process, thread-safe. */
void ops_prepare(void);

/* The row of a name, or NULL. */
const Op *op_find(const char *row);

/* The rows that share a public name, in declared order: the first one, and what follows one; NULL at the end. */
const Op *op_first_named(const char *name);
const Op *op_next_named(const Op *op);

/* Bytes of the lists and texts that a row's arguments point to; and copies those to a room of as many bytes, where the
   arguments point then. */
size_t args_pointed_bytes(const Op *op, const void *args);
void args_copy_pointed(const Op *op, void *args, char *room);

/*
 * The door: every call of every op comes through here. It runs the forward in a scope of its own
 * and records a node if gradients are wanted. into is the destination of an in-place form or NULL;
 * room has MAX_RESULTS places. What is returned belongs to the scope of `parent`.
 * (Defined in autograd/door.c.)
 */
Tensors dispatch(Call *parent, const Op *op, const void *args, Tensor *into, Tensor **room);

/*
 * For the backward of an op that does much in one, under create_graph: the gradients of outputs, computed again by ops
 * from inputs, of which some may be NULL or need none. dy[i] may be NULL; dx[i] is NULL where none arrives.
 * (Defined in autograd/engine.c.)
 */
void gradients_through(Call *call, Tensor *const *outputs, Tensor *const *dy, int n, Tensor *const *inputs, int m,
                       Tensor **dx);

/* The result of an op's forward: in an in-place form the destination itself where it fits. */
Tensor *result_new(Call *call, DType dtype, Device device, Ints shape);
Tensor *result_strided(Call *call, DType dtype, Device device, Ints shape, Ints strides);

/* As result_new, in the order in memory that results of these operands have, which broadcast to the shape. */
Tensor *result_ordered(Call *call, DType dtype, Device device, Ints shape, Tensor *const *operands, int n);

/* As result_new, with the channels last if `like`, of as many dimensions, has them there. */
Tensor *result_of_images(Call *call, DType dtype, Ints shape, const Tensor *like);

/* Raises if a result of this dtype and shape can't be written to the destination of an in-place form. */
void result_check(Call *call, DType dtype, Ints shape);

/* The list of results of an op with RESULTS_LIST. */
Tensor **result_list(Call *call, int64_t n);

/* A view of t: what a view op returns. The door ties it to its base. */
#define result_view tensor_view

#endif
