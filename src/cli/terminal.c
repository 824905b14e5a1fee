/* Raw mode, keys as they arrive, widths of characters and the size of the window. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* wcwidth, newlocale */
#endif
#include "cli/terminal.h"

#include <errno.h>
#include <lauxlib.h>
#include <locale.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

static struct termios cooked, raw; /* as it was found, and as the editor wants it */
static volatile sig_atomic_t is_raw, was_resized, was_resumed;
static pthread_t editor; /* the thread that waits in poll */

static const char paste_on[] = "\033[?2004h", paste_off[] = "\033[?2004l";

/* Writes all of a text, as a signal handler may. */
static void write_all(const char *text, size_t length)
{
  while (length > 0) {
    ssize_t n = write(STDOUT_FILENO, text, length);
    if (n < 0 && errno == EAGAIN) poll(&(struct pollfd){.fd = STDOUT_FILENO, .events = POLLOUT}, 1, -1);
    else if (n < 0 && errno != EINTR) return;
    if (n > 0) {
      text += n;
      length -= (size_t)n;
    }
  }
}

static void restore(void)
{
  if (!is_raw) return;
  is_raw = false;
  write_all(paste_off, sizeof paste_off - 1);
  tcsetattr(STDIN_FILENO, TCSADRAIN, &cooked);
}

/* Lines, echo and signals are the editor's now. What was typed meanwhile stays. */
static void make_raw(void)
{
  if (is_raw || tcgetattr(STDIN_FILENO, &cooked) != 0) return;
  raw = cooked;
  raw.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | INPCK | ISTRIP | IXON);
  raw.c_lflag &= ~(tcflag_t)(ECHO | ICANON | IEXTEN | ISIG);
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) != 0) return;
  is_raw = true;
  write_all(paste_on, sizeof paste_on - 1);
}

/* Passes a signal on to the editor's thread: a thread of the kernels may have got it, which wakes no poll. */
static bool is_passed_on(int signal_number)
{
  return !pthread_equal(pthread_self(), editor) && pthread_kill(editor, signal_number) == 0;
}

static void note_resize(int signal_number)
{
  if (!is_passed_on(signal_number)) was_resized = true;
}

/* Who stopped the process from outside has set the terminal's modes, and written to it. */
static void resume(int signal_number)
{
  if (!is_raw || is_passed_on(signal_number)) return;
  tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
  write_all(paste_on, sizeof paste_on - 1);
  was_resumed = true;
}

/* A signal that ends the process leaves the terminal as it was found. Not by raise: that name is the core's here. */
static void restore_and_die(int signal_number)
{
  restore();
  signal(signal_number, SIG_DFL);
  kill(getpid(), signal_number);
}

/* What a program reads or waits for goes on after a signal; poll, which the editor waits in, always returns. */
static void handle(int signal_number, void (*handler)(int))
{
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART}, before;
  sigemptyset(&action.sa_mask);
  if (sigaction(signal_number, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
    sigaction(signal_number, &action, NULL);
}

/* raw(on) */
static int set_raw(lua_State *L)
{
  if (lua_toboolean(L, 1)) make_raw();
  else restore();
  return 0;
}

/* Faults are left to who looks for them already, as sanitizers do. */
static void handle_fault(int signal_number)
{
  struct sigaction before;
  if (sigaction(signal_number, NULL, &before) == 0 && before.sa_handler == SIG_DFL)
    handle(signal_number, restore_and_die);
}

/* read(seconds): bytes that were typed, waiting for some, at most so long if a time is given; or nil and "timeout",
 * "resize", "resume" or "end". */
static int read_bytes(lua_State *L)
{
  char bytes[4096];
  int wait = lua_isnoneornil(L, 1) ? -1 : (int)(luaL_checknumber(L, 1) * 1000);
  const char *why = "end";
  struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
  int ready = was_resized || was_resumed ? -1 : poll(&input, 1, wait);
  if (was_resumed) {
    was_resumed = was_resized = false;
    why = "resume";
  } else if (was_resized) {
    was_resized = false;
    why = "resize";
  } else if (ready == 0 || (ready < 0 && errno == EINTR)) {
    why = "timeout";
  } else if (ready > 0) {
    ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
    if (n > 0) {
      lua_pushlstring(L, bytes, (size_t)n);
      return 1;
    }
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) why = "timeout";
  }
  lua_pushnil(L);
  lua_pushstring(L, why);
  return 2;
}

/* write(text) */
static int write_text(lua_State *L)
{
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  write_all(text, length);
  return 0;
}

/* size(): columns and rows */
static int size(lua_State *L)
{
  struct winsize window;
  bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0 && window.ws_row > 0;
  lua_pushinteger(L, known ? window.ws_col : 80);
  lua_pushinteger(L, known ? window.ws_row : 24);
  return 2;
}

/* width(codepoint): the columns that a character takes; of control characters 0 */
static int width(lua_State *L)
{
  static locale_t utf8;
  lua_Integer character = luaL_checkinteger(L, 1);
  if (utf8 == NULL) utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL);
  locale_t before = utf8 != NULL ? uselocale(utf8) : NULL;
  int columns = wcwidth((wchar_t)character);
  if (before != NULL) uselocale(before);
  lua_pushinteger(L, columns < 0 ? character >= 0xA0 : columns);
  return 1;
}

/* suspend(): stops the process, as Ctrl-Z does, and comes back when it goes on */
static int suspend(lua_State *L)
{
  (void)L;
  bool was_raw = is_raw;
  restore();
  kill(0, SIGTSTP);
  if (was_raw) make_raw();
  return 0;
}

int terminal_open(lua_State *L)
{
  static const luaL_Reg functions[] = {{"raw", set_raw}, {"read", read_bytes}, {"write", write_text}, {"size", size},
                                       {"width", width}, {"suspend", suspend}, {NULL, NULL}};
  static bool is_prepared;
  if (!is_prepared) {
    is_prepared = true;
    editor = pthread_self();
    atexit(restore);
    handle(SIGWINCH, note_resize);
    handle(SIGTERM, restore_and_die);
    handle(SIGHUP, restore_and_die);
    handle(SIGQUIT, restore_and_die);
    handle(SIGCONT, resume);
    handle_fault(SIGABRT);
    handle_fault(SIGSEGV);
    handle_fault(SIGBUS);
    handle_fault(SIGFPE);
    handle_fault(SIGILL);
  }
  luaL_newlib(L, functions);
  return 1;
}
