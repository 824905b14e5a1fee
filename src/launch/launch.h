/*
 * The one way from an op to elements. A forward works out dtype, shape, order and device of its results and makes them;
 * whatever touches their elements is launched. Here, and nowhere else: nothing runs on the meta device or where there
 * are no elements; operands are converted to the dtype that the kernel computes in and laid out as it asks; an operand
 * that shares memory with a result is copied; a result that the kernel can't write to is written to a tensor of its own
 * and copied back; the kernels of the device are chosen; work is cut into items for threads, which look at interrupts.
 *
 * A driver says what a kernel wants and turns items into its calls; there is a file of drivers for each family of
 * kernels, and ops call these (launch_softmax, launch_pointwise…). Drivers whose kernels take any strides (pointwise,
 * copies, reductions, lines) do the same by means of their own.
 */
#ifndef NNLUA_LAUNCH_LAUNCH_H
#define NNLUA_LAUNCH_LAUNCH_H

#include "core/tensor.h"
#include "kernels/table.h"
#include "launch/layout.h"

enum { LAUNCH_RESULTS = 5, LAUNCH_OPERANDS = 10 };

/* What a kernel wants of an operand or a result. The dtype is that which is computed in, unless it says otherwise. */
enum {
  DENSE = 0,       /* elements side by side in row-major order */
  LAST_DENSE = 1,  /* those of the last dimension side by side, the other dimensions anyhow */
  ANY_STRIDES = 2, /* as they lie */
  LAYOUT_BITS = 3,
  MOVED = 4,      /* in the tensor's own dtype, since elements are only moved */
  AS_INT64 = 8,   /* positions and counts */
  AS_DOUBLE = 16, /* sums and moments */
  DTYPE_BITS = MOVED | AS_INT64 | AS_DOUBLE,
  UPDATED = 32, /* a result whose old elements the kernel reads or leaves: they are there */
  ZEROED = 64   /* a result that the kernel adds to: it is 0 at first */
};

typedef struct Launch Launch;

/* A family of kernels as launch sees it; constant. Wants that are not given are DENSE. */
typedef struct Driver {
  /* Does items [begin, end), on any thread; may not raise. Not needed by who does not call launch. */
  void (*run)(const Launch *l, int64_t begin, int64_t end);
  /* What comes before and after all items, on the caller's thread, with everything laid out; NULL: nothing. `before`
     may allocate, write to params and raise; what both take shall be little beside the items,
     or run on threads itself. */
  void (*before)(Call *call, const Launch *l);
  void (*after)(Call *call, const Launch *l);
  uint8_t results[LAUNCH_RESULTS], operands[LAUNCH_OPERANDS];
  bool
    in_place; /* a result may be the very elements of an operand: each item reads what it overwrites before it does */
} Driver;

/* How the work is cut: items that are independent of each other, and how many elements each takes, about; EACH_ALONE
   for items that are to be shared out one by one. */
typedef struct Work {
  int64_t items, elements;
} Work;
#define EACH_ALONE INT64_MAX

/* What a driver works on: results and operands as it wants them, NULL where the caller gave NULL. */
struct Launch {
  const Driver *driver;
  const KernelTable *k; /* of the dtype that is computed in, on the results' device */
  DType dtype;          /* that dtype */
  int64_t size;         /* bytes of an element of it */
  Tensor *y[LAUNCH_RESULTS];
  const Tensor *x[LAUNCH_OPERANDS];
  void *params; /* the caller's; `before` may write to them */
};

#define NO_TENSORS ((Tensors){NULL, 0})
#define TENSOR_LIST(...) \
  ((Tensors){(Tensor *[]){__VA_ARGS__}, (int64_t)(sizeof((Tensor *[]){__VA_ARGS__}) / sizeof(Tensor *))})

/*
 * Runs a driver on results and operands (each TENSOR_LIST(…), in the order of the driver's wants, NULL for what is
 * absent), computing in the dtype that elements of `dtype` compute in. There is nothing to do if no result has
 * elements.
 */
void launch(Call *call, const Driver *driver, DType dtype, Tensors results, Tensors operands, Work work,
            const void *params);

/*
 * launch in steps, for drivers that cut the work by how operands were laid out, in loops of their own: begin lays out
 * (false: there is nothing to do), end copies results back.
 */
bool launch_begin(Call *call, Launch *l, const Driver *driver, DType dtype, Tensors results, Tensors operands,
                  const void *params);
void launch_end(Call *call, const Launch *l, Tensors results);

/* Whether launches for this result do anything: it isn't on the meta device and has elements. For drivers that prepare
   more than launch does. */
static inline bool launch_runs(const Tensor *y) { return y->device != DEVICE_META && y->numel > 0; }

/* The kernels of a tensor's device for a dtype. */
static inline const KernelTable *kernels_for(const Tensor *t, DType dtype)
{
  (void)t; /* one device has kernels */
  return kernels_of(dtype);
}

/* Raises if a driver's kernel is missing for the dtype. */
#define NEEDS_KERNEL(call, kernel, dtype)                                      \
  do {                                                                         \
    if (!(kernel)) raise(call, "%s tensors are not taken", dtype_name(dtype)); \
  } while (0)

/* Where element `at` of a laid out result or operand is; NULL if that is absent. */
static inline void *result_at(const Launch *l, int i, int64_t at)
{
  return l->y[i] ? (char *)tensor_data(l->y[i]) + at * (int64_t)dtype_size(tensor_dtype(l->y[i])) : NULL;
}

static inline const void *operand_at(const Launch *l, int i, int64_t at)
{
  return l->x[i] ? (const char *)tensor_data(l->x[i]) + at * (int64_t)dtype_size(tensor_dtype(l->x[i])) : NULL;
}

/* Does [0, items) at once or on several threads, as launch does; for drivers with loops of their own. */
void launch_items(Work work, void (*body)(void *arg, int64_t begin, int64_t end), void *arg);

#endif
