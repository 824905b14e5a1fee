/* Programs: their end, and what is asked of their inputs. */
#include "program/program.h"

#include <string.h>

#include "core/text.h"
#include "program/block.h"

void program_release(Program *p)
{
  if (!p || --p->refs > 0) return;
  if (p->plans) p->plans_free(p->plans);
  for (int32_t i = 0; i < p->nvalues; i++) tensor_release(p->values[i].tensor);
  for (int32_t i = 0; i < p->nsteps && !p->of; i++)
    for (int32_t k = 0; k < p->steps[i].nbodies; k++) program_release(p->steps[i].bodies[k].program);
  Context *ctx = p->ctx;
  Program *of = p->of;
  blocks_free(ctx, p->blocks);
  memory_free(&ctx->memory, p, sizeof *p + (of ? (size_t)p->nvalues * sizeof *p->values : 0));
  program_release(of);
}

Program *program_copy(Call *call, Program *p, Tensor *const *tensors, Tensor *const *in_place_of, int64_t n)
{
  Context *ctx = call->ctx;
  Program *copy = core_allocate(ctx, sizeof *copy + (size_t)p->nvalues * sizeof *copy->values);
  *copy = *p;
  copy->refs = 1;
  copy->of = program_retain(p);
  copy->blocks = NULL;
  copy->plans = NULL;
  copy->values = memcpy(copy + 1, p->values, (size_t)p->nvalues * sizeof *copy->values);
  for (int32_t i = 0; i < p->nvalues; i++) {
    for (int64_t k = 0; k < n; k++)
      if (p->values[i].tensor == in_place_of[k]) copy->values[i].tensor = tensors[k];
    tensor_retain(copy->values[i].tensor);
  }
  return copy;
}

/* ------------------------------------------------------------------ sizes */

int64_t size_of_expression(Call *call, const SizeExpression *e, const int64_t *sizes)
{
  int64_t sum = 0;
  bool fits = true;
  for (int32_t i = 0; i < e->nterms; i++) {
    int64_t product = e->terms[i].factor;
    for (int32_t k = 0; k < e->terms[i].nsymbols; k++)
      fits = fits && !__builtin_mul_overflow(product, sizes[e->terms[i].symbols[k]], &product);
    fits = fits && !__builtin_add_overflow(sum, product, &sum);
  }
  if (!fits) raise(call, "the inputs are so large that a size in the program is beyond 64 bits");
  if (sum % e->divisor != 0)
    raise(call, "a size in the program is %lld / %lld, which is no integer for these inputs", (long long)sum,
          (long long)e->divisor);
  return sum / e->divisor;
}

/* ------------------------------------------------------ inputs and outputs */

/* "(N, 3, ?)" in the arena. */
static const char *expected_shape(Call *call, const Program *p, const Value *v)
{
  enum { ROOM = 512 };
  char *text = arena_allocate(call->ctx, ROOM);
  int used = text_format(text, ROOM, "(");
  for (int d = 0; d < v->ndim && used < ROOM - 64; d++) {
    int symbol = size_symbol(v->shape[d]);
    const char *comma = d ? ", " : "";
    if (symbol >= 0) used += text_format(text + used, (size_t)(ROOM - used), "%s%.40s", comma, p->symbols[symbol]);
    else if (v->shape[d] < 0) used += text_format(text + used, (size_t)(ROOM - used), "%s?", comma);
    else used += text_format(text + used, (size_t)(ROOM - used), "%s%lld", comma, (long long)v->shape[d]);
  }
  text_format(text + used, (size_t)(ROOM - used), ")");
  return text;
}

/* Notes the sizes of an input for the symbols in its shape, or compares them. */
static void check_shape(Call *call, const Program *p, const Value *v, const Tensor *t, int64_t *sizes)
{
  bool fits = t->ndim == v->ndim;
  for (int d = 0; fits && d < v->ndim; d++) {
    int symbol = size_symbol(v->shape[d]);
    if (symbol < 0) {
      fits = v->shape[d] < 0 || v->shape[d] == t->shape[d];
      continue;
    }
    if (sizes[symbol] < 0) sizes[symbol] = t->shape[d];
    if (sizes[symbol] != t->shape[d])
      raise(call, "input '%s': dimension %d is %lld, but %s is %lld by the inputs before", v->name, d + 1,
            (long long)t->shape[d], p->symbols[symbol], (long long)sizes[symbol]);
  }
  if (!fits)
    raise(call, "input '%s': the program takes the shape %s, not %s", v->name, expected_shape(call, p, v),
          shape_text(call, tensor_shape(t)));
}

static void check_input(Call *call, const Program *p, const Value *v, Argument given, int64_t *sizes)
{
  const Tensor *t = given.tensor;
  if (v->is_sequence != (given.list.n >= 0) && !(v->may_be_absent && !t))
    raise(call, "input '%s': %s", v->name, v->is_sequence ? "a table of tensors is expected" : "a tensor is expected");
  if (!t) {
    if (!v->is_sequence && !v->may_be_absent) raise(call, "input '%s' is missing", v->name);
    return;
  }
  if (v->dtype != DTYPE_NONE && tensor_dtype(t) != v->dtype)
    raise(call, "input '%s': the program takes %s, not %s", v->name, dtype_name(v->dtype), dtype_name(tensor_dtype(t)));
  if (v->ndim >= 0) check_shape(call, p, v, t, sizes);
}

void program_check_inputs(Call *call, const Program *p, const Argument *inputs, int64_t *sizes)
{
  for (int32_t i = 0; i < p->nsymbols; i++) sizes[i] = -1;
  for (int32_t i = 0; i < p->ninputs; i++) check_input(call, p, &p->values[p->inputs[i]], inputs[i], sizes);
}

static bool has_claimed_shape(const Value *v, const Tensor *t, const int64_t *sizes)
{
  bool fits = v->ndim < 0 || t->ndim == v->ndim;
  for (int d = 0; fits && d < v->ndim; d++) {
    const int symbol = size_symbol(v->shape[d]);
    const int64_t size = symbol < 0 ? v->shape[d] : sizes[symbol];
    fits = size < 0 || size == t->shape[d];
  }
  return fits;
}

void program_check_claims(Program *p, const Argument *outputs, const int64_t *sizes)
{
  for (int32_t i = 0; i < p->noutputs; i++) {
    Value *v = p->outputs[i].value == NO_VALUE ? NULL : &p->values[p->outputs[i].value];
    const Tensor *t = outputs[i].tensor;
    if (!v || !v->is_claimed || !t) continue;
    v->dtype = tensor_dtype(t);
    if (!has_claimed_shape(v, t, sizes)) v->ndim = -1;
  }
}
