/* Functions of nl that are those of nn.functional with their arguments in another order. */
#include "ops/nn/in_nl.h"

#include "ops/nn/batch_layer_norm.h"
#include "ops/nn/embedding.h"
#include "ops/nn/losses.h"
#include "ops/table/helpers.h"

FORWARD(nl_batch_norm)
{
  y[0] = op(batch_norm, a->input, a->running_mean, a->running_var, a->weight, a->bias, a->training, a->momentum,
            a->eps);
}

FORWARD(nl_instance_norm)
{
  y[0] = op(instance_norm, a->input, a->running_mean, a->running_var, a->weight, a->bias, a->use_input_stats,
            a->momentum, a->eps);
}

FORWARD(nl_embedding)
{
  y[0] = op(embedding, a->indices, a->weight, a->padding_idx, NO_SCALAR, 2, a->scale_grad_by_freq, a->sparse);
}

#define NO_FLAGS NO_INT, NO_INT /* size_average and reduce, of old */

FORWARD(nl_binary_cross_entropy_with_logits)
{
  y[0] = op(binary_cross_entropy_with_logits, a->input, a->target, a->weight, NO_FLAGS, a->reduction, a->pos_weight);
}

FORWARD(nl_cosine_embedding_loss)
{
  y[0] = op(cosine_embedding_loss, a->input1, a->input2, a->target, a->margin, NO_FLAGS, a->reduction);
}

FORWARD(nl_hinge_embedding_loss)
{
  y[0] = op(hinge_embedding_loss, a->input, a->target, a->margin, NO_FLAGS, a->reduction);
}

FORWARD(nl_kl_div) { y[0] = op(kl_div, a->input, a->target, NO_FLAGS, a->reduction, a->log_target); }

FORWARD(nl_margin_ranking_loss)
{
  y[0] = op(margin_ranking_loss, a->input1, a->input2, a->target, a->margin, NO_FLAGS, a->reduction);
}

FORWARD(nl_poisson_nll_loss)
{
  y[0] = op(poisson_nll_loss, a->input, a->target, a->log_input, a->full, NO_INT, a->eps, NO_INT, a->reduction);
}

FORWARD(nl_triplet_margin_loss)
{
  y[0] = op(triplet_margin_loss, a->anchor, a->positive, a->negative, a->margin, a->p, a->eps, a->swap, NO_FLAGS,
            a->reduction);
}
