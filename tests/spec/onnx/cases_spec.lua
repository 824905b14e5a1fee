-- parts: 3
-- ONNX's own test cases: those of its operators, of networks that PyTorch exported, and of large ones without weights;
-- each as it is, and exported and read back: as ONNX's own operators, but for those below.
-- tests/onnx/make_cases.py has written the file, tests/onnx/excluded.txt says which don't pass. And nodes of
-- com.microsoft as ONNX Runtime computes them, from tests/onnx/make_microsoft_cases.py.
local nl = require "nnlua"

local File = require "nnlua.onnx.file"
local cases = require "onnx.cases"
local system = require "nnlua.system"

local schema = require "nnlua.onnx.schema"
schema.test_cases = {[1] = "mcase"}
schema.test_case = {[1] = "sname", [2] = "mmodel", [3] = "mset"}
schema.test_set = {[1] = "minput", [2] = "moutput"}

--- The bytes of both compressed files, which are one message together.
local function read_cases()
  local pipe = assert(io.popen("gzip -dc tests/onnx/cases.gz tests/onnx/microsoft.gz", "r"))
  local text = pipe:read "a"
  pipe:close()
  return text
end

local text = read_cases()
local all = File(system.text_source(text, "cases.gz"), "cases.gz")

--- Cases of which something is written as operators that ONNX hasn't, or that round otherwise there.
local own <const> = {
  "^microsoft_qlinear", "^microsoft_dynamic_quantize_lstm", "^microsoft_gqa", "^microsoft_inverse$",
  "^microsoft_qattention$", "^microsoft_qembed_layer_norm$", "^microsoft_resize_10_nearest$",
}

local function is_own(name)
  for _, pattern in ipairs(own) do
    if name:find(pattern) then return true end
  end
  return false
end

--- The bytes of a field.
local function bytes(list, i)
  return text:sub(list[i] + 1, list[i + 1])
end

local function values(list, kinds)
  local read, n = {}, #(list or {}) // 2
  for i = 1, n do read[i] = cases.value(bytes(list, 2 * i - 1), "data", kinds[i]) end
  return read, n
end

describe("ONNX's test case", function()
  for fields in all:each("test_case", all:message("test_cases", 0, all.size).case) do
    local name = fields.name[1]
    it(name, function()
      local model = bytes(fields.model, 1)
      local program = nl.onnx.load(nl.io.BytesIO(model))
      if name:find "^light_" then
        local set = all:one("test_set", fields.set)
        local want = cases.value(bytes(set.output, 1), "data", "tensor")
        assert.is_nil(cases.run_light(program, want))
        assert.is_nil(cases.run_light(cases.again(program, true), want))
        return
      end
      local again = cases.again(program, not is_own(name))
      local inputs, outputs = cases.kinds(model, name, "input"), cases.kinds(model, name, "output")
      for set in all:each("test_set", fields.set) do
        local given, n = values(set.input, inputs)
        local want = values(set.output, outputs)
        assert.is_nil(cases.run(program, given, n, want))
        assert.is_nil(cases.run(again, given, n, want))
      end
    end)
  end
end)
