-- The help's examples of what works between processes, in a world of two; tests/spec/distributed_spec.lua runs it.
package.path = "tests/?.lua;" .. package.path
local nl = require "nnlua"
local catalogue = require "nnlua.help.catalogue"
local examples = require "support.examples"
local text = require "nnlua.help.text"

local GROUP = "Several processes"

local count = 0
local function run(entry)
  for _, overload in ipairs(entry.overloads) do
    local problem = examples.run(text.parts(overload.text).examples)
    if problem then error(("%s:\n%s"):format(entry.name, problem), 0) end
    count = count + 1
  end
end

dist = nl.distributed -- luacheck: ignore, for the examples
local first = catalogue.find "nl.distributed.init_process_group"
run(first)
for _, entry in ipairs(catalogue.all()) do
  if entry.group == GROUP and entry ~= first then run(entry) end
end
assert(count > 50)
if dist.get_rank() == 0 then print "all is well" end
