/* Checksums of event files. */
#ifndef NNLUA_IO_CRC32C_H
#define NNLUA_IO_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The cyclic redundancy check of 32 bits by Castagnoli's polynomial (RFC 3720, appendix B.4). */
uint32_t crc32c(const void *bytes, size_t n);

#endif
