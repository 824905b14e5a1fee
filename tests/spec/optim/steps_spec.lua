-- The optimizers' steps against their textbook formulas, on all kinds of parameters.
local nl = require "nnlua"
local optim = nl.optim

-- One element by the papers' formulas: each takes the parameter, its gradient, what is kept and the step's number.
local formulas = {}

function formulas.Adam(p, g, s, t)
  s.m, s.v = 0.9 * (s.m or 0) + 0.1 * g, 0.999 * (s.v or 0) + 0.001 * g * g
  return p - 0.1 * (s.m / (1 - 0.9 ^ t)) / (math.sqrt(s.v / (1 - 0.999 ^ t)) + 1e-8)
end

function formulas.AdamW(p, g, s, t)
  return formulas.Adam(p, g, s, t) - 0.1 * 0.01 * p
end

function formulas.NAdam(p, g, s, t)
  local function mu(k) return 0.9 * (1 - 0.5 * 0.96 ^ (k * 0.004)) end
  s.product = (s.product or 1) * mu(t)
  s.m, s.v = 0.9 * (s.m or 0) + 0.1 * g, 0.999 * (s.v or 0) + 0.001 * g * g
  local mean = mu(t + 1) * s.m / (1 - s.product * mu(t + 1)) + (1 - mu(t)) * g / (1 - s.product)
  return p - 0.1 * mean / (math.sqrt(s.v / (1 - 0.999 ^ t)) + 1e-8)
end

function formulas.RAdam(p, g, s, t)
  s.m, s.v = 0.9 * (s.m or 0) + 0.1 * g, 0.999 * (s.v or 0) + 0.001 * g * g
  local mean, most = s.m / (1 - 0.9 ^ t), 2 / (1 - 0.999) - 1
  local rho = most - 2 * t * 0.999 ^ t / (1 - 0.999 ^ t)
  if rho <= 5 then return p - 0.1 * mean end
  local r = math.sqrt((rho - 4) * (rho - 2) * most / ((most - 4) * (most - 2) * rho))
  return p - 0.1 * mean * r * math.sqrt(1 - 0.999 ^ t) / (math.sqrt(s.v) + 1e-8)
end

function formulas.Adamax(p, g, s, t)
  s.m, s.u = 0.9 * (s.m or 0) + 0.1 * g, math.max(0.999 * (s.u or 0), math.abs(g) + 1e-8)
  return p - 0.1 / (1 - 0.9 ^ t) * s.m / s.u
end

function formulas.Adagrad(p, g, s)
  s.sum = (s.sum or 0) + g * g
  return p - 0.1 * g / (math.sqrt(s.sum) + 1e-10)
end

function formulas.RMSprop(p, g, s)
  s.v = 0.99 * (s.v or 0) + 0.01 * g * g
  return p - 0.1 * g / (math.sqrt(s.v) + 1e-8)
end

function formulas.Adadelta(p, g, s)
  s.v = 0.9 * (s.v or 0) + 0.1 * g * g
  local delta = math.sqrt((s.d or 0) + 1e-6) / math.sqrt(s.v + 1e-6) * g
  s.d = 0.9 * (s.d or 0) + 0.1 * delta * delta
  return p - 0.1 * delta
end

function formulas.ASGD(p, g, s, t)
  local eta = s.eta or 0.1
  s.eta = 0.1 / (1 + 1e-4 * 0.1 * t) ^ 0.75
  return p * (1 - 1e-4 * eta) - eta * g
end

function formulas.Rprop(p, g, s)
  local agree = g * (s.before or 0)
  s.size = math.max(1e-6, math.min(50, (s.size or 0.1) * (agree > 0 and 1.2 or agree < 0 and 0.5 or 1)))
  s.before = agree < 0 and 0 or g
  return p - (s.before > 0 and s.size or s.before < 0 and -s.size or 0)
end

function formulas.SGD(p, g)
  return p - 0.1 * g
end

