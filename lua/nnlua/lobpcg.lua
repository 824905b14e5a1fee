-- nl.lobpcg: a few eigenvalues and eigenvectors of a symmetric matrix, by products with it alone.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local nl = require "nnlua"

local raise = core.raise
local linalg = nl.linalg

-- ------------------------------------------------------------------- helpers

--- A @ x, where no A stands for the identity.
local function product(A, x)
  return A and A:matmul(x) or x
end

--- S^T A S.
local function form(A, S)
  return S.mT:matmul(product(A, S))
end

--- Eigenvalues and eigenvectors of a symmetric matrix, the largest or the smallest ones first.
local function eigen(M, largest)
  local E, Z = linalg.eigh(M)
  if largest then return E:flip(-1), Z:flip(-1) end
  return E, Z
end

local function norm(x)
  return linalg.vector_norm(x):item()
end

--- The columns of x from `first` to `last`; `first` may be one behind it.
local function columns(x, first, last)
  return x:narrow(2, first, (last or x.shape[2]) - first + 1)
end

--- x with the columns from `first` on replaced, as many as there are of `values`.
local function set_columns(x, first, values)
  if values.shape[2] > 0 then columns(x, first, first + values.shape[2] - 1):copy_(values) end
end

--- The positions at which a mask of one dimension holds.
local function places(mask)
  return mask:nonzero():squeeze(2)
end

-- -------------------------------------------------------------- one problem

-- The state of an iteration, which a tracker sees. The names are PyTorch's (torch/_lobpcg.py): A, B, iK; X and E, the
-- approximations so far; R, the residuals; S, the basis that is searched; iparams, fparams and bparams, what was asked
-- for; ivars, fvars, bvars and tvars, what changes.
local Worker = {}
Worker.__index = Worker

local function new_worker(A, B, X, iK, iparams, fparams, bparams, method, tracker)
  local m, n, like = iparams.m, iparams.n, {dtype = X.dtype}
  return setmetatable({
    A = A, B = B, iK = iK, iparams = iparams, fparams = fparams, bparams = bparams, method = method, tracker = tracker,
    X = X:clone(), E = nl.zeros(n, like), R = nl.zeros(m, n, like), S = nl.zeros(m, 3 * n, like),
    ivars = {istep = 0}, fvars = {}, bvars = {}, tvars = {},
  }, Worker)
end

function Worker:update_residual()
  self.R = product(self.A, self.X) - product(self.B, self.X) * self.E
end

--- How many of the first pairs have converged, by the backward stable criterion of [DuerschEtal2018, section 4.3].
function Worker:update_converged_count()
  local E, X, R, vars = self.E, self.X, self.R, self.fvars
  local scale = linalg.vector_norm(X, 2, 1) * (vars.A_norm + E:abs() * vars.B_norm)
  local errors = linalg.vector_norm(R, 2, 1) / scale
  local count = 0
  for _, converged in ipairs(errors:lt(self.fparams.tol):tolist()) do
    if not converged then break end
    count = count + 1
  end
  self.ivars.converged_count, self.tvars.rerr = count, errors
  return count
end

--- The upper triangular matrix that makes S a basis in which the problem is an ordinary one (Rayleigh and Ritz).
function Worker:ritz_transform(S)
  local SBS = form(self.B, S)
  local d = SBS:diagonal() ^ -0.5
  local R = linalg.cholesky(SBS * d * d:unsqueeze(2), {upper = true})
  return linalg.solve_triangular(R, d:diag_embed(), {upper = true, left = false})
end

--- U made B-orthonormal by its singular values [DuerschPhD2015, algorithm 4]; columns that add little are dropped if
--- asked, columns of zeros always.
function Worker:orthonormal(U, drop, tau)
  if U:numel() == 0 then return U end
  local UBU = form(self.B, U)
  local nonzero = places(UBU:diagonal():ne(0))
  if #nonzero < UBU.shape[1] then
    U = U:index_select(2, nonzero)
    if U:numel() == 0 then return U end
    UBU = form(self.B, U)
  end
  local d = (UBU:diagonal() ^ -0.5):unsqueeze(2)
  local E, Z = eigen(UBU * d * d.mT)
  local least = tau * E:abs():max():item()
  if drop then
    local kept = places(E:gt(least))
    E, Z, d = E:index_select(1, kept), Z:index_select(2, kept), d:index_select(1, kept)
  else
    E = E:clamp(least)
  end
  return (U * d.mT):matmul(Z * E ^ -0.5)
