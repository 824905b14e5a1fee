-- QR and eigenvalue decompositions, and the functions of matrices that follow from them.
local nl = require "nnlua"
local tensors = require "support.tensors"

local assert_near, failure = tensors.assert_near, tensors.failure
local gradcheck, gradgradcheck = nl.autograd.gradcheck, nl.autograd.gradgradcheck
local linalg = nl.linalg

local function is_close(a, b)
  local single = a.dtype == nl.float32 or a.dtype == nl.complex64
  return nl.allclose(a, b, {rtol = single and 1e-3 or 1e-9, atol = single and 1e-3 or 1e-9})
end

local function is_orthonormal(q)
  return is_close(q.mH:matmul(q), nl.eye(q:size(-1), {dtype = q.dtype}):expand_as(q.mH:matmul(q)))
end

local function each_dtype(visit)
  nl.manual_seed(4)
  for _, dtype in ipairs {nl.float32, nl.float64, nl.complex64, nl.complex128} do visit(dtype) end
end

local function definite(x)
  return x:matmul(x.mH) + nl.eye(x:size(-1), {dtype = x.dtype})
end

local function hermitian(x)
  return x + x.mH
end

--- What gradients are asked of: real tensors, complex ones as their parts.
local function real_parts(f)
  return function(x)
    local results = table.pack(f(x))
    for i, t in ipairs(results) do results[i] = t:is_complex() and nl.view_as_real(t) or t end
    return table.unpack(results)
  end
end

local function check_gradients(functions, shape)
  for _, dtype in ipairs {nl.float64, nl.complex128} do
    local x = nl.randn(shape, {dtype = dtype, requires_grad = true})
    for _, f in ipairs(functions) do
      assert.is_true(gradcheck(real_parts(f), {x}))
      assert.is_true(gradgradcheck(real_parts(f), {x}))
    end
  end
end

describe("nl.linalg.qr", function()
  it("gives orthonormal columns and a triangle, in every mode", function()
    each_dtype(function(dtype)
      for _, shape in ipairs {{3, 3}, {2, 5, 3}, {3, 6}, {1, 1}, {40, 30}} do
        local x = nl.randn(shape, {dtype = dtype})
        local m, n = x:size(-2), x:size(-1)
        for _, mode in ipairs {"reduced", "complete"} do
          local q, r = linalg.qr(x, mode)
          assert.equal(mode == "complete" and m or math.min(m, n), q:size(-1))
          assert.is_true(is_close(q:matmul(r), x) and is_orthonormal(q) and nl.equal(r, r:triu()))
        end
        local none, r = linalg.qr(x, "r")
        assert.equal(0, none:numel())
        assert.is_true(nl.equal(r, select(2, linalg.qr(x))))
        local a, tau = nl.geqrf(x.mH)
        local _, r_of_adjoint = nl.qr(x.mH, false)
        assert.is_true(nl.equal(a:triu(), r_of_adjoint))
        local q = linalg.qr(x.mH, "complete")
        local c = nl.randn(x.mH.shape, {dtype = dtype})
        assert.is_true(is_close(nl.ormqr(a, tau, c), q:matmul(c)))
        assert.is_true(is_close(nl.ormqr(a, tau, c.mH, false, true), c.mH:matmul(q.mH)))
        local tall, tau_of_tall = nl.geqrf(x:narrow(-1, 1, math.min(m, n)))
        assert.is_true(is_orthonormal(linalg.householder_product(tall, tau_of_tall)))
      end
    end)
  end)

  it("takes matrices without elements", function()
    local q, r = linalg.qr(nl.zeros(2, 3, 0), "complete")
    assert.is_true(nl.equal(q, nl.eye(3):expand(2, 3, 3)))
    assert.same({2, 3, 0}, r.shape:totable())
    assert.same({0, 4}, select(2, linalg.qr(nl.zeros(0, 4))).shape:totable())
    assert.is_true(nl.equal(nl.eye(3, 2), linalg.householder_product(nl.ones(3, 2), nl.ones(0))))
    assert_near({{1, 2}}, nl.ormqr(nl.ones(1, 0), nl.ones(0), nl.tensor {{1., 2}}))
  end)

  it("has gradients, and gradients of them", function()
    nl.manual_seed(6)
    local function reflected(x)
      return linalg.householder_product(x, x:select(-2, 1)),
        nl.ormqr(x, x:select(-2, 1), x + 1), nl.ormqr(x, x:select(-2, 1), (x + 1).mT, false, true)
    end
    local function full(x) return linalg.qr(x, "complete") end
    check_gradients({linalg.qr, reflected}, {2, 4, 2})
    check_gradients({linalg.qr, full}, {3, 3})
    check_gradients({linalg.qr, full}, {2, 2, 3})
  end)

  it("tells of what it can't do", function()
    assert.matches("qr: the mode is \"full\"", failure(linalg.qr, nl.ones(2, 2), "full"))
    local x = nl.ones(3, 2, {requires_grad = true})
    assert.matches("qr: .*needs Q", failure(function() select(2, linalg.qr(x, "r")):sum():backward() end))
    assert.matches("qr: a complete Q", failure(function() linalg.qr(x, "complete"):sum():backward() end))
    assert.matches("householder_product: tau has shape %(4%)",
      failure(linalg.householder_product, nl.ones(3, 2), nl.ones(4)))
    assert.matches("orgqr: .*no more columns", failure(nl.orgqr, nl.ones(2, 3), nl.ones(2)))
    assert.matches("ormqr: .*don't fit", failure(nl.ormqr, nl.ones(3, 2), nl.ones(2), nl.ones(4, 1)))
  end)
end)

