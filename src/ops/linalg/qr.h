/* The rows of ops/linalg/qr.def. */
#ifndef NNLUA_OPS_LINALG_QR_H
#define NNLUA_OPS_LINALG_QR_H

#define ROWS "ops/linalg/qr.def"
#include "ops/table/declare.h"

#endif
