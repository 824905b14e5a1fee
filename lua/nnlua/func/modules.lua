-- Modules as functions of their parameters.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local nl = require "nnlua"

local modules = {}

local is_tensor, raise = core.is_tensor, core.raise
local PARAMETER, BUFFER = core.PARAMETER, core.BUFFER

--- The tensors of a module by name: {owner, field, kind, tensor}. One that has several names has several entries.
local function entries_of(module)
  local entries = {}
  local function add(list, kind)
    for name, tensor in list do
      local path, field = name:match "^(.*)%.([^.]*)$"
      local owner = path and module:get_submodule(path) or module
      entries[name] = {owner = owner, field = field or name, kind = kind, tensor = tensor}
    end
  end
  add(module:named_parameters({remove_duplicate = false}), PARAMETER)
  add(module:named_buffers({remove_duplicate = false}), BUFFER)
  return entries
end

--- What stands in the place of which entry: those that are named, and others that are the same tensor (tied weights).
local function replacements(entries, given, tie_weights, strict)
  local by_tensor, chosen = {}, {}
  for name, tensor in pairs(given) do
    local entry = entries[name]
    if entry and entry.owner._keeps_tensors then
      raise(("functional_call: '%s': a program keeps its own tensors; call the network that it was made of")
        :format(name))
    elseif not entry then
      if strict then raise(("functional_call: the module has no parameter or buffer '%s'"):format(name)) end
    elseif not is_tensor(tensor) then
      raise(("functional_call: '%s' is %s, not a tensor"):format(name, core.describe(tensor)))
    else
      chosen[entry], by_tensor[entry.tensor] = tensor, tensor
    end
  end
  for name, entry in pairs(entries) do
    if given[name] == nil then
      if strict then raise(("functional_call: there is no tensor for '%s'"):format(name)) end
      if tie_weights then chosen[entry] = by_tensor[entry.tensor] end
    end
  end
  return chosen
end

--- Puts tensors in their places; closing what it gives puts back what was there.
local function put(chosen)
  local before = {}
  for entry, tensor in pairs(chosen) do
    before[entry] = core.attributes(entry.owner)[entry.field]
    core.set_raw(entry.owner, entry.field, tensor, entry.kind)
  end
  return setmetatable({}, {__close = function()
    for entry, tensor in pairs(before) do core.set_raw(entry.owner, entry.field, tensor, entry.kind) end
  end})
end

local function merged(given)
  if #given == 0 then return given end
  local all = {}
  for _, some in ipairs(given) do
    for name, tensor in pairs(some) do
      if all[name] ~= nil then raise(("functional_call: '%s' is given twice"):format(name)) end
      all[name] = tensor
    end
  end
  return all
end

local parse_call = args.parser("func.functional_call", {
  {"module", "module"}, {"parameters_and_buffers", "table"}, {"args", "any?"}, {"tie_weights", "boolean", true},
  {"strict", "boolean", false},
})

--- Calls a module with other parameters and buffers, given by name (a table, or a list of tables), and leaves its own
--- as they are. `args` is its argument, or a list of them.
---
---     > net = nn.Linear(2, 1)
---     > nl.func.functional_call(net, {weight = nl.tensor({{1.0, 2.0}}), bias = nl.zeros(1)}, nl.tensor({3.0, 4.0}))
---     tensor([11.])
function modules.functional_call(...)
  local module, given, arguments, tie_weights, strict = parse_call(...)
  local list = type(arguments) == "table" and getmetatable(arguments) == nil and arguments or {arguments}
  local _ <close> = put(replacements(entries_of(module), merged(given), tie_weights, strict))
  return module(table.unpack(list))
end

--- Makes all batch norms in a module, or that it is, forget their running statistics, so that nothing changes in place
--- under vmap: they normalise by each batch. Gives the module.
---
---     > net = nl.func.replace_all_batch_norm_modules_(nn.Sequential(nn.BatchNorm1d(2)))
---     > net[1].running_mean, net[1].track_running_stats
---     nil	false
function modules.replace_all_batch_norm_modules_(root)
  if not core.is_module(root) then
    raise("replace_all_batch_norm_modules_: a module is wanted, not " .. core.describe(root))
  end
  local nn = nl.nn
  for module in root:modules() do
    local is_one = module:is_a(nn.BatchNorm1d) or module:is_a(nn.BatchNorm2d) or module:is_a(nn.BatchNorm3d)
    if is_one and module.track_running_stats then
      module.running_mean, module.running_var, module.num_batches_tracked = nil, nil, nil
      module.track_running_stats = false
    end
  end
  return root
end

local function stacked(list, names)
  local all = {}
  for _, name in ipairs(names) do
    local tensors = {}
    for i, entries in ipairs(list) do
      if not entries[name] then raise(("stack_module_state: module %d has no '%s'"):format(i, name)) end
      tensors[i] = entries[name].tensor
    end
    local whole = nl.stack(tensors):detach()
    if tensors[1].requires_grad then whole:requires_grad_() end
    all[name] = whole
  end
  return all
end

--- The parameters and the buffers of modules of one kind, each stacked along a new first dimension: two tables, for
--- vmap of functional_call over an ensemble.
---
---     > params, buffers = nl.func.stack_module_state({nn.Linear(2, 1), nn.Linear(2, 1)})
---     > params.weight.shape
---     [2, 1, 2]
function modules.stack_module_state(models)
  if type(models) ~= "table" or #models == 0 then
    raise("stack_module_state: a list of modules is wanted, not " .. core.describe(models))
  end
  local list = {}
  for i, model in ipairs(models) do
    if not core.is_module(model) then
      raise(("stack_module_state: %d is %s, not a module"):format(i, core.describe(model)))
    end
    if core.class_of(model) ~= core.class_of(models[1]) then
      raise("stack_module_state: all modules must be of one class")
    end
    list[i] = entries_of(model)
  end
  local parameters, buffers = {}, {}
  for name, entry in pairs(list[1]) do
    local names = entry.kind == PARAMETER and parameters or buffers
    names[#names + 1] = name
  end
  return stacked(list, parameters), stacked(list, buffers)
end

return modules
