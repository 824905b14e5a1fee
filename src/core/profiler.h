/*
 * What takes how long, while a profile runs (Context.profiler): calls of ops, nodes of backwards, calls of modules, and
 * ranges that the user names, added up in rows and noted one by one as events.
 *
 * Frames are what is under way. They lie with whoever began them, C functions or Lua's userdata, and are linked
 * innermost first, those of modules in a list of their own. A coroutine has its own lists, a lane: it may be left in
 * the middle of a call. Nothing here raises; where memory runs out, calls are counted as dropped. Rows, events and what
 * is remembered of nodes are bounded.
 *
 * Times are nanoseconds of a clock that stands still while the profiler itself works, so that rows and events have none
 * of its own cost.
 */
#ifndef NNLUA_CORE_PROFILER_H
#define NNLUA_CORE_PROFILER_H

#include "core/context.h"

typedef enum ProfileKind {
  PROFILE_OP,
  PROFILE_NODE,    /* of a backward */
  PROFILE_CALL,    /* a backward, an optimizer's step, a plan */
  PROFILE_RANGE,   /* named by the user */
  PROFILE_MODULE,  /* a call of its forward */
  PROFILE_LINE,    /* of the user's Lua: what the ops that it called took */
  PROFILE_TRANSFER /* between processes, while others of these go on */
} ProfileKind;

enum { PROFILE_LINES = 16, PROFILE_SIZES = 256, NO_ROW = -1 };

/* What is added up for one thing. */
typedef struct ProfileRow {
  uint8_t kind;
  char *name;
  const void *source; /* of a line: the chunk's source; only to find the row again */
  int32_t line, name_length;
  int64_t *sizes; /* of an op's tensors: ProfileSizes; NULL: not recorded */
  int32_t nsizes;
  int32_t open; /* calls under way: a recursive call counts in the totals of the outermost one */
  int64_t calls, total, self, bytes, self_bytes;
  int64_t ops;                      /* of a module: what the ops took that it called itself */
  int64_t backward, backward_calls; /* of the nodes that its calls have made */
} ProfileRow;

/* The tensors of a call: for each the number of its argument (-1 for a result), its dtype, ndim and sizes. */
typedef struct ProfileSizes {
  int32_t n;
  int64_t v[PROFILE_SIZES];
} ProfileSizes;

typedef struct ProfileFrame {
  struct ProfileFrame *outer;
  struct Profiler *profiler; /* that it is linked in; NULL: none, or that has been stopped */
  uint8_t kind;
  bool is_outermost; /* called by Lua, not by another op */
  int32_t lane, base, module, line;
  int64_t begin, inner, bytes, inner_bytes;
  uint64_t sequence;                       /* the context's: nodes since then are the call's */
  int32_t maker, maker_module, maker_line; /* of a node: the rows of what made it */
} ProfileFrame;

typedef struct ProfileEvent {
  int64_t begin, duration, bytes;
  int32_t row, module, line;
  int16_t lane, thread; /* the thread of the pool that took part; 0: the interpreter's own */
} ProfileEvent;

typedef struct ProfileLane {
  const void *owner; /* the coroutine */
  ProfileFrame *op, *module;
  int32_t lines[PROFILE_LINES], nlines; /* where the outermost op was called, innermost first */
} ProfileLane;

/* Rows of what has made the nodes of these numbers. */
typedef struct ProfileMaker {
  uint64_t first, last;
  int32_t row, module, line;
} ProfileMaker;

typedef struct Profiler {
  bool is_on; /* it runs, or stands while another runs in its place */
  bool wants_sizes, wants_lines;
  int64_t own;                      /* what the profiler took itself */
  int64_t started, wall, outermost; /* when the run began; how long all went; what of it were outermost calls */
  ProfileRow *rows;
  int32_t nrows, rows_room;
  int32_t *table; /* of rows, by hash: row + 1 */
  int32_t table_size;
  ProfileLane *lanes;
  int32_t nlanes;
  ProfileEvent *events;
  int64_t nevents, events_room, most_events, dropped;
  ProfileMaker *makers;
  int32_t nmakers;
  /* Notes in the lane where the running coroutine stands; set by who knows Lua. */
  void (*locate)(Context *ctx, struct Profiler *p, ProfileLane *lane);
} Profiler;

Profiler *profiler_new(void); /* NULL without memory */
void profiler_free(Profiler *p);

/* From now on calls are noted; until it is stopped. */
void profiler_start(Context *ctx, Profiler *p);
void profiler_stop(Context *ctx, Profiler *p);

/* Goes on with one in whose place another ran: what was under way in it still is. */
void profiler_continue(Context *ctx, Profiler *p);

/* The row of a name, which is added if it isn't there; NO_ROW without memory, or where there are 131,072. `source` and
   `line` of lines. */
int32_t profiler_row(Profiler *p, ProfileKind kind, const char *name, const void *source, int32_t line);

/* Now, in nanoseconds. */
int64_t profile_clock(void);

/*
 * Begins a call in the lane of a coroutine. The profiler's own work began `now`. The frame must live until it is ended.
 * To be called while a profile runs.
 */
void profile_begin(Context *ctx, ProfileFrame *f, int64_t now, ProfileKind kind, const char *name,
                   const void *coroutine);
void profile_begin_module(Context *ctx, ProfileFrame *f, int64_t now, int32_t row, const void *coroutine);

/* The same for a node of a backward, which a call made before. */
void profile_begin_node(Context *ctx, ProfileFrame *f, int64_t now, const char *name, uint64_t sequence);

/* Ends a call, `now`, in the profile that it began in, also while that stands. sizes may be NULL. Nothing where the
   profile has been stopped meanwhile. */
void profile_end(Context *ctx, ProfileFrame *f, int64_t now, const ProfileSizes *sizes);

/* Does work(data) in a call that has begun; where that raises, the call ends. The core must have been entered. */
void profile_run(Context *ctx, ProfileFrame *f, void (*work)(void *data), void *data);

/* The module that runs in the lane of a coroutine, or NULL. */
ProfileFrame *profile_module(Profiler *p, const void *coroutine);

/* The context whose profile runs on this thread, or NULL. */
Context *profile_context(void);

/* What part a thread of the pool had in the running call, by profile_clock. */
void profile_thread(Context *ctx, int thread, int64_t begin, int64_t end);

/* What is remembered of a transfer between processes until its end is seen. */
typedef struct ProfileTransfer {
  Profiler *profiler; /* that ran when it was asked for; NULL: none */
  int64_t asked, own; /* when that was, and what the profiler itself had taken till then */
  int64_t bytes;
} ProfileTransfer;

/* Notes one that began and ended at these times of profile_clock, if the profile still runs. */
void profile_transfer(Context *ctx, const ProfileTransfer *t, const char *name, int64_t begin, int64_t end);

/* Forgets a frame whose owner is gone. */
void profile_drop(ProfileFrame *f);

#endif
