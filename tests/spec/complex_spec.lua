-- Complex numbers and tensors, and their parts.
local nl = require "nnlua"
local tensors = require "support.tensors"

local assert_near, failure = tensors.assert_near, tensors.failure

local function assert_parts(real, imag, z, tolerance)
  local parts = nl.view_as_real(z:detach())
  assert_near(real, parts:select(-1, 1), tolerance)
  assert_near(imag, parts:select(-1, 2), tolerance)
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

describe("complex random numbers", function()
  it("have the parts that PyTorch draws", function()
    nl.manual_seed(0)
    assert_parts({0.4963, 0.0885, 0.3074}, {0.7682, 0.1320, 0.6341}, nl.rand(3, {dtype = nl.complex64}), 1e-4)
    nl.manual_seed(0)
    assert_parts({1.0896, -1.5406, -0.7669}, {-0.2075, 0.4019, -0.9890}, nl.randn(3, {dtype = nl.complex64}), 1e-4)
    nl.manual_seed(0)
    local z = nl.empty(3, {dtype = nl.complex64}):normal_(2, 3)
    assert_parts({5.2689, -2.6219, -0.3006}, {1.3775, 3.2058, -0.9669}, z, 1e-4)
  end)

  it("are not integers, exponential or truth values", function()
    local z = nl.zeros(3, {dtype = nl.complex64})
    for _, call in ipairs {"exponential_", "random_", "bernoulli_"} do
      assert.matches("complex64 tensors are not taken", failure(z[call], z))
    end
    assert.matches("complex64 tensors are not taken", failure(nl.randint, 0, 5, {3}, {dtype = nl.complex64}))
    assert_parts({0, 0, 0}, {0, 0, 0}, z)
  end)
end)

describe("variances of complex tensors", function()
  it("are real: the mean of the deviations' squared magnitudes", function()
    local z = nl.complex(nl.tensor {0., 2, 3}, nl.tensor {1., 0, 0})
    assert.equal(nl.float32, z:var().dtype)
    assert_near(8 / 3, z:var())
    assert_near((16 / 9) ^ 0.5, z:std(nil, false))
    assert_near({{8 / 3}}, z:view(1, 3):var(2, true, true))
  end)

  it("have gradients of any order", function()
    nl.manual_seed(0)
    local z = nl.randn(2, 3, {dtype = nl.complex128, requires_grad = true})
    local function both(x) return x:var(2), x:std({1}) end
    assert.is_true(nl.autograd.gradcheck(both, {z}))
    assert.is_true(nl.autograd.gradgradcheck(both, {z}))
  end)
end)

describe("linspace between complex numbers", function()
  it("goes straight", function()
    local z = nl.linspace(0, nl.complex(2, -4), 3)
    assert.equal(nl.complex64, z.dtype)
    assert_parts({0, 1, 2}, {0, -2, -4}, z)
    assert.matches("complex bounds don't fit float32",
      failure(nl.linspace, 0, nl.complex(1, 1), 3, {dtype = nl.float32}))
  end)
end)

describe("a product of nothing", function()
  it("leaves beta times the rest", function()
    local ones = nl.ones(2, 2, {dtype = nl.complex64})
    local z = nl.addmm(ones, nl.ones(2, 0):cfloat(), nl.ones(0, 2):cfloat(), {beta = nl.complex(1, 2)})
    assert_parts({{1, 1}, {1, 1}}, {{2, 2}, {2, 2}}, z)
  end)
end)

describe("real tensors", function()
  it("take no complex values, which would lose their imaginary parts", function()
    local i, mask, first = nl.complex(0, 1), nl.tensor {true, false, true}, nl.tensor {1}
    local x, m = nl.zeros(3), nl.ones(2, 2)
    local calls = {
      function() x[1] = i end, function() x[mask] = i end, function() x[{{1, 2}}] = i end,
      function() x:masked_fill_(mask, i) end, function() x:index_fill_(1, first, i) end,
      function() x:scatter_(1, first, {value = i}) end, function() x:index_put_({first}, i) end,
      function() x:fill_(i) end, function() x:fill_(nl.zeros({}, {dtype = nl.complex64})) end,
      function() x:index_add_(1, first, nl.ones(1), {alpha = i}) end,
      function() m:addmm_(m, m, {alpha = i}) end, function() nl.full({2}, i, {dtype = nl.float32}) end,
    }
    for _, call in ipairs(calls) do assert.matches("complex .*doesn't fit a float32 tensor", failure(call)) end
    assert_near({0, 0, 0}, x)
    assert.matches("norm: p is complex", failure(nl.norm, x, i))
  end)
end)

describe("complex values", function()
  it("are assigned, read and listed as numbers are", function()
    local z = nl.zeros(2, 2, {dtype = nl.complex64})
    z[1][2] = nl.complex(1, 2)
    z[2] = nl.complex(5, -5)
    z[{2, 1}] = 3
    assert_parts({{0, 1}, {3, 5}}, {{0, 2}, {0, -5}}, z)
    assert.same({1.0, 2.0}, {z[1][2]:item()})
    assert.same({5.0, -5.0}, {z:tolist()[2][2]:item()})
    assert.is_true(nl.equal(z, nl.tensor(z:tolist())))
    assert.equal(nl.complex64, nl.tensor(nl.complex(1, 2)).dtype)
  end)
end)

describe("real and imag", function()
  it("are views that can be written to", function()
    local z = nl.complex(nl.tensor {1., 2}, nl.tensor {3., 4})
    assert_near({1, 2}, z.real)
    assert_near({3, 4}, nl.imag(z))
    z.real, z.imag = 7, nl.tensor {8., 9}
    z.imag:mul_(2)
    assert_parts({7, 7}, {16, 18}, z)
    local x = nl.ones(2)
    assert.equal(x, nl.real(x))
    assert.matches("imag: float32 tensors are not taken", failure(nl.imag, x))
  end)
end)

describe("angles", function()
  it("are those with the real axis", function()
    local pi = math.pi
    assert_near({math.atan(4, 3), 0, pi, -pi / 2},
      nl.complex(nl.tensor {3., 0, -1, 0}, nl.tensor {4., 0, 0, -2}):angle())
    assert_near({0, pi, 0 / 0, 0, 0}, nl.angle(nl.tensor {1., -2, 0 / 0, -0.0, math.huge}))
    assert_near({0, pi}, nl.angle(nl.tensor {2, -2}))
    assert.equal(nl.float16, nl.angle(nl.tensor({-1.}):half()).dtype)
  end)

  it("have a gradient, which is 0 at 0", function()
    local z = nl.complex(nl.tensor {3., 0}, nl.tensor {4., 0}):requires_grad_()
    z:angle():sum():backward()
    assert_parts({-4 / 25, 0}, {3 / 25, 0}, z.grad)
    local w = nl.complex(nl.tensor({3., -1}, {dtype = nl.float64}), -2):requires_grad_()
    assert.is_true(nl.autograd.gradcheck(nl.angle, {w}))
    assert.is_true(nl.autograd.gradgradcheck(nl.angle, {w}))
  end)

  it("and magnitudes make numbers", function()
    assert_parts({2, 0}, {0, 3}, nl.polar(nl.tensor {2., 3}, nl.tensor {0, math.pi / 2}))
    assert.matches("polar: both parts must have one dtype", failure(nl.polar, nl.ones(2), nl.ones(2):double()))
  end)
end)
