-- Makes ONNX's messages: `writer.message(kind, values)`.

return {message = require "nnlua.files.protobuf".writer(require "nnlua.onnx.schema")}
