/* Weights of convolutions whose rows are the vectors, channel by channel and tap by tap, and their biases. */
#include <string.h>

#include "core/arith.h"
#include "launch/conv/job.h"
#include "launch/packed.h"

static int64_t vector_of_weights(const ConvRowWeights *w)
{
  return w->j->channels * w->taps * w->j->k->conv_product->vector;
}

/* The weights of some channels of a vector of rows; lanes beyond the rows are 0. */
static void pack_vector(const ConvRowWeights *w, int64_t group, int64_t vector, int64_t channel, int64_t channels)
{
  const ConvJob *j = w->j;
  const int64_t lanes = j->k->conv_product->vector, row = vector * lanes, rows = min_i64(lanes, j->rows - row);
  const int64_t from = group * j->weight_group + row * j->weight_row + channel * j->weight_channel;
  const int64_t to = (group * w->vectors + vector) * vector_of_weights(w) + channel * w->taps * lanes;
  char *packed = w->weight + to * j->size;
  if (rows < lanes) memset(packed, 0, (size_t)(channels * w->taps * lanes * j->size));
  j->k->conv_product->turn(rows, channels * w->taps, (const char *)tensor_data(j->weight) + from * j->size,
                           j->weight_row, packed, lanes);
}

/* Vectors whose channels lie side by side. */
static void pack_vectors(void *arg, int64_t begin, int64_t end)
{
  const ConvRowWeights *w = arg;
  for (int64_t at = begin; at < end; at++) pack_vector(w, at / w->vectors, at % w->vectors, 0, w->j->channels);
}

/* Channels whose rows lie side by side. */
static void pack_channels(void *arg, int64_t begin, int64_t end)
{
  const ConvRowWeights *w = arg;
  for (int64_t at = begin; at < end; at++)
    for (int64_t v = 0; v < w->vectors; v++) pack_vector(w, at / w->j->channels, v, at % w->j->channels, 1);
}

static char *padded_bias(Call *call, const ConvRowWeights *w)
{
  const ConvJob *j = w->j;
  const int64_t bytes = w->vectors * j->k->conv_product->vector * j->size, rows = j->rows * j->size;
  if (!j->bias) return NULL;
  char *bias = tensor_data(tensor_new(call, DTYPE_u8, DEVICE_CPU, INTS(j->groups * bytes)));
  memset(bias, 0, (size_t)(j->groups * bytes));
  for (int64_t g = 0; g < j->groups; g++) memcpy(bias + g * bytes, j->bias + g * rows, (size_t)rows);
  return bias;
}

ConvRowWeights conv_row_weights(Call *call, const ConvJob *j, int64_t taps)
{
  ConvRowWeights w = {.j = j, .taps = taps, .vectors = ceil_div_i64(j->rows, j->k->conv_product->vector)};
  w.bias = padded_bias(call, &w);
  const int64_t vectors = j->groups * w.vectors, elements = vectors * vector_of_weights(&w);
  const bool by_vectors = j->weight_channel == taps;
  const int64_t items = by_vectors ? vectors : j->groups * j->channels;
  bool is_filled;
  w.weight = packed_memory(call, PACKED_CONVOLUTION_ROWS, elements * j->size, &is_filled);
  if (is_filled) return w;
  launch_items((Work){items, elements / max_i64(items, 1)}, by_vectors ? pack_vectors : pack_channels, &w);
  packed_filled(call);
  return w;
}
