-- The operators of ONNX: for each domain a table from names to entries. An entry f(builder, node, inputs…) makes
-- the steps of a node and returns the values of its outputs. It sees no shapes: what depends on them is in the rows
-- onnx_… (src/ops/onnx).

local operators = {[""] = {}, ["com.microsoft"] = {}}

for _, family in ipairs {
  "elements", "shapes", "fillings", "picking", "reductions", "layers", "recurrent", "quantized", "signals", "flow",
} do
  for name, entry in pairs(require("nnlua.onnx.operators." .. family)) do operators[""][name] = entry end
end

for name, entry in pairs(require "nnlua.onnx.operators.microsoft") do operators["com.microsoft"][name] = entry end
-- What com.microsoft has under the names and with the meaning of later operators of the standard.
for _, name in ipairs {"Gelu", "LayerNormalization", "Trilu", "Unique", "Range", "Pad"} do
  operators["com.microsoft"][name] = operators["com.microsoft"][name] or operators[""][name]
end
operators.nnlua = require "nnlua.onnx.operators.own"

return operators
