--- Cases of `errors`: a call that must raise and leave its operands as they were.

local calls = require "oracle.calls"
local compare = require "oracle.compare"
local values = require "oracle.values"

local errors = {}

local EXACT = {rtol = 0, atol = 0}

-- What raises in PyTorch, but is meant to work here: some functions take numbers beside tensors, and 1.0 is an integer.
local WORKS = {
  ["nl.complex"] = "must be Tensor, not int",
  ["nl.gcd"] = "must be Tensor, not int",
  ["nl.lcm"] = "must be Tensor, not int",
  ["nl.linspace"] = "argument 'steps' (position 3) must be int, not float",
  ["nl.logspace"] = "argument 'steps' (position 3) must be int, not float",
}

--- Whether PyTorch's error is about a call that is meant to work here.
local function is_meant_to_work(case)
  local part = WORKS[case.call]
  return part and case.error.message:find(part, 1, true)
end

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
  if not is_meant_to_work(case) and pcall(calls.run, case.call, args) then
    table.insert(outcome.wrong, ("raises nothing (PyTorch: %s)"):format(case.error.message))
  end
  outcome.stage = "operands afterwards"
  compare.value(collector.tensors, collector.encoded, EXACT, "operand", outcome.wrong)
end

return errors
