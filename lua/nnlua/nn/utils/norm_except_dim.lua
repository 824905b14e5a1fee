-- The norms of a weight's rows: what both forms of weight_norm are made of.

local core = require "nnlua.nn.core"

local norms = {}

local raise = core.raise

--- A dimension as one from 1 to v.ndim.
function norms.checked_dim(name, v, dim)
  if dim == 0 or math.abs(dim) > v.ndim then
    raise(("%s: dim is a dimension from 1 to %d, or from -%d to -1, not %d"):format(name, v.ndim, v.ndim, dim))
  end
  return dim < 0 and v.ndim + 1 + dim or dim
end

--- The dimension whose entries weight_norm gives a norm each; nil if the weight has one, for which PyTorch has -1, too.
function norms.kept_dim(name, v, dim)
  return dim and dim ~= -1 and norms.checked_dim(name, v, dim) or nil
end

--- The 2-norms of v over all dimensions but one (or, if it is nil, over all), which keep the size 1.
function norms.norm_except_dim(v, dim)
  if not dim then return v:norm() end
  local others = {}
  for i = 1, v.ndim do
    if i ~= dim then others[#others + 1] = i end
  end
  return #others > 0 and v:norm(2, others, true) or v:abs()
end

--- v scaled so that its norms are g.
function norms.scaled(v, g, dim)
  return v * (g / norms.norm_except_dim(v, dim))
end

return norms
