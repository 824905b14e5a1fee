-- Tensors for the samples of rows: a fixed sequence of numbers, in float64.
local nl = require "nnlua"

local inputs = {}

local state

--- The next of a fixed sequence of numbers between 0 and 1.
local function draw()
  state = (state * 1103515245 + 12345) % 2147483648
  return state / 2147483648
end

local function count(shape)
  local n = 1
  for _, size in ipairs(shape) do n = n * size end
  return n
end

local function make(shape, element, dtype)
  local list = {}
  for i = 1, count(shape) do list[i] = element(i) end
  return nl.tensor(list, {dtype = dtype or nl.float64}):reshape(shape)
end

--- Numbers of both signs, none near 0 or 1, where functions have corners; no two are equal.
function inputs.real(...)
  return make({...}, function(i)
    local size = i % 3 == 0 and 1.15 + draw() or 0.2 + 0.6 * draw()
    return i % 2 == 0 and -size or size
  end)
end

function inputs.positive(...)
  return make({...}, function() return 0.3 + 0.5 * draw() end)
end

function inputs.positions(shape, ...)
  local list = {...}
  return make(shape, function(i) return list[i] end, nl.int64)
end

--- Positions 1 and 2, different in each column and in neighbouring rows.
function inputs.default_positions()
  return inputs.positions({2, 3}, 1, 2, 1, 2, 1, 2)
end

function inputs.mask()
  return make({2, 3}, function(i) return i % 3 ~= 1 end, nl.bool)
end

--- Starts the sequence anew.
function inputs.restart()
  state = 20041
end

return inputs
