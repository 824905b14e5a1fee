# PyTorch's side of the comparison: the cases of convolutions.lua, line by line. See run.lua.
import torch

from measure import measure

F = torch.nn.functional


def convolution(name, shape, out, kernel, transposed=False, **options):
    dims, groups = len(shape) - 2, options.get("groups", 1)
    channels = (shape[1], out // groups) if transposed else (out, shape[1] // groups)
    x = torch.randn(shape)
    w = torch.randn(*channels, *dims * [kernel])
    conv = getattr(F, f"conv{'_transpose' if transposed else ''}{dims}d")

    def forward():
        def run():
            with torch.no_grad():
                conv(x, w, None, **options)
        return run

    def gradient(of, other):
        def make():
            of.requires_grad_(True)
            other.requires_grad_(False)
            result = conv(x, w, None, **options)
            grad = torch.ones_like(result)
            return lambda: torch.autograd.grad(result, of, grad, retain_graph=True)
        return make

    measure(name + " forward", forward)
    measure(name + " dx", gradient(x, w))
    measure(name + " dw", gradient(w, x))


convolution("3-64 7x7/2 64x64", (8, 3, 64, 64), 64, 7, stride=2, padding=3)
convolution("64-64 3x3 16x16", (8, 64, 16, 16), 64, 3, padding=1)
convolution("64-128 3x3/2 16x16", (8, 64, 16, 16), 128, 3, stride=2, padding=1)
convolution("64-128 1x1/2 16x16", (8, 64, 16, 16), 128, 1, stride=2)
convolution("128-128 3x3 8x8", (8, 128, 8, 8), 128, 3, padding=1)
convolution("128-256 3x3/2 8x8", (8, 128, 8, 8), 256, 3, stride=2, padding=1)
convolution("256-256 3x3 4x4", (8, 256, 4, 4), 256, 3, padding=1)
convolution("256-512 3x3/2 4x4", (8, 256, 4, 4), 512, 3, stride=2, padding=1)
convolution("512-512 3x3 2x2", (8, 512, 2, 2), 512, 3, padding=1)
convolution("3-64 7x7/2 224x224", (8, 3, 224, 224), 64, 7, stride=2, padding=3)
convolution("64-64 3x3 56x56", (8, 64, 56, 56), 64, 3, padding=1)
convolution("128-128 3x3 28x28", (8, 128, 28, 28), 128, 3, padding=1)
convolution("256-256 3x3 14x14", (8, 256, 14, 14), 256, 3, padding=1)
convolution("512-512 3x3 7x7", (8, 512, 7, 7), 512, 3, padding=1)
convolution("256-1024 1x1 14x14", (8, 256, 14, 14), 1024, 1)

convolution("1-6 5x5 28x28", (64, 1, 28, 28), 6, 5, padding=2)
convolution("6-16 5x5 14x14", (64, 6, 14, 14), 16, 5)

convolution("3-64 4x4/2 64x64", (16, 3, 64, 64), 64, 4, stride=2, padding=1)
convolution("64-128 4x4/2 32x32", (16, 64, 32, 32), 128, 4, stride=2, padding=1)
convolution("256-512 4x4/2 8x8", (16, 256, 8, 8), 512, 4, stride=2, padding=1)
convolution("transposed 512-256 4x4/2 4x4", (16, 512, 4, 4), 256, 4, True, stride=2, padding=1)
convolution("transposed 100-512 4x4 1x1", (16, 100, 1, 1), 512, 4, True)
convolution("transposed 64-3 4x4/2 32x32", (16, 64, 32, 32), 3, 4, True, stride=2, padding=1)

for size in (4, 16, 64, 128):
    convolution(f"16-16 3x3 {size}x{size}", (8, 16, size, size), 16, 3, padding=1)
convolution("depthwise 128 3x3 28x28", (8, 128, 28, 28), 128, 3, padding=1, groups=128)
convolution("depthwise 128 3x3/2 28x28", (8, 128, 28, 28), 128, 3, stride=2, padding=1, groups=128)

convolution("3-16 3x3x3 16x56x56", (2, 3, 16, 56, 56), 16, 3, padding=1)
convolution("32-32 3x3x3 16x16x16", (2, 32, 16, 16, 16), 32, 3, padding=1)
convolution("64-128 3x3x3/2 8x14x14", (2, 64, 8, 14, 14), 128, 3, stride=2, padding=1)
convolution("transposed 64-32 2x2x2/2 8x8x8", (2, 64, 8, 8, 8), 32, 2, True, stride=2)
