-- nl.signal: windows by which pieces of signals are multiplied before they are transformed.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local nl = require "nnlua"

--- Windows, each 1 at its highest place; a periodic one, with sym = false, is the symmetric one of a place more
--- without its end.
local windows = {}

-- What all windows take after what is their own.
local common = {
  {"sym", "boolean", true}, {"dtype", "any?"}, {"device", "any?"}, {"requires_grad", "boolean", false},
}

--- A parser of M, a window's own arguments and the common ones: M, its own ones, sym, options of new tensors.
local function parser(name, ...)
  local spec = {{"M", "integer"}, ...}
  table.move(common, 1, #common, #spec + 1, spec)
  local own = select("#", ...)
  local parse = args.parser("nl.signal.windows." .. name, spec)
  return function(...)
    local values = table.pack(parse(...))
    local sym, dtype, device, requires_grad = table.unpack(values, own + 2, own + 5)
    dtype = dtype or nl.get_default_dtype()
    if values[1] < 0 then core.raise(("%s: M must not be negative: %d"):format(name, values[1])) end
    if dtype ~= nl.float32 and dtype ~= nl.float64 then
      core.raise(("%s: dtype must be float32 or float64, not %s"):format(name, tostring(dtype)))
    end
    local options = {dtype = dtype, device = device, requires_grad = requires_grad}
    return values[1], sym, options, table.unpack(values, 2, own + 1)
  end
end

--- M numbers from first on, `by` apart.
local function series(M, first, by, options)
  if M == 0 then return nl.empty(0, options) end
  return nl.linspace(first, first + (M - 1) * by, M, options)
end

--- How many steps a window of M places is wide.
local function steps(M, sym)
  return (sym or M <= 1) and M - 1 or M
end

--- Sums of cosines of 0, 1, 2 … times the angle, with signs in turn.
local function cosines(M, sym, options, coefficients)
  if M <= 1 then return nl.ones(M, options) end
  local angles = series(M, 0, 2 * math.pi / steps(M, sym), options)
  local sum = nl.full_like(angles, coefficients[1])
  for i = 2, #coefficients do
    sum = sum + ((i % 2 == 0) and -coefficients[i] or coefficients[i]) * nl.cos((i - 1) * angles)
  end
  return sum
end

local parse_bartlett = parser "bartlett"

--- A triangle.
---     > nl.signal.windows.bartlett(5)
---     tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
function windows.bartlett(...)
  local M, sym, options = parse_bartlett(...)
  if M <= 1 then return nl.ones(M, options) end
  return 1 - nl.abs(series(M, -1, 2 / steps(M, sym), options))
end

local parse_blackman = parser "blackman"

--- 0.42 - 0.5 cos + 0.08 cos of twice the angle.
---     > nl.signal.windows.blackman(5).shape
---     [5]
function windows.blackman(...)
  local M, sym, options = parse_blackman(...)
  return cosines(M, sym, options, {0.42, 0.5, 0.08})
end

local parse_cosine = parser "cosine"

--- Half a wave, without its ends.
---     > nl.signal.windows.cosine(3)
---     tensor([0.5000, 1.0000, 0.5000])
function windows.cosine(...)
  local M, sym, options = parse_cosine(...)
  local by = math.pi / (steps(M, sym) + 1)
  return nl.sin(series(M, 0.5 * by, by, options))
end

local parse_exponential = parser("exponential", {"center", "number?"}, {"tau", "number", 1.0})

--- e^(-|n - center| / tau); center is the middle, and may only be another place with sym = false.
---     > nl.signal.windows.exponential(3)
---     tensor([0.3679, 1.0000, 0.3679])
function windows.exponential(...)
  local M, sym, options, center, tau = parse_exponential(...)
  if tau <= 0 then core.raise(core.format("exponential: tau must be positive, not %g", tau)) end
  if sym and center then core.raise "exponential: center is for windows with sym = false only" end
  center = center or steps(M, sym) / 2
  return nl.exp(-nl.abs(series(M, -center / tau, 1 / tau, options)))
end

local parse_gaussian = parser("gaussian", {"std", "number", 1.0})

--- e^(-n^2 / (2 std^2)), n counted from the middle.
---     > nl.signal.windows.gaussian(3)
---     tensor([0.6065, 1.0000, 0.6065])
function windows.gaussian(...)
  local M, sym, options, std = parse_gaussian(...)
  if std <= 0 then core.raise(core.format("gaussian: std must be positive, not %g", std)) end
  local by = 1 / (std * math.sqrt(2))
  return nl.exp(-nl.square(series(M, -steps(M, sym) / 2 * by, by, options)))
end

local parse_general_cosine = parser("general_cosine", {"a", "list"})

--- a[1] - a[2] cos + a[3] cos of twice the angle - …
---     > nl.signal.windows.general_cosine(5, {a = {0.5, 0.5}})
---     tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
function windows.general_cosine(...)
  local M, sym, options, a = parse_general_cosine(...)
  if #a == 0 then core.raise "general_cosine: a has no coefficients" end
  for _, coefficient in ipairs(a) do
    if type(coefficient) ~= "number" then
      core.raise(("general_cosine: a is a list of numbers, which %s is none"):format(core.describe(coefficient)))
    end
  end
  return cosines(M, sym, options, a)
end

local parse_general_hamming = parser("general_hamming", {"alpha", "number", 0.54})

--- alpha - (1 - alpha) cos.
---     > nl.signal.windows.general_hamming(5, {alpha = 0.5})
---     tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
function windows.general_hamming(...)
  local M, sym, options, alpha = parse_general_hamming(...)
  return cosines(M, sym, options, {alpha, 1 - alpha})
end

local parse_hamming = parser "hamming"

--- 0.54 - 0.46 cos.
---     > nl.signal.windows.hamming(5)
---     tensor([0.0800, 0.5400, 1.0000, 0.5400, 0.0800])
function windows.hamming(...)
  local M, sym, options = parse_hamming(...)
  return cosines(M, sym, options, {0.54, 0.46})
end

local parse_hann = parser "hann"

--- 0.5 - 0.5 cos.
---     > nl.signal.windows.hann(5)
---     tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
function windows.hann(...)
  local M, sym, options = parse_hann(...)
  return cosines(M, sym, options, {0.5, 0.5})
end

local parse_kaiser = parser("kaiser", {"beta", "number", 12.0})

--- i0 of beta times a half circle, over i0 of beta.
---     > nl.signal.windows.kaiser(3)
---     tensor([5.2773e-05, 1.0000e+00, 5.2773e-05])
function windows.kaiser(...)
  local M, sym, options, beta = parse_kaiser(...)
  if beta < 0 then core.raise(core.format("kaiser: beta must not be negative: %g", beta)) end
  if M <= 1 then return nl.ones(M, options) end
  local top = nl.tensor(beta, {dtype = options.dtype, device = options.device})
  local by = 2 * beta / steps(M, sym)
  local k = nl.linspace(-beta, math.min(beta, -beta + (M - 1) * by), M, options)
  return nl.i0(nl.sqrt(nl.clamp(top * top - nl.square(k), 0))) / nl.i0(top)
end

local parse_nuttall = parser "nuttall"

--- Four cosines, with low sides in the frequencies (A. Nuttall, "Some windows with very good sidelobe behavior", 1981).
---     > nl.signal.windows.nuttall(5).shape
---     [5]
function windows.nuttall(...)
  local M, sym, options = parse_nuttall(...)
  return cosines(M, sym, options, {0.3635819, 0.4891775, 0.1365995, 0.0106411})
end

--- What signals are prepared with.
return {windows = windows}
