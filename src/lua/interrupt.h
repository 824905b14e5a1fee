/* Ctrl-C for the interpreter: how its signal handler asks the core to stop (core/interrupt.h). */
#ifndef NNLUA_LUA_INTERRUPT_H
#define NNLUA_LUA_INTERRUPT_H

#include <lua.h>
#include <stdbool.h>

/* From now on requests are for this state, on this thread; `raised` is called when one raises an error in the core. */
void interrupts_watch(lua_State *L, void (*raised)(void));

/* No longer. */
void interrupts_ignore(void);

/* Makes a request, as a signal handler may. Whether an earlier one has not been noticed yet. */
bool interrupts_request(void);

/* What the handler asks first: whether the program has asked to be told of Ctrl-C instead (nl.utils.interrupts), and
   not been told yet. It is told then. */
bool interrupts_note(void);

/* Takes the request back. */
void interrupts_forget(void);

/* Raises what ends a program at Ctrl-C, at the user's line. */
void interrupts_raise(lua_State *L);

#endif
