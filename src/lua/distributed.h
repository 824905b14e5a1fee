/* For the interpreter: processes that have joined others (distributed.c). */
#ifndef NNLUA_LUA_DISTRIBUTED_H
#define NNLUA_LUA_DISTRIBUTED_H

/* This process ends with an error: it doesn't wait for the others when it leaves. */
void distributed_give_up(void);

#endif
