"""PyTorch's side of step.lua: torchrun --nproc-per-node 2 bench/distributed/step.py"""
import os
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import torch
import torch.distributed as dist
import torch.nn.functional as F
from models import CLASSES, GPT, LENGTH, lenet, mlp, resnet18
from torch.nn.parallel import DistributedDataParallel

torch.set_num_threads(1)
dist.init_process_group("gloo")
rank = dist.get_rank()
torch.manual_seed(rank)


def sent():
    """Bytes that this host's network interfaces have sent."""
    with open("/proc/net/dev") as file:
        return sum(int(line.split(":")[1].split()[8]) for line in file if ":" in line)


def measure(name, net, x, y, loss_of):
    net = DistributedDataParallel(net)
    opt = torch.optim.SGD(net.parameters(), lr=0.001)

    def step():
        opt.zero_grad()
        loss_of(net(x), y).backward()
        opt.step()

    for _ in range(3):
        step()
    dist.barrier()
    times, before = [], sent()
    for _ in range(15):
        dist.barrier()
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    dist.barrier()
    over_network = (sent() - before) / len(times)
    if rank == 0:
        size = sum(p.numel() * p.element_size() for p in net.parameters())
        print(f"{name:25} {1000 * sorted(times)[7]:9.2f} ms   {size / 1e6:6.2f} MB of gradients; "
              f"{over_network / 1e6:.2f} MB sent", flush=True)


def text():
    return torch.randint(0, CLASSES, (16, LENGTH))


measure("MLP b128", mlp(), torch.randn(128, 784), torch.randint(0, 10, (128,)), F.cross_entropy)
measure("LeNet-5 b64", lenet(), torch.randn(64, 1, 28, 28), torch.randint(0, 10, (64,)), F.cross_entropy)
measure("GPT 4 x 128, 128 long b16", GPT(), text(), text(),
        lambda result, labels: F.cross_entropy(result.flatten(0, 1), labels.flatten()))
measure("ResNet-18, 64 x 64 b8", resnet18(), torch.randn(8, 3, 64, 64), torch.randint(0, 1000, (8,)), F.cross_entropy)
dist.destroy_process_group()
