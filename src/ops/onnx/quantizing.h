#define ROWS "ops/onnx/quantizing.def"
#include "ops/table/declare.h"
