-- The operators of ONNX: for each domain a table from names to entries. An entry f(builder, node, inputs…) makes
-- the steps of a node and returns the values of its outputs. It sees no shapes: what depends on them is in the rows
-- onnx_… (src/ops/onnx).

local standard = {}

for _, family in ipairs {
  "elements", "shapes", "fillings", "picking", "reductions", "layers", "recurrent", "quantized", "signals", "flow",
} do
  for name, entry in pairs(require("nnlua.onnx.operators." .. family)) do standard[name] = entry end
end

local operators = {[""] = standard, nnlua = require "nnlua.onnx.operators.own"}

-- Of com.microsoft some have the names and the meaning of later operators of the standard.
local as_in_standard = {"Gelu", "LayerNormalization", "Trilu", "Unique", "Range", "Pad"}

--- The domain com.microsoft, which is read when a model has nodes of it.
local function read_microsoft(domains, domain)
  if domain ~= "com.microsoft" then return nil end
  local microsoft = require "nnlua.onnx.operators.microsoft"
  for _, name in ipairs(as_in_standard) do microsoft[name] = microsoft[name] or standard[name] end
  domains[domain] = microsoft
  return microsoft
end

return setmetatable(operators, {__index = read_microsoft})
