-- nnlua's side of the comparison of Fourier transforms: of lengths that are powers of two, products of small primes,
-- primes, and mixtures; lines alone and about 100,000 numbers of them; columns, two dimensions, short-time ones. The
-- cases of fft.py, line by line; see run.lua.
local here = arg[0]:match "^(.*)/[^/]*$" or "."
local measure = dofile(here .. "/measure.lua")
local nl = require "nnlua"

local kinds = {
  {name = "fft complex64", real = nl.float32, run = nl.fft.fft},
  {name = "fft complex128", real = nl.float64, run = nl.fft.fft},
  {name = "rfft float32", real = nl.float32, is_real = true, run = nl.fft.rfft},
}

local function numbers(kind, ...)
  local x = nl.randn(...):to(kind.real)
  return kind.is_real and x or nl.complex(x, nl.randn(...):to(kind.real))
end

for _, n in ipairs {8, 32, 100, 101, 128, 360, 1000, 1009, 1024, 2018, 3125, 4096, 10007, 16384, 30030, 44100, 65521,
  65536} do
  for _, kind in ipairs(kinds) do
    measure(("%s %d"):format(kind.name, n), function()
      local x = numbers(kind, n)
      return function() return kind.run(x) end
    end)
    local rows = 100000 // n
    measure(("%s %dx%d"):format(kind.name, rows, n), function()
      local x = numbers(kind, rows, n)
      return function() return kind.run(x) end
    end)
  end
end

for _, n in ipairs {32, 360, 1024} do
  measure(("fft complex64 columns %dx%d"):format(n, 100000 // n), function()
    local x = numbers(kinds[1], n, 100000 // n)
    return function() return nl.fft.fft(x, nil, 1) end
  end)
end
for _, n in ipairs {64, 500, 512} do
  measure(("rfft2 %dx%d"):format(n, n), function()
    local x = nl.randn(n, n)
    return function() return nl.fft.rfft2(x) end
  end)
  measure(("fft2 %dx%d"):format(n, n), function()
    local x = numbers(kinds[1], n, n)
    return function() return nl.fft.fft2(x) end
  end)
end
measure("stft 160000, 1024 by 256", function()
  local x, window = nl.randn(160000), nl.hann_window(1024)
  return function() return nl.stft(x, 1024, 256, {window = window, return_complex = true}) end
end)
measure("istft 160000, 1024 by 256", function()
  local window = nl.hann_window(1024)
  local x = nl.stft(nl.randn(160000), 1024, 256, {window = window, return_complex = true})
  return function() return nl.istft(x, 1024, 256, {window = window}) end
end)
