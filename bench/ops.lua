-- nnlua's side of the comparison of single ops on floats, in 100,000 and 1,000,000 elements. See compare.lua.
local here = arg[0]:match "^(.*)/[^/]*$" or "."
local measure = dofile(here .. "/measure.lua")
local nl = require "nnlua"
local F = nl.F

local only = os.getenv "BENCH_ONLY"

for _, shape in ipairs {{400, 250}, {1000, 1000}} do
  local x, y = nl.randn(shape), nl.randn(shape)
  local z, xg = x:abs() + 0.1, x:clone():requires_grad_()
  local n = shape[1] == 400 and 200 or 40
  local size = shape[1] == 400 and " 1e5" or " 1e6"
  local function case(name, f)
    if not only or name:find(only) then measure(name .. size, n, f) end
  end

  case("add", function() return x + y end)
  case("exp", function() return nl.exp(x) end)
  case("log", function() return nl.log(z) end)
  case("tanh", function() return nl.tanh(x) end)
  case("sigmoid", function() return nl.sigmoid(x) end)
  case("gelu", function() return F.gelu(x) end)
  case("gelu tanh", function() return F.gelu(x, "tanh") end)
  case("silu", function() return F.silu(x) end)
  case("mish", function() return F.mish(x) end)
  case("elu", function() return F.elu(x) end)
  case("leaky_relu", function() return F.leaky_relu(x) end)
  case("hardswish", function() return F.hardswish(x) end)
  case("sqrt", function() return nl.sqrt(z) end)
  case("sin", function() return nl.sin(x) end)
  case("square", function() return nl.square(x) end)
  case("pow 3", function() return x ^ 3 end)
  case("clamp", function() return nl.clamp(x, -1, 1) end)
  case("maximum", function() return nl.maximum(x, y) end)
  case("abs", function() return nl.abs(x) end)
  case("sum", function() return x:sum() end)
  case("sum dim 1", function() return x:sum(1) end)
  case("sum last", function() return x:sum(-1) end)
  case("mean last", function() return x:mean(-1) end)
  case("var", function() return x:var() end)
  case("var last", function() return x:var(-1) end)
  case("max", function() return x:max() end)
  case("max dim 1", function() return x:max(1) end)
  case("max last", function() return x:max(-1) end)
  case("argmax", function() return x:argmax() end)
  case("logsumexp last", function() return x:logsumexp(-1) end)
  case("norm", function() return x:norm() end)
  case("prod last", function() return x:prod(-1) end)
  case("cumsum last", function() return x:cumsum(-1) end)
  case("cumprod last", function() return x:cumprod(-1) end)
  case("softmax last", function() return nl.softmax(x, -1) end)
  case("softmax dim 1", function() return nl.softmax(x, 1) end)
  case("log_softmax last", function() return nl.log_softmax(x, -1) end)
  case("gelu backward", function() return nl.autograd.grad(F.gelu(xg), xg, y) end)
  case("silu backward", function() return nl.autograd.grad(F.silu(xg), xg, y) end)
  case("tanh backward", function() return nl.autograd.grad(nl.tanh(xg), xg, y) end)
end
