-- Layers that put something around their input.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local settings = require "nnlua.nn.spatial_settings"
local Module = require "nnlua.nn.module"
local nl = require "nnlua"
local repr = require "nnlua.nn.repr"

local padding = {}

local F = nl.F

--- The 2 n widths of a padding, last dimension first; one integer is all of them. Negative ones cut off.
local function widths(name, value, n)
  return settings.list(name, "padding", value, 2 * n, math.mininteger)
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
    return settings.text(self.padding)
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
    return ("padding=%s, value=%s"):format(settings.text(self.padding), repr.value(self.value))
  end

  padding[short] = class
end

-- Padding is an integer or a list, {left, right, top, bottom} for images; negative widths cut off.

--- Puts zeros around the input. `nn.ZeroPad1d(padding)`.
--- Shapes: input (N, C, L) or (C, L), result with L + left + right
---     > nn.ZeroPad1d(1)(nl.tensor({{1.0, 2.0, 3.0}}))
---     tensor([[0., 1., 2., 3., 0.]])
---@class ZeroPad1d: Module
pad_class("Zero", 1, "constant")

--- Puts zeros around the input. `nn.ZeroPad2d(padding)`.
--- Shapes: input (N, C, H, W) or (C, H, W), result with W + left + right, H + top + bottom
---     > nn.ZeroPad2d({1, 1, 2, 0})(nl.ones(1, 4, 5)).shape
---     [1, 6, 7]
---@class ZeroPad2d: Module
pad_class("Zero", 2, "constant")

--- Puts zeros around the input. `nn.ZeroPad3d(padding)`.
--- Shapes: input (N, C, D, H, W) or (C, D, H, W), result with W + left + right, H + top + bottom, D + front + back
---     > nn.ZeroPad3d(1)(nl.ones(1, 2, 3, 4)).shape
---     [1, 4, 5, 6]
---@class ZeroPad3d: Module
pad_class("Zero", 3, "constant")

--- Puts the input mirrored at its edges, which do not come twice around the input. `nn.ReflectionPad1d(padding)`.
--- Shapes: input (N, C, L) or (C, L), result with L + left + right
---     > nn.ReflectionPad1d(1)(nl.tensor({{1.0, 2.0, 3.0}}))
---     tensor([[2., 1., 2., 3., 2.]])
---@class ReflectionPad1d: Module
pad_class("Reflection", 1, "reflect")

--- Puts the input mirrored at its edges, which do not come twice around the input. `nn.ReflectionPad2d(padding)`.
--- Shapes: input (N, C, H, W) or (C, H, W), result with W + left + right, H + top + bottom
---     > nn.ReflectionPad2d({1, 1, 2, 0})(nl.ones(1, 4, 5)).shape
---     [1, 6, 7]
---@class ReflectionPad2d: Module
pad_class("Reflection", 2, "reflect")

--- Puts the input mirrored at its edges, which do not come twice around the input. `nn.ReflectionPad3d(padding)`.
--- Shapes: input (N, C, D, H, W) or (C, D, H, W), result with W + left + right, H + top + bottom, D + front + back
---     > nn.ReflectionPad3d(1)(nl.ones(1, 2, 3, 4)).shape
---     [1, 4, 5, 6]
---@class ReflectionPad3d: Module
pad_class("Reflection", 3, "reflect")

--- Puts the elements at its edges around the input. `nn.ReplicationPad1d(padding)`.
--- Shapes: input (N, C, L) or (C, L), result with L + left + right
---     > nn.ReplicationPad1d(1)(nl.tensor({{1.0, 2.0, 3.0}}))
---     tensor([[1., 1., 2., 3., 3.]])
---@class ReplicationPad1d: Module
pad_class("Replication", 1, "replicate")

--- Puts the elements at its edges around the input. `nn.ReplicationPad2d(padding)`.
--- Shapes: input (N, C, H, W) or (C, H, W), result with W + left + right, H + top + bottom
---     > nn.ReplicationPad2d({1, 1, 2, 0})(nl.ones(1, 4, 5)).shape
---     [1, 6, 7]
---@class ReplicationPad2d: Module
pad_class("Replication", 2, "replicate")

--- Puts the elements at its edges around the input. `nn.ReplicationPad3d(padding)`.
--- Shapes: input (N, C, D, H, W) or (C, D, H, W), result with W + left + right, H + top + bottom, D + front + back
---     > nn.ReplicationPad3d(1)(nl.ones(1, 2, 3, 4)).shape
---     [1, 4, 5, 6]
---@class ReplicationPad3d: Module
pad_class("Replication", 3, "replicate")

--- Puts the elements of its other end around the input. `nn.CircularPad1d(padding)`.
--- Shapes: input (N, C, L) or (C, L), result with L + left + right
---     > nn.CircularPad1d(1)(nl.tensor({{1.0, 2.0, 3.0}}))
---     tensor([[3., 1., 2., 3., 1.]])
---@class CircularPad1d: Module
pad_class("Circular", 1, "circular")

--- Puts the elements of its other end around the input. `nn.CircularPad2d(padding)`.
--- Shapes: input (N, C, H, W) or (C, H, W), result with W + left + right, H + top + bottom
---     > nn.CircularPad2d({1, 1, 2, 0})(nl.ones(1, 4, 5)).shape
---     [1, 6, 7]
---@class CircularPad2d: Module
pad_class("Circular", 2, "circular")

--- Puts the elements of its other end around the input. `nn.CircularPad3d(padding)`.
--- Shapes: input (N, C, D, H, W) or (C, D, H, W), result with W + left + right, H + top + bottom, D + front + back
---     > nn.CircularPad3d(1)(nl.ones(1, 2, 3, 4)).shape
---     [1, 4, 5, 6]
---@class CircularPad3d: Module
pad_class("Circular", 3, "circular")

--- Puts a value around the input. `nn.ConstantPad1d(padding, value)`.
--- Shapes: input (N, C, L) or (C, L), result with L + left + right
---     > nn.ConstantPad1d(1, 9)(nl.tensor({{1.0, 2.0, 3.0}}))
---     tensor([[9., 1., 2., 3., 9.]])
---@class ConstantPad1d: Module
constant_class(1)

--- Puts a value around the input. `nn.ConstantPad2d(padding, value)`.
--- Shapes: input (N, C, H, W) or (C, H, W), result with W + left + right, H + top + bottom
---     > nn.ConstantPad2d({1, 1, 2, 0}, 9)(nl.ones(1, 4, 5)).shape
---     [1, 6, 7]
---@class ConstantPad2d: Module
constant_class(2)

--- Puts a value around the input. `nn.ConstantPad3d(padding, value)`.
--- Shapes: input (N, C, D, H, W) or (C, D, H, W), result with W + left + right, H + top + bottom, D + front + back
---     > nn.ConstantPad3d(1, 9)(nl.ones(1, 2, 3, 4)).shape
---     [1, 4, 5, 6]
---@class ConstantPad3d: Module
constant_class(3)

return padding
