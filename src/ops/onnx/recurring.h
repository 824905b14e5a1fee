#define ROWS "ops/onnx/recurring.def"
#include "ops/table/declare.h"
