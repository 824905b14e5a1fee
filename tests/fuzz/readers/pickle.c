/* Python's pickles, and that their nodes refer to nodes. */
#include "fuzz.h"
#include "io/pickle.h"

static void check_node(const Pickle *p, const PickleNode *n)
{
  switch (n->kind) {
    case PICKLE_TEXT:
    case PICKLE_BYTES:
    case PICKLE_BIG: look_at(p->bytes + n->text.at, n->text.size); break;
    case PICKLE_LIST:
    case PICKLE_TUPLE:
    case PICKLE_SET:
    case PICKLE_DICT:
      for (uint32_t i = 0; i < n->list.count; i++) must(n->list.items[i] < p->count);
      must(n->kind != PICKLE_DICT || n->list.count % 2 == 0);
      break;
    case PICKLE_GLOBAL:
      must(p->nodes[n->global.module].kind == PICKLE_TEXT && p->nodes[n->global.name].kind == PICKLE_TEXT);
      break;
    case PICKLE_CALL:
    case PICKLE_NEW:
      must(p->nodes[n->call.callee].kind == PICKLE_GLOBAL && p->nodes[n->call.arguments].kind == PICKLE_TUPLE);
      must(n->call.entries == NO_NODE || p->nodes[n->call.entries].kind == PICKLE_DICT);
      must(n->call.state == NO_NODE || n->call.state < p->count);
      break;
    case PICKLE_PERSISTENT: must(n->key < p->count); break;
    default: break;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
  Pickle p;
  if (pickle_read(&p, "x", (const char *)bytes, size)) must(p.root < p.count && p.at <= size);
  else must(p.problem.text[0] != '\0');
  must(p.count <= size); /* a byte makes a node at most */
  for (uint32_t i = 0; i < p.count; i++) check_node(&p, &p.nodes[i]);
  pickle_close(&p);
  return 0;
}
