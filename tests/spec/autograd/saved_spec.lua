-- What a graph keeps of its tensors is what they were at the forward, whatever becomes of them before the backward.
-- parts: 4
local nl = require "nnlua"
local samples = require "support.samples"
local tensors = require "support.tensors"

local leaf, near, failure = tensors.leaf, tensors.assert_near, tensors.failure

-- ------------------------------------------------------------- all rows, all ways

--- Ways to change a tensor unseen by the graph. Those that raise, as they don't fit the tensor, change nothing.
local function data(make)
  return function(t) t.data = make(t) end
end

local function in_place(name, ...)
  local arguments = table.pack(...)
  return function(t)
    nl.no_grad(function() t[name](t, table.unpack(arguments, 1, arguments.n)) end)
  end
end

local function other_dtype(t)
  if t:is_complex() then return t.dtype == nl.complex128 and nl.complex64 or nl.complex128 end
  return t.dtype == nl.float64 and nl.float16 or nl.float64
end

-- The last field: with second derivatives too.
local ways = {
  {"data without elements", data(function(t) return nl.ones(0, {dtype = t.dtype}) end), true},
  {"data of one element", data(function(t) return nl.ones({}, {dtype = t.dtype}) end)},
  {"longer data", data(function(t) return nl.ones(t:numel() + 5, {dtype = t.dtype}) end)},
  {"data of many dimensions", data(function(t) return nl.ones({1, 1, 1, 1, 1, 1, 2}, {dtype = t.dtype}) end)},
  {"expanded data", data(function(t) return nl.zeros({}, {dtype = t.dtype}):expand(t.shape) end)},
  {"other data", data(function(t) return nl.full(t.shape, 3, {dtype = t.dtype}) end), true},
  {"data of another dtype", data(function(t) return t.data:to(other_dtype(t)) end)},
  {"data on meta", data(function(t) return t.data:to "meta" end)},
  {"a part of its own data", data(function(t) return t.data:reshape(-1)[{{1, 1}}] end)},
  {"t_", in_place("t_")},
  {"swapdims_", in_place("swapdims_", 1, -1), true},
  {"squeeze_", in_place("squeeze_")},
  {"unsqueeze_", in_place("unsqueeze_", -1)},
}

--- The gradients of a row's leaves, or those of their sum, after a change of the i-th tensor; none if it can't be made.
local function gradients(row, sample, twice, i, change)
  local new, leaves = samples.with_leaves(sample, nl.clone)
  local roots, seeds = samples.roots(samples.call(row, new), samples.seed)
  if #roots == 0 or #leaves == 0 then return {n = 0} end
  if i and not pcall(change, samples.tensors(new)[i]) then return end
  local found = table.pack(nl.autograd.grad(roots, leaves, seeds, {allow_unused = true, create_graph = twice}))
  if not twice then return found end
  local sums = {}
  for k = 1, #leaves do
    if found[k] and found[k].requires_grad then table.insert(sums, nl.real(found[k]):sum()) end
  end
  if #sums == 0 then return found end
  return table.pack(nl.autograd.grad(sums, leaves, {allow_unused = true}))
end

local function is_same(a, b)
  if not (a and b) then return a == b end
  return a.shape == b.shape
    and nl.allclose(a:detach(), b:detach(), {rtol = 1e-12, atol = 1e-12, equal_nan = true})
end

--- They are what they are without the change, or it is told.
local function check(row, sample, twice, expected, i, way)
  local ok, found = pcall(gradients, row, sample, twice, i, way[2])
  local what = ("tensor %d: %s%s"):format(i, way[1], twice and ", twice" or "")
  if not ok then
    assert.equal("string", type(found), what)
    assert.falsy(found:find("nnlua/", 1, true), what .. ": " .. found)
    assert.truthy(found:find("changed in place", 1, true), what .. ": " .. found)
    return
  end
  for k = 1, found and expected.n or 0 do
    assert.truthy(is_same(expected[k], found[k]),
      ("%s: gradient %d is\n%s\nnot\n%s"):format(what, k, found[k], expected[k]))
  end
end

local function check_all(row, sample, twice)
  local expected = gradients(row, sample, twice)
  for i in ipairs(samples.tensors(sample)) do
    for _, way in ipairs(ways) do
      if way[3] or not twice then check(row, sample, twice, expected, i, way) end
    end
  end
