-- Spectra of sound, as torchaudio.functional has them.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local nl = require "nnlua"

local spectra = {}

local raise = core.raise

-- ----------------------------------------------------------------------- mel

-- O'Shaughnessy's scale, as HTK has it; and Slaney's, of his Auditory Toolbox: straight up to 1000 Hz, then
-- logarithmic.
local LINEAR, LOG_FROM, LOG_STEP = 200.0 / 3, 1000.0, math.log(6.4) / 27.0

local function mel_of(hz, scale)
  if scale == "htk" then return 2595.0 * (math.log(1.0 + hz / 700.0) / math.log(10)) end
  if hz < LOG_FROM then return hz / LINEAR end
  return LOG_FROM / LINEAR + math.log(hz / LOG_FROM) / LOG_STEP
end

local function hz_of(mels, scale)
  if scale == "htk" then return 700.0 * (10.0 ^ (mels / 2595.0) - 1.0) end
  local from = LOG_FROM / LINEAR
  return nl.where(mels:ge(from), LOG_FROM * nl.exp(LOG_STEP * (mels - from)), LINEAR * mels)
end

local parse_fbanks = args.parser("nl.audio.melscale_fbanks", {
  {"n_freqs", "integer"}, {"f_min", "number"}, {"f_max", "number"}, {"n_mels", "integer"}, {"sample_rate", "integer"},
  {"norm", "string?"}, {"mel_scale", "string", "htk"},
})

