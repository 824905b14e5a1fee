/* Runs MPI's launcher and passes on what it prints, line by line. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* pipe2 */
#endif
#include "cli/launcher.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lua/launched.h"

/* What a process tells the launcher's keeper stands in lines of its stderr that begin so, and is not shown. */
#define SECRET "\036nnlua "
#define VARIABLE "NNLUA_RUN"

/* Seconds that the others have to end when one has failed, or when the user wants to leave. */
static const double grace = 5;

enum { LONGEST_LINE = 1 << 16, MOST_RANKS = 1 << 16, MOST_SAID = 1 << 20 };

/* ------------------------------------------------------------ in the processes */

static bool was_started_by_run;

/* MPICH's launcher leaves the input of all ranks but 0 open: who reads it would wait for ever. */
static void close_input(void)
{
  const char *rank = getenv("PMI_RANK");
  int nothing = rank && strcmp(rank, "0") != 0 ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1;
  if (nothing < 0) return;
  dup2(nothing, STDIN_FILENO);
  close(nothing);
}

/* The variable is for this process, not for those that its script may start. */
void launcher_greet(void)
{
  char host[64] = "?";
  was_started_by_run = getenv(VARIABLE) != NULL;
  if (!was_started_by_run) return;
  unsetenv(VARIABLE);
  close_input();
  gethostname(host, sizeof host - 1);
  fprintf(stderr, SECRET "process %d on %s\n", (int)getpid(), host);
}

void launcher_tell_failure(void)
{
  if (was_started_by_run) fprintf(stderr, SECRET "fails\n");
}

/* tell_status(status): that the process ends with this one, which is none of success. */
static int tell_status(lua_State *L)
{
  if (was_started_by_run) fprintf(stderr, SECRET "ends with %d\n", (int)luaL_checkinteger(L, 1));
  return 0;
}

/* ------------------------------------------------------------------- processes */

/* Text that waits for the end of its line. */
typedef struct Text {
  char *bytes;
  size_t n;
} Text;

/* The processes by rank, as far as they have told; `lines` of their two outputs. */
typedef struct Rank {
  int process;
  char host[64];
  Text lines[2];
} Rank;

/* One of the launcher's outputs: a piece of it, up to an end of a line, and whose the last one was. */
typedef struct Stream {
  int in, number;
  FILE *out;
  bool is_open, is_coloured;
  int rank; /* -1: the launcher's own */
  size_t n;
  char piece[LONGEST_LINE];
} Stream;

typedef struct Keeper {
  pid_t launcher;
  Stream streams[2];
  Rank *ranks;
  int nranks;
  bool is_tagged;
  int failed;      /* the rank that failed first, or -1 */
  int signal;      /* that ended it, or 0 */
  int status;      /* that it ended with, as it has told, or 0 */
  bool is_named;   /* the launcher has just said by its process which one failed */
  double deadline; /* for the launcher to end; 0: none */
  char *said;      /* by the launcher itself */
  size_t nsaid;
} Keeper;

static volatile sig_atomic_t asked_to_leave;

static void on_signal(int number) { asked_to_leave = number; }

static double now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Reads a whole number where the text begins with one, and goes behind it. */
static bool take_number(const char **text, int *number)
{
  char *end;
  long n = strtol(*text, &end, 10);
  if (end == *text) return false;
  *number = (int)n;
  *text = end;
  return true;
}

/* The same of a piece of text. */
static bool take_text(const char **text, const char *piece)
{
  size_t n = strlen(piece);
  if (strncmp(*text, piece, n) != 0) return false;
  *text += n;
  return true;
}

/* The number behind a piece somewhere in a text. */
static bool find_number(const char *text, const char *piece, int *number)
{
  const char *found = strstr(text, piece);
  return found && take_text(&found, piece) && take_number(&found, number);
}

