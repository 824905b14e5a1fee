-- Hooks on what graphs save. Which tensors of an op are saved, and the gradients, are PyTorch's.
local nl = require "nnlua"
local samples = require "support.samples"
local tensors = require "support.tensors"

local leaf, near, failure = tensors.leaf, tensors.assert_near, tensors.failure
local F, graph, grad = nl.F, nl.autograd.graph, nl.autograd.grad

local function same(t) return t end
local function detached(t) return t:detach() end

-- ------------------------------------------------------------------- all rows

--- The gradients of a row's leaves, and those of their sum, what is saved going through hooks.
local function gradients(row, sample, pack, unpack)
  local new, leaves = samples.with_leaves(sample, nl.clone)
  local function forward() return samples.roots(samples.call(row, new), samples.seed) end
  local roots, seeds
  if pack then roots, seeds = graph.saved_tensors_hooks(pack, unpack, forward)
  else roots, seeds = forward() end
  if #roots == 0 or #leaves == 0 then return {n = 0} end
  local found = table.pack(grad(roots, leaves, seeds, {allow_unused = true, create_graph = true}))
  local sums = {}
  for k = 1, #leaves do
    if found[k] and found[k].requires_grad then table.insert(sums, nl.real(found[k]):sum()) end
  end
  if #sums == 0 then return found end
  local second = table.pack(grad(sums, leaves, {allow_unused = true}))
  return table.pack(table.unpack(table.move(second, 1, #leaves, #leaves + 1, found), 1, 2 * #leaves))
end

local function assert_same_gradients(expected, found)
  for k = 1, expected.n do
    local a, b = expected[k], found[k]
    assert.equal(a == nil, b == nil)
    if a then
      assert.same(a.shape, b.shape)
      assert.is_true(nl.allclose(a:detach(), b:detach(), {rtol = 1e-12, atol = 1e-12, equal_nan = true}),
        ("gradient %d is\n%s\nnot\n%s"):format(k, b, a))
    end
  end
end

--- Another tensor of the same form, with elements that no op can have given.
local function nonsense(t)
  if t.dtype == nl.bool then return ~t end
  if t:is_floating_point() or t:is_complex() then return nl.full_like(t, 0 / 0) end
  return nl.full_like(t, t.dtype == nl.uint8 and 255 or t.dtype == nl.int8 and -128 or 30000)
end

describe("saved tensors go through hooks:", function()
  for _, row in ipairs(samples.rows()) do
    if row.differentiable then
      it(row.row, function()
        for _, sample in ipairs(samples.usable(row)) do
          assert_same_gradients(gradients(row, sample),
            gradients(row, sample, function(t) return {t:clone()} end, function(p) return p[1] end))
          local ok, problem = pcall(gradients, row, sample, detached, nonsense)
          if not ok then assert.falsy(problem:find("nnlua/", 1, true), problem) end
        end
      end)
    end
  end
end)

-- ------------------------------------------------------------ what is saved, when

local x, y

--- What hooks see of f's forward and of a backward after it.
local function seen(f)
  local packed, unpacked = {}, 0
  local result = graph.saved_tensors_hooks(function(t)
    assert.is_false(nl.is_grad_enabled())
    table.insert(packed, t)
    return t:detach()
  end, function(t)
    unpacked = unpacked + 1
    return t
  end, f)
  result:sum():backward()
  assert.equal(#packed, unpacked)
  return packed
end

describe("hooks see", function()
  before_each(function() x, y = leaf {1, 2, 3}, leaf {4, 5, 6} end)

  it("what PyTorch's see", function()
    for name, case in pairs {
      ["x * 2"] = {0, function() return x * 2 end},
      ["x * y"] = {2, function() return x * y end},
      ["x * constant"] = {1, function() return x * y:detach() end},
      ["x + y"] = {0, function() return x + y end},
      ["x ^ 2"] = {1, function() return x ^ 2 end},
      exp = {1, function() return x:exp() end},
      exp_ = {1, function() return x:clone():exp_() end},
      mul_ = {2, function() return x:clone():mul_(y) end},
      sum = {0, function() return x:sum() end},
      max = {1, function() return (x:max(1)) end},
      view = {0, function() return x:view(3, 1) end},
      relu = {1, function() return x:relu() end},
      softmax = {1, function() return x:softmax(1) end},
      linear = {2, function() return F.linear(x:view(1, 3), y:view(1, 3)) end},
      layer_norm = {3, function() return F.layer_norm(x, {3}) end},
    } do
      assert.equal(case[1], #seen(case[2]), name)
    end
  end)

  it("arguments as they are, results with their history", function()
    local packed = seen(function() return x * y end)
    assert.is_true(packed[1].is_leaf and packed[1].requires_grad)
    packed = seen(function() return (x * 1):exp() end)
    assert.equal("ExpBackward", packed[1].grad_fn:name())
  end)

  it("tensors in the order of the forward, before the call returns", function()
    local order = {}
    graph.saved_tensors_hooks(function(t) table.insert(order, t.shape[1]) return t end, same, function()
      local a = nl.ones(1, {requires_grad = true}):exp()
      assert.same({1}, order)
      local b = nl.ones(2, {requires_grad = true}):exp()
      assert.same({1, 2}, order)
      return a + b
    end)
  end)

  it("each backward anew", function()
    local count = 0
    local z = graph.saved_tensors_hooks(same, function(t) count = count + 1 return t end,
      function() return (x * y * x):sum() end)
    z:backward {retain_graph = true}
    z:backward()
    assert.equal(8, count)
    assert.matches("backward of mul: what it saved has been freed", failure(function() z:backward() end))
  end)

  it("what a backward saves under create_graph, while they hold", function()
    local count = 0
    local _ <close> = graph.saved_tensors_hooks(function(t) count = count + 1 return t end, same)
    local first = grad((x * x * x):sum(), x, {create_graph = true})
    local before = count
    near({6, 12, 18}, (grad(first:sum(), x)))
    assert.is_true(before > 4)
  end)

  it("nothing outside of their scope or where no gradient is recorded", function()
    local function never() error "a hook ran" end
    graph.saved_tensors_hooks(never, never, function() nl.no_grad(function() return x * y end) end)
    do local _ <close> = graph.saved_tensors_hooks(never, never) end
    near({4, 10, 18}, x * y)
  end)

  it("only what the innermost scope holds", function()
    local inner = 0
    graph.saved_tensors_hooks(error, error, function()
      graph.saved_tensors_hooks(function(t) inner = inner + 1 return t end, same, function() return x * y end)
    end)
    assert.equal(2, inner)
  end)

  it("nothing of a coroutine that another one resumed", function()
    local co = coroutine.wrap(function()
      local _ <close> = graph.saved_tensors_hooks(error, error)
      coroutine.yield()
    end)
    co()
    near({4, 10, 18}, x * y)
    co()
  end)
end)

-- ------------------------------------------------------------------- gradients

describe("what hooks give", function()
  before_each(function() x, y = leaf {1, 2, 3}, leaf {4, 5, 6} end)

  it("is what the backward works with", function()
    local z = graph.saved_tensors_hooks(function(t) return t:tolist() end,
      function(list) return nl.tensor(list) * 10 end, function() return x * y end)
    z:sum():backward()
    near({40, 50, 60}, x.grad)
    near({10, 20, 30}, y.grad)
  end)

  it("has the history of what it stands for", function()
    local function as_lists(f) return graph.saved_tensors_hooks(function(t) return t:tolist() end, nl.tensor, f) end
    local z = as_lists(function() return (x * y * x):sum() end)
    local dx = grad(z, x, {create_graph = true})
    local dxx, dxy = grad(dx:sum(), {x, y})
    near({8, 10, 12}, dxx)
    near({2, 4, 6}, dxy)
    local e = as_lists(function() return x:exp():sum() end)
    near(x:exp():tolist(), (grad(grad(e, x, {create_graph = true}):sum(), x)), 1e-5)
  end)

  it("may be of another dtype that fits, or lie otherwise in memory", function()
    local function other(t) return nl.stack({t:double(), t:double()}, -1):select(-1, 1) end
    for _, f in ipairs {nl.exp, function(t) return t:softmax(2) end, function(t) return t * t end} do
      local m, n = nl.randn(2, 3, {requires_grad = true}), nl.randn(2, 3)
      local z = graph.saved_tensors_hooks(detached, other, f, m)
      near((grad(f(m), m, n)):tolist(), (grad(z, m, n)), 1e-6)
    end
  end)

  it("doesn't mind changes of what was given", function()
    local z = x * 1
    local w = graph.saved_tensors_hooks(nl.clone, same, function() return z * y end)
    z:mul_(3)
    w:sum():backward()
    near({1, 2, 3}, y.grad)
  end)

  it("keeps its form whatever hooks for what comes later do to it", function()
    local acts = {
      function(t) t:resize_(1) end, function(t) t:unsqueeze_(1) end, function(t) t.data = nl.zeros(1) end,
      function(t) t:transpose_(1, 2) end,
    }
    local input, weight, bias = leaf {{1, 2, 4}, {3, 1, 2}}, leaf {1, 2, 3}, leaf {0, 0, 0}
    nl.F.layer_norm(input, {3}, weight, bias):square():sum():backward()
    local expected = input.grad
    for _, act in ipairs(acts) do
      input.grad = nil
      local first
      local result = graph.saved_tensors_hooks(function(t) return t:clone() end, function(t)
        if first and first.ndim == 2 then act(first) end
        first = first or t
        return t
      end, function() return nl.F.layer_norm(input, {3}, weight, bias) end)
      result:square():sum():backward()
      near(expected:tolist(), input.grad)
    end
  end)

  it("reaches custom functions", function()
    local Cube = nl.autograd.Function("Cube")
    function Cube.forward(ctx, t)
      local square = t * t
      ctx:save_for_backward(t, nil, square)
      return square * t
    end
    function Cube.backward(ctx, dy)
      local saved = ctx.saved_tensors
      assert.equal(3, saved.n)
      assert.is_nil(saved[2])
      return dy * saved[1] * saved[1] * 3
    end
    local count = 0
    local z = graph.saved_tensors_hooks(function(t) count = count + 1 return t:tolist() end, nl.tensor, Cube.apply, x)
    assert.equal(2, count)
    local first = grad(z:sum(), x, {create_graph = true})
    near({3, 12, 27}, first)
    near({6, 12, 18}, (grad(first:sum(), x)))
    z:sum():backward()
    assert.matches("freed by an earlier backward", failure(function() z:sum():backward() end))
  end)

  it("may come and go with nl.func's functions", function()
    local function cube(t) return (t * t * t):sum() end
    local _ <close> = graph.saved_tensors_hooks(detached, same)
    near({3, 12, 27}, (nl.func.grad(cube)(x)))
    near({{6, 0, 0}, {0, 12, 0}, {0, 0, 18}}, nl.func.hessian(cube)(x))
    near({3, 12, 27}, nl.func.vmap(nl.func.grad(cube))(x))
  end)

  it("goes with the graph", function()
    local function living()
      for _ = 1, 3 do
        collectgarbage()
        nl.is_grad_enabled()
      end
      local stats = nl.memory_stats()
      return {stats.tensors, stats.nodes, stats.storages}
    end
    local function round(backward)
      local z = graph.saved_tensors_hooks(same, same, function() return (x * y):exp() end)
      if backward then z:sum():backward() end
    end
    round(true)
    local before = living()
    for i = 1, 20 do round(i % 2 == 0) end
    assert.same(before, living())
  end)

  it("outlives nl.scope's blocks", function()
    local z
    do
      local _ <close> = graph.saved_tensors_hooks(function(t) return {t:clone()} end, function(p) return p[1] end)
      z = nl.scope(function() return x * y end)
    end
    z:sum():backward()
    near({4, 5, 6}, x.grad)
  end)
end)

-- ---------------------------------------------------------------------- misuse

describe("hooks are told", function()
  before_each(function() x, y = leaf {1, 2, 3}, leaf {4, 5, 6} end)

  local function backward_with(unpack)
    return failure(function()
      graph.saved_tensors_hooks(same, unpack, function() return (x * y):sum() end):backward()
    end)
  end

  it("what they may not do", function()
    assert.matches("pack hook has changed the tensor", failure(function()
      graph.saved_tensors_hooks(function(t) return t:mul_(2) end, same, function() return x * y end)
    end))
    assert.matches("an unpack hook must give a tensor, not number", backward_with(function() return 3 end))
    assert.matches("gave a tensor of shape %(2%) for one of shape %(3%)",
      backward_with(function() return nl.ones(2) end))
    assert.matches("gave a complex64 tensor for a float32 one",
      backward_with(function(t) return t:to(nl.complex64) end))
    assert.matches("gave other int64 numbers than were packed", failure(function()
      graph.saved_tensors_hooks(same, function(t) return t + 1 end, function() return (x:max(1)) end):backward()
    end))
    assert.matches("on another device", backward_with(function(t) return t:to "meta" end))
    assert.matches("what it saved has been freed", failure(function()
      local z
      z = graph.saved_tensors_hooks(same, function(t)
        if z then
          local again = z
          z = nil
          again:backward()
        end
        return t
      end, function() return (x * y):sum() end)
      z:backward()
    end))
  end)

  it("what they raise themselves, as it is", function()
    local ok, problem = pcall(graph.saved_tensors_hooks, function() error {7} end, same, function() return x * y end)
    assert.is_false(ok)
    assert.same({7}, problem)
    near({4, 10, 18}, x * y)
  end)

  it("how a scope is opened", function()
    assert.matches("argument 'pack_hook': a function was expected", failure(graph.saved_tensors_hooks, 1, same))
    assert.matches("argument 'unpack_hook'", failure(graph.saved_tensors_hooks, same))
    assert.matches("a function was expected, got number", failure(graph.saved_tensors_hooks, same, same, 3))
    assert.equal(5, graph.saved_tensors_hooks({pack_hook = same, unpack_hook = same}, same, 5))
  end)

  it("where they are forbidden", function()
    local forbid = graph.disable_saved_tensors_hooks
    local function open() local _ <close> = graph.saved_tensors_hooks(same, same) end
    assert.matches("not here", failure(forbid, "not here", open))
    assert.matches("not here", failure(graph.saved_tensors_hooks, same, same, forbid, "not here", open))
    assert.matches("not here", failure(forbid, "not here", graph.save_on_cpu, same))
    assert.matches("error_message", failure(forbid))
    open()
  end)
end)

describe("save_on_cpu", function()
  it("gives the gradients that there are without", function()
    x, y = leaf {1, 2, 3}, leaf {4, 5, 6}
    for _, options in ipairs {{}, {true}, {false, "cuda"}, {{pin_memory = true, device_type = "cuda"}}} do
      x.grad = nil
      table.insert(options, function(t) return t * y end)
      table.insert(options, x)
      graph.save_on_cpu(table.unpack(options)):sum():backward()
      near({4, 5, 6}, x.grad)
    end
  end)
end)
