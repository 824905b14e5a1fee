-- Functions of Lua called for each element: x:apply_(f), x:map_(other, f), x:map2_(a, b, f), which C asks for.

local core = require "nnlua.nn.core"
local nl = require "nnlua"

local raise = core.raise

local elementwise = {}

local function numbers(name, x)
  if not core.is_tensor(x) then raise(("%s: a tensor was expected, not %s"):format(name, core.describe(x))) end
  if x:is_complex() then raise(("%s: complex numbers are not taken"):format(name)) end
  return x:detach():reshape(-1):tolist()
end

--- Sets each element of x to what a function makes of it and of those of others, which broadcast; all or, after an
--- error, none.
local function each(name, f, x, ...)
  if type(f) ~= "function" and not (getmetatable(f) or {}).__call then
    raise(("%s: a function was expected, not %s"):format(name, core.describe(f)))
  end
  if x.requires_grad then raise(("%s: the tensor requires a gradient, which no function of Lua has"):format(name)) end
  local own, a, b = numbers(name, x), ...
  a = a ~= nil and numbers(name, core.is_tensor(a) and a:expand(x.shape) or a)
  b = b ~= nil and numbers(name, core.is_tensor(b) and b:expand(x.shape) or b)
  for i, value in ipairs(own) do
    local made
    if b then made = f(value, a[i], b[i]) elseif a then made = f(value, a[i]) else made = f(value) end
    if type(made) ~= "number" and type(made) ~= "boolean" then
      raise(("%s: the function returned %s for element %d, not a number"):format(name, core.describe(made), i))
    end
    own[i] = made
  end
  return x:copy_(nl.tensor(own, {dtype = x.dtype}):reshape(x.shape))
end

function elementwise.apply_(x, f)
  return each("apply_", f, x)
end

function elementwise.map_(x, tensor, f)
  if tensor == nil then raise "map_: a tensor and a function are expected" end
  return each("map_", f, x, tensor)
end

function elementwise.map2_(x, tensor1, tensor2, f)
  if tensor1 == nil or tensor2 == nil then raise "map2_: two tensors and a function are expected" end
  return each("map2_", f, x, tensor1, tensor2)
end

return elementwise
