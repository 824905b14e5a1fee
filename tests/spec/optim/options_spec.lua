-- Options, states and hooks of the optimizers that keep more than a momentum.
local nl = require "nnlua"
local nn, optim = nl.nn, nl.optim

local function leaf(...)
  return nl.tensor({...}):requires_grad_()
end

local function stepped(class, options)
  local p = leaf(1.0, 2.0)
  local optimizer = class({p}, options)
  p.grad = nl.ones(2)
  optimizer:step()
  return p, optimizer
end

local function keys(t)
  local list = {}
  for key in pairs(t) do list[#list + 1] = key end
  table.sort(list)
  return table.concat(list, " ")
end

describe("an optimizer's state", function()
  local kept = {
    SGD = {{momentum = 0.9}, "momentum_buffer"},
    Adam = {nil, "exp_avg exp_avg_sq step"},
    AdamW = {{amsgrad = true}, "exp_avg exp_avg_sq max_exp_avg_sq step"},
    NAdam = {nil, "exp_avg exp_avg_sq mu_product step"},
    RAdam = {nil, "exp_avg exp_avg_sq step"},
    Adamax = {nil, "exp_avg exp_inf step"},
    Adagrad = {nil, "step sum"},
    RMSprop = {{momentum = 0.9, centered = true}, "grad_avg momentum_buffer square_avg step"},
    Adadelta = {nil, "acc_delta square_avg step"},
    ASGD = {nil, "ax eta mu step"},
    Rprop = {nil, "prev step step_size"},
    Adafactor = {nil, "step variance"},
  }

  for name, case in pairs(kept) do
    it("has PyTorch's names with " .. name, function()
      local p, optimizer = stepped(optim[name], case[1])
      local state = optimizer:state_dict().state[0]
      assert.equal(case[2], keys(state))
      if state.step then
        assert.same({}, {table.unpack(state.step.shape)})
        assert.equal(1, state.step:item())
      end
      assert.equal(case[2], keys(optimizer.state[p]))
    end)
  end

  it("is a table from parameters to their states", function()
    local p, optimizer = stepped(optim.Adam)
    local seen = {}
    for parameter, state in pairs(optimizer.state) do
      seen[#seen + 1] = parameter
      assert.equal(1, state.step:item())
    end
    assert.same({p}, seen)
    optimizer.state[p] = nil
    assert.same({}, optimizer.state[p])
    assert.error_matches(function() optimizer.state[leaf(1.0)] = {} end, "none of the parameters")
  end)

  it("takes steps that are numbers, and floats in the parameter's dtype", function()
    local p = nl.ones(2, {dtype = nl.float64}):requires_grad_()
    local optimizer = optim.Adam({p})
    local state = {step = 3, exp_avg = nl.ones(2), exp_avg_sq = nl.ones(2)}
    optimizer:load_state_dict {state = {[0] = state}, param_groups = {{params = {0}, lr = 0.5}}}
    assert.equal(3, optimizer.state[p].step:item())
    assert.equal(nl.float64, optimizer.state[p].exp_avg.dtype)
    assert.equal(0.5, optimizer.param_groups[1].lr)
  end)

  it("goes through a file, with a scheduler's", function()
    local path = os.tmpname()
    local p, optimizer = stepped(optim.Adam)
    local scheduler = optim.lr_scheduler.OneCycleLR(optimizer, 0.1, {total_steps = 20})
    scheduler:step()
    nl.save(path, {optimizer = optimizer:state_dict(), scheduler = scheduler:state_dict()})
    local q = p:detach():clone():requires_grad_()
    local second = optim.Adam({q})
    local other = optim.lr_scheduler.OneCycleLR(second, 0.1, {total_steps = 20})
    local saved = nl.load(path)
    os.remove(path)
    second:load_state_dict(saved.optimizer)
    other:load_state_dict(saved.scheduler)
    for _ = 1, 3 do
      p.grad, q.grad = nl.ones(2), nl.ones(2)
      optimizer:step()
      second:step()
      scheduler:step()
      other:step()
    end
    assert.is_true(nl.equal(p, q))
    assert.same(scheduler:get_last_lr(), other:get_last_lr())
  end)

  it("is refused where it doesn't fit the parameter", function()
    local p, optimizer = stepped(optim.Adam)
    optimizer:load_state_dict {
      state = {[0] = {step = 1, exp_avg = nl.ones(3), exp_avg_sq = nl.ones(3)}}, param_groups = {{params = {0}}},
    }
    assert.error_matches(function() optimizer:step() end,
      "shape %(2%), but its state's exp_avg is float32 of shape %(3%)")
    assert.is_truthy(p)
  end)

  it("of Adagrad is there before the first step", function()
    local p = leaf(1.0, 2.0)
    local state = optim.Adagrad({p}, {initial_accumulator_value = 0.5}).state[p]
    assert.same({0.5, 0.5}, state.sum:tolist())
    assert.equal(0, state.step:item())
  end)

  it("is there for parameters that get their shapes late", function()
    local net = nn.LazyLinear(2)
    local optimizer = optim.Adagrad(net:parameters())
    net(nl.ones(1, 3)):sum():backward()
    optimizer:step()
    assert.equal("[2, 3]", tostring(optimizer.state[net.weight].sum.shape))
  end)
end)

describe("an optimizer's options", function()
  it("are checked", function()
    local p = leaf(1.0)
    local function refused(name, options, pattern)
      assert.error_matches(function() optim[name]({p}, options) end, pattern)
    end
    refused("Adam", {betas = {1.0, 0.9}}, "optim.Adam: betas must be two numbers from 0 up to, but not including, 1")
    refused("Adam", {betas = {0.9}}, "betas must be a list of two numbers")
    refused("AdamW", {eps = -1}, "optim.AdamW: eps must be a number from 0 on, not %-1")
    refused("Adadelta", {rho = 2}, "rho must be a number from 0 to 1")
    refused("Rprop", {etas = {0.5, 0.9}}, "etas must be one number between 0 and 1 and one above 1")
    refused("Adam", {differentiable = true}, "there is no differentiable = true")
    refused("Adam", {nesterov = true}, "no argument is called 'nesterov'")
    refused("RMSprop", {lr = "fast"}, "lr must be a number, not a string")
  end)

  it("of Adafactor and Muon are checked", function()
    local function refused(name, options, pattern)
      assert.error_matches(function() optim[name]({nl.zeros(2, 2):requires_grad_()}, options) end, pattern)
    end
    refused("Adafactor", {beta2_decay = 0.5}, "optim.Adafactor: beta2_decay must be a number up to 0, not 0.5")
    refused("Adafactor", {d = 0.5}, "d must be a number from 1 on, not 0.5")
    refused("Adafactor", {eps = {1e-3}}, "eps must be {nl.none, number} or {number, number}")
    refused("Adafactor", {eps = {-1, 1e-3}}, "eps must be {nl.none, number} or {number, number}")
    refused("Muon", {ns_steps = 100}, "optim.Muon: ns_steps must be below 100, not 100")
    refused("Muon", {ns_coefficients = {1.0, 2.0}}, "ns_coefficients must be a list of three numbers")
    refused("Muon", {adjust_lr_fn = "none"},
      "adjust_lr_fn is 'original', 'match_rms_adamw' or 'spectral_unclamped', not 'none'")
    assert.error_matches(function() optim.Muon {leaf(1.0)} end,
      "a parameter is of shape %[1%]; only matrices are taken")
  end)

  it("name the optimizer that there is for sparse gradients", function()
    assert.error_matches(function() optim.SparseAdam({leaf(1.0)}) end,
      "optim.SparseAdam: gradients are never sparse here; use optim.Adam, or optim.SGD for embeddings")
  end)

  it("have a rate that may be a tensor, which stays the same one", function()
    for name, class in pairs {SGD = optim.SGD, Adam = optim.Adam, Adafactor = optim.Adafactor, Muon = optim.Muon} do
      local p, q = nl.ones(2, 2):requires_grad_(), nl.ones(2, 2):requires_grad_()
      p.grad, q.grad = nl.ones(2, 2), nl.ones(2, 2)
      local rate = nl.tensor(0.5, {dtype = nl.float64})
      local one, other = class({p}, {lr = rate}), class({q}, {lr = 0.5})
      local scheduler = optim.lr_scheduler.ExponentialLR(one, 0.5)
      one:step()
      other:step()
      assert.is_true(nl.equal(p, q), name)
      scheduler:step()
      assert.equal(rate, one.param_groups[1].lr)
      assert.equal(0.25, rate:item())
      rate:fill_(2.0)
      assert.equal(0.25, scheduler:get_last_lr()[1]:item())
      assert.equal(0.5, scheduler.base_lrs[1]:item())
    end
    assert.error_matches(function() optim.SGD({leaf(1.0)}, {lr = nl.ones(2)}) end, "lr must be a number, not a tensor")
  end)

  it("are checked at each step too", function()
    local _, optimizer = stepped(optim.Adam)
    optimizer.param_groups[1].lr = "fast"
    assert.error_matches(function() optimizer:step() end, "optim.Adam: lr must be a number, not a string")
    optimizer.param_groups[1].lr, optimizer.param_groups[1].betas = 0.1, {0.9, true, 0.5}
    assert.has_no_error(function() optimizer:step() end) -- true is 1
    optimizer.param_groups[1].betas = {0.9}
    assert.error_matches(function() optimizer:step() end, "optim.Adam: betas%[2%] must be a number, not nil")
    optimizer.param_groups[1].betas = 0.9
    assert.error_matches(function() optimizer:step() end, "optim.Adam: betas must be a list of 2 numbers, not 0.9")
  end)

  it("take those for PyTorch's other implementations", function()
    stepped(optim.Adam, {foreach = true, fused = false, capturable = false, differentiable = false})
    assert.error_matches(function() optim.SGD({leaf(1.0)}, {foreach = true, fused = true}) end,
      "optim.SGD: give foreach = true or fused = true, not both")
  end)

  it("can be given by place, lists too", function()
    local optimizer = optim.Adam({leaf(1.0)}, 0.5, {0.8, 0.9}, 1e-3, 0.1, true)
    local group = optimizer.param_groups[1]
    assert.same({0.5, 0.8, 0.9, 1e-3, 0.1, true},
      {group.lr, group.betas[1], group.betas[2], group.eps, group.weight_decay, group.amsgrad})
  end)

  it("decouple weight decay in Adam as AdamW does", function()
    local a = stepped(optim.Adam, {lr = 0.1, weight_decay = 0.5, decoupled_weight_decay = true})
    local b = stepped(optim.AdamW, {lr = 0.1, weight_decay = 0.5})
    assert.is_true(nl.equal(a, b))
  end)
end)

describe("an optimizer's parameters", function()
  it("may come with names, which are in its state dict", function()
    local net, other = nn.Linear(2, 1), nn.Linear(1, 1)
    local optimizer = optim.SGD(net:named_parameters(), {lr = 0.1})
    assert.same({"weight", "bias"}, optimizer.param_groups[1].param_names)
    assert.equal(net.bias, optimizer.param_groups[1].params[2])
    optimizer:add_param_group {params = {{"extra", other.weight}}, lr = 0.5}
    local dict = optimizer:state_dict()
    assert.same({"extra"}, dict.param_groups[2].param_names)
    assert.error_matches(function() optimizer:add_param_group {params = {other.bias}} end,
      "optim.SGD: the parameters of all groups have names, or those of none")
    assert.error_matches(function() optim.Adam {net:named_parameters(), other.weight} end,
      "optim.Adam: 2 of 3 parameters have names: give all of them one, or none")
    local plain = optim.SGD({{params = {net.weight, net.bias}}, {params = {other.weight}}}, {lr = 1})
    plain:load_state_dict(dict)
    assert.same({"weight", "bias"}, plain.param_groups[1].param_names)
    dict.param_groups[1].param_names = nil
    optimizer:load_state_dict(dict)
    assert.same({"weight", "bias"}, optimizer.param_groups[1].param_names)
  end)

  it("must not share memory with themselves", function()
    local p = nl.zeros(1):expand(3):detach():requires_grad_()
    p.grad = nl.ones(3)
    assert.error_matches(function() optim.Adam({p}):step() end,
      "elements of a parameter share memory %(shape %(3%), " ..
      "strides %(0%)%)")
  end)
end)

describe("hooks of an optimizer", function()
  it("may come before those that there are", function()
    local _, optimizer = stepped(optim.Adam)
    local calls = {}
    local function note(text) return function() table.insert(calls, text) end end
    optimizer:register_state_dict_pre_hook(note "second")
    optimizer:register_state_dict_pre_hook(note "first", {prepend = true})
    optimizer:register_load_state_dict_post_hook(note "last")
    optimizer:register_load_state_dict_post_hook(note "third", true)
    optimizer:load_state_dict(optimizer:state_dict())
    assert.same({"first", "second", "third", "last"}, calls)
  end)

  it("run before and after a step, and may change its closure", function()
    local p, optimizer = stepped(optim.Adam)
    local calls = {}
    local before = optimizer:register_step_pre_hook(function(self, arguments)
      assert.equal(optimizer, self)
      calls[#calls + 1] = "before"
      return {function() return "other " .. arguments[1]() end}
    end)
    local after = optimizer:register_step_post_hook(function() calls[#calls + 1] = "after" end)
    assert.equal("other loss", optimizer:step(function() return "loss" end))
    assert.same({"before", "after"}, calls)
    before:remove()
    before:remove()
    after:remove()
    assert.equal("loss", optimizer:step(function() return "loss" end))
    assert.equal(2, #calls)
    assert.is_truthy(p)
  end)

  it("see and change state dicts", function()
    local _, optimizer = stepped(optim.Adam)
    local _, other = stepped(optim.Adam)
    local order = {}
    optimizer:register_state_dict_pre_hook(function() order[#order + 1] = "pre" end)
    optimizer:register_state_dict_post_hook(function(_, dict)
      order[#order + 1] = "post"
      dict.param_groups[1].lr = 7
    end)
    other:register_load_state_dict_pre_hook(function(_, dict)
      order[#order + 1] = "load"
      return {state = dict.state, param_groups = dict.param_groups}
    end)
    other:register_load_state_dict_post_hook(function(self) order[#order + 1] = self.param_groups[1].lr end)
    other:load_state_dict(optimizer:state_dict())
    assert.same({"pre", "post", "load", 7}, order)
  end)

  it("must be functions", function()
    local _, optimizer = stepped(optim.Adam)
    assert.error_matches(function() optimizer:register_step_pre_hook(3) end, "a hook is a function, not a number")
  end)
end)
