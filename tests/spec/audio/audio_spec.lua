-- nl.audio, against torchaudio and librosa.
local nl = require "nnlua"

local A = nl.audio
local reference = dofile "tests/files/audio.lua"

local function from_hex(hex)
  return (hex:gsub("%x%x", function(byte) return string.char(tonumber(byte, 16)) end))
end

local function wanted(name)
  return nl.frombuffer(from_hex(reference[name][2]), nl.float32):view(reference[name][1])
end

-- Equal but for what float32 leaves out of the largest one.
local function check(name, got, tolerance)
  local want = wanted(name)
  assert.equal(tostring(want.shape), tostring(got.shape), name)
  local distance = (want - got):abs():max():item() / want:abs():max():item()
  assert.is_true(distance <= (tolerance or 2e-6), ("%s: %g"):format(name, distance))
end

local x = wanted "x"

describe("nl.audio", function()
  it("makes the filters that torchaudio and librosa make", function()
    check("htk", A.melscale_fbanks(33, 20, 4000, 10, 8000), 1e-5)
    check("slaney", A.melscale_fbanks(33, 0, 4000, 12, 8000, "slaney", "slaney"), 1e-5)
    check("librosa", A.melscale_fbanks(33, 50, 4000, 12, 8000, {norm = "slaney", mel_scale = "slaney"}), 1e-5)
    check("librosa htk", A.melscale_fbanks(33, 0, 4000, 9, 8000), 1e-5)
    check("dct", A.create_dct(5, 8, "ortho"))
    check("dct plain", A.create_dct(5, 8))
  end)

  it("makes their spectra", function()
    check("spectrogram", A.Spectrogram(64)(x))
    check("spectrogram", A.spectrogram(x, 0, nl.hann_window(64), 64, 32, 64, 2))
    check("spectrogram magnitude", A.Spectrogram(64, {hop_length = 24, power = 1, normalized = true})(x))
    check("spectrogram other", A.Spectrogram(64, {win_length = 48, pad = 5, center = false,
      normalized = "frame_length", power = 0.7})(x))
    check("complex", nl.view_as_real(A.Spectrogram(32, {power = nl.none})(x[1][{{1, 80}}])))
    check("mel", A.MelSpectrogram(8000, 64, {n_mels = 10})(x), 1e-5)
    local as_librosa = A.MelSpectrogram(8000, 64, {hop_length = 20, n_mels = 12, norm = "slaney", mel_scale = "slaney",
      pad_mode = "constant", f_min = 50})
    check("mel slaney", as_librosa(x), 1e-5)
    check("mel librosa", as_librosa(x), 1e-5)
    check("db", A.AmplitudeToDB()(A.Spectrogram(64)(x)), 1e-4)
    check("db top", A.AmplitudeToDB("magnitude", 30)(A.Spectrogram(64)(x)), 1e-4)
    check("mfcc", A.MFCC(8000, 8, {melkwargs = {n_fft = 64, n_mels = 10}})(x), 1e-5)
    local options = {log_mels = true, norm = nl.none, melkwargs = {n_fft = 64, n_mels = 10}}
    check("mfcc log", A.MFCC(8000, 8, options)(x), 1e-5)
    assert.equal("[10, 8]", tostring(A.MelSpectrogram(8000, 64, {n_mels = 10})(x[1]).shape))
  end)

  it("makes their sound at other rates", function()
    check("resample 3:2", A.resample(x, 8000, 12000))
    check("resample 441:160", A.resample(x, 44100, 16000))
    check("resample kaiser", A.resample(x, 8000, 6000, 16, 0.9, "sinc_interp_kaiser", 9))
    check("Resample", A.Resample(8000, 11025)(x))
    assert.equal(x, A.resample(x, 8000, 8000))
    assert.equal(x, A.Resample(8000, 8000)(x))
    assert.equal("[160]", tostring(A.resample(nl.ones(441), 44100, 16000).shape))
    assert.is_true(nl.allclose(A.resample(x:double(), 8000, 12000):float(), A.resample(x, 8000, 12000), 1e-4, 1e-5))
  end)

  it("lets gradients through", function()
    local y = x[{{}, {1, 100}}]:clone():requires_grad_()
    A.MelSpectrogram(8000, 32, {n_mels = 6})(y):sum():backward()
    assert.equal(tostring(y.shape), tostring(y.grad.shape))
    assert.is_true(y.grad:abs():sum():item() > 0)
  end)

  it("refuses settings that can't be", function()
    local function refused(pattern, f, ...)
      local arguments = table.pack(...)
      assert.error_matches(function() f(table.unpack(arguments, 1, arguments.n)) end, pattern)
    end
    refused("mel_scale must be htk or slaney", A.melscale_fbanks, 33, 0, 4000, 10, 8000, nil, "bark")
    refused("norm must be slaney or nothing", A.melscale_fbanks, 33, 0, 4000, 10, 8000, "one")
    refused("f_min and f_max must be from 0 on", A.melscale_fbanks, 33, 10, 4, 10, 8000)
    refused("norm must be ortho or nothing", A.create_dct, 3, 3, "one")
    refused("normalized must be true, false", A.Spectrogram(64, {normalized = "all"}), x)
    refused("stype must be power or magnitude", A.AmplitudeToDB, "loud")
    refused("n_mfcc must be at most the 10 mels, not 40", A.MFCC, {melkwargs = {n_fft = 64, n_mels = 10}})
    refused("melkwargs must be a table, not a number", A.MFCC, {melkwargs = 5})
    refused("rates must be from 1 on, not 0 and 8000", A.resample, x, 0, 8000)
    refused("waveform must be floats, not int16", A.resample, x:short(), 8000, 4000)
    refused("rolloff must be above 0 and at most 1", A.resample, x, 8000, 4000, 6, 2)
    refused("resampling_method must be sinc_interp_hann", A.Resample, 8000, 4000, "linear")
    refused("x has shape %[3%]", A.amplitude_to_DB, nl.ones(3), 10, 1e-10, 0, 80)
  end)
end)
