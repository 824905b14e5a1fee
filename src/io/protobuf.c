/* Fields of Protocol Buffers' messages, one after the other. */
#include "io/protobuf.h"

/* 7 bits a byte, the lowest first; the eighth says that more follow. */
static bool read_varint(WireReader *r, uint64_t *value)
{
  uint64_t v = 0;
  for (int shift = 0; shift < 64 && r->at < r->end; shift += 7) {
    const uint8_t byte = *r->at++;
    v |= (uint64_t)(byte & 127) << shift;
    if (byte < 128) {
      *value = v;
      return true;
    }
  }
  return false;
}

/* Little-endian, whatever the machine is. */
static bool read_fixed(WireReader *r, int bytes, uint64_t *value)
{
  if (r->end - r->at < bytes) return false;
  uint64_t v = 0;
  for (int i = bytes; i-- > 0;) v = v << 8 | r->at[i];
  r->at += bytes;
  *value = v;
  return true;
}

bool wire_number(WireReader *r, WireType type, uint64_t *bits)
{
  if (r->at == r->end) return false;
  const uint8_t *from = r->at;
  bool is_read = type == WIRE_VARINT ? read_varint(r, bits) : read_fixed(r, type == WIRE_8_BYTES ? 8 : 4, bits);
  if (!is_read) r->at = from;
  return is_read;
}

WireResult wire_next(WireReader *r, WireField *field)
{
  uint64_t key;
  if (r->at == r->end) return WIRE_END;
  if (!read_varint(r, &key) || key >> 3 == 0 || key >> 3 > UINT32_MAX >> 3) return WIRE_DAMAGED;
  field->number = (uint32_t)(key >> 3);
  field->type = (WireType)(key & 7);
  field->inside = (WireReader){r->at, r->at};
  switch (field->type) {
    case WIRE_VARINT: return read_varint(r, &field->bits) ? WIRE_FIELD : WIRE_DAMAGED;
    case WIRE_8_BYTES: return read_fixed(r, 8, &field->bits) ? WIRE_FIELD : WIRE_DAMAGED;
    case WIRE_4_BYTES: return read_fixed(r, 4, &field->bits) ? WIRE_FIELD : WIRE_DAMAGED;
    case WIRE_BYTES:
      if (!read_varint(r, &field->bits) || field->bits > (uint64_t)(r->end - r->at)) return WIRE_DAMAGED;
      field->inside = (WireReader){r->at, r->at + field->bits};
      r->at += field->bits;
      return WIRE_FIELD;
    default: return WIRE_DAMAGED; /* groups, which were given up before ONNX was made */
  }
}
