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

enum { PROBLEM_SIZE = 1024 };

typedef struct TensorFile {
  const char *path; /* the caller's */
  StoredTensor *tensors;
  StoredText *texts; /* the metadata */
  size_t ntensors, ntexts;
  char problem[PROBLEM_SIZE];
  /* private */
  int descriptor;
  char *header;
  uint64_t header_size, data_size;
} TensorFile;

/*
 * Opens a file and checks all of its header: no name twice, no shape that is too large, elements without gaps or
 * overlap up to the file's end. Close it in any case.
 */
bool tensor_file_open(TensorFile *f, const char *path);

/* Reads a tensor's elements into memory for just them. */
bool tensor_file_read(TensorFile *f, const StoredTensor *t, void *data);

void tensor_file_close(TensorFile *f);

/*
 * Writes f->path from f->tensors (but for begin and end) and f->texts, all names UTF-8. The file is there whole or not
 * at all: a new one beside it takes its place when all is on the disk.
 */
bool tensor_file_write(TensorFile *f);

#endif
