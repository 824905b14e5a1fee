/* Transforms that others are made of. */
#define ROWS "ops/fft/transform.def"
#include "ops/table/declare.h"
