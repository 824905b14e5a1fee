/* Numbers as bytes by a scale of their own, and an LSTM whose recurrent weight is of bytes. */
#include "launch/nn/byte_lstm.h"

#include <math.h>
#include <string.h>

#include "kernels/matmul.h"
#include "kernels/recurrent.h"
#include "launch/launch.h"

typedef struct Quantized {
  float scale, zero;
  int32_t sum;
} Quantized;

/* The scale and zero point for numbers from low to high; the sum is not known yet. A zero point that is no number, of
   an infinite or no scale, is 255, as ONNX Runtime has it. */
static Quantized quantized_in(float low, float high)
{
  const float scale = high == low ? 1 : (high - low) / 255, zero = rintf(-low / scale);
  return (Quantized){scale, zero < 255 ? fmaxf(zero, 0) : 255, 0};
}

/* Numbers in blocks, which threads share. */
enum { BLOCK = 1 << 14 };

typedef struct Blocks {
  const RecurrentKernels *k;
  int64_t n;
  const float *x;
  float (*range)[2]; /* of each block */
  Quantized q;
  uint8_t *to;
} Blocks;

static int64_t length_of(const Blocks *b, int64_t i) { return i * BLOCK + BLOCK < b->n ? BLOCK : b->n - i * BLOCK; }

static void range_blocks(void *arg, int64_t begin, int64_t end)
{
  const Blocks *b = arg;
  for (int64_t i = begin; i < end; i++)
    b->k->range(length_of(b, i), b->x + i * BLOCK, &b->range[i][0], &b->range[i][1]);
}

static void quantize_blocks(void *arg, int64_t begin, int64_t end)
{
  const Blocks *b = arg;
  for (int64_t i = begin; i < end; i++)
    b->k->to_bytes(length_of(b, i), b->x + i * BLOCK, b->q.scale, b->q.zero, b->to + i * BLOCK);
}

void launch_dynamic_quantize(Call *call, Tensor *x, Tensor *to, Tensor *scale, Tensor *zero)
{
  if (!launch_runs(scale)) return;
  x = contiguous_as(call, x, DTYPE_f32);
  const int64_t count = (x->numel + BLOCK - 1) / BLOCK;
  Blocks b = {.k = kernels_for(x, DTYPE_f32)->recurrent,
              .n = x->numel,
              .x = tensor_data(x),
              .range = arena_allocate(call->ctx, (size_t)(count + 1) * sizeof *b.range),
              .to = tensor_data(to)};
  float low = 0, high = 0;
  launch_items((Work){count, BLOCK}, range_blocks, &b);
  for (int64_t i = 0; i < count; i++) {
    const float *range = b.range[i];
    if (range[0] < low || isnan(range[0])) low = range[0];
    if (range[1] > high || isnan(range[1])) high = range[1];
  }
  b.q = quantized_in(low, high);
  launch_items((Work){count, BLOCK}, quantize_blocks, &b);
  *(float *)tensor_data(scale) = b.q.scale;
  *(uint8_t *)tensor_data(zero) = (uint8_t)b.q.zero;
}

/* ------------------------------------------------------------------- layer */

typedef struct Layer {
  const RecurrentKernels *k;
  const MatmulKernels *whole;
  int64_t batch, hidden, wide;
  Stored stored;
  const void *r; /* packed */
  const int32_t *totals, *zero;
  const float *scale;
  void *left;      /* for the product */
  int32_t *sums;   /* [batch, wide] */
  uint8_t *states; /* [batch, hidden] */
  float *work;     /* [batch, 5, hidden]: the gates, and the cells after the step */
} Layer;

static void *memory(Call *call, int64_t n, DType dtype)
{
  return tensor_data(tensor_new(call, dtype, DEVICE_CPU, INTS(n)));
}

/* The recurrent product of a step. */
static Product product_of(const Layer *l)
{
  return (Product){.m = l->batch,
                   .n = l->wide,
                   .k = l->hidden,
                   .a = l->states,
                   .a_row = l->hidden,
                   .a_col = 1,
                   .b_row = l->wide,
                   .b_col = 1,
                   .c = l->sums,
                   .c_row = l->wide,
                   .a_stored = STORED_U8,
                   .b_stored = l->stored};
}