/* The parent of a process, or 0. */
static pid_t parent_of(lua_State *L, pid_t process)
{
  char text[512];
  int file = open(lua_pushfstring(L, "/proc/%d/stat", (int)process), O_RDONLY | O_CLOEXEC);
  lua_pop(L, 1);
  if (file < 0) return 0;
  ssize_t n = read(file, text, sizeof text - 1);
  close(file);
  if (n <= 0) return 0;
  text[n] = '\0';
  const char *name_end = strrchr(text, ')'); /* the name may have anything in it */
  if (!name_end || strlen(name_end) < 4 || name_end[2] == 'Z') return 0;
  const char *number = name_end + 3;
  int parent;
  return take_number(&number, &parent) ? parent : 0;
}

static bool descends_from(lua_State *L, pid_t process, pid_t ancestor)
{
  for (int steps = 0; process > 1 && steps < 1000; steps++) {
    process = parent_of(L, process);
    if (process == ancestor) return true;
  }
  return false;
}

/* Kills all that was started by what was started here; this process is a reaper, so none escapes by losing its parent.
   How many there were. */
static int kill_descendants(lua_State *L)
{
  DIR *folder = opendir("/proc");
  int n = 0;
  if (!folder) return 0;
  for (const struct dirent *entry; (entry = readdir(folder));) {
    pid_t process = (pid_t)atoi(entry->d_name);
    if (process <= 0 || !descends_from(L, process, getpid())) continue;
    kill(process, SIGKILL);
    n++;
  }
  closedir(folder);
  while (waitpid(-1, NULL, WNOHANG) > 0) continue;
  return n;
}

static void end_all(lua_State *L)
{
  for (int i = 0; i < 100 && kill_descendants(L) > 0; i++) {
    const struct timespec while_they_die = {0, 10000000};
    nanosleep(&while_they_die, NULL);
  }
}

/* ---------------------------------------------------------------------- output */

static Rank *rank_at(Keeper *k, int rank)
{
  if (rank < 0 || rank >= MOST_RANKS) return NULL;
  if (rank >= k->nranks) {
    Rank *more = realloc(k->ranks, (size_t)(rank + 1) * sizeof *more);
    if (!more) return NULL;
    memset(more + k->nranks, 0, (size_t)(rank + 1 - k->nranks) * sizeof *more);
    k->ranks = more;
    k->nranks = rank + 1;
  }
  return &k->ranks[rank];
}

static void note_failure(Keeper *k, int rank, int number)
{
  if (k->failed < 0) {
    k->failed = rank;
    k->signal = number;
  }
  if (k->deadline == 0) k->deadline = now() + grace;
}

/* What a process tells about itself. */
static void take_secret(Keeper *k, int rank, const char *text)
{
  Rank *r = rank_at(k, rank);
  if (r && take_text(&text, "process ") && take_number(&text, &r->process) && take_text(&text, " on ")) {
    size_t n = strcspn(text, "\r\n");
    if (n >= sizeof r->host) n = sizeof r->host - 1;
    memcpy(r->host, text, n);
    r->host[n] = '\0';
  } else if (take_text(&text, "fails")) {
    note_failure(k, rank, 0);
  } else if (take_text(&text, "ends with ")) {
    if (k->failed < 0) take_number(&text, &k->status);
    note_failure(k, rank, 0);
  }
}

/* Where OpenMPI says "process rank 2 … exited on signal 9", MPICH "PID 123 RUNNING AT …" and then "EXIT CODE: 9". */
static void take_launchers_own(Keeper *k, const char *line)
{
  int rank, number;
  if (find_number(line, "process rank ", &rank) && find_number(line, "exited on signal ", &number))
    note_failure(k, rank, number);
  if (strstr(line, "RUNNING AT") && find_number(line, "PID ", &number))
    for (int i = 0; i < k->nranks; i++)
      if (k->ranks[i].process == number && k->failed < 0) {
        note_failure(k, i, 0);
        k->is_named = true;
      }
  if (k->is_named && find_number(line, "EXIT CODE: ", &number) && number > 0 && number < 64) {
    k->signal = number;
    k->is_named = false;
  }
}