end

describe("a tensor may be changed between forward and backward:", function()
  for _, row in ipairs(samples.rows()) do
    if row.differentiable then
      it(row.row, function()
        for _, sample in ipairs(samples.usable(row)) do
          check_all(row, sample, false)
          check_all(row, sample, true)
        end
      end)
    end
  end
end)

describe("what is changed after the forward:", function()
  it("a leaf gets the gradient of its old elements", function()
    local x, w = leaf {1, 2}, leaf {3, 4}
    local y = (x * x * w):sum()
    x.data = nl.tensor {10.0, 20.0}
    y:backward()
    near({6, 16}, x.grad)
    near({1, 4}, w.grad)
    near({10, 20}, x)
  end)

  it("a second derivative arrives at the leaf", function()
    local x = leaf({1, 2}, nl.float64)
    local y = (x * x * x):sum()
    x.data = nl.tensor({10.0, 20.0}, {dtype = nl.float64})
    local first = nl.autograd.grad(y, x, {create_graph = true})
    near({3, 12}, first)
    near({6, 12}, (nl.autograd.grad(first:sum(), x)))
  end)

  it("a constant that wants a gradient by now got none then", function()
    local x, c = leaf {1, 2}, nl.tensor {3.0, 4.0}
    local y = (x * x * c):sum()
    c:requires_grad_()
    local first = nl.autograd.grad(y, x, {create_graph = true})
    assert.is_nil((nl.autograd.grad(first:sum(), c, {allow_unused = true})))
  end)

  it("a gradient doesn't fit a leaf of another shape or device", function()
    for _, other in ipairs {nl.ones(0), nl.ones({}), nl.ones(2, 2), nl.ones(3, 1)} do
      local x = leaf {1, 2, 3}
      local y = (x * 2):sum()
      x.data = other
      assert.matches("a gradient of shape %(3%) arrived for a leaf of shape", failure(function() y:backward() end))
      assert.is_nil(x.grad)
    end
    local x = leaf {1, 2}
    local y = (x * 2):sum()
    x.data = nl.ones({2}, {device = "meta"})
    assert.matches("a gradient on cpu arrived for a leaf on meta", failure(function() y:backward() end))
  end)

  it("a gradient takes its leaf's dtype", function()
    local x = leaf {1, 2}
    local y = (x * x):sum()
    x.data = x.data:double()
    y:backward()
    near({2, 4}, x.grad)
    assert.equal(nl.float64, x.grad.dtype)
  end)

  it("uses before and after a change of shape don't meet", function()
    local x = leaf {1, 2, 3}
    local y = x * 2
    x.data = nl.ones(1)
    local both = y:sum() + (x * 3):sum()
    assert.matches("shapes %(%d%) and %(%d%) arrive for one tensor", failure(function() both:backward() end))
    x.grad = nil
    x:mul(3):sum():backward()
    near({3}, x.grad)
  end)

  it("a result of another shape gets no gradient through", function()
    local x = leaf {{1, 2, 3}, {4, 5, 6}}
    for _, change in ipairs {
      function(y) nl.no_grad(function() y:t_() end) end,
      function(y) y.data = nl.ones(6) end,
      function(y) y.data = nl.ones(0) end,
    } do
      local y = x * 2
      change(y)
      assert.matches("for a result of shape %(2, 3%), which was given another shape",
        failure(function() (y * 1):sum():backward() end))
      y = x:exp()
      change(y)
      assert.matches("given another shape", failure(function() y:sum():backward() end))
    end
  end)

  it("a result of other elements passes its gradient on", function()
    local x = leaf {1, 2}
    local y = x * 2
    y.data = nl.tensor {5.0, 7.0}
    local z = (y * y):sum()
    y.data = nl.tensor({1.0, 1.0}, {dtype = nl.float64})
    z:backward {retain_graph = true}
    near({20, 28}, x.grad)
    x.grad = nil
    ;(y * y):sum():backward()
    near({4, 4}, x.grad)
    assert.equal(nl.float32, x.grad.dtype)
  end)

  it("a view of what got other elements is a tensor of its own", function()
    local x = leaf {1, 2, 3, 4}
    local y = x * 1
    local v = y[{{3, 4}}]
    y.data = nl.ones(1)
    v:mul_(3)
    v:sum():backward()
    near({0, 0, 3, 3}, x.grad)
    near({9, 12}, v)
    near({1}, y)
  end)

  it("a view that got other elements is none any more", function()
    local x = leaf {1, 2, 3, 4}
    local y = x * 1
    local v = y[{{3, 4}}]
    v.data = nl.tensor {7.0, 8.0}
    v:mul_(2)
    near({1, 2, 3, 4}, y)
    ;(y:sum() + v:sum()):backward()
    near({1, 1, 3, 3}, x.grad)
  end)

  it("elements are checked where they are saved", function()
    local x = leaf {1, 2}
    local h = x * 1
    local y = h * h
    local old = h:detach()
    h.data = nl.tensor {5.0, 6.0}
    nl.no_grad(function() h:add_(1) end)
    y:sum():backward()
    near({2, 4}, x.grad)
    x.grad = nil
    h = x * 1
    y = h * h
    old = h:detach()
    h.data = nl.tensor {5.0, 6.0}
    old:add_(1)
    assert.matches("changed in place", failure(function() y:sum():backward() end))
  end)

  it("a net may move to another dtype between forward and backward", function()
    local net = nl.nn.Linear(3, 2)
    local weight = net.weight:clone():detach()
    local x = leaf {{1, 2, 3}}
    local y = net(x):sum()
    net:double()
    y:backward()
    near(weight:sum(1, true):tolist(), x.grad)
    assert.equal(nl.float64, net.weight.grad.dtype)
    near({{1, 2, 3}, {1, 2, 3}}, net.weight.grad)
  end)
end)

