-- nn.utils.parametrizations: weights of norm g, of spectral norm 1, and orthogonal ones.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local guard = require "nnlua.guard"
local nl = require "nnlua"
local Module = require "nnlua.nn.module"
local norms = require "nnlua.nn.utils.norm_except_dim"
local parametrize = require "nnlua.nn.utils.parametrize"
local singular = require "nnlua.nn.utils.singular_vectors"

--- Parametrizations of weights that are there: `nn.utils.parametrizations.orthogonal(nn.Linear(3, 3))`.
local parametrizations = {}

local raise = core.raise

local function weight_of(name, module, tensor_name)
  local weight = module[tensor_name]
  if not core.is_tensor(weight) then
    raise(("%s: %s has no parameter or buffer '%s'"):format(name, core.class_name(module), tensor_name))
  end
  return weight
end

-- ---------------------------------------------------------------- weight_norm

local WeightNorm = core.class("nn.utils.parametrizations._WeightNorm", Module)

function WeightNorm:init(dim)
  self.dim = dim
end

function WeightNorm:forward(g, v)
  return norms.scaled(v, g, self.dim)
end

function WeightNorm:right_inverse(weight)
  return norms.norm_except_dim(weight, self.dim), weight
end

--- The old form saved `weight_g` and `weight_v`.
function WeightNorm:_rename_saved(dict, prefix, name) -- luacheck: no self
  local g, v = prefix .. name .. "_g", prefix .. name .. "_v"
  if dict[g] == nil or dict[v] == nil then return end
  local list = prefix .. "parametrizations." .. name
  dict[list .. ".original0"], dict[list .. ".original1"] = dict[g], dict[v]
  dict[g], dict[v] = nil, nil
end

local parse_weight = args.parser("weight_norm", {
  {"module", "module"}, {"name", "string", "weight"}, {"dim", "integer?", 1},
})

--- Makes a weight the product of its norms and its direction, which are trained apart: g * v / |v|. `dim` is the
--- dimension whose entries have a norm each; nl.none or -1: the weight has one. g is
--- `module.parametrizations.weight.original0`, v `original1`. Returns the module.
---     > net = nn.utils.parametrizations.weight_norm(nn.Linear(20, 40))
---     > net.parametrizations.weight.original0.shape, net.parametrizations.weight.original1.shape
---     [40, 1]	[40, 20]
function parametrizations.weight_norm(...)
  local module, name, dim = parse_weight(...)
  dim = norms.kept_dim("weight_norm", weight_of("weight_norm", module, name), dim)
  return parametrize.register_parametrization(module, name, WeightNorm(dim), {unsafe = true})
end

-- -------------------------------------------------------------- spectral_norm

local SpectralNorm = core.class("nn.utils.parametrizations._SpectralNorm", Module)

--- Brings the two vectors nearer to the first singular ones, in place.
local function iterate(self, matrix, times)
  local _ <close> = nl.no_grad()
  for _ = 1, times do
    self._u:copy_(singular.normalized(nl.mv(matrix, self._v), self.eps))
    self._v:copy_(singular.normalized(nl.mv(matrix.mH, self._u), self.eps))
  end
end

function SpectralNorm:init(weight, n_power_iterations, dim, eps)
  self.dim, self.eps, self.n_power_iterations = dim, eps, n_power_iterations
  if weight.ndim == 1 then return end
  local matrix = singular.as_matrix(weight:detach(), dim)
  local u, v = singular.drawn(matrix, eps)
  self:register_buffer("_u", u)
  self:register_buffer("_v", v)
  iterate(self, matrix, 15)
end

function SpectralNorm:forward(weight)
  if weight.ndim == 1 then return singular.normalized(weight, self.eps) end
  local matrix = singular.as_matrix(weight, self.dim)
  if self.training then iterate(self, matrix, self.n_power_iterations) end
  -- Copies, as the backward of this call may come after the next one has changed the vectors.
  local u, v = self._u:clone(), self._v:clone()
  return weight / nl.vdot(u, nl.mv(matrix, v))
end

function SpectralNorm:right_inverse(value) -- luacheck: no self
  return value
end

local parse_spectral = args.parser("spectral_norm", singular.arguments)

--- Divides a weight by its largest singular value, which `n_power_iterations` of the power method follow whenever the
--- weight is read in training mode. A weight of more dimensions is a matrix whose rows are the entries of `dim`: the
--- first dimension, of transposed convolutions the second. A vector is divided by its norm. Returns the module.
---     > net = nn.utils.parametrizations.spectral_norm(nn.Linear(20, 40))
---     > net.parametrizations.weight[1]._u.shape
---     [40]
---     > math.abs(nl.linalg.matrix_norm(net.weight, 2):item() - 1) < 0.1
---     true
function parametrizations.spectral_norm(...)
  local module, name, iterations, eps, dim = parse_spectral(...)
  local weight = weight_of("spectral_norm", module, name)
  dim = singular.checked("spectral_norm", module, weight, iterations, dim)
  return parametrize.register_parametrization(module, name, SpectralNorm(weight, iterations, dim, eps))
end

-- ----------------------------------------------------------------- orthogonal

local Orthogonal = core.class("nn.utils.parametrizations._Orthogonal", Module)

local function is_orthogonal(q)
  local n, k = q:size(-2), q:size(-1)
  local identity = nl.eye(k, {dtype = q.dtype, device = q.device})
  return nl.allclose(q.mH:matmul(q), identity, {atol = 10 * n * nl.finfo(q.dtype).eps})
