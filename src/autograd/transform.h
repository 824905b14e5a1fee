/*
 * Functions transformed: while one runs under nl.func.vmap or jvp, its tensors are stand-ins for others. A stand-in of
 * a batch shows the shape of one of its rows and stands for all of them; one with a tangent stands for a tensor and
 * its derivative in a direction. The door hands ops of stand-ins to this, which runs them on what they stand for. To
 * all else they are tensors without elements, as on the meta device, so that nothing can read any by mistake.
 *
 * Transforms nest: a stand-in of an inner one may stand for one of an outer. An op belongs to the innermost transform
 * among its operands; what belongs to outer ones is the same for the whole of it. Graphs nest likewise: what a stand-in
 * was computed from is recorded with the stand-ins, and what the tensors behind were computed from with those.
 */
#ifndef NNLUA_AUTOGRAD_TRANSFORM_H
#define NNLUA_AUTOGRAD_TRANSFORM_H

#include "ops/table/op.h"

typedef enum TransformKind { TRANSFORM_BATCH, TRANSFORM_TANGENT } TransformKind;

/* What ops that draw random numbers do within a batch. */
typedef enum Randomness { RANDOMNESS_ERROR, RANDOMNESS_DIFFERENT, RANDOMNESS_SAME } Randomness;

typedef struct Transform {
  uint32_t refs;
  uint8_t kind, randomness;
  bool open;       /* its function is running */
  uint64_t number; /* an inner one's is higher */
  int64_t rows;    /* of the batch */
  Context *ctx;
  struct Transform *next, *previous; /* the open ones, innermost first */
} Transform;

/* What a stand-in stands for. */
typedef struct Others {
  Transform *transform;
  Tensor *value;   /* of a batch: its rows come first */
  Tensor *tangent; /* NULL in a batch */
} Others;

/* A transform that is open, with one reference. Raises without memory. */
Transform *transform_open(Call *call, TransformKind kind, int64_t rows, Randomness randomness);

/* Its function has ended: its stand-ins are of no use any more. */
void transform_close(Transform *t);

static inline Transform *transform_retain(Transform *t)
{
  t->refs++;
  return t;
}
void transform_release(Transform *t);

static inline const Others *others_of(const Tensor *t) { return t->storage->external_owner; }

/* Whether t is a stand-in of the transform itself. */
static inline bool is_of_transform(const Tensor *t, const Transform *transform)
{
  return t && tensor_stands_in(t) && others_of(t)->transform == transform;
}

/* The tensor behind a stand-in of the transform; other tensors themselves. */
static inline Tensor *behind(Tensor *t, const Transform *transform)
{
  return is_of_transform(t, transform) ? others_of(t)->value : t;
}

/* The tensor whose elements t shows: that behind its tangents. A stand-in of a batch has none and is given itself. */
static inline Tensor *without_tangents(Tensor *t)
{
  while (tensor_stands_in(t) && others_of(t)->tangent) t = others_of(t)->value;
  return t;
}

/* A stand-in for a tensor whose first dimension is the batch's. */
Tensor *stand_in_of_batch(Call *call, Transform *t, Tensor *value);

/* A stand-in for a tensor and its tangent, of the same shape and dtype. */
Tensor *stand_in_with_tangent(Call *call, Transform *t, Tensor *value, Tensor *tangent);

/* Runs a primitive op whose innermost operands belong to a transform, in place of its forward. */
void transform_forward(Call *call, const Op *op, const void *args, Tensor **y, Transform *transform);

/* The ways of the two kinds: batch.c, tangent.c. */
void batch_forward(Call *call, const Op *op, const void *args, Tensor **y, Transform *transform);
void tangent_forward(Call *call, const Op *op, const void *args, Tensor **y, Transform *transform);

#endif
