-- optim.functional and swap_in_optimizer_params_and_state: against the optimizers, whose steps the oracle checks.
local nl = require "nnlua"

local optim = nl.optim
local functional = optim.functional

local betas = {beta1 = 0.9, beta2 = 0.999}

local function with(common, more)
  local all = {}
  for _, t in ipairs {common, more} do
    for key, value in pairs(t) do all[key] = value end
  end
  return all
end

local function zeros() return nl.zeros(3, 2) end
local function count() return nl.tensor(0.0) end

-- By the function: its class, the class's options, what is kept at first, the function's options.
local cases = {
  sgd = {"SGD", {lr = 0.1, momentum = 0.9, weight_decay = 0.1}, {{}},
    {lr = 0.1, momentum = 0.9, weight_decay = 0.1, dampening = 0.0, nesterov = false, maximize = false}},
  adam = {"Adam", {lr = 0.1, amsgrad = true}, {{zeros()}, {zeros()}, {zeros()}, {count()}},
    with(betas, {lr = 0.1, eps = 1e-8, weight_decay = 0, amsgrad = true, maximize = false})},
  adamw = {"AdamW", {lr = 0.1}, {{zeros()}, {zeros()}, {}, {count()}},
    with(betas, {lr = 0.1, eps = 1e-8, weight_decay = 0.01, amsgrad = false, maximize = false})},
  adamax = {"Adamax", {lr = 0.1}, {{zeros()}, {zeros()}, {count()}},
    with(betas, {lr = 0.1, eps = 1e-8, weight_decay = 0})},
  nadam = {"NAdam", {lr = 0.1}, {{zeros()}, {zeros()}, {nl.tensor(1.0)}, {count()}},
    with(betas, {lr = 0.1, eps = 1e-8, weight_decay = 0, momentum_decay = 4e-3})},
  radam = {"RAdam", {lr = 0.1}, {{zeros()}, {zeros()}, {count()}},
    with(betas, {lr = 0.1, eps = 1e-8, weight_decay = 0})},
  adagrad = {"Adagrad", {lr = 0.1, lr_decay = 0.1}, {{zeros()}, {count()}},
    {lr = 0.1, lr_decay = 0.1, eps = 1e-10, weight_decay = 0, maximize = false}},
  adadelta = {"Adadelta", {lr = 0.1}, {{zeros()}, {zeros()}, {count()}},
    {lr = 0.1, rho = 0.9, eps = 1e-6, weight_decay = 0, maximize = false}},
  rmsprop = {"RMSprop", {lr = 0.1, momentum = 0.5, centered = true}, {{zeros()}, {zeros()}, {zeros()}, {count()}},
    {lr = 0.1, alpha = 0.99, eps = 1e-8, weight_decay = 0, momentum = 0.5, centered = true}},
  rprop = {"Rprop", {lr = 0.1}, {{zeros()}, {nl.full({3, 2}, 0.1)}, {count()}},
    {step_size_min = 1e-6, step_size_max = 50.0, etaminus = 0.5, etaplus = 1.2}},
  asgd = {"ASGD", {lr = 0.1}, {{zeros()}, {nl.tensor(1.0)}, {nl.tensor(0.1)}, {count()}},
    {lr = 0.1, lambd = 1e-4, t0 = 1e6, alpha = 0.75, weight_decay = 0}},
  adafactor = {"Adafactor", {lr = 0.1}, {{nl.zeros(3, 1)}, {nl.zeros(1, 2)}, {}, {count()}},
    {lr = 0.1, beta2_decay = -0.8, eps1 = nl.none, eps2 = 1e-3, d = 1.0, weight_decay = 0, maximize = false}},
  muon = {"Muon", {lr = 0.1}, {{zeros()}},
    {lr = 0.1, weight_decay = 0.1, momentum = 0.95, nesterov = true, ns_coefficients = {3.4445, -4.7750, 2.0315},
      eps = 1e-7, ns_steps = 5}},
}

describe("optim.functional", function()
  for name, case in pairs(cases) do
    it(name .. " steps as optim." .. case[1], function()
      local class, options, lists, given = table.unpack(case)
      nl.manual_seed(1)
      local p = nl.randn(3, 2, {requires_grad = true})
      local w = p:detach():clone()
      local optimizer = optim[class]({p}, options)
      lists[#lists + 1] = given
      for _ = 1, 4 do
        p.grad = nl.randn(3, 2)
        functional[name]({w}, {p.grad:clone()}, table.unpack(lists))
        optimizer:step()
      end
      assert.is_true(nl.equal(w, p:detach()))
    end)
  end

  it("leaves parameters without a gradient alone, and says which option is missing", function()
    local w, options = nl.ones(1), cases.sgd[4]
    functional.sgd({w}, {nl.none}, {}, options)
    assert.are.equal(1.0, w:item())
    assert.has_error(function() functional.sgd({w}, {w}, {}, {lr = 0.1}) end)
    assert.is_truthy(select(2, pcall(functional.sgd, {w}, {w}, {}, {lr = 0.1})):find("momentum is missing", 1, true))
  end)
end)

describe("swap_in_optimizer_params_and_state", function()
  for _, class in ipairs {"Adam", "Muon"} do
    it("steps other parameters and their state, and leaves those of " .. class .. " alone", function()
      local w, v = nl.ones(2, 2, {requires_grad = true}), nl.full({2, 2}, 3.0, {requires_grad = true})
      local optimizer, other = optim[class]({w}, {lr = 0.1}), optim[class]({v}, {lr = 0.5})
      w.grad, v.grad = nl.ones(2, 2), nl.tensor {{1.0, 2.0}, {3.0, 5.0}}
      optimizer:step()
      other:step()
      local before, dict = w:detach():clone(), other:state_dict()
      local expected = v:detach():clone():requires_grad_()
      local reference = optim[class]({expected}, {lr = 0.1})
      reference:load_state_dict(dict)
      expected.grad = v.grad
      reference:step()
      do
        local _ <close> = optim.swap_in_optimizer_params_and_state(optimizer, {v}, dict)
        assert.are.equal(0.5, optimizer.param_groups[1].lr)
        optimizer:step()
      end
      assert.is_true(nl.equal(expected:detach(), v:detach()))
      assert.are.equal(0.1, optimizer.param_groups[1].lr)
      assert.is_true(optimizer.param_groups[1].params[1] == w)
      assert.is_true(nl.equal(before, w:detach()))
      local state, kept = optimizer:state_dict().state[0], reference:state_dict().state[0]
      for name, tensor in pairs(dict.state[0]) do
        assert.is_true(nl.equal(kept[name], tensor))
        assert.is_false(name ~= "step" and nl.equal(state[name], tensor))
      end
    end)
  end

  it("refuses a state of other groups", function()
    local w = nl.ones(1, {requires_grad = true})
    local optimizer = optim.SGD({w}, {lr = 0.1})
    assert.has_error(function()
      optim.swap_in_optimizer_params_and_state(optimizer, {w}, {state = {}, param_groups = {}})
    end)
    assert.has_error(function() optim.swap_in_optimizer_params_and_state(optimizer, {}, optimizer:state_dict()) end)
    assert.is_true(optimizer.param_groups[1].params[1] == w)
  end)
end)
