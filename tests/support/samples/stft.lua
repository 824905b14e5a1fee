-- Samples of the rows of src/ops/fft/stft.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local nl = require "nnlua"
local real, positive = inputs.real, inputs.positive

local function transform(...)
  return nl.complex(real(...), real(...))
end

return {
  stft = function()
    return {
      {real(12), 4, nl.none, nl.none, positive(4), true, "reflect", false, false, true},
      {real(2, 11), 6, 2, 4, positive(4), false, "constant", true, false, true, true},
      {real(12), 4, 3, 4, positive(4), true, "constant", false, true, false},
    }
  end,
  istft = function()
    return {
      {transform(3, 5), 4, 1, 4, positive(4), complex = true},
      {transform(2, 4, 3), 4, 2, 4, positive(4), true, true, nl.none, 9, complex = true},
    }
  end,
}
