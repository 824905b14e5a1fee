/*
 * Gradients of inputs, which transposed convolutions are too, whose kernel is as large as the stride: each place of the
 * result meets one tap, so that they are one product with all taps as rows, some lines at a time, whose columns are
 * taken in turns.
 */
#include "core/arith.h"
#include "core/blocks.h"
#include "kernels/copy.h"
#include "kernels/matmul.h"
#include "kernels/table.h"
#include "launch/conv/job.h"
#include "launch/scratch.h"

bool conv_is_apart(const Convolution *c, const Tensor *dy)
{
  if (!dtype_is_floating(tensor_dtype(dy)) || !dy->is_contiguous || c->kernel[2] < 2) return false;
  for (int i = 0; i < CONV_DIMS; i++)
    if (c->stride[i] != c->kernel[i] || c->padding[i] != 0 || c->size[i] != c->result[i] * c->stride[i]) return false;
  return true;
}

typedef struct Plan {
  const Convolution *c;
  const ConvJob *j;
  const char *weight;          /* [groups][rows of the product][terms] */
  int64_t rows, lines, pieces; /* lines at a time, and so many such pieces of a plane */
  Scratch scratch;
} Plan;

/* A piece's sums go to the result: each channel has planes and lines of taps, each of which is one of the result. */
static void spread_piece(const Plan *plan, int64_t channel, const char *from, int64_t lines, char *y)
{
  const Convolution *c = plan->c;
  const int64_t columns = c->result[2], size = plan->j->size;
  ConvTurns t = {.turns = c->kernel[2],
                 .lines = lines,
                 .columns = columns,
                 .from_turn = lines * columns,
                 .from = from,
                 .y_line = c->kernel[1] * c->size[2]};
  for (int64_t n = 0; n < c->channels; n++) {
    t.start = plan->j->bias ? plan->j->bias + (channel + n) * size : NULL;
    for (int64_t p = 0; p < c->kernel[0]; p++)
      for (int64_t l = 0; l < c->kernel[1]; l++) {
        t.y = y + ((n * c->size[0] + p) * c->size[1] + l) * c->size[2] * size;
        plan->j->k->conv_product->take_turns(&t);
        t.from = (const char *)t.from + c->kernel[2] * lines * columns * size;
      }
  }
}

/* Runs what follows on a piece's part of the result. */
static void then_piece(ChainWorker *w, const Plan *plan, const char *y, int64_t lines)
{
  const Convolution *c = plan->c;
  const int64_t plane = c->size[1] * c->size[2], first = (y - plan->j->y) / plan->j->size;
  for (int64_t n = 0; n < c->channels; n++)
    for (int64_t p = 0; p < c->kernel[0]; p++) {
      const int64_t at = first + (n * c->size[0] + p) * plane;
      chain_part(w, at, at + lines * c->stride[1] * c->size[2]);
    }
}

static void run_pieces(void *arg, int64_t begin, int64_t end)
{
  Plan *plan = arg;
  const Convolution *c = plan->c;
  const int64_t size = plan->j->size, plane = c->result[1] * c->result[2], places = c->result[0] * plane;
  char *sums = scratch_take(&plan->scratch);
  ChainWorker then;
  if (plan->j->then) chain_open(&then, plan->j->then);
  for (int64_t at = begin; at < end; at++) {
    const int64_t line = at % plan->pieces * plan->lines, z = at / plan->pieces % c->result[0];
    const int64_t of_all = at / plan->pieces / c->result[0], group = of_all % c->groups; /* all images' groups */
    const int64_t lines = min_i64(plan->lines, c->result[1] - line);
    const int64_t first = of_all * c->rows * places + z * plane + line * c->result[2];
    const Product p = {.m = plan->rows,
                       .n = lines * c->result[2],
                       .k = c->rows,
                       .a = plan->weight + group * plan->rows * c->rows * size,
                       .a_row = c->rows,
                       .a_col = 1,
                       .b = plan->j->x + first * size,
                       .b_row = places,
                       .b_col = 1,
                       .alpha = 1,
                       .c = sums,
                       .c_row = lines * c->result[2]};
    plan->j->k->matmul->blocks(&p, false, NULL, NULL);
    const int64_t to_plane = of_all * c->channels * c->size[0] + z * c->stride[0];
    char *to = plan->j->y + (to_plane * c->size[1] + line * c->stride[1]) * c->size[2] * size;
    spread_piece(plan, group * c->channels, sums, lines, to);
    if (plan->j->then) then_piece(&then, plan, to, lines);
  }
  scratch_give(&plan->scratch, sums);
}

void conv_apart(Call *call, const Convolution *c, const ConvJob *j, const Tensor *weight)
{
  Plan plan = {.c = c, .j = j, .rows = c->channels * c->kernel[0] * c->kernel[1] * c->kernel[2]};
  const int64_t line_bytes = plan.rows * c->result[2] * j->size, elements = plan.rows * c->rows;
  char *turned = tensor_data(new_beside(call, weight, j->dtype, INTS(c->groups * elements)));
  for (int64_t g = 0; g < c->groups; g++)
    transpose_elements((size_t)j->size, c->rows, plan.rows, (const char *)tensor_data(weight) + g * elements * j->size,
                       plan.rows * j->size, turned + g * elements * j->size, c->rows * j->size);
  plan.weight = turned;
  plan.lines = even_share(c->result[1], CONV_TILE_BYTES / line_bytes);
  plan.pieces = ceil_div_i64(c->result[1], plan.lines);
  const int64_t pieces = c->images * c->groups * c->result[0] * plan.pieces;
  scratch_init(call, &plan.scratch, pieces, plan.lines * line_bytes);
  launch_items((Work){pieces, elements * plan.lines * c->result[2] / 8}, run_pieces, &plan);
}
