/* Sums of weighted elements at positions: a piece of an image's places with all its channels at a time. */
#include "launch/nn/taps.h"

#include "core/blocks.h"
#include "kernels/resample.h"
#include "launch/launch.h"
#include "launch/layout.h"

typedef struct Job {
  Taps taps;
  int64_t pieces; /* of the places of an image */
  bool last;      /* a place's channels lie side by side in the image */
} Job;

static Job job_of(const Tensor *x, const Tensor *positions)
{
  int64_t places = positions->shape[2];
  return (Job){{x->shape[1], x->shape[2], positions->shape[1], places, places},
               (places + RESAMPLE_PLACES - 1) / RESAMPLE_PLACES,
               false};
}

/* The piece of an item: the image in *image, its first place in *first. */
static Taps piece_of(const Job *job, int64_t item, int64_t *image, int64_t *first)
{
  Taps t = job->taps;
  *image = item / job->pieces;
  *first = item % job->pieces * RESAMPLE_PLACES;
  t.places = t.apart - *first < RESAMPLE_PLACES ? t.apart - *first : RESAMPLE_PLACES;
  return t;
}

static Work work_of_pieces(const Job *job, int64_t images)
{
  int64_t places = job->taps.apart < RESAMPLE_PLACES ? job->taps.apart : RESAMPLE_PLACES;
  return (Work){images * job->pieces, places * job->taps.channels * job->taps.terms};
}

static void taps_pieces(const Launch *l, int64_t begin, int64_t end)
{
  const Job *job = l->params;
  for (int64_t item = begin; item < end; item++) {
    int64_t n, first;
    Taps t = piece_of(job, item, &n, &first);
    int64_t at = n * t.terms * t.apart + first;
    (job->last ? l->k->resample->taps_of_last : l->k->resample->taps)(
      &t, operand_at(l, 2, at), operand_at(l, 1, at), operand_at(l, 0, n * t.channels * t.elements),
      result_at(l, 0, n * t.channels * t.apart + first));
  }
}

enum { TURNED_CHANNELS = 8 }; /* from which on vectors of them are worth it */

/* Whether an image is better turned around first, so that what is read at a position is vectors of channels. */
static bool are_worth_turning(const Taps *t)
{
  return t->terms > 1 && t->channels >= TURNED_CHANNELS && 2 * t->terms * t->apart >= t->elements;
}

/* x [N, C, elements] as [N, elements, C]. */
static Tensor *channels_last(Call *call, Tensor *x)
{
  Ints shape = INTS(x->shape[0], x->shape[2], x->shape[1]), strides = INTS(x->strides[0], x->strides[2], x->strides[1]);
  return contiguous_as(call, tensor_view(call, x, shape, strides, x->offset), tensor_dtype(x));
}

void launch_taps(Call *call, Tensor *x, Tensor *weights, Tensor *positions, Tensor *y)
{
  static const Driver driver = {.run = taps_pieces, .results = {DENSE}, .operands = {DENSE, DENSE, AS_INT64}};
  Job job = job_of(x, positions);
  job.last = are_worth_turning(&job.taps);
  if (job.last) x = channels_last(call, x);
  launch(call, &driver, tensor_dtype(y), TENSOR_LIST(y), TENSOR_LIST(x, weights, positions),
         work_of_pieces(&job, x->shape[0]), &job);
}

static void weights_pieces(const Launch *l, int64_t begin, int64_t end)
{
  const Job *job = l->params;
  for (int64_t item = begin; item < end; item++) {
    int64_t n, first;
    Taps t = piece_of(job, item, &n, &first);
    int64_t at = n * t.terms * t.apart + first;
    l->k->resample->taps_of_weights(&t, operand_at(l, 2, at), operand_at(l, 0, n * t.channels * t.apart + first),
                                    operand_at(l, 1, n * t.channels * t.elements), result_at(l, 0, at));
  }
}

void launch_taps_of_weights(Call *call, Tensor *dy, Tensor *x, Tensor *positions, Tensor *dweights)
{
  static const Driver driver = {.run = weights_pieces, .results = {DENSE}, .operands = {DENSE, DENSE, AS_INT64}};
  Job job = job_of(x, positions);
  launch(call, &driver, tensor_dtype(dweights), TENSOR_LIST(dweights), TENSOR_LIST(dy, x, positions),
         work_of_pieces(&job, x->shape[0]), &job);
}

static void back_channels(const Launch *l, int64_t begin, int64_t end)
{
  const Taps *t = l->params;
  for (int64_t item = begin; item < end; item++) {
    int64_t at = item / t->channels * t->terms * t->apart;
    l->k->resample->taps_back(t, operand_at(l, 2, at), operand_at(l, 1, at), operand_at(l, 0, item * t->apart),
                              result_at(l, 0, item * t->elements));
  }
}

void launch_taps_back(Call *call, Tensor *dy, Tensor *weights, Tensor *positions, Tensor *dx)
{
  static const Driver driver = {.run = back_channels, .results = {DENSE}, .operands = {DENSE, DENSE, AS_INT64}};
  Taps t = job_of(dx, positions).taps;
  launch(call, &driver, tensor_dtype(dx), TENSOR_LIST(dx), TENSOR_LIST(dy, weights, positions),
         (Work){dx->shape[0] * dx->shape[1], t.terms * t.apart}, &t);
}
