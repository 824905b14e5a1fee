-- What every optimizer and every schedule promises, tried on each class that nnlua.optim has. Their formulas are in
-- steps_spec.lua, PyTorch's numbers in oracle_spec.lua; here they are compared with themselves, and with the minimum of
-- a quadratic. Options come from tests/support/optimizers.lua.
local nl = require "nnlua"
local optimizers = require "support.optimizers"
local testing = require "nnlua.testing"

local nn, optim = nl.nn, nl.optim

-- ------------------------------------------------------------------- helpers

--- One spec for each optimizer that the property is about, which gets its class, each of its samples, and its name.
local function each_optimizer(title, applies, property)
  describe(title, function()
    for _, name in ipairs(optimizers.names()) do
      if applies(name) then
        it(name, function()
          for _, sample in ipairs(optimizers.of(name)) do property(optim[name], sample, name) end
        end)
      end
    end
  end)
end

local function always() return true end
local function takes_groups(name) return not optimizers.has(name, "one_group") end
local function takes_gradients(name) return not optimizers.has(name, "closure") end
local function takes_complex(name) return not optimizers.has(name, "real") end
local function takes_maximize(name) return optimizers.takes(name, "maximize") end

--- Numbers from above 0 up to 1, in a shape and dtype.
local function ramp(shape, dtype)
  local n = nl.empty(shape):numel()
  return (nl.arange(1, n + 1, {dtype = nl.float64}) / n):reshape(shape):to(dtype)
end

--- A parameter: numbers of both signs.
local function parameter(dtype, ...)
  local shape = select("#", ...) > 0 and {...} or {2, 3}
  return (ramp(shape, nl.float64) * 3 - 1.6):to(dtype or nl.float64):requires_grad_()
end

--- The shape of a second parameter: a list, or a matrix where there can be no lists.
local function second_shape(name)
  if optimizers.has(name, "matrices") then return 2, 2 end
  return 4
end

local function second_parameter(class, dtype)
  return parameter(dtype, second_shape(class.__name:match "[^.]*$"))
end

local function copy_of(p)
  return p:detach():clone():requires_grad_()
end

--- A quadratic of all parameters with its minimum, 0, where each is a ramp.
local function quadratic(params)
  local loss = 0
  for _, p in ipairs(params) do
    local to = ramp(p.shape, p.dtype)
    loss = loss + (((p - to):square() * (to + 0.5))):sum()
  end
  return loss
end

--- Steps that look at a loss of the parameters in a closure.
local function train(optimizer, params, steps, loss_of)
  for _ = 1, steps do
    optimizer:step(function()
      optimizer:zero_grad()
      local loss = (loss_of or quadratic)(params)
      loss:backward()
      return loss
    end)
  end
end

local function new(class, params, sample, more)
  return class(params, optimizers.options(sample, more))
end

--- Parameters of a dtype after some steps.
local function trained(class, sample, steps, dtype)
  local params = {parameter(dtype), second_parameter(class, dtype)}
  local optimizer = new(class, params, sample)
  train(optimizer, params, steps)
  return params, optimizer
end

local function live_tensors()
  collectgarbage()
  collectgarbage()
  return nl.memory_stats().tensors
end

-- ------------------------------------------------------------------- samples

describe("the samples of optimizers and schedules", function()
  it("are all of classes that there are", function()
    for name in pairs(optimizers.samples) do assert.is_truthy(optim[name], name) end
    for name in pairs(optimizers.schedules) do assert.is_truthy(optimizers.schedule(name), name) end
  end)
end)

-- --------------------------------------------------------------------- steps

each_optimizer("a quadratic is minimised by", always, function(class, sample)
  local params = {parameter(), second_parameter(class)}
  local before = quadratic(params):item()
  train(new(class, params, sample), params, sample.steps or 200)
  assert.is_true(quadratic(params):item() < before / 100)
end)

each_optimizer("maximising is minimising the negative:", takes_maximize, function(class, sample)
  local up, down = {parameter()}, {parameter()}
  train(new(class, up, sample, {maximize = true}), up, 5, function(params) return -quadratic(params) end)
  train(new(class, down, sample), down, 5)
  testing.assert_equal(up, down)
end)

