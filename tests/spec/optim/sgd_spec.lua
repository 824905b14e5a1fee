-- Optimizers.
local nl = require "nnlua"
local nn, optim = nl.nn, nl.optim

local function leaf(...)
  return nl.tensor({...}):requires_grad_()
end

local function step(optimizer, p, grad)
  p.grad = nl.tensor(grad)
  optimizer:step()
  return p:tolist()
end

describe("SGD", function()
  it("subtracts the gradient", function()
    local p = leaf(1.0, 2.0)
    local optimizer = optim.SGD({p}, {lr = 0.5})
    assert.same({0, 1}, step(optimizer, p, {2.0, 2.0}))
    assert.is_true(p.is_leaf)
  end)

  it("has momentum, dampening, weight decay, nesterov, maximize", function()
    local p = leaf(1.0)
    local optimizer = optim.SGD({p}, {lr = 1, momentum = 0.5})
    assert.same({0}, step(optimizer, p, {1.0}))
    assert.same({-1.5}, step(optimizer, p, {1.0}))
    p = leaf(1.0)
    optimizer = optim.SGD({p}, {lr = 1, momentum = 0.5, dampening = 0.5})
    step(optimizer, p, {1.0})
    assert.same({-1}, step(optimizer, p, {1.0}))
    p = leaf(2.0)
    assert.same({1}, step(optim.SGD({p}, {lr = 1, weight_decay = 0.5}), p, {0.0}))
    p = leaf(1.0)
    assert.same({-0.5}, step(optim.SGD({p}, {lr = 1, momentum = 0.5, nesterov = true}), p, {1.0}))
    p = leaf(1.0)
    assert.same({2}, step(optim.SGD({p}, {lr = 1, maximize = true}), p, {1.0}))
  end)

  it("takes an iterator, a list, or groups with options of their own", function()
    local net = nn.Linear(2, 2)
    assert.equal(2, #optim.SGD(net:parameters()).param_groups[1].params)
    local a, b = leaf(1.0), leaf(1.0)
    local optimizer = optim.SGD({{params = {a}, lr = 1}, {params = b}}, {lr = 0.5})
    a.grad, b.grad = nl.ones(1), nl.ones(1)
    optimizer:step()
    assert.same({0, 0.5}, {a:item(), b:item()})
    assert.equal(0.5, optimizer.param_groups[2].lr)
    optimizer.param_groups[2].lr = 0.25
    optimizer:step()
    assert.equal(0.25, b:item())
  end)

  it("adds groups later", function()
    local a, b = leaf(1.0), leaf(1.0)
    local optimizer = optim.SGD({a}, {lr = 1, momentum = 0.5})
    optimizer:add_param_group {params = {b}, lr = 2}
    assert.equal(0.5, optimizer.param_groups[2].momentum)
    assert.same({-1}, step(optimizer, b, {1.0}))
    assert.error_matches(function() optimizer:add_param_group {params = {a}} end, "in two groups, or twice in one")
    assert.error_matches(function() optimizer:add_param_group {b} end, "a group is a table with a field params")
  end)

  it("skips parameters without gradient, and notices new ones", function()
    local a, b = leaf(1.0), leaf(1.0)
    local optimizer = optim.SGD({a, b}, {lr = 1})
    assert.same({0}, step(optimizer, a, {1.0}))
    assert.equal(1, b:item())
    assert.same({-4}, step(optimizer, a, {4.0}))
    a.grad = nil
    optimizer:step()
    assert.equal(-4, a:item())
  end)

  it("runs a closure with gradients and returns what it returns", function()
    local p = leaf(3.0)
    local optimizer = optim.SGD({p}, {lr = 0.1})
    local loss = nl.no_grad(function()
      return optimizer:step(function()
        optimizer:zero_grad()
        local l = (p * p):sum()
        l:backward()
        return l
      end)
    end)
    assert.equal(9, loss:item())
    assert.near(2.4, p:item(), 1e-6)
  end)

  it("zeroes gradients or drops them", function()
    local p = leaf(1.0)
    local optimizer = optim.SGD({p})
    p.grad = nl.ones(1)
    local grad = p.grad
    optimizer:zero_grad(false)
    assert.equal(grad, p.grad)
    assert.equal(0, p.grad:item())
    optimizer:zero_grad()
    assert.is_nil(p.grad)
  end)

  it("counts as a change in place", function()
    local p, x = leaf(1.0), leaf(2.0)
    local y = p * x
    p.grad = nl.ones(1)
    optim.SGD({p}):step()
    assert.has_error(function() y:backward() end)
  end)

  it("checks its arguments", function()
    local p = leaf(1.0)
    assert.error_matches(function() optim.SGD({p}, {lr = -1}) end, "lr must be a number from 0 on, not %-1")
    assert.error_matches(function() optim.SGD({p}, {nesterov = true}) end, "nesterov needs a momentum")
    assert.error_matches(function() optim.SGD({p}, {momentun = 1}) end, "no argument is called 'momentun'")
    assert.error_matches(function() optim.SGD({}) end, "there are no parameters")
    assert.error_matches(function() optim.SGD({3}) end, "the parameters are tensors, not a number")
    assert.error_matches(function() optim.SGD(p) end, "not a single tensor")
    assert.error_matches(function() optim.SGD({p, p}) end, "twice in one")
    assert.error_matches(function() optim.SGD({p * 2}) end, "a result of operations can't be optimized")
  end)

  it("fills in what a changed list of parameters asks for", function()
    local a, b = leaf(1.0), leaf(1.0)
    local optimizer = optim.SGD({a}, {lr = 1, momentum = 0.5})
    step(optimizer, a, {1.0})
    optimizer.param_groups[1].params[1] = b
    assert.same({0}, step(optimizer, b, {1.0}))
    optimizer.param_groups[1].params[2] = a
    assert.error_matches(function() optimizer:step() end, "use add_param_group")
  end)
end)

describe("an optimizer's state", function()
  local options = {lr = 1, momentum = 0.5}

  it("has numbers from 0 for parameters", function()
    local a, b = leaf(1.0), leaf(1.0)
    local optimizer = optim.SGD({a, b}, options)
    step(optimizer, b, {2.0})
    local state = optimizer:state_dict()
    assert.same({0, 1}, state.param_groups[1].params)
    assert.equal(1, state.param_groups[1].lr)
    assert.is_nil(state.state[0])
    assert.same({2}, state.state[1].momentum_buffer:tolist())
    assert.same({2}, optimizer.state[b].momentum_buffer:tolist())
  end)

  it("can be loaded by another one, which goes on alike", function()
    local a, b = leaf(1.0), leaf(1.0)
    local first, second = optim.SGD({a}, options), optim.SGD({b}, {lr = 3})
    step(first, a, {1.0})
    second:load_state_dict(first:state_dict())
    nl.no_grad(function() b:copy_(a) end)
    assert.equal(1, second.param_groups[1].lr)
    assert.same(step(first, a, {1.0}), step(second, b, {1.0}))
  end)

  it("must fit", function()
    local a, b = leaf(1.0), leaf(1.0)
    local one, two = optim.SGD({a}), optim.SGD({a, b})
    assert.error_matches(function() one:load_state_dict(two:state_dict()) end, "has 2 parameters, the optimizer's 1")
    local groups = optim.SGD({{params = a}, {params = b}})
    assert.error_matches(function() one:load_state_dict(groups:state_dict()) end, "2 parameter groups")
    assert.error_matches(function() one:load_state_dict(3) end, "load_state_dict takes what state_dict gave")
  end)
end)

describe("an optimizer of one's own", function()
  it("updates groups", function()
    local Plain = optim.class("Plain")
    function Plain:init(params, lr) Plain.super.init(self, params, {lr = lr}) end
    function Plain:update(group)
      for _, p in ipairs(group.params) do
        if p.grad then
          p:add_(p.grad * -group.lr)
          self.state[p].steps = (self.state[p].steps or 0) + 1
        end
      end
    end
    local p = leaf(1.0, 1.0)
    local optimizer = Plain({p}, 0.5)
    assert.same({-0.5, 2}, step(optimizer, p, {3.0, -2.0}))
    assert.equal(1, optimizer:state_dict().state[0].steps)
    assert.matches("^Plain %(\nParameter Group 0\n    lr: 0.5\n%)$", tostring(optimizer))
  end)

  it("updates unrecorded, where it comes from one of nnlua's too", function()
    local Doubled = optim.class("Doubled", optim.SGD)
    function Doubled:update(group)
      assert.is_false(nl.is_grad_enabled())
      self.super.update(self, group)
      self.super.update(self, group)
    end
    local p = leaf(1.0)
    assert.same({-1}, step(Doubled({p}, {lr = 0.5}), p, {2.0}))
    assert.is_nil(p.grad_fn)
    assert.is_true(nl.is_grad_enabled())
  end)

  it("says what it lacks", function()
    local Lazy = optim.class("Lazy")
    assert.error_matches(function() Lazy({leaf(1.0)}, {}):step() end, "Lazy has no method update")
  end)
end)
