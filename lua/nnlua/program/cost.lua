-- What a step of a program costs: the multiply-adds of rows that sum products, and the bytes that it reads and writes.

local cost = {}

local function product(list, first, last)
  local n = 1
  for i = first or 1, last or #list do n = n * list[i] end
  return n
end

local function is_known(shape)
  if not shape then return false end
  for _, size in ipairs(shape) do
    if math.type(size) ~= "integer" then return false end
  end
  return true
end

-- Each gets the shapes of the row's tensors by the names of its arguments (a list of shapes for a list of tensors), and
-- that of its first result.

--- A product of matrices, of which the one in an argument has the common size last.
local function product_by(argument)
  return function(shapes, result) return product(result) * (shapes[argument][#shapes[argument]] or 1) end
end

local function convolution(shapes, result)
  return product(result) * product(shapes.weight, 2)
end

local function transposed_convolution(shapes)
  return product(shapes.input) * product(shapes.weight, 2)
end

local function attention(shapes)
  local key, value = shapes.key, shapes.value
  return product(shapes.query, 1, #shapes.query - 1) * key[#key - 1] * (key[#key] + value[#value])
end

--- A recurrent layer applies each of its matrices once to each row of each step.
local function recurrent(shapes)
  local weights = 0
  for _, shape in ipairs(shapes.params) do
    if #shape == 2 then weights = weights + product(shape) end
  end
  local input = shapes.input or shapes.data
  return product(input, 1, #input - 1) * weights
end

local multiply_adds = {
  linear = function(shapes, result) return product(result) * shapes.weight[#shapes.weight] end,
  mm = product_by "input", bmm = product_by "input", matmul = product_by "input", mv = product_by "input",
  dot = product_by "input", addmm = product_by "mat1", baddbmm = product_by "batch1", addmv = product_by "mat",
  addbmm = function(shapes) return product(shapes.batch1) * shapes.batch2[#shapes.batch2] end,
  bilinear = function(shapes, result) return product(result) * product(shapes.weight, 2) end,
  conv1d = convolution, conv2d = convolution, conv3d = convolution, conv_transpose1d = transposed_convolution,
  conv_transpose2d = transposed_convolution, conv_transpose3d = transposed_convolution,
  scaled_dot_product_attention = attention, lstm = recurrent, gru = recurrent, rnn_tanh = recurrent,
  rnn_relu = recurrent,
}

--- The multiply-adds of a call of a row, by the shapes of its tensors and that of its result: 0 of rows that sum no
--- products.
function cost.multiply_adds(name, shapes, result)
  local count = multiply_adds[name]
  return count and count(shapes, result) or 0
end

--- The bytes of a value; nil where its shape or dtype isn't known.
local function bytes_of(value)
  if not (value.dtype and is_known(value.shape)) then return nil end
  return product(value.shape) * value.dtype.itemsize
end

--- Calls visit for each value that a row reads.
local function each_operand(step, contents, visit)
  for _, argument in ipairs(step.arguments) do
    for i, id in ipairs(argument.values or {argument.value}) do
      if id then visit(contents.values[id], argument.name, argument.values and i) end
    end
  end
end

--- The multiply-adds of a row's step, 0 of rows that sum no products, and its bytes; nil for what isn't known.
function cost.of_row(step, contents)
  local shapes, known, bytes = {}, true, 0
  each_operand(step, contents, function(value, name, place)
    local own = bytes_of(value)
    bytes = own and bytes and bytes + own
    known = known and is_known(value.shape)
    if not place then shapes[name] = value.shape
    else
      shapes[name] = shapes[name] or {}
      table.insert(shapes[name], value.shape or {})
    end
  end)
  local result = contents.values[step.results[1]]
  for _, id in ipairs(step.results) do
    local own = bytes_of(contents.values[id])
    bytes = own and bytes and bytes + own
  end
  if not multiply_adds[step.name] then return 0, bytes end
  return known and is_known(result.shape) and cost.multiply_adds(step.name, shapes, result.shape) or nil, bytes
end

return cost
