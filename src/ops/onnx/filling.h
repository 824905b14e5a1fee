#define ROWS "ops/onnx/filling.def"
#include "ops/table/declare.h"
