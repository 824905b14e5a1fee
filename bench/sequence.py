# PyTorch's side of the comparison for sequences: the cases of sequence.lua, line by line. See compare.lua.
import torch
from torch import nn

from measure import measure

F = nn.functional
CLASSES, WIDTH, HEADS, LENGTH = 65, 128, 4, 128


# ------------------------------------------------------------------ attention

later = torch.full((LENGTH, LENGTH), float("-inf")).triu(1)
packed = torch.randn(16, LENGTH, 3 * WIDTH, requires_grad=True)


def causal_attention(q, k, v):
    """PyTorch 1.13 has no scaled_dot_product_attention."""
    return ((q @ k.transpose(-2, -1)) * q.size(-1) ** -0.5 + later).softmax(-1) @ v


def heads_of(x):
    return [part.reshape(x.size(0), x.size(1), HEADS, WIDTH // HEADS).transpose(1, 2) for part in x.split(WIDTH, 2)]


def attend():
    return causal_attention(*heads_of(packed))


def backward():
    packed.grad = None
    attend().sum().backward()


with torch.no_grad():
    measure("causal attention 16x4x128x32", 10, attend)
measure("causal attention 16x4x128x32, backward", 5, backward)


# ---------------------------------------------------------------------- steps

def training(name, n, net, inputs, targets):
    optimizer = torch.optim.Adam(net.parameters(), lr=0.001)

    def step():
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(net(inputs).flatten(0, 1), targets).backward()
        optimizer.step()

    measure(name, n, step)


class CharLSTM(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(CLASSES, 64)
        self.lstm = nn.LSTM(64, 128)
        self.head = nn.Linear(128, CLASSES)

    def forward(self, x):
        return self.head(self.lstm(self.embedding(x))[0])


training("LSTM step, 128 wide, 64 steps, batch 32", 5, CharLSTM(), torch.randint(0, CLASSES, (64, 32)),
         torch.randint(0, CLASSES, (64 * 32,)))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.attention_in, self.attention_out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.inner, self.outer = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x):
        heads = causal_attention(*heads_of(self.attention_in(self.norm1(x))))
        x = x + self.attention_out(heads.transpose(1, 2).reshape(x.shape))
        return x + self.outer(F.gelu(self.inner(self.norm2(x))))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(CLASSES, WIDTH), nn.Embedding(LENGTH, WIDTH)
        self.blocks = nn.Sequential(*(Block() for _ in range(4)))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, CLASSES, bias=False)

    def forward(self, x):
        x = self.tokens(x) + self.positions(torch.arange(LENGTH))
        return self.head(self.norm(self.blocks(x)))


training("GPT step, 4 blocks, 128 wide, 128 long, batch 16", 2, GPT(), torch.randint(0, CLASSES, (16, LENGTH)),
         torch.randint(0, CLASSES, (16 * LENGTH,)))
