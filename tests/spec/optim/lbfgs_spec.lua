-- L-BFGS: what it finds, and how it is used. Its steps are PyTorch's: the oracle's family optim.
local nl = require "nnlua"
local optim = nl.optim

-- Rosenbrock's valley, whose lowest place is (1, 1).
local function valley(p, optimizer)
  return function()
    optimizer:zero_grad()
    local x, y = p[1], p[2]
    local loss = (1 - x) ^ 2 + 100 * (y - x * x) ^ 2
    loss:backward()
    return loss
  end
end

local function start(dtype)
  return nl.tensor({-1.2, 1.0}, {dtype = dtype or nl.float64}):requires_grad_()
end

describe("LBFGS", function()
  it("finds the lowest place of a valley", function()
    local p = start()
    local optimizer = optim.LBFGS({p}, {max_iter = 60, tolerance_change = 1e-14, line_search_fn = "strong_wolfe"})
    local first = optimizer:step(valley(p, optimizer))
    assert.near(24.2, first:item(), 1e-9)
    assert.near(1, p[1]:item(), 1e-6)
    assert.near(1, p[2]:item(), 1e-6)
    assert.is_true(p.is_leaf)
    assert.is_true(nl.is_grad_enabled())
  end)

  it("goes on alike from a loaded state", function()
    local options = {max_iter = 4, history_size = 3, line_search_fn = "strong_wolfe"}
    local p = start()
    local first = optim.LBFGS({p}, options)
    first:step(valley(p, first))
    local q = p:detach():clone():requires_grad_()
    local second = optim.LBFGS({q}, options)
    second:load_state_dict(first:state_dict())
    for _ = 1, 2 do
      first:step(valley(p, first))
      second:step(valley(q, second))
    end
    assert.is_true(nl.equal(p, q))
  end)

  it("runs hooks", function()
    local p = start()
    local optimizer = optim.LBFGS({p}, {max_iter = 1})
    local n = 0
    optimizer:register_step_post_hook(function() n = n + 1 end)
    optimizer:step(valley(p, optimizer))
    assert.equal(1, n)
  end)

  it("leaves parameters without gradients alone, and what is flat", function()
    local p, idle = start(), nl.ones(0, 2, {dtype = nl.float64}):requires_grad_()
    local optimizer = optim.LBFGS({p, idle}, {max_iter = 2, lr = 0.001})
    optimizer:step(valley(p, optimizer))
    assert.is_false(nl.equal(p, start()))
    local flat = nl.ones(2):requires_grad_()
    local other = optim.LBFGS({flat})
    other:step(function()
      flat.grad = nl.zeros(2)
      return 0
    end)
    assert.is_true(nl.equal(flat, nl.ones(2)))
  end)

  it("says what it needs", function()
    local p = start()
    local optimizer = optim.LBFGS({p})
    assert.error_matches(function() optimizer:step() end, "a step takes a closure")
    assert.error_matches(function() optimizer:step(function() return "low" end) end,
      "must return the loss, not a string")
    assert.error_matches(function() optimizer:add_param_group {params = {start()}} end, "in one group")
    assert.error_matches(function() optim.LBFGS({p}, {line_search_fn = "armijo"}) end, "'strong_wolfe' or nil")
  end)
end)
