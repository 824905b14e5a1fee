#!/bin/sh
# Writes the committed cases anew. It needs a Python with PyTorch; README.md says which.
#
#     tests/oracle/make_cases.sh [PYTHON]
#
# The same release of PyTorch gives the same files, so `git diff --text` shows what really changed.
set -eu

python=${1:-python3}
here=$(cd "$(dirname "$0")" && pwd)

# lists/ has the names of files in each family, one a line, as export.py has them. The operations are exported in
# float32 and float64 first, then a few cases of each in the rest.
other_dtypes='float16,bfloat16,int8,int16,int32,int64,uint8,bool,complex64,complex128'

# A regular expression for exactly the names given.
any_of() {
  printf '^(%s)$' "$(echo $* | sed 's/\./\\./g; s/ /|/g')"
}

export_to() {
  folder=$1; shift
  "$python" -B "$here/export/export.py" "$folder" --seed 0 "$@"
}

rm -rf "$here/cases" "$here/cases_of_other_dtypes"
export_to "$here/cases" \
  --ops "$(any_of $(cat "$here"/lists/*))"
export_to "$here/cases_of_other_dtypes" --families ops,random,printing,distributions --per-op 10 \
  --dtypes "$other_dtypes" --ops "$(any_of $(cat "$here/lists/operations") functions in_place \
    $(cat "$here/lists/printing" "$here/lists/distributions"))"
