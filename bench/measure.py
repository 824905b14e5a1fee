# How PyTorch's sides of comparisons measure: as nnlua's do; see measure.lua. Importing it sets threads and seed.
import math
import os
import re
import resource
import sys
import time

import torch

threads = int(os.environ.get("BENCH_THREADS", "1"))
asked, cases = os.environ.get("BENCH_ASKED"), os.environ.get("BENCH_CASES")
enough = float(os.environ.get("BENCH_SECONDS", "0.03"))
torch.set_num_threads(threads)
torch.manual_seed(0)
clock = time.process_time if threads == 1 else time.perf_counter


def resident(field):
    with open("/proc/self/status") as file:
        return int(re.search(field + r":\s*(\d+)", file.read()).group(1))


def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def timed(f, n):
    start = clock()
    for _ in range(n):
        f()
    return clock() - start


def calls(f):
    n, seconds = 1, timed(f, 1)
    while seconds < enough:
        n = max(n + 1, math.ceil(n * min(10, 1.2 * enough / max(seconds, 1e-7))))
        seconds = timed(f, n)
    return n


def measure(name, make):
    if cases and f"\n{name}\n" not in cases:
        return
    held = resident("VmRSS")
    try:
        f = make()
    except Exception as problem:
        print(f"none {name}\t{' '.join(str(problem).split())}", flush=True)
        return
    n = calls(f)
    if not asked:
        print(f"{name:<40} {min(timed(f, n) / n for _ in range(5)) * 1e6:12.3f} us", flush=True)
        return
    print(f"case {name}", flush=True)
    while sys.stdin.readline().strip() == "run":
        before = faults()
        seconds = timed(f, n) / n
        print(f"{seconds:.10f} {(faults() - before) / n:.3f} {resident('VmHWM') - held}", flush=True)
