--- Cases of `modules`: a module in a state, one call of it, gradients and the state after it.

local api = require "oracle.api"
local calls = require "oracle.calls"
local compare = require "oracle.compare"
local json = require "oracle.json"
local values = require "oracle.values"

local modules = {}

--- A module of a class, dtype and state.
function modules.built(encoded, dtype_name, state)
  local module = values.module(encoded)
  module:to(api.lookup(dtype_name))
  module:load_state_dict(values.state(state))
  return module
end

--- Names and tensors of a module's parameters, in order.
local function named_parameters(module)
  local names, parameters = {}, {}
  for name, parameter in module:named_parameters() do
    table.insert(names, name)
    table.insert(parameters, parameter)
  end
  return names, parameters
end

--- Compares a state by name; `where` stands before the names.
function modules.compare_state(got, recorded, tolerance, where, wrong)
  local count = 0
  for name, encoded in pairs(recorded) do
    compare.value(got[name], encoded, tolerance, where .. " " .. name, wrong)
    count = count + 1
  end
  for _ in pairs(got) do
    count = count - 1
  end
  if count ~= 0 then
    table.insert(wrong, ("%s: %d entries too many"):format(where, -count))
  end
end

--- The state that a case expects after its call.
local function state_after(case)
  local expected = {}
  for name, encoded in pairs(case.state) do
    expected[name] = encoded
  end
  for name, encoded in pairs(case.state_after or {}) do
    expected[name] = encoded
  end
  return expected
end

--- Gradients on record, those of the inputs and then those of the parameters.
local function recorded_gradients(case)
  local recorded = table.move(case.grads, 1, #case.grads, 1, {})
  for _, name in ipairs(case.parameters) do
    table.insert(recorded, case.param_grads[name])
  end
  return recorded
end

local function check_call(case, module, parameters, outcome)
  outcome.stage = "inputs"
  local collector = values.collector(true)
  local args = values.arguments(case.inputs, case.input_kwargs, collector)
  outcome.stage = "forward"
  local results = table.pack(module(values.unpack(args)))
  compare.value(results, case.out, compare.tolerance(case), "out", outcome.wrong)
  if #outcome.wrong == 0 then
    compare.layout(results, case.out, "out", outcome.wrong)
  end
  modules.compare_state(module:state_dict(), state_after(case), compare.tolerance(case),
                        "state", outcome.wrong)
  if case.grads then
    outcome.stage = "gradients"
    local inputs = calls.differentiable(collector)
    table.move(parameters, 1, #parameters, #inputs + 1, inputs)
    compare.value(calls.gradients(results, inputs, case), recorded_gradients(case),
                  compare.tolerance(case, "grad"), "grad", outcome.wrong)
  end
end

function modules.run(case, outcome)
  outcome.stage = "constructor"
  local module = modules.built(case, case.dtype, case.state)
  module:train(case.training)
  if case.text and tostring(module) ~= case.text then
    table.insert(outcome.wrong, ("printed is\n%s\nnot\n%s"):format(tostring(module), case.text))
  end
  local names, parameters = named_parameters(module)
  compare.value(names, case.parameters, compare.tolerance(case), "parameters", outcome.wrong)
  if case.inputs ~= json.null then
    check_call(case, module, parameters, outcome)
  end
end

return modules
