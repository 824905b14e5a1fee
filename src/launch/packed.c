/* Where packed weights are: in a call's scope, or with a plan. */
#include "launch/packed.h"

char *packed_memory(Call *call, PackedForm form, int64_t bytes, bool *is_filled)
{
  *is_filled = false;
  if (!keeps_packed(call)) return tensor_data(tensor_new(call, DTYPE_u8, DEVICE_CPU, INTS(bytes)));
  Packed *p = call->planned->packed;
  if (!p->memory || p->memory->numel != bytes || p->form != (int)form) {
    p->is_filled = false;
    Tensor *memory = tensor_retain(chunk_tensor(call, p->chunks, DTYPE_u8, INTS(bytes)));
    tensor_release(p->memory);
    p->memory = memory;
    p->form = (int)form;
  }
  *is_filled = p->is_filled;
  return tensor_data(p->memory);
}

void packed_filled(Call *call)
{
  if (keeps_packed(call)) call->planned->packed->is_filled = true;
}
