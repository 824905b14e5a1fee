-- Programs as modules: called, asked for their parameters, saved and hooked as any other.

local core = require "nnlua.program.core"
local nn = require "nnlua.nn"
local nn_core = require "nnlua.nn.core"

local kinds = {parameter = nn_core.PARAMETER, buffer = nn_core.BUFFER}

--- A network as data. It is a module: `program(x, …)` takes the inputs in order, or one table of them by name, and
--- gives the outputs in order.
---     > b = nl.program.builder()
---     > b:output("y", b:call("mul", {b:input "x", b:parameter("weight", nl.ones(2))}))
---     > p = b:build()
---     > p(nl.tensor {3.0, 4.0}):sum():backward()
---     > p.weight.grad
---     tensor([3., 4.])
---     > p {x = nl.zeros(2)}
---     tensor([0., 0.], grad_fn=<MulBackward>)
---@class Program: Module
---@field inputs table a list of {name =, dtype =, shape =}
---@field outputs table
local Program = nn.class "Program"

--- A name that nothing else has in a module: parameters may be called as methods are.
local function free_name(module, name)
  while module[name] ~= nil do name = name .. "_" end
  return name
end

--- Registers a parameter or buffer at its path: "conv.weight" is `weight` of the child `conv`.
local function register(module, children, slot)
  local path = ""
  for step in slot.name:gmatch "([^.]*)%." do
    path = path .. step .. "."
    if not children[path] then
      children[path] = nn.Module()
      nn_core.set_raw(module, free_name(module, step), children[path], nn_core.MODULE)
    end
    module = children[path]
  end
  local name = slot.name:match "[^.]*$"
  nn_core.set_raw(module, free_name(module, name), slot.tensor, kinds[slot.kind])
end

--- `data` is the program itself; `slots` a list of {kind =, name =, tensor =}, its parameters and buffers.
function Program:init(data, slots)
  self.data = data
  self.inputs, self.outputs = core.borders(data)
  local children = {}
  for _, slot in ipairs(slots) do register(self, children, slot) end
end

function Program:forward(...)
  return core.run(self.data, ...)
end

return Program
