"""Makes transforms.lua: what torchvision 0.29's transforms (of PyTorch 2.15) make of two small pictures with given seeds.
Transforms that resize are given Pillow's pictures, whose pixels nl.io.resize gives; all others tensors."""

import numpy as np
import torch
import torchvision.transforms as T
import torchvision.transforms.functional as F
import torchvision.transforms.v2 as V2
from PIL import Image

rng = np.random.default_rng(3)
y, x = np.mgrid[0:9, 0:11]
image = np.stack(
    [np.clip(127 + 100 * np.sin((x * (k + 1) + y * 2) / 4 + k) + rng.normal(0, 9, x.shape), 0, 255) for k in range(3)]
).astype(np.uint8)
u8 = torch.from_numpy(image)
f32 = F.convert_image_dtype(u8)
pil = Image.fromarray(image.transpose(1, 2, 0))

# Lua, Python's transform, what it is given
B = T.InterpolationMode.BILINEAR
cases = [
    ('CenterCrop({5, 6})', T.CenterCrop((5, 6)), 'uf'),
    ('CenterCrop({12, 8})', T.CenterCrop((12, 8)), 'u'),
    ('RandomCrop({4, 5})', T.RandomCrop((4, 5)), 'u'),
    ('RandomCrop({9, 9}, {padding = 2, fill = 7})', T.RandomCrop((9, 9), padding=2, fill=7), 'u'),
    (
        'RandomCrop({13, 12}, {pad_if_needed = true, padding_mode = "reflect"})',
        T.RandomCrop((13, 12), pad_if_needed=True, padding_mode='reflect'),
        'uf',
    ),
    ('Pad({1, 2}, 3)', T.Pad((1, 2), 3), 'uf'),
    ('Pad({1, 2, 3, 0}, {padding_mode = "edge"})', T.Pad((1, 2, 3, 0), padding_mode='edge'), 'u'),
    ('Pad({2, 1}, {padding_mode = "symmetric"})', T.Pad((2, 1), padding_mode='symmetric'), 'u'),
    ('RandomHorizontalFlip()', T.RandomHorizontalFlip(), 'u'),
    ('RandomVerticalFlip(0.4)', T.RandomVerticalFlip(0.4), 'u'),
    ('RandomRotation(30)', T.RandomRotation(30), 'u'),
    (
        'RandomRotation({20, 80}, {interpolation = "bilinear", fill = {9, 8, 7}})',
        T.RandomRotation((20, 80), interpolation=B, fill=(9, 8, 7)),
        'u',
    ),
    ('RandomRotation(45, {expand = true})', T.RandomRotation(45, expand=True), 'u'),
    ('RandomRotation(45, {center = {2, 3}})', T.RandomRotation(45, center=(2, 3)), 'u'),
    (
        'RandomAffine(20, {translate = {0.2, 0.1}, scale = {0.8, 1.2}, shear = 10})',
        T.RandomAffine(20, (0.2, 0.1), (0.8, 1.2), 10),
        'u',
    ),
    (
        'RandomAffine({5, 50}, {shear = {-5, 5, 3, 9}, interpolation = "bilinear", fill = 40})',
        T.RandomAffine((5, 50), shear=(-5, 5, 3, 9), interpolation=B, fill=40),
        'u',
    ),
    (
        'RandomAffine(0, {scale = {0.5, 0.6}, interpolation = "bilinear", center = {0, 0}})',
        T.RandomAffine(0, scale=(0.5, 0.6), interpolation=B, center=(0, 0)),
        'f',
    ),
    ('RandomPerspective(0.6, 0.8)', T.RandomPerspective(0.6, 0.8), 'uf'),
    (
        'RandomPerspective(0.5, {p = 1, interpolation = "nearest", fill = 9})',
        T.RandomPerspective(0.5, 1, T.InterpolationMode.NEAREST, 9),
        'u',
    ),
    ('Grayscale()', T.Grayscale(), 'uf'),
    ('Grayscale(3)', T.Grayscale(3), 'u'),
    ('RandomGrayscale(0.5)', T.RandomGrayscale(0.5), 'u'),
    ('RandomInvert()', T.RandomInvert(), 'uf'),
    ('ColorJitter({brightness = 0.5})', T.ColorJitter(brightness=0.5), 'uf'),
    ('ColorJitter({contrast = {0.3, 2}})', T.ColorJitter(contrast=(0.3, 2)), 'uf'),
    ('ColorJitter({saturation = 0.9})', T.ColorJitter(saturation=0.9), 'uf'),
    ('ColorJitter({hue = 0.5})', T.ColorJitter(hue=0.5), 'uf'),
    ('ColorJitter(0.4, 0.4, 0.4, 0.2)', T.ColorJitter(0.4, 0.4, 0.4, 0.2), 'uf'),
    ('Normalize({0.4, 0.5, 0.6}, {0.2, 0.3, 0.4})', T.Normalize((0.4, 0.5, 0.6), (0.2, 0.3, 0.4)), 'f'),
    ('RandomErasing({p = 0.7})', T.RandomErasing(p=0.7), 'uf'),
    ('RandomErasing({p = 1, value = {0.1, 0.2, 0.3}})', T.RandomErasing(p=1, value=(0.1, 0.2, 0.3)), 'f'),
    (
        'RandomErasing({p = 1, value = "random", ratio = {0.5, 2}})',
        T.RandomErasing(p=1, value='random', ratio=(0.5, 2)),
        'f',
    ),
    ('GaussianBlur(3)', T.GaussianBlur(3), 'uf'),
    ('GaussianBlur({5, 3}, 1.5)', T.GaussianBlur((5, 3), 1.5), 'uf'),
    ('ConvertImageDtype(nl.float32)', T.ConvertImageDtype(torch.float32), 'u'),
    ('ConvertImageDtype(nl.uint8)', T.ConvertImageDtype(torch.uint8), 'f'),
    ('ConvertImageDtype(nl.int16)', T.ConvertImageDtype(torch.int16), 'uf'),
    ('RandomApply({T.RandomRotation(30)}, 0.6)', T.RandomApply([T.RandomRotation(30)], 0.6), 'u'),
    (
        'RandomChoice({T.RandomInvert(1), T.RandomVerticalFlip(1), T.Pad(1)})',
        V2.RandomChoice([T.RandomInvert(1), T.RandomVerticalFlip(1), T.Pad(1)]),
        'u',
    ),
    (
        'RandomOrder({T.RandomInvert(0.5), T.RandomVerticalFlip(0.5), T.Pad({1, 0}), T.CenterCrop(9)})',
        V2.RandomOrder([T.RandomInvert(0.5), T.RandomVerticalFlip(0.5), T.Pad((1, 0)), T.CenterCrop(9)]),
        'u',
    ),
    (
        'Compose({T.RandomCrop(8, {padding = 1}), T.RandomHorizontalFlip(), T.ToTensor()})',
        T.Compose([T.RandomCrop(8, padding=1), T.RandomHorizontalFlip(), T.ConvertImageDtype(torch.float32)]),
        'u',
    ),
    ('Resize({5, 7})', T.Resize((5, 7)), 'p'),
    ('Resize(6)', T.Resize(6), 'p'),
    ('Resize(8, {max_size = 9})', T.Resize(8, max_size=9), 'p'),
    ('Resize({15, 14}, "bicubic")', T.Resize((15, 14), T.InterpolationMode.BICUBIC), 'p'),
    ('Resize({6, 6}, {interpolation = "bilinear", antialias = false})', T.Resize((6, 6), antialias=False), 'uf'),
    ('RandomResizedCrop(6)', T.RandomResizedCrop(6), 'p'),
    (
        'RandomResizedCrop({5, 8}, {scale = {0.9, 1}, ratio = {0.2, 0.3}})',
        T.RandomResizedCrop((5, 8), scale=(0.9, 1), ratio=(0.2, 0.3)),
        'p',
    ),
]


