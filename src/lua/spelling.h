/* How alike names are, to tell what a wrong one may have meant. */
#ifndef NNLUA_LUA_SPELLING_H
#define NNLUA_LUA_SPELLING_H

#include <stddef.h>

/* How many letters must change, be added or left out to make one name of the other: the first a_length of a, all of b.
   99 for names of more than 40 letters. */
int spelling_distance(const char *a, size_t a_length, const char *b);

#endif
