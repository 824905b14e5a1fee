/*
 * The thread that talks to the other processes. It alone calls the transport, so transfers go on while the thread that
 * runs Lua computes, and whoever waits for one can stop waiting. There is one a process, as there is one MPI.
 */
#ifndef NNLUA_DISTRIBUTED_MESSENGER_H
#define NNLUA_DISTRIBUTED_MESSENGER_H

#include "core/library.h"
#include "distributed/transport.h"

/* Where a process runs; all know all. */
typedef struct Peer {
  char host[60];
  int32_t process;
} Peer;

typedef enum WorkState { WORK_RUNS, WORK_DONE, WORK_FAILED } WorkState;

/* Something that was asked of the messenger; shared by who asked and the thread. */
typedef struct Work Work;

/* Loads a transport and begins to join the others; false, and why, where that can't be. */
bool messenger_join(Library *transport, TransportFunction *const *get, char *error, size_t error_size);
/* Whether it has joined, which it has once all are there; WORK_FAILED says why not. */
WorkState messenger_joined(char *error, size_t error_size);

int messenger_rank(void);
int messenger_size(void);
const Peer *messenger_peer(int rank);
void messenger_describe(char *text, size_t size);

/* Begins a transfer; its counts are copied, its memory must stay until the work is over. NULL: not enough memory. */
Work *messenger_begin(const Transfer *t);
/* Begins a group; see Transport. */
Work *messenger_begin_group(const int *ranks, int n);
/* How many ranks a group has, and the own one in it; 0, and nothing, of a number that is no group's. */
int messenger_group_size(int group);
int messenger_group_rank(int group);

/* Sleeps until the work is over, or so many seconds; returns how it stands. */
WorkState messenger_wait(Work *w, double seconds);
/* The same for joining. */
void messenger_wait_joined(double seconds);

WorkState work_state(const Work *w);
/* What a finished one gave: the source of a message, the number of a group. */
int work_result(const Work *w);
const char *work_error(const Work *w);
/* When the thread began it and saw its end, by the monotonic clock. */
void work_times(const Work *w, double *began, double *ended);
/* Whoever asked gives it back; a transfer that runs goes on. */
void work_release(Work *w);

/* The rank that has given no sign of life for longer than it may, or -1. */
int messenger_missing(void);
void messenger_set_patience(double seconds);

/* Tells the thread to leave when nothing runs any more, and the others leave too; messages that haven't come are given
   up. */
void messenger_leave(void);
/* Sleeps until it has left, or so many seconds; whether it has. */
bool messenger_wait_until_left(double seconds);
/* It is to touch nothing any more, and is forgotten: it may hang within MPI. */
void messenger_give_up(void);

#endif
