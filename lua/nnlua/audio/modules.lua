-- What is made of sound, as modules: they keep windows and matrices as buffers, as torchaudio.transforms do.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local nl = require "nnlua"
local nn = require "nnlua.nn"
local resampling = require "nnlua.audio.resampling"
local spectra = require "nnlua.audio.spectra"

local modules = {}

local raise = core.raise

-- ------------------------------------------------------------------- spectra

local spectrum_spec = {
  {"n_fft", "integer", 400}, {"win_length", "integer?"}, {"hop_length", "integer?"}, {"pad", "integer", 0},
  {"window_fn", "function?"}, {"power", "number?", 2}, {"normalized", "any", false}, {"center", "boolean", true},
  {"pad_mode", "string", "reflect"}, {"onesided", "boolean", true},
}
local parse_spectrogram = args.parser("nl.audio.Spectrogram", spectrum_spec)

--- The spectra of pieces of sound as a module: see nl.audio.spectrogram. win_length is n_fft, hop_length half of that
--- if they aren't given; window_fn makes the window of its length (nl.hann_window).
--- Shapes: input (…, frames); result (…, n_fft / 2 + 1, pieces)
---     > nl.audio.Spectrogram({n_fft = 8})(nl.ones(1, 16)).shape
---     [1, 5, 5]
---@class Spectrogram: Module
local Spectrogram = nn.class "audio.Spectrogram"

function Spectrogram:init(...)
  local win, hop, window_fn
  self.n_fft, win, hop, self.pad, window_fn, self.power, self.normalized, self.center, self.pad_mode, self.onesided =
    parse_spectrogram(...)
  self.win_length = win or self.n_fft
  self.hop_length = hop or self.win_length // 2
  self:register_buffer("window", (window_fn or nl.hann_window)(self.win_length))
end

function Spectrogram:forward(x)
  return spectra.spectrogram(x, self.pad, self.window, self.n_fft, self.hop_length, self.win_length, self.power,
    self.normalized, self.center, self.pad_mode, self.onesided)
end

modules.Spectrogram = Spectrogram

local parse_scale = args.parser("nl.audio.MelScale", {
  {"n_mels", "integer", 128}, {"sample_rate", "integer", 16000}, {"f_min", "number", 0}, {"f_max", "number?"},
  {"n_stft", "integer", 201}, {"norm", "string?"}, {"mel_scale", "string", "htk"},
})

--- A spectrum of n_stft frequencies by mels, as a module: see nl.audio.melscale_fbanks. f_max is half the rate.
--- Shapes: input (…, n_stft, time); result (…, n_mels, time)
---     > nl.audio.MelScale({n_mels = 10})(nl.ones(1, 201, 3)).shape
---     [1, 10, 3]
---@class MelScale: Module
local MelScale = nn.class "audio.MelScale"

