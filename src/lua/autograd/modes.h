/*
 * Grad modes as tokens. A token belongs to the coroutine that opened it and counts only while that coroutine, or one it
 * resumed, runs; closing or collecting a token removes it wherever it stands. core_prepare asks for modes_refresh only
 * while Context.mode_tokens is not 0: so a program without tokens pays one test an op.
 */
#ifndef NNLUA_LUA_AUTOGRAD_MODES_H
#define NNLUA_LUA_AUTOGRAD_MODES_H

#include "lua/binding.h"

typedef enum ModeKind {
  MODE_GRAD,
  MODE_INFERENCE,
  MODE_ANOMALY,
  MODE_SCOPE,
  MODE_AUTOCAST,
  MODE_SAVED_HOOKS, /* this one and the next have a Lua value */
  MODE_NO_SAVED_HOOKS
} ModeKind;

/* Fills nl (at an index) with no_grad and its kin; nl.autograd is there already. */
void open_modes(lua_State *L, int nl);

/* Works out ctx's modes for a coroutine. */
void modes_refresh(lua_State *L, Context *ctx);

/* Pushes a token that keeps a mode until it is closed or collected: mark it with lua_toclose, or close it. */
void push_mode_token(lua_State *L, Context *ctx, ModeKind kind, bool value);
void push_scope_token(lua_State *L, Context *ctx, uint32_t scope);
void close_mode_token(lua_State *L, int index);

/* Closes a token that no script has, and keeps it for the next one. */
void give_mode_token(lua_State *L, int index);

/* The coroutine of a token, by its user value; or NULL. */
lua_State *mode_token_owner(lua_State *L, int index);

/* The same with a Lua value, a table or a string, which the token keeps; and the value by its number, nil if gone. */
void push_value_token(lua_State *L, Context *ctx, ModeKind kind, int value);
bool push_mode_value(lua_State *L, uint64_t number);

bool is_callable(lua_State *L, int index);

/* Raises unless a function, or nothing, is where one may be. */
void check_function(lua_State *L, const char *name, int index);

/* The token is on top; with a function at `first` runs it with what follows, else gives the token. */
int run_or_token(lua_State *L, int first);

/*
 * While the core calls Lua (hooks, custom backwards) its own modes are what holds: tokens that were opened outside
 * don't count. modes_leave puts back what was.
 */
typedef struct ModesFrame {
  bool grad, inference, anomaly, check_nan;                /* the modes' base */
  bool grad_enabled, in_inference, in_anomaly, checks_nan; /* the context's */
  lua_State *floor_state;
  uint64_t floor;
  uint32_t scope, in_scope; /* the modes' base; the context's */
  DType autocast, in_autocast;
  uint64_t saved_hooks, no_saved_hooks, in_saved_hooks, in_no_saved_hooks;
} ModesFrame;
void modes_enter(lua_State *L, Context *ctx, ModesFrame *saved);
void modes_leave(Context *ctx, const ModesFrame *saved);

#endif
