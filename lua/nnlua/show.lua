-- nl.show: a tensor as a picture in the terminal.

local class = require "nnlua.class"
local core = require "nnlua.nn.core"
local nl = require "nnlua"

--- How a value is shown: bytes and what has planes as pictures, other matrices as heat maps, rows of numbers as lines.
local function drawing_for(x)
  if not core.is_tensor(x) then
    return type(x) == "table" and core.is_tensor(x[1]) and x[1].ndim > 1 and nl.plot.image or nl.plot.line
  end
  local is_picture = x.ndim > 2 or x.ndim == 2 and (x.dtype == nl.uint8 or x.dtype == nl.bool)
  if is_picture then return nl.plot.image end
  return x.ndim == 2 and nl.plot.heatmap or nl.plot.line
end

--- Shows a tensor in the terminal: pictures (channels, height, width), one or several, and matrices of bytes or
--- booleans by nl.plot.image; other matrices by nl.plot.heatmap; what has one dimension by nl.plot.line; a figure as it
--- is. Options are those of these functions.
---     > nl.show(nl.eye(2, {dtype = nl.uint8}) * 255)
---@param x any
---@param options? table
local function show(x, ...)
  if x == nil then core.raise "show: a tensor is missing" end
  local figure = class.is_a(x, nl.plot.Figure) and x or drawing_for(x)(x, ...)
  figure:show()
end

return show
