-- Comparing tensors with nested tables of numbers.
local nl = require "nnlua"

local tensors = {}

--- Fails unless the tensor has the shape of the nested table, and elements near its own.
function tensors.assert_near(expected, tensor, tolerance)
  assert(tensor, "no tensor")
  local wanted = nl.tensor(expected, {dtype = nl.float64})
  local given = tensor:detach():to(nl.float64)
  local near = wanted.shape == given.shape
    and nl.allclose(given, wanted, {rtol = tolerance or 1e-6, atol = tolerance or 1e-6, equal_nan = true})
  if not near then
    error(("expected %s\nbut got  %s"):format(wanted, given), 2)
  end
end

--- A leaf that requires a gradient.
function tensors.leaf(values, dtype)
  return nl.tensor(values, {dtype = dtype or nl.float32, requires_grad = true})
end

--- The message of the error that a function raises.
function tensors.failure(f, ...)
  local ok, message = pcall(f, ...)
  if ok then error("no error was raised", 2) end
  return message
end

return tensors
