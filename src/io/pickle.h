/*
 * Reading Python's pickles without running them: the objects that a pickle would make, as nodes that name what would
 * be called. https://docs.python.org/3/library/pickletools.html describes the format.
 *
 * The time and memory that this takes are a small multiple of the pickle's length, whatever stands in it; objects that
 * refer to each other, or to themselves, are nodes that do.
 */
#ifndef NNLUA_IO_PICKLE_H
#define NNLUA_IO_PICKLE_H

#include <stdint.h>

#include "io/problem.h"

typedef enum PickleKind {
  PICKLE_NONE,
  PICKLE_FALSE,
  PICKLE_TRUE,
  PICKLE_INTEGER,
  PICKLE_BIG, /* an integer that fits no 64 bits */
  PICKLE_FLOAT,
  PICKLE_TEXT,
  PICKLE_BYTES,
  PICKLE_LIST,
  PICKLE_TUPLE,
  PICKLE_SET,
  PICKLE_DICT,       /* keys and values in turn */
  PICKLE_GLOBAL,     /* a name: module and name, as texts */
  PICKLE_CALL,       /* what a call of a name with arguments gives */
  PICKLE_NEW,        /* an instance of a class */
  PICKLE_PERSISTENT, /* something outside of the pickle, by a key */
} PickleKind;

/* A node's number; nodes are never taken away. */
typedef uint32_t PickleIndex;
#define NO_NODE UINT32_MAX

typedef struct PickleNode {
  uint8_t kind;
  union {
    int64_t integer;
    double number;
    struct {
      uint32_t at, size;
    } text; /* bytes of the pickle */
    struct {
      PickleIndex *items; /* malloc's */
      uint32_t count, capacity;
    } list;
    struct {
      PickleIndex module, name;
    } global;
    struct {
      PickleIndex callee, arguments;
      PickleIndex entries, state; /* a dict's entries that were added, and what was set; or NO_NODE */
    } call;
    PickleIndex key;
  };
} PickleNode;

typedef struct Pickle {
  const char *bytes; /* the caller's */
  PickleNode *nodes;
  uint32_t count;
  PickleIndex root;
  size_t at;       /* behind the pickle, when it was read */
  bool is_cut_off; /* it failed because its bytes end */
  Problem problem;
  /* private */
  size_t size;
  PickleIndex *stack, *memo;
  uint32_t *marks;
  uint32_t depth, nmarks, nmemo, stack_capacity, marks_capacity, memo_capacity, node_capacity, memoized;
} Pickle;

/* Reads the pickle that bytes begin with. Close it in any case. */
bool pickle_read(Pickle *p, const char *name, const char *bytes, size_t size);

void pickle_close(Pickle *p);

#endif