describe("eigenvalues", function()
  it("and vectors of symmetric and Hermitian matrices multiply to them", function()
    each_dtype(function(dtype)
      for _, shape in ipairs {{3, 3}, {2, 5, 5}, {1, 1}, {40, 40}} do
        local x = nl.randn(shape, {dtype = dtype})
        for uplo, one in pairs {L = x:tril(), U = x:triu()} do
          local other = uplo == "L" and x:tril(-1) or x:triu(1)
          local A = one + other.mH
          if A:is_complex() then A = (A + A.mH) / 2 end
          local l, v = linalg.eigh(uplo == "L" and A:tril() or A:triu(), uplo)
          assert.is_true(is_close(v:matmul(l:unsqueeze(-1) * v.mH), A) and is_orthonormal(v))
          assert.is_true(is_close(l, linalg.eigvalsh(A, uplo)))
          assert.is_true(nl.equal(l, l:sort()))
        end
      end
    end)
  end)

  it("and vectors of other matrices do, too", function()
    each_dtype(function(dtype)
      for _, shape in ipairs {{3, 3}, {2, 5, 5}, {1, 1}, {40, 40}} do
        local x = nl.randn(shape, {dtype = dtype})
        local l, v = linalg.eig(x)
        local A = x:to(v.dtype)
        assert.is_true(is_close(A:matmul(v), v * l:unsqueeze(-2)))
        assert.is_true(is_close(v:abs():square():sum(-2), nl.ones_like(l:abs())))
        assert.is_true(is_close(linalg.eigvals(x):sum(-1), A:diagonal(0, -2, -1):sum(-1)))
      end
    end)
  end)

  it("of matrices without elements are none", function()
    assert.same({0, 3, 3}, select(2, linalg.eigh(nl.zeros(0, 3, 3))).shape:totable())
    assert.equal(nl.complex64, linalg.eigvals(nl.zeros(0, 0)).dtype)
    assert.same({2, 0}, linalg.eig(nl.zeros(2, 0, 0)).shape:totable())
  end)

  it("have gradients, and gradients of them", function()
    nl.manual_seed(8)
    check_gradients({
      function(x) return linalg.eigvalsh(hermitian(x)) end,
      function(x)
        local l, v = linalg.eigh(hermitian(x), "U")
        return l, v:abs()
      end,
      function(x) return linalg.matrix_sqrth(definite(x)) end,
      function(x) return linalg.polar(x) end,
    }, {2, 3, 3})
    check_gradients({
      function(x) return linalg.eigvals(x):sum(-1), linalg.eigvals(x):pow(2):sum(-1) end,
      function(x)
        local l, v = linalg.eig(x)
        return l:abs():sum(-1), (v:abs():square() * l:abs():unsqueeze(-2)):sum(-1)
      end,
    }, {2, 3, 3})
    check_gradients({function(x) return linalg.polar(x) end}, {4, 2})
  end)

  it("tell of what they can't be of", function()
    assert.matches("eigh: UPLO is \"X\"", failure(linalg.eigh, nl.eye(2), "X"))
    assert.matches("eigvalsh: A has elements that are infinite or nan",
      failure(linalg.eigvalsh, nl.full({2, 2}, 0 / 0)))
    assert.matches("eig: A has elements", failure(linalg.eig, nl.full({2, 2}, math.huge)))
    assert.matches("eigvals: .*square", failure(linalg.eigvals, nl.ones(2, 3)))
  end)
end)

describe("functions of matrices", function()
  it("give roots and polar factors", function()
    each_dtype(function(dtype)
      for _, shape in ipairs {{3, 3}, {2, 5, 5}, {30, 30}} do
        local A = definite(nl.randn(shape, {dtype = dtype}))
        local root = linalg.matrix_sqrth(A)
        assert.is_true(is_close(root:matmul(root), A))
        local x = nl.randn({2, 6, 4}, {dtype = dtype})
        local u, h = linalg.polar(x)
        assert.is_true(is_close(u:matmul(h), x) and is_orthonormal(u) and is_close(h, h.mH))
      end
    end)
    assert.matches("polar: .*no more columns", failure(linalg.polar, nl.ones(2, 3)))
  end)
end)
