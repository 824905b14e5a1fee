#!/bin/sh
# Writes the committed cases anew. It needs a Python with PyTorch; README.md says which.
#
#     tests/oracle/make_cases.sh [PYTHON]
#
# The same release of PyTorch gives the same files, so `git diff` shows what really changed.
set -eu

python=${1:-python3}
here=$(cd "$(dirname "$0")" && pwd)

# Names of files in each family, as export.py has them.
operations='
  add sub mul div.no_rounding_mode div.trunc_rounding div.floor_rounding pow neg
  __radd__ __rsub__ __rmul__ __rdiv__ __rpow__ __rmatmul__
  exp log tanh sigmoid nn.functional.relu nn.functional.softplus logaddexp addcmul lerp where eq ne lt le gt ge
  sum cumsum mean max.reduction_no_dim max.reduction_with_dim max.binary argmax norm norm.fro norm.inf
  view reshape transpose permute expand select slice __getitem__ index_put contiguous fill
  cat split split.list_args gather scatter_add index_select
  mm bmm matmul addmm addmm.decomposed nn.functional.linear
  log_softmax log_softmax.dtype nn.functional.nll_loss nn.functional.cross_entropy
  nn.functional.mse_loss nn.functional.dropout
  zeros ones full.extra arange randn
  zeros_like ones_like full_like rand_like randn_like randint_like new_zeros new_ones new_full
'
modules='Linear ReLU Dropout Sequential ModuleList ModuleDict MSELoss CrossEntropyLoss'
optimizers='SGD'
streams='functions in_place sequences modules'
trainings='mlp'

# `operations` are exported in float32 and float64 first, then a few cases of each in the rest.
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
  --ops "$(any_of $operations $modules $optimizers $streams $trainings)"
export_to "$here/cases_of_other_dtypes" --families ops,random --per-op 20 \
  --dtypes "$other_dtypes" --ops "$(any_of $operations functions in_place)"

# -n leaves out name and time, which would differ each time.
find "$here/cases" "$here/cases_of_other_dtypes" -name '*.jsonl' -exec gzip -9 -n {} +
