/* Reading pickles: a machine with a stack and a memo, whose values are nodes. */
#include "io/pickle.h"

#include <stdlib.h>
#include <string.h>

#include "io/little.h"

/* The opcodes, as pickletools.py names them. Those of protocol 0 that hold their values as text are not read. */
enum {
  OP_MARK = '(',
  OP_STOP = '.',
  OP_POP = '0',
  OP_POP_MARK = '1',
  OP_DUP = '2',
  OP_BINBYTES = 'B',
  OP_SHORT_BINBYTES = 'C',
  OP_BINFLOAT = 'G',
  OP_BININT = 'J',
  OP_BININT1 = 'K',
  OP_BININT2 = 'M',
  OP_NONE = 'N',
  OP_BINPERSID = 'Q',
  OP_REDUCE = 'R',
  OP_BINSTRING = 'T',
  OP_SHORT_BINSTRING = 'U',
  OP_BINUNICODE = 'X',
  OP_EMPTY_LIST = ']',
  OP_APPEND = 'a',
  OP_BUILD = 'b',
  OP_GLOBAL = 'c',
  OP_APPENDS = 'e',
  OP_BINGET = 'h',
  OP_LONG_BINGET = 'j',
  OP_BINPUT = 'q',
  OP_LONG_BINPUT = 'r',
  OP_SETITEM = 's',
  OP_TUPLE = 't',
  OP_EMPTY_TUPLE = ')',
  OP_SETITEMS = 'u',
  OP_EMPTY_DICT = '}',
  OP_PROTO = 0x80,
  OP_NEWOBJ = 0x81,
  OP_TUPLE1 = 0x85,
  OP_TUPLE2 = 0x86,
  OP_TUPLE3 = 0x87,
  OP_NEWTRUE = 0x88,
  OP_NEWFALSE = 0x89,
  OP_LONG1 = 0x8a,
  OP_LONG4 = 0x8b,
  OP_SHORT_BINUNICODE = 0x8c,
  OP_BINUNICODE8 = 0x8d,
  OP_BINBYTES8 = 0x8e,
  OP_BYTEARRAY8 = 0x96,
  OP_EMPTY_SET = 0x8f,
  OP_ADDITEMS = 0x90,
  OP_FROZENSET = 0x91,
  OP_STACK_GLOBAL = 0x93,
  OP_MEMOIZE = 0x94,
  OP_FRAME = 0x95
};

/* ---------------------------------------------------------------- problems */

static bool fail_at(Pickle *p, const char *what)
{
  return problem_is(&p->problem, "byte %zu of the pickle: %s", p->at, what);
}

static bool cut_off(Pickle *p)
{
  p->is_cut_off = true;
  return fail_at(p, "it is cut off");
}

/* ------------------------------------------------------------------- lists */

/* Makes room for one more in a list. */
static bool grow(Pickle *p, void *list, uint32_t count, uint32_t *capacity, size_t size)
{
  if (count < *capacity) return true;
  uint32_t larger = *capacity < 8 ? 8 : 2 * *capacity;
  void *old, *new;
  memcpy(&old, list, sizeof old);
  if (larger <= *capacity || !(new = realloc(old, larger * size))) return problem_no_memory(&p->problem);
  memcpy(list, &new, sizeof new);
  *capacity = larger;
  return true;
}

static bool push(Pickle *p, PickleIndex i)
{
  if (!grow(p, &p->stack, p->depth, &p->stack_capacity, sizeof *p->stack)) return false;
  p->stack[p->depth++] = i;
  return true;
}

/* Pushes a new node. */
static bool push_node(Pickle *p, PickleNode node)
{
  if (!grow(p, &p->nodes, p->count, &p->node_capacity, sizeof *p->nodes)) return false;
  p->nodes[p->count] = node;
  return push(p, p->count++);
}

static bool push_kind(Pickle *p, PickleKind kind) { return push_node(p, (PickleNode){.kind = (uint8_t)kind}); }

static bool push_integer(Pickle *p, int64_t i)
{
  return push_node(p, (PickleNode){.kind = PICKLE_INTEGER, .integer = i});
}

/* How many values stand above the innermost mark, or at all. */
static uint32_t available(const Pickle *p) { return p->depth - (p->nmarks ? p->marks[p->nmarks - 1] : 0); }

static bool need(Pickle *p, uint32_t n) { return available(p) >= n || fail_at(p, "it takes what is not there"); }

/* The value so many below the top. */
static PickleIndex at_top(const Pickle *p, uint32_t below) { return p->stack[p->depth - 1 - below]; }

