-- Hooks and custom functions that refer to the very graph they belong to are garbage like any other.
local nl = require "nnlua"
local tensors = require "support.tensors"

local leaf, near = tensors.leaf, tensors.assert_near

-- What lives: bytes of Lua, bytes of tensors, nodes, tensors, entries of the registry.
local function living()
  for _ = 1, 3 do
    collectgarbage()
    nl.is_grad_enabled() -- an entry into the core: lets go of what it has released
  end
  local stats, entries = nl.memory_stats(), 0
  for _ in pairs(debug.getregistry()) do entries = entries + 1 end
  return {lua = collectgarbage "count", bytes = nl.memory_allocated(), nodes = stats.nodes, tensors = stats.tensors,
    registry = entries}
end

-- Runs a function many times and fails if something stays.
local function assert_returns(rounds, round)
  for _ = 1, 20 do round() end
  local before = living()
  for _ = 1, rounds do round() end
  local after = living()
  -- The weak table of carriers may be as large as it once had to be.
  assert.is_true(after.lua < before.lua + 600, ("Lua's memory grew from %g to %g kB"):format(before.lua, after.lua))
  before.lua, after.lua = nil, nil
  assert.same(before, after)
end

local Exp = nl.autograd.Function("Exp")
function Exp.forward(ctx, x)
  local y = x:exp()
  ctx:save_for_backward(x, y)
  ctx.own_result = y
  return y
end
function Exp.backward(ctx, dy)
  return dy * ctx.saved_tensors[2]
end

local Double = nl.autograd.Function("Double")
function Double.forward(ctx, x)
  ctx:save_for_backward(x)
  ctx:mark_dirty(x)
  return x:mul_(2)
end
function Double.backward(_, dy)
  return dy * 2
end

