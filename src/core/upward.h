/*
 * What the core calls of the layers above it, which it includes nothing of. Those that define the functions include
 * this too, so that the compiler compares both ends.
 */
#ifndef NNLUA_CORE_UPWARD_H
#define NNLUA_CORE_UPWARD_H

struct Call;
struct Context;
struct Node;
struct Tensor;

/* Gives back a reference of a node; NULL is allowed. (In autograd/node.c.) */
void node_release(struct Node *n);

/* A tensor that wants its gradient kept goes: it leaves no trace in its node. (In autograd/node.c.) */
void node_forget_retained(struct Tensor *t);

/*
 * Packs what the nodes of Context.unpacked save: no op is under way, so that the hooks of the user may do what they
 * like. They may raise. Or lets the nodes go as they are. (In autograd/packing.c.)
 */
void pack_saved(struct Context *ctx);
void leave_unpacked(struct Context *ctx);

/*
 * The public name of the outermost op of a call, which the user called, and what stands behind it: "_" for an op that
 * has no other form than the in-place one. NULL outside of ops. (In ops/table/table.c.)
 */
const char *call_user_name(const struct Call *call, const char **suffix);

/* Frees the plans of transforms that a context keeps. (In launch/fft/plan.c.) */
void fft_plans_free(struct Context *ctx);

#endif
