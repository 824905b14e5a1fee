/* Connectionist temporal classification of batches of sequences. */
#ifndef NNLUA_LAUNCH_CTC_H
#define NNLUA_LAUNCH_CTC_H

#include "core/tensor.h"

/* What the logarithms of probabilities [steps, sequences, classes] are compared with: labels from 1 on, [sequences,
   longest] or all in a row; how many steps and labels each sequence has; the class, from 0, of blanks. */
typedef struct CtcTargets {
  Tensor *labels, *input_lengths, *target_lengths;
  int64_t blank;
} CtcTargets;

/* Raises on lengths, of which there are as many as sequences, that log_probs or labels don't have. */
void check_ctc_lengths(Call *call, const Tensor *log_probs, const Tensor *labels, Ints input, Ints target);

/* losses, [sequences], = how unlikely labels are; infinite ones are 0 if told so.
   Raises on a label that is no class, and on lengths that don't fit. */
void launch_ctc(Call *call, Tensor *log_probs, const CtcTargets *t, bool zero_infinity, Tensor *losses);

/* The gradient, of log_probs' shape, as PyTorch has it: of what log_softmax gives. */
void launch_ctc_backward(Call *call, Tensor *dy, Tensor *log_probs, const CtcTargets *t, bool zero_infinity,
                         Tensor *dx);

#endif
