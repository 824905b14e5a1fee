-- Least squares, pseudoinverses, ranks, exponentials, condition numbers, and approximate decompositions.
local nl = require "nnlua"
local tensors = require "support.tensors"

local assert_near, failure = tensors.assert_near, tensors.failure
local gradcheck, gradgradcheck = nl.autograd.gradcheck, nl.autograd.gradgradcheck
local linalg = nl.linalg

local DTYPES = {nl.float32, nl.float64, nl.complex64, nl.complex128}

local function is_close(a, b)
  local single = a.dtype == nl.float32 or a.dtype == nl.complex64
  return nl.allclose(a, b, {rtol = single and 1e-3 or 1e-9, atol = single and 1e-3 or 1e-9})
end

local function each_matrix(shapes, visit)
  nl.manual_seed(9)
  for _, dtype in ipairs(DTYPES) do
    for _, shape in ipairs(shapes) do visit(nl.randn(shape, {dtype = dtype}), dtype) end
  end
end

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

describe("nl.linalg.lstsq", function()
  it("finds the nearest and the shortest solution by every driver", function()
    each_matrix({{3, 3}, {2, 5, 3}, {2, 3, 5}, {30, 20}}, function(A, dtype)
      local m, n = A:size(-2), A:size(-1)
      local B = nl.randn({m, 2}, {dtype = dtype})
      local expected = linalg.pinv(A):matmul(B)
      for _, driver in ipairs {"gelsy", "gels", "gelsd", "gelss"} do
        local X, left, rank, values = linalg.lstsq(A, B, nil, driver)
        assert.is_true(is_close(X, expected))
        if driver ~= "gels" then assert.is_true(rank:eq(math.min(m, n)):all():item()) end
        if driver == "gelsd" or driver == "gelss" then assert.is_true(is_close(values, linalg.svdvals(A))) end
        if m > n and driver ~= "gelsy" then
          assert.is_true(is_close(left, (A:matmul(X) - B):abs():square():sum(-2)))
        else
          assert.equal(0, left:numel())
        end
      end
    end)
  end)

  it("takes a vector for each matrix, and matrices without elements", function()
    local A, b = nl.tensor {{{2., 0}, {0, 4}}}, nl.tensor {{2., 8}}
    assert_near({{1, 2}}, (linalg.lstsq(A, b)))
    assert_near(nl.zeros(3, 2), (linalg.lstsq(nl.zeros(0, 3), nl.zeros(0, 2))))
    assert.same({0, 2}, linalg.lstsq(nl.zeros(3, 0), nl.ones(3, 2)).shape:totable())
    assert_near({{3, 3}}, (select(2, linalg.lstsq(nl.zeros(1, 3, 0), nl.ones(3, 2), nil, "gels"))))
    local meta = nl.zeros(4, 3, {device = "meta"})
    assert.same({3, 3}, linalg.lstsq(meta, meta).shape:totable())
  end)

  it("tells of what it can't do", function()
    assert.matches("lstsq: the driver is \"svd\"", failure(linalg.lstsq, nl.eye(2), nl.eye(2), nil, "svd"))
    assert.matches("lstsq: matrix 1 of 1 has not full rank",
      failure(linalg.lstsq, nl.tensor {{1., 0}, {1, 0}, {1, 0}}, nl.ones(3, 1), nil, "gels")) -- R has an exact zero
    assert.matches("lstsq: .*don't fit", failure(linalg.lstsq, nl.eye(2), nl.ones(3, 1)))
    assert.matches("lstsq: A has elements", failure(linalg.lstsq, nl.full({2, 2}, 0 / 0), nl.eye(2)))
  end)
end)

describe("pseudoinverses and ranks", function()
  it("leave out small singular values", function()
    each_matrix({{3, 3}, {2, 5, 3}, {3, 6}}, function(A)
      local P = linalg.pinv(A)
      assert.is_true(is_close(A:matmul(P):matmul(A), A) and is_close(P:matmul(A):matmul(P), P))
      assert.is_true(is_close(nl.pinverse(A), P))
      assert.is_true(linalg.matrix_rank(A):eq(3):all():item())
      local H = A:matmul(A.mH)
      assert.is_true(is_close(linalg.pinv(H, {hermitian = true, rtol = 1e-4}), linalg.pinv(H, {rtol = 1e-4})))
      assert.is_true(linalg.matrix_rank(H, {hermitian = true, rtol = 1e-4}):eq(3):all():item())
    end)
    local A = nl.tensor({{4., 0}, {0, 1}})
    assert_near({{0.25, 0}, {0, 0}}, linalg.pinv(A, 0.5))
    assert_near({{0.25, 0}, {0, 0}}, linalg.pinv(A, {atol = 2}))
    assert_near({{{0.25, 0}, {0, 0}}, {{0.25, 0}, {0, 1}}}, linalg.pinv(nl.stack {A, A}, {atol = nl.tensor {2., 0.5}}))
    assert_near({1, 2, 0}, linalg.matrix_rank(nl.stack {A, A, A * 0}, {atol = nl.tensor {2., 0.5, 0}}))
    assert_near({0, 0}, linalg.matrix_rank(nl.zeros(2, 0, 3)))
    assert.same({3, 0}, linalg.pinv(nl.zeros(0, 3)).shape:totable())
    assert_near(1, linalg.matrix_rank(A, 2))
  end)

  it("have gradients, and gradients of them", function()
    nl.manual_seed(10)
    local functions = {
      function(x) return linalg.pinv(x) end,
      function(x) return (linalg.lstsq(x, x * x + 1)) end,
      function(x) return select(2, linalg.lstsq(x, x * x + 1, nil, "gels")) end,
    }
    check_gradients(functions, {2, 4, 2})
    check_gradients({functions[1], functions[2]}, {2, 3})
    check_gradients({function(x) return linalg.pinv(x + x.mH, {hermitian = true}) end}, {3, 3})
  end)
end)

