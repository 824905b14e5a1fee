/*
 * The sizes of all blocks: how loops are cut into pieces for threads, caches and registers, and from which size on a
 * way of computing is taken. Test builds (NNLUA_SMALL_BLOCKS: the debug and asan presets) have small ones, so that a
 * matrix of 5 by 3 crosses every edge. No size decides about random numbers: those are drawn in the same order whatever
 * the buffers hold. What an instruction set's registers decide stands with the kernel (vector.h, matmul.c, conv.c).
 */
#ifndef NNLUA_CORE_BLOCKS_H
#define NNLUA_CORE_BLOCKS_H

#if NNLUA_SMALL_BLOCKS
#define BLOCK_SIZE(usual, small) (small)
#else
#define BLOCK_SIZE(usual, small) (usual)
#endif

/* Work for threads: the least that is worth one, which is also how much a chunk of a loop has. */
enum {
  GRAIN = BLOCK_SIZE(32768, 8),         /* elements */
  SORT_LEAST = BLOCK_SIZE(8192, 8),     /* elements from which on rows are sorted by tasks */
  SORT_TASKS = 8,                       /* into so many they are cut, each with memory of its own */
  EMBEDDING_COLUMNS = BLOCK_SIZE(64, 2) /* columns of the gradient of a table */
};

/* Pointwise loops and copies, in elements. */
enum {
  POINTWISE_CHUNK = BLOCK_SIZE(512, 4), /* that are loaded into a buffer, where they are not as the loop wants them */
  POINTWISE_STREAMED = BLOCK_SIZE(8 << 20, 64), /* bytes of a result from which on it is written past the caches */
  COPY_STRETCH = BLOCK_SIZE(1024, 8),           /* of a run that is copied in tiles */
  COPY_TILE = BLOCK_SIZE(64, 4),                /* the side of a tile, of elements up to 4 bytes */
  COPY_WIDE_TILE = BLOCK_SIZE(32, 2),           /* and of those up to 16 */
  COPY_SHORT = BLOCK_SIZE(8, 2),                /* elements of a run below which the next dimension makes longer ones */
  COPY_LEAST_FACE = BLOCK_SIZE(256, 4),         /* from so many on tiles are taken */
  CAST_PIECE = BLOCK_SIZE(256, 4),              /* that are looked at together, whether int32 holds them */
  CHAIN_BYTES = BLOCK_SIZE(16 << 10, 1 << 10),  /* of the tiles of a chain, which the nearest cache holds, */
  CHAIN_UNIT = BLOCK_SIZE(64, 4),               /* whose elements are a multiple of this */
  CHAIN_MOST = BLOCK_SIZE(4096, 8),             /* and at most so many */
  GENERATE_PIECE = BLOCK_SIZE(256, 4),          /* of numbers made from their places, in doubles at first */
  SLICE_PIECE = BLOCK_SIZE(1024, 4),            /* of each slice that is moved by its position */
  TRUTH_PIECE = BLOCK_SIZE(1024, 4),            /* of a line in which true ones are looked for */
  RANDOM_WORDS = BLOCK_SIZE(512, 8)             /* drawn at a time; even, as some numbers take two */
};

/* Reductions and what else adds up. */
enum {
  REDUCE_SPLIT = BLOCK_SIZE(32768, 12),    /* elements of a piece of a long row */
  REDUCE_STRIP = BLOCK_SIZE(1024, 4),      /* columns at a time */
  REDUCE_LANES = BLOCK_SIZE(16, 2),        /* sums side by side; a power of two */
  REDUCE_LANE_BYTES = BLOCK_SIZE(128, 16), /* of extremes side by side; a power of two, no less than an element */
  REDUCE_SEGMENT = BLOCK_SIZE(4096, 8),    /* elements of a row that are looked at again for the place of an extreme */
  REDUCE_SEARCH = BLOCK_SIZE(32, 4),       /* elements at a time in that second look */
  CUMULATE_STRIP = BLOCK_SIZE(64, 4),      /* columns at a time */
  CUMULATE_ROWS = BLOCK_SIZE(4, 2),        /* rows at once: a row alone waits for each addition */
  LOSS_SPLIT = BLOCK_SIZE(32768, 8)        /* elements of a piece of a loss */
};

