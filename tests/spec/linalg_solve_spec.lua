-- Factors of matrices, solutions of linear equations, inverses and determinants.
local nl = require "nnlua"
local tensors = require "support.tensors"

local assert_near, failure = tensors.assert_near, tensors.failure
local gradcheck, gradgradcheck = nl.autograd.gradcheck, nl.autograd.gradgradcheck
local linalg = nl.linalg

local DTYPES = {nl.float32, nl.float64, nl.complex64, nl.complex128}

local function is_close(a, b, dtype)
  local tolerance = (dtype == nl.float32 or dtype == nl.complex64) and 2e-3 or 1e-9
  return nl.allclose(a, b, {rtol = tolerance, atol = tolerance})
end

--- Symmetric or Hermitian, and positive definite.
local function definite(x)
  return x:matmul(x.mH) + nl.eye(x:size(-1), {dtype = x.dtype})
end

--- Some matrices of each size, small ones, which have kernels of their own, and larger ones, which LAPACK takes.
local function each_matrix(visit)
  nl.manual_seed(3)
  for _, dtype in ipairs(DTYPES) do
    for _, shape in ipairs {{1, 1}, {3, 3}, {2, 3, 7, 7}, {2, 23, 23}, {24, 24}, {2, 40, 40}} do
      local x = nl.randn(shape, {dtype = dtype})
      visit(x, dtype)
      visit(x.mT, dtype)
    end
  end
end

