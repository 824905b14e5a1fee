-- No script may bring the process down: what fuzzing has found, one case each.
local nl = require "nnlua"
local process = require "support.process"

local function collect()
  for _ = 1, 4 do collectgarbage() end
end

local function alive()
  collect()
  local stats = nl.memory_stats()
  return stats.tensors, stats.nodes
end

local function leaks_nothing(f)
  f()
  local tensors, nodes = alive()
  for _ = 1, 3 do f() end
  assert.same({tensors, nodes}, {alive()})
end

describe("finalizers", function()
  -- What a finalizer makes of a tensor that is garbage like its owner, and younger.
  local program = [[
    local nl = require "nnlua"
    local seen, results
    do
      local owner = setmetatable({}, {__gc = function(self)
        seen, results = self, {}
        for _, f in ipairs {
          function() return self.x.shape end, function() return self.x + 1 end, function() return self.x[1] end,
          function() self.x[1] = 2 end, function() self.x.data = nl.ones(1) end, function() return #self.x end,
          function() return self.x < self.x end, function() return -self.x end, function() return tostring(self.x) end,
        } do table.insert(results, tostring((pcall(f)))) end
      end})
      owner.x = nl.ones(3)
    end
    collectgarbage() collectgarbage()
    for _, f in ipairs {
      function() return nl.cat({seen.x, seen.x}) end, function() return nl.ones(1):expand(3) + seen.x end,
    } do table.insert(results, tostring((pcall(f)))) end
    print(table.concat(results, " "))
  ]]

  it("see a tensor that is garbage as it was", function()
    local result = process.run {process.nnlua, "-e", program}
    assert.equal("true true true true true true true true true true true\n", result.stdout .. result.stderr)
  end)

  if not process.is_sanitized() then -- the stock Lua can't load a sanitized module
    it("see a tensor that was collected before them as no tensor, under the stock Lua", function()
      local cpath = process.nnlua:match "^(.*)/" .. "/?.so"
      local result = process.run({process.lua, "-e", program}, {env = {LUA_CPATH = cpath}})
      assert.equal("false false false false false false false false false false false\n",
        result.stdout .. result.stderr)
    end)
  end

  it("are out of a script's reach", function()
    assert.equal("nnlua.Tensor", getmetatable(nl.ones(1)))
    assert.equal("nnlua.Node", getmetatable((nl.ones(1, {requires_grad = true}) * 2).grad_fn))
  end)

  it("may change the tables of arguments that are in use", function()
    local mode = collectgarbage("incremental", 1, 1000, 1)
    for _ = 1, 300 do
      local list = {nl.ones(100), nl.ones(100), nl.ones(100)}
      local named = {input = nl.ones(100), other = nl.ones(100)}
      setmetatable({}, {__gc = function()
        for i = 1, 3 do list[i] = nil end
        named.input, named.other = 1, 2
      end})
      pcall(nl.cat, list)
      pcall(nl.add, named)
    end
    collectgarbage(mode)
    collectgarbage("incremental", 200, 100, 13)
    collectgarbage(mode)
  end)

  it("may use coroutines and modes of their own while an op runs", function()
    for _ = 1, 300 do
      setmetatable({}, {__gc = function()
        coroutine.wrap(function()
          local _ <close> = nl.no_grad()
          return nl.ones(10) * 2
        end)()
      end})
      local x = nl.ones(20000, {requires_grad = true})
      local y = x * 2
      assert.is_true(y.requires_grad)
      y:register_hook(function(g) return g * 2 end)
      y:sum():backward()
      assert.equal(4, x.grad[1]:item())
    end
  end)
end)