/* Sorting of a row, in elements. */
enum {
  SORT_RANKED = BLOCK_SIZE(16, 4),       /* up to so many by comparing all with all; runs to be merged */
  SORT_FROM_RADIX = BLOCK_SIZE(256, 12), /* from so many on by digits */
  SORT_BLOCK = BLOCK_SIZE(32, 4),        /* candidates for the first few, looked at together */
  SORT_FEW = BLOCK_SIZE(64, 2),          /* up to so many first ones, or one of SORT_SHARE, are kept in a heap */
  SORT_SHARE = BLOCK_SIZE(32, 8),
  SORT_MANY = BLOCK_SIZE(8192, 16) /* from so many on leading digits choose the candidates */
};

/* Rows and columns of softmax, normalization, attention and recurrent layers. */
enum {
  SOFTMAX_STRIP = BLOCK_SIZE(64, 4),        /* columns at a time, or short rows turned into columns */
  SOFTMAX_SHORT = BLOCK_SIZE(20, 3),        /* elements of the longest row that is turned */
  SOFTMAX_SEGMENT = BLOCK_SIZE(2048, 8),    /* elements of a row whose sum is added to a double */
  NORM_PARTS = BLOCK_SIZE(8, 2),            /* of the rows, for the gradients of weight and bias */
  NORM_PART_ROWS = BLOCK_SIZE(8, 2),        /* the least that a part has */
  NORM_LONG = BLOCK_SIZE(2048, 6),          /* elements of rows that share what is loaded of weights and biases */
  ATTENTION_GROUPS = BLOCK_SIZE(16, 2),     /* parts of the work, each with memory of its own */
  ATTENTION_SMALL = BLOCK_SIZE(1 << 15, 8), /* multiplications up to which there is one part */
  RECURRENT_SEQUENCES = BLOCK_SIZE(24, 2),  /* about so many at a time */
  RECURRENT_COLUMNS = BLOCK_SIZE(32, 3)     /* columns of weights side by side */
};

/* Products of matrices. Work is counted in multiplications. */
enum {
  GEMM_ROW_EDGE = BLOCK_SIZE(480, 4), /* the largest piece of the result */
  GEMM_COL_EDGE = BLOCK_SIZE(512, 4),
  GEMM_ROW_UNIT = BLOCK_SIZE(48, 2), /* what the edges of pieces are multiples of */
  GEMM_COL_UNIT = BLOCK_SIZE(64, 2),
  GEMM_PIECE_WORK = BLOCK_SIZE(1 << 20, 8),  /* the least work of a piece that is worth another thread, */
  GEMM_VECTOR_WORK = BLOCK_SIZE(1 << 17, 8), /* of one with a vector, */
  GEMM_BATCH_WORK = BLOCK_SIZE(1 << 15, 8),  /* and of small products together */
  GEMM_SMALL = BLOCK_SIZE(2048, 8),          /* the most work that goes to blocks unseen */
  GEMM_HALVES = BLOCK_SIZE(1 << 14, 16),     /* the least halves that are multiplied as they are stored */
  GEMM_PACKED_ROWS = BLOCK_SIZE(48, 5),      /* the least rows, and work, for which b is packed as a whole, */
  GEMM_PACKED_WORK = BLOCK_SIZE(1 << 21, 64),
  GEMM_STRIP_ROWS = 4,                           /* the most rows for which b isn't packed in strips, however large, */
  GEMM_STRIP_ELEMENTS = BLOCK_SIZE(1 << 18, 64), /* the least elements of b for which it is, */
  GEMM_STRIP_DEPTH = BLOCK_SIZE(64, 8),          /* and the terms at a time */
  GEMM_GROUP = BLOCK_SIZE(8, 2),                 /* panels of it that are packed together */
  GEMM_PACK_COLUMNS = BLOCK_SIZE(64, 3),         /* the least columns for which a is packed if its rows lie badly, */
  GEMM_PACK_MANY = BLOCK_SIZE(512, 6),           /* and however they lie */
  GEMM_NARROW = BLOCK_SIZE(128, 4),              /* the most for which it isn't, where b is packed as a whole */
  GEMM_BYTE_ROWS = BLOCK_SIZE(3, 1), /* the most rows of bytes for which b isn't packed, where it lies by rows */
  GEMM_DOT_ROWS = 16,                            /* the most rows, and the least terms, of products by dot products */
  GEMM_DOT_DEPTH = BLOCK_SIZE(32, 4),
  MATVEC_DEPTH = BLOCK_SIZE(1024, 8),  /* terms at a time of dot products of several rows */
  MATVEC_STRIP = BLOCK_SIZE(2048, 8),  /* columns at a time of sums of rows */
  MATMUL_TINY = BLOCK_SIZE(64, 8),     /* work for which blocks are no help */
  LINEAR_SMALL = BLOCK_SIZE(32768, 8), /* elements of results that go around the general ways */
  LINEAR_COLUMNS = BLOCK_SIZE(1024, 4) /* the most columns of such a gradient */
};

