#define ROWS "ops/onnx/reducing.def"
#include "ops/table/declare.h"
