/* The messenger's thread, and what others ask of it. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* PR_SET_TIMERSLACK */
#endif
#include "distributed/messenger.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/text.h"
#include "distributed/vital_signs.h"

struct Work {
  atomic_int state, refs; /* refs: who asked, and the thread */
  Transfer transfer;
  void *request;
  Work *next;
  int result, nranks; /* nranks: of a group that is to be made */
  double began, ended;
  char error[200];
  int numbers[]; /* counts, or ranks */
};

static struct {
  pthread_mutex_t lock;
  pthread_cond_t changed, wanted; /* for those who wait, for the thread */
  TransportFunction *get;
  const Transport *transport;
  Work *queue, **queue_end; /* not begun; guarded by the lock */
  Work *running;            /* the thread's own */
  Peer *peers;
  int rank, size;
  int group_sizes[MOST_GROUPS], group_ranks[MOST_GROUPS]; /* written before the work that makes a group is done */
  atomic_int state, waiting; /* of joining, a WorkState; how many sleep in messenger_wait */
  atomic_bool has_queue, is_leaving, has_left, is_given_up;
  _Atomic double patience;
  char error[200];
} m = {.lock = PTHREAD_MUTEX_INITIALIZER, .queue_end = &m.queue, .patience = 10};

/* Sleeps until the condition is signalled, or so long; the lock is held. */
static void sleep_on(pthread_cond_t *condition, double seconds)
{
  const double end = clock_seconds() + seconds;
  const struct timespec t = {(time_t)end, (long)(1e9 * (end - (double)(time_t)end))};
  pthread_cond_timedwait(condition, &m.lock, &t);
}

/* ---------------------------------------------------------------------- work */

static Work *work_new(const int *numbers, int n, int more)
{
  Work *w = calloc(1, sizeof *w + (size_t)(n + more) * sizeof *w->numbers);
  if (!w) return NULL;
  atomic_init(&w->refs, 2);
  if (n) memcpy(w->numbers, numbers, (size_t)n * sizeof *numbers);
  return w;
}

void work_release(Work *w)
{
  if (w && atomic_fetch_sub(&w->refs, 1) == 1) free(w);
}

static Work *ask(Work *w)
{
  if (!w) return NULL;
  pthread_mutex_lock(&m.lock);
  *m.queue_end = w;
  m.queue_end = &w->next;
  atomic_store(&m.has_queue, true);
  pthread_cond_signal(&m.wanted);
  pthread_mutex_unlock(&m.lock);
  return w;
}

Work *messenger_begin(const Transfer *t)
{
  const int n = t->from_counts ? m.size : 0;
  Work *w = work_new(t->from_counts, n, n);
  if (!w) return NULL;
  w->transfer = *t;
  if (n) {
    memcpy(w->numbers + n, t->to_counts, (size_t)n * sizeof *w->numbers);
    w->transfer.from_counts = w->numbers;
    w->transfer.to_counts = w->numbers + n;
  }
  return ask(w);
}

Work *messenger_begin_group(const int *ranks, int n)
{
  Work *w = work_new(ranks, n, 0);
  if (w) w->nranks = n;
  return ask(w);
}

WorkState work_state(const Work *w) { return (WorkState)atomic_load_explicit(&w->state, memory_order_acquire); }
int work_result(const Work *w) { return w->result; }
const char *work_error(const Work *w) { return w->error; }

void work_times(const Work *w, double *began, double *ended)
{
  *began = w->began;
  *ended = w->ended;
}

/* -------------------------------------------------------------------- thread */

static void finish(Work *w, bool good)
{
  w->ended = clock_seconds();
  pthread_mutex_lock(&m.lock);
  atomic_store_explicit(&w->state, good ? WORK_DONE : WORK_FAILED, memory_order_release);
  pthread_cond_broadcast(&m.changed);
  pthread_mutex_unlock(&m.lock);
  work_release(w);
}

/* At once, for those who want a group have met before. */
static bool make_group(Work *w)
{
  int group = w->result = m.transport->new_group(w->numbers, w->nranks, w->error, sizeof w->error);
  if (group < 0) return false;
  m.group_sizes[group] = w->nranks;
  for (int i = 0; i < w->nranks; i++)
    if (w->numbers[i] == m.rank) m.group_ranks[group] = i;
  return true;
}

