-- nnlua's side of the comparison of single layers. The cases of layers.py, line by line; see run.lua.
local here = arg[0]:match "^(.*)/[^/]*$" or "."
local measure = dofile(here .. "/measure.lua")
local nl = require "nnlua"
local nn, F = nl.nn, nl.F

--- A layer forward, without a graph, and forward and backward.
local function layer(name, made, shape)
  local function input() return nl.randn(shape, {requires_grad = true}) end
  measure(name, function()
    local x = input()
    return function() nl.no_grad(made, x) end
  end)
  measure(name .. ", backward", function()
    local x = input()
    local grad = nl.ones_like(made(x))
    return function() made(x):backward(grad) end
  end)
end

layer("max pool 2 of 64x6x28x28", nn.MaxPool2d(2), {64, 6, 28, 28})
layer("max pool 3, stride 2 of 8x64x56x56", nn.MaxPool2d(3, {stride = 2, padding = 1}), {8, 64, 56, 56})
layer("average pool 2 of 64x6x28x28", nn.AvgPool2d(2), {64, 6, 28, 28})
layer("batch norm of 64x16x14x14", nn.BatchNorm2d(16), {64, 16, 14, 14})
layer("group norm of 16x64x32x32", nn.GroupNorm(8, 64), {16, 64, 32, 32})
layer("layer norm of 512x256", nn.LayerNorm(256), {512, 256})
layer("Linear 784-512, batch 128", nn.Linear(784, 512), {128, 784})
layer("upsample bilinear 2 of 4x32x64x64", nn.Upsample {scale_factor = 2, mode = "bilinear"}, {4, 32, 64, 64})

measure("embedding 5000x128 of 32x64, backward", function()
  local embedding, ids = nn.Embedding(5000, 128), nl.randint(1, 5001, {32, 64})
  local grad = nl.ones(32, 64, 128)
  return function()
    embedding.weight.grad = nil
    embedding(ids):backward(grad)
  end
end)

local WIDTH <const>, HEADS <const>, LENGTH <const> = 128, 4, 128
local packed = nl.randn({16, LENGTH, 3 * WIDTH}, {requires_grad = true})

local function attend()
  local parts = packed:split(WIDTH, 3, {as_table = true})
  for i, part in ipairs(parts) do parts[i] = part:reshape(16, LENGTH, HEADS, WIDTH // HEADS):transpose(2, 3) end
  return F.scaled_dot_product_attention(parts[1], parts[2], parts[3], {is_causal = true})
end

measure("causal attention 16x4x128x32", function() return function() nl.no_grad(attend) end end)
measure("causal attention 16x4x128x32, backward", function()
  return function()
    packed.grad = nil
    attend():sum():backward()
  end
end)
