-- nl.compile: networks as programs.

local core = require "nnlua.nn.core"
local nn = require "nnlua.nn"

-- Runs a call plainly and makes a program of what it did.
local function trace(compiled, target, ...)
  local record <close> = core.compile_record(compiled, ...)
  return core.compile_finish(record, target(...))
end

local OptimizedModule = nn.class "OptimizedModule"

function OptimizedModule:init(net)
  self._orig_mod = net
  self._compiled = core.compile_new(net, trace)
end

OptimizedModule.forward = core.compiled_forward

--- A network, or a function of tensors, that runs as a program: its first call with arguments of certain dtypes, shapes
--- and strides is traced, and later ones with such arguments run what the trace did, without Lua and with what can be
--- computed together computed together. A module's programs hold as long as the attributes, modes and parameters that
--- they were made with are the same; it is traced anew where they aren't. Where gradients are wanted, and for what no
--- program can do (see `nl.compile_report`), the network itself runs.
---     > net = nn.Sequential(nn.Linear(4, 3), nn.ReLU())
---     > fast = nl.compile(net)
---     > x = nl.randn(2, 4)
---     > nl.equal(nl.no_grad(fast, x), nl.no_grad(net, x))
---     true
---@param net Module|function
local function compile(net)
  if core.is_module(net) then return OptimizedModule(net) end
  if type(net) ~= "function" then
    core.raise(("compile: a module or a function is wanted, got %s"):format(core.describe(net)))
  end
  local _, f = core.compile_new(net, trace)
  return f
end

return compile
