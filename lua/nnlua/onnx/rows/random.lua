-- Rows that draw random numbers, of a shape that is known. What another program draws are other numbers of the same
-- distribution. Rows for which ONNX draws in another way than ours aren't here: read back, a program draws as before.

local types = require "nnlua.onnx.types"
local words = require "nnlua.onnx.rows.words"

local random = {}

--- A draw in the shape of the result, which must be known; f(a) gives the attributes.
local function drawing(op, f)
  return function(e, a, step)
    local dtype, value = words.result_dtype(e, step), e.contents.values[step.results[1]]
    if not words.is_floating(dtype) or a.generator then return nil end
    local attributes = f(a)
    for _, size in ipairs(value.shape or {"?"}) do
      if math.type(size) ~= "integer" then return nil end
    end
    attributes.shape, attributes.dtype = value.shape, types.number(dtype)
    return e:add(op, {}, attributes)
  end
end

--- The same in the shape of another tensor, where it isn't known.
local function drawing_like(op)
  local plain = drawing(op, function() return {} end)
  return function(e, a, step)
    local drawn = plain(e, a, step)
    local dtype = words.result_dtype(e, step) or a.dtype
    if drawn or not a.at.input or a.generator or dtype and not words.is_floating(dtype) then return drawn end
    return e:add(op .. "Like", {a.input}, {dtype = dtype and types.number(dtype)})
  end
end

for row, op in pairs {rand = "RandomUniform", randn = "RandomNormal"} do
  random[row] = drawing(op, function() return {} end)
  random[row .. "_like"], random[row .. "_like_in"] = drawing_like(op), drawing_like(op)
end
random.uniform = drawing("RandomUniform", function(a) return {low = a.from + 0.0, high = a.to + 0.0} end)
random.normal = drawing("RandomNormal", function(a) return {mean = a.mean + 0.0, scale = a.std + 0.0} end)

return random
