#include "cli/repl.h"

#include "cli/report.h"
#include "cli/run.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A name that the user's -i script or -e has taken stays theirs. */
static const char predefinitions[] =
  "local nl = require 'nnlua'\n"
  "for name, value in pairs {nl = nl, nn = nl.nn, F = nl.F, optim = nl.optim} do\n"
  "  if _G[name] == nil then _G[name] = value end\n"
  "end\n";

static void predefine(lua_State *L) {
  if (!isatty(STDIN_FILENO)) return;
  if (run_string(L, predefinitions, "=(prompt)") != LUA_OK) return;
  printf("Predefined: nl, nn, F and optim (nl = require \"nnlua\")\n");
}

static void write_prompt(lua_State *L, bool first) {
  if (lua_getglobal(L, first ? "_PROMPT" : "_PROMPT2") == LUA_TNIL) {
    fputs(first ? "> " : ">> ", stdout);
  } else {
    fputs(luaL_tolstring(L, -1, NULL), stdout);
    lua_pop(L, 1);
  }
  fflush(stdout);
  lua_pop(L, 1);
}

/* Pushes the next line without its end. False, with nothing pushed, at the end of stdin. */
static bool push_line(lua_State *L, bool first) {
  static char *line; /* getline's buffer, kept from line to line */
  static size_t capacity;
  write_prompt(L, first);
  ssize_t length = getline(&line, &capacity, stdin);
  if (length < 0) return false;
  if (length > 0 && line[length - 1] == '\n') length--;
  if (first && line[0] == '=') { /* =x is the old way to say return x */
    lua_pushlstring(L, line + 1, (size_t)length - 1);
    lua_pushfstring(L, "return %s", lua_tostring(L, -1));
    lua_remove(L, -2);
  } else {
    lua_pushlstring(L, line, (size_t)length);
  }
  return true;
}

/* The parser stopped at the end of the text: more lines may complete it. */
static bool is_incomplete(lua_State *L, int status) {
  static const char mark[] = "<eof>";
  size_t length, mark_length = sizeof mark - 1;
  if (status != LUA_ERRSYNTAX) return false;
  const char *message = lua_tolstring(L, -1, &length);
  return length >= mark_length && strcmp(message + length - mark_length, mark) == 0;
}

/* Pushes the text at index 1 as a function, which returns its values if it is a list of expressions, or an error. */
static int load_text(lua_State *L, bool *incomplete) {
  size_t length;
  const char *text = lua_pushfstring(L, "return %s", lua_tostring(L, 1));
  int status = luaL_loadbuffer(L, text, strlen(text), "=stdin");
  lua_remove(L, -2);
  *incomplete = is_incomplete(L, status);
  if (status == LUA_OK) return status;
  lua_pop(L, 1);
  text = lua_tolstring(L, 1, &length);
  status = luaL_loadbuffer(L, text, length, "=stdin");
  *incomplete = status != LUA_OK && (*incomplete || is_incomplete(L, status));
  return status;
}

/* Leaves on an empty stack the function that the next lines make, or an error. False at the end of stdin. */
static bool read_chunk(lua_State *L, int *status) {
  bool incomplete;
  lua_settop(L, 0);
  if (!push_line(L, true)) return false;
  for (;;) {
    *status = load_text(L, &incomplete);
    if (!incomplete || !push_line(L, false)) break;
    lua_remove(L, 2); /* the error */
    lua_pushliteral(L, "\n");
    lua_insert(L, 2);
    lua_concat(L, 3);
  }
  lua_remove(L, 1);
  return true;
}

static void print_results(lua_State *L) {
  int count = lua_gettop(L);
  if (count == 0) return;
  luaL_checkstack(L, LUA_MINSTACK, "too many results to print");
  lua_getglobal(L, "print");
  lua_insert(L, 1);
  if (lua_pcall(L, count, 0, 0) != LUA_OK)
    report_message(lua_pushfstring(L, "error calling 'print' (%s)", lua_tostring(L, -1)));
}

void repl_run(lua_State *L) {
  int status;
  predefine(L);
  report_set_program(NULL);
  while (read_chunk(L, &status)) {
    if (status == LUA_OK) status = run_call(L, 0, LUA_MULTRET);
    if (status == LUA_OK) print_results(L);
    else report_status(L, status);
  }
  lua_settop(L, 0);
  putchar('\n');
  fflush(stdout);
}
