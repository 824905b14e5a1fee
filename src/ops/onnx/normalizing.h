#define ROWS "ops/onnx/normalizing.def"
#include "ops/table/declare.h"
