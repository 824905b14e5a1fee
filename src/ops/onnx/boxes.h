#define ROWS "ops/onnx/boxes.def"
#include "ops/table/declare.h"