-- Changes in place by what a graph computed from the very tensor or views of it, and gradients that are their own
-- tensors: none may close a circle.
local w = leaf {1, 2, 3, 4, 5}
local circles = {
  {"an element by its square", function() local x = w * 2 x[1] = x[1] * x[1] end},
  {"a tensor by its square", function() local x = w * 2 x:add_(x:square()) end},
  {"a copy of its square", function() local x = w * 2 x:copy_(x * x) end},
  {"each element by the one before", function()
    local x = w * 1
    for i = 2, 5 do x[i] = x[i - 1] * w[1] end
  end},
  {"the same of zeros", function()
    local x = nl.zeros(5)
    for i = 2, 5 do x[i] = x[i - 1] * w[1] end
  end},
  {"the same, and a backward that fails", function()
    local x = w * 1
    for i = 2, 5 do x[i] = x[i - 1] * w[1] end
    assert(not pcall(function() x:sum():backward() end))
  end},
  {"an op with itself", function() local x = w * 2 x:mul_(x) x:pow_(x) x:atan2_(x) end},
  {"several operands of it", function()
    local x = w * 2
    local a = x:exp()
    x:lerp_(a * x, a):addcmul_(x * 2, x)
  end},
  {"a list of its parts", function()
    local x = w * 2
    local a, b = x:split {2, 3}
    x:copy_(nl.cat {a * a, b:exp()})
  end},
  {"through masks and positions", function()
    local x = w * 2
    x[x:gt(1)] = (x * x)[1]
    x:index_put_({nl.tensor {1, 2}}, x[{{1, 2}}] * x[{{3, 4}}])
  end},
  {"views of views", function()
    local x = w * 2
    local v = x[{{1, 4}}]:view(2, 2)
    v[1]:mul_(v[2] * v[2])
    v:add_(v[1][1] * x[1])
  end},
  {"after a change of its strides", function()
    local x = (w * 2):view(1, 5)
    local s = x * x
    x:t_()
    x:add_(s:t() * x)
  end},
  {"with a view made under no_grad", function()
    local x = w * 2
    local v = nl.no_grad(function() return x[1] end)
    x:mul_(v * w)
  end},
  {"with hooks that see it", function()
    local x = w * 2
    x:register_hook(function(g) return g * x end)
    x:add_(x * x)
    x:register_hook(function(g) return g * x end)
  end},
  {"with a custom function that saved it", function() local x = w * 2 x:add_(Exp.apply(x)) end},
  {"with a custom function that changes it", function()
    local x = w * 2
    local s = x * x
    Double.apply(x)
    x:add_(s)
    local v = x[{{1, 2}}]
    s = v * v
    Double.apply(v)
    v:add_(s)
  end},
  {"a leaf that is a view", function()
    local v = nl.ones(2):view(2)
    v:requires_grad_()
    assert(not pcall(function() v[1] = 2 end))
  end},
  {"a base by what was computed from a leaf that is a view of it", function()
    local b = nl.ones(2)
    local v = b:view(2)
    v:requires_grad_()
    b:add_(v * 2)
    b:mul_(v * v)
  end},
  {"what was a leaf, through a view of it that is of its graph", function()
    local x = nl.ones(3):requires_grad_()
    local v = x[{{1, 2}}]
    x:requires_grad_(false)
    v:mul_(v)
    x:add_(x * x)
  end},
  {"what was a leaf, by what was computed from it", function()
    local x = nl.ones(3):requires_grad_()
    local y = x * 2
    x:requires_grad_(false)
    x:add_(y)
  end},
  {"the same through another view, beside a hook", function()
    local b = nl.ones(4)
    local v = b[{{1, 2}}]
    v:requires_grad_()
    v:register_hook(function(g) return g * b:sum() end)
    b[{{3, 4}}] = v * v
    assert(not pcall(function() b:sum():backward() end))
  end},
  {"the same where the base has other data by then", function()
    local b = nl.ones(2)
    local v = b:view(2)
    v:requires_grad_()
    local y = v * v
    b.data = nl.zeros(2)
    b:add_(y)
    b:sum():backward()
    assert(nl.equal(v.grad, nl.tensor {2.0, 2.0}))
  end},
  {"a kept gradient that is the tensor", function() local y = w * 2 y:retain_grad() y:backward(y) end},
  {"a kept gradient that is a view of the tensor", function()
    local y = w * 2
    y:retain_grad()
    y:backward(y:view(5))
  end},
  {"the same with create_graph", function()
    local y = w * 2
    y:retain_grad()
    y:backward(y, {create_graph = true})
    y = w * w
    y:retain_grad()
    y:sum():backward(nil, {create_graph = true})
  end},
  {"a leaf's gradient that is the leaf", function()
    local x = leaf {1, 2}
    x:backward(x)
  end},
  {"other data while graphs are there", function()
    local x = leaf {1, 2}
    local y = x * x
    for i = 1, 3 do
      x.data = nl.ones(2) * i
      y = y + x * x
    end
    y:sum():backward()
  end},
}

describe("no circle is closed by", function()
  for _, circle in ipairs(circles) do
    it(circle[1], function()
      assert_returns(20, function()
        circle[2]()
        w.grad = nil
      end)
    end)
  end
end)

