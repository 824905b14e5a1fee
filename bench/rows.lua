-- nnlua's side of the comparison of what goes along rows, with rows of all lengths in a million elements.
-- The cases of rows.py, line by line; see run.lua.
local here = arg[0]:match "^(.*)/[^/]*$" or "."
local measure = dofile(here .. "/measure.lua")
local nl = require "nnlua"
local F = nl.F

for _, length in ipairs {4, 16, 17, 64, 100, 250, 1000, 10000} do
  local rows = 1000000 // length
  local x = nl.randn(rows, length)
  local xg, g = x:clone():requires_grad_(), nl.randn(rows, length)
  local weight, bias = nl.ones(length, {requires_grad = true}), nl.zeros(length, {requires_grad = true})
  local class = nl.randint(1, length + 1, {rows})
  local function case(name, f) measure(("%s, rows of %d"):format(name, length), function() return f end) end

  case("sum", function() return x:sum(-1) end)
  case("mean", function() return x:mean(-1) end)
  case("var", function() return x:var(-1) end)
  case("amax", function() return x:amax(-1) end)
  case("argmax", function() return x:argmax(-1) end)
  case("softmax", function() return nl.softmax(x, -1) end)
  case("log_softmax", function() return nl.log_softmax(x, -1) end)
  case("logsumexp", function() return x:logsumexp(-1) end)
  case("cross_entropy", function() return F.cross_entropy(x, class) end)
  case("layer_norm", function() return F.layer_norm(x, {length}, weight, bias) end)
  case("rms_norm", function() return F.rms_norm(x, {length}) end)
  case("softmax backward", function() return nl.autograd.grad(nl.softmax(xg, -1), xg, g) end)
  case("cross_entropy backward", function() return nl.autograd.grad(F.cross_entropy(xg, class), xg) end)
  case("layer_norm backward", function()
    return nl.autograd.grad(F.layer_norm(xg, {length}, weight, bias), {xg, weight, bias}, g)
  end)
  case("rms_norm backward", function() return nl.autograd.grad(F.rms_norm(xg, {length}), xg, g) end)
end
