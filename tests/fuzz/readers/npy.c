/* Headers of NumPy's .npy files. */
#include "fuzz.h"
#include "io/npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
  NpyArray a;
  Source source = source_of_memory(bytes, size);
  if (!npy_read(&a, "x", &source)) {
    must(a.problem.text[0] != '\0');
    return 0;
  }
  uint64_t elements = dtype_size(a.dtype);
  for (int i = 0; i < a.ndim; i++) elements = a.shape[i] ? elements : 0;
  for (int i = 0; i < a.ndim && elements; i++) elements *= (uint64_t)a.shape[i];
  must(a.elements <= size && elements <= size - a.elements);
  return 0;
}
