# ONNX Runtime's and PyTorch's side of the comparison over real models: the cases of zoo.lua, line by line. See run.lua.
import os
import sys

from measure import measure

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "zoo"))  # before bench/models.py
import models  # noqa: E402

for name in models.names():
    measure(name, lambda name=name: models.runner(name))
