/* Rows, frames and events of a profile. */
#include "core/profiler.h"

#include "core/call.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_MAKERS = 1 << 18, MOST_ROWS = 1 << 17, FIRST_TABLE = 256 };

static _Thread_local Context *profiled;

Context *profile_context(void) { return profiled; }

int64_t profile_clock(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* -------------------------------------------------------------- profilers */

Profiler *profiler_new(void)
{
  Profiler *p = calloc(1, sizeof *p);
  if (!p) return NULL;
  p->table_size = FIRST_TABLE;
  p->table = calloc((size_t)p->table_size, sizeof *p->table);
  p->makers = malloc(MOST_MAKERS * sizeof *p->makers);
  if (p->table && p->makers) return p;
  profiler_free(p);
  return NULL;
}

/* Whoever has a frame of it under way will find that it is of no profile. */
static void forget_frames(Profiler *p)
{
  for (int32_t i = 0; i < p->nlanes; i++) {
    for (ProfileFrame *f = p->lanes[i].op; f; f = f->outer) f->profiler = NULL;
    for (ProfileFrame *f = p->lanes[i].module; f; f = f->outer) f->profiler = NULL;
  }
  p->nlanes = 0;
  for (int32_t i = 0; i < p->nrows; i++) p->rows[i].open = 0;
}

void profiler_free(Profiler *p)
{
  for (int32_t i = 0; i < p->nrows; i++) {
    free(p->rows[i].name);
    free(p->rows[i].sizes);
  }
  free(p->rows);
  free(p->table);
  free(p->lanes);
  free(p->events);
  free(p->makers);
  free(p);
}

void profiler_start(Context *ctx, Profiler *p)
{
  p->is_on = true;
  p->started = profile_clock() - p->own;
  profiler_continue(ctx, p);
}

void profiler_stop(Context *ctx, Profiler *p)
{
  p->wall += profile_clock() - p->own - p->started;
  p->is_on = false;
  forget_frames(p);
  if (ctx->profiler != p) return;
  ctx->profiler = NULL;
  profiled = NULL;
}

void profiler_continue(Context *ctx, Profiler *p)
{
  ctx->profiler = p;
  profiled = ctx;
}

/* Room for one more in an array; false without memory. */
static bool grow(void **array, int64_t n, int64_t *room, size_t size)
{
  if (n < *room) return true;
  int64_t more = *room ? 2 * *room : 64;
  void *grown = realloc(*array, (size_t)more * size);
  if (!grown) return false;
  *array = grown;
  *room = more;
  return true;
}

/* ------------------------------------------------------------------- rows */

/* What a row is found by. */
typedef struct RowKey {
  ProfileKind kind;
  const char *name;
  int32_t length;
  const void *source;
  int32_t line;
  const ProfileSizes *sizes;
} RowKey;

static uint64_t mixed(uint64_t hash, const void *data, size_t n)
{
  const unsigned char *bytes = data;
  for (size_t i = 0; i < n; i++) hash = (hash ^ bytes[i]) * 0x100000001b3u; /* FNV-1a */
  return hash;
}

static uint64_t hash_of(const RowKey *k)
{
  uint64_t hash = mixed(0xcbf29ce484222325u + k->kind, k->name, (size_t)k->length);
  hash = (hash ^ (uint64_t)(uint32_t)k->line ^ (uint64_t)(uintptr_t)k->source) * 0x9e3779b97f4a7c15u;
  for (int32_t i = 0; k->sizes && i < k->sizes->n; i++) hash = (hash ^ (uint64_t)k->sizes->v[i]) * 0x9e3779b97f4a7c15u;
  return hash ^ hash >> 32;
}

static RowKey key_of(const ProfileRow *row, ProfileSizes *room)
{
  RowKey k = {(ProfileKind)row->kind, row->name, row->name_length, row->source, row->line, NULL};
  if (!row->sizes) return k;
  room->n = row->nsizes;
  memcpy(room->v, row->sizes, (size_t)row->nsizes * sizeof *room->v);
  k.sizes = room;
  return k;
}

static bool is_row_of(const ProfileRow *row, const RowKey *k)
{
  if (row->kind != k->kind || row->line != k->line || row->source != k->source || row->name_length != k->length)
    return false;
  if (memcmp(row->name, k->name, (size_t)k->length) != 0 || !row->sizes != !k->sizes) return false;
  return !k->sizes
         || (row->nsizes == k->sizes->n
             && memcmp(row->sizes, k->sizes->v, (size_t)row->nsizes * sizeof *row->sizes) == 0);
}

static void put_into_table(const Profiler *p, int32_t row, uint64_t hash)
{
  uint64_t mask = (uint64_t)p->table_size - 1;
  for (hash &= mask; p->table[hash]; hash = (hash + 1) & mask) continue;
  p->table[hash] = row + 1;
}

/* Keeps the table at most half full. */
static bool grow_table(Profiler *p)
{
  if (2 * (p->nrows + 1) <= p->table_size) return true;
  int32_t *table = calloc(2 * (size_t)p->table_size, sizeof *table);
  if (!table) return false;
  free(p->table);
  p->table = table;
  p->table_size *= 2;
  for (int32_t i = 0; i < p->nrows; i++) {
    ProfileSizes room;
    RowKey k = key_of(&p->rows[i], &room);
    put_into_table(p, i, hash_of(&k));
  }
  return true;
}

static int32_t add_row(Profiler *p, const RowKey *k, uint64_t hash)
{
  int64_t room = p->rows_room;
  if (p->nrows == MOST_ROWS || !grow_table(p) || !grow((void **)&p->rows, p->nrows, &room, sizeof *p->rows))
    return NO_ROW;
  p->rows_room = (int32_t)room;
  ProfileRow row = {.kind = (uint8_t)k->kind, .source = k->source, .line = k->line, .name_length = k->length};
  row.name = malloc((size_t)k->length + 1);
  if (k->sizes) {
    row.nsizes = k->sizes->n;
    row.sizes = malloc((size_t)row.nsizes * sizeof *row.sizes + 1);
  }
  if (!row.name || (k->sizes && !row.sizes)) {
    free(row.name);
    free(row.sizes);
    return NO_ROW;
  }
  memcpy(row.name, k->name, (size_t)k->length);
  row.name[k->length] = '\0';
  if (k->sizes) memcpy(row.sizes, k->sizes->v, (size_t)row.nsizes * sizeof *row.sizes);
  p->rows[p->nrows] = row;
  put_into_table(p, p->nrows, hash);
  return p->nrows++;
}

static int32_t find_row(Profiler *p, const RowKey *k)
{
  uint64_t hash = hash_of(k), mask = (uint64_t)p->table_size - 1;
  for (uint64_t at = hash & mask; p->table[at]; at = (at + 1) & mask)
    if (is_row_of(&p->rows[p->table[at] - 1], k)) return p->table[at] - 1;
  return add_row(p, k, hash);
}

int32_t profiler_row(Profiler *p, ProfileKind kind, const char *name, const void *source, int32_t line)
{
  return find_row(p, &(RowKey){kind, name, (int32_t)strlen(name), source, line, NULL});
}

/* ------------------------------------------------------------------ lanes */

/* The lane of a coroutine: its own, one that nothing runs in, or a new one. -1 without memory. */
static int32_t lane_of(Profiler *p, const void *coroutine)
{
  int32_t free_lane = -1;
  for (int32_t i = 0; i < p->nlanes; i++) {
    if (p->lanes[i].owner == coroutine) return i;
    if (free_lane < 0 && !p->lanes[i].op && !p->lanes[i].module) free_lane = i;
  }
  if (free_lane < 0) {
    if (p->nlanes == INT16_MAX) return -1;
    ProfileLane *grown = realloc(p->lanes, ((size_t)p->nlanes + 1) * sizeof *grown);
    if (!grown) return -1;
    p->lanes = grown;
    free_lane = p->nlanes++;
  }
  p->lanes[free_lane] = (ProfileLane){.owner = coroutine};
  return free_lane;
}

static ProfileFrame **list_of(ProfileLane *lane, const ProfileFrame *f)
{
  return f->kind == PROFILE_MODULE ? &lane->module : &lane->op;
}

ProfileFrame *profile_module(Profiler *p, const void *coroutine)
{
  for (int32_t i = 0; i < p->nlanes; i++)
    if (p->lanes[i].owner == coroutine) return p->lanes[i].module;
  return NULL;
}

/* ----------------------------------------------------------------- makers */

static void note_maker(Profiler *p, const ProfileFrame *f, int32_t row, uint64_t last)
{
  if (p->nmakers == MOST_MAKERS) { /* the older half is forgotten */
    p->nmakers /= 2;
    memmove(p->makers, p->makers + MOST_MAKERS - p->nmakers, (size_t)p->nmakers * sizeof *p->makers);
  }
  p->makers[p->nmakers++] = (ProfileMaker){f->sequence + 1, last, row, f->module, f->line};
}

static const ProfileMaker *maker_of(const Profiler *p, uint64_t sequence)
{
  int32_t low = 0, high = p->nmakers; /* makers[low - 1].first <= sequence < makers[high].first */
  while (low < high) {
    int32_t middle = low + (high - low) / 2;
    if (p->makers[middle].first <= sequence) low = middle + 1;
    else high = middle;
  }
  return low > 0 && sequence <= p->makers[low - 1].last ? &p->makers[low - 1] : NULL;
}

/* ----------------------------------------------------------------- frames */

/* Whether a call is made by Lua, not by another op. */
static bool is_outermost(const ProfileFrame *outer, ProfileKind kind)
{
  if (kind != PROFILE_OP && kind != PROFILE_CALL) return false;
  for (; outer; outer = outer->outer)
    if (outer->kind != PROFILE_RANGE) return false;
  return true;
}

/* Links a frame whose row is known; its time begins at `now`. */
static void link_frame(Context *ctx, ProfileFrame *f, int32_t row, const void *coroutine, int64_t now)
{
  Profiler *p = ctx->profiler;
  f->lane = lane_of(p, coroutine);
  f->base = row;
  f->profiler = NULL;
  if (f->lane < 0 || row < 0) {
    p->dropped++;
    return;
  }
  ProfileLane *lane = &p->lanes[f->lane];
  ProfileFrame **list = list_of(lane, f);
  f->outer = *list;
  *list = f;
  f->profiler = p;
  f->is_outermost = is_outermost(f->outer, (ProfileKind)f->kind);
  f->inner = f->inner_bytes = 0;
  f->bytes = (int64_t)ctx->memory.allocated;
  f->sequence = ctx->sequence;
  f->module = lane->module ? lane->module->base : NO_ROW;
  f->line = f->outer && f->kind != PROFILE_MODULE ? f->outer->line : NO_ROW;
  if (f->is_outermost && p->wants_lines) {
    lane->nlines = 0;
    p->locate(ctx, p, lane);
    f->line = lane->nlines ? lane->lines[0] : NO_ROW;
  }
  p->rows[row].open++;
  f->begin = now - p->own;
}

/* The profiler's work since `now` is its own. */
static void count_own(Profiler *p, int64_t now) { p->own += profile_clock() - now; }

void profile_begin(Context *ctx, ProfileFrame *f, int64_t now, ProfileKind kind, const char *name,
                   const void *coroutine)
{
  Profiler *p = ctx->profiler;
  f->kind = (uint8_t)kind;
  f->maker = f->maker_module = f->maker_line = NO_ROW;
  link_frame(ctx, f, profiler_row(p, kind, name, NULL, 0), coroutine, now);
  count_own(p, now);
}

void profile_begin_module(Context *ctx, ProfileFrame *f, int64_t now, int32_t row, const void *coroutine)
{
  f->kind = PROFILE_MODULE;
  f->maker = f->maker_module = f->maker_line = NO_ROW;
  link_frame(ctx, f, row, coroutine, now);
  count_own(ctx->profiler, now);
}

void profile_begin_node(Context *ctx, ProfileFrame *f, int64_t now, const char *name, uint64_t sequence)
{
  Profiler *p = ctx->profiler;
  f->kind = PROFILE_NODE;
  const ProfileMaker *maker = maker_of(p, sequence);
  f->maker = maker ? maker->row : NO_ROW;
  f->maker_module = maker ? maker->module : NO_ROW;
  f->maker_line = maker ? maker->line : NO_ROW;
  link_frame(ctx, f, profiler_row(p, PROFILE_NODE, name, NULL, 0), ctx->host.state, now);
  if (maker) f->module = maker->module, f->line = maker->line;
  count_own(p, now);
}

/* Takes a frame out of its list, where others may be further in: a range may be closed at any time. */
static void unlink_frame(ProfileFrame *f)
{
  Profiler *p = f->profiler;
  ProfileFrame **place = list_of(&p->lanes[f->lane], f);
  while (*place != f) place = &(*place)->outer;
  *place = f->outer;
  p->rows[f->base].open--;
  f->profiler = NULL;
}

static void add_event(Profiler *p, const ProfileEvent *e)
{
  if (p->nevents < p->most_events && grow((void **)&p->events, p->nevents, &p->events_room, sizeof *p->events))
    p->events[p->nevents++] = *e;
  else if (p->most_events) p->dropped++;
}

static void add_backward(Profiler *p, int32_t row, int64_t duration)
{
  if (row < 0) return;
  p->rows[row].backward += duration;
  p->rows[row].backward_calls++;
}

/* What an outermost call took goes to its module, and to the lines that it was called from. */
static void add_to_places(Profiler *p, const ProfileFrame *f, int64_t duration, int64_t bytes)
{
  const ProfileLane *lane = &p->lanes[f->lane];
  p->outermost += duration;
  if (f->module >= 0) p->rows[f->module].ops += duration;
  for (int32_t i = 0; i < lane->nlines; i++) {
    ProfileRow *row = &p->rows[lane->lines[i]];
    bool again = false;
    for (int32_t k = 0; k < i; k++) again |= lane->lines[k] == lane->lines[i];
    if (again) continue;
    row->calls++;
    row->total += duration;
    row->bytes += bytes;
    if (i > 0) continue;
    row->self += duration;
    row->self_bytes += bytes;
  }
}

static void add_to_row(Profiler *p, const ProfileFrame *f, int32_t at, int64_t duration, int64_t bytes)
{
  ProfileRow *row = &p->rows[at];
  row->calls++;
  row->self += duration - f->inner;
  row->self_bytes += bytes - f->inner_bytes;
  if (f->outer) {
    f->outer->inner += duration;
    f->outer->inner_bytes += bytes;
  }
  if (p->rows[f->base].open > 0) return; /* within another call of the same */
  row->total += duration;
  row->bytes += bytes;
}

void profile_end(Context *ctx, ProfileFrame *f, int64_t now, const ProfileSizes *sizes)
{
  Profiler *p = f->profiler;
  if (!p) return;
  int64_t duration = now - p->own - f->begin;
  int64_t bytes = (int64_t)ctx->memory.allocated - f->bytes;
  int32_t row = f->base;
  unlink_frame(f);
  if (sizes) {
    const ProfileRow *base = &p->rows[f->base];
    row = find_row(p, &(RowKey){(ProfileKind)f->kind, base->name, base->name_length, NULL, 0, sizes});
    if (row < 0) row = f->base;
  }
  add_to_row(p, f, row, duration, bytes);
  if (f->is_outermost) add_to_places(p, f, duration, bytes);
  if (f->is_outermost && ctx->sequence != f->sequence && f->kind == PROFILE_OP) note_maker(p, f, row, ctx->sequence);
  if (f->kind == PROFILE_NODE) {
    add_backward(p, f->maker, duration);
    add_backward(p, f->maker_module, duration);
    add_backward(p, f->maker_line, duration);
  }
  add_event(p, &(ProfileEvent){f->begin, duration, bytes, row, f->module, f->line, (int16_t)f->lane, 0});
  count_own(p, now);
}

void profile_run(Context *ctx, ProfileFrame *f, void (*work)(void *data), void *data)
{
  Entry entry;
  if (!ENTER(ctx, &entry)) {
    profile_end(ctx, f, profile_clock(), NULL);
    raise_again(ctx);
  }
  work(data);
  ctx->entry = entry.outer; /* what was made stays */
}

void profile_thread(Context *ctx, int thread, int64_t begin, int64_t end)
{
  Profiler *p = ctx->profiler;
  int32_t lane = p ? lane_of(p, ctx->host.state) : -1;
  const ProfileFrame *f = lane < 0 ? NULL : p->lanes[lane].op;
  if (!f) return;
  add_event(p, &(ProfileEvent){begin - p->own, end - begin, 0, f->base, f->module, f->line, 0, (int16_t)thread});
}

/* The profiler's clock stood still now and then since the transfer was asked for: taken as if it had gone slower. */
void profile_transfer(Context *ctx, const ProfileTransfer *t, const char *name, int64_t begin, int64_t end)
{
  Profiler *p = t->profiler;
  if (!p || p != ctx->profiler || t->asked - t->own < p->started) return;
  const int64_t now = profile_clock();
  const double slowness = now > t->asked ? (double)(p->own - t->own) / (double)(now - t->asked) : 0;
  const int64_t duration = end - begin - (int64_t)(slowness * (double)(end - begin));
  begin -= t->own + (int64_t)(slowness * (double)(begin - t->asked));
  const int32_t row = profiler_row(p, PROFILE_TRANSFER, name, NULL, 0);
  if (row >= 0) {
    ProfileRow *r = &p->rows[row];
    r->calls++;
    r->total += duration;
    r->self += duration;
    r->bytes += t->bytes;
    add_event(p, &(ProfileEvent){begin, duration, t->bytes, row, NO_ROW, NO_ROW, 0, 0});
  }
  count_own(p, now);
}

void profile_drop(ProfileFrame *f)
{
  if (f->profiler) unlink_frame(f);
}
