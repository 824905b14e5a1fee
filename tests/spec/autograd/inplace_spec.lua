-- Changes in place: versions, what is refused, and gradients through views. The numbers are PyTorch's.
local nl = require "nnlua"
local tensors = require "support.tensors"

local leaf, near, failure = tensors.leaf, tensors.assert_near, tensors.failure

local function matrix() return leaf {{1, 2, 3}, {4, 5, 6}} end

describe("the version", function()
  it("I1: is shared by views and detached tensors, and counts every change", function()
    local x = nl.zeros(2, 3)
    local view, detached = x[1], x:detach()
    x:add_(1)
    view:zero_()
    detached:copy_(nl.ones(2, 3))
    x[2] = 5
    assert.same({4, 4, 4}, {x._version, view._version, detached._version})
    assert.equal(0, x:clone()._version)
  end)

  it("I1: doesn't count writes through data", function()
    local x = leaf {1, 2}
    x.data:mul_(10)
    assert.equal(0, x._version)
    near({10, 20}, x)
    assert.is_false(x.data.requires_grad)
  end)

  it("x.data = y gives the leaf other elements", function()
    local x = leaf {1, 2}
    x.data = nl.tensor {3.0, 4.0, 5.0}
    near({3, 4, 5}, x)
    assert.is_true(x.requires_grad)
    assert.matches("can't get elements of int64", failure(function() x.data = nl.tensor {1, 2} end))
  end)
end)

describe("refused at once", function()
  it("I2: a leaf that requires a gradient, and a view of one", function()
    local x = matrix()
    assert.matches("a leaf that requires a gradient", failure(function() x:mul_(2) end))
    assert.matches("a view of a leaf", failure(function() x[1]:mul_(2) end))
    assert.matches("leaf", failure(function() x[1] = 0 end))
    near({{1, 2, 3}, {4, 5, 6}}, x)
    nl.no_grad(function() x:mul_(2) end)
    near({{2, 4, 6}, {8, 10, 12}}, x)
  end)

  it("I2: one of several views", function()
    local a = (matrix() * 1):unbind(1)
    assert.matches("among several results", failure(function() a:mul_(2) end))
    local b = (matrix() * 1):split(1, 1)
    assert.matches("among several results", failure(function() b:mul_(2) end))
  end)

  it("I2: a view made in no_grad", function()
    local y = matrix() * 1
    local v = nl.no_grad(function() return y[1] end)
    assert.matches("made under no_grad", failure(function() v:mul_(2) end))
    nl.no_grad(function() v:mul_(2) end)
  end)

  it("I2: elements that share a place", function()
    assert.matches("share a place", failure(function() nl.ones(1):expand(3):add_(1) end))
  end)
end)

describe("refused at backward", function()
  for _, name in ipairs {"exp", "sigmoid", "tanh"} do
    it("I3: a saved result of " .. name, function()
      local x = leaf {1, 2}
      local y = x[name](x)
      y:mul_(2)
      local message = failure(function() y:sum():backward() end)
      assert.matches("backward of " .. name, message)
      assert.matches("shape %(2%)", message)
      assert.matches("version 1, saved at version 0", message)
    end)
  end

  it("I3: a saved operand of mul", function()
    local x, k = leaf {1, 2}, nl.ones(2)
    local y = x * k
    k:add_(1)
    assert.matches("backward of mul: a float32 tensor of shape %(2%)", failure(function() y:sum():backward() end))
  end)

  it("I3: not what add doesn't need", function()
    local x, k = leaf {1, 2}, nl.ones(2)
    local y = x + k
    k:add_(1)
    y:mul_(3)
    y:sum():backward()
    near({3, 3}, x.grad)
  end)

  it("I5: nor what was written through data", function()
    local x, k = leaf {1, 2}, nl.ones(2)
    local y = x * k
    k.data:add_(1)
    y:sum():backward()
    near({2, 2}, x.grad)
  end)
end)

describe("gradients after changes in place", function()
  it("of the tensor itself", function()
    local x = leaf {1, 2}
    local y = x * 2
    y:add_(x):mul_(x)
    y:sum():backward()
    near({6, 12}, x.grad)
  end)

  it("I4: through a row", function()
    local w = matrix()
    local b = w * 2
    b[1]:mul_(3);
    (b * b):sum():backward()
    near({{72, 144, 216}, {32, 40, 48}}, w.grad)
  end)

  it("I4: of the base, seen through another view", function()
    local w = matrix()
    local b = w * 2
    local column = b:t()[2]
    b[1]:add_(w[2])
    assert.equal("CopySlices", b.grad_fn:name());
    (column * column):sum():backward()
    near({{0, 36, 0}, {0, 58, 0}}, w.grad)
  end)

  it("I4: through a view of a view, part of it", function()
    local w = matrix()
    local b = w * w
    local v = b:view(-1)
    v[{{2, 4}}]:mul_(w:view(-1)[{{3, 5}}]);
    (b * b):sum():backward()
    near({{4, 288, 1824}, {7048, 3060, 864}}, w.grad)
  end)

  it("I4: of the base, seen through an older view", function()
    local w = matrix()
    local b = w * 1
    local v = b[{{}, 2}]
    b:mul_(2);
    (v * v):sum():backward()
    near({{0, 16, 0}, {0, 40, 0}}, w.grad)
  end)

  it("I4: by assignment", function()
    local w = matrix()
    local b = nl.zeros(2, 3)
    b[2] = w[1] * 2
    b[{{}, 1}] = w[{{}, 3}];
    (b * b):sum():backward()
    near({{0, 16, 30}, {0, 0, 12}}, w.grad)
  end)

  it("agree with those of the same without changes", function()
    local w = leaf({{1, 2, 3}, {4, 5, 6}}, nl.float64)
    local b = w * w
    b:t()[1]:add_(b[{{}, 2}])
    b[{{}, {2, 3}}]:exp_()
    local changed = nl.autograd.grad((b * w):sum(), w)
    local rest = (w * w)[{{}, {2, 3}}]:exp()
    local first = (w * w)[{{}, {1, 1}}] + (w * w)[{{}, {2, 2}}]
    local plain = nl.autograd.grad((nl.cat({first, rest}, 2) * w):sum(), w)
    near(plain:tolist(), changed, 1e-9)
  end)
end)
