/* Zip archives, with what their members inflate to. */
#include "fuzz.h"
#include "io/zip.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
  ZipArchive z;
  Source source = source_of_memory(bytes, size), member;
  if (zip_open(&z, "x", &source)) {
    for (size_t i = 0; i < z.count; i++) {
      look_at(z.members[i].name, z.members[i].name_size);
      if (!zip_member(&z, &z.members[i], &member)) continue;
      look_at(member.memory, member.size);
      source_close(&member);
    }
  } else {
    must(z.problem.text[0] != '\0');
  }
  zip_close(&z);
  return 0;
}
