/* From a recording to a plan that runs. */
#include "program/plan/plan.h"

void plan_prepare(Call *call, Plan *plan) { plan_lay_out(call, plan); }
