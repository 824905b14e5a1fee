/* Threads that take chunks of a loop one by one until none is left; the caller takes its share. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* sched_getaffinity */
#endif
#include "core/parallel.h"

#include "core/interrupt.h"
#include "core/profiler.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

enum {
  MAX_THREADS = 256,
  SPINS = 1000 /* pauses before a thread sleeps: some 10 to 20 microseconds */
};

/* How a loop runs. Its caller holds `busy`, writes the job, opens the gate and
   bumps `round`. A worker that sees a new round enters by the gate, which
   counts who is inside, and claims chunks until none is left, as the caller
   does. The caller then closes the gate and waits for the count to fall to
   zero. A worker that wakes too late finds the gate closed, so nobody ever
   waits for a thread that has not started. */
enum { GATE_OPEN = 1 << 16 };

typedef struct Job {
  ParallelBody body;
  void *arg;
  int64_t n, grain, chunks;
  bool stops;    /* at the user's request */
  bool is_timed; /* for a profile */
} Job;

/* When a worker began with its part of a timed loop, and ended; begin is 0 where it had none. */
typedef struct Span {
  int64_t begin, end;
} Span;

static struct Pool {
  atomic_flag busy;  /* held by the caller of a loop, and while workers start or stop */
  atomic_int wanted; /* threads of a loop; 0: not yet asked */
  int planned;       /* `wanted` when the workers were started; 0: none were. Guarded by busy */
  int workers;       /* how many started. Guarded by busy */
  pthread_t ids[MAX_THREADS];
  Job job;
  Span spans[MAX_THREADS]; /* by worker */
  atomic_int numbered;     /* workers that have their number */
  atomic_llong next;       /* next chunk to claim */
  atomic_int gate;         /* GATE_OPEN, plus the number of workers inside */
  atomic_uint round;
  atomic_bool quit;
  atomic_int sleepers;       /* workers about to sleep or asleep */
  atomic_bool caller_sleeps; /* the caller is about to sleep or asleep */
  pthread_mutex_t mutex;
  pthread_cond_t wake, done;
} pool = {.busy = ATOMIC_FLAG_INIT,
          .mutex = PTHREAD_MUTEX_INITIALIZER,
          .wake = PTHREAD_COND_INITIALIZER,
          .done = PTHREAD_COND_INITIALIZER};

static _Thread_local bool in_region;

static inline void cpu_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

static void job_run_chunk(const Job *job, int64_t chunk)
{
  int64_t begin = chunk * job->grain;
  int64_t left = job->n - begin;
  job->body(job->arg, begin, left > job->grain ? begin + job->grain : job->n);
}

static bool job_is_stopped(const Job *job) { return job->stops && interrupt_is_requested(); }

static void job_run_claimed(const Job *job)
{
  while (!job_is_stopped(job)) {
    int64_t chunk = atomic_fetch_add_explicit(&pool.next, 1, memory_order_relaxed);
    if (chunk >= job->chunks) return;
    job_run_chunk(job, chunk);
  }
}

/* Sleeping: whoever sleeps announces it and then looks once more; whoever has
   news publishes it and then looks for sleepers. All four are sequentially
   consistent, so one of the two sees the other. */

static unsigned worker_await_round(unsigned seen)
{
  for (int i = 0; i < SPINS; i++) {
    unsigned now = atomic_load_explicit(&pool.round, memory_order_acquire);
    if (now != seen) return now;
    cpu_pause();
  }
  pthread_mutex_lock(&pool.mutex);
  atomic_fetch_add(&pool.sleepers, 1);
  unsigned now;
  while ((now = atomic_load(&pool.round)) == seen) pthread_cond_wait(&pool.wake, &pool.mutex);
  atomic_fetch_sub(&pool.sleepers, 1);
  pthread_mutex_unlock(&pool.mutex);
  return now;
}

static bool gate_enter(void)
{
  int gate = atomic_load(&pool.gate);
  while (gate & GATE_OPEN)
    if (atomic_compare_exchange_weak(&pool.gate, &gate, gate + 1)) return true;
  return false;
}

static void gate_leave(void)
{
  if (atomic_fetch_sub(&pool.gate, 1) == 1 && atomic_load(&pool.caller_sleeps)) {
    pthread_mutex_lock(&pool.mutex);
    pthread_cond_signal(&pool.done);
    pthread_mutex_unlock(&pool.mutex);
  }
}

static void gate_close_and_wait(void)
{
  atomic_fetch_sub(&pool.gate, GATE_OPEN);
  for (int i = 0; i < SPINS; i++) {
    if (atomic_load(&pool.gate) == 0) return;
    cpu_pause();
  }
  pthread_mutex_lock(&pool.mutex);
  atomic_store(&pool.caller_sleeps, true);
  while (atomic_load(&pool.gate) != 0) pthread_cond_wait(&pool.done, &pool.mutex);
  atomic_store(&pool.caller_sleeps, false);
  pthread_mutex_unlock(&pool.mutex);
}

static void run_timed(const Job *job, Span *span)
{
  span->begin = profile_clock();
  job_run_claimed(job);
  span->end = profile_clock();
}

static void *worker_main(void *first_round)
{
  unsigned seen = (unsigned)(uintptr_t)first_round;
  int number = atomic_fetch_add(&pool.numbered, 1);
  in_region = true;
  for (;;) {
    seen = worker_await_round(seen);
    if (atomic_load(&pool.quit)) return NULL;
    if (gate_enter()) {
      if (pool.job.is_timed) run_timed(&pool.job, &pool.spans[number]);
      else job_run_claimed(&pool.job);
      gate_leave();
    }
  }
}

