/*
 * Tiles of convolutions and the slabs that hold what their taps meet. The places of a result are cut into tiles: whole
 * images, planes, lines or columns of one, as many as make a product whose numbers stay in the cache.
 */
#include "launch/conv/job.h"

#include <string.h>

#include "core/arith.h"

int64_t even_share(int64_t n, int64_t most)
{
  int64_t parts = max_i64(ceil_div_i64(n, max_i64(most, 1)), 1);
  return max_i64(ceil_div_i64(n, parts), 1);
}

int64_t *conv_parts_in_order(Call *call, const ConvJob *j)
{
  int64_t *order = arena_allocate(call->ctx, (size_t)j->nparts * sizeof *order);
  for (int64_t i = 0; i < j->nparts; i++) {
    int64_t at = i;
    for (; at > 0 && j->parts[order[at - 1]].taps < j->parts[i].taps; at--) order[at] = order[at - 1];
    order[at] = i;
  }
  return order;
}

Tiling conv_tiling(const ConvJob *j, const ConvPart *p, int64_t places)
{
  Tiling t = {.images = 1, .size = {1, 1, 1}};
  int64_t inside = 1;
  int d = CONV_DIMS - 1;
  for (; d >= 0 && inside * p->size[d] <= places; d--) {
    t.size[d] = p->size[d];
    inside *= p->size[d];
  }
  if (d >= 0) t.size[d] = even_share(p->size[d], places / max_i64(inside, 1));
  else t.images = even_share(j->images, places / max_i64(inside, 1));
  t.places = t.images;
  t.tiles[0] = ceil_div_i64(j->images, t.images);
  for (int i = 0; i < CONV_DIMS; i++) {
    t.places *= t.size[i];
    t.tiles[i + 1] = ceil_div_i64(p->size[i], max_i64(t.size[i], 1));
  }
  return t;
}

int64_t conv_tiles(const Tiling *t) { return t->tiles[0] * t->tiles[1] * t->tiles[2] * t->tiles[3]; }

Tile conv_tile(const ConvJob *j, const ConvPart *p, const Tiling *t, int64_t at)
{
  Tile tile;
  for (int d = CONV_DIMS - 1; d >= 0; d--) {
    tile.begin[d] = at % t->tiles[d + 1] * t->size[d];
    tile.size[d] = min_i64(t->size[d], p->size[d] - tile.begin[d]);
    at /= t->tiles[d + 1];
  }
  tile.image = at * t->images;
  tile.images = min_i64(t->images, j->images - tile.image);
  return tile;
}

Tile conv_largest_tile(const Tiling *t)
{
  Tile tile = {.images = t->images};
  memcpy(tile.size, t->size, sizeof tile.size);
  return tile;
}

bool conv_is_one_run(const ConvJob *j, const Tile *t)
{
  return j->y_step[2] == 1 && (t->size[1] == 1 || t->size[2] == j->y_step[1])
         && (t->size[0] == 1 || t->size[1] * t->size[2] == j->y_step[0]);
}

void conv_then(ChainWorker *w, const ConvJob *j, const Tile *t, const char *y, int64_t rows)
{
  const bool one = conv_is_one_run(j, t), all = one && places_of_image(t) == j->y_row; /* rows follow each other, too */
  const Tile runs = {.images = t->images, .size = {one ? 1 : t->size[0], one ? 1 : t->size[1], 1}};
  const int64_t first = (y - j->y) / j->size;
  const int64_t length = all ? rows * j->y_row : one ? places_of_image(t) : t->size[2];
  for (int64_t r = 0; r < (all ? 1 : rows); r++) EACH_LINE(&runs, i, p, l)
    {
      const int64_t at = first + r * j->y_row + i * j->y_image + p * j->y_step[0] + l * j->y_step[1];
      chain_part(w, at, at + length);
    }
}

