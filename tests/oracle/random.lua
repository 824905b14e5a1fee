--- Cases of `random`: what comes after a seed, all from one stream.

local api = require "oracle.api"
local calls = require "oracle.calls"
local compare = require "oracle.compare"
local modules = require "oracle.modules"
local values = require "oracle.values"

local random = {}

local function check_module(case, outcome)
  outcome.stage = "constructor"
  local module = values.module(case)
  modules.compare_state(module:state_dict(), case.state, compare.tolerance(case), "state",
                        outcome.wrong)
end

function random.run(case, outcome)
  api.lookup("manual_seed")(case.seed)
  if case.module then
    return check_module(case, outcome)
  end
  for i, step in ipairs(case.program) do
    outcome.stage = ("call %d, %s"):format(i, step.call)
    local results = calls.run(step.call, values.arguments(step.args, step.kwargs))
    compare.value(results, step.out, compare.tolerance(case), outcome.stage, outcome.wrong)
  end
end

return random