static void begin(Work *w)
{
  w->began = clock_seconds();
  if (w->nranks) {
    finish(w, make_group(w));
  } else if (m.transport->start(&w->transfer, &w->request, w->error, sizeof w->error)) {
    Work **end = &m.running;
    while (*end) end = &(*end)->next;
    *end = w;
  } else {
    finish(w, false);
  }
}

static bool begin_queued(void)
{
  if (!atomic_exchange(&m.has_queue, false)) return false;
  pthread_mutex_lock(&m.lock);
  Work *w = m.queue;
  m.queue = NULL;
  m.queue_end = &m.queue;
  pthread_mutex_unlock(&m.lock);
  while (w) {
    Work *next = w->next;
    w->next = NULL;
    begin(w);
    w = next;
  }
  return true;
}

/* Whether any has ended. */
static bool test_running(void)
{
  bool moved = false;
  for (Work **at = &m.running; *at;) {
    Work *w = *at;
    TransferState state = m.transport->test(&w->request, &w->result, w->error, sizeof w->error);
    if (state == TRANSFER_RUNS) {
      at = &w->next;
      continue;
    }
    *at = w->next;
    finish(w, state == TRANSFER_DONE);
    moved = true;
  }
  return moved;
}

/*
 * Between two looks. Nothing runs: until something is asked for, or a sign is due. Somebody waits: not at all for a
 * moment, since what comes is wanted at once. Else the ones who compute need the processor more, the longer the more.
 * Who sleeps has it back as soon as the time is over; who offered it by sched_yield would wait for a whole slice of
 * whatever else runs, some milliseconds.
 */
static void rest(bool moved, int *idle)
{
  enum { LOOKS_AT_ONCE = 100, LOOKS_SOON = 150 };
  *idle = moved ? 0 : *idle + 1;
  if (!m.running) {
    pthread_mutex_lock(&m.lock);
    if (!m.queue && !atomic_load(&m.is_leaving)) sleep_on(&m.wanted, 0.1);
    pthread_mutex_unlock(&m.lock);
  } else if (!atomic_load(&m.waiting) || *idle > LOOKS_AT_ONCE) {
    usleep(*idle > LOOKS_SOON ? 100 : 20);
  }
}

/* Runs a transfer to its end: while the thread joins nothing else goes on. */
static bool run_transfer(const Transfer *t)
{
  void *request;
  int peer;
  TransferState state = TRANSFER_RUNS;
  if (!m.transport->start(t, &request, m.error, sizeof m.error)) return false;
  while ((state = m.transport->test(&request, &peer, m.error, sizeof m.error)) == TRANSFER_RUNS) usleep(100);
  return state == TRANSFER_DONE;
}

static bool exchange_peers(void)
{
  Peer own = {.process = (int32_t)getpid()};
  if (gethostname(own.host, sizeof own.host - 1) != 0) text_format(own.host, sizeof own.host, "?");
  m.peers = calloc((size_t)m.size, sizeof *m.peers);
  if (!m.peers) {
    text_format(m.error, sizeof m.error, "not enough memory");
    return false;
  }
  return run_transfer(
    &(Transfer){.kind = ALL_GATHER, .dtype = DTYPE_u8, .count = sizeof own, .from = &own, .to = m.peers});
}

static bool join(void)
{
  m.transport = m.get();
  bool good = m.transport->open(&m.rank, &m.size, m.error, sizeof m.error) && exchange_peers()
              && vital_signs_begin(m.transport, m.rank, m.size, m.error, sizeof m.error);
  m.group_sizes[WORLD] = m.size;
  m.group_ranks[WORLD] = m.rank;
  pthread_mutex_lock(&m.lock);
  atomic_store(&m.state, good ? WORK_DONE : WORK_FAILED);
  pthread_cond_broadcast(&m.changed);
  pthread_mutex_unlock(&m.lock);
  return good;
}

static void mark_left(void)
{
  pthread_mutex_lock(&m.lock);
  atomic_store(&m.has_left, true);
  pthread_cond_broadcast(&m.changed);
  pthread_mutex_unlock(&m.lock);
}

static void leave(void)
{
  while (!atomic_load(&m.is_given_up) && !vital_signs_end(clock_seconds(), atomic_load(&m.patience))) usleep(1000);
  if (!atomic_load(&m.is_given_up)) m.transport->close();
  mark_left();
}

