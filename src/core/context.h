/* What belongs to one interpreter: memory, modes, generator, the scopes of running calls. */
#ifndef NNLUA_CORE_CONTEXT_H
#define NNLUA_CORE_CONTEXT_H

#include <setjmp.h>

#include "core/dtype.h"
#include "core/memory.h"
#include "core/random.h"

struct Tensor;
struct Node;
struct Op;
typedef struct Context Context;

/* An entry into the core: where errors unwind to. */
typedef struct Entry {
  jmp_buf escape;
  struct Entry *outer;
  size_t owned;             /* how many tensors were owned when it was entered */
  struct ArenaBlock *arena; /* the arena's mark */
  size_t arena_used;
  bool grad_enabled, recording_suspended, changes_in_place;
  DType autocast;
} Entry;

enum { ERROR_TEXT = 1024 };

struct Call;

/* What the host (the Lua binding) does for the core; any may be NULL.
   Those that run Lua raise through raise_foreign. */
typedef struct Host {
  void *state;                                    /* the running lua_State */
  size_t *tensor_block;                           /* set to 0 when the context goes: lua/tensor/tensor.h; may be NULL */
  bool (*reclaim)(Context *);                     /* free garbage: memory has run out */
  void (*interrupted)(Context *);                 /* the user's request to stop is being raised: forget it */
  void (*node_created)(Context *, struct Node *); /* anomaly mode: note where */
  void (*node_failed)(Context *, struct Node *);  /* anomaly mode: tell where the forward ran */
  void (*node_apply)(struct Call *, struct Node *, struct Tensor *const *dy, struct Tensor **dx);
  /* A node or leaf is gone, or a node was applied for the last time. May come at any moment: only note it. */
  void (*carrier_released)(Context *, int64_t carrier);
  /* The hooks of a node's result, or of a leaf, on its gradient; the gradient to go on with. */
  struct Tensor *(*tensor_hooks)(struct Call *, struct Node *, int output, struct Tensor *gradient);
  void (*node_prehooks)(struct Call *, struct Node *, struct Tensor **dy);
  void (*node_hooks)(struct Call *, struct Node *, struct Tensor *const *dy, struct Tensor **dx);
  void (*leaf_accumulated)(struct Call *, struct Tensor *leaf);
  void (*warn)(Context *, const char *text);
  /* Packs what a node has saved in a place by the user's hook; false: there is none any more. And the way back. */
  bool (*pack)(struct Call *, struct Node *, int place, struct Tensor *, int64_t fingerprint);
  struct Tensor *(*unpack)(struct Call *, struct Node *, int place, int64_t *fingerprint);
} Host;

/* What the host knows of its collections of garbage (lua/pressure.c); times in seconds. */
typedef struct Pressure {
  double last_full, cost;   /* when the last full one ended, and what it took */
  double last_tidy;         /* when the last one for the cache's sake did */
  double per_block;         /* what freeing one tensor takes, at best */
  uint64_t handed_out;      /* memory's at the collector's last step */
  size_t patience, spacing; /* how many times the least bytes gather before the next of those: for what they cost, and
                               so that tensors don't live across two of them */
  int calm;                 /* how many went by since the spacing changed and found no more than one such */
  uint64_t sequence;        /* the context's at the last look: graphs were recorded since if it differs */
  bool generational;        /* what the last steps say of the collector's mode */
  int probes;               /* steps for the cache's sake that didn't find it generational */
  int last_step;            /* what the last step came to */
  bool marked;              /* an incremental cycle has marked what lives since garbage was looked for */
  size_t heap;              /* bytes of Lua's own after the last cycle */
  size_t left, unseen;      /* bytes after the last slice; those that came while the cycle swept */
  int slices, cycle_slices; /* of the incremental cycle that goes on, and of the last whole one */
} Pressure;

struct Context {
  Memory memory;
  Pressure pressure;
  Generator generator;
  Host host;

  /* scopes: the tensors that running calls own, innermost last */
  struct Tensor **owned;
  size_t owned_count, owned_capacity;
  Entry *entry;
  struct ArenaBlock *arena;
  size_t arena_used;

  /* the error being raised */
  char error[ERROR_TEXT];
  bool error_is_foreign;   /* the host holds the error value */
  bool error_is_interrupt; /* the user's request to stop */

  /* modes, refreshed by the host at each entry */
  bool queued_callbacks; /* the host has functions to call when a backward is done */
  int mode_tokens;       /* how many mode tokens are open in any coroutine */
  void *modes;           /* the host's list of them */
  uint32_t scope;        /* the host's: where it notes new userdata (lua/scope.c); 0: nowhere */
  void *scopes;          /* and its lists of them */
  void *carriers;        /* what the host keeps for nodes and leaves: lua/carriers.c */
  bool grad_enabled, inference, anomaly, anomaly_check_nan;
  bool recording_suspended;  /* inside a primitive op's forward */
  bool changes_in_place;     /* what is being changed must not be left half done: core/interrupt.h */
  bool closed;               /* its interpreter is gone; it waits for storages that hosts hold */
  bool in_finalizers;        /* memory ran out within an op, and the host collects garbage */
  uint64_t saved_hooks;      /* the host's number of the hooks that pack what graphs save; 0: none */
  uint64_t no_saved_hooks;   /* and of the message that says why there must not be any; 0: there may be */
  struct Unpacked *unpacked; /* nodes whose saved tensors are still to be packed, the last one first */
  DType default_dtype;
  uint8_t default_device; /* a Device: where new tensors are, if nothing else is said */
  DType autocast;         /* the half precision that ops are run in (autograd/autocast.h); DTYPE_NONE: off */

  uint64_t sequence;  /* numbers of nodes, ever growing */
  struct Node *dying; /* nodes to be freed: releasing them is iterative */
  bool freeing_nodes;
  struct Tensor *live; /* all tensors */
  size_t live_tensors, live_storages, live_nodes;
  uint32_t first_writes;      /* of the last new storage: Storage.writes */
  struct Task *task;          /* the innermost running backward */
  struct FftPlans *fft_plans; /* plans of transforms, for the next of their length: launch/fft/plan.h */

  const char *node;          /* of the step of a program that is running: errors name it; NULL: none */
  struct Recorder *recorder; /* what is told of each op that runs (core/recorder.h); NULL: nothing */
  struct Profiler *profiler; /* what times them (core/profiler.h); NULL: nothing */

  struct Transform *transforms; /* those under way, innermost first: autograd/transform.h */
  uint64_t transform_number;    /* that of the last one */
  bool quiet_of_rows;           /* no warning where an op of a batch goes row by row */
  uint8_t *told_of_rows;        /* of which ops one has been given; malloc'ed, NULL: of none */
};

Context *context_new(void);

/* Frees the context and its tensors, once no host holds one of their storages any more. */
void context_close(Context *ctx);

#endif
