-- nl.scope: what is made in it is released at its end, and what outlives it is not.
local nl = require "nnlua"
local nn, F, optim = nl.nn, nl.F, nl.optim

local function failure(f, ...)
  local ok, message = pcall(f, ...)
  assert.is_false(ok)
  return message
end

local function assert_released(x)
  assert.matches("released by nl%.scope", failure(function() return x + 1 end))
  assert.matches("released by nl%.scope", failure(function() return x.shape end))
  assert.matches("released by nl%.scope", failure(function() return x:sum() end))
  assert.matches("released by nl%.scope", failure(nl.nn.Linear(2, 2), x))
end

-- How many tensors f leaves in the core when the collector does not run.
local function left_by(f, ...)
  collectgarbage()
  collectgarbage()
  collectgarbage "stop"
  local before = nl.memory_stats().tensors
  local results = table.pack(f(...))
  local after = nl.memory_stats().tensors
  collectgarbage "restart"
  return after - before, table.unpack(results, 1, results.n)
end

describe("nl.scope with a function", function()
  it("releases what was made inside and keeps what is returned", function()
    local x, leaked = nl.tensor {1.0, 2.0}, nil
    local left, y, text = left_by(nl.scope, function(a, b)
      leaked = a * b
      return leaked + 1, "text"
    end, x, 3)
    assert.same({4, 7}, y:tolist())
    assert.equal("text", text)
    assert.equal(1, left)
    assert_released(leaked)
    assert.same({1, 2}, x:tolist())
  end)

  it("keeps what is returned in tables, once each, in circles too", function()
    local left, t = left_by(nl.scope, function()
      local t = {a = nl.ones(2), {{nl.zeros(2)}}}
      t.again, t.a2 = t, t.a
      nl.ones(5)
      return t
    end)
    assert.same({1, 1}, t.a:tolist())
    assert.same({0, 0}, t[1][1][1]:tolist())
    assert.equal(2, left)
  end)

  it("releases at an error, which goes on", function()
    local leaked
    local left, message = left_by(failure, nl.scope, function()
      leaked = nl.ones(3)
      error("out", 0)
    end)
    assert.equal("out", message)
    assert.equal(0, left)
    assert_released(leaked)
  end)

  it("keeps a view's base, and releases a view alone", function()
    local x = nl.tensor {{1.0, 2.0}, {3.0, 4.0}}
    local leaked
    local view = nl.scope(function()
      leaked = x:t()
      return (x * 2)[1]
    end)
    assert.same({2, 4}, view:tolist())
    assert.same({{1, 2}, {3, 4}}, x:tolist())
    assert_released(leaked)
  end)

  it("keeps the graph of a loss that is returned", function()
    local w = nl.tensor({3.0}, {requires_grad = true})
    local loss = nl.scope(function()
      local y = w * w
      return (y * y):sum()
    end)
    loss:backward()
    assert.same({108}, w.grad:tolist()) -- 4 w^3
  end)

  it("keeps what a custom function saved for its backward", function()
    local Square = nl.autograd.Function "Square"
    function Square.forward(ctx, x)
      ctx:save_for_backward(x, x * 2)
      return x * x
    end
    function Square.backward(ctx, g) return g * ctx.saved_tensors[2] end
    local w = nl.tensor({3.0}, {requires_grad = true})
    local y = nl.scope(function() return Square.apply(w) end)
    y:backward()
    assert.same({6}, w.grad:tolist())
  end)

  it("passes over yields", function()
    local co = coroutine.wrap(function()
      return nl.scope(function(a)
        local b = a + coroutine.yield(a * 2)
        return b
      end, nl.ones(1))
    end)
    local inside = co()
    assert.same({2}, inside:tolist())
    assert.same({6}, (co(5)):tolist())
    assert_released(inside)
  end)

  it("refuses what is no function", function()
    assert.matches("scope: a function was expected, got number", failure(nl.scope, 3))
  end)
end)

describe("a block with nl.scope", function()
  it("releases at its end", function()
    local leaked
    local left = left_by(function()
      for i = 1, 3 do
        local _ <close> = nl.scope()
        leaked = nl.ones(2) * i
      end
      return leaked == nil
    end)
    assert.equal(0, left)
    assert_released(leaked)
  end)

  it("keeps what a function returns through it", function()
    local function one(x)
      local _ <close> = nl.scope()
      local y = x * 2
      return y
    end
    local function many(x)
      local _ <close> = nl.scope()
      local y = x * 2
      return y, {y + 1}, x
    end
    local x = nl.ones(1)
    local left, y = left_by(one, x)
    assert.equal(1, left)
    assert.same({2}, y:tolist())
    local a, b, c = many(x)
    assert.same({2}, a:tolist())
    assert.same({3}, b[1]:tolist())
    assert.equal(x, c)
  end)

  it("keeps it past other values that close, which may compute", function()
    local seen
    local function f(x)
      local _ <close> = setmetatable({}, {__close = function() seen = (x + 1):item() end})
      local a <close> = nl.scope()
      local b <close> = nl.scope()
      local y = x * 2
      local _ <close> = setmetatable({}, {__close = function() seen = (y + 1):item() end})
      return y + 1
    end
    assert.equal(3, f(nl.ones(1)):item())
    assert.equal(2, seen)
  end)

  it("releases what a table of the same block is left with", function()
    local t = {}
    do
      local _ <close> = nl.scope()
      t.x = nl.ones(2)
    end
    assert_released(t.x)
  end)

  it("puts a hook of the program's back", function()
    local n, hook = 0, nil
    hook = function() n = n + 1 end
    debug.sethook(hook, "", 1000)
    do
      local _ <close> = nl.scope()
      nl.ones(2)
    end
    nl.ones(2)
    local now, mask, count = debug.gethook()
    debug.sethook()
    assert.equal(hook, now)
    assert.same({"", 1000}, {mask, count})
  end)

  it("keeps what scope:keep is given, and can be closed early", function()
    local scope <close> = nl.scope()
    local a, b = nl.ones(1), nl.ones(1)
    assert.equal(a, (scope:keep(a)))
    scope:close()
    assert.same({1}, a:tolist())
    assert_released(b)
    assert.same({1}, nl.ones(1):tolist())
    assert.matches("keep: a scope was expected", failure(scope.keep, 3))
  end)
end)

