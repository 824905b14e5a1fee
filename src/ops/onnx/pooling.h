#define ROWS "ops/onnx/pooling.def"
#include "ops/table/declare.h"