end

local function diagonal(x)
  return x:diagonal(0, -2, -1)
end

--- The orthogonal factor of a = QR whose R has a positive diagonal.
local function made_orthogonal(a)
  local x, tau = nl.geqrf(a)
  return nl.linalg.householder_product(x, tau) * diagonal(x):sgn():unsqueeze(-2)
end

--- exp(A) or (I - A/2)^-1 (I + A/2) of the skew-symmetric A that has the lower triangle of x, the first k columns.
local function of_skew(x, map)
  local n, k = x:size(-2), x:size(-1)
  x = x:tril()
  if n ~= k then x = nl.F.pad(x, {0, n - k}) end
  local a, q = x - x.mH, nil
  if map == "matrix_exp" then
    q = nl.linalg.matrix_exp(a)
  else
    local identity = nl.eye(n, {dtype = a.dtype, device = a.device})
    q = nl.linalg.solve(identity - a * 0.5, identity + a * 0.5)
  end
  return n ~= k and q:narrow(-1, 1, k) or q
end

--- The product of the reflections below the diagonal of x; its diagonal has the signs of the columns.
local function of_reflections(x)
  local a = x:tril(-1)
  local tau = 2 / (1 + (a * a):sum(-2))
  return nl.linalg.householder_product(a, tau) * diagonal(x):detach():to(nl.int32):unsqueeze(-2)
end

function Orthogonal:init(weight, map, use_trivialization)
  self.shape, self.orthogonal_map, self.use_trivialization = weight.shape, map, use_trivialization
  if use_trivialization then
    self:register_buffer("base", nil)
    self.right_inverse = self._set_base
  elseif map == "householder" then
    self.right_inverse = self._reflections
  end
end

function Orthogonal:forward(x)
  local is_wide = x:size(-2) < x:size(-1)
  if is_wide then x = x.mT end
  local q = self.orthogonal_map == "householder" and of_reflections(x) or of_skew(x, self.orthogonal_map)
  if self.use_trivialization then q = self.base:matmul(q) end
  return is_wide and q.mT or q
end

local function check_shape(self, q)
  if q.shape ~= self.shape then
    raise(("right_inverse: the shape %s was expected, not %s"):format(self.shape, q.shape))
  end
end

--- The reflections that give a matrix, made orthogonal.
function Orthogonal:_reflections(q)
  check_shape(self, q)
  local is_wide = q:size(-2) < q:size(-1)
  local a, tau = nl.geqrf(is_wide and q.mT or q)
  -- LAPACK's tau is exactly 0 where it needs no reflection.
  local signs = diagonal(a):sign() * (1 - 2 * tau:eq(0):to(a.dtype))
  diagonal(a):copy_(signs)
  return is_wide and a.mT or a
end

--- Keeps a matrix, made orthogonal and completed to a square one, as the base, from which training starts anew: the
--- original is then minus the identity, whose reflections are the identity.
function Orthogonal:_set_base(q)
  check_shape(self, q)
  local origin = nl.zeros_like(q)
  diagonal(origin):fill_(-1)
  if q:size(-2) < q:size(-1) then q = q.mT end
  local n, k = q:size(-2), q:size(-1)
  if n == k then
    q = is_orthogonal(q) and q:clone() or made_orthogonal(q)
  else
    local sizes = {table.unpack(q.shape)}
    sizes[#sizes] = n - k
    q = made_orthogonal(nl.cat({q, nl.randn(sizes, {dtype = q.dtype, device = q.device})}, -1))
  end
  self.base = q:detach()
  return origin
end

local maps = {matrix_exp = true, cayley = true, householder = true}

local parse_orthogonal = args.parser("orthogonal", {
  {"module", "module"}, {"name", "string", "weight"}, {"orthogonal_map", "string?"},
  {"use_trivialization", "boolean", true},
})

--- Makes a matrix, or a batch of them, orthogonal (unitary): its columns, or its rows where it is wide. The map is
--- "matrix_exp" (that of square and complex ones), "cayley" or "householder" (that of others). With use_trivialization
--- the parameters are near to what was assigned last; without it only "householder" takes assignments. Returns the
--- module.
---     > net = nn.utils.parametrizations.orthogonal(nn.Linear(20, 40))
---     > nl.allclose(net.weight.T:matmul(net.weight), nl.eye(20), {atol = 1e-4})
---     true
function parametrizations.orthogonal(...)
  local module, name, map, use_trivialization = parse_orthogonal(...)
  local weight = weight_of("orthogonal", module, name)
  if weight.ndim < 2 then
    raise(("orthogonal: a matrix or a batch of them was expected, not a tensor of %d dimensions"):format(weight.ndim))
  end
  map = map or (weight:size(-2) == weight:size(-1) or weight:is_complex()) and "matrix_exp" or "householder"
  if not maps[map] then
    raise(('orthogonal: orthogonal_map is "matrix_exp", "cayley" or "householder", not "%s"'):format(map))
  elseif weight:is_complex() and map == "householder" then
    raise 'orthogonal: "householder" is for real tensors; "matrix_exp" and "cayley" take complex ones'
  end
  local how = Orthogonal(weight, map, use_trivialization)
  return parametrize.register_parametrization(module, name, how, {unsafe = true})
end

guard.classes {WeightNorm, SpectralNorm, Orthogonal}

return parametrizations
