-- nl.onnx: programs from and to files of ONNX.

--- Files of ONNX: networks of other frameworks, as programs (docs/onnx.md).
local onnx = {
  load = require "nnlua.onnx.load",
  export = require "nnlua.onnx.export",
}

return onnx
