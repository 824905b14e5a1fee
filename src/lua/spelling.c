/* The distance of Levenshtein, a row of its table at a time. */
#include "lua/spelling.h"

#include <string.h>

int spelling_distance(const char *a, size_t a_length, const char *b)
{
  enum { MOST = 40 };
  int row[MOST + 1];
  size_t b_length = strlen(b);
  if (a_length > MOST || b_length > MOST) return 99;
  for (size_t j = 0; j <= b_length; j++) row[j] = (int)j;
  for (size_t i = 1; i <= a_length; i++) {
    int diagonal = row[0];
    row[0] = (int)i;
    for (size_t j = 1; j <= b_length; j++) {
      int best = diagonal + (a[i - 1] != b[j - 1]);
      if (row[j] + 1 < best) best = row[j] + 1;
      if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
      diagonal = row[j];
      row[j] = best;
    }
  }
  return row[b_length];
}

Spelling spelling_of(const char *name)
{
  size_t length = strlen(name);
  return (Spelling){.name = name, .distance = length < 6 ? (int)length / 3 + 1 : 3};
}

void spelling_try(Spelling *s, const char *known)
{
  int d = spelling_distance(s->name, strlen(s->name), known);
  if (d > s->distance || (d == s->distance && (!s->nearest || strcmp(known, s->nearest) >= 0))) return;
  s->distance = d;
  s->nearest = known;
}
