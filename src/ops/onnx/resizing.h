#define ROWS "ops/onnx/resizing.def"
#include "ops/table/declare.h"
