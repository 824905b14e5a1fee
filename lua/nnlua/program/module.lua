-- Programs as modules: called, asked for their parameters, saved and hooked as any other.

local core = require "nnlua.program.core"
local nn = require "nnlua.nn"
local nn_core = require "nnlua.nn.core"
local structure = require "nnlua.program.structure"

local raise = nn_core.raise
local PARAMETER, BUFFER, TRANSIENT, MODULE = nn_core.PARAMETER, nn_core.BUFFER, nn_core.TRANSIENT, nn_core.MODULE

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
---@field outputs table the same; of a file's what it says of them, until a call gives something else
local Program = nn.class "Program"

--- Those of a program's tensors whose names begin alike: "conv.weight" is `weight` of the child `conv`.
local Part = nn.class "ProgramPart"

local function has_slot(module, name, kind)
  for _, one in ipairs(nn_core.slot_names(module, kind)) do
    if one == name then return true end
  end
  return false
end

-- The steps refer to the tensors, which therefore stay: parameters can't be assigned, a buffer takes the elements.
for _, class in ipairs {Program, Part} do
  class._keeps_tensors = true
  local _, set
  _, set = nn_core.set_access(class, nil, function(module, name, value)
    local own = module[name]
    if not nn_core.is_tensor(own) then return set(module, name, value) end
    if has_slot(module, name, PARAMETER) then
      raise(("'%s': a program keeps its own parameters; load_state_dict copies values into them, as copy_ does under "
        .. "nl.no_grad"):format(name))
    elseif not has_slot(module, name, BUFFER | TRANSIENT) then
      return set(module, name, value)
    elseif not nn_core.is_tensor(value) or not nn_core.same_shape(own, value) then
      raise(("'%s': a program keeps its buffers, which take tensors of their shape, here %s"):format(name, own.shape))
    end
    nn_core.adopt(own, value:detach())
  end)
end

-- What a file says of outputs can prove wrong in a call, so they are asked for each time.
local get
get = nn_core.set_access(Program, function(module, name)
  if name ~= "outputs" then return get(module, name) end
  local _, outputs = core.borders(module.data)
  return outputs
end)

--- A name that nothing else has in a module: parameters may be called as methods are.
local function free_name(module, name)
  while module[name] ~= nil do name = name .. "_" end
  return name
end

--- Registers a parameter or buffer at its path.
local function register(module, children, slot)
  local path = ""
  for step in slot.name:gmatch "([^.]*)%." do
    path = path .. step .. "."
    if not children[path] then
      children[path] = Part()
      nn_core.set_raw(module, free_name(module, step), children[path], MODULE)
    end
    module = children[path]
  end
  local name = slot.name:match "[^.]*$"
  local kind = slot.kind == "parameter" and PARAMETER or slot.transient and TRANSIENT or BUFFER
  nn_core.set_raw(module, free_name(module, name), slot.tensor, kind)
end

local function all_plain(forms)
  for _, form in ipairs(forms) do
    if not structure.is_plain(form) then return false end
  end
  return true
end

--- The inputs, from arguments that are formed as those of the network were.
local function inputs_of(forms, names, ...)
  local tensors, n = {}, select("#", ...)
  if n > #forms then raise(("the program takes %d arguments, and %d are given"):format(#forms, n)) end
  for i, form in ipairs(forms) do structure.fill(form, (select(i, ...)), names[i], tensors) end
  return table.unpack(tensors)
end

--- The program's outputs as what the network gave: tables of them, and whatever else it gave.
local function shaped(forms, ...)
  local tensors, values = {...}, {}
  for i, form in ipairs(forms) do values[i] = structure.build(form, tensors) end
  return table.unpack(values, 1, #forms)
end

--- What calls the program itself where arguments or results are more than tensors in order.
local function shaped_call(arguments, names, results)
  local takes_forms, gives_forms = arguments and not all_plain(arguments), results and not all_plain(results)
  if not (takes_forms or gives_forms) then return nil end
  return function(data, ...)
    if not takes_forms then return shaped(results, core.run(data, ...)) end
    if not gives_forms then return core.run(data, inputs_of(arguments, names, ...)) end
    return shaped(results, core.run(data, inputs_of(arguments, names, ...)))
  end
end

--- `parts`: `data`, the program itself; `slots`, a list of {kind =, name =, tensor =}, its parameters and buffers; and,
--- where not all are tensors, the forms of `arguments`, which have `names`, and `results`.
function Program:init(parts)
  self.data = parts.data
  self.inputs = core.borders(parts.data)
  local call = shaped_call(parts.arguments, parts.names, parts.results)
  if call then core.set_shaped(parts.data, call) end
  if parts.training == false then self.training = false end
  local children = {}
  for _, slot in ipairs(parts.slots) do register(self, children, slot) end
end

Program.forward = core.forward

--- What `to`, `double` and their kin do. Raises where a dtype would change and an input has one, which the steps were
--- made for.
function Program:_apply(conversion)
  local is_typed = false
  for _, input in ipairs(self.inputs) do is_typed = is_typed or input.dtype ~= nil end
  if not is_typed then return nn.Module._apply(self, conversion) end
  return nn.Module._apply(self, function(t)
    local converted = conversion(t)
    if converted.dtype ~= t.dtype then
      raise(("a program keeps the dtypes that it was made with, here %s: convert the network, and trace it again with "
        .. "inputs of %s"):format(t.dtype, converted.dtype))
    end
    return converted
  end)
end

--- A line for each step, with shapes, and what it costs where that is known.
function Program:__tostring()
  return require "nnlua.program.text".of(self.data) -- which few programs are asked for
end

return Program
