-- Schedulers of learning rates: how they are used. Their rates are PyTorch's: the oracle's family optim.
local nl = require "nnlua"
local optim = nl.optim
local schedulers = optim.lr_scheduler

local function new_optimizer(lr)
  return optim.SGD({{params = {nl.zeros(1):requires_grad_()}}}, {lr = lr or 1, momentum = 0.9})
end

local function rates(optimizer, scheduler, n)
  local list = {}
  for i = 1, n do
    list[i] = optimizer.param_groups[1].lr
    optimizer:step()
    scheduler:step()
  end
  return list
end

describe("a scheduler", function()
  it("sets the groups' rates and tells the last ones", function()
    local optimizer = new_optimizer()
    local scheduler = schedulers.StepLR(optimizer, 2, 0.5)
    assert.same({1, 1, 0.5, 0.5, 0.25}, rates(optimizer, scheduler, 5))
    assert.same({0.25}, scheduler:get_last_lr())
    assert.equal(5, scheduler.last_epoch)
    assert.equal(1, optimizer.param_groups[1].initial_lr)
  end)

  it("goes to an epoch by its closed form", function()
    local optimizer = new_optimizer()
    local scheduler = schedulers.ExponentialLR(optimizer, 0.5)
    scheduler:step(3)
    assert.equal(0.125, optimizer.param_groups[1].lr)
    assert.equal(3, scheduler.last_epoch)
  end)

  it("goes on from a state dict", function()
    local makers = {
      function(o) return schedulers.LambdaLR(o, function(epoch) return 0.9 ^ epoch end) end,
      function(o) return schedulers.CosineAnnealingWarmRestarts(o, 3, 2) end,
      function(o) return schedulers.OneCycleLR(o, 1, {total_steps = 20}) end,
      function(o) return schedulers.CyclicLR(o, 0.1, 1, 3) end,
      function(o)
        return schedulers.SequentialLR(o, {schedulers.ConstantLR(o), schedulers.ExponentialLR(o, 0.9)}, {4})
      end,
      function(o) return schedulers.ChainedScheduler {schedulers.LinearLR(o), schedulers.StepLR(o, 2)} end,
    }
    for i, make in ipairs(makers) do
      local first, second = new_optimizer(), new_optimizer()
      local a = make(first)
      rates(first, a, 3)
      local b = make(second)
      second:load_state_dict(first:state_dict())
      b:load_state_dict(a:state_dict())
      assert.same(rates(first, a, 5), rates(second, b, 5), "scheduler " .. i)
      for key, value in pairs(a:state_dict()) do
        assert.not_equal("function", type(value), key)
        assert.not_equal(first, value)
      end
    end
  end)

  it("resumes at an epoch where the groups know their first rates", function()
    local optimizer = new_optimizer()
    assert.error_matches(function() schedulers.StepLR(optimizer, 2, {last_epoch = 4}) end,
      "optim.lr_scheduler.StepLR: group 1 has no initial_lr")
    optimizer.param_groups[1].initial_lr = 1
    assert.equal(5, schedulers.StepLR(optimizer, 2, {last_epoch = 4}).last_epoch)
  end)

  it("goes on, in a sequence, where one that was not interrupted would be", function()
    local function sequence(optimizer, last_epoch)
      local first = schedulers.LinearLR(optimizer, 0.5, 1, 3)
      local second = schedulers.CosineAnnealingLR(optimizer, 6)
      local third = schedulers.ExponentialLR(optimizer, 0.5)
      return schedulers.SequentialLR(optimizer, {first, second, third}, {3, 7}, last_epoch)
    end
    local whole = new_optimizer(0.8)
    local all = rates(whole, sequence(whole), 12)
    for done = 1, 10 do
      local optimizer = new_optimizer(0.8)
      rates(optimizer, sequence(optimizer), done - 1)
      local scheduler = sequence(optimizer, done - 1)
      assert.equal(done, scheduler.last_epoch)
      for i, rate in ipairs(rates(optimizer, scheduler, 12 - done)) do
        assert.is_near(all[done + i], rate, 1e-12, ("%d after %d"):format(i, done))
      end
    end
  end)

  -- Rates of the first two epochs of an optimizer at 0.5 that began with 1, going on after epoch 3: PyTorch 2.15's.
  it("goes on at an epoch from the rates that the groups have", function()
    local makers = {
      {function(o) return schedulers.MultiplicativeLR(o, function() return 0.5 end, 3) end, 0.5, 0.25},
      {function(o) return schedulers.ExponentialLR(o, 0.5, 3) end, 0.5, 0.25},
      {function(o) return schedulers.LinearLR(o, 0.25, 0.75, 6, 3) end, 0.5, 0.5 * (1 + 0.5 / (1.5 + 4 * 0.5))},
      {function(o) return schedulers.PolynomialLR(o, 8, 1.0, 3) end, 0.5, 0.375},
      {function(o) return schedulers.LambdaLR(o, function(epoch) return 0.5 ^ epoch end, 3) end, 0.0625, 0.03125},
    }
    for i, case in ipairs(makers) do
      local optimizer = new_optimizer(0.5)
      optimizer.param_groups[1].initial_lr = 1
      local got = rates(optimizer, case[1](optimizer), 2)
      assert.is_near(case[2], got[1], 1e-12, "scheduler " .. i)
      assert.is_near(case[3], got[2], 1e-12, "scheduler " .. i)
    end
  end)

  it("warns of steps that come too early or go to an epoch, and of get_lr", function()
    local said, old = {}, warn
    local restore <close> = setmetatable({}, {__close = function() _G.warn = old end})
    _G.warn = function(...) table.insert(said, table.concat {...}) end
    local optimizer = new_optimizer()
    local scheduler = schedulers.StepLR(optimizer, 2)
    assert.same({}, said)
    scheduler:step()
    assert.matches("a scheduler's step%(%) before the optimizer's first step%(%)", said[1])
    scheduler:step(3)
    assert.matches("optim.lr_scheduler.StepLR: step%(epoch%) is deprecated", said[2])
    scheduler:get_lr()
    assert.matches("StepLR: get_lr%(%) computes the next rates; get_last_lr%(%) tells those of the last step", said[3])
    optimizer:step()
    schedulers.ReduceLROnPlateau(optimizer):step(1.0, 4)
    assert.matches("ReduceLROnPlateau: step%(epoch%) is deprecated", said[4])
    local other = schedulers.ExponentialLR(optimizer, 0.5)
    other:step()
    schedulers.SequentialLR(optimizer, {schedulers.ConstantLR(optimizer), other}, {1}):step()
    assert.equal(4, #said)
  end)

  it("keeps the fields of functions that are objects in its state", function()
    local function decay(by)
      return setmetatable({by = by}, {__call = function(self, epoch) return self.by ^ epoch end})
    end
    for _, make in ipairs {
      function(o, f) return schedulers.LambdaLR(o, f) end,
      function(o, f) return schedulers.CyclicLR(o, 0.1, 1, {step_size_up = 2, scale_fn = f}) end,
    } do
      local first, second = new_optimizer(), new_optimizer()
      local a, b = make(first, decay(0.5)), make(second, decay(0.25))
      b:load_state_dict(a:state_dict())
      assert.same(rates(first, a, 5), rates(second, b, 5))
    end
    local scheduler = schedulers.LambdaLR(new_optimizer(), function() return 1 end)
    assert.same({nl.none}, scheduler:state_dict().lr_lambdas)
  end)

  it("begins again within a sequence where it is made of others", function()
    local optimizer = new_optimizer(0.8)
    local S = schedulers
    local inner = S.ChainedScheduler {S.LinearLR(optimizer, 0.5, 1, 2), S.ExponentialLR(optimizer, 0.5)}
    local scheduler = S.SequentialLR(optimizer, {S.ConstantLR(optimizer, 0.25, 9), inner}, {2})
    assert.same({0.2, 0.2, 0.4, 0.3, 0.2, 0.1}, (function(list)
      for i, rate in ipairs(list) do list[i] = math.floor(rate * 1e9 + 0.5) / 1e9 end
      return list
    end)(rates(optimizer, scheduler, 6)))
  end)

  it("takes a rate for each group", function()
    local optimizer = new_optimizer()
    optimizer:add_param_group {params = {nl.zeros(1):requires_grad_()}, lr = 0.5}
    local scheduler = schedulers.LambdaLR(optimizer, {function() return 2 end, function() return 3 end})
    assert.same({2, 1.5}, scheduler:get_last_lr())
    assert.error_matches(function() schedulers.OneCycleLR(optimizer, {1}, {total_steps = 3}) end,
      "max_lr has 1 values, but the optimizer has 2 parameter groups")
  end)

  it("may be one of one's own", function()
    local Halving = schedulers.class("Halving")
    function Halving:get_lr() return self:scaled(self.last_epoch > 0 and 0.5 or 1) end
    local optimizer = new_optimizer()
    assert.same({1, 0.5, 0.25}, rates(optimizer, Halving(optimizer), 3))
    assert.error_matches(function() schedulers.class("None")(optimizer) end, "None has no method get_lr")
  end)

  it("cycles the first beta of Adam as momentum", function()
    local optimizer = optim.Adam({nl.zeros(1):requires_grad_()})
    schedulers.OneCycleLR(optimizer, 1, {total_steps = 10})
    assert.same({0.95, 0.999}, optimizer.param_groups[1].betas)
    assert.error_matches(function()
      schedulers.CyclicLR(optim.Adagrad({nl.zeros(1):requires_grad_()}), 0.1, 1)
    end, "optim.Adagrad has no momentum to cycle: give cycle_momentum = false")
  end)

  it("checks its arguments", function()
    local optimizer = new_optimizer()
    local function refused(pattern, name, ...)
      local args = table.pack(...)
      assert.error_matches(function() schedulers[name](table.unpack(args, 1, args.n)) end, pattern)
    end
    refused("an optimizer was expected, not a number", "StepLR", 3, 1)
    refused("step_size must be from 1 on", "StepLR", optimizer, 0)
    refused("a phase of no steps", "OneCycleLR", optimizer, {max_lr = 1, total_steps = 20, pct_start = 0.05})
    refused("lr_lambda%[1%] must be a function", "LambdaLR", optimizer, 3)
    refused("start_factor must be a number from 0 to 1", "LinearLR", optimizer, 0)
    refused("give total_steps, or epochs and steps_per_epoch", "OneCycleLR", optimizer, 1)
    refused("2 schedulers need 1 milestones", "SequentialLR", optimizer,
      {schedulers.ConstantLR(optimizer), schedulers.ConstantLR(optimizer)}, {})
    refused("schedulers%[1%] is of another optimizer", "SequentialLR", new_optimizer(),
      {schedulers.ConstantLR(optimizer)}, {})
    local plateau = schedulers.ReduceLROnPlateau(optimizer)
    refused("schedulers%[1%] is ReduceLROnPlateau, whose steps take a metric", "SequentialLR", optimizer, {plateau}, {})
    refused("schedulers%[1%] is ReduceLROnPlateau", "ChainedScheduler", {plateau})
    refused("mode is 'min' or 'max'", "ReduceLROnPlateau", optimizer, "mean")
    refused("step 12 is beyond the 10 steps", "OneCycleLR", optimizer, 1, {total_steps = 10, last_epoch = 10})
  end)
end)

describe("ReduceLROnPlateau", function()
  it("waits, then lowers the rates", function()
    local optimizer = new_optimizer()
    local scheduler = schedulers.ReduceLROnPlateau(optimizer, {patience = 1, factor = 0.5})
    for _, metric in ipairs {1.0, 0.5, nl.tensor(0.6), 0.7} do scheduler:step(metric) end
    assert.same({0.5}, scheduler:get_last_lr())
    assert.error_matches(function() scheduler:step() end, "a step takes the metric, a number, not nil")
  end)
end)

-- Rates of two groups, the second of which came after a first step, as PyTorch 2.15 sets them.
describe("a scheduler and a group that was added later", function()
  local S = schedulers

  local function after_adding(make, step)
    local optimizer = new_optimizer()
    local scheduler = make(optimizer)
    step = step or function() scheduler:step() end
    optimizer:step()
    step(scheduler)
    optimizer:add_param_group {params = {nl.zeros(1):requires_grad_()}, lr = 0.5}
    return optimizer, scheduler
  end

  local taken = {
    StepLR = {function(o) return S.StepLR(o, 2, 0.5) end, 0.5, 0.25, 0.5, 0.25, 0.25, 0.125},
    MultiStepLR = {function(o) return S.MultiStepLR(o, {1, 3}, 0.5) end, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25},
    ExponentialLR = {function(o) return S.ExponentialLR(o, 0.5) end, 0.25, 0.25, 0.125, 0.125, 0.0625, 0.0625},
    ConstantLR = {function(o) return S.ConstantLR(o, 0.5, 3) end, 0.5, 0.5, 1, 1, 1, 1},
    LinearLR = {function(o) return S.LinearLR(o, 0.5, 1, 3) end, 0.833333, 0.625, 1, 0.75, 1, 0.75},
    PolynomialLR = {function(o) return S.PolynomialLR(o, 4) end, 0.5, 0.333333, 0.25, 0.166667, 0, 0},
    CosineAnnealingLR = {function(o) return S.CosineAnnealingLR(o, 5) end,
      0.654508, 0.361803, 0.345492, 0.190983, 0.095492, 0.052786},
    ChainedScheduler = {function(o) return S.ChainedScheduler {S.StepLR(o, 2, 0.5), S.ExponentialLR(o, 0.5)} end,
      0.125, 0.125, 0.0625, 0.0625, 0.015625, 0.015625},
    ReduceLROnPlateau = {function(o) return S.ReduceLROnPlateau(o, {patience = 0}) end,
      0.1, 0.05, 0.01, 0.005, 0.001, 0.0005},
  }
  for name, case in pairs(taken) do
    it("goes on with both: " .. name, function()
      local step = function(scheduler) scheduler:step(name == "ReduceLROnPlateau" and 1.0 or nil) end
      local optimizer, scheduler = after_adding(case[1], step)
      for i = 2, #case, 2 do
        step(scheduler)
        assert.is_near(case[i], optimizer.param_groups[1].lr, 1e-6)
        assert.is_near(case[i + 1], optimizer.param_groups[2].lr, 1e-6)
      end
      assert.equal(2, #scheduler:get_last_lr())
    end)
  end

  local refusing = {
    LambdaLR = function(o) return S.LambdaLR(o, function(epoch) return 0.5 ^ epoch end) end,
    MultiplicativeLR = function(o) return S.MultiplicativeLR(o, function() return 0.5 end) end,
    CosineAnnealingWarmRestarts = function(o) return S.CosineAnnealingWarmRestarts(o, 3) end,
    CyclicLR = function(o) return S.CyclicLR(o, 0.1, 1, 3) end,
    OneCycleLR = function(o) return S.OneCycleLR(o, 1, 10) end,
  }
  for name, make in pairs(refusing) do
    it("says why it can't go on: " .. name, function()
      local _, scheduler = after_adding(make)
      assert.error_matches(function() scheduler:step() end, "^optim.lr_scheduler." .. name
        .. ": the optimizer has 2 parameter groups, but had 1 when the scheduler was made")
    end)
  end

  it("says so where a step to an epoch, a sequence or a list of bounds needs first rates", function()
    local _, exponential = after_adding(taken.ExponentialLR[1])
    assert.error_matches(function() exponential:step(2) end, "ExponentialLR: the optimizer has 2 parameter groups")
    local _, sequence = after_adding(function(o)
      return S.SequentialLR(o, {S.ConstantLR(o, 0.5, 2), S.ExponentialLR(o, 0.5)}, {2})
    end)
    assert.error_matches(function() sequence:step() end, "ExponentialLR: the optimizer has 2 parameter groups")
    local optimizer, plateau = after_adding(function(o)
      return S.ReduceLROnPlateau(o, {patience = 0, min_lr = {0.2}})
    end, function(scheduler) scheduler:step(1.0) end)
    assert.error_matches(function() plateau:step(1.0) end,
      "ReduceLROnPlateau: the optimizer has 2 parameter groups, but min_lr is a list of 1")
    plateau.min_lrs[2] = 0.3
    plateau:step(1.0)
    assert.equal(0.3, optimizer.param_groups[2].lr)
  end)
end)
