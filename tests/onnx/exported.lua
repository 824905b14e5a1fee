-- Programs traced from the modules of the oracle's cases, exported and read back.

local nl = require "nnlua"

local core = require "nnlua.program.core"
local json = require "oracle.json"
local lfs = require "lfs"
local oracle = require "oracle.modules"
local samples = require "support.samples"
local structure = require "nnlua.program.structure"
local types = require "nnlua.onnx.types"
local values = require "oracle.values"

local exported = {}

--- The tensors of arguments, in the order of a trace's inputs.
local function leaves_of(arguments)
  local leaves, tensors = {}, {}
  for i = 1, arguments.n do structure.form(arguments[i], "x" .. i, leaves) end
  for i, leaf in ipairs(leaves) do tensors[i] = leaf.tensor:detach() end
  return tensors
end

--- Calls f(number, program, inputs) for each case of a module's file that can be traced.
function exported.each(file, f)
  local lines, number = io.lines(file.path), 0
  lines()
  for line in lines do
    local case = json.decode(line)
    number = number + 1
    if case.inputs ~= json.null then
      local module = oracle.built(case, case.dtype, case.state)
      module:eval()
      local given = values.arguments(case.inputs, case.input_kwargs, values.collector(true))
      local arguments = table.pack(values.unpack(given))
      local traced, program = pcall(function()
        local _ <close> = nl.no_grad()
        return nl.program.trace(module, table.unpack(arguments, 1, arguments.n))
      end)
      if traced then f(number, program, leaves_of(arguments)) end
    end
  end
end

--- A tensor as most networks have it: of floats of 32 bits.
local function narrowed(t)
  t = t:detach():clone()
  if t.dtype == nl.float64 then return t:to(nl.float32) end
  return t.dtype == nl.complex128 and t:to(nl.complex64) or t
end

--- Calls f(name, program, inputs, sample) for each sample of each row that can be traced.
function exported.each_row(pattern, f)
  for _, row in ipairs(samples.rows()) do
    for k, sample in ipairs(row.row:find(pattern) and samples.of(row) or {}) do
      local entry = samples.entry(row)
      local function call(...)
        if samples.is_only_in_place(row) then return entry((...):clone(), select(2, ...)) end
        return entry(...)
      end
      local s = samples.map(sample, narrowed)
      local _ <close> = nl.no_grad()
      nl.manual_seed(5)
      local traced, program = pcall(nl.program.trace, call, table.unpack(s, 1, sample.n))
      s.n = sample.n
      if traced then f(row.row .. "_" .. k, program, leaves_of(s), sample) end
    end
  end
end

--- What a program gives for inputs, a list without the forms that its network's results have.
function exported.results(program, inputs)
  local _ <close> = nl.no_grad()
  return table.pack(core.run(program.data, table.unpack(inputs)))
end

--- nil, or which of the results differ by more than float32 can tell.
function exported.difference(got, want)
  for i = 1, want.n do
    local x, y = got[i], want[i]
    local is_same = x and x.dtype == y.dtype and tostring(x.shape) == tostring(y.shape)
      and nl.allclose(x, y, {rtol = 1e-5, atol = 1e-6, equal_nan = true})
    if not is_same then return "output " .. i .. " differs" end
  end
end

--- A program of a network in evaluation mode, and its inputs.
function exported.of_network(net, inputs)
  local _ <close> = nl.no_grad()
  return nl.program.trace(net:eval(), table.unpack(inputs)), leaves_of(table.pack(table.unpack(inputs)))
end

local function write(path, message)
  local file <close> = assert(io.open(path, "wb"))
  for _, text in ipairs(message) do file:write(text) end
end

--- Exports a program with its inputs and results to a folder, as ONNX's own test cases are: nil, or how what is read
--- back differs.
function exported.save(program, inputs, path)
  nl.manual_seed(7)
  local want = exported.results(program, inputs)
  lfs.mkdir(path)
  lfs.mkdir(path .. "/test_data_set_0")
  nl.onnx.export(program, path .. "/model.onnx")
  for i, x in ipairs(inputs) do
    write(("%s/test_data_set_0/input_%d.pb"):format(path, i - 1), types.tensor(program.inputs[i].name, x))
  end
  for i, y in ipairs(want) do
    write(("%s/test_data_set_0/output_%d.pb"):format(path, i - 1), types.tensor(program.outputs[i].name, y))
  end
  nl.manual_seed(7)
  return exported.difference(exported.results(nl.onnx.load(path .. "/model.onnx"), inputs), want)
end

return exported