Window conv_window(const ConvJob *j, const ConvPart *p, const Tile *t, bool phases)
{
  const int last = CONV_DIMS - 1;
  Window w = {.across = phases ? j->stride[last] : 1};
  for (int d = 0; d < CONV_DIMS; d++) {
    w.first[d] = p->first[d] + t->begin[d] * j->stride[d];
    w.size[d] = max_i64((t->size[d] - 1) * j->stride[d] + p->reach[d] + 1, 0);
  }
  w.phases = min_i64(w.across, p->reach[last] + 1);
  if (phases) w.size[last] = t->size[last] + p->reach[last] / w.across;
  w.channel = w.phases * w.size[0] * w.size[1] * w.size[2];
  return w;
}

int64_t conv_tap(const Window *w, const ConvPart *p, int64_t tap)
{
  const int64_t column = p->tap[2][tap], phase = column % w->across;
  return ((phase * w->size[0] + p->tap[0][tap]) * w->size[1] + p->tap[1][tap]) * w->size[2] + column / w->across;
}

int64_t conv_step(const ConvJob *j, const Window *w, int dim)
{
  if (dim == 2) return j->stride[2] / w->across;
  return j->stride[dim] * w->size[2] * (dim == 0 ? w->size[1] : 1);
}

/* Whether a plane or line of the slab is one of an image, and some tap meets it. */
static bool is_copied(const ConvJob *j, const ConvPart *p, const Window *w, int dim, int64_t at)
{
  const int64_t place = w->first[dim] + at;
  return place >= 0 && place < j->x_size[dim] && at % j->stride[dim] <= p->reach[dim];
}

/* What is copied of each channel of the tile's images. */
static int64_t runs_of_slab(const ConvSlab *s, ConvRun *to)
{
  const ConvJob *j = s->j;
  const Window *w = &s->window;
  int64_t n = 0;
  for (int64_t q = 0; q < w->phases; q++) {
    const int64_t first = w->first[2] + q;
    const int64_t begin = clamp_i64(ceil_div_i64(max_i64(-first, 0), w->across), 0, w->size[2]);
    const int64_t end = clamp_i64(ceil_div_i64(max_i64(j->x_size[2] - first, 0), w->across), begin, w->size[2]);
    if (begin == end) continue;
    for (int64_t i = 0; i < s->tile.images; i++)
      for (int64_t p = 0; p < w->size[0]; p++) {
        if (!is_copied(j, s->p, w, 0, p)) continue;
        for (int64_t l = 0; l < w->size[1]; l++) {
          if (!is_copied(j, s->p, w, 1, l)) continue;
          to[n++] = (ConvRun){i * j->x_image + (w->first[0] + p) * j->x_step[0] + (w->first[1] + l) * j->x_step[1]
                                + (first + begin * w->across) * j->x_step[2],
                              i * s->image + ((q * w->size[0] + p) * w->size[1] + l) * w->size[2] + begin, end - begin};
        }
      }
  }
  return n;
}

bool conv_slab_set(ConvSlab *s, const ConvJob *j, const ConvPart *p, const Tile *t)
{
  const Tile *old = &s->tile;
  const bool alike = s->p == p && old->images == t->images && memcmp(old->begin, t->begin, sizeof t->begin) == 0
                     && memcmp(old->size, t->size, sizeof t->size) == 0;
  s->tile = *t;
  if (alike) return false;
  s->j = j;
  s->p = p;
  s->window = conv_window(j, p, t, s->phases);
  s->image = s->channels * s->window.channel;
  s->runs = p->taps ? runs_of_slab(s, s->run) : 0;
  if (p->taps) memset(s->memory, 0, (size_t)(t->images * s->image * j->size));
  return true;
}

void conv_slab_fill(ConvSlab *s, int64_t group, int64_t channel, int64_t channels)
{
  const ConvJob *j = s->j;
  if (!s->runs) return;
  const int64_t from = s->tile.image * j->x_image + (group * j->channels + channel) * j->x_channel;
  ConvFill f = {channels, s->runs,   j->x + from * j->size, j->x_channel, s->window.across * j->x_step[2],
                s->run,   s->memory, s->window.channel};
  j->k->conv_product->fill(&f);
}
