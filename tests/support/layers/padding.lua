-- Samples of the layers of lua/nnlua/nn/padding.lua; see tests/support/layers.lua.
local inputs = require "support.inputs"
local real = inputs.real

local function line() return {real(1, 2, 3)} end
local function plane() return {real(1, 2, 2, 3)} end
local function space() return {real(1, 1, 2, 2, 2)} end

return {
  CircularPad1d = function() return {{{2, 1}, inputs = line(), text = "CircularPad1d((2, 1))"}} end,
  CircularPad2d = function() return {{{2, 1, 0, 1}, inputs = plane(), text = "CircularPad2d((2, 1, 0, 1))"}} end,
  CircularPad3d = function() return {{1, inputs = space(), text = "CircularPad3d((1, 1, 1, 1, 1, 1))"}} end,
  ConstantPad1d = function()
    return {{{2, 1}, 3.5, inputs = line(), text = "ConstantPad1d(padding=(2, 1), value=3.5)"}}
  end,
  ConstantPad2d = function()
    return {{{2, 1, 0, -1}, 2, inputs = plane(), text = "ConstantPad2d(padding=(2, 1, 0, -1), value=2)"}}
  end,
  ConstantPad3d = function()
    return {{1, 0.5, inputs = space(), text = "ConstantPad3d(padding=(1, 1, 1, 1, 1, 1), value=0.5)"}}
  end,
  ReflectionPad1d = function() return {{2, inputs = line(), text = "ReflectionPad1d((2, 2))"}} end,
  ReflectionPad2d = function() return {{{2, 1, 0, 1}, inputs = plane(), text = "ReflectionPad2d((2, 1, 0, 1))"}} end,
  ReflectionPad3d = function() return {{1, inputs = space(), text = "ReflectionPad3d((1, 1, 1, 1, 1, 1))"}} end,
  ReplicationPad1d = function() return {{{1, 2}, inputs = line(), text = "ReplicationPad1d((1, 2))"}} end,
  ReplicationPad2d = function() return {{2, inputs = plane(), text = "ReplicationPad2d((2, 2, 2, 2))"}} end,
  ReplicationPad3d = function()
    return {{{1, 0, 2, 0, 0, 1}, inputs = space(), text = "ReplicationPad3d((1, 0, 2, 0, 0, 1))"}}
  end,
  ZeroPad1d = function() return {{{1, 2}, inputs = line(), text = "ZeroPad1d((1, 2))"}} end,
  ZeroPad2d = function() return {{1, inputs = plane(), text = "ZeroPad2d((1, 1, 1, 1))"}} end,
  ZeroPad3d = function() return {{1, inputs = space(), text = "ZeroPad3d((1, 1, 1, 1, 1, 1))"}} end,
}
