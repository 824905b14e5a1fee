-- Our dtypes as ONNX's data types, and tensors as TensorProtos.

local nl = require "nnlua"
local writer = require "nnlua.onnx.writer"

local types = {}

local numbers = {
  [nl.float32] = 1, [nl.uint8] = 2, [nl.int8] = 3, [nl.int16] = 5, [nl.int32] = 6, [nl.int64] = 7, [nl.bool] = 9,
  [nl.float16] = 10, [nl.float64] = 11, [nl.complex64] = 14, [nl.complex128] = 15, [nl.bfloat16] = 16,
}

--- The number of a dtype.
function types.number(dtype)
  return numbers[dtype]
end

--- A TensorProto.
function types.tensor(name, tensor)
  local dims = {}
  for d = 1, tensor.ndim do dims[d] = tensor:size(d) end
  return writer.message("tensor", {
    name = name, dims = dims, data_type = numbers[tensor.dtype], raw_data = tensor:detach():contiguous():tobytes(),
  })
end

--- A ValueInfoProto: sizes that are names are those; what isn't known is left out. A shape without a dtype is no type.
function types.value_info(name, value)
  local info = {name = name}
  if value and value.is_sequence then
    local element = writer.message("type", {tensor_type = writer.message("tensor_type", {elem_type = 1})})
    local sequence = writer.message("sequence_type", {elem_type = element})
    info.type = writer.message("type", {sequence_type = sequence})
  elseif value and value.dtype then
    local tensor = {elem_type = numbers[value.dtype]}
    if value.shape then
      local dims = {}
      for d, size in ipairs(value.shape) do
        local is_name = type(size) == "string"
        dims[d] = writer.message("dimension", {
          dim_value = not is_name and size or nil, dim_param = is_name and size ~= "?" and size or nil,
        })
      end
      tensor.shape = writer.message("shape", {dim = dims})
    end
    info.type = writer.message("type", {tensor_type = writer.message("tensor_type", tensor)})
  end
  return writer.message("value_info", info)
end

return types
