-- Connected regions of masks.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local nl = require "nnlua"
local system = require "nnlua.system"

local regions = {}

local raise = core.raise

local parse_components = args.parser("nl.vision.connected_components", {
  {"mask", "tensor"}, {"connectivity", "integer", 8},
})

--- The connected regions of what is not zero in a mask: the number of each pixel's region, from 1 on, 0 outside of
--- them; and for each region left, top (both from 1 on), width, height and the number of its pixels. Neighbours of a
--- pixel are the 4 beside it, or 8 with the diagonal ones. As OpenCV's connectedComponentsWithStats, without what is
--- outside.
--- Shapes: mask (height, width); results int64 (height, width) and (regions, 5)
---     > labels, stats = nl.vision.connected_components(nl.tensor {{1, 1, 0}, {0, 0, 0}, {0, 1, 1}})
---     > labels
---     tensor([[1, 1, 0],
---             [0, 0, 0],
---             [0, 2, 2]])
---     > stats
---     tensor([[1, 1, 2, 1, 2],
---             [2, 3, 2, 1, 2]])
---@param mask Tensor
---@param connectivity? integer
---@return Tensor
---@return Tensor
function regions.connected_components(...)
  local mask, connectivity = parse_components(...)
  if mask.ndim ~= 2 then
    raise(("nl.vision.connected_components: mask has shape %s: (height, width) is wanted"):format(mask.shape))
  elseif connectivity ~= 4 and connectivity ~= 8 then
    raise(("nl.vision.connected_components: connectivity must be 4 or 8, not %d"):format(connectivity))
  end
  return system.label_regions(mask:ne(0):contiguous(), connectivity == 8)
end

local parse_points = args.parser("nl.vision.region_points", {
  {"labels", "tensor"}, {"stats", "tensor"}, {"region", "integer"},
})

--- The first and the last pixel of a region in each of its rows, as x and y from 1 on: what its convex hull is made of.
--- labels and stats are what connected_components gives.
--- Shapes: result float32 (2 rows, 2)
---     > labels, stats = nl.vision.connected_components(nl.tensor {{0, 1, 1}, {1, 1, 0}})
---     > nl.vision.region_points(labels, stats, 1)
---     tensor([[2., 1.],
---             [1., 2.],
---             [3., 1.],
---             [2., 2.]])
---@param labels Tensor
---@param stats Tensor
---@param region integer
---@return Tensor
function regions.region_points(...)
  local labels, stats, region = parse_points(...)
  if labels.ndim ~= 2 or stats.ndim ~= 2 or stats:size(2) ~= 5 then
    raise "nl.vision.region_points: labels and stats are what nl.vision.connected_components gives"
  elseif region < 1 or region > #stats then
    raise(("nl.vision.region_points: there are %d regions, counted from 1, and no %d"):format(#stats, region))
  end
  local left, top, width, height = table.unpack(stats[region]:tolist())
  local inside = labels:narrow(1, top, height):narrow(2, left, width):eq(region):to(nl.uint8)
  local first = inside:argmax(2) + (left - 1)
  local last = left + width - inside:flip(2):argmax(2)
  local rows = nl.arange(top, top + height, {dtype = nl.int64})
  return nl.stack({nl.cat {first, last}, nl.cat {rows, rows}}, 2):to(nl.float32)
end

return regions
