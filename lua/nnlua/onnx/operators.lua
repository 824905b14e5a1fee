-- The operators of ONNX: for each domain a table from names to entries. An entry f(builder, node, inputs…) makes
-- the steps of a node and returns the values of its outputs. It sees no shapes: what depends on them is in the rows
-- onnx_… (src/ops/onnx).

local standard = {}

for _, family in ipairs {
  "elements", "shapes", "fillings", "picking", "reductions", "layers", "recurrent", "quantized", "signals", "flow",
} do
  for name, entry in pairs(require("nnlua.onnx.operators." .. family)) do standard[name] = entry end
end

-- Of com.microsoft some have the names and the meaning of later operators of the standard.
local as_in_standard = {"Gelu", "LayerNormalization", "Trilu", "Unique", "Range", "Pad"}

local read = {} -- the domains that are read when a model has nodes of them

function read.nnlua()
  return require "nnlua.onnx.operators.own"
end

read["com.microsoft"] = function()
  local microsoft = require "nnlua.onnx.operators.microsoft"
  for _, name in ipairs(as_in_standard) do microsoft[name] = microsoft[name] or standard[name] end
  return microsoft
end

local function read_domain(domains, domain)
  domains[domain] = read[domain] and read[domain]()
  return rawget(domains, domain)
end

return setmetatable({[""] = standard}, {__index = read_domain})