/* The rank of a tag of OpenMPI's, "[1,2]<stdout>:", and where the text behind it begins; -1 of anything else. */
static int openmpi_tag(const char *line, const char **text)
{
  int job, rank;
  *text = line;
  if (!take_text(&line, "[") || !take_number(&line, &job) || !take_text(&line, ",")) return -1;
  if (!take_number(&line, &rank) || !take_text(&line, "]<std")) return -1;
  line += strcspn(line, ":");
  if (!take_text(&line, ":")) return -1;
  *text = line;
  return rank;
}

/* The same at the beginning of a line, also of MPICH's tag, "[2] "; -1 of a line of the launcher's own. */
static int tag_of(const char *line, const char **text)
{
  int rank = openmpi_tag(line, text);
  if (rank >= 0) return rank;
  if (!take_text(&line, "[") || !take_number(&line, &rank) || !take_text(&line, "] ")) return -1;
  *text = line;
  return rank;
}

/* What the launcher says at length of a rank's failure is told in one line instead; all else is shown at the end. */
static void keep_line(Keeper *k, const char *line, size_t n)
{
  char *more = k->nsaid < MOST_SAID ? realloc(k->said, k->nsaid + n) : NULL;
  if (!more) return;
  memcpy(more + k->nsaid, line, n);
  k->said = more;
  k->nsaid += n;
}

/* A rank's line is whole: shown with its tag, but for what isn't for the eyes. */
static void show_line(Keeper *k, const Stream *s, int rank)
{
  Text *line = &k->ranks[rank].lines[s->number];
  if (line->n == 0) return;
  line->bytes[line->n] = '\0';
  char *secret = strstr(line->bytes, SECRET);
  if (secret) {
    take_secret(k, rank, secret + sizeof SECRET - 1);
    line->n = (size_t)(secret - line->bytes);
  }
  if (line->n > 0) {
    if (k->is_tagged && s->is_coloured) fprintf(s->out, "\033[3%dm[%d]\033[0m ", 1 + rank % 6, rank);
    else if (k->is_tagged) fprintf(s->out, "[%d] ", rank);
    fwrite(line->bytes, 1, line->n, s->out);
    if (secret) fputc('\n', s->out);
  }
  line->n = 0;
}

/* What has no end stands alone too, where it has a tag. */
static void show_last_line(Keeper *k, const Stream *s, int rank)
{
  const bool has_any = k->ranks[rank].lines[s->number].n > 0;
  show_line(k, s, rank);
  if (has_any && k->is_tagged) fputc('\n', s->out);
}

/* Adds to a rank's line, which is shown when it is whole: at its end, before it is written over, or when it is long. */
static void add_text(Keeper *k, const Stream *s, int rank, const char *text, size_t n)
{
  Rank *r = rank_at(k, rank);
  if (!r || n == 0) return;
  Text *line = &r->lines[s->number];
  if (!line->bytes) line->bytes = malloc(2 * LONGEST_LINE);
  if (!line->bytes) return;
  if (line->n + n >= 2 * LONGEST_LINE) show_line(k, s, rank);
  memcpy(line->bytes + line->n, text, n);
  line->n += n;
  if (text[n - 1] == '\n' || text[n - 1] == '\r') show_line(k, s, rank);
}

/* Where the next tag of OpenMPI's stands in a text, which may be in the midst of a line, or its end. */
static const char *next_tag(const char *text, const char *end)
{
  const char *rest;
  for (const char *at = text; (at = memchr(at, '[', (size_t)(end - at))); at++)
    if (openmpi_tag(at, &rest) >= 0) return at;
  return end;
}

