-- Hooks on tensors and nodes. The items are those of PyTorch's tests of the same.
local nl = require "nnlua"
local tensors = require "support.tensors"

local leaf, near, failure = tensors.leaf, tensors.assert_near, tensors.failure

describe("hooks on tensors", function()
  it("T1: need a tensor that requires a gradient", function()
    assert.matches("register_hook: the tensor doesn't require a gradient", failure(function()
      nl.ones(2):register_hook(print)
    end))
  end)

  it("T1: run in order, each seeing what the one before returned", function()
    local x = leaf {1, 2}
    local h = x * 2
    local seen = {}
    h:register_hook(function(g) table.insert(seen, g:tolist()) return g * 3 end)
    h:register_hook(function(g) table.insert(seen, g:tolist()) end)
    h:register_hook(function(g) return g + 1 end)
    h:sum():backward()
    assert.same({{1, 1}, {3, 3}}, seen)
    near({8, 8}, x.grad)
  end)

  it("T1: must return a tensor of the same shape, dtype and device; the message names the hook", function()
    local function message(hook)
      local h = leaf {1, 2} * 2
      h:register_hook(hook)
      return failure(function() h:sum():backward() end)
    end
    assert.matches("hooks_spec.lua:%d+ returned no tensor but string", message(function() return "g" end))
    assert.matches("shape %(1%) in place of one of shape %(2%)", message(function() return nl.ones(1) end))
    assert.matches("of float64 in place of one of float32", message(function(g) return g:double() end))
    assert.matches("another device", message(function(g) return nl.empty(2, {device = "meta"}) end))
  end)

  it("T1: removing is idempotent and works at once, even from within", function()
    local x = leaf {1}
    local count, second = 0, nil
    local first = x:register_hook(function() count = count + 1 second:remove() end)
    second = x:register_hook(function() count = count + 100 end)
    x:sum():backward()
    assert.equal(1, count)
    first:remove()
    first:remove()
    x:sum():backward()
    assert.equal(1, count)
    do
      local _ <close> = x:register_hook(function() count = count + 10 end)
      x:sum():backward()
    end
    x:sum():backward()
    assert.equal(11, count)
  end)

  it("T2: run once a backward on a leaf, on the whole gradient", function()
    local x = leaf {1, 2}
    local seen = {}
    x:register_hook(function(g) table.insert(seen, g:tolist()) return g * 10 end);
    (x * 2 + x * 3):sum():backward()
    assert.same({{5, 5}}, seen)
    near({50, 50}, x.grad);
    (x * 2):sum():backward()
    assert.equal(2, #seen)
    near({70, 70}, x.grad)
  end)

  it("T3: run for the inputs of autograd.grad too", function()
    local x = leaf {1, 2}
    local h = x * 2
    x:register_hook(function(g) return g + 1 end)
    h:register_hook(function(g) return g * 5 end)
    local dx, dh = nl.autograd.grad(h:sum(), {x, h})
    near({11, 11}, dx)
    near({5, 5}, dh)
    assert.is_nil(x.grad)
  end)

  it("T4: come before retain_grad, whatever came first; then the node, accumulation, and the node's own", function()
    local x = leaf {1, 2}
    local h = x * 2
    local order = {}
    local function note(name, result)
      return function() table.insert(order, name) return result end
    end
    h:retain_grad()
    h.grad_fn:register_hook(note "after the node")
    h.grad_fn:register_prehook(note "before the node")
    h:register_hook(note("hook", nl.full({2}, 7.0)))
    x:register_hook(note "hook of x")
    x:register_post_accumulate_grad_hook(note "accumulated")
    h:sum():backward()
    assert.same({"hook", "before the node", "after the node", "hook of x", "accumulated"}, order)
    near({7, 7}, h.grad)
    near({14, 14}, x.grad)
  end)

  it("T5: belong to the value of the moment, retain_grad to the newest", function()
    local x = leaf {1, 1}
    local h = x * 2
    local old
    h:register_hook(function(g) old = g end)
    h:retain_grad()
    h:mul_(3)
    assert.is_true(h.retains_grad);
    (h * h):sum():backward()
    near({36, 36}, old)
    near({12, 12}, h.grad)
    near({72, 72}, x.grad)
  end)

  it("T6: after accumulation get the leaf itself, may change it, and return nothing", function()
    local x = leaf {1, 2}
    local given, enabled
    x:register_post_accumulate_grad_hook(function(p)
      given, enabled = p, nl.is_grad_enabled()
      p:sub_(p.grad)
      p.grad = nil
    end);
    (x * 3):sum():backward()
    assert.is_true(rawequal(given, x))
    assert.is_false(enabled)
    near({-2, -1}, x)
    assert.is_nil(x.grad)
    nl.autograd.grad((x * 3):sum(), x)
    near({-2, -1}, x)
  end)

  it("T6: after accumulation only on leaves; a result is an error", function()
    assert.matches("result of an operation", failure(function()
      (leaf {1} * 2):register_post_accumulate_grad_hook(print)
    end))
    local x = leaf {1}
    x:register_post_accumulate_grad_hook(function(p) return p end)
    assert.matches("must return nothing", failure(function() x:sum():backward() end))
  end)

  it("T7: on several tensors run once all gradients have come", function()
    local x, y, z = leaf {1}, leaf {2}, leaf {3}
    local calls = {}
    local handle = nl.autograd.graph.register_multi_grad_hook({x, y, z}, function(g) table.insert(calls, g) end)
    local loss = (x * y):sum()
    loss:backward {retain_graph = true}
    loss:backward()
    assert.equal(2, #calls)
    near({2}, calls[1][1])
    near({1}, calls[1][2])
    assert.equal(nl.none, calls[1][3])
    handle:remove();
    (x * y):sum():backward()
    assert.equal(2, #calls)
  end)

  it("T7: on several tensors run at the first gradient with mode any", function()
    local x, y = leaf {1}, leaf {2}
    local calls = {}
    nl.autograd.graph.register_multi_grad_hook({x, y}, function(g) table.insert(calls, g:tolist()) end, "any")
    ;(x * 2 + y * 2):sum():backward()
    ;(y * 5):sum():backward()
    assert.same({{2}, {5}}, calls)
  end)
end)

describe("hooks on nodes", function()
  it("T8: before a node replace the gradients of its results, after it those of its inputs", function()
    local x, y = leaf {1, 2}, leaf {3, 4}
    local h = x * y
    local seen
    h.grad_fn:register_prehook(function(outputs) return {outputs[1] * 2} end)
    h.grad_fn:register_hook(function(inputs, outputs)
      seen = {inputs[1]:tolist(), inputs[2]:tolist(), outputs[1]:tolist()}
      return {inputs[1] * 10, nl.none}
    end)
    h:sum():backward()
    assert.same({{6, 8}, {2, 4}, {2, 2}}, seen)
    near({60, 80}, x.grad)
    assert.is_nil(y.grad)
  end)

  it("T8: must return as many gradients", function()
    local h = leaf {1} * 2
    h.grad_fn:register_hook(function() return {} end)
    assert.matches("returned 0 gradients for 2", failure(function() h:backward() end))
  end)

  it("shows the graph", function()
    local x = leaf {1, 2}
    local y = (x * 2):sum()
    local node = y.grad_fn
    assert.equal("SumBackward", node:name())
    assert.equal("<SumBackward>", tostring(node))
    assert.is_true(node == y.grad_fn)
    local mul = node.next_functions[1][1]
    assert.equal("MulBackward", mul:name())
    assert.equal(nl.none, mul.next_functions[2][1])
    local accumulate = mul.next_functions[1][1]
    assert.equal("AccumulateGrad", accumulate:name())
    near({1, 2}, accumulate.variable)
    assert.matches("no field or method 'nextfunctions'", failure(function() return node.nextfunctions end))
  end)
end)

describe("Lua code inside backward", function()
  it("raises its error value unchanged out of backward", function()
    local x = leaf {1}
    local value = {code = 7}
    x:register_hook(function() error(value) end)
    local loss = (x * 2):sum()
    local ok, err = pcall(loss.backward, loss)
    assert.is_false(ok)
    assert.equal(value, err)
    assert.is_nil(x.grad)
  end)

  it("leaves everything as it was after an error", function()
    local x = leaf {2}
    local fail = true
    local h = x * 3
    h:register_hook(function() if fail then error "no" end end)
    local loss = (h * h):sum()
    assert.is_false(pcall(loss.backward, loss, {retain_graph = true}))
    assert.is_true(nl.is_grad_enabled())
    fail = false
    loss:backward()
    near({36}, x.grad)
  end)

  it("may call ops, backward and grad in turn", function()
    local x, other = leaf {2}, leaf {5}
    local inner
    x:register_hook(function(g)
      assert(not nl.is_grad_enabled())
      nl.enable_grad(function()
        (other * other):sum():backward()
        inner = nl.autograd.grad((other * other * other):sum(), other)
      end)
      return g * other.grad:item()
    end);
    (x * 3):sum():backward()
    near({10}, other.grad)
    near({75}, inner)
    near({30}, x.grad)
  end)

  it("may run an error's course in a nested backward and go on", function()
    local x, other = leaf {2}, leaf {5}
    local message
    local handle = other:register_hook(function() error("inner", 0) end)
    x:register_hook(function()
      nl.enable_grad(function() message = failure(function() (other * 2):sum():backward() end) end)
    end);
    (x * 3):sum():backward()
    assert.equal("inner", message)
    near({3}, x.grad)
    handle:remove()
  end)

  it("can't yield, and says so", function()
    local x = leaf {1}
    x:register_hook(function() coroutine.yield() end)
    local co = coroutine.create(function() (x * 2):sum():backward() end)
    local ok, message = coroutine.resume(co)
    assert.is_false(ok)
    assert.matches("can't yield", message)
  end)

  it("runs in coroutines that hooks resume", function()
    local x = leaf {1}
    x:register_hook(function(g)
      local co = coroutine.wrap(function()
        local doubled = g * 2
        coroutine.yield()
        return doubled + 1
      end)
      co()
      return co()
    end);
    (x * 3):sum():backward()
    near({7}, x.grad)
  end)
end)
