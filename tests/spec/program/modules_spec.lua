-- Programs traced from every module that the oracle has cases of: results, states and gradients are those of the plain
-- path, to the bit.
-- parts: 2
local here = debug.getinfo(1, "S").source:match("^@(.*)/") or "."
package.path = here .. "/../../?.lua;" .. package.path

local calls = require "oracle.calls"
local json = require "oracle.json"
local nl = require "nnlua"
local oracle = require "oracle.modules"
local runner = require "oracle.runner"
local same = require "support.same"
local values = require "oracle.values"

-- What a trace must refuse in some cases of a module, since it depends on elements: which rows belong to which cluster.
local refused = {AdaptiveLogSoftmaxWithLoss = "that can't be traced"}

--- A module of a case, and a function that gives the arguments of a call, with the tensors that require gradients.
local function prepared(case)
  local module = oracle.built(case, case.dtype, case.state)
  module:train(case.training)
  local function arguments()
    local collector = values.collector(true)
    return values.arguments(case.inputs, case.input_kwargs, collector), collector
  end
  return module, arguments
end

--- What a call of f gives: results, gradients and the state of the module.
local function outcome(case, module, f, arguments)
  local args, collector = arguments()
  local results = table.pack(f(values.unpack(args)))
  local gradients
  if case.grads then
    local wanted = calls.differentiable(collector)
    for p in module:parameters() do table.insert(wanted, p) end
    gradients = calls.gradients(results, wanted, case)
  end
  return {results = results, gradients = gradients, state = module:state_dict()}
end

--- Two calls in the plain path, and one that is traced and then one of the program: the second ones must be the same.
local function check_case(case)
  local plain, arguments = prepared(case)
  nl.manual_seed(1)
  plain(values.unpack(arguments()))
  local expected = outcome(case, plain, plain, arguments)
  local traced = prepared(case)
  nl.manual_seed(1)
  local program = nl.program.trace(traced, values.unpack((arguments())))
  local got = outcome(case, traced, program, arguments)
  local told = same.difference(expected, got)
  assert.is_nil(told, case.id)
  local names, program_names = {}, {}
  for name in pairs(traced:state_dict()) do table.insert(names, name) end
  for name in pairs(program:state_dict()) do table.insert(program_names, name) end
  assert.same(names, program_names)
end

--- Calls that want no gradients run plans: again the same as the plain path gives.
local function check_planned(case)
  local plain, arguments = prepared(case)
  local traced = prepared(case)
  local program = nl.program.trace(traced, values.unpack((arguments())))
  plain(values.unpack((arguments())))
  local _ <close> = nl.no_grad()
  for i = 1, 4 do
    nl.manual_seed(i)
    local expected = table.pack(plain(values.unpack((arguments()))))
    nl.manual_seed(i)
    local got = table.pack(program(values.unpack((arguments()))))
    local told = same.difference(expected, got)
    -- batch norm in a convolution's weight: the same to rounding
    local is_close = case.module == "nn.Sequential" and nl.allclose(expected[1], got[1], {rtol = 1e-5, atol = 1e-6})
    assert(not told or is_close, ("%s, call %d: %s"):format(case.id, i, told))
    assert.is_nil(same.difference(plain:state_dict(), traced:state_dict()), ("%s, state %d"):format(case.id, i))
  end
end

describe("a program traced from", function()
  for _, file in ipairs(runner.files(here .. "/../../oracle/cases", "modules")) do
    it(file.name .. " gives what the module gives", function()
      local lines, refusals = io.lines(file.path), 0
      lines()
      for line in lines do
        local case = json.decode(line)
        if case.inputs ~= json.null then
          local ok, told = pcall(check_case, case)
          local is_refused = not ok and refused[file.name] and tostring(told):find(refused[file.name], 1, true)
          assert(ok or is_refused, told)
          if is_refused then refusals = refusals + 1 else check_planned(case) end
        end
      end
      assert.equal(refused[file.name] ~= nil, refusals > 0)
    end)
  end
end)
