-- Grad modes: their two forms, their reach, and what they mean for results.
local nl = require "nnlua"
local tensors = require "support.tensors"

local leaf, near, failure = tensors.leaf, tensors.assert_near, tensors.failure

local function collect()
  collectgarbage()
  collectgarbage()
end

describe("grad modes", function()
  it("G1: run a function and pass its results on", function()
    assert.same({false, 1, nil, 3, n = 4}, table.pack(nl.no_grad(function(...)
      return nl.is_grad_enabled(), ...
    end, 1, nil, 3)))
    assert.is_true(nl.is_grad_enabled())
  end)

  it("G1: take what can be called, and refuse the rest", function()
    local callable = setmetatable({}, {__call = function(_, x) return x, nl.is_grad_enabled() end})
    assert.same({5, false}, {nl.no_grad(callable, 5)})
    assert.matches("no_grad: a function was expected, got number", failure(nl.no_grad, 5))
    assert.matches("set_grad_enabled: true or false", failure(nl.set_grad_enabled, 1))
  end)

  it("G1: cover the rest of a block", function()
    do
      local _ <close> = nl.no_grad()
      assert.is_false(nl.is_grad_enabled())
      do
        local _ <close> = nl.enable_grad()
        assert.is_true(nl.is_grad_enabled())
      end
      assert.is_false(nl.is_grad_enabled())
    end
    assert.is_true(nl.is_grad_enabled())
  end)

  it("G1: end with an error", function()
    assert.is_false(pcall(nl.no_grad, error, "x"))
    assert.is_true(nl.is_grad_enabled())
    pcall(function()
      local _ <close> = nl.no_grad()
      error "x"
    end)
    assert.is_true(nl.is_grad_enabled())
  end)

  it("G1: set_grad_enabled acts as a plain call, a block and a function", function()
    nl.set_grad_enabled(false)
    collect()
    assert.is_false(nl.is_grad_enabled())
    nl.set_grad_enabled(true)
    assert.is_true(nl.is_grad_enabled())
    do
      local _ <close> = nl.set_grad_enabled(false)
      assert.is_false(nl.is_grad_enabled())
    end
    assert.is_true(nl.is_grad_enabled())
    assert.is_false(nl.set_grad_enabled(false, nl.is_grad_enabled))
    assert.is_true(nl.is_grad_enabled())
  end)

  it("G1: a plain setting within a block ends with the block", function()
    do
      local _ <close> = nl.no_grad()
      nl.set_grad_enabled(true)
      assert.is_true(nl.is_grad_enabled())
      nl.set_grad_enabled(false)
    end
    assert.is_true(nl.is_grad_enabled())
  end)

  it("belong to the coroutine that opened them", function()
    local co = coroutine.wrap(function()
      local _ <close> = nl.no_grad()
      coroutine.yield(nl.is_grad_enabled())
      coroutine.yield(nl.is_grad_enabled())
    end)
    assert.is_false(co())
    assert.is_true(nl.is_grad_enabled())
    assert.is_false(co())
    assert.is_true(nl.is_grad_enabled())
    co()
    assert.is_true(nl.is_grad_enabled())
  end)

  it("reach the coroutines that it resumes, whose own come last", function()
    local function enabled() return nl.is_grad_enabled() end
    assert.is_false(nl.no_grad(function() return coroutine.wrap(enabled)() end))
    local co = coroutine.wrap(function()
      local _ <close> = nl.enable_grad()
      coroutine.yield()
      coroutine.yield(nl.is_grad_enabled())
    end)
    co()
    assert.is_true(nl.no_grad(co))
  end)

  it("let a function yield", function()
    local co = coroutine.wrap(function()
      return nl.no_grad(function(a)
        local b = coroutine.yield(nl.is_grad_enabled())
        return nl.is_grad_enabled(), a, b
      end, 1)
    end)
    assert.is_false(co())
    assert.is_true(nl.is_grad_enabled())
    assert.same({false, 1, 2}, {co(2)})
    assert.is_true(nl.is_grad_enabled())
  end)

  it("go with a coroutine that is dropped or closed", function()
    local co = coroutine.create(function()
      local _ <close> = nl.no_grad()
      coroutine.yield()
    end)
    coroutine.resume(co)
    coroutine.close(co)
    assert.is_true(nl.is_grad_enabled())
    co = coroutine.create(function()
      nl.set_grad_enabled(false)
      local _ <close> = nl.no_grad()
      coroutine.yield()
    end)
    coroutine.resume(co)
    co = nil
    collect()
    assert.is_true(nl.is_grad_enabled())
    assert.is_true((leaf {1} * 2).requires_grad)
  end)

  it("a token that is dropped is taken back", function()
    local token = nl.no_grad()
    assert.is_false(nl.is_grad_enabled())
    token = nil
    collect()
    assert.is_nil(token)
    assert.is_true(nl.is_grad_enabled())
  end)

  it("closing in any order is fine", function()
    local a, b = nl.no_grad(), nl.enable_grad()
    a:close()
    assert.is_true(nl.is_grad_enabled())
    a, b = nl.no_grad(), (b:close())
    assert.is_false(nl.is_grad_enabled())
    a:close()
    a:close()
    assert.is_true(nl.is_grad_enabled())
  end)

  it("of a caller of backward don't reach the code that backward runs", function()
    local x = leaf {1}
    local seen = {}
    x:register_hook(function() table.insert(seen, nl.is_grad_enabled()) end)
    local loss = (x * x):sum()
    nl.enable_grad(function() loss:backward {retain_graph = true} end)
    nl.no_grad(function() loss:backward {create_graph = true} end)
    assert.same({false, true}, seen)
    x.grad = nil
  end)
end)

