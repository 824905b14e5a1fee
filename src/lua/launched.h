/* Whether this process is the one that a launcher of MPI's started, or one that such a process has started. */
#ifndef NNLUA_LUA_LAUNCHED_H
#define NNLUA_LUA_LAUNCHED_H

/* Makes what the launcher left in the environment this process's own: one that it starts later, and that gets the same
   environment, forgets it when it calls this, and is alone. */
void launched_claim(void);

/* Forgets it. */
void launched_forget(void);

#endif
