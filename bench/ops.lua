-- nnlua's side of the comparison of single ops on floats, from one element to ten millions.
-- The cases of ops.py, line by line; see run.lua.
local here = arg[0]:match "^(.*)/[^/]*$" or "."
local measure = dofile(here .. "/measure.lua")
local nl = require "nnlua"
local F = nl.F

local SHAPES <const> = {
  {"1", {1}}, {"10", {10}}, {"100", {10, 10}}, {"1e3", {10, 100}}, {"1e4", {100, 100}}, {"1e5", {400, 250}},
  {"1e6", {1000, 1000}}, {"1e7", {4000, 2500}},
}

--- Functions of a tensor x, another y of its shape, a positive one z and one that requires a gradient.
local OPS <const> = {
  {"add", function(x, y) return function() return x + y end end},
  {"add_", function(x, y) return function() return x:add_(y, {alpha = 1e-9}) end end},
  {"square", function(x) return function() return nl.square(x) end end},
  {"abs", function(x) return function() return nl.abs(x) end end},
  {"maximum", function(x, y) return function() return nl.maximum(x, y) end end},
  {"clamp", function(x) return function() return nl.clamp(x, -1, 1) end end},
  {"clamp_", function(x) local w = x:clone() return function() return w:clamp_(-1, 1) end end},
  {"relu", function(x) return function() return nl.relu(x) end end},
  {"where", function(x, y) local m = x:gt(0) return function() return nl.where(m, x, y) end end},
  {"gt", function(x, y) return function() return x:gt(y) end end},
  {"div", function(x, _, z) return function() return x / z end end},
  {"pow 3", function(x) return function() return x ^ 3 end end},
  {"sqrt", function(_, _, z) return function() return nl.sqrt(z) end end},
  {"exp", function(x) return function() return nl.exp(x) end end},
  {"log", function(_, _, z) return function() return nl.log(z) end end},
  {"tanh", function(x) return function() return nl.tanh(x) end end},
  {"sigmoid", function(x) return function() return nl.sigmoid(x) end end},
  {"erf", function(x) return function() return nl.erf(x) end end},
  {"sin", function(x) return function() return nl.sin(x) end end},
  {"cos", function(x) return function() return nl.cos(x) end end},
  {"gelu", function(x) return function() return F.gelu(x) end end},
  {"gelu tanh", function(x) return function() return F.gelu(x, "tanh") end end},
  {"silu", function(x) return function() return F.silu(x) end end},
  {"mish", function(x) return function() return F.mish(x) end end},
  {"elu", function(x) return function() return F.elu(x) end end},
  {"leaky_relu", function(x) return function() return F.leaky_relu(x) end end},
  {"hardswish", function(x) return function() return F.hardswish(x) end end},
  {"tanh(x*2+1)*sigmoid(x) - x*x", function(x)
    return function() return nl.tanh(x * 2 + 1) * nl.sigmoid(x) - x * x end
  end},
  {"sum", function(x) return function() return x:sum() end end},
  {"sum dim 1", function(x) return function() return x:sum(1) end end},
  {"sum last", function(x) return function() return x:sum(-1) end end},
  {"mean last", function(x) return function() return x:mean(-1) end end},
  {"var", function(x) return function() return x:var {correction = 0} end end},
  {"var last", function(x) return function() return x:var(-1, {correction = 0}) end end},
  {"max", function(x) return function() return x:max() end end},
  {"max dim 1", function(x) return function() return x:max(1) end end},
  {"max last", function(x) return function() return x:max(-1) end end},
  {"argmax", function(x) return function() return x:argmax() end end},
  {"norm", function(x) return function() return x:norm() end end},
  {"prod last", function(x) return function() return x:prod(-1) end end},
  {"cumsum last", function(x) return function() return x:cumsum(-1) end end},
  {"cumprod last", function(x) return function() return x:cumprod(-1) end end},
  {"softmax last", function(x) return function() return nl.softmax(x, -1) end end},
  {"softmax dim 1", function(x) return function() return nl.softmax(x, 1) end end},
  {"log_softmax last", function(x) return function() return nl.log_softmax(x, -1) end end},
  {"logsumexp last", function(x) return function() return x:logsumexp(-1) end end},
  {"gelu backward", function(_, y, _, xg) return function() return nl.autograd.grad(F.gelu(xg), xg, y) end end},
  {"silu backward", function(_, y, _, xg) return function() return nl.autograd.grad(F.silu(xg), xg, y) end end},
  {"tanh backward", function(_, y, _, xg) return function() return nl.autograd.grad(nl.tanh(xg), xg, y) end end},
}

for _, entry in ipairs(SHAPES) do
  local size, shape = entry[1], entry[2]
  local x, y = nl.randn(shape), nl.randn(shape)
  local z, xg = x:abs() + 0.1, x:clone():requires_grad_()
  for _, op in ipairs(OPS) do measure(op[1] .. " " .. size, function() return op[2](x, y, z, xg) end) end
end
