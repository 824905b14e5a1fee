/* Storages, strided tensors over them, and what autograd keeps with a tensor. Reference counted. */
#ifndef NNLUA_CORE_TENSOR_H
#define NNLUA_CORE_TENSOR_H

#include "core/call.h"
#include "core/scalar.h"

enum { MAX_DIMS = 16, INLINE_DIMS = 4 };

typedef enum Device { DEVICE_CPU, DEVICE_META, DEVICE_NONE = 255 } Device;

/* Memory shared by a tensor and its views, with the version that in-place changes count up. */
typedef struct Storage {
  uint32_t refs, version;
  size_t bytes;
  char *data; /* NULL on the meta device and for empty ones */
  Context *ctx;
  void (*external_free)(void *owner, void *data); /* memory that is not ours */
  void *external_owner;
  uint8_t device;         /* see device_behind */
  uint8_t header;         /* a StorageHeader: the tensor that it shares a block with */
  bool stands_for_others; /* its tensors have no elements: external_owner has others (autograd/transform.h) */
  uint32_t writes;        /* counts all changes of elements by ops, those too that the version leaves out (x.data), from
                             a number of its own on: another storage at the same address has other ones */
} Storage;

/* How a view came to be, which decides what an in-place change of it may do (autograd/inplace.c). */
typedef enum ViewKind {
  VIEW_NORMAL,
  VIEW_OF_NO_GRAD,
  VIEW_OF_LIST,
  VIEW_OF_FUNCTION,
  VIEW_OF_LEAF, /* of a view that is a leaf itself */
  VIEW_OF_BORDER
} ViewKind;

typedef struct Tensor {
  uint32_t refs;
  uint8_t dtype, device, ndim;
  uint8_t view_kind;
  bool requires_grad; /* of a leaf; a tensor with grad_fn requires it too */
  bool is_parameter;
  bool is_wrapped_number; /* a number among the operands: of least weight in promotion */
  bool is_contiguous;
  bool retains_grad;
  bool is_inference;
  bool is_unversioned; /* made by x.data: writes go unnoticed */
  bool is_joined;      /* in one block with the storage that was made for it */
  int64_t numel, offset;
  Storage *storage; /* NULL: a ghost, shape and dtype of a tensor that was not kept */
  Context *ctx;
  struct Node *grad_fn; /* the node that made it; NULL for leaves */
  int32_t output;       /* which of the node's results it is */
  uint32_t history;     /* a base counts recorded in-place changes; a view, at which one grad_fn was made */
  struct Tensor *base;  /* of a differentiable view: the tensor it is a view of */
  struct Tensor *grad;
  struct Node *accumulator;                 /* of a leaf: where its gradient arrives; not counted */
  int64_t carrier;                          /* of a leaf: the host's number for its hooks; 0: none */
  struct Tensor *next_live, *previous_live; /* all tensors of the context */
  struct Saved *saved;                      /* references that graphs have to it and its views: core/saved.h */
  int64_t *shape, *strides;                 /* in dims, or, with more dimensions, in a block of their own */
  int64_t dims[2 * INLINE_DIMS];
} Tensor;

/* Gives back a reference of a storage; NULL is allowed. */
void storage_release(Storage *s);

static inline Tensor *tensor_retain(Tensor *t)
{
  if (t) t->refs++;
  return t;
}
void tensor_free(Tensor *t);
static inline void tensor_release(Tensor *t)
{
  if (t && --t->refs == 0) tensor_free(t);
}

static inline void *tensor_data(const Tensor *t)
{
  if (!t->storage || !t->storage->data) return NULL;
  return t->storage->data + t->offset * (int64_t)dtype_size((DType)t->dtype);
}
static inline Ints tensor_shape(const Tensor *t) { return (Ints){t->shape, t->ndim}; }
static inline Ints tensor_strides(const Tensor *t) { return (Ints){t->strides, t->ndim}; }
static inline DType tensor_dtype(const Tensor *t) { return (DType)t->dtype; }
static inline size_t tensor_bytes(const Tensor *t) { return (size_t)t->numel * dtype_size(tensor_dtype(t)); }
/* Whether a view still shares its base's memory: either may have been given other elements (x.data = y). */
static inline bool tensor_is_tied(const Tensor *t) { return t->base && t->base->storage == t->storage; }
/* A view requires a gradient if its base does: that of a base may have been changed in place since. */
static inline bool tensor_requires_grad(const Tensor *t)
{
  if (t->requires_grad || t->grad_fn) return true;
  return tensor_is_tied(t) && (t->base->requires_grad || t->base->grad_fn);
}
static inline bool tensor_is_leaf(const Tensor *t) { return t->grad_fn == NULL; }
static inline uint32_t tensor_version(const Tensor *t) { return t->storage ? t->storage->version : 0; }
static inline bool tensor_same_shape(const Tensor *a, const Tensor *b)
{
  if (a->ndim != b->ndim) return false;
  for (int i = 0; i < a->ndim; i++)
    if (a->shape[i] != b->shape[i]) return false;
  return true;
}

