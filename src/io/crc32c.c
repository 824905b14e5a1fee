/* Castagnoli's checksum, four bits at a time: zlib has only that by the other polynomial. */
#include "io/crc32c.h"

/* What four bits come to: 0x82f63b78, the polynomial with its bits in reverse, divided out of each number below 16. */
static const uint32_t table[16] = {0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
                                   0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
                                   0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};

uint32_t crc32c(const void *bytes, size_t n)
{
  uint32_t crc = UINT32_MAX;
  const uint8_t *at = bytes;
  for (const uint8_t *end = at + n; at < end; at++) {
    crc ^= *at;
    crc = crc >> 4 ^ table[crc & 15];
    crc = crc >> 4 ^ table[crc & 15];
  }
  return ~crc;
}
