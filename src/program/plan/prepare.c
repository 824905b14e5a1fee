/* From a recording to a plan that runs: the passes, in their order. */
#include <string.h>

#include "program/passes/passes.h"

static const struct {
  const char *name;
  void (*run)(Call *call, Plan *plan);
} passes[] = {
  {"constants", pass_constants},   {"dead", pass_dead},
  {"common", pass_common},         {"kept", pass_kept},
  {"batch_norm", pass_batch_norm}, {"activations", pass_activations},
  {"packed", pass_packed},         {"chains", pass_chains},
  {"tails", pass_tails},
};

/* Whether a text has a name as one of its words. */
static bool has_word(const char *text, const char *name)
{
  const size_t length = strlen(name);
  for (const char *at = text; (at = strstr(at, name)); at += length) {
    bool begins = at == text || at[-1] == ' ', ends = at[length] == 0 || at[length] == ' ';
    if (begins && ends) return true;
  }
  return false;
}

bool plan_has_pass(const char *name)
{
  for (size_t i = 0; i < sizeof passes / sizeof *passes; i++)
    if (strcmp(passes[i].name, name) == 0) return true;
  return false;
}

void plan_prepare(Call *call, Plan *plan, const char *without)
{
  for (size_t i = 0; i < sizeof passes / sizeof *passes; i++)
    if (!has_word(without, passes[i].name)) passes[i].run(call, plan);
  plan_lay_out(call, plan);
}