describe("tokens that are used again", function()
  it("keep nothing of the last use", function()
    local function modes() return nl.is_grad_enabled(), nl.is_inference_mode_enabled() end
    for _ = 1, 3 do
      assert.same({false, false}, {nl.no_grad(modes)})
      assert.same({true, false}, {nl.no_grad(nl.enable_grad, modes)})
      assert.same({false, true}, {nl.inference_mode(modes)})
      assert.same({false, false}, {nl.set_grad_enabled(false, modes)})
      assert.same({true, false}, {modes()})
    end
  end)

  it("belong to who runs with them, in turns of coroutines and after errors", function()
    local function asked()
      for _ = 1, 2 do coroutine.yield(nl.is_grad_enabled()) end
      return nl.is_grad_enabled()
    end
    for _ = 1, 3 do
      local off = coroutine.wrap(function() return nl.no_grad(asked) end)
      local on = coroutine.wrap(function() return nl.no_grad(nl.enable_grad, asked) end)
      for _ = 1, 3 do
        assert.is_false(off())
        assert.is_true(on())
        assert.is_false(pcall(nl.no_grad, error, "out"))
        assert.is_false(nl.no_grad(nl.is_grad_enabled))
        assert.is_true(nl.is_grad_enabled())
      end
    end
  end)

  it("and scopes make no userdata in a steady loop", function()
    local function nothing() end
    local function round()
      nl.no_grad(nothing)
      nl.inference_mode(nl.enable_grad, nothing)
      nl.scope(nothing)
      nl.scope(nl.no_grad, nothing)
    end
    round()
    collectgarbage()
    collectgarbage "stop"
    local before = collectgarbage "count"
    for _ = 1, 1000 do round() end
    local grown = collectgarbage "count" - before
    collectgarbage "restart"
    assert.is_true(grown < 16, ("%.1f KB"):format(grown))
  end)
end)

describe("no_grad", function()
  it("G2: gives results that require nothing, but what asks for it does", function()
    local x = leaf {1, 2}
    local y, z = nl.no_grad(function() return x * 2, nl.ones(2, {requires_grad = true}) end)
    assert.is_false(y.requires_grad)
    assert.is_true(y.is_leaf)
    assert.is_true(z.requires_grad)
  end)

  it("G2: gives views that still require a gradient, without a node", function()
    local x = leaf {{1, 2}, {3, 4}}
    local v, d = nl.no_grad(function() return x[1], x:detach() end)
    assert.is_true(v.requires_grad)
    assert.is_nil(v.grad_fn)
    assert.is_false(d.requires_grad)
  end)
end)

describe("inference mode", function()
  it("G3: gives tensors without versions", function()
    local x = leaf {1, 2}
    local y = nl.inference_mode(function() return x * 2 end)
    assert.is_false(y.requires_grad)
    assert.matches("no version counter", failure(function() return y._version end))
    assert.is_false(nl.is_inference_mode_enabled())
  end)

  it("G3: they can't be saved for a backward, but used where nothing is saved", function()
    local x = leaf {1, 2}
    local y = nl.inference_mode(function() return nl.ones(2) end)
    assert.matches("inference mode can't be saved", failure(function() return x * y end))
    near({2, 3}, x + y)
    near({1, 2}, x * y:clone())
  end)

  it("G3: they can't be changed in place or require a gradient outside", function()
    local y = nl.inference_mode(function() return nl.ones(2) end)
    assert.matches("inference mode can't be changed in place", failure(function() y:add_(1) end))
    assert.matches("inference mode can't require", failure(function() y.requires_grad = true end))
    nl.inference_mode(function() y:add_(1) end)
    near({2, 2}, y)
  end)

  it("G3: enable_grad inside doesn't record; inference_mode(false) does", function()
    local x = leaf {1, 2}
    nl.inference_mode(function()
      assert.is_true(nl.is_inference_mode_enabled())
      nl.enable_grad(function()
        assert.is_true(nl.is_grad_enabled())
        assert.is_false((x * 2).requires_grad)
      end)
      nl.inference_mode(false, function()
        assert.is_false(nl.is_inference_mode_enabled())
        assert.is_true((x * 2).requires_grad)
      end)
    end)
    do
      local _ <close> = nl.inference_mode()
      assert.is_false((x * 2).requires_grad)
    end
    assert.is_true((x * 2).requires_grad)
  end)

  it("G3: a normal tensor changed inside counts its version", function()
    local x = nl.ones(2)
    nl.inference_mode(function() x:add_(1) end)
    assert.equal(1, x._version)
  end)
end)
