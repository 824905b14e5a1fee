-- Runs test cases of ONNX: a model, and data sets of inputs and the outputs that are wanted.

local nl = require "nnlua"

local File = require "nnlua.onnx.file"
local system = require "nnlua.system"

local cases = {}

-- --------------------------------------------------------------------- data

local value_of

--- The values of a SequenceProto's or OptionalProto's field.
local function sequence_of(file, from, to)
  local fields, list = file:message("sequence", from, to), {}
  local tensors = fields.tensor_values or {}
  for i = 1, #tensors, 2 do table.insert(list, (file:tensor(tensors[i], tensors[i + 1]))) end
  return list
end

--- What a message of a kind of value stands for: a tensor, a list of tensors, or nil.
function value_of(file, kind, from, to)
  if kind == "tensor" then return (file:tensor(from, to)) end
  if kind == "sequence" then return sequence_of(file, from, to) end
  local fields = file:message("optional", from, to)
  if fields.tensor_value then return (file:one_tensor(fields.tensor_value)) end
  if fields.sequence_value then return sequence_of(file, fields.sequence_value[1], fields.sequence_value[2]) end
  return nil
end

--- The value in a text of bytes.
function cases.value(text, name, kind)
  local file = File(system.text_source(text, name), name)
  return value_of(file, kind, 0, file.size)
end

--- The kinds of a model's inputs or outputs: "tensor", "sequence" or "optional".
function cases.kinds(text, name, field)
  local file = File(system.text_source(text, name), name)
  local kinds = {}
  local graph = file:one("graph", file:message("model", 0, file.size).graph)
  for info in file:each("value_info", graph[field]) do
    local fields = file:one("type", info.type) or {}
    table.insert(kinds, fields.optional_type and "optional" or fields.sequence_type and "sequence" or "tensor")
  end
  return kinds
end

-- --------------------------------------------------------------- comparison

-- Relative differences that are allowed: onnx's own, and of halves two units in the last place.
local tolerance = {[nl.float16] = 2e-3, [nl.bfloat16] = 1.6e-2}

--- What is wrong with a tensor, or nil.
local function difference_of_tensors(got, want)
  if not nl.is_tensor(got) then return "is no tensor" end
  if got.dtype ~= want.dtype then return ("is %s, not %s"):format(got.dtype, want.dtype) end
  if tostring(got.shape) ~= tostring(want.shape) then return ("has shape %s, not %s"):format(got.shape, want.shape) end
  local rtol = tolerance[want.dtype] or 1e-3
  if got:numel() == 0 or nl.allclose(got, want, {rtol = rtol, atol = 1e-5, equal_nan = true}) then return nil end
  if want.dtype == nl.bool then return "differs" end
  local apart = (got:to(nl.float64) - want:to(nl.float64)):abs():nan_to_num():max():item()
  return ("differs by %g"):format(apart)
end

--- What is wrong with a value, or nil.
local function difference(got, want)
  if type(want) ~= "table" then return difference_of_tensors(got, want) end
  if type(got) ~= "table" or #got ~= #want then return "is no sequence of " .. #want end
  for i = 1, #want do
    local text = difference(got[i], want[i])
    if text then return ("[%d] %s"):format(i, text) end
  end
end

--- Runs a model on one data set: nil, or what is wrong.
function cases.run(program, inputs, n, outputs)
  local got = table.pack(nl.no_grad(function() return program(table.unpack(inputs, 1, n)) end))
  for i, want in ipairs(outputs) do
    local text = difference(got[i], want)
    if text then return ("output %d %s"):format(i, text) end
  end
end

-- ------------------------------------------------------------------ folders

local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read "a"
  file:close()
  return text
end

--- The values of input_0.pb … in a folder, as many as there are.
local function values_in(folder, what, kinds)
  local values, n = {}, 0
  for i, kind in ipairs(kinds) do
    local text = read(("%s/%s_%d.pb"):format(folder, what, i - 1))
    if not text then break end
    values[i], n = cases.value(text, what, kind), i
  end
  return values, n
end

--- What a program gives that is written and read back; with `strict` (true: a trace gives its examples, too, as a
--- second value) of ONNX's own operators alone.
function cases.again(program, strict)
  local file = nl.io.BytesIO()
  nl.onnx.export(program, file, {strict = strict == true})
  file:seek "set"
  return nl.onnx.load(file)
end

--- Runs a case in a folder: nil, or what is wrong. With `again` the model is written and read back before.
function cases.run_folder(folder, again)
  local path = folder .. "/model.onnx"
  local program = nl.onnx.load(path)
  if again then program = cases.again(program) end
  local model = read(path)
  local input_kinds, output_kinds = cases.kinds(model, path, "input"), cases.kinds(model, path, "output")
  for set = 0, 100 do
    local data = ("%s/test_data_set_%d"):format(folder, set)
    local inputs, n = values_in(data, "input", input_kinds)
    local outputs = values_in(data, "output", output_kinds)
    if not outputs[1] then return set == 0 and "there are no data" or nil end
    local wrong = cases.run(program, inputs, n, outputs)
    if wrong then return wrong end
  end
end

--- Runs a light model, whose weights are made when it runs, on the numbers i / n: nil, or what is wrong.
function cases.run_light(program, want)
  local shape = {}
  for i, size in ipairs(program.inputs[1].shape) do shape[i] = math.type(size) and size or 1 end
  local n = nl.zeros(shape):numel()
  local x = (nl.arange(0, n, {dtype = nl.float64}) / n):to(nl.float32):reshape(shape)
  return cases.run(program, {x}, 1, {want})
end

--- Runs a light model of a file, beside which is what it gives.
function cases.run_light_file(path, again)
  local program = nl.onnx.load(path)
  if again then program = cases.again(program) end
  return cases.run_light(program, cases.value(read(path:gsub("%.onnx$", "_output_0.pb")), path, "tensor"))
end

return cases
