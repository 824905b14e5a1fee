/*
 * Links that take time, for hosts.sh where the kernel has no netem: passes frames on between two network interfaces,
 * those that come from the first one so many milliseconds later, those of the second one at once. As root:
 *   delay MILLISECONDS FIRST SECOND [FIRST SECOND …]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FRAME = 9216, SLOTS = 1 << 12, MOST_LINKS = 16, BUFFER = 1 << 23 };

typedef struct Frame {
  double due;
  ssize_t n;
  char bytes[FRAME];
} Frame;

/* Two interfaces, and what is on its way from the first to the second: frames begin..end of the ring. */
typedef struct Link {
  int first, second;
  Frame *ring;
  unsigned begin, end;
} Link;

static double now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void fail(const char *what)
{
  fprintf(stderr, "delay: %s: %s\n", what, strerror(errno));
  exit(1);
}

/* All frames that come in at an interface. */
static int open_interface(const char *name)
{
  const int yes = 1, room = BUFFER;
  const struct sockaddr_ll address = {
    .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(name)};
  int s = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL));
  if (s < 0 || address.sll_ifindex == 0 || bind(s, (const struct sockaddr *)&address, sizeof address) != 0) fail(name);
  if (setsockopt(s, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes) != 0) fail(name);
  setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  setsockopt(s, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
  return s;
}

/* A frame that the interface doesn't take, or for which there is no room, is lost, as on a link. */
static void pass_on(int from, int to)
{
  char bytes[FRAME];
  for (ssize_t n; (n = recv(from, bytes, sizeof bytes, 0)) > 0;) send(to, bytes, (size_t)n, 0);
}

static void take_in(Link *l, double delay)
{
  while (l->end - l->begin < SLOTS) {
    Frame *f = &l->ring[l->end % SLOTS];
    f->n = recv(l->first, f->bytes, sizeof f->bytes, 0);
    if (f->n <= 0) return;
    f->due = now() + delay;
    l->end++;
  }
}

/* Sends what is due; the time until the next frame is, at most `wait`. */
static double send_due(Link *l, double wait)
{
  for (; l->begin != l->end; l->begin++) {
    const Frame *f = &l->ring[l->begin % SLOTS];
    const double left = f->due - now();
    if (left > 0) return left < wait ? left : wait;
    send(l->second, f->bytes, (size_t)f->n, 0);
  }
  return wait;
}

int main(int argc, char **argv)
{
  static Link links[MOST_LINKS];
  static struct pollfd polled[2 * MOST_LINKS];
  const int n = (argc - 2) / 2;
  if (argc < 4 || argc % 2 != 0 || n > MOST_LINKS) {
    fprintf(stderr, "usage: delay MILLISECONDS FIRST SECOND [FIRST SECOND ...]\n");
    return 2;
  }
  const double delay = atof(argv[1]) / 1000;
  for (int i = 0; i < n; i++) {
    links[i] = (Link){.first = open_interface(argv[2 + 2 * i]), .second = open_interface(argv[3 + 2 * i])};
    if (!(links[i].ring = malloc(SLOTS * sizeof *links[i].ring))) fail("memory");
    polled[2 * i] = (struct pollfd){.fd = links[i].first, .events = POLLIN};
    polled[2 * i + 1] = (struct pollfd){.fd = links[i].second, .events = POLLIN};
  }
  for (;;) {
    double wait = 1;
    for (int i = 0; i < n; i++) {
      take_in(&links[i], delay);
      pass_on(links[i].second, links[i].first);
      wait = send_due(&links[i], wait);
    }
    const struct timespec t = {(time_t)wait, (long)(1e9 * (wait - (double)(time_t)wait))};
    ppoll(polled, (nfds_t)(2 * n), &t, NULL);
  }
}
