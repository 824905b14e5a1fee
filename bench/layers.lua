-- nnlua's side of the comparison for convolutional nets: LeNet-5 on a batch of 64 images of 28x28.
-- The cases of layers.py, line by line; see compare.lua.
local here = arg[0]:match "^(.*)/[^/]*$" or "."
local measure = dofile(here .. "/measure.lua")
local nl = require "nnlua"
local nn, F, optim = nl.nn, nl.F, nl.optim

local net = nn.Sequential(
  nn.Conv2d(1, 6, 5, {padding = 2}), nn.ReLU(), nn.MaxPool2d(2),
  nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
  nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))
local optimizer = optim.SGD(net:parameters(), {lr = 0.01})
local images, labels = nl.randn(64, 1, 28, 28), nl.randint(1, 11, {64})

measure("LeNet-5 forward, batch 64", 20, function()
  nl.no_grad(net, images)
end)

measure("LeNet-5 step, batch 64, SGD", 10, function()
  optimizer:zero_grad()
  F.cross_entropy(net(images), labels):backward()
  optimizer:step()
end)

-- ------------------------------------------------------------- its parts

local function parts(name, layer, shape)
  local x = nl.randn(shape, {requires_grad = true})
  local y = layer(x)
  local grad = nl.ones_like(y)
  measure(name, 40, function() nl.no_grad(layer, x) end)
  measure(name .. ", backward", 20, function() layer(x):backward(grad) end)
end

parts("conv 1-6 5x5 on 28x28", nn.Conv2d(1, 6, 5, {padding = 2}), {64, 1, 28, 28})
parts("conv 6-16 5x5 on 14x14", nn.Conv2d(6, 16, 5), {64, 6, 14, 14})
parts("max pool 2 of 64x6x28x28", nn.MaxPool2d(2), {64, 6, 28, 28})
parts("average pool 2 of 64x6x28x28", nn.AvgPool2d(2), {64, 6, 28, 28})
parts("batch norm of 64x16x14x14", nn.BatchNorm2d(16), {64, 16, 14, 14})
parts("layer norm of 512x256", nn.LayerNorm(256), {512, 256})
parts("conv 64-64 3x3 on 16x16", nn.Conv2d(64, 64, 3, {padding = 1}), {8, 64, 16, 16})
