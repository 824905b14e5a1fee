-- Full backward hooks and pre-hooks.
local nl = require "nnlua"
local nn = nl.nn

local function noting(list, name)
  return function() table.insert(list, name) end
end

local function class_of(forward)
  local class = nn.class("Net")
  class.forward = forward
  return class
end

local Double = class_of(function(_, x) return x * 2 end)
local none = nl.none

local function leaf(...)
  return nl.tensor({...}):requires_grad_()
end

describe("a full backward hook", function()
  it("gets the gradients of arguments and results", function()
    local net, seen = Double(), nil
    net:register_full_backward_hook(function(m, grad_input, grad_output) seen = {m, grad_input, grad_output} end)
    local x = leaf(1.0, 2.0)
    net(x):sum():backward()
    assert.equal(net, seen[1])
    assert.equal(1, seen[2].n)
    assert.same({2, 2}, seen[2][1]:tolist())
    assert.same({1, 1}, seen[3][1]:tolist())
    assert.same({2, 2}, x.grad:tolist())
  end)

  it("B1: changes in place stay allowed inside and outside", function()
    local net = class_of(function(_, x) return x:mul_(3) end)()
    local count = 0
    net:register_full_backward_hook(function() count = count + 1 end)
    local x = leaf(1.0)
    local y = x * 1
    local z = net(y)
    z:add_(1)
    z:sum():backward()
    assert.same({3}, x.grad:tolist())
    assert.equal(1, count)
  end)

  it("B2: fires though the gradient never reaches the argument", function()
    local net, seen = class_of(function(self, x) return x:detach() * self.w end)(), nil
    net.w = nn.Parameter(nl.ones(1))
    net:register_full_backward_hook(function(_, grad_input) seen = grad_input end)
    net(leaf(2.0)):sum():backward()
    assert.same({none, n = 1}, seen)
  end)

  it("B3: fires after all hooks inside, whether arguments want gradients or not", function()
    for _, x in ipairs {nl.ones(1, 2), nl.ones(1, 2):requires_grad_()} do
      local order = {}
      local net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
      net:register_full_backward_hook(noting(order, "outer"))
      net[1]:register_full_backward_hook(noting(order, "first"))
      net[2]:register_full_backward_hook(noting(order, "second"))
      net(x):sum():backward()
      assert.same({"second", "first", "outer"}, order)
    end
  end)

  it("B4: never fires if no result wants a gradient", function()
    local net, count = class_of(function(_, x) return x:detach() end)(), 0
    net:register_full_backward_hook(function() count = count + 1 end)
    net(leaf(1.0))
    local y = leaf(1.0)
    y:sum():backward()
    assert.equal(0, count)
  end)

  it("C11: does nothing without grad mode", function()
    local net, x = nn.Identity(), leaf(1.0)
    net:register_full_backward_hook(error)
    assert.equal(x, nl.no_grad(net, x))
    local plain = nl.ones(1)
    assert.equal(plain, (net(plain)))
  end)

  it("B5: has a place for each argument and each result", function()
    local net, seen = class_of(function(_, a, _, b) return a * 2, "text", b * 3, a * 5 end)(), nil
    net:register_full_backward_hook(function(_, grad_input, grad_output) seen = {grad_input, grad_output} end)
    local a, b = leaf(1.0), nl.ones(1)
    local y, text, z = net(a, 7, b, {name = 1})
    assert.equal("text", text);
    (y + z):sum():backward()
    assert.equal(4, seen[1].n)
    assert.equal(2, seen[1][1]:item())
    assert.same({none, none, none}, {seen[1][2], seen[1][3], seen[1][4]})
    assert.equal(4, seen[2].n)
    assert.equal(1, seen[2][1]:item())
    assert.same({none, none, none}, {seen[2][2], seen[2][3], seen[2][4]})
  end)

  it("B6: fires for results in tables of any depth", function()
    local net, seen = class_of(function(_, x) return {x * 2, {deep = x * 3, other = 5}} end)(), nil
    net:register_full_backward_hook(function(_, _, grad_output) seen = grad_output end)
    local x = leaf(1.0)
    local out = net(x)
    assert.equal(5, out[2].other);
    (out[1] + out[2].deep):sum():backward()
    assert.equal(2, seen.n)
    assert.same({1, 1}, {seen[1]:item(), seen[2]:item()})
    assert.equal(5, x.grad:item())
  end)

  it("B7: removal counts until it runs, registration does not", function()
    local order, net = {}, Double()
    local first = net:register_full_backward_hook(noting(order, "first"))
    net:register_full_backward_hook(noting(order, "second"))
    local y = net(leaf(1.0))
    first:remove()
    net:register_full_backward_hook(noting(order, "late"))
    y:sum():backward()
    assert.same({"second"}, order)
  end)

  it("B8: fires once a call, and again for each backward", function()
    local count, net = 0, Double()
    net:register_full_backward_hook(function() count = count + 1 end)
    local x = leaf(1.0)
    local y = net(net(x)):sum()
    y:backward {retain_graph = true}
    assert.equal(2, count)
    y:backward()
    assert.equal(4, count)
    assert.equal(8, x.grad:item())
  end)

  it("B9: fires for autograd.grad of the argument, not of a weight alone", function()
    local count, net = 0, nn.Linear(1, 1)
    net:register_full_backward_hook(function() count = count + 1 end)
    local x = leaf(1.0)
    nl.autograd.grad(net(x):sum(), {x})
    assert.equal(1, count)
    nl.autograd.grad(net(nl.ones(1)):sum(), {net.weight})
    assert.equal(1, count)
  end)

  it("B10: a layer's weight has its gradient by then", function()
    local net, seen = nn.Linear(1, 1), nil
    net:register_full_backward_hook(function(m) seen = m.weight.grad end)
    net(leaf(3.0)):sum():backward()
    assert.equal(3, seen:item())
  end)

  it("B11: pre-hooks get the gradients first and may replace them", function()
    local order, net, seen = {}, Double(), nil
    net:register_full_backward_hook(function(_, _, grad_output) seen = grad_output[1]:item() end)
    net:register_full_backward_pre_hook(function(_, grad_output)
      table.insert(order, "own")
      return grad_output[1] * 10
    end)
    local global <close> = nn.register_module_full_backward_pre_hook(noting(order, "global"))
    local x = leaf(1.0)
    net(x):sum():backward()
    assert.equal(10, seen)
    assert.equal(20, x.grad:item())
    assert.same({"global", "own"}, order)
  end)

  it("B11: pre-hooks run though no argument wants a gradient", function()
    local count, net = 0, nn.Linear(1, 1)
    net:register_full_backward_pre_hook(function() count = count + 1 end)
    net(nl.ones(1, 1)):sum():backward()
    assert.equal(1, count)
  end)

  it("B14: an error passes unchanged", function()
    local problem, net = {}, Double()
    net:register_full_backward_hook(function() error(problem) end)
    local y = net(leaf(1.0)):sum()
    local ok, err = pcall(y.backward, y)
    assert.is_false(ok)
    assert.equal(problem, err)
  end)

  it("H3: what it returns goes on, to the next hook and to the argument", function()
    local net = Double()
    net:register_full_backward_hook(function(_, grad_input) return grad_input[1] * 10 end)
    net:register_full_backward_hook(function(_, grad_input) return grad_input[1] + 1 end)
    local x = leaf(1.0)
    net(x):sum():backward()
    assert.equal(21, x.grad:item())
  end)

  it("H4: must return as many gradients as there are, each a tensor or none", function()
    local returned = {}
    local net = class_of(function(_, a, b) return a * b end)()
    net:register_full_backward_hook(function() return table.unpack(returned, 1, returned.n) end)
    local function run(...)
      returned = table.pack(...)
      local a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
      net(a, b):sum():backward()
      return a.grad, b.grad
    end
    assert.error_matches(function() run(nl.ones(2)) end, "it returned 1 gradients, but there are 2")
    assert.error_matches(function() run({}, {}) end, "gradient 1 is a table; .*several values")
    assert.error_matches(function() run(nl.ones(2), nl.ones(3)) end, "shape")
    local a, b = run(nl.ones(2), none)
    assert.same({1, 1}, a:tolist())
    assert.is_nil(b)
    a = run()
    assert.same({3, 4}, a:tolist())
    a = run(nil)
    assert.is_nil(a and nil)
  end)

  it("H5: can't set the gradient of an argument that wants none", function()
    local net = class_of(function(_, a, b) return a * b end)()
    net:register_full_backward_hook(function() return nl.ones(1), nl.ones(1) end)
    assert.error_matches(function() net(leaf(1.0), nl.ones(1)):sum():backward() end, "gradient 2 can't be set")
  end)

  it("H6: global hooks run before the module's own", function()
    local order, net = {}, Double()
    net:register_full_backward_hook(noting(order, "own"))
    local global <close> = nn.register_module_full_backward_hook(noting(order, "global"))
    net(leaf(1.0)):sum():backward()
    assert.same({"global", "own"}, order)
  end)

  it("B13: does not fire in a double backward that comes past the results", function()
    local net, count = class_of(function(_, x) return x * x * x end)(), 0
    net:register_full_backward_hook(function() count = count + 1 end)
    local x = leaf(2.0)
    local first = nl.autograd.grad(net(x):sum(), {x}, {create_graph = true})
    assert.equal(12, first:item())
    assert.equal(12, nl.autograd.grad(first:sum(), {x}):item())
    assert.equal(1, count)
  end)

  it("lets model and graph be collected", function()
    local watch = setmetatable({}, {__mode = "v"})
    for _ = 1, 20 do
      local net = Double()
      net:register_full_backward_hook(function() return net end)
      net.last = net(leaf(1.0))
      watch[#watch + 1] = net
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(watch))
  end)
end)
