-- The domain nnlua: rows that ONNX has no operator for.

return {}