/* Messages that nobody sends would hold a process for ever. */
static void cancel_receives(void)
{
  for (Work **at = &m.running; *at;) {
    Work *w = *at;
    if (w->transfer.kind != RECEIVE) {
      at = &w->next;
      continue;
    }
    *at = w->next;
    m.transport->cancel(w->request);
    text_format(w->error, sizeof w->error, "the process leaves");
    finish(w, false);
  }
}

static bool has_reason_to_stay(void)
{
  if (atomic_load(&m.is_given_up)) return false;
  if (atomic_load(&m.is_leaving) && !atomic_load(&m.has_queue)) cancel_receives();
  return !atomic_load(&m.is_leaving) || m.running || atomic_load(&m.has_queue);
}

static void *run(void *unused)
{
  (void)unused;
  prctl(PR_SET_TIMERSLACK, 1000UL);
  if (!join()) {
    mark_left();
    return NULL;
  }
  for (int idle = 0; has_reason_to_stay();) {
    bool moved = begin_queued();
    moved |= test_running();
    vital_signs_tick(clock_seconds(), atomic_load(&m.patience));
    rest(moved, &idle);
  }
  leave();
  return NULL;
}

/* ------------------------------------------------------------ joining, waiting */

bool messenger_join(Library *transport, TransportFunction *const *get, char *error, size_t error_size)
{
  pthread_condattr_t monotonic;
  if (!library_want(transport, error, error_size)) return false;
  m.get = *get;
  if (m.get()->form != TRANSPORT_FORM) {
    text_format(error, error_size, "%s is of another build of nnlua", transport->files[0]);
    return false;
  }
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&m.changed, &monotonic);
  pthread_cond_init(&m.wanted, &monotonic);
  pthread_condattr_destroy(&monotonic);
  pthread_t thread;
  if (pthread_create(&thread, NULL, run, NULL) == 0)
    return pthread_detach(thread) == 0; /* it says itself that it left */
  text_format(error, error_size, "the system gives no thread");
  return false;
}

WorkState messenger_joined(char *error, size_t error_size)
{
  WorkState state = (WorkState)atomic_load(&m.state);
  if (state == WORK_FAILED) text_format(error, error_size, "%s", m.error);
  return state;
}

int messenger_group_size(int group) { return group >= 0 && group < MOST_GROUPS ? m.group_sizes[group] : 0; }
int messenger_group_rank(int group) { return m.group_ranks[group]; }
int messenger_rank(void) { return m.rank; }
int messenger_size(void) { return m.size; }
const Peer *messenger_peer(int rank) { return &m.peers[rank]; }
void messenger_describe(char *text, size_t size) { m.transport->describe(text, size); }
int messenger_missing(void) { return vital_signs_missing(); }
void messenger_set_patience(double seconds) { atomic_store(&m.patience, seconds); }

static void wait_for(const atomic_int *state, int from, double seconds)
{
  atomic_fetch_add(&m.waiting, 1);
  pthread_mutex_lock(&m.lock);
  if (atomic_load(state) == from) sleep_on(&m.changed, seconds);
  pthread_mutex_unlock(&m.lock);
  atomic_fetch_sub(&m.waiting, 1);
}

WorkState messenger_wait(Work *w, double seconds)
{
  wait_for(&w->state, WORK_RUNS, seconds);
  return work_state(w);
}

void messenger_wait_joined(double seconds) { wait_for(&m.state, WORK_RUNS, seconds); }

bool messenger_wait_until_left(double seconds)
{
  const double end = clock_seconds() + seconds;
  pthread_mutex_lock(&m.lock);
  while (!atomic_load(&m.has_left) && clock_seconds() < end) sleep_on(&m.changed, 0.05);
  pthread_mutex_unlock(&m.lock);
  return atomic_load(&m.has_left);
}

void messenger_leave(void)
{
  pthread_mutex_lock(&m.lock);
  atomic_store(&m.is_leaving, true);
  pthread_cond_signal(&m.wanted);
  pthread_mutex_unlock(&m.lock);
}

void messenger_give_up(void)
{
  messenger_leave();
  atomic_store(&m.is_given_up, true);
  messenger_wait_until_left(atomic_load(&m.state) == WORK_RUNS ? 0 : 0.5); /* it may hang in the midst of joining */
}
