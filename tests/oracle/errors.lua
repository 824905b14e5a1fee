--- Cases of `errors`: a call that must raise and leave its operands as they were.

local calls = require "oracle.calls"
local compare = require "oracle.compare"
local values = require "oracle.values"

local errors = {}

local EXACT = {rtol = 0, atol = 0}

function errors.run(case, outcome)
  calls.target(case.call)
  outcome.stage = "inputs"
  local collector = values.collector(true)
  local args = values.arguments(case.args, case.kwargs, collector)
  outcome.stage = case.call
  if pcall(calls.run, case.call, args) then
    table.insert(outcome.wrong, ("raises nothing (PyTorch: %s)"):format(case.error.message))
  end
  outcome.stage = "operands afterwards"
  compare.value(collector.tensors, collector.encoded, EXACT, "operand", outcome.wrong)
end

return errors
