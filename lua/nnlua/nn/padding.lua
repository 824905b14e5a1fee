-- Layers that put something around their input.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local extents = require "nnlua.nn.extents"
local Module = require "nnlua.nn.module"
local nl = require "nnlua"
local repr = require "nnlua.nn.repr"

local padding = {}

local F = nl.F

--- The 2 n widths of a padding, last dimension first; one integer is all of them. Negative ones cut off.
local function widths(name, value, n)
  return extents.list(name, "padding", value, 2 * n, math.mininteger)
end

--- A class of layers for n spatial dimensions with a mode of nl.F.pad.
local function pad_class(kind, n, mode)
  local short = ("%sPad%dd"):format(kind, n)
  local name = "nn." .. short
  local class, parse = core.class(name, Module), args.parser(name, {{"padding", "any"}})

  function class:init(...)
    self.padding = widths(name, parse(...), n)
  end

  function class:forward(x)
    return F.pad(x, self.padding, mode)
  end

  function class:extra_repr()
    return extents.text(self.padding)
  end

  padding[short] = class
end

local function constant_class(n)
  local short = ("ConstantPad%dd"):format(n)
  local name = "nn." .. short
  local class, parse = core.class(name, Module), args.parser(name, {{"padding", "any"}, {"value", "number"}})

  function class:init(...)
    local around, value = parse(...)
    self.padding, self.value = widths(name, around, n), value
  end

  function class:forward(x)
    return F.pad(x, self.padding, "constant", self.value)
  end

  function class:extra_repr()
    return ("padding=%s, value=%s"):format(extents.text(self.padding), repr.value(self.value))
  end

  padding[short] = class
end

-- nn.ZeroPad2d(padding) and the like: padding is an integer or a list, {left, right, top, bottom} for images.
for n = 1, 3 do
  pad_class("Zero", n, "constant")
  pad_class("Reflection", n, "reflect")
  pad_class("Replication", n, "replicate")
  pad_class("Circular", n, "circular")
  constant_class(n)
end

return padding
