/* Worker processes: fork, a pair of sockets with framed messages, and a stretch of shared memory with blocks in it. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* MAP_ANONYMOUS, madvise */
#endif
#include "io/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ------------------------------------------------------------ shared memory */

/*
 * Mapped before the fork and never moved; pages come when they are touched. The worker cuts blocks off and lends them,
 * the other end gives them back by a word in the block itself, so nothing needs to be sent. Only the worker joins and
 * cuts blocks, and only those that are not lent.
 */
struct SharedMemory {
  char *base;
  size_t size, end; /* `end`: up to where there are blocks, in the worker */
  pid_t holder;     /* the process that blocks are lent to */
  size_t refs;      /* the Worker, and blocks that are held */
  void *user;
  bool is_left; /* the worker has ended: pages that come back are given to the system */
};

typedef struct Block {
  uint64_t bytes; /* with this header; the next block is behind them */
  _Atomic uint32_t lent;
} Block;

enum { PAGE = 4096, HEADER = 64 };

#define MOST_SHARED ((size_t)1 << 36)
#define LEAST_SHARED ((size_t)1 << 26)

static void *map_shared(size_t bytes)
{
  return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

static SharedMemory *shared_new(void *user)
{
  SharedMemory *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  s->size = MOST_SHARED;
  void *base;
  while ((base = map_shared(s->size)) == MAP_FAILED && s->size > LEAST_SHARED) s->size /= 2;
  if (base == MAP_FAILED) {
    free(s);
    return NULL;
  }
  s->base = base;
  s->holder = getpid();
  s->refs = 1;
  s->user = user;
  return s;
}

static void shared_release(SharedMemory *s)
{
  if (--s->refs > 0) return;
  munmap(s->base, s->size);
  free(s);
}

static Block *block_at(const SharedMemory *s, uint64_t place) { return (Block *)(void *)(s->base + place); }

static bool is_lent(const Block *b) { return atomic_load_explicit(&b->lent, memory_order_acquire) != 0; }

/* The first stretch of free blocks that is long enough, joined to one; else a new block at the end. */
static Block *find_block(SharedMemory *s, size_t bytes)
{
  uint64_t place = 0;
  while (place < s->end) {
    Block *b = block_at(s, place);
    if (!is_lent(b)) {
      while (place + b->bytes < s->end && !is_lent(block_at(s, place + b->bytes)))
        b->bytes += block_at(s, place + b->bytes)->bytes;
      if (b->bytes >= bytes) return b;
    }
    place += b->bytes;
  }
  if (bytes > s->size - s->end) return NULL;
  Block *b = block_at(s, s->end);
  *b = (Block){.bytes = bytes};
  s->end += bytes;
  return b;
}

void *shared_lend(SharedMemory *s, size_t bytes, uint64_t *place)
{
  if (!s || bytes > s->size - HEADER - PAGE) return NULL;
  size_t whole = (bytes + HEADER + PAGE - 1) & ~(size_t)(PAGE - 1);
  Block *b = find_block(s, whole);
  if (!b) return NULL;
  *place = (uint64_t)((char *)b - s->base);
  if (b->bytes > whole) {
    *block_at(s, *place + whole) = (Block){.bytes = b->bytes - whole};
    b->bytes = whole;
  }
  atomic_store_explicit(&b->lent, 1, memory_order_relaxed); /* the message that tells of it publishes it */
  return (char *)b + HEADER;
}

void *shared_block(const SharedMemory *s, uint64_t place) { return (char *)block_at(s, place) + HEADER; }

static Block *header_of(const void *block) { return (Block *)(void *)((uintptr_t)block - HEADER); }

size_t shared_bytes(const void *block) { return header_of(block)->bytes; }

void shared_hold(SharedMemory *s) { s->refs++; }

void *shared_user(const SharedMemory *s) { return s->user; }

void shared_give_back(SharedMemory *s, void *block)
{
  if (getpid() != s->holder) return; /* in a child of the process that holds it, which goes on holding it */
  Block *b = header_of(block);
  if (s->is_left) madvise(b, b->bytes, MADV_REMOVE);
  else atomic_store_explicit(&b->lent, 0, memory_order_release);
  shared_release(s);
}

/* The worker has ended: gives the pages of blocks that are not lent to the system. */
static void shared_leave(SharedMemory *s)
{
  s->is_left = true;
  for (uint64_t place = 0; s->refs > 1 && place < s->size;) {
    Block *b = block_at(s, place);
    uint64_t bytes = b->bytes;
    if (bytes == 0) break; /* beyond the last block nothing has been written */
    if (!is_lent(b)) madvise(b, bytes, MADV_REMOVE);
    place += bytes;
  }
  shared_release(s);
}

/* -------------------------------------------------------------------- begin */

static Worker *began; /* all that this process began and has not ended */

/* In a new worker: those that its parent began are no concern of its own. */
static void forget_others(void)
{
  for (Worker *w = began; w; w = w->next) {
    if (w->descriptor >= 0) close(w->descriptor);
    w->descriptor = -1;
    w->process = 0;
  }
  began = NULL;
}

static bool make_sockets(int sockets[2])
{
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0) return false;
  for (int i = 0; i < 2; i++) fcntl(sockets[i], F_SETFD, FD_CLOEXEC);
  return true;
}