describe("scopes within scopes", function()
  it("hand what they keep to the outer one", function()
    local inner
    local outer = nl.scope(function()
      inner = nl.scope(function() return nl.ones(1) end)
      return inner + 1
    end)
    assert.equal(2, outer:item())
    assert_released(inner)
  end)

  it("belong to their coroutine", function()
    local made
    local co = coroutine.wrap(function()
      made = nl.ones(1)
      coroutine.yield()
      made = nl.ones(1) * 2
    end)
    local open = coroutine.wrap(function()
      local _ <close> = nl.scope()
      nl.ones(1)
      coroutine.yield()
    end)
    open()
    co()
    open()
    assert.equal(1, made:item()) -- made outside of the coroutine with the scope
    co()
    assert.equal(2, made:item())
  end)
end)

describe("training in scopes", function()
  -- The same numbers as without; gradients, buffers and states of optimizers live on.
  local function train(name, options, within)
    nl.manual_seed(1)
    local net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 3))
    local opt = optim[name](net:parameters(), options)
    local x, y = nl.randn(16, 4), nl.randint(1, 4, {16})
    local losses = {}
    local function step()
      local function closure()
        opt:zero_grad()
        local loss = F.cross_entropy(net(x), y)
        loss:backward()
        return loss
      end
      if name == "LBFGS" then return opt:step(closure):item() end
      local loss = closure()
      opt:step()
      return loss:item()
    end
    for i = 1, 6 do losses[i] = within(step) end
    losses[#losses + 1] = net[1].weight.grad:sum():item()
    losses[#losses + 1] = net[2].running_mean:sum():item()
    return losses
  end

  for name, options in pairs {SGD = {lr = 0.1, momentum = 0.9}, Adam = {lr = 0.01}, Adagrad = {lr = 0.01},
      LBFGS = {lr = 0.1}, Rprop = {lr = 0.01}} do
    it("gives what it gives without, with " .. name, function()
      assert.same(train(name, options, function(f) return f() end), train(name, options, nl.scope))
      assert.same(train(name, options, function(f) return f() end), train(name, options, function(f)
        local _ <close> = nl.scope()
        return f()
      end))
    end)
  end

  it("leaves nothing behind and does without a forced collection", function()
    local net = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 8))
    local opt = optim.Adam(net:parameters())
    local x, y = nl.randn(32, 64), nl.randint(1, 9, {32})
    local function step()
      opt:zero_grad()
      F.cross_entropy(net(x), y):backward()
      opt:step()
    end
    nl.scope(step)
    assert.equal(0, (left_by(function()
      for _ = 1, 20 do nl.scope(step) end
    end)))
    local collected = 0
    collectgarbage()
    collectgarbage("incremental", 1000) -- Lua itself waits for a heap of ten times as much
    local probe = setmetatable({}, {__mode = "v"})
    probe[1] = {}
    nl.scope(function()
      for _ = 1, 300 do local _ = nl.empty(1 << 18) end -- 300 MB
      if probe[1] == nil then collected = collected + 1 end
    end)
    collectgarbage("incremental", 200)
    collectgarbage "generational"
    assert.equal(0, collected)
  end)

  it("is none of the last one's, though the same userdata come back", function()
    local leaked = {}
    for i = 1, 3 do
      local y = nl.scope(function()
        leaked[i] = nl.ones(2)
        local inner = nl.scope(function() return leaked[i] + i end)
        leaked[i + 3] = inner * 1
        return inner + 1
      end)
      assert.same({2 + i, 2 + i}, y:tolist())
      assert_released(leaked[i])
      assert_released(leaked[i + 3])
      assert.is_false(pcall(nl.scope, error, "out"))
      local outside = nl.ones(1) + i
      nl.scope(function() local _ = outside + 1 end)
      assert.equal(1 + i, outside:item())
    end
  end)

  it("attributes of modules live on", function()
    local net = nn.Module()
    net:register_buffer("b", nl.ones(1))
    nl.scope(function()
      net.hidden = nl.ones(1) * 2
      net.b = nl.ones(1) * 3
      net.w = nn.Parameter(nl.ones(1) * 4)
      net.list = {nl.ones(1) * 5}
      net.c = nn.Buffer(nl.ones(1) * 6)
    end)
    assert.equal(2 + 3 + 4 + 5 + 6, (net.hidden + net.b + net.w + net.list[1] + net.c):item())
  end)
end)
