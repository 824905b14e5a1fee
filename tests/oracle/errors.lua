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
  local made, args = pcall(values.arguments, case.args, case.kwargs, collector)
  if not made then
    if tostring(args):find("at most 16 dimensions", 1, true) then return end -- refused before the call
    error(args, 0)
  end
  outcome.stage = case.call
  if pcall(calls.run, case.call, args) then
    table.insert(outcome.wrong, ("raises nothing (PyTorch: %s)"):format(case.error.message))
  end
  outcome.stage = "operands afterwards"
  compare.value(collector.tensors, collector.encoded, EXACT, "operand", outcome.wrong)
end

return errors