int worker_fork(Worker *w, void *user)
{
  int sockets[2];
  *w = (Worker){.descriptor = -1, .owner = getpid()};
  if (!make_sockets(sockets)) return -1;
  w->shared = shared_new(user);
  pid_t process = fork();
  bool is_worker = process == 0;
  if (process < 0) {
    int error = errno;
    close(sockets[0]);
    close(sockets[1]);
    if (w->shared) shared_release(w->shared);
    w->shared = NULL;
    errno = error;
    return -1;
  }
  close(sockets[is_worker ? 0 : 1]);
  w->descriptor = sockets[is_worker ? 1 : 0];
  if (is_worker) {
    forget_others();
    signal(SIGINT, SIG_IGN); /* a terminal's Ctrl-C goes to all; the process that began this one ends it */
    signal(SIGTERM, SIG_DFL);
    return 1;
  }
  w->process = process;
  w->next = began;
  began = w;
  return 0;
}

/* ----------------------------------------------------------------- messages */

/* A message is its length, of 8 bytes, and so many bytes. */
enum { LENGTH = 8 };

static bool bytes_reserve(Bytes *b, size_t more)
{
  if (b->start == b->end) b->start = b->end = 0;
  if (b->end + more <= b->size) return true;
  if (b->start > 0) {
    memmove(b->data, b->data + b->start, b->end - b->start);
    b->end -= b->start;
    b->start = 0;
    if (b->end + more <= b->size) return true;
  }
  size_t size = b->size ? b->size : 4096;
  while (size < b->end + more) size *= 2;
  unsigned char *data = realloc(b->data, size);
  if (!data) return false;
  b->data = data;
  b->size = size;
  return true;
}

unsigned char *worker_write(Worker *w, size_t bytes)
{
  size_t first = w->out.end == 0 ? LENGTH : 0;
  if (!bytes_reserve(&w->out, bytes + first)) return NULL;
  unsigned char *room = w->out.data + w->out.end + first;
  w->out.end += bytes + first;
  return room;
}

/* Reads what has come, without waiting. */
static WorkerNews read_some(Worker *w)
{
  if (w->descriptor < 0 || !bytes_reserve(&w->in, 1 << 16)) return WORKER_GONE;
  ssize_t n = recv(w->descriptor, w->in.data + w->in.end, w->in.size - w->in.end, MSG_DONTWAIT);
  if (n > 0) w->in.end += (size_t)n;
  if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))) return WORKER_SILENT;
  return WORKER_GONE;
}

