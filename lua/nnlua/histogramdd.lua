-- nl.histogramdd: how often points fall into the bins of a grid.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local nl = require "nnlua"

local raise = core.raise

--- Bins or range of each dimension, or an error.
local function check_count(what, list, wanted, dims)
  if #list ~= wanted then
    raise(("histogramdd: %s has %d elements; %d are wanted for points of %d dimensions"):format(
      what, #list, wanted, dims))
  end
end

local function check(input, weight)
  if input.dtype ~= nl.float32 and input.dtype ~= nl.float64 then
    raise(("histogramdd: input must be float32 or float64, not %s"):format(input.dtype))
  end
  if input.ndim < 2 then
    raise(("histogramdd: input must have two dimensions at least, not shape %s"):format(input.shape))
  end
  if input.shape[-1] == 0 then raise "histogramdd: input has points of no dimensions" end
  if not weight then return end
  local points = input:select(-1, 1).shape
  if weight.dtype ~= input.dtype or weight.shape ~= points then
    raise(("histogramdd: weight must be %s of shape %s, not %s of shape %s"):format(
      input.dtype, points, weight.dtype, weight.shape))
  end
end

--- The edges of so many bins of equal width, between two bounds or around all the values.
local function even_edges(values, count, low, high)
  count = args.whole(count)
  if not count or count < 1 then raise "histogramdd: bins must be positive integers, or vectors of edges" end
  if not low and values:numel() > 0 then low, high = values:min():item(), values:max():item() end
  low, high = low or 0.0, high or 1.0
  if not (low - low == 0 and high - high == 0) then
    raise(core.format("histogramdd: the range from %g to %g is not finite", low, high))
  end
  if low > high then
    raise(core.format("histogramdd: the range's end %g is less than its start %g", high, low))
  end
  if low == high then low, high = low - 0.5, high + 0.5 end
  return nl.linspace(low, high, count + 1, {dtype = values.dtype})
end

local function given_edges(values, edges)
  if edges.ndim ~= 1 or edges:numel() < 1 or edges.dtype ~= values.dtype then
    raise(("histogramdd: bins must be %s vectors of edges, not %s of shape %s"):format(
      values.dtype, edges.dtype, edges.shape))
  end
  return edges:clone()
end

--- The edges of all dimensions; `points` is [n, dims].
local function edges_of(points, bins, range)
  local dims, edges = points.shape[2], {}
  if type(bins) == "number" then
    local count = bins
    bins = {}
    for d = 1, dims do bins[d] = count end
  end
  check_count("bins", bins, dims, dims)
  if range then check_count("range", range, 2 * dims, dims) end
  for d = 1, dims do
    local values = points:select(2, d)
    if core.is_tensor(bins[d]) then edges[d] = given_edges(values, bins[d])
    else edges[d] = even_edges(values, bins[d], range and range[2 * d - 1], range and range[2 * d]) end
  end
  return edges
end

--- For each point the bin it is in, in row-major order from 1; and which points are in one.
local function bins_of(points, edges)
  local place, inside = nil, nil
  for d, edge in ipairs(edges) do
    local values, bins = points:select(2, d):contiguous(), edge:numel() - 1
    local bin = nl.searchsorted(edge, values, {right = true}) - 1
    if bins > 0 then bin = bin:masked_fill(values:eq(edge[-1]), bins) end -- the last bin has its upper edge
    local is_in = bin:ge(1) & bin:le(bins) & values:ge(edge[1]) & values:le(edge[-1]) -- also of edges in disorder
    place = place and place * bins + bin - 1 or bin - 1
    inside = inside and inside & is_in or is_in
  end
  return place + 1, inside
end

local parse = args.parser("histogramdd", {
  {"input", "tensor"}, {"bins", "any"}, {"range", "list?"}, {"weight", "tensor?"}, {"density", "boolean", false},
})

--- How many points, the rows of `input`, fall into each bin of a grid, or the sum of their weights; and the edges of
--- the bins in each dimension, as a table. `bins` is how many there are in all dimensions, a list of how many in each,
--- or a list of vectors of edges; `range` has the lowest and the highest edge of each dimension, one after the other.
--- As a density the integral over all bins is 1. See nl.histogram.
---     > hist, edges = nl.histogramdd(nl.tensor({{0.0, 1.0}, {1.0, 0.0}, {1.0, 1.0}}), {2, 2})
---     > hist
---     tensor([[0., 1.],
---             [1., 1.]])
---     > edges[1]
---     tensor([0.0000, 0.5000, 1.0000])
---@return Tensor hist
---@return Tensor[] edges
local function histogramdd(...)
  local input, bins, range, weight, density = parse(...)
  input, weight = input:detach(), weight and weight:detach()
  check(input, weight)
  if type(bins) ~= "number" and type(bins) ~= "table" then
    raise("histogramdd: bins must be a number, a list of numbers, or a list of tensors, not " .. core.describe(bins))
  end
  local points = input:reshape(-1, input.shape[-1])
  local edges = edges_of(points, bins, range)
  local shape, total = {}, 1
  for d, edge in ipairs(edges) do
    shape[d] = edge:numel() - 1
    total = total * shape[d]
  end
  local place, inside = bins_of(points, edges)
  local each = weight and weight:reshape(-1):double() or nl.ones(points.shape[1], {dtype = nl.float64})
  local hist = nl.zeros(total, {dtype = nl.float64}):index_add_(1, place[inside], each[inside]):reshape(shape)
  if density then
    hist = hist / hist:sum()
    for d, edge in ipairs(edges) do
      local line = {}
      for i = 1, #edges do line[i] = i == d and -1 or 1 end
      hist = hist / edge:double():diff():reshape(line)
    end
  end
  return hist:to(input.dtype), edges
end

return histogramdd
