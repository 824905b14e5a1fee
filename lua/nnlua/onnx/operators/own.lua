-- The domain nnlua: each row of the op table is an operator.

local own_domain = require "nnlua.onnx.own_domain"

return setmetatable({}, {__index = function() return own_domain.read end})
