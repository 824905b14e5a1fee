-- nnlua's side of the comparison of convolutions: the forward and each gradient alone. The cases of
-- convolutions.py, line by line; see run.lua.
local here = arg[0]:match "^(.*)/[^/]*$" or "."
local measure = dofile(here .. "/measure.lua")
local nl = require "nnlua"
local F = nl.F

--- A convolution forward, without a graph, and the gradients of its input and of its weight. `shape` is [N, C, H, W],
--- or with a depth; `options` are conv2d's.
local function convolution(name, shape, out, kernel, options, transposed)
  local dims, groups = #shape - 2, options.groups or 1
  local conv = F[("conv%s%dd"):format(transposed and "_transpose" or "", dims)]
  local w_shape = transposed and {shape[2], out // groups} or {out, shape[2] // groups}
  for _ = 1, dims do w_shape[#w_shape + 1] = kernel end
  local x, w = nl.randn(shape), nl.randn(w_shape)
  local y = conv(x, w, nil, options)
  local map = transposed and x or y
  local work = {flops = 2 * w:numel() * map:numel() // map:size(2)}
  measure(name .. " forward", function()
    return function() nl.no_grad(conv, x, w, nil, options) end
  end, work)
  local function gradient(what, of, other)
    measure(name .. " " .. what, function()
      of:requires_grad_(true)
      other:requires_grad_(false)
      local result = conv(x, w, nil, options)
      local grad = nl.ones_like(result)
      return function() nl.autograd.grad(result, of, grad, {retain_graph = true}) end
    end, work)
  end
  gradient("dx", x, w)
  gradient("dw", w, x)
end

-- ResNet-18 on 8 images of 64x64, and of 224x224
convolution("3-64 7x7/2 64x64", {8, 3, 64, 64}, 64, 7, {stride = 2, padding = 3})
convolution("64-64 3x3 16x16", {8, 64, 16, 16}, 64, 3, {padding = 1})
convolution("64-128 3x3/2 16x16", {8, 64, 16, 16}, 128, 3, {stride = 2, padding = 1})
convolution("64-128 1x1/2 16x16", {8, 64, 16, 16}, 128, 1, {stride = 2})
convolution("128-128 3x3 8x8", {8, 128, 8, 8}, 128, 3, {padding = 1})
convolution("128-256 3x3/2 8x8", {8, 128, 8, 8}, 256, 3, {stride = 2, padding = 1})
convolution("256-256 3x3 4x4", {8, 256, 4, 4}, 256, 3, {padding = 1})
convolution("256-512 3x3/2 4x4", {8, 256, 4, 4}, 512, 3, {stride = 2, padding = 1})
convolution("512-512 3x3 2x2", {8, 512, 2, 2}, 512, 3, {padding = 1})
convolution("3-64 7x7/2 224x224", {8, 3, 224, 224}, 64, 7, {stride = 2, padding = 3})
convolution("64-64 3x3 56x56", {8, 64, 56, 56}, 64, 3, {padding = 1})
convolution("128-128 3x3 28x28", {8, 128, 28, 28}, 128, 3, {padding = 1})
convolution("256-256 3x3 14x14", {8, 256, 14, 14}, 256, 3, {padding = 1})
convolution("512-512 3x3 7x7", {8, 512, 7, 7}, 512, 3, {padding = 1})
convolution("256-1024 1x1 14x14", {8, 256, 14, 14}, 1024, 1, {stride = 1})

-- LeNet-5 on 64 images
convolution("1-6 5x5 28x28", {64, 1, 28, 28}, 6, 5, {padding = 2})
convolution("6-16 5x5 14x14", {64, 6, 14, 14}, 16, 5, {stride = 1})

-- DCGAN on 16 images of 64x64: the discriminator, and a layer of the generator
convolution("3-64 4x4/2 64x64", {16, 3, 64, 64}, 64, 4, {stride = 2, padding = 1})
convolution("64-128 4x4/2 32x32", {16, 64, 32, 32}, 128, 4, {stride = 2, padding = 1})
convolution("256-512 4x4/2 8x8", {16, 256, 8, 8}, 512, 4, {stride = 2, padding = 1})
convolution("transposed 512-256 4x4/2 4x4", {16, 512, 4, 4}, 256, 4, {stride = 2, padding = 1}, true)
convolution("transposed 100-512 4x4 1x1", {16, 100, 1, 1}, 512, 4, {stride = 1}, true)
convolution("transposed 64-3 4x4/2 32x32", {16, 64, 32, 32}, 3, 4, {stride = 2, padding = 1}, true)

-- few channels, small to large maps; one channel a group
for _, size in ipairs {4, 16, 64, 128} do
  convolution(("16-16 3x3 %dx%d"):format(size, size), {8, 16, size, size}, 16, 3, {padding = 1})
end
convolution("depthwise 128 3x3 28x28", {8, 128, 28, 28}, 128, 3, {padding = 1, groups = 128})
convolution("depthwise 128 3x3/2 28x28", {8, 128, 28, 28}, 128, 3, {stride = 2, padding = 1, groups = 128})

-- volumes
convolution("3-16 3x3x3 16x56x56", {2, 3, 16, 56, 56}, 16, 3, {padding = 1})
convolution("32-32 3x3x3 16x16x16", {2, 32, 16, 16, 16}, 32, 3, {padding = 1})
convolution("64-128 3x3x3/2 8x14x14", {2, 64, 8, 14, 14}, 128, 3, {stride = 2, padding = 1})
convolution("transposed 64-32 2x2x2/2 8x8x8", {2, 64, 8, 8, 8}, 32, 2, {stride = 2}, true)
