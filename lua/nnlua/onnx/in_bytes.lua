-- Nodes whose inputs are dequantized and whose result is quantized again, as files "in QDQ format" have them, read as
-- the operators on quantized numbers: QLinearConv, QGemm, QLinearAdd and so on; and those that only move elements as
-- nodes of bytes. Nodes that may become part of one are put aside, and added where something else wants what they give.

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

--- Whether a weight has one scale, or one for each row of a convolution's result or column of a product's.
local function has_scales_of_rows(scope, fields, w)
  if is_number(scope, w.input[2]) then return true end
  local is_turned = fields.op_type == "Conv" or attribute_of(scope, fields, "transB", "i", 0) ~= 0
  local axis, last = attribute_of(scope, w, "axis", "i", 1), tensor_of(scope, w.input[1]).ndim - 1
  if axis < 0 then axis = axis + last + 1 end
  return axis == (is_turned and 0 or last) and (is_turned or last == 1)
    and attribute_of(scope, w, "block_size", "i", 0) == 0
end

--- The name of a tensor's dtype, of one that is known.
local function type_of(scope, name)
  return tostring(tensor_of(scope, name).dtype)
end

--- Whether a DequantizeLinear is of bytes by one scale and one zero point, which are known.
local function is_plain(scope, one)
  return #one.input >= 3 and not one.attribute and is_number(scope, one.input[2]) and is_number(scope, one.input[3])
    and is_byte(scope, one.input[3])
end

--- The dequantized inputs of a convolution or product, if it can be computed in bytes: x by one scale, the weight by
--- one or, of a file's, one a row.
local function inputs_in_bytes(scope, fields)
  local input = fields.input or {}
  local x, w = aside(scope, input[1], "DequantizeLinear"), aside(scope, input[2], "DequantizeLinear")
  if not x or not w or not is_plain(scope, x) or #w.input < 3 then return nil end
  if fields.op_type == "MatMul" and is_plain(scope, w) then return {x, w} end
  if not tensor_of(scope, w.input[1]) or not is_byte(scope, w.input[1]) or not tensor_of(scope, w.input[3]) then
    return nil
  end
  if not has_scales_of_rows(scope, fields, w) then return nil end
  if (input[3] or "") == "" then return {x, w} end
  local bias = aside(scope, input[3], "DequantizeLinear")
  return bias and fits_sums(scope, bias, x, w) and {x, w, bias} or nil
end

-- Operators of com.microsoft for those that take nothing but real numbers, and those that only move them.
local of_bytes <const> = {
  Add = "QLinearAdd", Mul = "QLinearMul", AveragePool = "QLinearAveragePool",
  GlobalAveragePool = "QLinearGlobalAveragePool", LeakyRelu = "QLinearLeakyRelu", Sigmoid = "QLinearSigmoid",
  Concat = "QLinearConcat", Softmax = "QLinearSoftmax",
}
local moves <const> = {
  DepthToSpace = true, Expand = true, Flatten = true, Gather = true, MaxPool = true, Reshape = true, Slice = true,
  SpaceToDepth = true, Squeeze = true, Transpose = true, Unsqueeze = true,
}

--- The dequantized inputs of a node that may be one on bytes; nil if it can't be.
local function bytes_behind(scope, fields, op)
  local input = fields.input or {}
  if op == "Softmax" and (scope.opsets[""] or 1) < 13 then return nil end -- it flattened its input
  if op == "Conv" or op == "Gemm" or op == "MatMul" then return inputs_in_bytes(scope, fields) end
  local from = {}
  for i = 1, of_bytes[op] and #input or moves[op] and 1 or 0 do
    local one = aside(scope, input[i], "DequantizeLinear")
    if not one or not is_plain(scope, one) then return nil end
    if i > 1 and type_of(scope, one.input[3]) ~= type_of(scope, from[1].input[3]) then return nil end
    from[i] = one
  end
  return from[1] and from
end

--- Whether two quantized tensors have the same scale and zero point, of names, which are known.
local function have_one_form(scope, one, other)
  for i = 2, 3 do
    local a, b = tensor_of(scope, one[i]), tensor_of(scope, other[i])
    if a.dtype ~= b.dtype or a:item() ~= b:item() then return false end
  end
  return true
end

--- The operator, its domain and the names of its inputs that come to a node with a form for its result: {…, scale, zero
--- point}. nil: none does.
local function node_of_bytes(scope, one, result)
  local names, op = {}, one.op
  if moves[op] then
    if not have_one_form(scope, one.from[1].input, result) then return nil end
    table.move(one.input, 2, #one.input, 2, names)
    names[1] = one.from[1].input[1]
    return op, one.domain, names
  end
  if of_bytes[op] and type_of(scope, one.from[1].input[3]) ~= type_of(scope, result[3]) then return nil end
  if op == "Concat" then table.move(result, 2, 3, 1, names) end
  for i = 1, op == "Concat" and #one.from or math.min(#one.from, 2) do
    table.move(one.from[i].input, 1, 3, #names + 1, names)
  end
  if op == "Concat" then return of_bytes[op], "com.microsoft", names end
  local bias = one.from[3] and one.from[3].input[1] or ""
  if op == "Gemm" then table.insert(names, bias) end
  table.move(result, 2, 3, #names + 1, names)
  if op == "Conv" then table.insert(names, bias) end
  if op == "Gemm" then return "QGemm", "com.microsoft", names end
  return of_bytes[op] or "QLinear" .. op, of_bytes[op] and "com.microsoft" or "", names
end

--- A QuantizeLinear of what lies aside, as the operator on quantized numbers; nil if it isn't that.
local function fused(scope, fields)
  local input = fields.input or {}
  local one = input[1] and scope.aside[input[1]]
  if not one or not one.from or fields.attribute or not is_number(scope, input[2]) or not is_number(scope, input[3])
    or not is_byte(scope, input[3]) then
    return nil
  end
  local op, domain, names = node_of_bytes(scope, one, input)
  return op and {
    name = one.name, op_type = op, domain = domain, input = names, output = fields.output, attribute = one.attribute,
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
  local from = op and bytes_behind(scope, fields, op)
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
