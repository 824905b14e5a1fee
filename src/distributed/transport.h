/*
 * What moves bytes between processes: the interface of the small modules that are built for each MPI found
 * (mpi/mpi.c), which have no common binary interface of their own. Only the messenger's thread calls it.
 */
#ifndef NNLUA_DISTRIBUTED_TRANSPORT_H
#define NNLUA_DISTRIBUTED_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/dtype.h"

typedef enum TransferKind {
  BARRIER,
  BROADCAST,      /* `count` elements of `to`, from the root's */
  ALL_REDUCE,     /* `count` elements of `from`, combined, into every `to`; the two may be the same memory */
  REDUCE,         /* likewise into the root's `to` */
  ALL_GATHER,     /* `count` elements of each `from` into every `to`, by rank */
  GATHER,         /* likewise into the root's `to` */
  SCATTER,        /* the root's `from`, `count` elements for each rank, into `to` */
  REDUCE_SCATTER, /* each rank's `from`, `count` elements for each rank, combined, into `to` */
  ALL_TO_ALL,     /* from_counts[r] elements of `from` to each rank r, and to_counts[r] from it into `to` */
  SEND,           /* `count` elements of `from` to the peer */
  RECEIVE         /* at most `count` elements from the peer into `to` */
} TransferKind;

typedef enum Reduction { SUM, PRODUCT, MINIMUM, MAXIMUM, BAND, BOR, BXOR, REDUCTIONS } Reduction;

enum { WORLD = 0, MOST_GROUPS = 1024, ANY_PEER = -1 };

/* Memory lies in one stretch. Counts are elements. */
typedef struct Transfer {
  TransferKind kind;
  Reduction reduction;
  DType dtype;
  int group; /* a number that the transport gave, or WORLD */
  int peer;  /* root, source or destination by its rank in the group; ANY_PEER: a source that is not chosen */
  int tag;
  int64_t count;
  const void *from;
  void *to;
  const int *from_counts, *to_counts; /* of ALL_TO_ALL, one a rank */
} Transfer;

typedef enum TransferState { TRANSFER_RUNS, TRANSFER_DONE, TRANSFER_FAILED } TransferState;

/* What both sides must agree on, for a module may be of another build. */
enum { TRANSPORT_FORM = (int)sizeof(Transfer) * 100 + DTYPE_COUNT };

/* Functions that may fail return false, or TRANSFER_FAILED, and say why. */
typedef struct Transport {
  int form; /* TRANSPORT_FORM */
  /* Joins the other processes; the launcher has started them all. */
  bool (*open)(int *rank, int *size, char *error, size_t error_size);
  /* Names the library and its version. */
  void (*describe)(char *text, size_t size);
  /* Begins a transfer; *request is what `test` wants to have. */
  bool (*start)(const Transfer *t, void **request, char *error, size_t error_size);
  /* Looks at a transfer and moves on what can be moved; where it is done and was a RECEIVE, *peer is the source. After
     anything but TRANSFER_RUNS the request is gone. */
  TransferState (*test)(void **request, int *peer, char *error, size_t error_size);
  /* Gives a message up that may never come. */
  void (*cancel)(void *request);
  /* A group of some ranks of the world, in this order, of which the caller is one (NULL: of all); all of them call it,
     and wait for each other. Its number, below MOST_GROUPS, or -1. It lasts until the process leaves. */
  int (*new_group)(const int *ranks, int n, char *error, size_t error_size);
  /* Leaves; the others wait for it. */
  void (*close)(void);
} Transport;

/* The one function that a module has. */
typedef const Transport *TransportFunction(void);

#endif
