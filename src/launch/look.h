/* Looks at elements by ops: rows that need them for the course of things are marked DEPENDS_ON_DATA. */
#ifndef NNLUA_LAUNCH_LOOK_H
#define NNLUA_LAUNCH_LOOK_H

#include "core/recorder.h"
#include "core/tensor.h"
#include "kernels/positions.h"

/* Whether elements can be looked at: not on the meta device. */
static inline bool can_look(const Tensor *t) { return t->device != DEVICE_META; }

/* Raises if they can't, for what is only known from them. */
void check_can_look(Call *call, const Tensor *t);

/* Tells the recorder, if there is one, of a check that is about to be made, so that it is made again where what is
   recorded runs. */
void tell_check(Call *call, Tensor *t, ElementCheck *check, const char *text);

/* Raises with the text if an element of a bool tensor is true; on the meta device nothing is looked at. */
void check_none_true(Call *call, Tensor *wrong, const char *text);

/* The positions of true elements, in row-major order: [n, ndim], int64, from 1. */
Tensor *true_positions(Call *call, Tensor *x);

/* Those of checked positions 1..size (int64, contiguous) that occur, each once and in order; on the meta device, where
   they aren't known, as many as there are at most. */
Tensor *distinct_positions(Call *call, Tensor *positions, int64_t size);

/* How many elements are true. */
int64_t count_of_true(Call *call, Tensor *x);

/* The elements of a tensor of whole numbers, in row-major order, in the arena. */
Ints whole_numbers_of(Call *call, Tensor *t);

/* The single element of a tensor. */
Scalar number_of(Call *call, Tensor *t);

static const PositionRange NO_RANGE = {INT64_MAX, INT64_MIN, false};

/* The least and the greatest of integers; the range that was given widened by them. */
PositionRange range_of(Call *call, Tensor *positions, PositionRange given);

#endif
