"""The other half of files.lua: python files.py FOLDER."""
import sys
import time

import numpy as np
import torch
from safetensors.torch import load_file

folder = sys.argv[1]


def fastest(name, f):
    best = 1e9
    for _ in range(7):
        start = time.perf_counter()
        value = f()
        best = min(best, time.perf_counter() - start)
        del value
    print(f"Python   {name:17} {best * 1e3:8.2f} ms")


fastest("load pt", lambda: torch.load(folder + "/net.pt"))
fastest("mmap pt", lambda: torch.load(folder + "/net.pt", mmap=True))
fastest("load npz", lambda: dict(np.load(folder + "/net.npz").items()))
fastest("load safetensors", lambda: load_file(folder + "/net.safetensors"))
