#define ROWS "ops/onnx/numbers.def"
#include "ops/table/declare.h"
