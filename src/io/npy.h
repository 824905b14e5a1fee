/*
 * NumPy's .npy: a header that tells dtype, order and shape, then the elements.
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
#ifndef NNLUA_IO_NPY_H
#define NNLUA_IO_NPY_H

#include "core/tensor.h"
#include "io/problem.h"
#include "io/source.h"

typedef struct NpyArray {
  DType dtype;
  bool is_turned;  /* of the other byte order than ours */
  bool is_fortran; /* the first dimension's elements lie together */
  int ndim;
  int64_t shape[MAX_DIMS];
  uint64_t elements; /* where they begin */
  Problem problem;
} NpyArray;

/* Reads a header and checks it: all elements are there. False if not, and problem tells why. */
bool npy_read(NpyArray *a, const char *name, const Source *source);

/* The dtype of a text of NumPy's such as "<f4", and whether its bytes are turned; DTYPE_NONE if nnlua has none. */
DType npy_dtype(const char *text, size_t n, bool *is_turned);

/* The text of a dtype; NULL if NumPy has none. */
const char *npy_dtype_text(DType dtype);

#endif
