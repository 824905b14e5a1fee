-- nl.lobpcg against eigenvalues and gradients of the whole matrix.
local nl = require "nnlua"

local function matrix(n)
  nl.manual_seed(3)
  local A = nl.randn(n, n, {dtype = nl.float64})
  return A:matmul(A.mT) + nl.eye(n, {dtype = nl.float64})
end

local function near(expected, actual, tolerance)
  assert.is_true(nl.allclose(expected, actual, tolerance, tolerance), tostring(actual))
end

describe("lobpcg", function()
  for _, method in ipairs {"ortho", "basic"} do
    it("finds the largest and the smallest pairs: " .. method, function()
      local A = matrix(12)
      local all = nl.linalg.eigvalsh(A)
      for _, largest in ipairs {true, false} do
        local E, X = nl.lobpcg(A, 2, {method = method, largest = largest})
        near(largest and all:flip(1)[{{1, 2}}] or all[{{1, 2}}], E, 1e-6)
        near(X * E, A:matmul(X), 1e-5)
      end
    end)
  end

  it("solves general problems, with a first approximation and a preconditioner", function()
    local A, B = matrix(12), matrix(12) + 12 * nl.eye(12, {dtype = nl.float64})
    local start = nl.randn(12, 3, {dtype = nl.float64})
    local E, X = nl.lobpcg(A, {k = 2, B = B, X = start, iK = nl.linalg.inv(A), largest = false})
    near(B:matmul(X) * E, A:matmul(X), 1e-5)
    near(nl.eye(2, {dtype = nl.float64}), X.mT:matmul(B):matmul(X), 1e-6)
  end)

  it("takes batches one by one, and calls its tracker", function()
    local A, steps = matrix(12), 0
    local E, X = nl.lobpcg(nl.stack({A, A + nl.eye(12)}), 2, {tracker = function(state)
      steps = math.max(steps, state.ivars.istep)
    end})
    assert.same({2, 2}, {E.shape:unpack()})
    assert.same({2, 12, 2}, {X.shape:unpack()})
    near(E[1] + 1, E[2], 1e-6)
    assert.is_true(steps > 1)
    steps = 0
    nl.lobpcg(A, {tracker = function(state)
      steps = steps + 1
      state.bvars.force_stop = true
    end})
    assert.equal(1, steps)
  end)

  it("has the gradients of eigh", function()
    local weights = nl.arange(24.0):reshape(12, 2)
    local function gradient(pairs_of)
      local A = matrix(12):requires_grad_()
      local E, X = pairs_of(A)
      return nl.autograd.grad((E * nl.tensor({1.0, 3.0})):sum() + (X:abs() * weights):sum(), A)
    end
    local own = gradient(function(A) return nl.lobpcg(A, 2, {tol = 1e-12}) end)
    near(gradient(function(A)
      local E, V = nl.linalg.eigh((A + A.mT) / 2)
      return E[{{-2, -1}}]:flip(1), V[{{}, {-2, -1}}]:flip(2)
    end), own, 1e-8)
  end)

  it("says what doesn't fit", function()
    assert.error_matches(function() nl.lobpcg(nl.eye(5), 2) end, "three times as many rows")
    assert.error_matches(function() nl.lobpcg(nl.eye(9), 1, {method = "svd"}) end, "method is")
    assert.error_matches(function() nl.lobpcg(nl.ones(9, 8)) end, "square matrix")
    assert.error_matches(function() nl.lobpcg(nl.eye(9):half()) end, "float32 or float64")
    assert.error_matches(function() nl.lobpcg(nl.eye(9):requires_grad_(), 1, nl.eye(9)) end, "no gradient where B")
  end)
end)