end

--- U made B-orthonormal, with columns B-orthogonal to V [DuerschPhD2015, algorithms 3 and 6].
function Worker:orthogonal_to(U, V)
  local iparams, fparams, B = self.iparams, self.fparams, self.B
  local drops, V_norm = self.bparams.ortho_use_drop, norm(product(B, V))
  local VBU = V.mT:matmul(product(B, U))
  for i = 1, iparams.ortho_i_max do
    U = U - V:matmul(VBU)
    local drop, tau = false, drops and fparams.ortho_tol_drop or fparams.ortho_tol_replace
    local BU
    for j = 1, iparams.ortho_j_max do
      U = self:orthonormal(U, drop, tau)
      if drops then drop, tau = true, fparams.ortho_tol_replace end
      self.ivars.ortho_i, self.ivars.ortho_j = i, j
      if U:numel() == 0 then return U end
      BU = product(B, U)
      local UBU = U.mT:matmul(BU)
      local rest = norm(UBU - nl.eye(#UBU, {dtype = U.dtype}))
      if rest / (norm(BU) * norm(U)) < fparams.ortho_tol then break end
    end
    VBU = V.mT:matmul(BU)
    if norm(VBU) / (V_norm * norm(U)) < fparams.ortho_tol then break end
    if iparams.m < U.shape[2] + V.shape[2] then
      raise(("lobpcg: %d columns are too many for a matrix of %d rows"):format(U.shape[2] + V.shape[2], iparams.m))
    end
  end
  return U
end

--- Puts X, P and W, the directions of the next step, side by side in S.
function Worker:set_search(P, W)
  local n, np = self.iparams.n, P and P.shape[2] or 0
  set_columns(self.S, 1, self.X)
  if P then set_columns(self.S, n + 1, P) end
  set_columns(self.S, n + np + 1, W)
  self.ivars.converged_end = n + np + W.shape[2]
end

--- A step of [Knyazev2001]: fast, but Cholesky's factors may not exist.
function Worker:update_basic()
  local n, nc, largest = self.iparams.n, self.ivars.converged_count, self.bparams.largest
  local S = self.ivars.istep == 0 and self.X or columns(self.S, nc + 1, self.ivars.converged_end)
  local Ri = self:ritz_transform(S)
  local E, Z = eigen(form(form(self.A, S), Ri), largest)
  local basis = S:matmul(Ri)
  set_columns(self.X, nc + 1, basis:matmul(columns(Z, 1, n - nc)))
  self.E:narrow(1, nc + 1, n - nc):copy_(E:narrow(1, 1, n - nc))
  local P
  if self.ivars.istep > 0 then P = basis:matmul(columns(Z, n + 1, math.min(2 * n - nc, Z.shape[2]))) end
  self:update_residual()
  nc = self:update_converged_count()
  self:set_search(P, product(self.iK, columns(self.R, P and nc + 1 or 1)))
end

--- A step with an orthogonal basis [StathopoulosEtal2002], which always works.
function Worker:update_ortho()
  local n, nc, largest = self.iparams.n, self.ivars.converged_count, self.bparams.largest
  if self.ivars.istep == 0 then
    local Ri = self:ritz_transform(self.X)
    local _, Z = eigen(form(form(self.A, self.X), Ri), largest)
    self.X = self.X:matmul(Ri:matmul(Z))
    self:update_residual()
    self:update_converged_count()
    self:set_search(nil, self:orthogonal_to(self.R, self.X))
    return
  end
  local S = columns(self.S, nc + 1, self.ivars.converged_end)
  local E, Z = eigen(form(self.A, S), largest)
  set_columns(self.X, nc + 1, S:matmul(columns(Z, 1, n - nc)))
  self.E:narrow(1, nc + 1, n - nc):copy_(E:narrow(1, 1, n - nc))
  local rest = columns(Z, n - nc + 1)
  local P = S:matmul(rest:matmul((linalg.qr(rest:narrow(1, 1, n - nc).mT))))
  self:update_residual()
  nc = self:update_converged_count()
  local basis = nl.cat({self.X, P}, 2)
  self:set_search(P, self:orthogonal_to(columns(self.R, nc + 1), basis))
end

function Worker:update()
  local ivars, fvars = self.ivars, self.fvars
  if ivars.istep == 0 then
    fvars.X_norm = norm(self.X)
    fvars.A_norm = norm(product(self.A, self.X)) / fvars.X_norm
    fvars.B_norm = norm(product(self.B, self.X)) / fvars.X_norm
    ivars.iterations_left, ivars.converged_count, ivars.converged_end = self.iparams.niter, 0, 0
  end
  if self.method == "ortho" then self:update_ortho() else self:update_basic() end
  ivars.iterations_left, ivars.istep = ivars.iterations_left - 1, ivars.istep + 1
  if self.tracker then self.tracker(self) end
end

function Worker:run()
  repeat
    self:update()
  until self.bvars.force_stop or self.ivars.iterations_left == 0
    or self.ivars.converged_count >= self.iparams.k
  return self.E:narrow(1, 1, self.iparams.k), columns(self.X, 1, self.iparams.k)
end

-- ------------------------------------------------------------------ gradient

--- The gradient of A: within the span of the vectors by their differences, outside of it by solving
--- (d - A) y = the gradient's part there, for each pair of d and u.
local function gradient(A, D, U, dD, dU)
  local Ut = U.mT
  local gaps = D:unsqueeze(-2) - D:unsqueeze(-1)
  local F = (gaps + nl.eye(D.shape[-1], {dtype = D.dtype})):reciprocal() - nl.eye(D.shape[-1], {dtype = D.dtype})
  local inside = U:matmul(dD:diag_embed() + Ut:matmul(dU) * F):matmul(Ut)
  if U.shape[-1] == U.shape[-2] then return inside end
  local onto = U:matmul(Ut)
  local apart = nl.eye(U.shape[-2], {dtype = U.dtype}) - onto
  local deflated = A - (U * D:unsqueeze(-2)):matmul(Ut)
  local d = D:unsqueeze(-1):unsqueeze(-1)
  local systems = d * apart:unsqueeze(-3) - deflated:unsqueeze(-3) + onto:unsqueeze(-3)
  local y = linalg.solve(systems, apart:matmul(dU).mT:unsqueeze(-1)):squeeze(-1).mT
  return inside + y:matmul(Ut)
end

local Lobpcg = nl.autograd.Function "Lobpcg"

function Lobpcg.forward(ctx, A, solve)
  local D, U = solve(A)
  ctx:save_for_backward(A, D, U)
  return D, U
end

function Lobpcg.backward(ctx, dD, dU)
  local A, D, U = table.unpack(ctx.saved_tensors)
  return gradient(A, D, U, dD, dU), nil
end

-- ------------------------------------------------------------------- lobpcg

local parse = args.parser("lobpcg", {
  {"A", "tensor"}, {"k", "integer?"}, {"B", "tensor?"}, {"X", "tensor?"}, {"n", "integer?"}, {"iK", "tensor?"},
  {"niter", "integer?"}, {"tol", "number?"}, {"largest", "boolean", true}, {"method", "string?"},
  {"tracker", "function?"}, {"ortho_iparams", "table?"}, {"ortho_fparams", "table?"}, {"ortho_bparams", "table?"},
})

local epsilon = {[nl.float32] = 1.2e-07, [nl.float64] = 2.23e-16}

local function check(A, B, method)
  if A.ndim < 2 or A.shape[-1] ~= A.shape[-2] then
    raise(("lobpcg: A must be a square matrix or a batch of them, not of shape %s"):format(A.shape))
  end
  if not epsilon[A.dtype] then
    raise(("lobpcg: A must be float32 or float64, not %s"):format(A.dtype))
  end
  if B and B.shape ~= A.shape then
    raise(("lobpcg: B must have the shape of A, %s, not %s"):format(A.shape, B.shape))
  end
  if method ~= "ortho" and method ~= "basic" then
    raise(('lobpcg: method is "ortho" or "basic", not "%s"'):format(method))
  end
end

local function merge(into, more)
  for key, value in pairs(more or {}) do into[key] = value end
  return into
end

--- What was asked for, by kinds: numbers of things, numbers, and switches.
local function parameters(A, X, k, n, niter, tol, largest, more_i, more_f, more_b)
  local m = A.shape[-1]
  k = k or (X and X.shape[-1] or 1)
  n = X and X.shape[-1] or n or k
  tol = tol or epsilon[A.dtype] ^ 0.5
  if k < 1 or k > n then raise(("lobpcg: k is %d, of %d vectors that are looked for"):format(k, n)) end
  if m < 3 * n then
    raise(("lobpcg: a matrix of %d rows is too small for %d vectors: three times as many rows are wanted"):format(m, n))
  end
  if X and (X.ndim ~= A.ndim or X.shape[-2] ~= m) then
    raise(("lobpcg: X must hold vectors of %d elements for each matrix, not shape %s"):format(m, X.shape))
  end
  local integers = {m = m, n = n, k = k, niter = niter or 1000, ortho_i_max = 3, ortho_j_max = 3}
  local numbers = {tol = tol, ortho_tol = tol, ortho_tol_drop = tol, ortho_tol_replace = tol}
  return merge(integers, more_i), merge(numbers, more_f), merge({largest = largest, ortho_use_drop = false}, more_b)
end

--- The k largest (or smallest) eigenvalues of a symmetric matrix A, or of the problem A x = lambda B x, and their
--- eigenvectors, by LOBPCG, which multiplies by A and factors small matrices only. `X` is a first approximation of the
--- vectors, else n random ones; `iK` a preconditioner; `method` "ortho" or the less robust "basic"; `tracker` is called
--- with the state of the iteration after each step. Gradients flow to A, where there is no B.
--- Shapes: A, B and iK (*, m, m), X (*, m, n); results (*, k) and (*, m, k)
---     > E, X = nl.lobpcg(nl.diag(nl.arange(1.0, 13)), 2)
---     > E:round()
---     tensor([12., 11.])
---     > X.shape
---     [12, 2]
---@return Tensor E
---@return Tensor X
local function lobpcg(...)
  local A, k, B, X, n, iK, niter, tol, largest, method, tracker, more_i, more_f, more_b = parse(...)
  method = method or "ortho"
  check(A, B, method)
  if B and (A.requires_grad or B.requires_grad) then
    raise "lobpcg: there is no gradient where B is given: detach A and B"
  end
  local iparams, fparams, bparams = parameters(A, X, k, n, niter, tol, largest, more_i, more_f, more_b)
  local m, shape = iparams.m, {A.shape:unpack()}
  local function solve(matrices)
    local a = matrices:reshape(-1, m, m)
    local b, x = B and B:reshape(-1, m, m), X and X:detach():reshape(-1, m, iparams.n)
    local values, vectors = {}, {}
    for i = 1, #a do
      local start = x and x[i] or nl.randn(m, iparams.n, {dtype = A.dtype})
      iparams.batch_index = i
      local worker = new_worker(a[i], b and b[i], start, iK, iparams, fparams, bparams, method, tracker)
      values[i], vectors[i] = worker:run()
    end
    shape[#shape - 1], shape[#shape] = iparams.k, nil
    local E = nl.stack(values):reshape(shape)
    shape[#shape], shape[#shape + 1] = m, iparams.k
    return E, nl.stack(vectors):reshape(shape)
  end
  if A.requires_grad and nl.is_grad_enabled() then return Lobpcg.apply((A + A.mT) / 2, solve) end
  return nl.no_grad(solve, A)
end

return lobpcg
