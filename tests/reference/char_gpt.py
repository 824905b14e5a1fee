# The training of examples/char_gpt.lua in PyTorch, for the figures in its header:
#   python3 tests/reference/char_gpt.py [--steps N] [--threads N]
import argparse
import os
import time

import torch
from torch import nn
from torch.nn import functional as F

parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int, default=5000)
parser.add_argument("--threads", type=int, default=2)
options = parser.parse_args()
torch.set_num_threads(options.threads)
torch.manual_seed(0)

context, batch, width, heads, depth, every = 128, 16, 128, 4, 4, 500

folder = os.path.join(os.path.dirname(__file__), "../../examples/data")
with open(os.path.join(folder, "tinyshakespeare.txt"), "rb") as file:
    codes = torch.tensor(list(file.read()))
alphabet, numbers = torch.unique(codes, return_inverse=True)
split = len(numbers) * 9 // 10
train, test = numbers[:split], numbers[split:]


def pieces(text, n):
    places = torch.randint(0, len(text) - context, (n, 1)) + torch.arange(context)
    return text[places], text[places + 1]


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x):
        n, length, _ = x.shape
        q, k, v = self.qkv(x).view(n, length, 3, heads, width // heads).permute(2, 0, 3, 1, 4).unbind(0)
        if hasattr(F, "scaled_dot_product_attention"):
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            scores = q @ k.transpose(-2, -1) / (width // heads) ** 0.5
            mask = torch.ones(length, length, dtype=torch.bool).tril()
            y = scores.masked_fill(~mask, float("-inf")).softmax(-1) @ v
        return self.out(y.transpose(1, 2).reshape(n, length, width))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.attention, self.norm2 = nn.LayerNorm(width), Attention(), nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.token, self.place = nn.Embedding(len(alphabet), width), nn.Embedding(context, width)
        self.blocks = nn.Sequential(*[Block() for _ in range(depth)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, len(alphabet))
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Embedding)):
                nn.init.normal_(module.weight, 0, 0.02)
            if isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)

    def forward(self, x):
        return self.head(self.norm(self.blocks(self.token(x) + self.place(torch.arange(x.shape[1])))))


net = GPT()


def loss_of(x, y):
    return F.cross_entropy(net(x).flatten(0, 1), y.flatten())


optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, betas=(0.9, 0.99), weight_decay=0.1)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=2e-3, total_steps=options.steps, pct_start=0.05)


@torch.no_grad()
def evaluate():
    return sum(loss_of(*pieces(test, 64)).item() for _ in range(20)) / 20


start = time.time()
for step in range(1, options.steps + 1):
    loss = loss_of(*pieces(train, batch))
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1)
    optimizer.step()
    schedule.step()
    if step % every == 0 or step == options.steps:
        print(f"step {step:5d}  held-out loss {evaluate():.3f} nats a character  {time.time() - start:.0f} s", flush=True)
