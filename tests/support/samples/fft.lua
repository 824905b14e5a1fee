-- Samples of the rows of src/ops/fft/fft.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real = inputs.real

local function of_one_dimension()
  return {{real(2, 3)}, {real(2, 3), 4, 1, "ortho"}, {real(3, 7), 5, -1, "forward"}}
end

local function of_several()
  return {{real(2, 3)}, {real(3, 2, 4), {2, 5}, {1, 3}, "ortho"}, {real(2, 3), {-1, 2}}}
end

return {
  fft_fft = of_one_dimension, fft_ifft = of_one_dimension, fft_rfft = of_one_dimension, fft_irfft = of_one_dimension,
  fft_hfft = of_one_dimension, fft_ihfft = of_one_dimension,
  fft_fftn = of_several, fft_ifftn = of_several, fft_rfftn = of_several, fft_irfftn = of_several,
  fft_hfftn = of_several, fft_ihfftn = of_several,
  fft_fft2 = of_several, fft_ifft2 = of_several, fft_rfft2 = of_several, fft_irfft2 = of_several,
  fft_hfft2 = of_several, fft_ihfft2 = of_several,
  fft_fftshift = function() return {{real(2, 3)}, {real(2, 3), {2}}} end,
  fft_ifftshift = function() return {{real(2, 3)}, {real(2, 3), {2}}} end,
}
