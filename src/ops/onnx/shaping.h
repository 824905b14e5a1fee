#define ROWS "ops/onnx/shaping.def"
#include "ops/table/declare.h"
