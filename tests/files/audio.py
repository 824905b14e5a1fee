"""Makes audio.lua: what torchaudio 2.11 (on PyTorch 2.15) and librosa 0.11 make of a short sound."""
import numpy as np
import torch
import torchaudio.functional as F
import torchaudio.transforms as T
import librosa

rng = np.random.default_rng(4)
t = np.arange(240) / 8000
x = torch.tensor(np.stack([np.sin(2 * np.pi * 440 * t) + 0.1 * rng.normal(size=240), rng.normal(size=240) * 0.3]))
x = x.float()
hann = torch.hann_window(64)
out = open('audio.lua', 'w')


def put(name, value):
    value = torch.as_tensor(np.array(value)).float().contiguous()
    text = value.numpy().astype('<f4').tobytes().hex()
    lines = '\n  .. '.join(f'"{text[i:i + 104]}"' for i in range(0, len(text), 104))
    out.write(f'made["{name}"] = {{{{{", ".join(map(str, value.shape))}}},\n  {lines}}}\n')


out.write('-- Made by audio.py: a sound (2, 240), and what torchaudio and librosa make of it: shapes, and float32 in\n'
          '-- hexadecimal.\nlocal made = {}\n')
put('x', x)
put('htk', F.melscale_fbanks(33, 20.0, 4000.0, 10, 8000))
put('slaney', F.melscale_fbanks(33, 0.0, 4000.0, 12, 8000, 'slaney', 'slaney'))
put('librosa', librosa.filters.mel(sr=8000, n_fft=64, n_mels=12, fmin=50).T)
put('librosa htk', librosa.filters.mel(sr=8000, n_fft=64, n_mels=9, htk=True, norm=None).T)
put('dct', F.create_dct(5, 8, 'ortho'))
put('dct plain', F.create_dct(5, 8, None))
put('spectrogram', T.Spectrogram(64)(x))
put('spectrogram magnitude', T.Spectrogram(64, hop_length=24, power=1.0, normalized=True)(x))
put('spectrogram other', T.Spectrogram(64, win_length=48, pad=5, center=False, normalized='frame_length', power=0.7)(x))
put('complex', torch.view_as_real(T.Spectrogram(32, power=None)(x[0, :80])))
put('mel', T.MelSpectrogram(8000, 64, n_mels=10)(x))
put('mel slaney', T.MelSpectrogram(8000, 64, hop_length=20, n_mels=12, norm='slaney', mel_scale='slaney',
                                   pad_mode='constant', f_min=50.0)(x))
put('mel librosa', librosa.feature.melspectrogram(y=x.numpy(), sr=8000, n_fft=64, hop_length=20, n_mels=12, fmin=50))
put('db', T.AmplitudeToDB()(T.Spectrogram(64)(x)))
put('db top', T.AmplitudeToDB('magnitude', 30)(T.Spectrogram(64)(x)))
put('mfcc', T.MFCC(8000, 8, melkwargs=dict(n_fft=64, n_mels=10))(x))
put('mfcc log', T.MFCC(8000, 8, log_mels=True, norm=None, melkwargs=dict(n_fft=64, n_mels=10))(x))
put('resample 3:2', F.resample(x, 8000, 12000))
put('resample 441:160', F.resample(x, 44100, 16000))
put('resample kaiser', F.resample(x, 8000, 6000, 16, 0.9, 'sinc_interp_kaiser', 9.0))
put('Resample', T.Resample(8000, 11025)(x))
out.write('return made\n')
