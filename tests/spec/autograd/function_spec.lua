-- Functions with a backward of their own.
local nl = require "nnlua"
local tensors = require "support.tensors"

local leaf, near, failure = tensors.leaf, tensors.assert_near, tensors.failure

-- A Function whose forward and backward are given.
local function define(forward, backward, name)
  local F = nl.autograd.Function(name or "Test")
  F.forward, F.backward = forward, backward
  return F.apply
end

local function double(_, dy) return dy * 2 end

describe("autograd.Function", function()
  local Exp = nl.autograd.Function("Exp")
  function Exp.forward(ctx, x)
    local y = x:exp()
    ctx:save_for_backward(y)
    return y
  end
  function Exp.backward(ctx, dy)
    return dy * ctx.saved_tensors[1]
  end

  it("F1: runs forward without, backward with recording only under create_graph", function()
    local seen = {}
    local square = define(function(ctx, x)
      table.insert(seen, nl.is_grad_enabled())
      ctx:save_for_backward(x)
      return x * x
    end, function(ctx, dy)
      table.insert(seen, nl.is_grad_enabled())
      return dy * ctx.saved_tensors[1] * 2
    end)
    local x = leaf {1, 2}
    square(x):sum():backward()
    near({2, 4}, x.grad)
    nl.autograd.grad(square(x):sum(), x, {create_graph = true})
    assert.same({false, false, false, true}, seen)
    assert.is_true(nl.is_grad_enabled())
  end)

  it("F1: can be differentiated again", function()
    local x = leaf({0, 1}, nl.float64)
    local y = Exp.apply(x)
    assert.equal("ExpBackward", y.grad_fn:name())
    for _ = 1, 3 do
      y = nl.autograd.grad(y:sum(), x, {create_graph = true})
      near({1, math.exp(1)}, y)
    end
  end)

  it("F1: may leave the context to setup_context", function()
    local Scale = nl.autograd.Function("Scale")
    function Scale.forward(x, factor) return x * factor, x + factor end
    function Scale.setup_context(ctx, inputs, first, second)
      assert(inputs.n == 2 and tensors and first and second)
      ctx.factor = inputs[2]
    end
    function Scale.backward(ctx, da, db) return da * ctx.factor + db, nil end
    local x = leaf {1, 2}
    local a, b = Scale.apply(x, 3)
    near({3, 6}, a)
    near({4, 5}, b);
    (a + b * 10):sum():backward()
    near({13, 13}, x.grad)
  end)

  it("F1: forward may yield", function()
    local identity = define(function(_, x)
      coroutine.yield(nl.is_grad_enabled())
      return x * 1
    end, function(_, dy) return dy end)
    local x = leaf {1}
    local co = coroutine.wrap(function() return identity(x) end)
    assert.is_false(co())
    assert.is_true(nl.is_grad_enabled())
    assert.is_true(co().requires_grad)
  end)

  it("F1: an error in forward leaves the mode as it was", function()
    assert.matches("no", failure(define(function() error "no" end), leaf {1}))
    assert.is_true(nl.is_grad_enabled())
  end)

  it("F1: a parent lends what is missing", function()
    local Child = nl.autograd.Function("Child", Exp)
    function Child.backward(_, dy) return dy * 100 end
    local x = leaf {0}
    Child.apply(x):sum():backward()
    near({100}, x.grad)
  end)

  it("F2: backward returns a gradient an input; nil for none, more nils are fine", function()
    local x, y = leaf {1, 2}, leaf {3, 4}
    local f = define(function(_, a, b) return a * b end, function(_, dy) return dy * 5, nil, nil end)
    f(x, y):sum():backward()
    near({5, 5}, x.grad)
    assert.is_nil(y.grad)
  end)

  it("F2: a wrong number, type or shape is an error", function()
    local x = leaf {1, 2}
    local function message(backward)
      return failure(function() define(function(_, a) return a * 1 end, backward)(x, 1):sum():backward() end)
    end
    assert.matches("TestBackward returned 1 gradients for 2 inputs", message(function(_, dy) return dy end))
    assert.matches("returned 3 gradients for 2 inputs", message(function(_, dy) return dy, nil, dy end))
    assert.matches("no tensor as gradient 1 but string", message(function() return "x", nil end))
    assert.matches("shape %(3%) for input 1, which has shape %(2%)", message(function() return nl.ones(3), nil end))
  end)

  it("F2: a broadcast gradient is summed, one of another dtype cast", function()
    local x = leaf {1, 2}
    local f = define(function(_, a) return a * 1 end, function() return nl.ones(4, 2, {dtype = nl.float64}) end)
    f(x):sum():backward()
    near({4, 4}, x.grad)
    assert.equal(nl.float32, x.grad.dtype)
  end)

  it("F2: without a backward it fails at backward", function()
    local y = define(function(_, a) return a * 1 end)(leaf {1})
    assert.matches("has no backward", failure(function() y:backward() end))
  end)

  it("F3: saves tensors or nil, once", function()
    local x = leaf {1}
    assert.matches("argument 1: a tensor expected, got number",
      failure(define(function(ctx, a) ctx:save_for_backward(3) return a * 1 end), x))
    assert.matches("can be called once", failure(define(function(ctx, a)
      ctx:save_for_backward(a)
      ctx:save_for_backward(a)
    end), x))
    local saved
    define(function(ctx, a)
      ctx:save_for_backward(nil, a, nil)
      return a * 1
    end, function(ctx, dy)
      saved = ctx.saved_tensors
      return dy
    end)(x):backward()
    assert.equal(3, saved.n)
    assert.is_nil(saved[1])
    assert.is_true(rawequal(x, saved[2]))
  end)

  it("F3: notices what was changed since", function()
    local x = leaf {1, 2}
    local y = Exp.apply(x)
    y:mul_(2)
    assert.matches("ExpBackward: saved tensor 1 was changed in place", failure(function() y:sum():backward() end))
  end)

  it("F3: notices what was freed", function()
    local x = leaf {1, 2}
    local y = Exp.apply(x):sum()
    y:backward {retain_graph = true}
    y:backward()
    assert.matches("freed by an earlier backward", failure(function() y:backward() end))
  end)

  it("F3: needs_input_grad tells which inputs want one", function()
    local needs
    define(function(ctx, ...)
      needs = ctx.needs_input_grad
      return (...) * 1
    end)(leaf {1}, nl.ones(1), 3)
    assert.same({true, false, false}, needs)
  end)

  it("F4: a changed input is the same tensor, with a new history", function()
    local triple = define(function(ctx, a)
      a:mul_(3)
      ctx:mark_dirty(a)
      return a
    end, function(_, dy) return dy * 3 end)
    local x = leaf {1, 2}
    local h = x * 1
    local y = triple(h)
    assert.is_true(rawequal(h, y))
    assert.is_true(h._version > 0)
    assert.equal("TestBackward", h.grad_fn:name());
    (h * h):sum():backward()
    near({18, 36}, x.grad)
    assert.matches("a leaf that requires a gradient", failure(triple, leaf {1}))
  end)

  it("F4: must be returned", function()
    local f = define(function(ctx, a)
      ctx:mark_dirty(a)
      return a * 1
    end)
    assert.matches("marked by mark_dirty must be returned", failure(f, leaf {1} * 1))
  end)

  it("F4: a view changes its base", function()
    local triple = define(function(ctx, a)
      a:mul_(3)
      ctx:mark_dirty(a)
      return a
    end, function(_, dy) return dy * 3 end)
    local x = leaf {{1, 2}, {3, 4}}
    local b = x * 1
    triple(b[1])
    b:sum():backward()
    near({{3, 3}, {1, 1}}, x.grad)
  end)

  it("F5: an input that is returned is another tensor of the same storage", function()
    local identity = define(function(_, a) return a end, double)
    local x = leaf {1, 2}
    local y = identity(x)
    assert.is_false(rawequal(x, y))
    assert.equal("TestBackward", y.grad_fn:name())
    y:sum():backward()
    near({2, 2}, x.grad)
    assert.matches("returned by a custom function", failure(function() identity(x * 1):mul_(2) end))
  end)

  it("F5: a view of an input can't be changed in place either", function()
    local y = define(function(_, a) return a:view(2, 1) end, function(_, dy) return dy:view(2) end)(leaf {1, 2} * 1)
    assert.matches("returned by a custom function", failure(function() y:mul_(2) end))
    y:sum():backward()
  end)

  it("F6: results marked so require nothing, and bring zeros", function()
    local given
    local f = define(function(ctx, a)
      local b = a * 2
      ctx:mark_non_differentiable(b)
      return a * 1, b, "text"
    end, function(_, ...)
      given = table.pack(...)
      return (...)
    end)
    local y, z, text = f(leaf {1, 2})
    assert.is_false(z.requires_grad)
    assert.equal("text", text)
    y:sum():backward()
    near({0, 0}, given[2])
    assert.is_nil(given[3])
    assert.equal(3, given.n)
  end)

  it("F6: integer results require nothing", function()
    local _, index = define(function(_, a) return a * 1, nl.tensor {1, 2} end)(leaf {1, 2})
    assert.is_false(index.requires_grad)
  end)

  it("F6: missing gradients come as zeros, or as nil if that is wanted", function()
    local given
    local function backward(_, ...)
      given = table.pack(...)
      return (...)
    end
    local function two(a) return a * 1, a * 2 end
    define(function(_, a) return two(a) end, backward)(leaf {1, 2}):sum():backward()
    near({0, 0}, given[2])
    define(function(ctx, a)
      ctx:set_materialize_grads(false)
      return two(a)
    end, backward)(leaf {1, 2}):sum():backward()
    assert.is_nil(given[2])
    assert.equal(2, given.n)
  end)

  it("F7: once_differentiable runs without recording and refuses the second time", function()
    local enabled
    local f = define(function(_, a) return a * a end, nl.autograd.once_differentiable(function(_, dy)
      enabled = nl.is_grad_enabled()
      return dy * 7
    end))
    local x = leaf {1, 2}
    f(x):sum():backward()
    near({7, 7}, x.grad)
    local g = nl.autograd.grad((f(x) * x):sum(), x, {create_graph = true})
    assert.is_false(enabled)
    near({8, 18}, g)
    assert.matches("once_differentiable", failure(nl.autograd.grad, g:sum(), x))
  end)

  it("without gradients is an ordinary call", function()
    local x = nl.ones(2)
    local f = define(function(_, a) return a end)
    assert.is_true(rawequal(x, f(x)))
    assert.is_false(nl.no_grad(f, leaf {1}).requires_grad)
  end)

  it("takes other tensors than its arguments without a gradient", function()
    local w, x = leaf {2}, leaf {3}
    local y = define(function(_, a) return a * w end, double)(x)
    y:backward()
    near({2}, x.grad)
    assert.is_nil(w.grad)
  end)

  it("an error in backward keeps its value", function()
    local value = {}
    local y = define(function(_, a) return a * 1 end, function() error(value) end)(leaf {1})
    assert.equal(value, failure(function() y:backward() end))
  end)

  it("nested: backward may call other functions and backward itself", function()
    local x, other = leaf {1}, leaf {3}
    local f = define(function(_, a) return a * 1 end, function(_, dy)
      nl.enable_grad(function() Exp.apply(other * 0):sum():backward() end)
      return dy + other.grad
    end)
    f(x):backward()
    near({1}, x.grad)
    near({0}, other.grad)
  end)
end)
