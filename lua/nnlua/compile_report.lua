-- nl.compile_report: what nl.compile has made.

local core = require "nnlua.nn.core"

--- What nl.compile has made of a network or a function so far: a table with `calls`, `traces`, `with_gradients` (calls
--- that ran plainly since gradients were wanted) and `programs`, a list of {key, steps, bytes, runs} and, where no
--- program could be made, the `reason`.
---     > double = nl.compile(function(x) return x * 2 end)
---     > for i = 1, 3 do double(nl.ones(2)) end
---     > nl.compile_report(double).programs[1].runs
---     2
---@param compiled Module|function
local function compile_report(compiled)
  local made = core.is_module(compiled) and compiled._compiled or compiled
  local report = core.compile_report(made)
  if not report then core.raise "compile_report: what nl.compile returned is wanted" end
  return report
end

return compile_report
