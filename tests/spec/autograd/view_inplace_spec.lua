-- In-place forms of views: the tensor changes its shape and strides and stays the same tensor. Expected values are
-- PyTorch's.
local nl = require "nnlua"

local function message(f, ...)
  local ok, text = pcall(f, ...)
  assert.is_false(ok)
  return text
end

describe("an in-place form of a view", function()
  local forms = {
    {"transpose_", {1, 2}, {3, 2}}, {"t_", {}, {3, 2}}, {"swapaxes_", {1, -1}, {3, 2}}, {"swapdims_", {1, 2}, {3, 2}},
    {"unsqueeze_", {2}, {2, 1, 3}},
  }

  for _, form in ipairs(forms) do
    local name, arguments, shape = table.unpack(form)
    it("gives what the view has: " .. name, function()
      local x = nl.arange(0, 6):view(2, 3)
      local expected = x[name:sub(1, -2)](x, table.unpack(arguments)):clone()
      assert.equal(x, x[name](x, table.unpack(arguments)))
      assert.same(shape, {table.unpack(x.shape)})
      assert.is_true(nl.equal(expected, x))
    end)
  end

  it("takes dimensions of size 1 away", function()
    local x = nl.zeros(1, 2, 1)
    assert.same({2}, {table.unpack(x:clone():squeeze_().shape)})
    assert.same({1, 2}, {table.unpack(x:squeeze_(3).shape)})
    assert.same({1, 2}, {table.unpack(x:squeeze_(2).shape)})
  end)

  it("has its place in the graph", function()
    local w = nl.arange(0, 6):to(nl.float32):view(2, 3):requires_grad_()
    local y = w * 2
    y:transpose_(1, 2)
    assert.matches("Transpose", tostring(y.grad_fn))
    ;(y * nl.arange(0, 6):view(3, 2)):sum():backward()
    assert.same({{0, 4, 8}, {2, 6, 10}}, w.grad:tolist())
  end)

  it("leaves a view the view that it is", function()
    local w = nl.ones({2, 3}, {requires_grad = true})
    local y = w * 2
    local v = y[1]
    v:unsqueeze_(1)
    assert.same({1, 3}, {table.unpack(v.shape)})
    v:mul_(3)
    assert.same({{6, 6, 6}, {2, 2, 2}}, y:tolist())
    y:sum():backward()
    assert.same({{6, 6, 6}, {2, 2, 2}}, w.grad:tolist())
  end)

  it("counts as a change: what was saved before can't be used", function()
    local x = nl.ones({2, 3}, {requires_grad = true})
    local e = x:exp()
    local sum = (e * 1):sum()
    e:t_()
    assert.matches("changed in place", message(sum.backward, sum))
  end)

  it("is refused on leaves and views of leaves that require a gradient", function()
    local x = nl.ones({2, 3}, {requires_grad = true})
    assert.matches("t_?: a leaf", message(x.t_, x))
    assert.matches("a view of a leaf", message(function() x[1]:unsqueeze_(1) end))
    nl.no_grad(function() x:detach():t_() end)
    assert.same({2, 3}, {table.unpack(x.shape)})
  end)

  it("takes expanded tensors, and leaves the tensor as it was after an error", function()
    assert.same({3, 2}, {table.unpack(nl.zeros(1, 3):expand(2, 3):t_().shape)})
    local x = nl.zeros(2, 3, 4)
    assert.matches("at most 2 dimensions", message(x.t_, x))
    assert.same({2, 3, 4}, {table.unpack(x.shape)})
  end)
end)
