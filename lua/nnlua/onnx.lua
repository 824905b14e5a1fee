-- nl.onnx: programs from and to files of ONNX.

local guard = require "nnlua.guard"
local on_demand = require "nnlua.on_demand"

--- Files of ONNX: networks of other frameworks, as programs (docs/onnx.md).
return on_demand.fields({}, guard.classes, {
  ["nnlua.onnx.load"] = "load",
  ["nnlua.onnx.export"] = "export",
})
