/* How alike names are, to tell what a wrong one may have meant. */
#ifndef NNLUA_LUA_SPELLING_H
#define NNLUA_LUA_SPELLING_H

#include <stddef.h>

/* How many letters must change, be added or left out to make one name of the other: the first a_length of a, all of b.
   99 for names of more than 40 letters. */
int spelling_distance(const char *a, size_t a_length, const char *b);

/* A search for the known name that is nearest to one. */
typedef struct Spelling {
  const char *name, *nearest; /* the latter NULL as long as none is near */
  int distance;
} Spelling;

/* Begins a search: one letter in three may differ, two at most. */
Spelling spelling_of(const char *name);

/* Looks at a known name, which must outlive the search. Of several the first by the alphabet is taken. */
void spelling_try(Spelling *s, const char *known);

#endif
