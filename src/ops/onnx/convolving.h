#define ROWS "ops/onnx/convolving.def"
#include "ops/table/declare.h"
