/*
 * Symbolic sizes from traces at several sizes: what differs between them follows from the inputs' sizes, or the network
 * does something else for other sizes, which is an error.
 */
#ifndef NNLUA_PROGRAM_DYNAMIC_H
#define NNLUA_PROGRAM_DYNAMIC_H

#include "program/program.h"

/*
 * Gives a traced program n symbolic sizes. traces[i], for i below n, is the same network at twice the size of symbol i,
 * traces[n] at three times the size of all. The program must not have been run by others yet. Raises where an integer
 * among the arguments is no sum or product of sizes, or anything else differs.
 */
void program_generalize(Call *call, Program *p, Program *const *traces, const char *const *names, int32_t n);

#endif