function MelScale:init(...)
  local n_mels, rate, f_min, f_max, n_stft, norm, scale = parse_scale(...)
  self.n_mels, self.sample_rate = n_mels, rate
  self:register_buffer("fb", spectra.melscale_fbanks(n_stft, f_min, f_max or rate // 2, n_mels, rate, norm, scale))
end

function MelScale:forward(x)
  return nl.matmul(x:transpose(-1, -2), self.fb):transpose(-1, -2)
end

modules.MelScale = MelScale

local parse_mel = args.parser("nl.audio.MelSpectrogram", {
  {"sample_rate", "integer", 16000}, {"n_fft", "integer", 400}, {"win_length", "integer?"}, {"hop_length", "integer?"},
  {"f_min", "number", 0}, {"f_max", "number?"}, {"pad", "integer", 0}, {"n_mels", "integer", 128},
  {"window_fn", "function?"}, {"power", "number", 2}, {"normalized", "any", false}, {"center", "boolean", true},
  {"pad_mode", "string", "reflect"}, {"norm", "string?"}, {"mel_scale", "string", "htk"},
})

--- The spectra of pieces of sound by mels, as a module: see Spectrogram and MelScale. With norm = "slaney" and
--- mel_scale = "slaney" it is librosa's, whose pieces are padded with pad_mode = "constant".
--- Shapes: input (…, frames); result (…, n_mels, pieces)
---     > nl.audio.MelSpectrogram({sample_rate = 8000, n_mels = 20})(nl.ones(1, 1000)).shape
---     [1, 20, 6]
---@class MelSpectrogram: Module
local MelSpectrogram = nn.class "audio.MelSpectrogram"

function MelSpectrogram:init(...)
  local rate, n_fft, win, hop, f_min, f_max, pad, n_mels, window_fn, power, normalized, center, pad_mode, norm, scale =
    parse_mel(...)
  self.spectrogram = Spectrogram {n_fft = n_fft, win_length = win, hop_length = hop, pad = pad, window_fn = window_fn,
    power = power, normalized = normalized, center = center, pad_mode = pad_mode}
  self.mel_scale = MelScale {n_mels = n_mels, sample_rate = rate, f_min = f_min, f_max = f_max, n_stft = n_fft // 2 + 1,
    norm = norm, mel_scale = scale}
end

function MelSpectrogram:forward(x)
  return self.mel_scale(self.spectrogram(x))
end

modules.MelSpectrogram = MelSpectrogram

local parse_db = args.parser("nl.audio.AmplitudeToDB", {{"stype", "string", "power"}, {"top_db", "number?"}})

--- Decibels of energies ("power") or of amplitudes ("magnitude"), as a module: see nl.audio.amplitude_to_DB.
---     > nl.audio.AmplitudeToDB("magnitude")(nl.tensor({{100.0, 1.0}}))
---     tensor([[40.,  0.]])
---@class AmplitudeToDB: Module
local AmplitudeToDB = nn.class "audio.AmplitudeToDB"

function AmplitudeToDB:init(...)
  self.stype, self.top_db = parse_db(...)
  if self.stype ~= "power" and self.stype ~= "magnitude" then
    raise(("nl.audio.AmplitudeToDB: stype must be power or magnitude, not '%s'"):format(self.stype))
  elseif self.top_db and self.top_db < 0 then
    raise "nl.audio.AmplitudeToDB: top_db must not be negative"
  end
end

function AmplitudeToDB:forward(x)
  return spectra.amplitude_to_DB(x, self.stype == "power" and 10 or 20, 1e-10, 0, self.top_db)
end

modules.AmplitudeToDB = AmplitudeToDB

local parse_mfcc = args.parser("nl.audio.MFCC", {
  {"sample_rate", "integer", 16000}, {"n_mfcc", "integer", 40}, {"dct_type", "integer", 2},
  {"norm", "string?", "ortho"}, {"log_mels", "boolean", false}, {"melkwargs", "table?"},
})

--- Cosine transforms of spectra by mels in decibels, or, with log_mels, of their logarithms, as a module. melkwargs are
--- named arguments of MelSpectrogram.
--- Shapes: input (…, frames); result (…, n_mfcc, pieces)
---     > nl.audio.MFCC({n_mfcc = 13, melkwargs = {n_mels = 40}})(nl.rand(1, 1000)).shape
---     [1, 13, 6]
---@class MFCC: Module
local MFCC = nn.class "audio.MFCC"

function MFCC:init(...)
  local rate, n_mfcc, dct_type, norm, log_mels, options = parse_mfcc(...)
  if dct_type ~= 2 then raise(("nl.audio.MFCC: dct_type must be 2, not %d"):format(dct_type)) end
  local settings = {sample_rate = rate}
  for key, value in pairs(options or {}) do settings[key] = value end
  self.MelSpectrogram = MelSpectrogram(settings)
  self.amplitude_to_DB = AmplitudeToDB("power", 80.0)
  self.log_mels = log_mels
  local n_mels = self.MelSpectrogram.mel_scale.n_mels
  if n_mfcc > n_mels then
    raise(("nl.audio.MFCC: n_mfcc must be at most the %d mels, not %d"):format(n_mels, n_mfcc))
  end
  self:register_buffer("dct_mat", spectra.create_dct(n_mfcc, n_mels, norm))
end

function MFCC:forward(x)
  local mels = self.MelSpectrogram(x)
  mels = self.log_mels and nl.log(mels + 1e-6) or self.amplitude_to_DB(mels)
  return nl.matmul(mels:transpose(-1, -2), self.dct_mat):transpose(-1, -2)
end

modules.MFCC = MFCC

-- ---------------------------------------------------------------- resampling

local parse_resample = args.parser("nl.audio.Resample", {
  {"orig_freq", "integer", 16000}, {"new_freq", "integer", 16000}, {"resampling_method", "string", "sinc_interp_hann"},
  {"lowpass_filter_width", "integer", 6}, {"rolloff", "number", 0.99}, {"beta", "number?"}, {"dtype", "any?"},
})

--- Sound at another rate, as a module that keeps what it is multiplied with: see nl.audio.resample.
--- Shapes: input (…, frames); result (…, frames new_freq / orig_freq, rounded up)
---     > nl.audio.Resample(44100, 16000)(nl.ones(2, 441)).shape
---     [2, 160]
---@class Resample: Module
local Resample = nn.class "audio.Resample"

function Resample:init(...)
  local name = "nl.audio.Resample"
  local orig, new, method, width, rolloff, beta, dtype = parse_resample(...)
  self.orig_freq, self.new_freq = resampling.rates(name, orig, new)
  if self.orig_freq == self.new_freq then return end
  local kernels, reach = resampling.kernels(name, self.orig_freq, self.new_freq, width, rolloff, method, beta, dtype)
  self.width = reach
  self:register_buffer("kernel", dtype and kernels or kernels:float())
end

function Resample:forward(x)
  if self.orig_freq == self.new_freq then return x end
  return resampling.apply("nl.audio.Resample", x, self.orig_freq, self.new_freq, self.kernel, self.width)
end

modules.Resample = Resample

return modules