static void pool_announce(int64_t useful)
{
  atomic_fetch_add(&pool.round, 1);
  int sleepers = atomic_load(&pool.sleepers);
  if (sleepers == 0) return;
  pthread_mutex_lock(&pool.mutex);
  if (useful >= sleepers) pthread_cond_broadcast(&pool.wake);
  else
    for (; useful > 0; useful--) pthread_cond_signal(&pool.wake);
  pthread_mutex_unlock(&pool.mutex);
}

static void pool_stop(void)
{
  atomic_store(&pool.quit, true);
  pool_announce(MAX_THREADS);
  for (int i = 0; i < pool.workers; i++) pthread_join(pool.ids[i], NULL);
  atomic_store(&pool.quit, false);
  atomic_store(&pool.numbered, 0);
  pool.workers = 0;
}

/* In the child of a fork no worker lives, and a lock may be held by a thread
   that is no more: everything but `wanted` starts anew. */
static void pool_forget(void)
{
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
  pool.mutex = mutex;
  pool.wake = cond;
  pool.done = cond;
  pool.planned = 0;
  pool.workers = 0;
  atomic_store(&pool.gate, 0);
  atomic_store(&pool.sleepers, 0);
  atomic_store(&pool.numbered, 0);
  atomic_store(&pool.quit, false);
  atomic_store(&pool.caller_sleeps, false);
  atomic_flag_clear(&pool.busy);
}

/* Starts the workers that `threads` needs; where the system gives fewer, loops run with those. */
static void pool_start(int threads)
{
  static const int own_faults[] = {SIGBUS, SIGSEGV, SIGFPE, SIGILL};
  static bool watching_forks;
  if (!watching_forks) watching_forks = pthread_atfork(NULL, NULL, pool_forget) == 0;
  pool_stop();
  pool.planned = threads;
  if (!watching_forks) return;
  /* Signals go to the threads of the program: Ctrl-C must reach the interpreter. But for a thread's own faults, which
     end the process where they are held back: a page of a mapped file may be lost (io/mapped.h). */
  sigset_t others, before;
  sigfillset(&others);
  for (size_t i = 0; i < sizeof own_faults / sizeof *own_faults; i++) sigdelset(&others, own_faults[i]);
  pthread_sigmask(SIG_SETMASK, &others, &before);
  void *round = (void *)(uintptr_t)atomic_load(&pool.round);
  while (pool.workers < threads - 1 && pthread_create(&pool.ids[pool.workers], NULL, worker_main, round) == 0)
    pool.workers++;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static int threads_default(void)
{
  const char *text = getenv("NNLUA_NUM_THREADS");
  long n = text ? strtol(text, NULL, 10) : 0;
#ifdef __linux__
  cpu_set_t cpus;
  if (n < 1 && sched_getaffinity(0, sizeof cpus, &cpus) == 0) n = CPU_COUNT(&cpus);
#endif
  if (n < 1) n = sysconf(_SC_NPROCESSORS_ONLN);
  return n < 1 ? 1 : n > MAX_THREADS ? MAX_THREADS : (int)n;
}

int parallel_threads(void)
{
  int n = atomic_load_explicit(&pool.wanted, memory_order_relaxed);
  if (n > 0) return n;
  int none = 0;
  n = threads_default();
  return atomic_compare_exchange_strong(&pool.wanted, &none, n) ? n : none;
}

void parallel_set_threads(int n)
{
  /* The pool follows when the next loop starts: here another thread may hold it. */
  atomic_store(&pool.wanted, n < 1 ? threads_default() : n > MAX_THREADS ? MAX_THREADS : n);
}

/* Tells the profile which workers took part, and when. */
static void tell_profile(Context *ctx)
{
  for (int i = 0; i < pool.workers; i++)
    if (pool.spans[i].begin) profile_thread(ctx, i + 1, pool.spans[i].begin, pool.spans[i].end);
}

static void pool_run(const Job *job, int threads)
{
  if (pool.planned != threads) pool_start(threads);
  Context *profiled = profile_context();
  pool.job = *job;
  pool.job.is_timed = profiled != NULL;
  for (int i = 0; profiled && i < pool.workers; i++) pool.spans[i].begin = 0;
  atomic_store_explicit(&pool.next, 0, memory_order_relaxed);
  in_region = true;
  if (pool.workers > 0) {
    atomic_store(&pool.gate, GATE_OPEN);
    pool_announce(job->chunks - 1);
    job_run_claimed(&pool.job);
    gate_close_and_wait();
    if (profiled) tell_profile(profiled);
  } else {
    job_run_claimed(&pool.job);
  }
  in_region = false;
}

void parallel_for(int64_t n, int64_t grain, ParallelBody body, void *arg)
{
  if (n <= 0) return;
  if (grain < 1) grain = 1;
  if (n <= grain) {
    body(arg, 0, n);
    return;
  }
  Context *ctx = in_region ? NULL : interrupt_target();
  Job job = {.body = body, .arg = arg, .n = n, .grain = grain, .chunks = (n - 1) / grain + 1, .stops = ctx != NULL};
  int threads = in_region ? 1 : parallel_threads();
  if (threads > 1 && !atomic_flag_test_and_set_explicit(&pool.busy, memory_order_acquire)) {
    pool_run(&job, threads);
    atomic_flag_clear_explicit(&pool.busy, memory_order_release);
  } else {
    for (int64_t chunk = 0; chunk < job.chunks && !job_is_stopped(&job); chunk++) job_run_chunk(&job, chunk);
  }
  if (job_is_stopped(&job)) raise_interrupted(ctx);
}