static bool push_mark(Pickle *p)
{
  if (!grow(p, &p->marks, p->nmarks, &p->marks_capacity, sizeof *p->marks)) return false;
  p->marks[p->nmarks++] = p->depth;
  return true;
}

/* Takes the innermost mark away; `first` is where the values above it begin. */
static bool pop_mark(Pickle *p, uint32_t *first)
{
  if (p->nmarks == 0) return fail_at(p, "it takes what is not there");
  *first = p->marks[--p->nmarks];
  return true;
}

/* ------------------------------------------------------------------- bytes */

static bool has(Pickle *p, uint64_t n) { return n <= p->size - p->at || cut_off(p); }

/* A number of so many bytes. */
static bool read_number(Pickle *p, int bytes, uint64_t *n)
{
  if (!has(p, (uint64_t)bytes)) return false;
  *n = little_get(p->bytes + p->at, bytes);
  p->at += (size_t)bytes;
  return true;
}

/* A text or bytes after a length of so many bytes. */
static bool read_text(Pickle *p, PickleKind kind, int length_bytes)
{
  uint64_t n;
  if (!read_number(p, length_bytes, &n) || !has(p, n)) return false;
  PickleNode node = {.kind = (uint8_t)kind, .text = {(uint32_t)p->at, (uint32_t)n}};
  p->at += (size_t)n;
  return push_node(p, node);
}

static bool read_integer(Pickle *p, int bytes, bool is_signed)
{
  uint64_t n;
  if (!read_number(p, bytes, &n)) return false;
  return push_integer(p, is_signed ? (int32_t)(uint32_t)n : (int64_t)n);
}

static bool read_long(Pickle *p, int length_bytes)
{
  if (!read_text(p, PICKLE_BIG, length_bytes)) return false;
  PickleNode *node = &p->nodes[p->count - 1];
  uint32_t n = node->text.size;
  if (n > 8) return true;
  uint64_t value = little_get(p->bytes + node->text.at, (int)n);
  if (n && n < 8 && value >> (8 * n - 1)) value |= UINT64_MAX << 8 * n;
  *node = (PickleNode){.kind = PICKLE_INTEGER, .integer = (int64_t)value};
  return true;
}

static bool read_float(Pickle *p)
{
  uint64_t bits;
  if (!read_number(p, 8, &bits)) return false;
  bits = __builtin_bswap64(bits);
  PickleNode node = {.kind = PICKLE_FLOAT};
  memcpy(&node.number, &bits, sizeof bits);
  return push_node(p, node);
}

/* One of the two lines of a name. */
static bool read_line(Pickle *p)
{
  const char *begin = p->bytes + p->at, *end = memchr(begin, '\n', p->size - p->at);
  if (!end) {
    p->at = p->size;
    return cut_off(p);
  }
  PickleNode node = {.kind = PICKLE_TEXT, .text = {(uint32_t)p->at, (uint32_t)(end - begin)}};
  p->at += (size_t)(end - begin) + 1;
  return push_node(p, node);
}

/* ----------------------------------------------------------------- objects */

/* The two topmost values become a name. */
static bool make_global(Pickle *p)
{
  if (!need(p, 2)) return false;
  PickleIndex module = at_top(p, 1), name = at_top(p, 0);
  if (p->nodes[module].kind != PICKLE_TEXT || p->nodes[name].kind != PICKLE_TEXT)
    return fail_at(p, "a name that is no text");
  p->depth -= 2;
  return push_node(p, (PickleNode){.kind = PICKLE_GLOBAL, .global = {module, name}});
}

/* The two topmost values, a name and a tuple, become a call or an instance. */
static bool make_call(Pickle *p, PickleKind kind)
{
  if (!need(p, 2)) return false;
  PickleIndex callee = at_top(p, 1), arguments = at_top(p, 0);
  if (p->nodes[callee].kind != PICKLE_GLOBAL || p->nodes[arguments].kind != PICKLE_TUPLE)
    return fail_at(p, "a call of something else than a name");
  p->depth -= 2;
  return push_node(p, (PickleNode){.kind = (uint8_t)kind, .call = {callee, arguments, NO_NODE, NO_NODE}});
}

static bool add_item(Pickle *p, PickleIndex list, PickleIndex item)
{
  PickleNode *node = &p->nodes[list];
  if (!grow(p, &node->list.items, node->list.count, &node->list.capacity, sizeof item)) return false;
  node->list.items[node->list.count++] = item;
  return true;
}

/* The values from `first` on become a tuple. */
static bool make_tuple(Pickle *p, uint32_t first, PickleKind kind)
{
  PickleIndex tuple = p->count;
  uint32_t n = p->depth - first;
  if (!push_kind(p, kind)) return false;
  for (uint32_t i = 0; i < n; i++)
    if (!add_item(p, tuple, p->stack[first + i])) return false;
  p->stack[first] = tuple;
  p->depth = first + 1;
  return true;
}

