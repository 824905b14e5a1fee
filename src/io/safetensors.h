/*
 * The safetensors format: eight bytes with the length of a header, the header in JSON (names of tensors with dtype,
 * shape and place; one object of texts, "__metadata__"), then the elements. Nothing in such a file is ever run.
 *
 * Functions raise nothing; they return false and set `problem`, which names the file, the place and the reason.
 */
#ifndef NNLUA_IO_SAFETENSORS_H
#define NNLUA_IO_SAFETENSORS_H

#include "core/tensor.h"
#include "io/json.h"
#include "io/output.h"
#include "io/problem.h"
#include "io/source.h"

/* A tensor of a file. */
typedef struct StoredTensor {
  JsonText name;
  DType dtype;
  int ndim;
  int64_t shape[MAX_DIMS];
  uint64_t begin, end; /* its bytes, counted from the first of all elements */
  const void *data;    /* when writing: the elements, contiguous */
} StoredTensor;

typedef struct StoredText {
  JsonText name, value;
} StoredText;

typedef struct TensorFile {
  StoredTensor *tensors;
  StoredText *texts; /* the metadata */
  size_t ntensors, ntexts;
  uint64_t elements; /* where in the file the elements begin */
  Problem problem;
  char *header; /* private */
} TensorFile;

/*
 * Reads and checks a file's header: no name twice, no shape that is too large, elements without gaps or overlap up to
 * the file's end. Close it in any case.
 */
bool tensor_file_open(TensorFile *f, const char *name, const Source *source);

void tensor_file_close(TensorFile *f);

/* Writes f->tensors (but for begin and end) and f->texts, all names UTF-8. */
bool tensor_file_write(TensorFile *f, Output *output);

#endif