/* A new contiguous tensor of unset elements, owned by the running scope. Raises on overflow and lack of memory. */
Tensor *tensor_new(Call *call, DType dtype, Device device, Ints shape);

/* As tensor_new, with the shape of a contiguous tensor. */
Tensor *tensor_new_alike(Call *call, DType dtype, Device device, const Tensor *t);

/* As tensor_new with strides (elements), over fresh memory large enough for them. */
Tensor *tensor_new_strided(Call *call, DType dtype, Device device, Ints shape, Ints strides);

/* A new header over the same storage, owned by the running scope; a plain alias without history. */
Tensor *tensor_alias(Call *call, const Tensor *t);

/* An alias of other geometry. The caller has checked that it lies within the storage. */
Tensor *tensor_view(Call *call, const Tensor *t, Ints shape, Ints strides, int64_t offset);

/* Shape, strides and dtype of a tensor, without its elements; owned by the running scope. */
Tensor *tensor_ghost(Call *call, const Tensor *t);

/* The same as a tensor of its own on the meta device, of which it can be told what is a view of it. It stands for one
   that has elements: see device_behind. */
Tensor *tensor_form(Call *call, const Tensor *t);

/* A tensor over memory of the caller's, given back through `free` when the last view is gone. */
Tensor *tensor_from_memory(Call *call, void *data, size_t bytes, DType dtype, Ints shape, Ints strides,
                           void (*free)(void *owner, void *data), void *owner);

/*
 * A tensor that stands for others: without elements of its own, as one on the meta device, so that nothing reads any.
 * What it stands for, tensors on `device`, is to be put into its storage's external_owner, which `free` is called with
 * in the end.
 */
Tensor *tensor_stand_in(Call *call, DType dtype, Device device, Ints shape, Ints strides, int64_t offset,
                        void (*free)(void *owner, void *data));

static inline bool tensor_stands_in(const Tensor *t) { return t->storage && t->storage->stands_for_others; }

/* Why nothing can be read of a tensor without elements. */
static inline const char *why_no_elements(const Tensor *t)
{
  return tensor_stands_in(t) ? "a tensor within nl.func's functions stands for others and has no elements of its own"
                             : "a meta tensor has no elements";
}

/* A tensor's device; of one that stands for others, theirs. Where only forms are recorded (core/recorder.h), ops that
   call others are told the device of what is recorded: tensors of numbers that they make there have elements. */
static inline Device device_behind(const Tensor *t)
{
  bool is_recorded = t->ctx->recorder && !t->ctx->recording_suspended;
  bool looks_behind = t->storage && (t->storage->stands_for_others || is_recorded);
  return (Device)(looks_behind ? t->storage->device : t->device);
}

/* A 0-dim tensor that counts as a number in promotion. */
Tensor *tensor_from_number(Call *call, Scalar s);

/* The single element of a tensor as a scalar. */
Scalar tensor_item(const Tensor *t);

/* The number that a tensor stands for as an operand; NO_SCALAR of any other tensor, and where it isn't known. */
static inline Scalar tensor_number(const Tensor *t)
{
  return t->is_wrapped_number && tensor_data(t) ? tensor_item(t) : NO_SCALAR;
}

/* The device that was given, or else that of new tensors. */
static inline Device device_or_default(const Call *call, Device given)
{
  return given == DEVICE_NONE ? (Device)call->ctx->default_device : given;
}

/* Where tensors of single numbers are, and all that the host looks at. */
static inline Device device_of_numbers(void) { return DEVICE_CPU; }

/* Where the results of a call are. */
static inline Device result_device(const Call *call) { return (Device)call->device; }

/* Sets shape, strides and what follows from them. Raises without memory for more than INLINE_DIMS dimensions. */
void tensor_set_geometry(Tensor *t, Ints shape, Ints strides, int64_t offset);

/* Whether two elements of the tensor may share a place; true in doubt. */
bool tensor_overlaps_itself(const Tensor *t);

/* Whether a dimension of stride 0 makes elements share a place for certain (expand). */
bool tensor_is_expanded(const Tensor *t);

/* Whether elements fill a block of memory without holes or overlap, in any order of dimensions. */
bool tensor_is_dense(const Tensor *t);

/* Frees all tensors of a context that is being closed, whoever still refers to them. */
void tensors_free_all(Context *ctx);

/*
 * Points a tensor at another's storage and geometry, whatever graphs want of it: callers want tensor_replace_data
 * (autograd/inplace.h). Raises as tensor_set_geometry.
 */
void tensor_adopt(Tensor *t, const Tensor *other);

#endif
