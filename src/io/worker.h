/* Processes that work for this one: messages between the two over a socket, and memory that both see. */
#ifndef NNLUA_IO_WORKER_H
#define NNLUA_IO_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct SharedMemory SharedMemory;

/* Bytes [start, end) of an allocation. */
typedef struct Bytes {
  unsigned char *data;
  size_t start, end, size;
} Bytes;

/* One end of a worker: the one that began it has the process, the worker itself has 0 there. */
typedef struct Worker {
  int descriptor;       /* of the socket; -1 when closed */
  pid_t process, owner; /* the worker, until it has been waited for, and who began it */
  Bytes in, out;        /* what has come, and the message that is being written */
  SharedMemory *shared; /* NULL if there was none to be had */
  struct Worker *next;  /* of all that this process began */
} Worker;

typedef enum WorkerNews { WORKER_SILENT, WORKER_MESSAGE, WORKER_GONE } WorkerNews;

/* Begins a worker, whose process goes on from here too: 1 there, 0 in this one, -1 if there is none (errno). `user` is
   whatever the one who gives blocks back wants to find with them. */
int worker_fork(Worker *w, void *user);

/* Room for so many bytes more of the message that is being written, at its end; NULL without memory. */
unsigned char *worker_write(Worker *w, size_t bytes);

/* Sends what was written, reading meanwhile what comes; false if the other end is gone. */
bool worker_send(Worker *w);

/* Waits for a message so many milliseconds; without limit if negative. May end early, at a signal. */
WorkerNews worker_wait(Worker *w, int milliseconds);

/* The same for any of several; the first that has news is given, or -1. */
int worker_wait_any(Worker *const *workers, int n, int milliseconds);

/* The message that came, and takes it away. */
Bytes worker_message(const Worker *w);
void worker_drop_message(Worker *w);

/* Closes the socket, so that a worker that waits ends. */
void worker_hang_up(Worker *w);

/* How a process ended: the number of a signal, or its exit status. Not known if it was ended before. */
typedef struct WorkerEnd {
  bool known, by_signal;
  int number;
} WorkerEnd;

/* Waits until the process has ended, so many milliseconds, and then ends it. Frees everything but memory that is still
   lent. */
WorkerEnd worker_end(Worker *w, int milliseconds);

/* ------------------------------------------------------------ shared memory */

/* In the worker: a block that is lent to the other end until it gives it back, and its place; NULL if there is none. */
void *shared_lend(SharedMemory *shared, size_t bytes, uint64_t *place);

/* In the one that began it: the block at a place, how many bytes it takes, and what keeps all of the memory until the
   block is given back. */
void *shared_block(const SharedMemory *shared, uint64_t place);
size_t shared_bytes(const void *block);
void shared_hold(SharedMemory *shared);
void *shared_user(const SharedMemory *shared); /* what worker_fork was given for it */
void shared_give_back(SharedMemory *shared, void *block);

#endif
