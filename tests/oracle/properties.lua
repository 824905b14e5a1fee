--- The properties that results have to have where their values are not unique.
--- Each function takes the inputs by name, the results, the recorded results as tensors and a
--- function `close(a, b)`. export/properties.py is the same in Python.

local api = require "oracle.api"

local nl = api.nl

local properties = {}

-- ------------------------------------------------------------------- helpers

local function all(condition)
  return condition:all():item()
end

--- The same elements, nan equal to nan.
local function same(a, b)
  if a.dtype ~= b.dtype or a.shape ~= b.shape then
    return false
  end
  return all(a:eq(b):logical_or(a:ne(a):logical_and(b:ne(b))))
end

local function matrix(bound)
  return (bound.A or bound.input):detach()
end

local function identity_like(x)
  return nl.eye(x:size(-1), {dtype = x.dtype}):expand(x.shape)
end

local function is_orthonormal(columns, close)
  local product = columns.mH:matmul(columns)
  return close(product, identity_like(product))
end

local function is_upper(r)
  return same(r, r:triu())
end

--- Columns of a matrix scaled by a vector.
local function scaled(columns, factors)
  return columns * factors:unsqueeze(-2):to(columns.dtype)
end

local function hermitian(a, uplo)
  local triangle = uplo == "U" and a:triu(1) or a:tril(-1)
  local diagonal = nl.real(a:diagonal(0, -2, -1)):to(a.dtype):diag_embed()
  return triangle + triangle.mH + diagonal
end

--- Complex numbers sorted by their rounded real part, then their imaginary part.
local function in_order(eigenvalues)
  if eigenvalues:numel() == 0 then
    return eigenvalues
  end
  local scale = eigenvalues:abs():max()
  local real, imaginary = nl.real(eigenvalues) / scale, nl.imag(eigenvalues) / scale
  local key = (real * 1e4):round() * 1e6 + imaginary * 1e4
  return eigenvalues:gather(-1, key:argsort(-1))
end

--- The input's elements at indices along the dimension of the call.
local function picked(bound, indices)
  local x, dim = bound.input:detach(), bound.dim or -1
  if x.ndim == 0 then
    return x:expand(indices.shape)
  elseif indices.ndim < x.ndim then  -- the dimension was reduced away
    return x:gather(dim, indices:unsqueeze(dim)):squeeze(dim)
  end
  return x:gather(dim, indices)
end

local function has_repeats(bound, indices)
  local x, dim = bound.input, bound.dim or -1
  if indices.ndim < x.ndim or indices.ndim == 0 or indices:numel() == 0 then
    return false
  end
  local ordered = indices:sort(dim)
  return ordered:diff(1, dim):eq(0):any():item()
end

-- ---------------------------------------------------------------- properties

function properties.picks(bound, got, recorded)
  local n = #recorded
  for i = 1, n - 1 do
    if not same(got[i], recorded[i]) then
      return false
    end
  end
  return same(picked(bound, got[n]), picked(bound, recorded[n]))
    and not has_repeats(bound, got[n])
end

function properties.picks_unordered(bound, got, recorded)
  local dim = bound.dim or -1
  local ordered, recorded_ordered = got[1]:sort(dim), recorded[1]:sort(dim)
  return same(ordered, recorded_ordered) and same(got[1], picked(bound, got[2]))
    and not has_repeats(bound, got[2])
end

function properties.unordered(bound, got, recorded)
  local order, recorded_order = got[1]:argsort(), recorded[1]:argsort()
  for i = 1, #recorded do
    local is_inverse = i == 2 and bound.return_inverse
    if is_inverse and not same(got[1][got[2]], bound.input:detach()) then
      return false
    elseif not is_inverse and not same(got[i][order], recorded[i][recorded_order]) then
      return false
    end
  end
  return true
end

function properties.qr(bound, got, _, close)
  local a, q, r = matrix(bound), got[1], got[2]
  if q:numel() == 0 and r:numel() > 0 then
    return close(r.mH:matmul(r), a.mH:matmul(a)) and is_upper(r)
  end
  return close(q:matmul(r), a) and is_orthonormal(q, close) and is_upper(r)
end

function properties.svd_h(bound, got, recorded, close)
  local u, s, vh = got[1], got[2], got[3]
  local k = s:size(-1)
  local product = scaled(u:narrow(-1, 1, k), s):matmul(vh:narrow(-2, 1, k))
  return close(product, matrix(bound)) and close(s, recorded[2])
    and is_orthonormal(u, close) and is_orthonormal(vh.mH, close)
end

function properties.svd(bound, got, recorded, close)
  if bound.compute_uv == false then
    return close(got[2], recorded[2])
  end
  return properties.svd_h(bound, {got[1], got[2], got[3].mH}, recorded, close)
end

function properties.eigh(bound, got, recorded, close)
  local eigenvalues, vectors = got[1], got[2]
  local a = hermitian(matrix(bound), (bound.UPLO or "L"):upper())
  return close(a:matmul(vectors), scaled(vectors, eigenvalues))
    and close(eigenvalues, recorded[1]) and is_orthonormal(vectors, close)
end

function properties.eig(bound, got, recorded, close)
  local eigenvalues, vectors = got[1], got[2]
  local a = matrix(bound):to(vectors.dtype)
  local lengths = vectors:abs():square():sum(-2)
  return close(a:matmul(vectors), scaled(vectors, eigenvalues))
    and close(lengths, nl.ones_like(lengths))
    and properties.eigvals(bound, got, recorded, close)
end

function properties.eigvals(_, got, recorded, close)
  return close(in_order(got[1]), in_order(recorded[1]))
end

function properties.geqrf(bound, got, _, close)
  local a, packed, tau = matrix(bound), got[1], got[2]
  local k = math.min(a:size(-1), a:size(-2))
  local q = nl.linalg.householder_product(packed:narrow(-1, 1, k), tau)
  return close(q:matmul(packed:triu():narrow(-2, 1, k)), a)
end

return properties
