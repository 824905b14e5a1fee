--- Cases of `printing`: tensors, and the texts that PyTorch has for them.

local api = require "oracle.api"
local values = require "oracle.values"

local nl = api.nl

local printing = {}

--- The tensor of a case in its role.
local function value_of(case)
  local value
  if case.meta then
    local dtype = api.lookup(case.value.tensor)
    value = nl.empty(case.value.shape, {dtype = dtype, device = "meta"})
  else
    value = values.decode(case.value)
  end
  if case.role == "leaf" then return value:detach():requires_grad_() end
  if case.role == "parameter" then return nl.nn.Parameter(value) end
  return value
end

function printing.run(case, outcome)
  outcome.stage = "tostring"
  local value = value_of(case)
  nl.set_printoptions {profile = "default"}
  if case.options then nl.set_printoptions(case.options) end
  if case.default then nl.set_default_dtype(api.lookup(case.default)) end
  local ok, text = pcall(tostring, value)
  nl.set_default_dtype(nl.float32)
  nl.set_printoptions {profile = "default"}
  if not ok then error(text, 0) end
  if text ~= case.text then
    table.insert(outcome.wrong, ("printed is\n%s\nnot\n%s"):format(text, case.text))
  end
end

return printing
