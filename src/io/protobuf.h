/*
 * The wire format of Protocol Buffers (protobuf.dev/programming-guides/encoding), read where it lies: a message is a
 * run of fields, each a number, a wire type, and a varint, 4 or 8 bytes, or so many bytes. Nothing is copied and
 * nothing recurses: who wants what is inside of a field of bytes reads those as a message. A length never reaches
 * beyond the bytes that it was read from.
 */
#ifndef NNLUA_IO_PROTOBUF_H
#define NNLUA_IO_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum WireType { WIRE_VARINT = 0, WIRE_8_BYTES = 1, WIRE_BYTES = 2, WIRE_4_BYTES = 5 } WireType;

/* What is left of a message, or of a packed list of numbers. */
typedef struct WireReader {
  const uint8_t *at, *end;
} WireReader;

typedef struct WireField {
  uint32_t number;
  WireType type;
  uint64_t bits;     /* the number; of 4 bytes, its lower half */
  WireReader inside; /* of WIRE_BYTES, the bytes */
} WireField;

typedef enum WireResult { WIRE_FIELD, WIRE_END, WIRE_DAMAGED } WireResult;

/* The next field of a message. */
WireResult wire_next(WireReader *r, WireField *field);

/* The next number of a packed list, of a type that isn't WIRE_BYTES; false at its end or where it is damaged: r->at is
   r->end at the end only. */
bool wire_number(WireReader *r, WireType type, uint64_t *bits);

#endif
