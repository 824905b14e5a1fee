#!/usr/bin/env bash
# run.sh SECONDS [reader…]: builds the preset "fuzz" and runs the harness of each reader, or of those named, for so many
# seconds, from the inputs in tests/fuzz/corpora. What it finds is left in build/fuzz: give that file to the harness to
# see it again (build/fuzz/fuzz_NAME FILE); on a machine with other work $FUZZ_TIMEOUT, 10 seconds for an input, wants to
# be more. `run.sh merge` adds what earlier runs found worth keeping to the corpora.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
seconds=${1:?seconds}
shift

[ -f build/fuzz/build.ninja ] || cmake --preset fuzz >/dev/null
cmake --build build/fuzz >build/fuzz/build.log 2>&1 || { cat build/fuzz/build.log; exit 1; }

readers=("$@")
if [ ${#readers[@]} -eq 0 ]; then
  for file in tests/fuzz/readers/*.c; do readers+=("$(basename "$file" .c)"); done
fi

failed=0
for reader in "${readers[@]}"; do
  found=build/fuzz/found/$reader
  corpus=tests/fuzz/corpora/$reader
  mkdir -p "$found" "$corpus"
  if [ "$seconds" = merge ]; then
    "build/fuzz/fuzz_$reader" -merge=1 -max_len=4096 "$corpus" "$found" 2>/dev/null
    continue
  fi
  # One block of more than 64 MB is asked for by what a file says, not by its length.
  if ! "build/fuzz/fuzz_$reader" -max_total_time="$seconds" -max_len=65536 -malloc_limit_mb=64 -rss_limit_mb=1024 \
      -timeout="${FUZZ_TIMEOUT:-10}" -artifact_prefix="build/fuzz/$reader-" "$found" "$corpus" >"build/fuzz/$reader.log" 2>&1; then
    tail -40 "build/fuzz/$reader.log"
    failed=1
  fi
  echo "$reader: $(grep -ao 'Done [0-9]* runs in [0-9]*' "build/fuzz/$reader.log" || echo failed)"
done
exit $failed