def array(t):
    kinds = {torch.uint8: 'u1', torch.float32: '<f4', torch.int16: '<i2'}
    text = t.contiguous().numpy().astype(kinds[t.dtype]).tobytes().hex()
    return '\n    .. '.join(f'"{text[i:i + 104]}"' for i in range(0, max(len(text), 1), 104))


out = open('transforms.lua', 'w')
out.write(
    '-- Made by transforms.py: a picture, then for transforms in Lua and seeds the dtype, shape and elements (in\n'
    '-- hexadecimal) of what torchvision makes of it, as bytes, or, given floats, as floats from 0 to 1.\n'
)
out.write(f'local image = {array(u8)}\nlocal cases = {{}}\n')
for lua, transform, given in cases:
    for kind in given:
        seeds = (1, 2, 3) if 'Random' in lua or 'Jitter' in lua or 'Blur(3)' in lua else (1,)
        for seed in seeds if kind != 'f' or len(seeds) == 1 else seeds[:1]:
            torch.manual_seed(seed)
            r = transform({'u': u8, 'f': f32, 'p': pil}[kind])
            if kind == 'p':
                r = F.pil_to_tensor(r)
            dtype = str(r.dtype).replace('torch.', '')
            out.write(
                f"cases[#cases + 1] = {{'{lua}', \"{'float32' if kind == 'f' else 'uint8'}\", {seed}, \"{dtype}\", "
                f"{{{', '.join(map(str, r.shape))}}},\n  {array(r)}}}\n"
            )
out.write('return {image = image, cases = cases}\n')
