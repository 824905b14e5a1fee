/* All families of kernels. */
#ifndef NNLUA_KERNELS_KERNELS_H
#define NNLUA_KERNELS_KERNELS_H

#include "kernels/attention.h"
#include "kernels/cast.h"
#include "kernels/conv.h"
#include "kernels/copy.h"
#include "kernels/cumulate.h"
#include "kernels/gemm.h"
#include "kernels/loss.h"
#include "kernels/matmul.h"
#include "kernels/moves.h"
#include "kernels/normalization.h"
#include "kernels/optim.h"
#include "kernels/pointwise.h"
#include "kernels/pool.h"
#include "kernels/positions.h"
#include "kernels/recurrent.h"
#include "kernels/reduce.h"
#include "kernels/resample.h"
#include "kernels/search.h"
#include "kernels/select.h"
#include "kernels/softmax.h"
#include "kernels/sort.h"
#include "kernels/table.h"

#endif
