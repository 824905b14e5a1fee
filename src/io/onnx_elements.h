/*
 * Elements of ONNX's tensors (TensorProto in onnx.proto) and ours. The file's unsigned integers of 16 to 64 bits, which
 * we don't have, are held in the next larger signed ones (64 bits as they are), integers of 4 and 2 bits in bytes, and
 * floats of 8 and 4 bits in float32.
 */
#ifndef NNLUA_IO_ONNX_ELEMENTS_H
#define NNLUA_IO_ONNX_ELEMENTS_H

#include "core/dtype.h"
#include "io/protobuf.h"

typedef struct OnnxType {
  const char *name;
  DType dtype;      /* ours; DTYPE_NONE: not taken */
  uint8_t bits;     /* of one element in the file */
  uint8_t as_it_is; /* whether an element has the same bytes here */
  uint8_t field;    /* of TensorProto: where its elements stand as numbers */
  uint8_t wire;     /* and their WireType */
} OnnxType;

/* What a data_type is; NULL if there is none of that number. */
const OnnxType *onnx_type(int64_t data_type);

/* How many bytes n elements take in a file; false on overflow. */
bool onnx_bytes(const OnnxType *type, int64_t n, uint64_t *bytes);

/* Writes n elements of a file as ours. */
void onnx_convert(const OnnxType *type, const uint8_t *from, int64_t n, void *to);

/* Counts the numbers of a type in a TensorProto, packed or one by one; -1 if it is damaged. */
int64_t onnx_count_numbers(const OnnxType *type, WireReader tensor);

/* How many bytes one of them stands for. */
int onnx_bytes_of_number(const OnnxType *type);

/* Writes those numbers, which were counted, as bytes of a file. */
void onnx_gather_numbers(const OnnxType *type, WireReader tensor, uint8_t *to);

#endif