--- Triangles over frequencies, whose corners are equally far apart on the mel scale ("htk", or "slaney" as librosa has
--- it): what a spectrum is multiplied with for one by mels. norm = "slaney" gives all of them the same area.
--- Shapes: result (n_freqs, n_mels)
---     > nl.audio.melscale_fbanks(5, 0, 8000, 2, 16000)
---     tensor([[0.0000, 0.0000],
---             [0.4947, 0.5053],
---             [0.0000, 0.8090],
---             [0.0000, 0.4045],
---             [0.0000, 0.0000]])
---@param n_freqs integer
---@param f_min number
---@param f_max number
---@param n_mels integer
---@param sample_rate integer
---@param norm? string
---@param mel_scale? string
---@return Tensor
function spectra.melscale_fbanks(...)
  local n_freqs, f_min, f_max, n_mels, rate, norm, scale = parse_fbanks(...)
  local name = "nl.audio.melscale_fbanks"
  if scale ~= "htk" and scale ~= "slaney" then
    raise(("%s: mel_scale must be htk or slaney, not '%s'"):format(name, scale))
  elseif norm and norm ~= "slaney" then
    raise(("%s: norm must be slaney or nothing, not '%s'"):format(name, norm))
  elseif n_freqs < 1 or n_mels < 1 then
    raise(name .. ": n_freqs and n_mels must be from 1 on")
  elseif f_min < 0 or f_min > f_max then
    raise(core.format("%s: f_min and f_max must be from 0 on, the smaller one first, not %g and %g", name, f_min,
      f_max))
  end
  local frequencies = nl.linspace(0, rate // 2, n_freqs)
  local corners = hz_of(nl.linspace(mel_of(f_min, scale), mel_of(f_max, scale), n_mels + 2), scale)
  local steps = corners[{{2}}] - corners[{{1, n_mels + 1}}]
  local up = (frequencies:unsqueeze(2) - corners[{{1, n_mels}}]) / steps[{{1, n_mels}}]
  local down = (corners[{{3}}] - frequencies:unsqueeze(2)) / steps[{{2}}]
  local banks = nl.minimum(up, down):clamp(0)
  if norm then banks = banks * (2.0 / (corners[{{3}}] - corners[{{1, n_mels}}])):unsqueeze(1) end
  return banks
end

local parse_dct = args.parser("nl.audio.create_dct", {
  {"n_mfcc", "integer"}, {"n_mels", "integer"}, {"norm", "string?"},
})

--- The matrix of a discrete cosine transform (DCT-II), orthonormal with norm = "ortho".
--- Shapes: result (n_mels, n_mfcc)
---     > nl.audio.create_dct(2, 3, "ortho"):pow(2):sum(1)
---     tensor([1.0000, 1.0000])
---@param n_mfcc integer
---@param n_mels integer
---@param norm? string
---@return Tensor
function spectra.create_dct(...)
  local n_mfcc, n_mels, norm = parse_dct(...)
  if norm and norm ~= "ortho" then
    raise(("nl.audio.create_dct: norm must be ortho or nothing, not '%s'"):format(norm))
  end
  if n_mfcc < 1 or n_mels < 1 then raise "nl.audio.create_dct: n_mfcc and n_mels must be from 1 on" end
  local n, k = nl.arange(0.0, n_mels), nl.arange(0.0, n_mfcc):unsqueeze(2)
  local dct = nl.cos(math.pi / n_mels * (n + 0.5) * k)
  if not norm then return (dct * 2.0):t() end
  dct[1]:mul_(1.0 / math.sqrt(2.0))
  return (dct * math.sqrt(2.0 / n_mels)):t()
end

-- ------------------------------------------------------------------- spectra

local parse_spectrogram = args.parser("nl.audio.spectrogram", {
  {"waveform", "tensor"}, {"pad", "integer", 0}, {"window", "tensor"}, {"n_fft", "integer"}, {"hop_length", "integer"},
  {"win_length", "integer"}, {"power", "number?"}, {"normalized", "any", false}, {"center", "boolean", true},
  {"pad_mode", "string", "reflect"}, {"onesided", "boolean", true},
})

--- The spectra of pieces of sound, hop_length apart: their magnitudes to a power (1, or 2 for energies), or without one
--- complex numbers. normalized is true or "window" to divide by the window's norm, "frame_length" by the root of n_fft.
--- Shapes: waveform (…, frames), window (win_length); result (…, n_fft / 2 + 1, pieces)
---     > nl.audio.spectrogram(nl.ones(1, 16), 0, nl.hann_window(8), 8, 4, 8, 2).shape
---     [1, 5, 5]
---@param waveform Tensor
---@param pad integer
---@param window Tensor
---@param n_fft integer
---@param hop_length integer
---@param win_length integer
---@param power? number
---@param normalized? boolean|string
---@param center? boolean
---@param pad_mode? string
---@param onesided? boolean
---@return Tensor
function spectra.spectrogram(...)
  local x, pad, window, n_fft, hop, win, power, normalized, center, pad_mode, onesided = parse_spectrogram(...)
  if normalized ~= true and normalized ~= false and normalized ~= "window" and normalized ~= "frame_length" then
    raise "nl.audio.spectrogram: normalized must be true, false, window or frame_length"
  elseif x.ndim < 1 then
    raise "nl.audio.spectrogram: waveform has no dimension of frames"
  end
  if pad > 0 then x = nl.F.pad(x, {pad, pad}) end
  local shape = {table.unpack(x.shape, 1, x.ndim - 1)}
  local made = nl.stft(x:reshape(-1, x:size(-1)), n_fft, {
    hop_length = hop, win_length = win, window = window, center = center, pad_mode = pad_mode,
    normalized = normalized == "frame_length", onesided = onesided, return_complex = true,
  })
  shape[#shape + 1], shape[#shape + 2] = made:size(2), made:size(3)
  made = made:reshape(shape)
  if normalized == true or normalized == "window" then made = made / window:pow(2.0):sum():sqrt() end
  if not power then return made end
  return power == 1 and made:abs() or made:abs():pow(power)
end

local parse_db = args.parser("nl.audio.amplitude_to_DB", {
  {"x", "tensor"}, {"multiplier", "number"}, {"amin", "number"}, {"db_multiplier", "number"}, {"top_db", "number?"},
})

--- Decibels: multiplier (10 for energies, 20 for amplitudes) log10 of what is at least amin, less multiplier
--- db_multiplier; top_db cuts off what is so far below the most of a spectrum.
---     > nl.audio.amplitude_to_DB(nl.tensor({{100.0, 1e-9}}), 10, 1e-10, 0, 80)
---     tensor([[ 20., -60.]])
---@param x Tensor
---@param multiplier number
---@param amin number
---@param db_multiplier number
---@param top_db? number
---@return Tensor
function spectra.amplitude_to_DB(...)
  local x, multiplier, amin, db_multiplier, top_db = parse_db(...)
  local db = multiplier * nl.log10(x:clamp(amin)) - multiplier * db_multiplier
  if not top_db then return db end
  if x.ndim < 2 then
    raise(("nl.audio.amplitude_to_DB: x has shape %s: (…, frequencies, time) is wanted"):format(x.shape))
  end
  local shape = x.shape
  local packed = db:reshape(-1, x.ndim > 2 and x:size(-3) or 1, x:size(-2), x:size(-1))
  return nl.maximum(packed, (packed:amax({-3, -2, -1}) - top_db):view(-1, 1, 1, 1)):reshape(shape)
end

return spectra