/* What entries are added to: a dict, or that of the entries of what a call gave; NO_NODE if there is none. */
static PickleIndex entries_of(Pickle *p, PickleIndex target)
{
  PickleNode *node = &p->nodes[target];
  if (node->kind == PICKLE_DICT) return target;
  if (node->kind != PICKLE_CALL && node->kind != PICKLE_NEW) {
    fail_at(p, "entries for something else than a dict");
    return NO_NODE;
  }
  if (node->call.entries != NO_NODE) return node->call.entries;
  if (!push_kind(p, PICKLE_DICT)) return NO_NODE;
  return p->nodes[target].call.entries = p->stack[--p->depth];
}

/* Adds the values from `first` on to the one below them, of a kind, and takes them away. */
static bool add_items(Pickle *p, uint32_t first, PickleKind kind)
{
  if (first == 0 || first - 1 < (p->nmarks ? p->marks[p->nmarks - 1] : 0))
    return fail_at(p, "it takes what is not there");
  PickleIndex target = p->stack[first - 1];
  if (kind == PICKLE_DICT) {
    if ((p->depth - first) % 2) return fail_at(p, "a key without a value");
    if ((target = entries_of(p, target)) == NO_NODE) return false;
  } else if (p->nodes[target].kind != kind) {
    return fail_at(p, "items for something else than a list or a set");
  }
  for (uint32_t i = first; i < p->depth; i++)
    if (!add_item(p, target, p->stack[i])) return false;
  p->depth = first;
  return true;
}

static bool add_marked(Pickle *p, PickleKind kind)
{
  uint32_t first = 0;
  return pop_mark(p, &first) && add_items(p, first, kind);
}

static bool add_few(Pickle *p, uint32_t n, PickleKind kind)
{
  return need(p, n + 1) && add_items(p, p->depth - n, kind);
}

/* The topmost value is the state of the one below. */
static bool set_state(Pickle *p)
{
  if (!need(p, 2)) return false;
  PickleNode *target = &p->nodes[at_top(p, 1)];
  if ((target->kind != PICKLE_CALL && target->kind != PICKLE_NEW) || target->call.state != NO_NODE)
    return fail_at(p, "a state for what has none");
  target->call.state = at_top(p, 0);
  p->depth--;
  return true;
}

/* -------------------------------------------------------------------- memo */

/* A place in the memo is at most the number of bytes: pickles count them up. */
static bool put(Pickle *p, uint64_t i)
{
  if (!need(p, 1)) return false;
  if (i > p->size) return fail_at(p, "a place in the memo that is too large");
  while (p->nmemo <= i) {
    if (!grow(p, &p->memo, p->nmemo, &p->memo_capacity, sizeof *p->memo)) return false;
    p->memo[p->nmemo++] = NO_NODE;
  }
  if (p->memo[i] == NO_NODE) p->memoized++;
  p->memo[i] = at_top(p, 0);
  return true;
}

static bool read_put(Pickle *p, int bytes)
{
  uint64_t i;
  return read_number(p, bytes, &i) && put(p, i);
}

static bool read_get(Pickle *p, int bytes)
{
  uint64_t i;
  if (!read_number(p, bytes, &i)) return false;
  if (i >= p->nmemo || p->memo[i] == NO_NODE) return fail_at(p, "it asks for what is not in the memo");
  return push(p, p->memo[i]);
}

/* ----------------------------------------------------------------- opcodes */

static bool run_numbers_and_texts(Pickle *p, int op, bool *is_known)
{
  switch (op) {
    case OP_NONE: return push_kind(p, PICKLE_NONE);
    case OP_NEWTRUE: return push_kind(p, PICKLE_TRUE);
    case OP_NEWFALSE: return push_kind(p, PICKLE_FALSE);
    case OP_BININT: return read_integer(p, 4, true);
    case OP_BININT1: return read_integer(p, 1, false);
    case OP_BININT2: return read_integer(p, 2, false);
    case OP_LONG1: return read_long(p, 1);
    case OP_LONG4: return read_long(p, 4);
    case OP_BINFLOAT: return read_float(p);
    case OP_SHORT_BINUNICODE: return read_text(p, PICKLE_TEXT, 1);
    case OP_BINUNICODE: return read_text(p, PICKLE_TEXT, 4);
    case OP_BINUNICODE8: return read_text(p, PICKLE_TEXT, 8);
    case OP_SHORT_BINSTRING: return read_text(p, PICKLE_TEXT, 1);
    case OP_BINSTRING: return read_text(p, PICKLE_TEXT, 4);
    case OP_SHORT_BINBYTES: return read_text(p, PICKLE_BYTES, 1);
    case OP_BINBYTES: return read_text(p, PICKLE_BYTES, 4);
    case OP_BINBYTES8:
    case OP_BYTEARRAY8: return read_text(p, PICKLE_BYTES, 8);
    case OP_BINGET: return read_get(p, 1);
    case OP_LONG_BINGET: return read_get(p, 4);
    default: *is_known = false; return true;
  }
}

