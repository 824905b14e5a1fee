#define ROWS "ops/onnx/picking.def"
#include "ops/table/declare.h"
