-- Singular values and vectors, the norm made of them; distances of rows.
local nl = require "nnlua"
local tensors = require "support.tensors"

local assert_near, failure = tensors.assert_near, tensors.failure
local gradcheck, gradgradcheck = nl.autograd.gradcheck, nl.autograd.gradgradcheck

local SHAPES = {{3, 3}, {5, 3}, {3, 5}, {2, 4, 3}, {1, 1}}

--- How far apart two tensors are.
local function distance(a, b)
  return (a - b):norm():item()
end

--- Whether the matrix's columns are orthonormal.
local function has_orthonormal_columns(u)
  local product = nl.matmul(u:transpose(-1, -2):conj(), u)
  return distance(product, nl.eye(u:size(-1), {dtype = u.dtype}):expand_as(product)) < 1e-12
end

local function check_decomposition(x, full)
  local u, s, vh = nl.linalg.svd(x, full)
  local k = s:size(-1)
  local back = nl.matmul(u:narrow(-1, 1, k) * s:unsqueeze(-2), vh:narrow(-2, 1, k))
  assert.is_true(distance(back, x) < 1e-12)
  assert.is_true(has_orthonormal_columns(u))
  assert.is_true(has_orthonormal_columns(vh:transpose(-1, -2)))
  assert.is_true(s:narrow(-1, 1, k - 1):ge(s:narrow(-1, 2, k - 1)):all():item())
  assert.is_true(distance(s, nl.linalg.svdvals(x)) < 1e-12)
end

describe("nl.linalg.svd", function()
  it("decomposes matrices of all shapes", function()
    nl.manual_seed(0)
    for _, dtype in ipairs {nl.float64, nl.complex128} do
      for _, shape in ipairs(SHAPES) do
        local x = nl.randn(shape, {dtype = dtype})
        check_decomposition(x, true)
        check_decomposition(x, false)
        check_decomposition(x:transpose(-1, -2), false)
      end
    end
  end)

  it("knows the values of a diagonal matrix", function()
    local x = nl.tensor {{0., 2, 0}, {-3, 0, 0}}
    for _, dtype in ipairs {nl.float32, nl.float64, nl.complex64, nl.complex128} do
      local _, s = nl.linalg.svd(x:to(dtype))
      assert.equal(x:to(dtype):norm().dtype, s.dtype)
      assert_near({3, 2}, s)
    end
  end)

  it("takes matrices without elements", function()
    local u, s, vh = nl.linalg.svd(nl.zeros(2, 0, 3))
    assert.same({{2, 0, 0}, {2, 0}, {2, 3, 3}}, {u.shape:totable(), s.shape:totable(), vh.shape:totable()})
    assert.is_true(nl.equal(vh, nl.eye(3):expand_as(vh)))
    assert.same({0, 2}, nl.linalg.svdvals(nl.zeros(0, 4, 2)).shape:totable())
  end)

  it("leaves the input as it was", function()
    local x = nl.tensor {{1., 2}, {3, 4}}
    nl.linalg.svd(x)
    nl.linalg.svdvals(x)
    assert_near({{1, 2}, {3, 4}}, x)
  end)

  it("tells of what it can't take", function()
    assert.matches("svd: .*shape %(3%); a matrix", failure(nl.linalg.svd, nl.zeros(3)))
    assert.matches("svdvals: float16 tensors are not taken", failure(nl.linalg.svdvals, nl.zeros(2, 2):half()))
    assert.matches("svdvals: matrices of 2 x 2147483648 are too large",
      failure(nl.linalg.svdvals, nl.zeros(2, 1):expand(2, 1 << 31)))
    assert.matches("infinite or nan", failure(nl.linalg.svd, nl.full({2, 2}, 0 / 0)))
    assert.matches("infinite or nan", failure(nl.linalg.svdvals, nl.full({2, 2}, math.huge):cfloat()))
  end)

  -- only what does not depend on the choice of vectors has a derivative: their signs, of complex ones their angles
  it("has gradients, and gradients of them", function()
    nl.manual_seed(1)
    for _, shape in ipairs {{3, 3}, {4, 2}, {2, 4}, {2, 3, 2}} do
      local x = nl.randn(shape, {dtype = nl.float64, requires_grad = true})
      local function squares(a)
        local u, s, vh = nl.linalg.svd(a, false)
        return u * u, s, vh * vh, nl.matmul(u, vh)
      end
      assert.is_true(gradcheck(squares, {x}))
      assert.is_true(gradgradcheck(squares, {x}))
      local z = nl.randn(shape, {dtype = nl.complex128, requires_grad = true})
      local function magnitudes(a)
        local u, s, vh = nl.linalg.svd(a, false)
        return nl.view_as_real(u):pow(2):sum(-1), s, nl.view_as_real(nl.matmul(u, vh))
      end
      assert.is_true(gradcheck(magnitudes, {z}))
      assert.is_true(gradgradcheck(magnitudes, {z}))
      assert.is_true(gradcheck(nl.linalg.svdvals, {z}))
    end
  end)
end)

describe("the nuclear norm", function()
  it("is the sum of the singular values", function()
    local x = nl.tensor {{0., 2, 0}, {-3, 0, 0}}
    assert_near(5, x:norm("nuc"))
    assert_near({{5}}, x:norm("nuc", {keepdim = true}))
    local batch = x:unsqueeze(2):expand(2, 4, 3)
    assert_near({{{5}, {5}, {5}, {5}}}, batch:norm("nuc", {1, 3}, true))
    assert_near({5, 5, 5, 5}, batch:norm("nuc", {-1, 1}))
    assert.equal(nl.float64, x:norm("nuc", {dtype = nl.float64}).dtype)
  end)

  it("is one of matrices", function()
    assert.matches("norm: .*one of matrices", failure(nl.norm, nl.zeros(3), "nuc"))
    assert.matches("norm: .*one of matrices", failure(nl.norm, nl.zeros(3, 2, 2), "nuc"))
    assert.matches("norm: .*given twice", failure(nl.norm, nl.zeros(3, 2), "nuc", {1, -2}))
  end)
end)

describe("nl.cdist", function()
  local function rows(n)
    return nl.zeros(1, 3):expand(n, 3)
  end

  it("tells of a result that is too large before it takes memory for expanded rows", function()
    assert.has_error(function() return nl.cdist(rows(1 << 31), rows(1 << 33)) end)
    assert.has_error(function() return nl.cdist(rows(1 << 24), rows(1 << 24)) end)
  end)

  it("broadcasts batches", function()
    local x = nl.arange(2 * 30 * 2, {dtype = nl.float64}):reshape(2, 1, 30, 2) / 7
    local y = nl.arange(3 * 4 * 2, {dtype = nl.float64}):reshape(3, 4, 2) / 5
    local by_product = nl.cdist(x, y, 2, "use_mm_for_euclid_dist")
    local apart = x:unsqueeze(-2) - y:unsqueeze(-3)
    assert.same({2, 3, 30, 4}, by_product.shape:totable())
    nl.testing.assert_close(by_product, (apart * apart):sum(-1):sqrt())
  end)
end)