static void take_piece(Keeper *k, Stream *s)
{
  s->piece[s->n] = '\0';
  const char *text = s->piece, *end = s->piece + s->n;
  bool begins = true;
  while (text < end) {
    const char *own = text;
    int rank = begins ? tag_of(text, &own) : openmpi_tag(text, &own);
    if (rank >= 0) s->rank = rank;
    const char *stop = next_tag(own, end);
    if (s->rank >= 0) {
      add_text(k, s, s->rank, own, (size_t)(stop - own));
    } else {
      take_launchers_own(k, own);
      keep_line(k, own, (size_t)(stop - own));
    }
    text = stop;
    begins = false;
  }
  if (s->n > 0 && s->piece[s->n - 1] == '\n') s->rank = -1;
  s->n = 0;
}

static void take_bytes(Keeper *k, Stream *s, const char *bytes, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    s->piece[s->n++] = bytes[i];
    if (bytes[i] == '\n' || bytes[i] == '\r' || s->n == sizeof s->piece - 1) take_piece(k, s);
  }
  if (fflush(s->out) != 0 && !asked_to_leave) asked_to_leave = SIGTERM; /* nobody reads it any more */
}

static void read_stream(Keeper *k, Stream *s)
{
  char bytes[1 << 14];
  ssize_t n = read(s->in, bytes, sizeof bytes);
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (n > 0) {
    take_bytes(k, s, bytes, (size_t)n);
    return;
  }
  take_piece(k, s);
  for (int rank = 0; rank < k->nranks; rank++) show_last_line(k, s, rank);
  fflush(s->out);
  close(s->in);
  s->is_open = false;
}

/* -------------------------------------------------------------------- watching */

/* Once the user wants to leave, or a process has failed: the launcher has some seconds to end them all. */
static bool is_to_end(Keeper *k, double *left)
{
  if (asked_to_leave && k->deadline == 0) {
    kill(k->launcher, asked_to_leave);
    k->deadline = now() + grace;
  }
  *left = k->deadline == 0 ? 0.5 : k->deadline - now();
  return k->deadline != 0 && *left <= 0;
}

/* Until the launcher has ended; its status. */
static int watch(lua_State *L, Keeper *k)
{
  int status = 0;
  double left;
  for (bool has_ended = false; !has_ended || k->streams[0].is_open || k->streams[1].is_open;) {
    if (is_to_end(k, &left)) {
      end_all(L);
      return -1;
    }
    struct pollfd polled[2];
    for (int i = 0; i < 2; i++)
      polled[i] = (struct pollfd){.fd = k->streams[i].is_open ? k->streams[i].in : -1, .events = POLLIN};
    poll(polled, 2, left > 0.1 ? 100 : (int)(left * 1000) + 1);
    for (int i = 0; i < 2; i++)
      if (polled[i].revents) read_stream(k, &k->streams[i]);
    if (!has_ended && waitpid(k->launcher, &status, WNOHANG) == k->launcher) {
      has_ended = true;
      if (k->deadline == 0) k->deadline = now() + grace; /* for what still holds its outputs */
    }
  }
  return status;
}

static _Noreturn void run_launcher(char **words, int out, int err)
{
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  signal(SIGPIPE, SIG_DFL);
  prctl(PR_SET_PDEATHSIG, SIGTERM); /* where this process is killed, the launcher ends its own */
  launched_forget();                /* where a script that was started by one starts another */
  setenv(VARIABLE, "1", 1);
  execvp(words[0], words);
  fprintf(stderr, "nnlua run: %s can't be started: %s\n", words[0], strerror(errno));
  _exit(127);
}

