/* All families of kernels, for the one file that keeps them (select.c); who uses a family includes its header. */
#ifndef NNLUA_KERNELS_KERNELS_H
#define NNLUA_KERNELS_KERNELS_H

#include "kernels/attention.h"
#include "kernels/cast.h"
#include "kernels/conv.h"
#include "kernels/conv_bytes.h"
#include "kernels/cumulate.h"
#include "kernels/depthwise.h"
#include "kernels/fft.h"
#include "kernels/loss.h"
#include "kernels/matmul.h"
#include "kernels/matrices.h"
#include "kernels/moves.h"
#include "kernels/normalization.h"
#include "kernels/optim.h"
#include "kernels/pool.h"
#include "kernels/quantize.h"
#include "kernels/recurrent.h"
#include "kernels/reduce.h"
#include "kernels/resample.h"
#include "kernels/softmax.h"
#include "kernels/sort.h"

#endif
