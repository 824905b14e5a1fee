/* Who watches whom: the ranks 1, 2, 4, 8… places on, so that a sign reaches all in a few steps whoever is missing. */
#include "distributed/vital_signs.h"

#include <stdatomic.h>

enum { MOST_NEIGHBOURS = 31, NOBODY = -1, LEAVING = -2 };

static const double interval = 0.5; /* seconds between signs */

typedef struct Neighbour {
  int watched, watcher;
  void *receiving, *sending;
  int32_t received, sent;  /* who is missing, or NOBODY, or LEAVING */
  double last;             /* when the watched gave its last sign */
  bool has_left, was_told; /* that the watched, and we, leave */
} Neighbour;

static struct {
  const Transport *transport;
  Neighbour neighbours[MOST_NEIGHBOURS];
  int n, group;
  double next;
  atomic_int missing;
} signs = {.missing = NOBODY};

static void receive(Neighbour *b)
{
  char error[100];
  const Transfer t = {
    .kind = RECEIVE, .dtype = DTYPE_i32, .group = signs.group, .peer = b->watched, .count = 1, .to = &b->received};
  if (!signs.transport->start(&t, &b->receiving, error, sizeof error)) b->receiving = NULL;
}

static void send(Neighbour *b, int32_t what)
{
  char error[100];
  const Transfer t = {
    .kind = SEND, .dtype = DTYPE_i32, .group = signs.group, .peer = b->watcher, .count = 1, .from = &b->sent};
  b->sent = what;
  if (!signs.transport->start(&t, &b->sending, error, sizeof error)) b->sending = NULL;
}

bool vital_signs_begin(const Transport *transport, int rank, int size, char *error, size_t error_size)
{
  signs.transport = transport;
  signs.group = transport->new_group(NULL, size, error, error_size);
  if (signs.group < 0) return false;
  for (int distance = 1; distance < size; distance *= 2) {
    Neighbour *b = &signs.neighbours[signs.n++];
    *b = (Neighbour){
      .watched = (rank + size - distance) % size, .watcher = (rank + distance) % size, .received = NOBODY};
    receive(b);
  }
  return true;
}

/* How a request stands; one that was never made is done. */
static TransferState look_at(void **request)
{
  int peer;
  char error[100];
  return *request ? signs.transport->test(request, &peer, error, sizeof error) : TRANSFER_DONE;
}

/* What the watched has to say, and whether it has said something in time. */
static void hear(Neighbour *b, double now, double patience)
{
  if (b->last == 0) b->last = now;
  if (b->receiving && look_at(&b->receiving) == TRANSFER_DONE) {
    b->last = now;
    if (b->received >= 0) atomic_store(&signs.missing, b->received);
    b->has_left = b->received == LEAVING;
    if (!b->has_left) receive(b);
  }
  int nobody = NOBODY;
  if (!b->has_left && now - b->last > patience) atomic_compare_exchange_strong(&signs.missing, &nobody, b->watched);
}

void vital_signs_tick(double now, double patience)
{
  const bool is_due = now >= signs.next;
  for (int i = 0; i < signs.n; i++) {
    Neighbour *b = &signs.neighbours[i];
    hear(b, now, patience);
    if (is_due && look_at(&b->sending) != TRANSFER_RUNS) send(b, atomic_load(&signs.missing));
  }
  if (is_due) signs.next = now + interval;
}

int vital_signs_missing(void) { return atomic_load(&signs.missing); }

bool vital_signs_end(double now, double patience)
{
  bool over = true;
  for (int i = 0; i < signs.n; i++) {
    Neighbour *b = &signs.neighbours[i];
    hear(b, now, patience);
    const bool is_sent = look_at(&b->sending) != TRANSFER_RUNS;
    if (is_sent && !b->was_told) {
      send(b, LEAVING);
      b->was_told = true;
    }
    over &= b->has_left && b->was_told && is_sent;
  }
  return over;
}
