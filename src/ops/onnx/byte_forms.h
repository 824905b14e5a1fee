/* The rows of ops/onnx/byte_forms.def, and when they can be used. */
#ifndef NNLUA_OPS_ONNX_BYTE_FORMS_H
#define NNLUA_OPS_ONNX_BYTE_FORMS_H

#define ROWS "ops/onnx/byte_forms.def"
#include "ops/table/declare.h"

/* Whether bytes of a dtype have one scale of float32 and one zero point of that dtype, or none. */
bool is_byte_form(DType dtype, const Tensor *scale, const Tensor *zero);

#endif