describe("nl.linalg", function()
  it("solves equations of all sizes and dtypes", function()
    each_matrix(function(A, dtype)
      local n = A:size(-1)
      local B = nl.randn({n, 3}, {dtype = dtype})
      assert.is_true(is_close(A:matmul(linalg.solve(A, B)), B:expand_as(A:matmul(B)), dtype))
      local C = nl.randn({5, n}, {dtype = dtype})
      local right = linalg.solve(A, C, {left = false})
      assert.is_true(is_close(right:matmul(A), C:expand_as(right), dtype))
      assert.is_true(is_close(A:matmul(linalg.inv(A)), nl.eye(n, {dtype = dtype}):expand_as(A), dtype))
      local LU, pivots = linalg.lu_factor(A)
      assert.is_true(is_close(linalg.lu_solve(LU, pivots, B), linalg.solve(A, B), dtype))
      assert.is_true(is_close(linalg.lu_solve(LU, pivots, B, {adjoint = true}), linalg.solve(A.mH, B), dtype))
      local P, L, U = linalg.lu(A)
      assert.is_true(is_close(P:matmul(L):matmul(U), A, dtype))
    end)
  end)

  it("factors definite matrices of all sizes and dtypes", function()
    each_matrix(function(x, dtype)
      local A = definite(x)
      local L, U = linalg.cholesky(A), linalg.cholesky(A, true)
      local scale = A:abs():max()
      assert.is_true(is_close(L:matmul(L.mH) / scale, A / scale, dtype))
      assert.is_true(is_close(U.mH:matmul(U) / scale, A / scale, dtype))
      assert.is_true(nl.equal(L, L:tril()) and nl.equal(U, U:triu()))
      local B = nl.randn({A:size(-1), 2}, {dtype = dtype})
      for _, X in ipairs {nl.cholesky_solve(B, L), nl.cholesky_solve(B, U, true)} do
        assert.is_true(is_close(A:matmul(X), B:expand_as(X), dtype))
      end
      local LD, pivots = linalg.ldl_factor(A, true)
      assert.is_true(is_close(A:matmul(linalg.ldl_solve(LD, pivots, B, true)), B:expand_as(A:matmul(B)), dtype))
    end)
  end)

  it("solves by triangles of which it reads no more", function()
    each_matrix(function(x, dtype)
      local n = x:size(-1)
      local A = x / n + nl.eye(n, {dtype = dtype}) * 2
      local B, C = nl.randn({n, 3}, {dtype = dtype}), nl.randn({2, n}, {dtype = dtype})
      for _, upper in ipairs {true, false} do
        for _, unit in ipairs {true, false} do
          local T = upper and A:triu(unit and 1 or 0) or A:tril(unit and -1 or 0)
          if unit then T = T + nl.eye(n, {dtype = dtype}) end
          local X = linalg.solve_triangular(A, B, {upper = upper, unitriangular = unit})
          assert.is_true(is_close(T:matmul(X), B:expand_as(X), dtype))
          X = linalg.solve_triangular(A, C, {upper = upper, unitriangular = unit, left = false})
          assert.is_true(is_close(X:matmul(T), C:expand_as(X), dtype))
        end
      end
    end)
  end)

  it("knows determinants", function()
    assert_near(-306, linalg.det(nl.tensor {{6., 1, 1}, {4, -2, 5}, {2, 8, 7}}))
    local sign, log = linalg.slogdet(nl.tensor {{0., 2}, {3, 0}})
    assert_near({-1, math.log(6)}, nl.stack {sign, log})
    sign, log = linalg.slogdet(nl.zeros(2, 2))
    assert_near({0, -math.huge}, nl.stack {sign, log})
    local turn = linalg.slogdet(nl.complex(0, 3):expand(1, 1))
    assert_near({0, 1}, nl.view_as_real(turn))
    assert.is_true(nl.logdet(nl.tensor {{0., 2}, {3, 0}}):isnan():item())
    nl.manual_seed(1)
    local x = nl.randn(30, 30, {dtype = nl.float64})
    local large_sign, large_log = linalg.slogdet(x)
    nl.testing.assert_close(linalg.det(x), large_sign * large_log:exp())
  end)

  it("takes matrices without elements", function()
    local none, many = nl.zeros(0, 0), nl.zeros(2, 0, 0)
    assert_near({1, 1}, linalg.det(many))
    assert_near(0, select(2, linalg.slogdet(none)))
    assert.same({2, 0, 0}, linalg.inv(many).shape:totable())
    assert.same({0, 3}, linalg.solve(none, nl.zeros(0, 3)).shape:totable())
    assert.same({0, 2, 2}, linalg.cholesky(nl.zeros(0, 2, 2)).shape:totable())
    assert_near({0, 0}, select(2, linalg.cholesky_ex(many)))
    local P, L, U = linalg.lu(nl.zeros(0, 3))
    assert.same({{0, 0}, {0, 0}, {0, 3}}, {P.shape:totable(), L.shape:totable(), U.shape:totable()})
    assert.same({0, 2}, linalg.solve_triangular(none, nl.zeros(0, 2), {upper = true}).shape:totable())
  end)

  it("gives shapes on the meta device", function()
    local A, B = nl.zeros(2, 3, 3, {device = "meta"}), nl.zeros(3, 4, {device = "meta"})
    assert.same({2, 3, 4}, linalg.solve(A, B).shape:totable())
    assert.same({2, 3, 3}, linalg.inv(A).shape:totable())
    assert.same({2}, linalg.det(A).shape:totable())
    assert.same({9, 1, 3}, linalg.cholesky(A):stride():totable())
    local LU, pivots = linalg.lu_factor(A)
    assert.same({2, 3}, pivots.shape:totable())
    assert.same({2, 3, 4}, linalg.lu_solve(LU, pivots, B).shape:totable())
  end)

  it("tells of singular matrices, in a batch of the first one, from 1", function()
    local zero = nl.zeros(2, 2)
    local batch = nl.stack {nl.eye(2), zero, zero}
    assert.matches("solve: A is singular: .* 0 in row 1$", failure(linalg.solve, zero, nl.ones(2)))
    assert.matches("solve: matrix 2 of the batch: A is singular", failure(linalg.solve, batch, nl.ones(2, 1)))
    assert.matches("inv: matrix 2 of the batch: A is singular", failure(linalg.inv, batch))
    assert.matches("inverse: A is singular", failure(nl.inverse, zero))
    assert.matches("cholesky: matrix 2 of the batch: it is not positive definite: its leading part of size 1 ",
      failure(linalg.cholesky, batch))
    assert.matches("lu_factor: matrix 2 of the batch: U has a 0 on its diagonal, in row 1",
      failure(linalg.lu_factor, batch))
    assert.matches("ldl_factor: .*D has a 0", failure(linalg.ldl_factor, zero))
    assert_near({0, 1, 1}, select(2, linalg.inv_ex(batch)))
    assert_near({0, 1, 1}, select(2, linalg.solve_ex(batch, nl.ones(2))))
    assert_near({0, 1, 1}, select(2, linalg.cholesky_ex(batch)))
    assert.matches("inv_ex: matrix 2", failure(linalg.inv_ex, batch, true))
    assert.matches("solve_ex: matrix 2", failure(linalg.solve_ex, batch, nl.ones(2), {check_errors = true}))
  end)

  it("tells of what doesn't fit", function()
    local A = nl.eye(3)
    assert.matches("solve: .*square", failure(linalg.solve, nl.ones(2, 3), nl.ones(2)))
    assert.matches("solve: A of shape %(3, 3%) and B of shape %(2, 1%) don't fit",
      failure(linalg.solve, A, nl.ones(2, 1)))
    assert.matches("solve: B is float64, but A is float32", failure(linalg.solve, A, nl.ones(3):double()))
    assert.matches("inv: .*shape %(3%)", failure(linalg.inv, nl.ones(3)))
    assert.matches("det: int64 tensors are not taken", failure(linalg.det, nl.ones(2, 2):long()))
    assert.matches("lu_factor: .*without pivots", failure(linalg.lu_factor, A, false))
    local LU = linalg.lu_factor(A)
    assert.matches("lu_solve: the pivots have 4", failure(linalg.lu_solve, LU, nl.tensor({1, 4, 3}):int(), A))
    assert.matches("lu_solve: .*int32", failure(linalg.lu_solve, LU, nl.tensor {1, 2, 3}, A))
    assert.matches("lu_unpack: the pivots have 0", failure(nl.lu_unpack, LU, nl.tensor({0, 2, 3}):int()))
    assert.matches("lu_unpack: LU_pivots has shape %(2%)", failure(nl.lu_unpack, LU, nl.tensor({1, 2}):int()))
    for _, pivots in ipairs {{1, 2, -3}, {-1, 2, 3}, {1, 2, 4}, {-9, -9, 3}} do
      assert.matches("ldl_solve: the pivots", failure(linalg.ldl_solve, A, nl.tensor(pivots):int(), A))
    end
  end)

  it("has gradients, and gradients of them", function()
    nl.manual_seed(5)
    local functions = {
      function(x) return linalg.cholesky(definite(x)) end,
      function(x) return linalg.cholesky(definite(x), true) end,
      function(x) return linalg.lu_factor(x) end,
      function(x) return select(2, linalg.lu(x:narrow(-1, 1, 2))) end,
      function(x) return select(3, linalg.lu(x:narrow(-2, 1, 2))) end,
      function(x) return linalg.solve(x, x * 2 + 1) end,
      function(x) return linalg.solve(x, x:select(-1, 1) + 1) end,
      function(x) return linalg.solve(x, x * 2 + 1, false) end,
      function(x) return linalg.inv(x) end,
      function(x) return linalg.det(x) end,
      function(x) return linalg.slogdet(x) end,
      function(x) return linalg.solve_triangular(x, x + 1, {upper = true}) end,
      function(x) return linalg.solve_triangular(x, x + 1, {upper = false, left = false, unitriangular = true}) end,
      function(x)
        local LU, pivots = linalg.lu_factor(x)
        return linalg.lu_solve(LU, pivots, x + 1), linalg.lu_solve(LU, pivots, x + 1, {adjoint = true, left = false})
      end,
      function(x) return nl.cholesky_solve(x, linalg.cholesky(definite(x))) end,
      function(x) return nl.cholesky_inverse(linalg.cholesky(definite(x), true), true) end,
      function(x) return (nl.triangular_solve(x + 1, x, false, true)) end,
    }
    for _, dtype in ipairs {nl.float64, nl.complex128} do
      local x = (nl.randn(2, 3, 3, {dtype = dtype}) + nl.eye(3, {dtype = dtype})):requires_grad_()
      for _, f in ipairs(functions) do
        local function real_parts(a)
          local results = table.pack(f(a))
          for i, t in ipairs(results) do results[i] = t:is_complex() and nl.view_as_real(t) or t:double() end
          return table.unpack(results)
        end
        assert.is_true(gradcheck(real_parts, {x}))
        assert.is_true(gradgradcheck(real_parts, {x}))
      end
    end
  end)

  -- the adjugate's adjoint
  it("has the determinant's gradient where that is 0", function()
    for _, create_graph in ipairs {false, true} do
      local x = nl.tensor({{{1., 2}, {2, 4}}, {{1, 2}, {3, 4}}, {{0, 0}, {0, 0}}}):double():requires_grad_()
      local d = nl.autograd.grad(linalg.det(x):sum(), x, {create_graph = create_graph})
      assert_near({{{4, -2}, {-2, 1}}, {{4, -3}, {-2, 1}}, {{0, 0}, {0, 0}}}, d)
    end
    local x = nl.tensor({{1., 2, 3}, {2, 4, 6.5}, {1, 2, 7}}):double():requires_grad_()
    assert.is_true(gradcheck(linalg.det, {x}))
    assert.is_true(gradgradcheck(linalg.det, {x}, {atol = 1e-2}))
  end)
end)
