#define ROWS "ops/onnx/packing.def"
#include "ops/table/declare.h"
