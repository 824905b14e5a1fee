-- nl.compile of whole training steps: the numbers of the plain path, to the bit, and a plan only where it may run.
local nl = require "nnlua"
local nn, F, optim = nl.nn, nl.F, nl.optim
local same = require "support.same"

local function classifier()
  return nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))
end

--- A net, its optimizer and a step of training; `extra` is called between backward and step.
local function training(class, options, extra)
  nl.manual_seed(3)
  local net = classifier()
  local optimizer = optim[class](net:parameters(), options)
  local function step(x, y)
    optimizer:zero_grad()
    local loss = F.cross_entropy(net(x), y)
    loss:backward()
    local told = extra and extra(net)
    optimizer:step()
    return loss, told
  end
  return {net = net, optimizer = optimizer, step = step}
end

local function gradients(net)
  local list = {}
  for name, p in net:named_parameters() do list[name] = p.grad or false end
  return list
end

--- Two of the same, of which the second is compiled.
local function pair(...)
  local plain, fast = training(...), training(...)
  fast.step = nl.compile(fast.step)
  return plain, fast
end

local function batch() return nl.randn(4, 6), nl.randint(1, 4, {4}) end

--- Steps both and compares all there is.
local function step_both(plain, fast, x, y)
  if not x then x, y = batch() end
  local expected, got = table.pack(plain.step(x, y)), table.pack(fast.step(x, y))
  assert.is_nil(same.difference(expected, got))
  assert.is_nil(same.difference(plain.net:state_dict(), fast.net:state_dict()))
  assert.is_nil(same.difference(gradients(plain.net), gradients(fast.net)))
  assert.is_nil(same.difference(plain.optimizer:state_dict(), fast.optimizer:state_dict()))
  assert.equal(plain.optimizer._steps, fast.optimizer._steps)
  return expected[1], got[1]
end

local function programs(fast) return nl.compile_report(fast.step).programs end

local function without_line(told) return (told:gsub("^[^ ]*:%d+: ", "")) end

local function reason_of(step, ...)
  local fast = nl.compile(step)
  fast(...)
  return nl.compile_report(fast).programs[1].reason
end