describe("arguments", function()
  it("that are required can't be nl.none by name", function()
    assert.has_error(function() nl.ones(3):transpose({dim0 = nl.none, dim1 = 1}) end)
    assert.has_error(function() nl.matmul({input = nl.none, other = nl.ones(3)}) end)
    assert.has_error(function() nl.add(nl.ones(3), {other = nl.none}) end)
    assert.has_error(function() nl.F.softmax({input = nl.none, dim = 1}) end)
  end)

  it("of lists may have any n", function()
    local x = nl.ones(1, {requires_grad = true})
    for _, n in ipairs {-1, math.mininteger, math.maxinteger, 2 ^ 31} do
      assert.has_error(function() nl.autograd.backward({tensors = {n = n}}) end)
      assert.has_error(function() nl.autograd.grad({outputs = {x, n = n}, inputs = {x}}) end)
    end
  end)

  it("may be sizes and counts that overflow", function()
    local huge = math.maxinteger
    assert.has_error(function() return nl.ones(3)[math.mininteger] end)
    assert.has_error(function() return nl.ones(0, 3):chunk(huge) end)
    assert.has_error(function() return nl.ones(0, 3):chunk(1 << 61) end)
    assert.has_error(function() return nl.zeros(1 << 40, {device = "meta"}):unbind() end)
    assert.has_error(function() return nl.zeros(1 << 40, {device = "meta"}):split(1) end)
    assert.equal(0, nl.ones(0):expand(huge, huge, 0):numel())
    assert.equal(0, nl.ones(3, 0):expand(1 << 62, 3, 0):transpose(1, 2):numel())
  end)

  it("may be divisors that become 0 in the dtype of the operands", function()
    assert.has_error(function() return nl.ones(3, {dtype = nl.uint8}) // 256 end)
    assert.has_error(function() return nl.ones(3, {dtype = nl.int16}):floor_divide(1 << 31) end)
    assert.has_error(function() return nl.ones(3, {dtype = nl.int8}):div(256, {rounding_mode = "trunc"}) end)
  end)

  it("may be a number and a meta tensor without dimensions", function()
    local x = nl.zeros({}, {device = "meta"})
    assert.equal("meta", (2 + x).device.type)
    assert.equal("meta", (-2 // nl.zeros({}, {device = "meta", dtype = nl.float16})).device.type)
    assert.is_false(-1 <= nl.zeros({}, {device = "meta", dtype = nl.uint8}))
  end)
end)

describe("custom functions", function()
  local function two_inputs(forward, backward)
    local F = nl.autograd.Function("F")
    F.forward, F.backward = forward, backward
    local x, y = nl.ones(3, {requires_grad = true}), nl.ones(3, {requires_grad = true})
    return F.apply(x, y), x
  end

  it("leak nothing when one of the gradients doesn't fit", function()
    leaks_nothing(function()
      local z = two_inputs(function(_, x, y) return x * y end, function(_, g) return g * 1, nl.ones(7) end)
      assert.has_error(function() z:sum():backward() end)
      z = two_inputs(function(_, x, y) return x * y end, function(_, g) return nl.ones(2, 3), g end)
      assert.has_error(function() nl.autograd.backward(z:sum(), {retain_graph = 1}) end)
      z:sum():backward()
    end)
  end)

  it("may empty their context", function()
    local z, x = two_inputs(function(ctx, a)
      for k in pairs(ctx) do ctx[k] = nil end
      return a * 2
    end, function(_, g) return g, nil end)
    z:sum():backward()
    assert.equal(1, x.grad[1]:item())
  end)

  it("may return what only their own graph holds, at any moment of the collector", function()
    local mode = collectgarbage("incremental", 1, 1000, 1)
    for _ = 1, 500 do
      local z = two_inputs(function(_, a)
        local _ <close> = nl.enable_grad()
        return a * 2, a:view(-1), a * 4
      end, function(_, g) return g, g end)
      z:sum():backward()
    end
    collectgarbage("incremental", 200, 100, 13)
    collectgarbage(mode)
  end)
end)

describe("hooks", function()
  it("may clear the tables that they get", function()
    local x = nl.ones(3, {requires_grad = true})
    local y = x * 2
    local function clear(t)
      for k in pairs(t) do t[k] = nil end
      collect()
    end
    y.grad_fn:register_prehook(function() return {nl.ones(3) * 5} end)
    y.grad_fn:register_prehook(clear)
    y.grad_fn:register_hook(function(gi)
      local new = {n = gi.n}
      for i = 1, gi.n do new[i] = nl.is_tensor(gi[i]) and gi[i] * 2 or nil end
      return new
    end)
    y.grad_fn:register_hook(function(gi, go)
      clear(gi)
      clear(go)
    end)
    y:sum():backward()
    assert.equal(20, x.grad[1]:item())
  end)

  it("on several tensors are registered on all or on none", function()
    local a, b = nl.ones(3, {requires_grad = true}), nl.ones(3)
    local ran = false
    assert.has_error(function()
      nl.autograd.graph.register_multi_grad_hook({a, b}, function() ran = true end)
    end)
    assert.has_error(function()
      nl.autograd.graph.register_multi_grad_hook({a, 5}, function() ran = true end)
    end)
    a:sum():backward()
    assert.is_false(ran)
  end)

  it("may cut off and replace the tensors of the running backward", function()
    local x = nl.ones(3, {requires_grad = true})
    local y = x * 2
    y:register_hook(function()
      y:detach_()
      x.data, x.grad = nl.ones(7), nil
      y.data = nl.ones(2, 2)
      collect()
    end)
    pcall(y.backward, y, nl.ones(3))
    pcall(y.backward, y, nl.ones(2, 2))
    assert.equal(7, x:numel())
  end)
end)

describe("memory", function()
  it("is freed after changes in place with what shares the result's memory", function()
    leaks_nothing(function()
      local x = nl.ones(3, 3, {requires_grad = true}) * 1
      x:mul_(x)
      x:mul_(x[1])
      x[1]:mul_(x[2])
      pcall(function() x:sum():backward() end)
    end)
    local leaf_view = nl.ones(3, 3)[1]:requires_grad_()
    assert.has_error(function() leaf_view:add_(1) end)
  end)

  it("may run out anywhere while finalizers want tensors", function()
    for k = 1, 60 do
      local x = nl.ones(100, {requires_grad = true})
      local y = (x * x):exp()
      setmetatable({}, {__gc = function()
        x.grad = nil
        x.data = nl.ones(1)
        y:detach_()
      end})
      nl._fail_allocation(k)
      pcall(function() y:sum():backward() end)
      nl._fail_allocation(0)
      pcall(nl.zeros, 1 << 45)
    end
    assert.equal(3, nl.ones(3):sum():item())
  end)

  it("may run out when a tensor gets other data", function()
    local many = nl.ones(1, 1, 1, 1, 1, 1, 1, 1, 1)
    for k = 1, 3 do
      local x = nl.ones(3)
      nl._fail_allocation(k)
      pcall(function() x.data = many end)
      nl._fail_allocation(0)
      assert.is_true(x:dim() == 1 or x:dim() == 9)
    end
  end)

  it("may be looked at for nan on the meta device", function()
    local x = nl.zeros(6, {device = "meta", requires_grad = true})
    nl.autograd.detect_anomaly(function() x:sum():backward() end)
    assert.equal("meta", x.grad.device.type)
  end)
end)
