# PyTorch's side of the comparison: the cases of nets.lua, line by line. See run.lua.
import warnings

import torch
from torch import nn

from measure import measure
from models import CLASSES, GPT, LENGTH, blocks, lenet, mlp, resnet18

F = nn.functional


def training(name, make, optimizer, options, loss):
    def made():
        net = make()
        opt = getattr(torch.optim, optimizer)(net.parameters(), **options)
        of = loss(net)

        def step():
            opt.zero_grad()
            of().backward()
            opt.step()
        return step
    measure(name, made)


def classes_of(shape, classes):
    def made(net):
        x, target = torch.randn(shape), torch.randint(0, classes, (shape[0],))
        return lambda: F.cross_entropy(net(x), target)
    return made


# ---------------------------------------------------------------- small nets

training("MLP 784-512-512-10 b128, SGD", mlp, "SGD", {"lr": 0.01}, classes_of((128, 784), 10))
training("MLP 784-512-512-10 b128, Adam", mlp, "Adam", {"lr": 0.001}, classes_of((128, 784), 10))


training("LeNet-5 b64, SGD", lenet, "SGD", {"lr": 0.01}, classes_of((64, 1, 28, 28), 10))


def lenet_forward():
    net, x = lenet(), torch.randn(64, 1, 28, 28)

    def run():
        with torch.no_grad():
            net(x)
    return run


measure("LeNet-5 b64, forward", lenet_forward)


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner, self.mean, self.logvar = nn.Linear(784, 400), nn.Linear(400, 20), nn.Linear(400, 20)
        self.outer, self.back = nn.Linear(20, 400), nn.Linear(400, 784)

    def forward(self, x):
        h = F.relu(self.inner(x))
        mean, logvar = self.mean(h), self.logvar(h)
        z = mean + torch.randn_like(mean) * (logvar * 0.5).exp()
        return torch.sigmoid(self.back(F.relu(self.outer(z)))), mean, logvar


def vae_loss(net):
    x = torch.rand(128, 784)

    def loss():
        y, mean, logvar = net(x)
        kl = (1 + logvar - mean.square() - logvar.exp()).sum() * -0.5
        return F.binary_cross_entropy(y, x, reduction="sum") + kl
    return loss


training("VAE 784-400-20 b128, Adam", VAE, "Adam", {"lr": 0.001}, vae_loss)


class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.actor, self.critic = nn.Linear(4, 128), nn.Linear(128, 2), nn.Linear(128, 1)

    def forward(self, x):
        h = F.relu(self.body(x))
        return F.softmax(self.actor(h), -1), self.critic(h)


def episode(net):
    states = torch.randn(20, 4)

    def loss():
        losses = []
        for t in range(20):
            probability, value = net(states[t])
            action = torch.multinomial(probability, 1)
            log = probability[action.item()].log()
            advantage = 1 - value.item()
            losses += [-log * advantage, F.smooth_l1_loss(value, torch.ones(1))]
        total = losses[0]
        for each in losses[1:]:
            total = total + each.sum()
        return total
    return loss


training("actor-critic 4-128-2, episode of 20, Adam", ActorCritic, "Adam", {"lr": 0.03}, episode)


# ----------------------------------------------------------------- sequences

def characters(a, b):
    def made(net):
        x, target = torch.randint(0, CLASSES, (a, b)), torch.randint(0, CLASSES, (a * b,))
        return lambda: F.cross_entropy(net(x).flatten(0, 1), target)
    return made