describe("nl.compile of a training step", function()
  local own = {SGD = {momentum = 0.9, nesterov = true}, Adam = {amsgrad = true}, Adagrad = {lr_decay = 0.1},
    RMSprop = {centered = true}}
  for _, class in ipairs {"SGD", "Adam", "AdamW", "NAdam", "RAdam", "Adamax", "Adagrad", "RMSprop", "Adadelta", "ASGD",
    "Rprop"} do
    it("gives what the step gives: " .. class, function()
      local options = own[class] or {}
      options.lr = 0.05
      local plain, fast = pair(class, options)
      for _ = 1, 5 do step_both(plain, fast) end
      assert.is_nil(programs(fast)[1].reason)
      assert.equal(4, programs(fast)[1].runs)
    end)
  end

  it("gives a loss that has been gone back through", function()
    local plain, fast = pair("SGD", {lr = 0.1})
    for _ = 1, 3 do
      local expected, got = step_both(plain, fast)
      assert.equal(expected.requires_grad, got.requires_grad)
      assert.equal(tostring(expected.grad_fn), tostring(got.grad_fn))
      local _, told = pcall(expected.backward, expected)
      assert.equal(without_line(told), without_line(select(2, pcall(got.backward, got))))
    end
  end)

  it("takes the options that a schedule sets", function()
    local plain, fast = pair("Adam", {lr = 0.1})
    local schedules = {}
    for i, one in ipairs {plain, fast} do schedules[i] = optim.lr_scheduler.StepLR(one.optimizer, 2, 0.5) end
    for _ = 1, 6 do
      step_both(plain, fast)
      for i = 1, 2 do schedules[i]:step() end
    end
    for _, one in ipairs {plain, fast} do
      one.optimizer.param_groups[1].betas[1] = 0.5
      one.optimizer.param_groups[1].lr = nl.tensor(0.25)
    end
    step_both(plain, fast)
    assert.equal(1, #programs(fast))
    assert.equal(6, programs(fast)[1].runs)
  end)

  it("leaves gradients alone that somebody holds", function()
    local plain, fast = pair("SGD", {lr = 0.1})
    local held, copies = {}, {}
    for i = 1, 4 do
      step_both(plain, fast)
      held[i] = fast.net[1].weight.grad
      copies[i] = held[i]:clone()
    end
    for i = 1, 4 do assert.is_true(nl.equal(copies[i], held[i])) end
  end)

  it("adds to gradients that are there", function()
    local function make()
      local one = training("SGD", {lr = 0.1})
      function one.step(x, y)
        local loss = F.cross_entropy(one.net(x), y)
        loss:backward()
        return loss
      end
      return one
    end
    local plain, fast = make(), make()
    fast.step = nl.compile(fast.step)
    for i = 1, 6 do
      step_both(plain, fast)
      if i == 3 then
        plain.optimizer:zero_grad()
        fast.optimizer:zero_grad {set_to_none = false}
        fast.net:zero_grad()
      end
    end
    assert.equal(5, programs(fast)[1].runs)
  end)

  it("fills gradients with zeros, drops one by hand, and clips them", function()
    local function make()
      nl.manual_seed(3)
      local one = {net = classifier()}
      one.optimizer = optim.SGD(one.net:parameters(), {lr = 0.1})
      function one.step(x, y)
        one.net[1].bias.grad = nil
        one.optimizer:zero_grad {set_to_none = false}
        local loss = F.cross_entropy(one.net(x), y)
        loss:backward()
        nn.utils.clip_grad_value_(one.net:parameters(), 0.1)
        local norm = nn.utils.clip_grad_norm_(one.net:parameters(), 0.05)
        one.optimizer:step()
        return loss, norm
      end
      return one
    end
    local plain, fast = make(), make()
    fast.step = nl.compile(fast.step)
    for _ = 1, 4 do step_both(plain, fast) end
    assert.is_nil(programs(fast)[1].reason)
  end)

  it("goes back twice, steps two optimizers, and keeps what the first has changed in mind", function()
    local function make()
      nl.manual_seed(3)
      local one = {net = nn.Sequential(nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 3))}
      local first = optim.Adam(one.net[1]:parameters(), {lr = 0.1})
      one.optimizer = optim.SGD({one.net[2].weight, one.net[3].weight}, {lr = 0.1})
      function one.step(x, y)
        one.net:zero_grad()
        local a = F.cross_entropy(one.net(x), y)
        a:backward(nil, true)
        a:backward()
        first:step()
        local b = F.cross_entropy(one.net(x), y)
        b:backward()
        one.optimizer:step()
        first:step()
        return a, b, (one.net(x):detach())
      end
      return one
    end
    local plain, fast = make(), make()
    fast.step = nl.compile(fast.step)
    for _ = 1, 4 do step_both(plain, fast) end
    assert.is_nil(programs(fast)[1].reason)
  end)

  it("sees what is frozen, hooked, replaced or loaded", function()
    local plain, fast = pair("Adam", {lr = 0.05})
    local function both(f)
      for _, one in ipairs {plain, fast} do f(one) end
      for _ = 1, 2 do step_both(plain, fast) end
    end
    both(function() end)
    both(function(one) one.net[1].weight:requires_grad_(false) end)
    both(function(one) one.net[1].weight:requires_grad_(true) end)
    local calls = 0
    local handles = {}
    local function hook(g)
      calls = calls + 1
      return g * 2
    end
    both(function(one) table.insert(handles, one.net[3].weight:register_hook(hook)) end)
    assert.equal(4, calls)
    for _, handle in ipairs(handles) do handle:remove() end
    both(function(one) one.optimizer:load_state_dict(one.optimizer:state_dict()) end)
    both(function(one) one.net[3].weight.data = nl.ones(3, 5) end)
    both(function(one)
      one.net[1] = nn.Linear(6, 5, {bias = false})
      one.net[1].weight.data = nl.ones(5, 6)
    end)
    both(function(one) one.optimizer:add_param_group {params = one.net[1]:parameters(), lr = 0.5} end)
    both(function(one) one.optimizer:register_step_post_hook(function() calls = calls + 1 end) end)
    assert.equal(8, calls)
    local handle = optim.register_optimizer_step_pre_hook(function() calls = calls + 1 end)
    both(function() end)
    handle:remove()
    assert.equal(16, calls)
  end)

  it("runs plainly where hooks look at what is saved, and raises without gradients", function()
    local plain, fast = pair("SGD", {lr = 0.1})
    for _ = 1, 2 do step_both(plain, fast) end
    local packed = 0
    do
      local function pack(t)
        packed = packed + 1
        return t
      end
      local _ <close> = nl.autograd.graph.saved_tensors_hooks(pack, function(t) return t end)
      fast.step(batch())
    end
    assert.is_true(packed > 0)
    assert.has_error(function() nl.no_grad(fast.step, batch()) end)
  end)

  it("leaves gradients and parameters after an error as the step does", function()
    local plain, fast = pair("SGD", {lr = 0.1})
    for _ = 1, 2 do step_both(plain, fast) end
    local x, wrong = nl.randn(4, 6), nl.tensor {1, 2, 3, 9}
    local _, expected = pcall(plain.step, x, wrong)
    local ok, got = pcall(fast.step, x, wrong)
    assert.is_false(ok)
    assert.equal(without_line(expected), without_line(got))
    assert.is_nil(same.difference(gradients(plain.net), gradients(fast.net)))
    for _ = 1, 2 do step_both(plain, fast) end
  end)

  it("says why a step is no plan", function()
    local w = nl.ones(3):requires_grad_()
    local optimizer = optim.SGD({w}, {lr = 0.1})
    local x = nl.tensor {1.0, 2.0, 3.0}
    local function reason(text, step)
      assert.truthy(reason_of(step, x):find(text, 1, true), reason_of(step, x))
    end
    reason("item reads elements", function(a) local loss = (w * a):sum() loss:backward() return loss:item() end)
    reason("a gradient is looked at that was there before", function(a) return w.grad and w.grad + a end)
    reason("still go back", function(a) (w * a):sum():backward() return w * a end)
    reason("setting grad", function(a) w.grad = a:clone() optimizer:step() end)
    reason("a hook on gradients", function(a)
      local y = w * a
      y:register_hook(function(g) return g end)
      y:sum():backward()
    end)
    reason("retain_grad", function(a)
      local y = w * a
      y:retain_grad()
      y:sum():backward()
    end)
    reason("options are changed beside", function(a)
      (w * a):sum():backward()
      optimizer:step()
      optimizer.param_groups[1].lr = optimizer.param_groups[1].lr * 0.5
    end)
    local Signs = optim.class "Signs"
    function Signs:init(params) Signs.super.init(self, params, {lr = 0.1}) end
    function Signs:update(group) -- luacheck: no self
      for _, p in ipairs(group.params) do p:add_(p.grad:sign(), {alpha = -group.lr}) end
    end
    local signs = Signs {w}
    reason("an optimizer's step in Lua", function(a)
      signs:zero_grad()
      ;(w * a):sum():backward()
      signs:step()
    end)
    local schedule = optim.lr_scheduler.StepLR(optimizer, 10)
    reason("a scheduler's step", function(a)
      (w * a):sum():backward()
      optimizer:step()
      schedule:step()
    end)
    local before = w * 2
    reason("a graph that was there before", function(a)
      (before * a):sum():backward(nil, true)
    end)
  end)

  it("runs plainly for lack of memory for a recording, and stays usable whichever allocation fails", function()
    for k = 1, 400 do
      local plain, fast = pair("Adam", {lr = 0.1})
      local x, y = batch()
      nl._fail_allocation(k)
      local ok, told = pcall(fast.step, x, y)
      nl._fail_allocation(0)
      if ok then
        plain.step(x, y)
        for _ = 1, 2 do step_both(plain, fast) end
      else
        assert.truthy(told:find "not enough memory", told)
        fast.net:zero_grad()
        fast.step(x, y)
      end
    end
    local _, fast = pair("Adam", {lr = 0.1})
    local x, y = batch()
    for _ = 1, 2 do fast.step(x, y) end
    for k = 1, 40 do
      nl._fail_allocation(k)
      local ok, told = pcall(fast.step, x, y)
      nl._fail_allocation(0)
      assert.truthy(ok or told:find "not enough memory", told)
      fast.step(x, y)
    end
  end)

  it("keeps no graph and no memory from step to step", function()
    local _, fast = pair("Adam", {lr = 0.1})
    for _ = 1, 3 do fast.step(batch()) end
    collectgarbage()
    collectgarbage()
    local before = nl.memory_stats()
    for _ = 1, 20 do fast.step(batch()) end
    collectgarbage()
    collectgarbage()
    local after = nl.memory_stats()
    assert.equal(before.tensors, after.tensors)
    assert.equal(before.nodes, after.nodes)
  end)
end)
