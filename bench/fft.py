# PyTorch's side of the comparison of Fourier transforms: the cases of fft.lua, line by line. See run.lua.
import torch

from measure import measure

KINDS = [("fft complex64", torch.complex64, torch.fft.fft), ("fft complex128", torch.complex128, torch.fft.fft),
         ("rfft float32", torch.float32, torch.fft.rfft)]
COMPLEX = torch.complex64


def case(run, dtype, *shape):
    def make():
        x = torch.randn(*shape, dtype=dtype)
        return lambda: run(x)

    return make


for n in [8, 32, 100, 101, 128, 360, 1000, 1009, 1024, 2018, 3125, 4096, 10007, 16384, 30030, 44100, 65521, 65536]:
    for name, dtype, run in KINDS:
        rows = 100000 // n
        measure(f"{name} {n}", case(run, dtype, n))
        measure(f"{name} {rows}x{n}", case(run, dtype, rows, n))


def columns(x):
    return torch.fft.fft(x, dim=0)


for n in [32, 360, 1024]:
    measure(f"fft complex64 columns {n}x{100000 // n}", case(columns, COMPLEX, n, 100000 // n))
for n in [64, 500, 512]:
    measure(f"rfft2 {n}x{n}", case(torch.fft.rfft2, torch.float32, n, n))
    measure(f"fft2 {n}x{n}", case(torch.fft.fft2, COMPLEX, n, n))


def stft(x, window):
    return torch.stft(x, 1024, 256, window=window, return_complex=True)


def forward():
    x, window = torch.randn(160000), torch.hann_window(1024)
    return lambda: stft(x, window)


def inverse():
    window = torch.hann_window(1024)
    x = stft(torch.randn(160000), window)
    return lambda: torch.istft(x, 1024, 256, window=window)


measure("stft 160000, 1024 by 256", forward)
measure("istft 160000, 1024 by 256", inverse)