class Recurrent(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.embedding, self.layer, self.head = nn.Embedding(CLASSES, 64), layer(64, 128), nn.Linear(128, CLASSES)

    def forward(self, x):
        return self.head(self.layer(self.embedding(x))[0])


for kind in ("LSTM", "GRU"):
    training(kind + " 64-128, 64 steps b32, Adam", lambda: Recurrent(getattr(nn, kind)), "Adam", {"lr": 0.001},
             characters(64, 32))


training("GPT 4 x 128, 128 long b16, Adam", GPT, "Adam", {"lr": 0.001}, characters(16, LENGTH))


class ViT(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 192, 16, stride=16)
        self.cls = nn.Parameter(torch.zeros(1, 1, 192))
        self.positions = nn.Parameter(torch.randn(1, 197, 192) * 0.02)
        self.blocks = blocks(12, 192, 3, False)
        self.norm, self.head = nn.LayerNorm(192), nn.Linear(192, 1000)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat((self.cls.expand(x.size(0), -1, -1), x), 1) + self.positions
        return self.head(self.norm(self.blocks(x))[:, 0])


training("ViT 12 x 192, 224x224 b8, Adam", ViT, "Adam", {"lr": 0.001}, classes_of((8, 3, 224, 224), 1000))


# ------------------------------------------------------------------ pictures

SGD = {"lr": 0.1, "momentum": 0.9}
training("ResNet-18 64x64 b8, SGD", resnet18, "SGD", SGD, classes_of((8, 3, 64, 64), 1000))
training("ResNet-18 224x224 b8, SGD", resnet18, "SGD", SGD, classes_of((8, 3, 224, 224), 1000))


def down(a, b, norm):
    conv = nn.Conv2d(a, b, 4, stride=2, padding=1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(b) if norm else nn.Identity(), nn.LeakyReLU(0.2))


def up(a, b, stride, padding):
    conv = nn.ConvTranspose2d(a, b, 4, stride=stride, padding=padding, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(b), nn.ReLU())


def dcgan():
    judge = nn.Sequential(down(3, 64, False), down(64, 128, True), down(128, 256, True), down(256, 512, True),
                          nn.Conv2d(512, 1, 4, bias=False), nn.Sigmoid(), nn.Flatten(0))
    maker = nn.Sequential(up(100, 512, 1, 0), up(512, 256, 2, 1), up(256, 128, 2, 1), up(128, 64, 2, 1),
                          nn.ConvTranspose2d(64, 3, 4, stride=2, padding=1, bias=False), nn.Tanh())
    of_judge = torch.optim.Adam(judge.parameters(), lr=0.0002, betas=(0.5, 0.999))
    of_maker = torch.optim.Adam(maker.parameters(), lr=0.0002, betas=(0.5, 0.999))
    real, ones, zeros = torch.randn(16, 3, 64, 64), torch.ones(16), torch.zeros(16)

    def step():
        of_judge.zero_grad()
        F.binary_cross_entropy(judge(real), ones).backward()
        made = maker(torch.randn(16, 100, 1, 1))
        F.binary_cross_entropy(judge(made.detach()), zeros).backward()
        of_judge.step()
        of_maker.zero_grad()
        F.binary_cross_entropy(judge(made), ones).backward()
        of_maker.step()
    return step


measure("DCGAN 64 x 64, 64x64 b16, Adam", dcgan)


def twice(a, b):
    return nn.Sequential(nn.Conv2d(a, b, 3, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU(),
                         nn.Conv2d(b, b, 3, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU())


class UNet(nn.Module):
    def __init__(self, base):
        super().__init__()
        planes = [base << i for i in range(5)]
        self.downs = nn.ModuleList(twice(a, b) for a, b in zip([3] + planes[:3], planes[:4]))
        self.bottom, self.pool = twice(planes[3], planes[4]), nn.MaxPool2d(2)
        self.wide = nn.ModuleList(nn.ConvTranspose2d(2 * n, n, 2, stride=2) for n in planes[:4])
        self.ups = nn.ModuleList(twice(2 * n, n) for n in planes[:4])
        self.head = nn.Conv2d(base, 2, 1)

    def forward(self, x):
        kept = []
        for layer in self.downs:
            kept.append(layer(x))
            x = self.pool(kept[-1])
        x = self.bottom(x)
        for i in range(3, -1, -1):
            x = self.ups[i](torch.cat((kept[i], self.wide[i](x)), 1))
        return self.head(x)


def segments(net):
    x, target = torch.randn(4, 3, 128, 128), torch.randint(0, 2, (4, 128, 128))
    return lambda: F.cross_entropy(net(x), target)


training("U-Net base 32, 128x128 b4, Adam", lambda: UNet(32), "Adam", {"lr": 0.001}, segments)


# -------------------------------------------------------------------- decode

class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(50257, 768), nn.Embedding(1024, 768)
        self.blocks = blocks(12, 768, 12, True)
        self.norm, self.head = nn.LayerNorm(768), nn.Linear(768, 50257, bias=False)

    def forward(self, token, place, keys, values):
        x = self.tokens(token) + self.positions(place)
        for i, block in enumerate(self.blocks):
            parts = block.attention_in(block.norm1(x)).view(1, 3, 12, 1, 64)
            key, value = torch.cat((keys[i], parts[:, 1]), 2), torch.cat((values[i], parts[:, 2]), 2)
            attended = F.scaled_dot_product_attention(parts[:, 0], key, value)
            x = x + block.attention_out(attended.view(1, 768))
            x = x + block.outer(F.gelu(block.inner(block.norm2(x)), approximate="tanh"))
        return self.head(self.norm(x)).argmax(-1)


def decoding(dtype, is_quantized=False):
    def made():
        net = Decoder().to(dtype)
        if is_quantized:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it tells of its successor, torchao
                net = torch.ao.quantization.quantize_dynamic(net, {nn.Linear}, dtype=torch.qint8)
        keys = [torch.randn(1, 12, 128, 64).to(dtype) for _ in range(12)]
        values = [torch.randn(1, 12, 128, 64).to(dtype) for _ in range(12)]
        token, place = torch.tensor([7]), torch.tensor([128])

        def run():
            with torch.no_grad():
                net(token, place, keys, values)
        return run
    return made


for name in ("float32", "bfloat16"):
    measure("decode a token, GPT-2's size, " + name, decoding(getattr(torch, name)))
measure("decode a token, GPT-2's size, int8 weights", decoding(torch.float32, True))