/* The recurrent weight, which all steps take, packed. */
static void pack_weight(Call *call, Layer *l, const void *r)
{
  Product p = product_of(l);
  void *packed = memory(call, packed_right_bytes(l->whole, l->wide, l->hidden), DTYPE_u8);
  p.b = r;
  l->whole->pack_right(&p, false, packed);
  l->r = packed;
}

/* work, in which the sums of the inputs are, gets what comes from the states h [batch, hidden]. */
static void add_recurrent(const Layer *l, const float *h)
{
  float low, high;
  l->k->range(l->batch * l->hidden, h, &low, &high);
  const Quantized q = quantized_in(low, high);
  int32_t *row_sums = l->sums + l->batch * l->wide;
  for (int64_t i = 0; i < l->batch; i++)
    row_sums[i] = l->k->to_bytes(l->hidden, h + i * l->hidden, q.scale, q.zero, l->states + i * l->hidden);
  const Product product = product_of(l);
  l->whole->blocks(&product, false, l->r, l->left);
  for (int64_t i = 0; i < l->batch; i++) {
    const BytesProduct p = {.sums = l->sums + i * l->wide,
                            .x_zero = (int32_t)q.zero,
                            .x_sum = row_sums[i],
                            .zero = l->zero,
                            .totals = l->totals,
                            .x_scale = q.scale,
                            .scale = l->scale};
    l->k->add_bytes_product(l->wide, &p, l->work + i * 5 * l->hidden);
  }
}

/* A step on sums [batch, wide], from states h and cells c, both [batch, hidden], to the states of y; c is replaced. */
static void step(const Layer *l, const float *sums, const float *h, float *c, float *y)
{
  const int64_t n = l->hidden;
  for (int64_t i = 0; i < l->batch; i++)
    memcpy(l->work + i * 5 * n, sums + i * l->wide, (size_t)l->wide * sizeof *sums);
  add_recurrent(l, h);
  for (int64_t i = 0; i < l->batch; i++) {
    float *work = l->work + i * 5 * n;
    l->k->cell(CELL_LSTM, n, &(CellRow){.work = work, .c_prev = c + i * n, .h = y + i * n});
    memcpy(c + i * n, work + 4 * n, (size_t)n * sizeof *c);
  }
}

void launch_byte_lstm(Call *call, const ByteLstm *a, Tensor *h, Tensor *c)
{
  if (!launch_runs(h)) return;
  const int64_t batch = a->h0->shape[0], hidden = a->h0->shape[1], wide = 4 * hidden;
  const KernelTable *k = kernels_for(h, DTYPE_f32);
  const MatmulKernels *whole = kernels_for(h, DTYPE_i32)->matmul;
  Layer l = {.k = k->recurrent,
             .whole = whole,
             .batch = batch,
             .hidden = hidden,
             .wide = wide,
             .stored = a->r->dtype == DTYPE_u8 ? STORED_U8 : STORED_I8,
             .totals = tensor_data(contiguous_as(call, a->totals, DTYPE_i32)),
             .zero = a->zero ? tensor_data(contiguous_as(call, a->zero, DTYPE_i32)) : NULL,
             .scale = tensor_data(contiguous_as(call, a->scale, DTYPE_f32)),
             .left = memory(call, packed_left_bytes(whole, batch, hidden), DTYPE_u8),
             .sums = memory(call, batch * (wide + 1), DTYPE_i32),
             .states = memory(call, batch * hidden, DTYPE_u8),
             .work = memory(call, batch * 5 * hidden, DTYPE_f32)};
  pack_weight(call, &l, tensor_data(contiguous_as(call, a->r, tensor_dtype(a->r))));
  const float *sums = tensor_data(contiguous_as(call, a->sums, DTYPE_f32));
  const float *before = tensor_data(contiguous_as(call, a->h0, DTYPE_f32));
  float *y = tensor_data(h), *cells = tensor_data(c);
  memcpy(cells, tensor_data(contiguous_as(call, a->c0, DTYPE_f32)), tensor_bytes(c));
  for (int64_t s = 0; s < a->steps; s++) {
    check_interrupt(call);
    const int64_t t = a->is_reverse ? a->steps - 1 - s : s;
    step(&l, sums + t * batch * wide, before, cells, y + t * batch * hidden);
    before = y + t * batch * hidden;
  }
}
