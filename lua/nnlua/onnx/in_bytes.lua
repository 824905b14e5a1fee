-- Convolutions and products of matrices whose inputs are dequantized and whose result is quantized again, as files
-- "in QDQ format" have them, read as the operators on quantized numbers, QLinearConv and QGemm. Nodes that may become
-- part of one are put aside, and added where something else wants what they give.

local in_bytes = {}

local bodies <const> = {If = true, Loop = true, Scan = true, SequenceMap = true} -- see all names

--- Adds what lies aside under these names, after what it needs itself.
local function bring(scope, names, add)
  for _, name in ipairs(names or {}) do
    local one = scope.aside[name]
    if one and not one.is_added then
      one.is_added = true
      bring(scope, one.input, add)
      add(scope, one)
    end
  end
end

--- Adds everything that a graph has aside and that something wants: its outputs.
function in_bytes.bring(scope, names, add)
  if scope.aside then bring(scope, names, add) end
end

--- Whether a name has a value, or lies aside.
function in_bytes.has(scope, name)
  return scope.values[name] ~= nil or scope.aside ~= nil and scope.aside[name] ~= nil
end

local function is_standard(fields)
  return fields.domain == nil or fields.domain == "" or fields.domain == "ai.onnx"
end

--- A tensor that is known as the file is read.
local function tensor_of(scope, name)
  local known = scope.model.initializers[scope.values[name] or false]
  return known and known.tensor
end

--- The node aside that gives a name, if it is of an operator, of the standard domain.
local function aside(scope, name, op)
  local one = name and scope.aside[name]
  return one and one.op == op and one or nil
end

--- Whether the bias is quantized as the sums are: by the product of both scales, without a zero point.
local function fits_sums(scope, bias, x, w)
  local scales = {tensor_of(scope, bias.input[2]), tensor_of(scope, x.input[2]), tensor_of(scope, w.input[2])}
  local zero = bias.input[3] and tensor_of(scope, bias.input[3])
  if not scales[1] or not scales[2] or not scales[3] or bias.input[3] and not zero then return false end
  if zero and zero:ne(0):any():item() then return false end
  local wanted = scales[2]:double() * scales[3]:flatten():double()
  if scales[1]:numel() ~= 1 and scales[1]:numel() ~= wanted:numel() then return false end
  return ((scales[1]:flatten():double() - wanted):abs() - wanted:abs() * 1e-5):le(0):all():item()
end

--- A tensor of one element.
local function is_number(scope, name)
  local tensor = name and tensor_of(scope, name)
  return tensor ~= nil and tensor:numel() == 1
end

local function is_byte(scope, name)
  local dtype = tensor_of(scope, name).dtype
  return tostring(dtype):match "int8$" ~= nil
end

--- A number among a node's attributes, which is its field `i` or `f`.
local function attribute_of(scope, fields, name, field, default)
  local number = default
  for attribute in scope.file:each("attribute", fields.attribute) do
    if attribute.name == name then number = attribute[field] or 0 end
  end
  return number
end

--- Whether a weight has one scale, or one for each row of the result: those of its first dimension.
local function has_scales_of_rows(scope, fields, w)
  if is_number(scope, w.input[2]) then return true end
  return attribute_of(scope, w, "axis", "i", 1) == 0 and attribute_of(scope, w, "block_size", "i", 0) == 0
    and (fields.op_type == "Conv" or attribute_of(scope, fields, "transB", "i", 0) ~= 0)
end

--- The dequantized inputs of a convolution or product, if it can be computed in bytes: x by one scale, the weight by
--- one or one a row.
local function inputs_in_bytes(scope, fields)
  local input = fields.input or {}
  local x, w = aside(scope, input[1], "DequantizeLinear"), aside(scope, input[2], "DequantizeLinear")
  if not x or not w or #x.input < 3 or #w.input < 3 or x.attribute then return nil end
  if not is_number(scope, x.input[2]) or not is_number(scope, x.input[3]) or not is_byte(scope, x.input[3]) then
    return nil
  end
  local weight = tensor_of(scope, w.input[1])
  if not weight or not is_byte(scope, w.input[1]) or not tensor_of(scope, w.input[3]) then return nil end
  if not has_scales_of_rows(scope, fields, w) then return nil end
  if (input[3] or "") == "" then return {x, w} end
  local bias = aside(scope, input[3], "DequantizeLinear")
  return bias and fits_sums(scope, bias, x, w) and {x, w, bias} or nil
end

--- A QuantizeLinear of what lies aside, as the operator on quantized numbers; nil if it isn't that.
local function fused(scope, fields)
  local input = fields.input or {}
  local one = input[1] and scope.aside[input[1]]
  if not one or not one.from or fields.attribute or not is_number(scope, input[2]) or not is_number(scope, input[3])
    or not is_byte(scope, input[3]) then
    return nil
  end
  local names = {}
  for i = 1, 2 do table.move(one.from[i].input, 1, 3, #names + 1, names) end
  local bias = one.from[3] and one.from[3].input[1] or ""
  local is_conv = one.op == "Conv"
  table.move(is_conv and {input[2], input[3], bias} or {bias, input[2], input[3]}, 1, 3, 7, names)
  return {
    name = one.name, op_type = is_conv and "QLinearConv" or "QGemm", domain = is_conv and "" or "com.microsoft",
    input = names, output = fields.output, attribute = one.attribute,
  }
end

local function put_aside(scope, fields, from)
  local copy = {}
  for key, value in pairs(fields) do copy[key] = value end
  copy.op, copy.from = fields.op_type, from
  scope.aside[fields.output[1]] = copy
  return nil
end

--- Whether the bias of a product is scaled otherwise than the product, as QGemm, which adds it to the sums, has it not.
local function scales_apart(scope, fields, from)
  return attribute_of(scope, fields, "beta", "f", 1) ~= 1
    or from[3] ~= nil and attribute_of(scope, fields, "alpha", "f", 1) ~= 1
end

--- What is to be added for a node: itself, another one, or nothing yet.
function in_bytes.node_for(scope, fields, add)
  if not scope.aside then return fields end
  local op = is_standard(fields) and fields.output and #fields.output == 1 and fields.op_type
  if op == "DequantizeLinear" then return put_aside(scope, fields) end
  local from = (op == "Conv" or op == "Gemm") and inputs_in_bytes(scope, fields)
  if from and not (op == "Gemm" and scales_apart(scope, fields, from)) then return put_aside(scope, fields, from) end
  local whole = op == "QuantizeLinear" and fused(scope, fields)
  if whole then
    bring(scope, whole.input, add)
    return whole
  end
  bring(scope, fields.input, add)
  if bodies[fields.op_type] then
    for name in pairs(scope.aside) do bring(scope, {name}, add) end
  end
  return fields
end

return in_bytes
