#!/bin/sh
# Prints tables of the errors (ulp, and the argument of the largest) and times (ns an element, in the nearest cache) of
# the kernels' functions, for each instruction set of src/kernels/isa.def that this machine runs. Fails where an error
# is larger than it may be.
here=$(cd "$(dirname "$0")/../.." && pwd)
out=$(mktemp -d)
trap 'rm -r "$out"' EXIT
bad=0

measure() { # set flags
  set=$1
  shift
  for type in f32 f64; do
    printf '\n%s, %s\n\n| function | ulp | at | ns |\n| --- | ---: | ---: | ---: |\n' "$set" "$type"
    ${CC:-cc} -std=gnu11 -O3 -fno-math-errno -fno-trapping-math -fwrapv -I"$here/src" "$@" \
      -DISA="$set" -DT_SUFFIX=$type -DT_$type=1 -DT_FLOATING=1 "$here/tests/accuracy/functions.c" -o "$out/run" -lm &&
      "$out/run" || bad=1
  done
}

has() { grep -qw "$1" /proc/cpuinfo; }

measure base -ffp-contract=off -DVECTOR_BYTES=16
if has avx2 && has fma; then measure avx2 -ffp-contract=fast -mavx2 -mfma -DVECTOR_BYTES=32; fi
if has avx512f && has avx512dq; then
  measure avx512 -ffp-contract=fast -mfma -mavx512f -mavx512vl -mavx512dq -mavx512bw -DVECTOR_BYTES=64
fi
exit $bad
