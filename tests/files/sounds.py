"""Makes tests/files/sounds and sounds.lua: short WAV files of all kinds by libsndfile (soundfile 0.13), and what it reads
of them."""

import os
import numpy as np
import soundfile as sf

rng = np.random.default_rng(2)
os.makedirs('sounds', exist_ok=True)
out = open('sounds.lua', 'w')
out.write(
    '-- Made by sounds.py: rate, channels, and what libsndfile reads of the files in sounds, as float32 in hexadecimal,\n'
    '-- frame by frame.\nlocal sounds = {}\n'
)
for name, subtype, form, channels, rate in [
    ('u8', 'PCM_U8', 'WAV', 1, 8000),
    ('s16', 'PCM_16', 'WAV', 2, 44100),
    ('s24', 'PCM_24', 'WAV', 2, 48000),
    ('s32', 'PCM_32', 'WAV', 1, 16000),
    ('f32', 'FLOAT', 'WAV', 2, 16000),
    ('f64', 'DOUBLE', 'WAV', 1, 22050),
    ('x16', 'PCM_16', 'WAVEX', 3, 16000),
    ('x24', 'PCM_24', 'WAVEX', 1, 96000),
    ('xf32', 'FLOAT', 'WAVEX', 1, 16000),
    ('odd8', 'PCM_U8', 'WAV', 1, 8000),
]:
    frames = 9 if name == 'odd8' else 10
    x = np.clip(rng.normal(0, 0.4, (frames, channels)), -1, 1)
    x[:3, 0] = 0, 1, -1
    path = f'sounds/{name}.wav'
    sf.write(path, x, rate, subtype=subtype, format=form)
    y, r = sf.read(path, dtype='float32', always_2d=True)
    text = y.astype('<f4').tobytes().hex()
    lines = '\n  .. '.join(f'"{text[i:i + 104]}"' for i in range(0, len(text), 104))
    out.write(f'sounds.{name} = {{{r}, {channels},\n  {lines}}}\n')
out.write('return sounds\n')
