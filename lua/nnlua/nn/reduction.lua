-- How losses as modules are reduced.

local core = require "nnlua.nn.core"

local reductions = {none = true, mean = true, sum = true}

--- The reduction that the two old flags stand for where they are given.
return function(name, size_average, reduce, reduction)
  if size_average ~= nil or reduce ~= nil then
    reduction = reduce == false and "none" or size_average == false and "sum" or "mean"
  end
  if not reductions[reduction] then
    core.raise(("%s: reduction is 'none', 'mean' or 'sum', not '%s'"):format(name, reduction))
  end
  return reduction
end
