/* Tables of numbers in text files, plain or compressed with gzip. */
#ifndef NNLUA_IO_CSV_H
#define NNLUA_IO_CSV_H

#include <stdbool.h>
#include <stdint.h>

#include "core/dtype.h"

typedef union CsvValue {
  double f;
  int64_t i;
} CsvValue;

typedef struct CsvOptions {
  char delimiter;
  int64_t skip_rows; /* so many lines at the start are passed over */
  DType dtype;       /* what the numbers must fit into */
  bool header;       /* the first row holds the columns' names */
  bool has_missing;  /* fields without a number are `missing`, not an error */
  CsvValue missing;
  int64_t chosen_count; /* 0: all columns; else these, by their numbers from 1 on, or by their names */
  const int64_t *chosen;
  const char *const *chosen_names;
} CsvOptions;

/* What was read: values row by row, of dtype int64 for a wanted dtype of integers, else float64. csv_free frees it. */
typedef struct CsvTable {
  CsvValue *values;
  int64_t rows, columns;
  DType dtype, wanted;
  char **names; /* of the columns, where there is a header */
  char *text_of_names;
} CsvTable;

/*
 * Reads a file whose lines are numbers between delimiters, all as many; empty lines count for nothing. A field that is
 * in quotes may hold delimiters, ends of lines and doubled quotes. Raises nothing: if it fails, nothing is left to free
 * and `error` tells what is wrong and where, "data.csv: line 3: field 2: …". It is left early if the interpreter is
 * interrupted.
 */
bool csv_read(const char *path, const CsvOptions *options, CsvTable *table, char *error, int error_size);

void csv_free(CsvTable *table);

#endif
