-- The aliases at a module's border, on which full backward hooks are built.
local nl = require "nnlua"
local tensors = require "support.tensors"

local leaf, near = tensors.leaf, tensors.assert_near
local border, reserve = nl.autograd._border, nl.autograd._reserve_sequence

-- Calls f(inputs…) within a border; on_inputs and on_outputs get the gradients.
local function within(f, args, on_inputs, on_outputs)
  args.n = #args
  local sequence = reserve()
  local inputs, entry = border(args, on_inputs, sequence)
  local outputs = border(table.pack(f(table.unpack(inputs, 1, inputs.n))), on_outputs or print, nil, entry)
  return table.unpack(outputs, 1, outputs.n)
end

local function ignore() end

describe("a border", function()
  it("tells the gradients of inputs and outputs, and other values pass", function()
    local x = leaf {1, 2}
    local seen = {}
    local y, text = within(function(a, k, s) return a * k, s end, {x, nl.full({2}, 3.0), "s"},
      function(g) table.insert(seen, g) end, function(g) table.insert(seen, g) end)
    assert.equal("s", text)
    assert.is_false(rawequal(x, y));
    (y * 2):sum():backward()
    near({2, 2}, seen[1][1])
    assert.equal(nl.none, seen[1][2])
    near({6, 6}, seen[2][1])
    assert.same({nl.none, nl.none, 3}, {seen[2][2], seen[2][3], seen[2].n})
    near({6, 6}, x.grad)
  end)

  it("can replace them", function()
    local x = leaf {1, 2}
    local y = within(function(a) return a * 3 end, {x}, function(g) return {g[1] + 1} end,
      function(g) return {g[1] * 10} end)
    y:sum():backward()
    near({31, 31}, x.grad)
  end)

  it("is told after every node made within, even if no input wants a gradient", function()
    local w = leaf {1}
    local order = {}
    local y = within(function(a)
      local h = a * w
      h:register_hook(function() table.insert(order, "within") end)
      return h
    end, {nl.ones(1)}, function(g) table.insert(order, g[1] == nl.none and "inputs: none") end,
      function() table.insert(order, "outputs") end)
    y:backward()
    assert.same({"outputs", "within", "inputs: none"}, order)
  end)

  it("is told when no gradient reaches an input", function()
    local x, w = leaf {1}, leaf {2}
    local given
    within(function(a) return a:detach() * w end, {x}, function(g) given = g[1] end, ignore):backward()
    assert.equal(nl.none, given)
    assert.is_nil(x.grad)
  end)

  it("isn't told if only a weight's gradient is asked for", function()
    local x, w = leaf {1}, leaf {2}
    local count = 0
    local y = within(function(a) return a * w end, {x}, function() count = count + 1 end, ignore)
    nl.autograd.grad(y, w, {retain_graph = true})
    assert.equal(0, count)
    nl.autograd.grad(y, x)
    assert.equal(1, count)
  end)

  it("allows changes in place within and after, and sees their gradients", function()
    local x = leaf {1, 2}
    local h = x * 1
    local seen = {}
    local y = within(function(a) return a:mul_(3) end, {h},
      function(g) seen.input = g[1]:tolist() end, function(g) seen.output = g[1]:tolist() end)
    y:mul_(5)
    near({15, 30}, h);
    (y * 2):sum():backward()
    assert.same({output = {10, 10}, input = {30, 30}}, seen)
    near({30, 30}, x.grad)
  end)

  it("nests", function()
    local x = leaf {1}
    local order = {}
    local function note(name) return function() table.insert(order, name) end end
    local y = within(function(a)
      local b = within(function(c) return c * 2 end, {a}, note "first", ignore)
      return within(function(c) return c * 3 end, {b}, note "second", ignore)
    end, {x}, note "outer", ignore)
    y:backward()
    assert.same({"second", "first", "outer"}, order)
    near({6}, x.grad)
  end)

  it("works under create_graph", function()
    local x = leaf({2}, nl.float64)
    local count = 0
    local y = within(function(a) return a * a * a end, {x}, function(g) count = count + 1 return {g[1] * 2} end, ignore)
    local g = nl.autograd.grad(y, x, {create_graph = true})
    near({24}, g)
    near({24 + 24}, (nl.autograd.grad(g, x)))
    assert.is_true(count >= 1)
  end)

  it("gives the values themselves where nothing is recorded", function()
    local x = leaf {1}
    nl.no_grad(function()
      local values, node = border({x, 2}, print, reserve())
      assert.is_true(rawequal(x, values[1]))
      assert.is_nil(node)
    end)
  end)
end)
