/* Compressed bytes, as gzip makes them. */
#ifndef NNLUA_IO_GUNZIP_H
#define NNLUA_IO_GUNZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether bytes begin as gzip's do. */
bool is_gzip(const void *bytes, size_t n);

/*
 * What gzip made bytes of, one part or several behind each other; `*out` is malloc's. It can be at most 1032 times as
 * long. Raises nothing: if it fails nothing is left to free and `error` tells why. It is left early if the interpreter
 * is interrupted.
 */
bool gunzip(const void *bytes, size_t n, uint8_t **out, size_t *out_n, char *error, size_t error_size);

#endif