each_optimizer("a step changes the parameter's own memory, and no gradient:", always, function(class, sample)
  local p = parameter()
  local place, before = p:data_ptr(), p:detach():clone()
  local optimizer = new(class, {p}, sample)
  local gradient
  optimizer:step(function()
    optimizer:zero_grad()
    local loss = quadratic {p}
    loss:backward()
    gradient = p.grad:clone()
    return loss
  end)
  assert.equal(place, p:data_ptr())
  assert.is_true(p.requires_grad and p.is_leaf)
  assert.is_false(nl.equal(before, p))
  if takes_gradients(class.__name:match "[^.]*$") then testing.assert_equal(p.grad, gradient) end
end)

each_optimizer("a closure's loss is returned, and the step is the same without one:", takes_gradients,
  function(class, sample)
    local p, q = parameter(), parameter()
    local with, without = new(class, {p}, sample), new(class, {q}, sample)
    for _ = 1, 4 do
      local loss = with:step(function()
        with:zero_grad()
        quadratic({p}):backward()
        return "the loss"
      end)
      assert.equal("the loss", loss)
      q.grad = nil
      quadratic({q}):backward()
      assert.is_nil(without:step())
    end
    testing.assert_equal(p, q)
  end)

each_optimizer("what has no gradient stays:", always, function(class, sample)
  local p, idle, empty = parameter(), parameter(), parameter(nil, 0, 3)
  local optimizer = new(class, {p, idle, empty}, sample)
  local before = idle:detach():clone()
  train(optimizer, {p, empty}, 3, quadratic)
  testing.assert_equal(idle:detach(), before)
  local alone = parameter()
  train(new(class, {alone}, sample), {alone}, 3)
  testing.assert_close(p, alone)
end)

each_optimizer("an element whose gradient is 0 stays:", always, function(class, sample)
  if sample.decays then return end
  local p = parameter()
  local before = p:detach():clone()
  train(new(class, {p}, sample), {p}, 4, function(params)
    return (params[1] * nl.tensor({1, 0, 1}, {dtype = nl.float64})):square():sum()
  end)
  testing.assert_equal(p:eq(before), nl.tensor {{false, true, false}, {false, true, false}})
end)

each_optimizer("no element of a large parameter is left out:", always, function(class, sample)
  local p = nl.full({70001, 1}, 0.75):requires_grad_()
  train(new(class, {p}, sample), {p}, 2, function(params) return params[1]:square():sum() end)
  assert.is_true(p:ne(0.75):all():item())
  testing.assert_close(p, p[1][1]:expand_as(p)) -- the last few may be rounded otherwise than vectors are
end)

each_optimizer("the layout of a parameter makes no difference:", always, function(class, sample)
  local p, q = parameter(), parameter():detach():t():contiguous():t():requires_grad_()
  train(new(class, {p}, sample), {p}, 4)
  train(new(class, {q}, sample), {q}, 4)
  testing.assert_close(q, p)
end)

-- -------------------------------------------------------------------- dtypes

local allowed = {[nl.float32] = 1e-4, [nl.float16] = 3e-2, [nl.bfloat16] = 1e-1}

for _, dtype in ipairs {nl.float32, nl.float16, nl.bfloat16} do
  each_optimizer(("in %s the steps are those of float64:"):format(dtype), always, function(class, sample)
    local params = trained(class, sample, 4, dtype)
    local expected = trained(class, sample, 4, nl.float64)
    for i, p in ipairs(params) do
      assert.equal(dtype, p.dtype)
      testing.assert_close(p:detach():to(nl.float64), expected[i]:detach(),
        {rtol = allowed[dtype], atol = allowed[dtype]})
    end
  end)
end

each_optimizer("a complex parameter is stepped as its parts:", takes_complex, function(class, sample)
  local parts = parameter(nil, 3, 2)
  local z = parts:detach():clone():view(nl.complex128):squeeze(-1):clone():requires_grad_()
  local whole, real = new(class, {z}, sample), new(class, {parts}, sample)
  train(whole, {z}, 4, function(params) return quadratic {nl.view_as_real(params[1])} end)
  train(real, {parts}, 4)
  testing.assert_close(nl.view_as_real(z:detach()), parts:detach())
end)

each_optimizer("a complex parameter is refused by", function(name) return not takes_complex(name) end,
  function(class, sample)
    local p = nl.zeros(2, 2, {dtype = nl.complex64}):requires_grad_()
    p.grad = nl.zeros_like(p)
    local optimizer = new(class, {p}, sample)
    assert.error_matches(function() optimizer:step() end, "only real floating point ones can be optimized")
  end)

-- -------------------------------------------------------------------- groups