local names = {}
for name in pairs(formulas) do names[#names + 1] = name end
table.sort(names)

-- A parameter and its gradients of a few steps; `make` gives it from numbers.
local function run(name, make, steps, options)
  nl.manual_seed(1)
  local p = make(nl.randn(3, 4, {dtype = nl.float64}))
  local optimizer = optim[name]({p}, options or {lr = 0.1})
  local gradients = {}
  for t = 1, steps do
    gradients[t] = make(nl.randn(3, 4, {dtype = nl.float64})):detach()
    p.grad = gradients[t]
    optimizer:step()
  end
  return p, optimizer, gradients
end

local function by_formula(name, gradients)
  nl.manual_seed(1)
  local values, states = nl.randn(3, 4, {dtype = nl.float64}):reshape(-1):tolist(), {}
  for t, gradient in ipairs(gradients) do
    for i, g in ipairs(gradient:to(nl.float64):reshape(-1):tolist()) do
      states[i] = states[i] or {}
      values[i] = formulas[name](values[i], g, states[i], t)
    end
  end
  return nl.tensor(values, {dtype = nl.float64}):view(3, 4)
end

local function assert_close(expected, actual, tolerance)
  assert.is_true(nl.allclose(expected, actual:detach():to(nl.float64), tolerance, tolerance))
end

local kinds = {
  ["float64"] = {function(x) return x:requires_grad_() end, 1e-12},
  ["float32"] = {function(x) return x:to(nl.float32):requires_grad_() end, 2e-5},
  ["bfloat16"] = {function(x) return x:to(nl.bfloat16):requires_grad_() end, 0.05},
  ["a transposed tensor"] = {function(x) return x:t():contiguous():t():requires_grad_() end, 1e-12},
}

-- Those that keep numbers between steps, as PyTorch does in float32.
local single = {NAdam = true, ASGD = true}

for _, name in ipairs(names) do
  describe("a step of " .. name, function()
    for kind, case in pairs(kinds) do
      it("follows its formula with " .. kind, function()
        local p, _, gradients = run(name, case[1], 12)
        assert_close(by_formula(name, gradients), p, math.max(case[2], single[name] and 1e-6 or 0))
      end)
    end

    it("is the same whatever the number of threads", function()
      local before, results = nl.get_num_threads(), {}
      for threads = 1, 2 do
        nl.set_num_threads(threads)
        nl.manual_seed(3)
        local params, sizes = {}, {100000, 0, 7, 40000}
        for i, size in ipairs(sizes) do params[i] = nl.randn(size):requires_grad_() end
        local optimizer = optim[name](params, {lr = 0.1})
        for _ = 1, 3 do
          for i, size in ipairs(sizes) do params[i].grad = nl.randn(size) end
          optimizer:step()
        end
        results[threads] = nl.cat {params[1], params[3], params[4]}
      end
      nl.set_num_threads(before)
      assert.is_true(nl.equal(results[1], results[2]))
    end)

    it("takes complex, empty and meta parameters", function()
      local z = nl.complex(1.0, 2.0):to(nl.complex64):reshape(1):clone():requires_grad_()
      local empty = nl.zeros(0, 3):requires_grad_()
      local meta = nl.zeros(2, {device = "meta"}):requires_grad_()
      z.grad, empty.grad, meta.grad = nl.ones(1):to(nl.complex64), nl.zeros(0, 3), nl.zeros(2, {device = "meta"})
      local optimizer = optim[name]({z, empty, meta}, {lr = 0.1})
      optimizer:step()
      local re, im = z:detach():reshape({}):item()
      assert.is_true(re < 1)
      assert.near(2, im, name == "AdamW" and 3e-3 or name == "ASGD" and 1e-3 or 1e-6) -- its gradient is 0
    end)

    it("changes nothing if a gradient doesn't fit", function()
      local p = nl.ones(3, 4, {dtype = nl.float64}):requires_grad_()
      local wrong = nl.ones(2, {dtype = nl.float64}):requires_grad_()
      local optimizer = optim[name]({p, wrong}, {lr = 0.1})
      p.grad, wrong.grad = nl.ones(3, 4, {dtype = nl.float64}), nl.ones(2, {dtype = nl.float64})
      optimizer:step()
      local before, kept = p:detach():clone(), {}
      for key, value in pairs(optimizer.state[p]) do kept[key] = value:clone() end
      wrong.data = nl.ones(3, {dtype = nl.float64})
      assert.error_matches(function() optimizer:step() end, "optim." .. name .. ": a parameter of shape %(3%) has a " ..
        "gradient of shape %(2%)")
      assert.is_true(nl.equal(before, p))
      for key, value in pairs(optimizer.state[p]) do assert.is_true(nl.equal(kept[key], value), key) end
    end)

    it("changes nothing if memory runs out", function()
      local function fresh()
        local p = nl.ones(3, 4):t():requires_grad_()
        p.grad = nl.ones(4, 3)
        return p, optim[name]({p}, {lr = 0.1, weight_decay = name ~= "Rprop" and 0.1 or nil})
      end
      local failures, p, optimizer = 0, nil, nil
      local function live()
        collectgarbage()
        collectgarbage()
        return nl.memory_stats().tensors
      end
      local before = live()
      for k = 1, 50 do
        p, optimizer = fresh()
        nl._fail_allocation(k)
        local ok = pcall(optimizer.step, optimizer)
        nl._fail_allocation(0)
        if ok then break end
        failures = failures + 1
        assert.is_true(nl.equal(p, nl.ones(4, 3)))
      end
      p, optimizer = nil, nil -- luacheck: ignore
      assert.equal(before, live())
      assert.is_true(failures > 0)
    end)

    it("goes on alike from a loaded state", function()
      local p, first = run(name, function(x) return x:requires_grad_() end, 3)
      local q = p:detach():clone():requires_grad_()
      local second = optim[name]({q})
      second:load_state_dict(first:state_dict())
      for _ = 1, 3 do
        p.grad = nl.randn(3, 4, {dtype = nl.float64})
        q.grad = p.grad
        first:step()
        second:step()
      end
      assert.is_true(nl.equal(p, q))
    end)

    it("counts the steps of each parameter apart", function()
      local used = {"111101", "001111", "111111", "010110", "111101"} -- in which steps each has a gradient
      local together, alone, optimizers = {}, {}, {}
      for i in ipairs(used) do
        together[i] = nl.randn(3, {dtype = nl.float64}):requires_grad_()
        alone[i] = together[i]:detach():clone():requires_grad_()
        optimizers[i] = optim[name]({alone[i]}, {lr = 0.1})
      end
      local optimizer = optim[name](together, {lr = 0.1})
      for t = 1, 6 do
        for i, steps in ipairs(used) do
          together[i].grad = steps:sub(t, t) == "1" and nl.randn(3, {dtype = nl.float64}) or nil
          alone[i].grad = together[i].grad
          optimizers[i]:step()
        end
        optimizer:step()
      end
      for i in ipairs(used) do assert.is_true(nl.equal(alone[i], together[i]), "parameter " .. i) end
    end)

    it("leaves what has no gradient alone", function()
      local p = nl.ones(2):requires_grad_()
      local optimizer = optim[name]({p})
      optimizer:step()
      assert.is_true(nl.equal(p, nl.ones(2)))
    end)
  end)
end

describe("NAdam", function()
  it("goes on with the product of its momenta as it is kept, in float32: PyTorch 2.15's numbers", function()
    local p = nl.tensor({1.0, -2.0}, {dtype = nl.float64, requires_grad = true})
    local optimizer = nl.optim.NAdam({p}, {lr = 0.1})
    for _ = 1, 8 do
      optimizer:zero_grad();
      (p * p):sum():backward()
      optimizer:step()
    end
    local got = p:tolist()
    assert.is_near(0.4377870671287246, got[1], 1e-14)
    assert.is_near(-1.3950259889737642, got[2], 1e-14)
    assert.equal(0.0016914170701056719, optimizer.state[p].mu_product:item())
  end)
end)
