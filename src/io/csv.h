/* Tables of numbers in text files, plain or compressed with gzip. */
#ifndef NNLUA_IO_CSV_H
#define NNLUA_IO_CSV_H

#include <stdbool.h>
#include <stdint.h>

/* What was read; `values` is malloc's, row by row. */
typedef struct CsvTable {
  double *values;
  int64_t rows, columns;
} CsvTable;

/*
 * Reads a file whose lines are numbers between delimiters, all as many; empty lines count for nothing, and so many
 * lines at the start are passed over. Raises nothing: if it fails, nothing is left to free and `error` tells what is
 * wrong and where, "data.csv: line 3, field 2: …".
 */
bool csv_read(const char *path, char delimiter, int64_t skip_rows, CsvTable *table, char *error, int error_size);

#endif
