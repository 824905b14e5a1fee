"""Makes tests/files/pictures and pictures.lua: small pictures of all kinds by Pillow 13, what torchvision 0.29 reads of
them, and what Pillow makes of others when it resizes them. python3 pictures.py, in this folder."""

import io, os, struct, zlib
import numpy as np
import torch
import torchvision.io as tio
from PIL import Image

rng = np.random.default_rng(5)
files = {}
FILTERS = {'nearest': 0, 'lanczos': 1, 'bilinear': 2, 'bicubic': 3, 'box': 4, 'hamming': 5}
MODES = {'UNCHANGED': 0, 'GRAY': 1, 'GRAY_ALPHA': 2, 'RGB': 3, 'RGB_ALPHA': 4}


def smooth(h, w, c):
    y, x = np.mgrid[0:h, 0:w]
    a = np.stack([127 + 90 * np.sin((x * (k + 1) + y * 2) / 5.0 + k) + 30 * np.cos(y / 3.0 * k) for k in range(c)], -1)
    return np.clip(a + rng.normal(0, 5, a.shape), 0, 255).astype(np.uint8)


def put(name, image, **options):
    b = io.BytesIO()
    image.save(b, **options)
    files[name] = b.getvalue()


def chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


def png(w, h, depth, color, raw, extra=b'', interlace=0):
    return (
        b'\x89PNG\r\n\x1a\n'
        + chunk(b'IHDR', struct.pack('>IIBBBBB', w, h, depth, color, 0, 0, interlace))
        + extra
        + chunk(b'IDAT', zlib.compress(raw))
        + chunk(b'IEND', b'')
    )


def rows(a):
    return b''.join(b'\0' + r.tobytes() for r in a)


def exif(orientation):
    e = Image.Exif()
    e[0x112] = orientation
    return e


rgb, rgba, la, gray = smooth(9, 10, 3), smooth(9, 10, 4), smooth(6, 7, 2), smooth(6, 7, 1)[..., 0]
put('rgb.png', Image.fromarray(rgb), format='PNG')
put('rgba.png', Image.fromarray(rgba), format='PNG')
put('gray_alpha.png', Image.fromarray(la, 'LA'), format='PNG')
put('gray.png', Image.fromarray(gray), format='PNG')
put('bits.png', Image.fromarray(gray > 128).convert('1'), format='PNG')
put('palette.png', Image.fromarray(rgb).quantize(200), format='PNG')
put('palette_alpha.png', Image.fromarray(rgb).quantize(7), format='PNG', transparency=bytes([0, 50, 255]))
put('key.png', Image.fromarray(rgb), format='PNG', transparency=tuple(int(v) for v in rgb[0, 0]))
files['gray16.png'] = png(7, 5, 16, 0, rows((np.arange(35).reshape(5, 7) * 1871 % 65536).astype('>u2')))
files['rgba16.png'] = png(7, 5, 16, 6, rows((np.arange(140).reshape(5, 7, 4) * 467 % 65536).astype('>u2')))
files['gamma.png'] = png(10, 9, 8, 2, rows(rgb), chunk(b'gAMA', struct.pack('>I', 100000)))
passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
raw = b''.join(
    b'\0' + rgb[y, x0::dx].tobytes() for x0, y0, dx, dy in passes for y in range(y0, 9, dy) if rgb[y, x0::dx].size
)
files['interlaced.png'] = png(10, 9, 8, 2, raw, interlace=1)
put('turned6.png', Image.fromarray(rgb), format='PNG', exif=exif(6))
put('rgb.jpg', Image.fromarray(smooth(11, 18, 3)), format='JPEG', quality=80)
put('rgb444.jpg', Image.fromarray(smooth(9, 7, 3)), format='JPEG', quality=90, subsampling=0)
put('gray.jpg', Image.fromarray(smooth(9, 11, 1)[..., 0]), format='JPEG')
put('progressive.jpg', Image.fromarray(smooth(11, 18, 3)), format='JPEG', progressive=True)
put('cmyk.jpg', Image.fromarray(smooth(9, 10, 4), 'CMYK'), format='JPEG')
ycck = bytearray(files['cmyk.jpg'])
ycck[files['cmyk.jpg'].find(b'Adobe') + 11] = 2
files['ycck.jpg'] = bytes(ycck)
for o in range(1, 9):
    put(f'turned{o}.jpg', Image.fromarray(smooth(3, 5, 3)), format='JPEG', exif=exif(o), subsampling=0)

os.makedirs('pictures', exist_ok=True)
out = open('pictures.lua', 'w')
out.write(
    '-- Made by pictures.py: shapes and, in hexadecimal, elements of what torchvision 0.29 reads of the pictures in\n'
    '-- this folder by mode (without and with EXIF orientation), of two bytes each where a picture has 16 bits; then\n'
    '-- what Pillow 13 makes of bytes and of floats when it resizes them.\n'
    'local pictures, resized = {}, {}\n'
)
for name, data in files.items():
    open('pictures/' + name, 'wb').write(data)
    for mode, number in MODES.items():
        for turned in (False, True) if 'turned' in name else (False,):
            # torchvision 0.29 is wrong here: it takes packed palettes for bytes, leaves out keys, and adds no alpha to
            # palettes and an alpha of 1 to single bits
            if 'ALPHA' in mode and ('.jpg' in name or name in ('bits.png', 'palette.png', 'key.png')):
                continue
            if (
                name == 'palette_alpha.png'
                and mode == 'UNCHANGED'
                or mode == 'RGB'
                and turned is False
                and 'turned' in name
            ):
                continue
            if name[:6] in ('turned', 'progre', 'rgb444') and mode != 'RGB':
                continue
            x = tio.decode_image(
                torch.frombuffer(bytearray(data), dtype=torch.uint8),
                tio.ImageReadMode(number),
                apply_exif_orientation=turned,
            )
            elements = x.contiguous().numpy().astype('<u2' if '16' in name else 'u1').tobytes().hex()
            out.write(f'pictures["{name} {mode}"] = {{{{{", ".join(map(str, x.shape))}}},\n')
            lines = [elements[i : i + 100] for i in range(0, len(elements), 100)]
            out.write(' ..\n'.join(f'  "{line}"' for line in lines) + '}\n')

SIZES = [(9, 7, 4, 5), (9, 7, 13, 11), (12, 4, 3, 5), (5, 5, 5, 3), (5, 5, 8, 5), (1, 1, 2, 3), (9, 20, 3, 4)]
for h, w, H, W in SIZES:
    a = rng.integers(0, 256, (h, w, 3), dtype=np.uint8)
    f = rng.normal(0, 1, (h, w)).astype(np.float32)
    out.write(f'resized[#resized + 1] = {{from = {{{h}, {w}}}, to = {{{H}, {W}}},\n  bytes = "')
    out.write(a.transpose(2, 0, 1).tobytes().hex().replace('0x', '') + '",\n')
    out.write(f'  floats = "{f.tobytes().hex()}",\n')
    for name, number in FILTERS.items():
        made = np.asarray(Image.fromarray(a).resize((W, H), number)).transpose(2, 0, 1).tobytes().hex()
        of_floats = np.asarray(Image.fromarray(f, 'F').resize((W, H), number)).tobytes().hex()
        out.write(f'  {name} = {{"{made}",\n    "{of_floats}"}},\n')
    out.write('}\n')
out.write('return {pictures = pictures, resized = resized}\n')
