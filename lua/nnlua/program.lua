-- nl.program: networks as data.

local Builder = require "nnlua.program.builder"

--- Programs: networks as data, which are traced, loaded, printed and run as a whole (docs/programs.md).
local program = {
  Program = require "nnlua.program.module",
  Builder = Builder,
}

--- An empty builder, for programs that are made step by step.
---     > b = nl.program.builder()
---     > x = b:input("x", {dtype = nl.float32, shape = {"N", 2}})
---     > b:output("y", b:call("relu", {x}))
---     > b:build()(nl.tensor {{-1.0, 2.0}})
---     tensor([[0., 2.]])
---@return Builder
function program.builder()
  return Builder()
end

program.trace = require "nnlua.program.trace"

return program