describe("functions of matrices", function()
  it("give exponentials, of small and of large ones", function()
    nl.manual_seed(11)
    for _, dtype in ipairs(DTYPES) do
      for _, size in ipairs {1e-3, 0.2, 0.9, 2, 5, 20} do
        local x = nl.randn({3, 4, 4}, {dtype = dtype})
        local A = (x + x.mH) / 2
        A = A * (size / linalg.matrix_norm(A, 1):max())
        A[1]:mul_(1e-3) -- matrices of one batch differ
        local l, v = linalg.eigh(A)
        local expected = v:matmul(l:exp():unsqueeze(-1) * v.mH)
        assert.is_true(is_close(nl.matrix_exp(A) / math.exp(size), expected / math.exp(size)))
      end
    end
    assert_near({{math.cos(1), math.sin(1)}, {-math.sin(1), math.cos(1)}}, nl.tensor({{0., 1}, {-1, 0}}):matrix_exp())
    assert_near({{math.exp(1), 0}, {0, 1}}, nl.matrix_exp(nl.tensor({{1., 0}, {0, 0}}):bfloat16()):float(), 1e-2)
    assert.is_true(nl.matrix_exp(nl.full({2, 2}, 0 / 0)):isnan():all():item())
    assert.same({2, 0, 0}, nl.matrix_exp(nl.zeros(2, 0, 0)).shape:totable())
  end)

  it("give condition numbers", function()
    local A = nl.tensor {{4., 0}, {0, 1}}
    assert_near(4, linalg.cond(A))
    assert_near(0.25, linalg.cond(A, -2))
    assert_near(4, linalg.cond(A, 1))
    assert_near(17 / 4, linalg.cond(A, "fro"))
    assert_near(25 / 4, linalg.cond(A, "nuc"))
    assert_near({math.huge, 4}, linalg.cond(nl.stack {A * 0, A}, math.huge))
    assert_near({math.huge, 17 / 4}, linalg.cond(nl.stack {A * 0, A}, "fro"))
    assert_near({0, 0}, linalg.cond(nl.zeros(2, 0, 0)))
    assert.matches("cond: .*square", failure(linalg.cond, nl.ones(2, 3), 1))
  end)

  it("take tensors for matrices", function()
    nl.manual_seed(12)
    local A = nl.randn(2, 3, 6, {dtype = nl.float64})
    local B = nl.randn(2, 3, {dtype = nl.float64})
    nl.testing.assert_close(nl.tensordot(A, linalg.tensorsolve(A, B), 1), B)
    nl.testing.assert_close(nl.tensordot(linalg.tensorinv(A), B, 2), linalg.tensorsolve(A, B))
    nl.testing.assert_close(linalg.tensorsolve(A:movedim(3, 1), B, {1}), linalg.tensorsolve(A, B))
    assert.matches("tensorinv: .*have 2 elements, the others 18", failure(linalg.tensorinv, A, 1))
    assert.matches("tensorsolve: .*don't fit", failure(linalg.tensorsolve, A, nl.ones(3)))
    assert.matches("tensorinv: ind is 0", failure(linalg.tensorinv, A, 0))
  end)

  it("take negative powers", function()
    local A = nl.tensor {{2., 0}, {0, 4}}
    assert_near({{0.25, 0}, {0, 0.0625}}, linalg.matrix_power(A, -2))
    assert.matches("matrix_power: A is singular", failure(nl.matrix_power, A * 0, -1))
  end)

  it("have gradients, and gradients of them", function()
    nl.manual_seed(13)
    check_gradients({
      function(x) return nl.matrix_exp(x) end,
      function(x) return nl.matrix_exp(x * 4) end,
      function(x) return linalg.cond(x), linalg.cond(x, "fro"), linalg.cond(x, 1) end,
      function(x) return linalg.matrix_power(x, -3) end,
    }, {2, 3, 3})
  end)
end)

describe("approximate decompositions", function()
  it("find what few singular values make", function()
    each_matrix({{2, 20, 3}, {12, 3}}, function(x, dtype)
      local A = x:matmul(nl.randn({3, 15}, {dtype = dtype}))
      local center = nl.randn({15}, {dtype = dtype})
      for _, pair in ipairs {{A}, {A.mH}, {A + center, center:expand(A.shape)}} do
        local U, S, V = nl.svd_lowrank(pair[1], 4, 2, pair[2])
        local left = pair[2] and pair[1] - pair[2] or pair[1]
        assert.is_true(is_close((U * S:unsqueeze(-2)):matmul(V.mH), left))
      end
      local U, S, V = nl.pca_lowrank(A + center, 4)
      assert.is_true(is_close((U * S:unsqueeze(-2)):matmul(V.mH), A - A:mean(-2, true)))
    end)
    assert.matches("pca_lowrank: q is 4; it is from 0 to 3", failure(nl.pca_lowrank, nl.ones(5, 3), 4))
    assert.matches("svd_lowrank: niter is %-1", failure(nl.svd_lowrank, nl.ones(5, 3), 2, -1))
  end)

  it("give V in the old form of svd", function()
    local x = nl.tensor {{3., 0}, {0, 2}, {0, 0}}
    local U, S, V = nl.svd(x)
    assert_near(x, (U * S):matmul(V.mT))
    assert.same({3, 3}, nl.svd(x, false).shape:totable())
    U, S, V = x:svd(true, false)
    assert_near({3, 2}, S)
    assert_near(nl.zeros(3, 3), U)
    assert_near(nl.zeros(2, 2), V)
  end)
end)