static bool run_containers(Pickle *p, int op, bool *is_known)
{
  uint32_t first = 0;
  switch (op) {
    case OP_MARK: return push_mark(p);
    case OP_EMPTY_LIST: return push_kind(p, PICKLE_LIST);
    case OP_EMPTY_TUPLE: return push_kind(p, PICKLE_TUPLE);
    case OP_EMPTY_DICT: return push_kind(p, PICKLE_DICT);
    case OP_EMPTY_SET: return push_kind(p, PICKLE_SET);
    case OP_TUPLE: return pop_mark(p, &first) && make_tuple(p, first, PICKLE_TUPLE);
    case OP_TUPLE1: return need(p, 1) && make_tuple(p, p->depth - 1, PICKLE_TUPLE);
    case OP_TUPLE2: return need(p, 2) && make_tuple(p, p->depth - 2, PICKLE_TUPLE);
    case OP_TUPLE3: return need(p, 3) && make_tuple(p, p->depth - 3, PICKLE_TUPLE);
    case OP_FROZENSET: return pop_mark(p, &first) && make_tuple(p, first, PICKLE_SET);
    case OP_APPEND: return add_few(p, 1, PICKLE_LIST);
    case OP_APPENDS: return add_marked(p, PICKLE_LIST);
    case OP_ADDITEMS: return add_marked(p, PICKLE_SET);
    case OP_SETITEM: return add_few(p, 2, PICKLE_DICT);
    case OP_SETITEMS: return add_marked(p, PICKLE_DICT);
    default: *is_known = false; return true;
  }
}

static bool run_others(Pickle *p, int op)
{
  uint64_t ignored;
  switch (op) {
    case OP_PROTO: return read_number(p, 1, &ignored);
    case OP_FRAME: return read_number(p, 8, &ignored);
    case OP_POP_MARK: return pop_mark(p, &p->depth);
    case OP_POP:
      if (available(p) == 0 && p->nmarks) return pop_mark(p, &p->depth);
      if (!need(p, 1)) return false;
      p->depth--;
      return true;
    case OP_DUP: return need(p, 1) && push(p, at_top(p, 0));
    case OP_BINPUT: return read_put(p, 1);
    case OP_LONG_BINPUT: return read_put(p, 4);
    case OP_MEMOIZE: return put(p, p->memoized);
    case OP_GLOBAL: return read_line(p) && read_line(p) && make_global(p);
    case OP_STACK_GLOBAL: return make_global(p);
    case OP_REDUCE: return make_call(p, PICKLE_CALL);
    case OP_NEWOBJ: return make_call(p, PICKLE_NEW);
    case OP_BUILD: return set_state(p);
    case OP_BINPERSID:
      if (!need(p, 1)) return false;
      p->depth--;
      return push_node(p, (PickleNode){.kind = PICKLE_PERSISTENT, .key = p->stack[p->depth]});
    default: return problem_is(&p->problem, "byte %zu of the pickle: the opcode 0x%02x is not read here", p->at, op);
  }
}

bool pickle_read(Pickle *p, const char *name, const char *bytes, size_t size)
{
  *p = (Pickle){.bytes = bytes, .size = size < UINT32_MAX ? size : UINT32_MAX - 1, .problem.name = name};
  while (true) {
    bool known = true;
    if (!has(p, 1)) return false;
    int op = (unsigned char)p->bytes[p->at++];
    if (op == OP_STOP) break;
    bool well = run_numbers_and_texts(p, op, &known);
    if (!known) {
      known = true;
      well = run_containers(p, op, &known);
    }
    if (!known) well = run_others(p, op);
    if (!well) return false;
  }
  if (!need(p, 1)) return false;
  p->root = at_top(p, 0);
  return true;
}

void pickle_close(Pickle *p)
{
  for (uint32_t i = 0; i < p->count; i++)
    if (p->nodes[i].kind >= PICKLE_LIST && p->nodes[i].kind <= PICKLE_DICT) free(p->nodes[i].list.items);
  free(p->nodes);
  free(p->stack);
  free(p->memo);
  free(p->marks);
  *p = (Pickle){0};
}