each_optimizer("groups are stepped as by optimizers of their own:", takes_groups, function(class, sample)
  local p, q = parameter(), second_parameter(class)
  local rates = {sample.lr, sample.lr / 2}
  local one = class({{params = {p}, lr = rates[1]}, {params = {q}, lr = rates[2]}}, optimizers.options(sample))
  train(one, {p, q}, 5)
  for i, stepped in ipairs {p, q} do
    local alone = i == 1 and parameter() or second_parameter(class)
    train(new(class, {alone}, sample, {lr = rates[i]}), {alone}, 5)
    testing.assert_equal(stepped, alone)
  end
end)

each_optimizer("a group that comes later starts anew:", takes_groups, function(class, sample)
  local p, late, alone = parameter(), second_parameter(class), second_parameter(class)
  local optimizer = new(class, {p}, sample)
  train(optimizer, {p}, 3)
  optimizer:add_param_group {params = {late}}
  assert.equal(2, #optimizer.param_groups)
  assert.error_matches(function() optimizer:add_param_group {params = {p}} end, "a parameter is in two groups")
  train(optimizer, {p, late}, 3)
  train(new(class, {alone}, sample), {alone}, 3)
  testing.assert_equal(late, alone)
end)

each_optimizer("a second group is refused by", function(name) return not takes_groups(name) end, function(class, sample)
  local optimizer = new(class, {parameter()}, sample)
  assert.error_matches(function() optimizer:add_param_group {params = {parameter()}} end, "must be in one group")
end)

each_optimizer("gradients are dropped, or filled with zeros, by", always, function(class, sample)
  local p = parameter()
  local optimizer = new(class, {p}, sample)
  quadratic({p}):backward()
  optimizer:zero_grad(false)
  assert.is_true(p.grad:eq(0):all():item())
  optimizer:zero_grad()
  assert.is_nil(p.grad)
end)

-- -------------------------------------------------------------------- states

each_optimizer("a state goes through a file into a new one that goes on alike:", always, function(class, sample)
  for _, dtype in ipairs {nl.float64, nl.float32} do
    local params, optimizer = trained(class, sample, 3, dtype)
    local others = {copy_of(params[1]), copy_of(params[2])}
    local other = class(others)
    local path = os.tmpname()
    local remover <close> = setmetatable({}, {__close = function() os.remove(path) end})
    nl.save(path, optimizer:state_dict())
    other:load_state_dict(nl.load(path))
    train(optimizer, params, 3)
    train(other, others, 3)
    testing.assert_equal(others, params)
    testing.assert_equal(other:state_dict(), optimizer:state_dict())
  end
end)

each_optimizer("a loaded state is a copy:", always, function(class, sample)
  local params, optimizer = trained(class, sample, 3)
  local others = {copy_of(params[1]), copy_of(params[2])}
  local other = class(others)
  other:load_state_dict(optimizer:state_dict())
  local before = nn.deepcopy(optimizer:state_dict())
  train(other, others, 3)
  testing.assert_equal(optimizer:state_dict(), before)
end)

each_optimizer("a state of other groups is refused by", always, function(class, sample)
  local _, optimizer = trained(class, sample, 1)
  local other = class {parameter()}
  assert.error_matches(function() other:load_state_dict(optimizer:state_dict()) end,
    "group 1 of the state has 2 parameters, the optimizer's 1")
end)

each_optimizer("a deep copy is refused by", always, function(class, sample)
  local optimizer = new(class, {parameter()}, sample)
  assert.error_matches(function() nn.deepcopy(optimizer) end, "an optimizer can't be copied")
end)

each_optimizer("steps leave no tensors behind:", always, function(class, sample)
  local params, optimizer = trained(class, sample, 3)
  if optimizer.param_groups[1].history_size then train(optimizer, params, 30) end -- until the history is full
  local before = live_tensors()
  train(optimizer, params, 6)
  assert.is_true(live_tensors() - before < 6)
end)

-- --------------------------------------------------------------------- texts

each_optimizer("all options are printed by", always, function(class, sample, name)
  local text = tostring(new(class, {parameter()}, sample))
  assert.equal(name .. " (", text:match "^[^\n]*")
  for option, value in pairs(optimizers.options(sample)) do
    local shown = type(value) == "table" and ("{%s, %s}"):format(value[1], value[2]) or tostring(value)
    assert.is_truthy(text:find(("\n    %s: %s\n"):format(option, shown), 1, true), option)
  end
end)

each_optimizer("what is wrong is told with the class's name by", always, function(class, sample, name)
  local function refused(options, pattern)
    assert.error_matches(function() new(class, {parameter()}, sample, options) end,
      "optim%." .. name .. ": " .. pattern)
  end
  refused({no_such_option = 1}, "no argument is called 'no_such_option'")
  refused({lr = "fast"}, "lr must be a number, not a string")
  assert.error_matches(function() class {} end, "optim%." .. name .. ": there are no parameters")
end)

-- ------------------------------------------------------------------ schedules

--- One spec for each schedule that the property is about, which gets each of its samples and its name.
local function each_schedule(title, applies, property)
  describe(title, function()
    for _, name in ipairs(optimizers.schedule_names()) do
      if applies(name) then
        it(name, function()
          for _, make in ipairs(optimizers.schedules_of(name)) do property(make, name) end
        end)
      end
    end
  end)
end

local function has_closed_form(name)
  return optimizers.schedule(name)._get_closed_form_lr ~= nil
end

local function new_optimizer(...)
  local groups = {}
  for i, lr in ipairs {...} do groups[i] = {params = {parameter()}, lr = lr} end
  return optim.SGD(groups, {momentum = 0.5})
end

--- The groups' rates and momentums in some epochs.
local function rates_of(optimizer, scheduler, epochs, name)
  local list = {}
  for epoch = 1, epochs do
    for _, group in ipairs(optimizer.param_groups) do
      table.insert(list, group.lr)
      table.insert(list, group.momentum)
    end
    optimizer:step()
    if optimizers.has(name, "metric") then scheduler:step(1 / math.min(epoch, 3)) else scheduler:step() end
  end
  return list
end

each_schedule("the rates are told as they are set:", always, function(make, name)
  local optimizer = new_optimizer(0.8, 0.4)
  local scheduler = make(optimizer)
  for _ = 1, 10 do
    rates_of(optimizer, scheduler, 1, name)
    local told = scheduler:get_last_lr()
    for i, group in ipairs(optimizer.param_groups) do
      assert.equal(group.lr, told[i])
      assert.is_true(group.lr >= 0 and group.lr <= 1)
    end
  end
end)

each_schedule("the rates change:", always, function(make, name)
  local optimizer = new_optimizer(0.8)
  local seen, count = {}, 0
  for _, value in ipairs(rates_of(optimizer, make(optimizer), 12, name)) do
    if not seen[value] then seen[value], count = true, count + 1 end
  end
  assert.is_true(count > 2) -- the momentum is one
end)

each_schedule("groups have the rates that they would have alone:", always, function(make, name)
  local both = new_optimizer(0.8, 0.4)
  local got, alone = rates_of(both, make(both), 10, name), {}
  for i, lr in ipairs {0.8, 0.4} do
    local optimizer = new_optimizer(lr)
    alone[i] = rates_of(optimizer, make(optimizer), 10, name)
  end
  for epoch = 0, 9 do
    for k = 1, 2 do
      assert.equal(alone[1][2 * epoch + k], got[4 * epoch + k])
      assert.equal(alone[2][2 * epoch + k], got[4 * epoch + 2 + k])
    end
  end
end)

each_schedule("a state goes through a file into a new one that goes on alike:", always, function(make, name)
  for _, epochs in ipairs {1, 3, 5} do
    local first, second = new_optimizer(0.8, 0.4), new_optimizer(0.8, 0.4)
    local a = make(first)
    rates_of(first, a, epochs, name)
    local b = make(second)
    local path = os.tmpname()
    local remover <close> = setmetatable({}, {__close = function() os.remove(path) end})
    nl.save(path, {optimizer = first:state_dict(), scheduler = a:state_dict()})
    local saved = nl.load(path)
    second:load_state_dict(saved.optimizer)
    b:load_state_dict(saved.scheduler)
    testing.assert_equal(b:state_dict(), a:state_dict())
    assert.same(rates_of(first, a, 6, name), rates_of(second, b, 6, name))
  end
end)

each_schedule("a step to an epoch gives the rate that single steps give:", has_closed_form, function(make, name)
  local stepping, jumping = new_optimizer(0.8), new_optimizer(0.8)
  local steps, jumps = make(stepping), make(jumping)
  for epoch = 1, 10 do
    rates_of(stepping, steps, 1, name)
    jumps:step(epoch)
    assert.near(stepping.param_groups[1].lr, jumping.param_groups[1].lr, 1e-12)
  end
end)

each_schedule("an optimizer is wanted by", function(name) return not optimizers.has(name, "inner") end,
  function(make, name)
    assert.error_matches(function() make(3) end,
      "^optim%.[%l_]+%." .. name .. ": an optimizer was expected, not a number")
  end)