bool worker_send(Worker *w)
{
  uint64_t length = w->out.end - LENGTH;
  memcpy(w->out.data, &length, LENGTH);
  while (w->descriptor >= 0 && w->out.start < w->out.end) {
    ssize_t n = send(w->descriptor, w->out.data + w->out.start, w->out.end - w->out.start, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0) w->out.start += (size_t)n;
    else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) break;
    else {
      struct pollfd news = {.fd = w->descriptor, .events = POLLIN | POLLOUT};
      poll(&news, 1, -1);
      /* the other end may be sending too, and wait for this one to read */
      if (news.revents & POLLIN && read_some(w) == WORKER_GONE) break;
    }
  }
  bool sent = w->out.start == w->out.end;
  w->out.start = w->out.end = 0;
  return sent;
}

static bool has_message(const Worker *w)
{
  uint64_t length;
  if (w->in.end - w->in.start < LENGTH) return false;
  memcpy(&length, w->in.data + w->in.start, LENGTH);
  return w->in.end - w->in.start - LENGTH >= length;
}

WorkerNews worker_wait(Worker *w, int milliseconds)
{
  while (!has_message(w)) {
    size_t before = w->in.end - w->in.start;
    if (read_some(w) == WORKER_GONE) return WORKER_GONE;
    if (w->in.end - w->in.start > before) continue;
    struct pollfd news = {.fd = w->descriptor, .events = POLLIN};
    if (poll(&news, 1, milliseconds) <= 0) return WORKER_SILENT;
  }
  return WORKER_MESSAGE;
}

int worker_wait_any(Worker *const *workers, int n, int milliseconds)
{
  for (int i = 0; i < n; i++)
    if (workers[i]->descriptor < 0 || has_message(workers[i])) return i;
  struct pollfd *news = calloc((size_t)n + 1, sizeof *news);
  int found = -1;
  if (!news) return found;
  for (int i = 0; i < n; i++) news[i] = (struct pollfd){.fd = workers[i]->descriptor, .events = POLLIN};
  if (poll(news, (nfds_t)n, milliseconds) > 0)
    for (int i = 0; i < n && found < 0; i++)
      if (news[i].revents) found = i;
  free(news);
  return found;
}

Bytes worker_message(const Worker *w)
{
  uint64_t length;
  memcpy(&length, w->in.data + w->in.start, LENGTH);
  return (Bytes){.data = w->in.data + w->in.start + LENGTH, .end = length, .size = length};
}

void worker_drop_message(Worker *w) { w->in.start += LENGTH + worker_message(w).end; }

/* ---------------------------------------------------------------------- end */

void worker_hang_up(Worker *w)
{
  if (w->descriptor >= 0 && w->owner == getpid()) close(w->descriptor);
  w->descriptor = -1;
}

/* Waits for a process, in ever longer naps; false if the time is over. */
static bool wait_for(pid_t process, int milliseconds, int *status)
{
  long nap = 50000, left = milliseconds * 1000000L;
  for (;;) {
    pid_t ended = waitpid(process, status, WNOHANG);
    if (ended == process) return true;
    if (ended < 0 && errno != EINTR) {
      *status = -1; /* waited for by someone else */
      return true;
    }
    if (left <= 0) return false;
    nanosleep(&(struct timespec){.tv_nsec = nap}, NULL);
    left -= nap;
    if (nap < 5000000) nap *= 2;
  }
}

WorkerEnd worker_end(Worker *w, int milliseconds)
{
  WorkerEnd end = {0};
  worker_hang_up(w);
  if (w->process > 0 && w->owner == getpid()) {
    for (Worker **at = &began; *at; at = &(*at)->next) {
      if (*at != w) continue;
      *at = w->next;
      break;
    }
    int status = -1;
    if (!wait_for(w->process, milliseconds, &status)) {
      kill(w->process, SIGKILL);
      while (waitpid(w->process, &status, 0) < 0 && errno == EINTR) continue;
    }
    end = status == -1          ? (WorkerEnd){0}
          : WIFSIGNALED(status) ? (WorkerEnd){true, true, WTERMSIG(status)}
                                : (WorkerEnd){true, false, WEXITSTATUS(status)};
    if (w->shared) shared_leave(w->shared);
  }
  w->process = 0;
  w->shared = NULL;
  free(w->in.data);
  free(w->out.data);
  w->in = w->out = (Bytes){0};
  return end;
}
