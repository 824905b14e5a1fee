-- Whether two values, with tensors in them, are the same to the bit.
local nl = require "nnlua"

local same = {}

local function same_tensors(a, b)
  if a.dtype ~= b.dtype or a.shape ~= b.shape or a.requires_grad ~= b.requires_grad then return false end
  if a.is_meta then return true end
  a, b = a:detach(), b:detach()
  return nl.allclose(a, b, {rtol = 0, atol = 0, equal_nan = true})
end

--- A text that says where two values differ, or nil.
function same.difference(a, b, where)
  where = where or "value"
  if nl.is_tensor(a) and nl.is_tensor(b) then
    if same_tensors(a, b) then return nil end
    return ("%s is\n%s\nand not\n%s"):format(where, a, b)
  elseif type(a) == "table" and type(b) == "table" then
    for key, value in pairs(a) do
      local told = same.difference(value, b[key], ("%s[%s]"):format(where, key))
      if told then return told end
    end
    for key in pairs(b) do
      if a[key] == nil then return ("%s[%s] is too much"):format(where, key) end
    end
  elseif a ~= b then
    return ("%s is %s and not %s"):format(where, a, b)
  end
end

return same
