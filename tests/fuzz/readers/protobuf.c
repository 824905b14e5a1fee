/* Protocol Buffers: each field of bytes as a message, and as packed numbers. */
#include "fuzz.h"
#include "io/protobuf.h"

enum { DEEPEST = 8 };

static void read_message(WireReader r, int depth)
{
  WireField field;
  uint64_t bits;
  while (wire_next(&r, &field) == WIRE_FIELD) {
    if (field.type != WIRE_BYTES) continue;
    must(field.inside.at <= field.inside.end);
    look_at(field.inside.at, (size_t)(field.inside.end - field.inside.at));
    for (WireReader list = field.inside; wire_number(&list, WIRE_VARINT, &bits);) {}
    for (WireReader list = field.inside; wire_number(&list, WIRE_8_BYTES, &bits);) {}
    if (depth < DEEPEST) read_message(field.inside, depth + 1);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
  read_message((WireReader){bytes, bytes + size}, 0);
  return 0;
}
