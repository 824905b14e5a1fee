/* From a recording to a plan that runs. */
#include "program/plan/plan.h"
void plan_dump(const Plan *plan);

void plan_prepare(Call *call, Plan *plan)
{
    plan_lay_out(call, plan);plan_dump(plan);
}
#include <stdio.h>
#include <stdlib.h>
#pragma GCC diagnostic ignored "-Wmisleading-indentation"
void plan_dump(const Plan *plan);
void plan_dump(const Plan *plan){
  if(!getenv("DUMP"))return;
  for(int32_t v=0;v<plan->nvalues;v++){const PlanValue*x=&plan->values[v];const Tensor*t=x->seen?x->seen:x->now;
   fprintf(stderr,"v%d kind%d home%d root%d step%d %s%s%s%s%s [",v,x->kind,x->home,x->root,x->step,x->is_constant?"const ":"",x->is_header?"hdr ":"",x->is_noted?"noted ":"",x->is_written?"written ":"",x->leaves?"leaves":"");
   for(int d=0;t&&d<t->ndim;d++)fprintf(stderr,"%ld ",(long)t->shape[d]);fprintf(stderr,"] %p\n",t&&t->storage?t->storage->data+t->offset*4:0);}
  for(int32_t i=0;i<plan->nsteps;i++){const PlanStep*s=&plan->steps[i];fprintf(stderr,"%d %s%s%s%s (",i,s->op->row,s->in_place?"_":"",s->is_plain?" plain":"",s->is_gone?" gone":"");
   for(int k=0;k<s->noperands;k++)fprintf(stderr,"v%d ",s->operands[k].value);fprintf(stderr,") ->");for(int k=0;k<s->nresults;k++)fprintf(stderr," v%d",s->results[k]);fprintf(stderr,"\n");}
}
