-- utils.checkpoint: the same numbers as without, whatever asks for gradients.
local nl = require "nnlua"

local nn, checkpoint = nl.nn, nl.utils.checkpoint

local function net_and_input()
  nl.manual_seed(1)
  local net = nn.Sequential(
    nn.Linear(4, 16), nn.Tanh(), nn.Dropout(0.5), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 2))
  return net:double(), nl.randn(5, 4, {dtype = nl.float64}):requires_grad_()
end

local function gradients(net, x, f)
  net:zero_grad()
  x.grad = nil
  nl.manual_seed(5)
  local y = f()
  y:pow(2):sum():backward()
  local list = {y:detach(), x.grad}
  for p in net:parameters() do list[#list + 1] = p.grad:clone() end
  return list
end

describe("checkpoint", function()
  local net, x = net_and_input()
  local expected = gradients(net, x, function() return net(x) end)

  for name, f in pairs {
    checkpoint = function() return checkpoint.checkpoint(net, x) end,
    ["checkpoint, reentrant"] = function() return checkpoint.checkpoint(net, x, {use_reentrant = true}) end,
    ["two in a row"] = function() return checkpoint.checkpoint_sequential(net, 2, x) end,
    ["one in another"] = function()
      return checkpoint.checkpoint(function(z) return checkpoint.checkpoint(net, z) end, x)
    end,
    ["an input without a gradient"] = function() return checkpoint.checkpoint(function() return net(x) end, 3) end,
  } do
    it(name .. " gives the gradients of the plain call, with its random numbers", function()
      local got = gradients(net, x, f)
      for i, e in ipairs(expected) do assert.is_true(nl.allclose(e, got[i]), name .. i) end
    end)
  end

  it("gives what its function gives", function()
    local y = checkpoint.checkpoint(function(t) return {out = net(t.x), n = 3, flag = t.x:gt(0)} end, {x = x})
    assert.equal(3, y.n)
    assert.is_true(y.out.requires_grad)
    assert.equal(nl.bool, y.flag.dtype)
    assert.is_nil((checkpoint.checkpoint(function() end, x)))
  end)

  it("has second derivatives", function()
    local f = function(t) return checkpoint.checkpoint(function(z) return z:tanh():pow(2) end, t) end
    assert.is_true(nl.autograd.gradcheck(f, {x}))
    assert.is_true(nl.autograd.gradgradcheck(f, {x}))
  end)

  it("keeps nothing of what is computed inside", function()
    local w = nl.randn(256, 256):requires_grad_()
    local function deep(z)
      for _ = 1, 20 do z = (z:mm(w) * 0.01):tanh() end
      return z
    end
    local input = nl.randn(256, 256)
    local y = checkpoint.checkpoint(deep, input)
    collectgarbage()
    collectgarbage()
    local kept = nl.memory_allocated()
    local plain = deep(input)
    collectgarbage()
    collectgarbage()
    assert.is_true(nl.memory_allocated() - kept > 20 * 256 * 256 * 4, "the plain call keeps its activations")
    assert.is_true(nl.allclose(y, plain))
  end)

  it("says what is wrong", function()
    local turn = 0
    local y = checkpoint.checkpoint(function(z)
      turn = turn + 1
      if turn > 1 then return z:detach() end
      return z * 2
    end, x)
    assert.is_false((pcall(y.backward, y:sum())))
    assert.is_false((pcall(checkpoint.checkpoint, 3)))
    assert.is_false((pcall(checkpoint.checkpoint_sequential, net, 9, x)))
  end)
end)