for _, mode in ipairs {"generational", "incremental"} do
  describe("in " .. mode .. " mode memory returns after", function()
    local old
    setup(function() old = collectgarbage(mode) end)
    teardown(function() collectgarbage(old) end)

    it("hooks that close over their own result and the net, without backward", function()
      local w = nl.randn(64, {requires_grad = true})
      assert_returns(10000, function()
        local net = {w = w, seen = {}}
        local h = nl.sigmoid(w * 2)
        h:register_hook(function(g) net.seen[h] = g end)
        net.loss = (h * h):sum()
      end)
    end)

    it("hooks on leaves that close over them and what was computed", function()
      assert_returns(2000, function()
        local w = nl.randn(64, {requires_grad = true})
        local y
        w:register_hook(function() return w + y end)
        w:register_post_accumulate_grad_hook(function() return w, y end)
        y = (w * 2):sum()
        y.grad_fn:register_hook(function() return y end)
      end)
    end)

    it("custom functions that save their own result, with and without backward", function()
      local w = leaf {1, 2}
      local n = 0
      assert_returns(2000, function()
        local loss = (Exp.apply(w) * 2):sum()
        n = n + 1
        if n % 2 == 0 then loss:backward() end
        w.grad = nil
      end)
    end)

    it("hooks that came late, with backward", function()
      local w = leaf {1, 2}
      assert_returns(2000, function()
        local h = w * 2
        local loss = (h * h):sum()
        h:register_hook(function() return h, loss end, nil)
        pcall(loss.backward, loss)
        w.grad = nil
      end)
    end)

    it("gradients of gradients with hooks", function()
      assert_returns(1000, function()
        local w = leaf {1, 2}
        local h = w * w
        h:register_hook(function(g) return g * 2, h end)
        local g = nl.autograd.grad((h * w):sum(), w, {create_graph = true})
        g:sum():backward()
      end)
    end)

    it("changes in place of views that carry hooks", function()
      local w = leaf {{1, 2}, {3, 4}}
      assert_returns(1000, function()
        local base = w * 1
        local h = w * 2
        h:register_hook(function() return nil, base, h end)
        local row = base[1]
        row:add_(h[1])
        base[2] = h[1]
      end)
    end)

    it("errors in hooks", function()
      local w = leaf {1, 2}
      assert_returns(1000, function()
        local h = w * 2
        h:register_hook(function() error {h} end)
        pcall(h.backward, h, nl.ones(2))
      end)
    end)
  end)
end

describe("what is still needed stays:", function()
  local function collect()
    collectgarbage()
    collectgarbage()
  end

  it("a hook whose tensor is gone while its results are there", function()
    local x = leaf {1, 2}
    local function build()
      local h = x * 2
      h:register_hook(function(g) return g * 10 end)
      return (h * 3):sum()
    end
    local loss = build()
    collect()
    loss:backward()
    near({60, 60}, x.grad)
  end)

  it("a hook that came after the results were computed", function()
    local x = leaf {1, 2}
    local function build()
      local h = x * 2
      local loss = (h * 3):sum()
      local kept = nl.ones(2) * 10
      h:register_hook(function(g) return g * kept end)
      h.grad_fn:register_hook(function(inputs) return {inputs[1] + 1, nl.none} end)
      return loss
    end
    local loss = build()
    collect()
    loss:backward()
    near({61, 61}, x.grad)
  end)

  it("a late hook on a leaf that is gone", function()
    local count = 0
    local function build()
      local x = leaf {1, 2}
      local loss = (x * 3):sum()
      x:register_hook(function() count = count + 1 end)
      return loss
    end
    local loss = build()
    collect()
    loss:backward()
    assert.equal(1, count)
  end)

  it("a hook behind a view that was made before, changed through another one", function()
    local x = leaf {{1, 2}, {3, 4}}
    local function build()
      local base = x * 1
      local view = base[1]
      local h = x * 2
      h:register_hook(function(g) return g * 10 end)
      base:add_(h)
      return view * 1
    end
    local y = build()
    collect()
    y:sum():backward()
    near({{21, 21}, {0, 0}}, x.grad)
  end)

  it("a hook on an element of a list that is joined", function()
    local x = leaf {1, 2}
    local function build()
      local h = x * 2
      h:register_hook(function(g) return g * 10 end)
      return nl.cat({x, h})
    end
    local y = build()
    collect()
    y:sum():backward()
    near({21, 21}, x.grad)
  end)

  it("a custom function's context behind a gradient that keeps its graph", function()
    local x = leaf({0.5}, nl.float64)
    local function build()
      Exp.apply(x):sum():backward {create_graph = true}
    end
    build()
    collect()
    local g = x.grad
    x.grad = nil
    collect()
    g:sum():backward()
    near({math.exp(0.5)}, x.grad)
  end)
end)