describe("views made under no_grad", function()
  it("get no gradient, as there is nothing behind them", function()
    local x = leaf {1, 2}
    local y = x * 1
    local v = nl.no_grad(function() return y[1] end)
    local z = v * y[2]
    z:backward()
    near({0, 1}, x.grad)
    assert.is_nil(v.grad)
    assert.matches("has no graph", failure(function() v:backward() end))
    assert.matches("input 1 doesn't require a gradient", failure(function() nl.autograd.grad(z, v) end))
  end)
end)

describe("a leaf that is a view", function()
  it("can't be changed through views of it", function()
    local v = nl.ones(2):view(2)
    v:requires_grad_()
    assert.matches("a view of a leaf that requires a gradient", failure(function() v[1] = 2 end))
    assert.matches("a leaf that requires a gradient", failure(function() v:mul_(2) end))
    nl.no_grad(function() v[1] = 2 end)
    near({2, 1}, v)
  end)

  it("is none any more when its base is changed in place by what was computed from it", function()
    local b = nl.ones(2)
    local v = b:view(2)
    v:requires_grad_()
    local y = v * 2
    b:add_(y)
    assert.is_false(v.is_leaf)
    assert.matches("a leaf that is none any more", failure(function() b:sum():backward() end))
    near({3, 3}, b)
  end)

  it("is none any more when it is changed in place by what was computed from it while it was one", function()
    local x = nl.ones(2):requires_grad_()
    local y = x * 2
    x:requires_grad_(false)
    x:add_(y)
    assert.is_false(x.is_leaf)
    assert.matches("a leaf that is none any more", failure(function() x:sum():backward() end))
    near({3, 3}, x)
  end)

  it("follows its base when that is changed in place", function()
    local b, w = nl.ones(2), leaf {3, 4}
    local v = b:view(2)
    v:requires_grad_()
    b:mul_(w)
    v:sum():backward()
    near({1, 1}, w.grad)
  end)
end)

describe("a gradient that is kept", function()
  it("is no seed of the user's", function()
    local x = leaf {1, 2}
    local y = x * 2
    y:retain_grad()
    y:backward(y)
    near({2, 4}, y.grad)
    assert.is_false(rawequal(y, y.grad))
    nl.no_grad(function() y:add_(1) end)
    near({2, 4}, y.grad)
    near({4, 8}, x.grad)
  end)

  it("sums up in a tensor of its own", function()
    local x = leaf {1, 2}
    local y = x * 2
    y:retain_grad()
    y:sum():backward {retain_graph = true}
    local first = y.grad
    y:sum():backward()
    near({1, 1}, first)
    near({2, 2}, y.grad)
  end)
end)
