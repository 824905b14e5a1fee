/* What arguments point to, copied with them. */
#include <string.h>

#include "ops/table/op.h"

size_t args_pointed_bytes(const Op *op, const void *args)
{
  size_t bytes = 0;
  for (int i = 0; i < op->nargs; i++) {
    const void *place = (const char *)args + op->args[i].offset;
    switch (argument_holds(&op->args[i])) {
      case POINTS_TO_LIST: {
        int64_t n = ((const Ints *)place)->n;
        bytes += n > 0 ? (size_t)n * sizeof(int64_t) : 0;
        break;
      }
      case POINTS_TO_TEXT: {
        const char *s = *(const char *const *)place;
        bytes += s ? (strlen(s) + 8) & ~(size_t)7 : 0;
        break;
      }
      default: break;
    }
  }
  return bytes;
}

void args_copy_pointed(const Op *op, void *args, char *room)
{
  for (int i = 0; i < op->nargs; i++) {
    void *place = (char *)args + op->args[i].offset;
    size_t bytes = 0;
    switch (argument_holds(&op->args[i])) {
      case POINTS_TO_LIST: {
        Ints *list = place;
        if (list->n <= 0) break;
        bytes = (size_t)list->n * sizeof(int64_t);
        list->v = memcpy(room, list->v, bytes);
        break;
      }
      case POINTS_TO_TEXT: {
        const char **s = place;
        if (!*s) break;
        bytes = (strlen(*s) + 8) & ~(size_t)7;
        *s = memcpy(room, *s, strlen(*s) + 1);
        break;
      }
      default: break;
    }
    room += bytes;
  }
}
