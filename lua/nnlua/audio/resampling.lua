-- Sound at another rate, as torchaudio.functional.resample makes it.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local nl = require "nnlua"

local resampling = {}

local raise = core.raise

local function greatest_divisor(a, b)
  while b ~= 0 do a, b = b, a % b end
  return a
end

--- The sinc functions, windowed, that make `new` frames of `orig` ones (both without a common divisor), and how far
--- they reach. They are worked out in a dtype; without one, as torchaudio has it, in float64 from phases that are
--- float32.
function resampling.kernels(name, orig, new, width, rolloff, method, beta, dtype)
  if method ~= "sinc_interp_hann" and method ~= "sinc_interp_kaiser" then
    raise(("%s: resampling_method must be sinc_interp_hann or sinc_interp_kaiser, not '%s'"):format(name, method))
  elseif width < 1 then
    raise(("%s: lowpass_filter_width must be from 1 on, not %d"):format(name, width))
  elseif rolloff <= 0 or rolloff > 1 then
    raise(core.format("%s: rolloff must be above 0 and at most 1, not %g", name, rolloff))
  end
  local base = math.min(orig, new) * rolloff
  local reach = math.ceil(width * orig / base)
  local index = nl.arange(-reach, reach + orig, {dtype = dtype or nl.float64}):view(1, 1, -1) / orig
  local phases = nl.arange(0, -new, -1, {dtype = dtype or nl.float32}):view(-1, 1, 1) / new
  local t = (phases + index) * base
  t = t:clamp(-width, width)
  local window
  if method == "sinc_interp_hann" then
    window = nl.cos(t * math.pi / width / 2):pow(2)
  else
    beta = nl.tensor(beta or 14.769656459379492, {dtype = nl.float32})
    window = nl.i0(beta * nl.sqrt(1 - (t / width):pow(2))) / nl.i0(beta)
  end
  t = t * math.pi
  local sinc = nl.where(t:eq(0), nl.ones_like(t), nl.sin(t) / t)
  return sinc * (window * (base / orig)), reach
end

--- Rates without their common divisor.
function resampling.rates(name, orig, new)
  if orig < 1 or new < 1 then raise(("%s: rates must be from 1 on, not %d and %d"):format(name, orig, new)) end
  local common = greatest_divisor(orig, new)
  return orig // common, new // common
end

--- Sound by kernels.
function resampling.apply(name, x, orig, new, kernels, reach)
  if not x.dtype.is_floating_point then
    raise(("%s: waveform must be floats, not %s"):format(name, tostring(x.dtype):gsub("^nnlua%.", "")))
  elseif x.ndim < 1 then
    raise(name .. ": waveform has no dimension of frames")
  end
  local shape, length = {table.unpack(x.shape)}, x:size(-1)
  local rows = nl.F.pad(x:reshape(-1, length), {reach, reach + orig})
  local made = nl.F.conv1d(rows:unsqueeze(2), kernels, {stride = orig})
  made = made:transpose(2, 3):reshape(#rows, -1)
  local target = (new * length + orig - 1) // orig
  shape[#shape] = target
  return made:narrow(2, 1, target):reshape(shape)
end

local parse = args.parser("nl.audio.resample", {
  {"waveform", "tensor"}, {"orig_freq", "integer"}, {"new_freq", "integer"}, {"lowpass_filter_width", "integer", 6},
  {"rolloff", "number", 0.99}, {"resampling_method", "string", "sinc_interp_hann"}, {"beta", "number?"},
})

--- Sound of orig_freq frames a second at new_freq, by windowed sinc functions, whose zeros on each side are
--- lowpass_filter_width; frequencies above rolloff of the highest one are damped. See Resample for many sounds.
--- Shapes: waveform (…, frames); result (…, frames new_freq / orig_freq, rounded up)
---     > nl.audio.resample(nl.ones(1, 100), 16000, 8000).shape
---     [1, 50]
---@param waveform Tensor
---@param orig_freq integer
---@param new_freq integer
---@param lowpass_filter_width? integer
---@param rolloff? number
---@param resampling_method? string
---@param beta? number
---@return Tensor
function resampling.resample(...)
  local x, orig, new, width, rolloff, method, beta = parse(...)
  local name = "nl.audio.resample"
  orig, new = resampling.rates(name, orig, new)
  if orig == new then return x end
  local dtype = x.dtype.is_floating_point and x.dtype or nl.float32
  local kernels, reach = resampling.kernels(name, orig, new, width, rolloff, method, beta, dtype)
  return resampling.apply(name, x, orig, new, kernels, reach)
end

return resampling
