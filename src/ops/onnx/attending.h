#define ROWS "ops/onnx/attending.def"
#include "ops/table/declare.h"
