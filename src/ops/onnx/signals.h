#define ROWS "ops/onnx/signals.def"
#include "ops/table/declare.h"
