-- Programs traced from the modules of the oracle's cases, exported and read back.

local nl = require "nnlua"

local core = require "nnlua.program.core"
local json = require "oracle.json"
local oracle = require "oracle.modules"
local structure = require "nnlua.program.structure"
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

return exported
