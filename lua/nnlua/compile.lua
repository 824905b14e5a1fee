-- nl.compile: networks as programs.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local nn = require "nnlua.nn"

-- Runs a call plainly and makes a program of what it did.
local function trace(compiled, target, ...)
  local record <close> = core.compile_record(compiled, ...)
  return core.compile_finish(record, target(...))
end

local OptimizedModule = nn.class "OptimizedModule"

function OptimizedModule:init(net, without)
  self._orig_mod = net
  self._compiled = core.compile_new(net, trace, without)
end

OptimizedModule.forward = core.compiled_forward

-- The names of passes that are to be left out, as a text.
local function passes(settings)
  if settings ~= nil and type(settings) ~= "table" then
    core.raise(("compile: a table of settings is wanted, got %s"):format(core.describe(settings)))
  end
  args.check_names("compile", settings or {}, {"without"})
  local list = settings and settings.without or {}
  for _, name in ipairs(list) do
    if not core.has_pass(name) then core.raise(("compile: there is no pass %s"):format(tostring(name))) end
  end
  return table.concat(list, " ")
end

--- A network, or a function of tensors, that runs as a program: its first call with arguments of certain dtypes, shapes
--- and strides is traced, and later ones with such arguments run what the trace did, without Lua and with what can be
--- computed together computed together. A module's programs hold as long as the attributes, modes and parameters that
--- they were made with are the same; it is traced anew where they aren't. A function that is a whole step of training
--- (`loss:backward()`, an optimizer's step, `zero_grad`) is a program too, where all that wants gradients gets them
--- inside. Where gradients are wanted beyond that, and for what no program can do (see `nl.compile_report`), the
--- network itself runs.
---     > net = nn.Sequential(nn.Linear(4, 3), nn.ReLU())
---     > fast = nl.compile(net)
---     > x = nl.randn(2, 4)
---     > nl.equal(nl.no_grad(fast, x), nl.no_grad(net, x))
---     true
---     > optimizer = optim.SGD(net:parameters(), {lr = 0.1})
---@param net Module|function
---@param settings? table
local function compile(net, settings)
  local without = passes(settings)
  if core.is_module(net) then return OptimizedModule(net, without) end
  if type(net) ~= "function" then
    core.raise(("compile: a module or a function is wanted, got %s"):format(core.describe(net)))
  end
  local _, f = core.compile_new(net, trace, without)
  return f
end

return compile
