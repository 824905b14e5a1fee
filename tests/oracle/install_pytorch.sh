#!/bin/sh
# Puts the reference, PyPI's PyTorch 2.15, into a virtual environment of its own, beside whatever the system has, and
# prints the name of its Python. Of the CUDA libraries it takes only those that the import asks for: 3 GB, some minutes.
#
#     tests/oracle/install_pytorch.sh [FOLDER]      # by default ~/.cache/nnlua/torch-2.15
set -eu

folder=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/nnlua/torch-2.15}
if ! "$folder/bin/python" -c 'import torch' 2>/dev/null; then
  python3 -m venv "$folder"
  "$folder/bin/pip" install -q --no-deps torch==2.15.0 triton==3.9.0 nvidia-cufile nvidia-cusparselt-cu13==0.8.1 \
    nvidia-nvshmem-cu13==3.7.2 nvidia-nccl-cu13==2.30.7
  "$folder/bin/pip" install -q numpy scipy expecttest hypothesis pyyaml filelock typing-extensions sympy networkx \
    jinja2 fsspec 'setuptools>=77.0.3'
fi
echo "$folder/bin/python"
