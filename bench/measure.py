# How PyTorch's sides of comparisons measure; see compare.lua. Importing it sets the threads and the seed.
import os
import time

import torch

torch.set_num_threads(int(os.environ.get("BENCH_THREADS", "1")))
torch.manual_seed(0)


def measure(name, n, f):
    for _ in range(max(1, n // 10)):
        f()
    best = float("inf")
    for _ in range(7):
        start = time.process_time()
        for _ in range(n):
            f()
        best = min(best, (time.process_time() - start) / n)
    print(f"{name} {best:.9f}", flush=True)
