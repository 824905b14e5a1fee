-- Complex numbers and tensors, and their parts.
local nl = require "nnlua"
local tensors = require "support.tensors"

local assert_near, failure = tensors.assert_near, tensors.failure

local function assert_parts(real, imag, z)
  local parts = nl.view_as_real(z:detach())
  assert_near(real, parts:select(-1, 1))
  assert_near(imag, parts:select(-1, 2))
end

describe("nl.complex of numbers", function()
  it("is a complex128 without dimensions", function()
    local z = nl.complex(1, 2.5)
    assert.equal(nl.complex128, z.dtype)
    assert.equal(0, z:dim())
    assert.same({1.0, 2.5}, {z:item()})
  end)

  it("counts as a number", function()
    local i = nl.complex(0, 1)
    assert.equal(nl.complex64, (nl.tensor {1.5, 2} * i).dtype)
    assert.equal(nl.complex64, (nl.tensor {1, 2} + i).dtype)
    assert.equal(nl.complex128, (nl.tensor({1.5}, {dtype = nl.float64}) * i).dtype)
    assert.equal(nl.complex64, (nl.tensor {1.5} * (i * i)).dtype)
    assert_parts({0, 0}, {1.5, 2}, nl.tensor {1.5, 2} * i)
  end)

  it("gives real operands real gradients", function()
    local x = tensors.leaf {1, 2}
    nl.view_as_real(x * nl.complex(2, 3)):sum():backward()
    assert.equal(nl.float32, x.grad.dtype)
    assert_near({5, 5}, x.grad)
  end)
end)

describe("nl.complex of tensors", function()
  it("takes parts that broadcast", function()
    local re, im = tensors.leaf {1, 2, 3}, tensors.leaf {{4}, {5}}
    local z = nl.complex(re, im)
    assert.equal(nl.complex64, z.dtype)
    assert_parts({{1, 2, 3}, {1, 2, 3}}, {{4, 4, 4}, {5, 5, 5}}, z)
    nl.view_as_real(z * z):sum():backward()
    assert_near({22, 26, 30}, re.grad)
    assert_near({{-12}, {-18}}, im.grad)
  end)

  it("takes a number for a part", function()
    local z = nl.complex(nl.tensor({1, 2}, {dtype = nl.float64}), 3)
    assert.equal(nl.complex128, z.dtype)
    assert_parts({1, 2}, {3, 3}, z)
  end)

  it("tells of what can't be a part", function()
    local x, y = nl.tensor {1.5}, nl.tensor({1.5}, {dtype = nl.float64})
    assert.matches("complex: .*float32 or float64, not int64", failure(nl.complex, nl.tensor {1}, 2))
    assert.matches("complex: .*one dtype, not float32 and float64", failure(nl.complex, x, y))
    assert.matches("complex: .*must be real", failure(nl.complex, x, nl.complex(1, 2)))
  end)
end)

describe("the parts of complex tensors", function()
  it("share their memory", function()
    local z = nl.complex(nl.zeros(3), nl.ones(3))
    nl.view_as_real(z):select(2, 1):fill_(5)
    assert_parts({5, 5, 5}, {1, 1, 1}, z)
    local pairs = nl.tensor {{1.5, 2}, {3, 4}}
    nl.view_as_complex(pairs):mul_(2)
    assert_near({{3, 4}, {6, 8}}, pairs)
  end)

  it("keep the layout", function()
    local re, im = nl.randn(3, 4), nl.randn(3, 4)
    local parts = nl.view_as_real(nl.complex(re, im):t())
    assert.same({2, 8, 1}, parts:stride():totable())
    assert.is_true(nl.equal(nl.view_as_complex(parts), nl.complex(re:t(), im:t())))
  end)

  it("are refused where they don't lie together", function()
    assert.matches("complex tensor expected", failure(nl.view_as_real, nl.zeros(2)))
    assert.matches("must have size 2", failure(nl.view_as_complex, nl.zeros(2, 3)))
    assert.matches("must lie together", failure(nl.view_as_complex, nl.zeros(2, 3):t()))
    assert.matches("must lie together", failure(nl.view_as_complex, nl.zeros(5):narrow(1, 2, 2)))
  end)

  it("don't change in place while gradients are recorded", function()
    local z = nl.complex(tensors.leaf {1, 2}, 1) * 2
    local parts = nl.view_as_real(z)
    assert.matches("view in another dtype", failure(parts.mul_, parts, 2))
    z:mul_(2)
    assert.matches("view in another dtype", failure(parts.sum, parts))
  end)
end)

describe("norms of complex tensors", function()
  it("are those of the magnitudes", function()
    local z = nl.complex(nl.tensor {3., 0, -6}, nl.tensor {4., 0, 8})
    assert.equal(nl.float32, z:norm().dtype)
    assert_near(15, z:norm(1))
    assert_near(125 ^ 0.5, z:norm())
    assert_near(10, z:norm(math.huge))
    assert_near(2, z:norm(0))
  end)

  it("have a gradient, which is 0 at 0", function()
    local z = nl.complex(nl.tensor {3., 0}, nl.tensor {4., 0}):requires_grad_()
    z:norm(1):backward()
    assert_parts({0.6, 0}, {0.8, 0}, z.grad)
  end)
end)
