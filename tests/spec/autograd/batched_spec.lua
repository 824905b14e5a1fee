-- autograd.grad with is_grads_batched: rows of gradients at once, as one call a row gives them.
local nl = require "nnlua"
local grad = nl.autograd.grad

describe("autograd.grad with is_grads_batched", function()
  it("gives a Jacobian's rows for the rows of a unit matrix", function()
    local x = nl.tensor({1.0, 2.0, 3.0}, {requires_grad = true})
    local y = x * x
    local jacobian = grad(y, x, {grad_outputs = nl.eye(3), is_grads_batched = true})
    assert.same({{2, 0, 0}, {0, 4, 0}, {0, 0, 6}}, jacobian:tolist())
    assert.has_error(function() grad(y, x, nl.ones(3)) end) -- the graph has been freed
  end)

  it("takes several outputs and inputs, and leaves out what is not used", function()
    local a, b, c = nl.ones(2, {requires_grad = true}), nl.ones(2, {requires_grad = true}),
      nl.ones(2, {requires_grad = true})
    local list = grad({a * 2, a * b}, {a, b, c}, {nl.ones(4, 2), nl.ones(4, 2)},
      {is_grads_batched = true, allow_unused = true, as_table = true})
    assert.same({n = 3, true, true}, {n = list.n, list[1]:eq(3):all():item(), list[2]:eq(1):all():item()})
    assert.same({4, 2}, {table.unpack(list[1].shape)})
    assert.is_nil(list[3])
  end)

  it("can be differentiated again", function()
    local x = nl.tensor({1.0, 2.0}, {requires_grad = true})
    local rows = grad(x ^ 3, x, {grad_outputs = nl.eye(2), is_grads_batched = true, create_graph = true})
    assert.same({6, 12}, grad(rows:sum(), x):tolist())
  end)

  it("raises where only some rows reach an input", function()
    local calls, Moody = 0, nl.autograd.Function "Moody"
    function Moody.forward(_, x) return x * 2 end
    function Moody.backward(_, dy)
      calls = calls + 1
      if calls == 3 then return nil end
      return dy * 2
    end
    local x = nl.ones(2, {requires_grad = true})
    assert.error_matches(function()
      grad(Moody.apply(x), {x}, {grad_outputs = nl.ones(4, 2), is_grads_batched = true, allow_unused = true})
    end, "row 3")
  end)

  it("says what it needs", function()
    local x = nl.ones(2, {requires_grad = true})
    assert.error_matches(function() grad(x * 2, x, {is_grads_batched = true}) end, "'grad_outputs' is needed")
    assert.error_matches(function() grad(x * 2, x, {grad_outputs = nl.ones({}), is_grads_batched = true}) end,
      "number of rows")
    assert.error_matches(function() grad(x * 2, x, {grad_outputs = nl.ones(2, 3), is_grads_batched = true}) end,
      "shape")
  end)
end)