/* Fourier transforms. */
enum {
  FFT_COLUMN_BYTES = BLOCK_SIZE(16 << 20, 1 << 10), /* of a group of lines, if their elements lie apart */
  FFT_ROW_BYTES = BLOCK_SIZE(1 << 20, 1 << 10),     /* and if each lies together, */
  FFT_TURNED_BYTES = BLOCK_SIZE(64 << 10, 1 << 9),  /* and can be done alone as well */
  FFT_PLANS = BLOCK_SIZE(64, 2),                    /* the most plans that are kept, */
  FFT_PLAN_BYTES = BLOCK_SIZE(16 << 20, 1 << 12)    /* and the most that they take */
};

/* Convolutions, pooling and resampling. */
enum {
  CONV_SLAB_BYTES = BLOCK_SIZE(256 << 10, 64),  /* of what dot products are of */
  CONV_ROWS_PACKED = BLOCK_SIZE(12, 2),         /* rows from which on gradients of weights are products */
  CONV_DEPTH = BLOCK_SIZE(256, 12),             /* terms of a product at a time, about */
  CONV_TILE_BYTES = BLOCK_SIZE(224 << 10, 512), /* of their numbers for a part of the result */
  CONV_UNITS = 4,                               /* parts of the work that threads share, at least */
  CONV_PARTS = BLOCK_SIZE(16, 3),               /* of the taps of strides, whose weights are packed at once */
  CONV_UNIT_WORK = BLOCK_SIZE(1 << 18, 8),      /* multiplications that are worth a thread */
  CONV_FEW_PLACES = 4,                          /* of an image, up to which they are products with the weights, */
  CONV_FEW_ELEMENTS = 1 << 18,                  /* if all that they meet is no more, */
  CONV_FEW_ROWS = BLOCK_SIZE(16, 2),            /* if there are so many rows */
  CONV_NARROW = BLOCK_SIZE(32, 4), /* columns of results below which a line's patches are laid side by side */
  CONV_WEIGHT_TASKS = 8,           /* of sums for the gradients of weights, */
  CONV_WEIGHT_BYTES = BLOCK_SIZE(32 << 20, 1 << 10), /* which take no more than this */
  DEPTHWISE_ROWS = 4, /* of a group of one channel, up to which it goes plane by plane */
  WINOGRAD_LEAST = BLOCK_SIZE(24, 3),       /* channels and rows from which on kernels of 3x3 are transformed, */
  WINOGRAD_BLOCKS = BLOCK_SIZE(96, 8),      /* and blocks of 2x2 places, */
  WINOGRAD_TILE = BLOCK_SIZE(128, 8),       /* at most so many at a time, whose products take */
  WINOGRAD_BYTES = BLOCK_SIZE(2 << 20, 64), /* no more than this */
  WINOGRAD_CHANNELS = BLOCK_SIZE(64, 3),    /* in sums over so many channels */
  CONV_DOT_TAPS = BLOCK_SIZE(6, 2),         /* taps of the kernel at a time in dot products */
  BYTES_TILE = BLOCK_SIZE(256 << 10, 256),  /* of what the places of a part of a convolution of bytes meet, */
  BYTES_PLACES = BLOCK_SIZE(1024, 40),      /* which are at most so many */
  BYTES_ITEMS = BLOCK_SIZE(4, 3),           /* parts from which on rows are not shared out */
  POOL_STRIP = BLOCK_SIZE(64, 4),           /* results of a line at a time */
  POOL_TAPS = BLOCK_SIZE(16, 2),            /* taps of a line whose bounds are kept */
  RESAMPLE_STRIP = BLOCK_SIZE(64, 4),       /* columns at a time */
  RESAMPLE_PLACES = BLOCK_SIZE(256, 4)      /* places of all channels at a time, where tensors tell positions */
};

/* Files, in bytes. */
enum {
  CSV_BUFFER = BLOCK_SIZE(1 << 16, 512), /* of text, read at a time */
  FILE_PIECE = BLOCK_SIZE(1 << 30, 4096) /* read or written by one call: the system takes no more than 2 GB */
};

#endif
