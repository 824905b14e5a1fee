/* Headers of safetensors files. */
#include "fuzz.h"
#include "io/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
  TensorFile f;
  Source source = source_of_memory(bytes, size);
  if (tensor_file_open(&f, "x", &source)) {
    for (size_t i = 0; i < f.ntensors; i++) {
      const StoredTensor *t = &f.tensors[i];
      look_at(t->name.v, t->name.n);
      must(t->begin <= t->end && t->end <= size - f.elements && t->ndim <= MAX_DIMS);
    }
    for (size_t i = 0; i < f.ntexts; i++) look_at(f.texts[i].value.v, f.texts[i].value.n);
  } else {
    must(f.problem.text[0] != '\0');
  }
  tensor_file_close(&f);
  return 0;
}
