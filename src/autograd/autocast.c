/* Which ops nl.autocast runs in which precision, as PyTorch does on a CPU; and their operands' conversions. */
#include "autograd/autocast.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "ops/table/words.h"

/* Public names. Ops that are made of these follow. */
static const struct {
  AutocastPolicy policy;
  const char *names;
} lists[] = {
  {AUTOCAST_HALF, "conv1d conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d convolution bmm mm "
                  "baddbmm addmm addbmm linear matmul vecdot scaled_dot_product_attention prelu"},
  {AUTOCAST_FLOAT32,
   "avg_pool3d binary_cross_entropy grid_sample grid_sampler_2d grid_sampler_3d polar prod quantile nanquantile stft "
   "cdist trace view_as_complex cholesky cholesky_inverse cholesky_solve inverse lu_solve orgqr ormqr pinverse "
   "max_pool3d max_unpool2d max_unpool3d adaptive_avg_pool3d adaptive_max_pool3d mse_loss cosine_embedding_loss "
   "nll_loss cross_entropy hinge_embedding_loss poisson_nll_loss smooth_l1_loss l1_loss huber_loss "
   "margin_ranking_loss soft_margin_loss triplet_margin_loss multi_margin_loss ctc_loss kl_div "
   "multilabel_margin_loss binary_cross_entropy_with_logits fft ifft fft2 ifft2 fftn ifftn rfft irfft rfft2 irfft2 "
   "rfftn irfftn hfft ihfft cond matrix_rank solve svdvals eigvals eigvalsh inv householder_product tensorinv "
   "tensorsolve geqrf qr svd triangular_solve fractional_max_pool2d fractional_max_pool3d eig eigh lstsq inv_ex "
   "cholesky_ex det slogdet logdet pad_edges"},
  {AUTOCAST_WIDEST, "stack cat index_copy"},
  {AUTOCAST_SUSPENDS, "addmv lstm_cell gru_cell kron bilinear"},
};

static uint8_t *policies; /* by op id */

static void note_names(const char *names, AutocastPolicy policy)
{
  for (const char *p = names; *p; p += strspn(p, " ")) {
    size_t length = strcspn(p, " ");
    for (int id = 0; id < op_count; id++) {
      const Op *op = &op_table[id];
      bool named = strlen(op->name) == length && memcmp(op->name, p, length) == 0;
      bool is_row = strlen(op->row) == length && memcmp(op->row, p, length) == 0;
      if ((named && op->forms & CALLABLE) || is_row) policies[id] = (uint8_t)policy;
    }
    p += length;
  }
}

static void make_policies(void)
{
  policies = calloc((size_t)op_count, 1);
  for (size_t i = 0; policies && i < sizeof lists / sizeof *lists; i++) note_names(lists[i].names, lists[i].policy);
}

AutocastPolicy autocast_policy(const Op *op)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, make_policies);
  return policies ? (AutocastPolicy)policies[op->id] : AUTOCAST_NOTHING;
}

static bool is_half(DType d) { return d == DTYPE_f16 || d == DTYPE_bf16; }

static DType wanted_dtype(AutocastPolicy policy, DType d, DType mode, DType widest)
{
  if (!dtype_is_floating(d) || d == DTYPE_f64) return d;
  switch (policy) {
    case AUTOCAST_HALF: return mode;
    case AUTOCAST_FLOAT32: return is_half(d) ? DTYPE_f32 : d;
    case AUTOCAST_WIDEST: return widest;
    default: return d;
  }
}

/* float32 where one of the floating point tensors has it, or both kinds of halves are there. */
static DType widest_of(const OpPlan *plan, const void *args)
{
  DType widest = DTYPE_NONE;
  for (int k = 0; k < plan->ntensors; k++) {
    const void *place = (const char *)args + plan->tensors[k].offset;
    const Tensors one = {(Tensor **)(uintptr_t)place, 1}, *list = plan->tensors[k].is_list ? place : &one;
    for (int64_t i = 0; i < list->n; i++) {
      if (!list->v[i] || !dtype_is_floating(tensor_dtype(list->v[i]))) continue;
      DType d = tensor_dtype(list->v[i]);
      widest = widest == DTYPE_NONE ? d : dtype_promote(widest, d);
    }
  }
  return widest;
}

const void *autocast_arguments(Call *call, const Op *op, const void *args, AutocastPolicy policy, DType mode,
                               ArgsRoom *room)
{
  const OpPlan *plan = op_plan(op);
  DType widest = policy == AUTOCAST_WIDEST ? widest_of(plan, args) : DTYPE_NONE;
  memcpy(room->bytes, args, op->args_size);
  for (int k = 0; k < plan->ntensors; k++) {
    Tensor **v = (Tensor **)(void *)(room->bytes + plan->tensors[k].offset);
    int64_t n = 1;
    if (plan->tensors[k].is_list) {
      Tensors *list = (Tensors *)(void *)v;
      Tensor **copy = arena_allocate(call->ctx, (size_t)(list->n + 1) * sizeof *copy);
      n = list->n;
      v = list->v = memcpy(copy, list->v, (size_t)n * sizeof *copy);
    }
    for (int64_t i = 0; i < n; i++)
      if (v[i]) v[i] = cast(v[i], wanted_dtype(policy, tensor_dtype(v[i]), mode, widest));
  }
  return room->bytes;
}
