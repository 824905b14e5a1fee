"""The cases of loader.lua in PyTorch."""
import time
import warnings

import torch
from torch.utils.data import DataLoader, Dataset, TensorDataset

torch.set_num_threads(1)
warnings.simplefilter("ignore")


class Slow(Dataset):
    def __len__(self):
        return 400

    def __getitem__(self, i):
        start = time.perf_counter()
        while time.perf_counter() - start < 0.002:
            pass
        return torch.full((3, 64, 64), float(i))


CASES = [
    ("2 ms an item, 50 batches of 8", Slow(), 8),
    ("rows of 10, 2000 batches of 10",
     TensorDataset(torch.randn(20000, 10), torch.randint(0, 5, (20000,))), 10),
    ("4.7 MB a batch, 20 batches", TensorDataset(torch.randn(2000, 3, 64, 64)), 100),
]

for name, dataset, size in CASES:
    for workers in (0, 2):
        best = float("inf")
        for _ in range(3):
            start = time.perf_counter()
            for _batch in DataLoader(dataset, batch_size=size, num_workers=workers):
                pass
            best = min(best, time.perf_counter() - start)
        print(f"PyTorch  {name:32} {workers} workers {best * 1e3:8.1f} ms")