static bool start(Keeper *k, char **words)
{
  int ends[2][2];
  for (int i = 0; i < 2; i++)
    if (pipe2(ends[i], O_CLOEXEC) != 0) return false;
  fflush(NULL);
  prctl(PR_SET_CHILD_SUBREAPER, 1UL);
  k->launcher = fork();
  if (k->launcher < 0) return false;
  if (k->launcher == 0) run_launcher(words, ends[0][1], ends[1][1]);
  for (int i = 0; i < 2; i++) {
    FILE *out = i == 0 ? stdout : stderr;
    close(ends[i][1]);
    k->streams[i].in = ends[i][0];
    k->streams[i].number = i;
    k->streams[i].rank = -1;
    k->streams[i].out = out;
    k->streams[i].is_open = true;
    k->streams[i].is_coloured = isatty(fileno(out)) && !getenv("NO_COLOR");
  }
  return true;
}

static void say_who_failed(Keeper *k)
{
  const Rank *r = rank_at(k, k->failed);
  fprintf(stderr, "nnlua run: rank %d", k->failed);
  if (r && r->process) fprintf(stderr, " (process %d on %s)", r->process, r->host);
  if (k->status) fprintf(stderr, " ended with status %d; the others were ended\n", k->status);
  else if (k->signal)
    fprintf(stderr, " was ended by signal %d (%s); the others were ended\n", k->signal, strsignal(k->signal));
  else fprintf(stderr, " failed; the others were ended\n");
}

static int exit_code(Keeper *k, int status)
{
  if (asked_to_leave) return 128 + asked_to_leave;
  if (k->status & 0xff) return k->status & 0xff;
  if (status == -1 || k->failed >= 0) return 1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void handle_signals(struct sigaction before[3], bool begin)
{
  static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
  const struct sigaction action = {.sa_handler = on_signal};
  signal(SIGPIPE, begin ? SIG_IGN : SIG_DFL);
  for (int i = 0; i < 3; i++) sigaction(numbers[i], begin ? &action : &before[i], begin ? &before[i] : NULL);
}

/* run(words, is_tagged): runs the launcher with its words until all have ended; the status for the shell. */
static int run(lua_State *L)
{
  struct sigaction before[3];
  luaL_checktype(L, 1, LUA_TTABLE);
  int n = (int)lua_rawlen(L, 1);
  char **words = lua_newuserdatauv(L, (size_t)(n + 1) * sizeof *words, 0);
  for (int i = 0; i < n; i++) {
    lua_rawgeti(L, 1, i + 1);
    luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, 1, "a list of texts expected");
    words[i] = (char *)(uintptr_t)lua_tostring(L, -1); /* the list keeps it */
    lua_pop(L, 1);
  }
  words[n] = NULL;
  Keeper *k = lua_newuserdatauv(L, sizeof *k, 0);
  memset(k, 0, sizeof *k);
  k->failed = -1;
  k->is_tagged = lua_toboolean(L, 2);
  asked_to_leave = 0;
  handle_signals(before, true);
  bool good = n > 0 && start(k, words);
  int status = good ? watch(L, k) : -1;
  end_all(L);
  handle_signals(before, false);
  if (!good) fprintf(stderr, "nnlua run: no process can be started: %s\n", strerror(errno));
  if (k->failed >= 0 && !asked_to_leave) say_who_failed(k);
  else if (!asked_to_leave && k->nsaid) fwrite(k->said, 1, k->nsaid, stderr);
  for (int rank = 0; rank < k->nranks; rank++)
    for (int i = 0; i < 2; i++) free(k->ranks[rank].lines[i].bytes);
  free(k->ranks);
  free(k->said);
  lua_pushinteger(L, exit_code(k, status));
  return 1;
}

/* interpreter(): the path of this executable. */
static int interpreter(lua_State *L)
{
  char path[4096];
  ssize_t n = readlink("/proc/self/exe", path, sizeof path);
  if (n <= 0) return luaL_error(L, "/proc/self/exe can't be read: %s", strerror(errno));
  lua_pushlstring(L, path, (size_t)n);
  return 1;
}

int launcher_open_module(lua_State *L)
{
  static const luaL_Reg functions[] = {
    {"run", run}, {"interpreter", interpreter}, {"tell_status", tell_status}, {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
