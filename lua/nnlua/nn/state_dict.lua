-- State dicts: taking a module's state, and loading it, all or nothing.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local hooks = require "nnlua.nn.hooks"
local nl = require "nnlua"

local PARAMETER, BUFFER = core.PARAMETER, core.BUFFER
local is_uninitialized = core.is_uninitialized

local state = {}

-- ------------------------------------------------------------ the container

-- The entries are fields of the table itself; its metatable knows their order.
--- An ordered map from names to tensors: `for name, tensor in pairs(sd)`, `sd["fc.weight"]`, `#sd`.
---@class StateDict
local StateDict = {}

local function new_entry(dict, name, value)
  local meta = getmetatable(dict)
  local old = meta.place[name]
  if old then
    meta.order[old] = false
  end
  local n = meta.n + 1
  meta.n, meta.order[n], meta.place[name] = n, name, n
  rawset(dict, name, value)
end

local function each(dict)
  local meta = getmetatable(dict)
  local i = 0
  return function()
    while i < meta.n do
      i = i + 1
      local name = meta.order[i]
      local value = name and rawget(dict, name)
      if value ~= nil and name then
        return name, value
      end
    end
  end
end

local function length(dict)
  local n = 0
  for _ in next, dict do n = n + 1 end
  return n
end

local function copy_entries(from, to, copy_value, memo)
  for name, value in each(from) do
    to[name] = copy_value(value, memo)
  end
  return to
end

--- A new, empty state dict.
function StateDict.new(metadata)
  return setmetatable({}, {
    __name = "nnlua.StateDict", __newindex = new_entry, __pairs = each, __len = length,
    __index = {_metadata = metadata or StateDict.ordered()}, order = {}, place = {}, n = 0,
    __deepcopy = function(dict, copy_value, memo)
      return copy_entries(dict, StateDict.new(copy_value(dict._metadata, memo)), copy_value, memo)
    end,
  })
end

--- An ordered map without metadata.
function StateDict.ordered()
  return setmetatable({}, {
    __name = "nnlua.OrderedDict", __newindex = new_entry, __pairs = each, __len = length, order = {}, place = {}, n = 0,
    __deepcopy = function(dict, copy_value, memo)
      return copy_entries(dict, StateDict.ordered(), copy_value, memo)
    end,
  })
end

state.StateDict = StateDict

-- ------------------------------------------------------------------- taking

local function with_metadata(dict)
  local metadata = dict._metadata
  return type(metadata) == "table" and metadata or nil
end

--- Whether a table holds options, not a state to add to: texts and truth values are in none.
local function holds_options(t)
  if type(t) ~= "table" or getmetatable(t) ~= nil then return false end
  for key, value in pairs(t) do
    local is_extra = type(key) == "string" and key:find "_extra_state$"
    if not is_extra and (type(value) == "string" or type(value) == "boolean") then return true end
  end
  return t.destination ~= nil
end

local function options_of(first, ...)
  if holds_options(first) then
    args.check_names("state_dict", first, {"destination", "prefix", "keep_vars"})
    return first.destination, first.prefix, first.keep_vars
  end
  return first, ...
end

local function own_state(module, prefix)
  local names = {}
  for _, name in ipairs(core.slot_names(module, PARAMETER)) do
    names[#names + 1] = name
  end
  for _, name in ipairs(core.slot_names(module, BUFFER)) do
    names[#names + 1] = name
  end
  return names, prefix .. "_extra_state"
end

local function path_prefix(path)
  return path == "" and "" or path .. "."
end

-- Kinds of hooks; their names are those of the methods that register them.
local STATE_PRE, STATE_POST = "register_state_dict_pre_hook", "register_state_dict_post_hook"
local LOAD_PRE, LOAD_POST = "register_load_state_dict_pre_hook", "register_load_state_dict_post_hook"

--- Goes through a module and all below it, each before its children: `enter(path, module)`; and `leave(path, module)`
--- after them, for those that have hooks of a kind.
local function walk(root, kind, enter, leave)
  local open = {}
  local function close_outside(path)
    local last = open[#open]
    while last and not (path and path:sub(1, #path_prefix(last[1])) == path_prefix(last[1])) do
      open[#open] = nil
      leave(last[1], last[2])
      last = open[#open]
    end
  end
  for path, module in core.iterator(core.modules(root, "", false), true) do
    close_outside(path)
    enter(path, module)
    if hooks.has_of(kind, module) then open[#open + 1] = {path, module} end
  end
  close_outside()
end

local function install_hooks(Module)
  --- Before a module's state is taken: `hook(module, prefix, keep_vars)`.
  ---     > net = nn.Linear(2, 1)
  ---     > handle = net:register_state_dict_pre_hook(function(module, prefix) print("of " .. prefix) end)
  ---     > done = nn.Sequential(net):state_dict()
  ---     of 0.
  function Module:register_state_dict_pre_hook(hook)
    return hooks.register_of(STATE_PRE, self, hook)
  end

  --- After the state of a module and of all below it was taken: `hook(module, state_dict, prefix, metadata)`, which may
  --- change the dict, and returns nothing.
  ---     > net = nn.Linear(2, 1)
  ---     > handle = net:register_state_dict_post_hook(function(m, dict, prefix) dict[prefix .. "bias"] = nil end)
  ---     > net:state_dict().bias
  ---     nil
  function Module:register_state_dict_post_hook(hook)
    return hooks.register_of(STATE_POST, self, hook)
  end

  --- Before a module looks for its state: `hook(module, state_dict, prefix, metadata, strict, missing_keys,
  --- unexpected_keys, errors)`. The dict is a copy, which the hook may change, and the lists are load_state_dict's own.
  ---     > net = nn.Linear(1, 1, false)
  ---     > handle = net:register_load_state_dict_pre_hook(function(m, dict) dict.weight, dict.w = dict.w, nil end)
  ---     > net:load_state_dict({w = nl.ones(1, 1)})
  ---     <All keys matched successfully>
  function Module:register_load_state_dict_pre_hook(hook)
    return hooks.register_of(LOAD_PRE, self, hook)
  end

  --- After the state of a module and of all below it was loaded: `hook(module, incompatible_keys)`, with the lists
  --- missing_keys and unexpected_keys, which it may change. Where names are missing or unexpected and that is an error,
  --- it is called before anything is loaded, since it may strike them off.
  ---     > net = nn.Linear(2, 1)
  ---     > handle = net:register_load_state_dict_post_hook(function(module, keys) print(keys.missing_keys[1]) end)
  ---     > done = net:load_state_dict({weight = nl.ones(1, 2)}, {strict = false})
  ---     bias
  function Module:register_load_state_dict_post_hook(hook)
    return hooks.register_of(LOAD_POST, self, hook)
  end
end

local function install_taking(Module)
  Module._version = 1

  --- Puts the module's own state in a dict, under a prefix. Children are not its business.
  function Module:_save_to_state_dict(destination, prefix, keep_vars)
    local names, extra = own_state(self, prefix)
    for _, name in ipairs(names) do
      local value = self[name]
      if value ~= nil then
        destination[prefix .. name] = (keep_vars or is_uninitialized(value)) and value or value:detach()
      end
    end
    if self.get_extra_state then
      destination[extra] = self:get_extra_state()
    end
  end

  --- The state of the module and of all below it: names to tensors that share its storage.
  --- Options: destination (a dict to fill), prefix (put before the names as it is), keep_vars (the Parameters).
  ---     > nn.Linear(2, 1):state_dict().weight.shape
  ---     [1, 2]
  function Module:state_dict(...)
    local destination, prefix, keep_vars = options_of(...)
    core.check_self(self, "state_dict")
    prefix = prefix or ""
    if destination ~= nil and type(destination) ~= "table" or type(prefix) ~= "string" then
      core.raise(("state_dict: a table to fill and a prefix were expected, got %s and %s"):format(
        core.describe(destination), core.describe(prefix)))
    end
    local dict = destination or StateDict.new()
    local metadata = with_metadata(dict)
    local function name_of(path)
      return path == "" and prefix:gsub("%.$", "") or prefix .. path
    end
    walk(self, STATE_POST, function(path, module)
      local under = prefix .. path_prefix(path)
      if metadata then metadata[name_of(path)] = {version = module._version} end
      hooks.call_of(STATE_PRE, module, true, under, keep_vars or false)
      module:_save_to_state_dict(dict, under, keep_vars)
    end, function(path, module)
      local under = prefix .. path_prefix(path)
      hooks.call_of(STATE_POST, module, false, dict, under, metadata and metadata[name_of(path)] or {})
    end)
    return dict
  end
end

-- ------------------------------------------------------------------ loading

-- What loading finds: lists of names, texts of errors, and the copies to make once all is known to be right.
local function new_report(assign)
  return {expected = {}, missing = {}, unexpected = {}, errors = {}, steps = {}, skipped = {}, assign = assign}
end

local function shape_text(t)
  return tostring(t.shape)
end

--- A one-element vector fits a 0-dim tensor: old files have such.
local function fitted(value, own)
  if value.ndim == 1 and own.ndim == 0 and value:size(1) == 1 then
    return value[1]
  end
  return value
end

--- What keeps a tensor from being copied, or assigned, whatever its shape, or nil.
local function obstacle(value, own, assign, module)
  if assign and module._keeps_tensors then
    return "a program keeps its own tensors; load without assign, which copies into them"
  elseif is_uninitialized(value) then
    return "it is uninitialized in the state dict, but not in the model; call the module that the state is of first"
  elseif not core.is_tensor(value) then
    return "a tensor was expected, got " .. core.describe(value)
  elseif assign then
    if own.requires_grad and not (value:is_floating_point() or value:is_complex()) then
      return ("it is %s in the state dict, and requires a gradient in the model"):format(value.dtype)
    end
  elseif value.device == own.device then
    return nil
  elseif own.is_meta then
    return "in the model it is on the meta device and has no memory; {assign = true} takes the state dict's tensors"
  elseif value.is_meta then
    return "in the state dict it is on the meta device and has no elements"
  end
end

--- Puts a value in the place of a module's tensor: of a Parameter one that wants a gradient as that did.
local function assign_value(module, name, value)
  local own = module[name]
  if is_uninitialized(own) or core.is_parameter(own) then
    if core.is_parameter(value) then value:requires_grad_(own.requires_grad)
    else value = nl.nn.Parameter(value:detach(), {requires_grad = own.requires_grad}) end
  end
  module[name] = value
end

--- Notes the copy of a value into a module's tensor; a Parameter without a shape takes the one that it gets.
local function plan_copy(report, key, value, module, name)
  local own = module[name]
  local is_first = is_uninitialized(own)
  if is_first and is_uninitialized(value) then
    return
  end
  local problem = obstacle(value, own, report.assign, module)
  if problem then
    table.insert(report.errors, ("'%s': %s"):format(key, problem))
    return
  end
  if is_first then
    table.insert(report.steps, function()
      if report.assign then return assign_value(module, name, value) end
      own:materialize(value.shape)
      own:copy_(value)
    end)
    return
  end
  value = fitted(value, own)
  if not core.same_shape(value, own) then
    table.insert(report.skipped, key)
    table.insert(report.errors, ("'%s': the shape in the state dict is %s, in the model %s"):format(
      key, shape_text(value), shape_text(own)))
    return
  end
  if report.assign then
    table.insert(report.steps, function() assign_value(module, name, value) end)
  elseif not own.is_meta then
    table.insert(report.steps, function() own:copy_(value) end)
  end
end

local function load_extra(module, key, dict, report)
  local value = dict[key]
  if value == nil then
    if module.get_extra_state then
      table.insert(report.missing, key)
    end
  elseif module.set_extra_state then
    report.expected[key] = true
    table.insert(report.steps, function() module:set_extra_state(value) end)
  end
end

local function install_module_loading(Module)
  --- Finds the module's own state in a dict: notes the copies to make in report.steps, the names it knows in
  --- report.expected, and what is wrong in report.missing and report.errors. A class whose state has changed its
  --- form overrides it.
  function Module:_load_from_state_dict(dict, prefix, _, report)
    local names, extra = own_state(self, prefix)
    for _, name in ipairs(names) do
      local key, own = prefix .. name, self[name]
      if own ~= nil then
        report.expected[key] = true
        local value = dict[key]
        if value == nil then
          table.insert(report.missing, key)
        else
          plan_copy(report, key, value, self, name)
        end
      end
    end
    load_extra(self, extra, dict, report)
  end
end

local function quoted(names)
  local texts = {}
  for i, name in ipairs(names) do
    texts[i] = "'" .. name .. "'"
  end
  return table.concat(texts, ", ")
end

local function problems(report, strict)
  local lines = {}
  if strict and #report.missing > 0 then
    table.insert(lines, "missing: " .. quoted(report.missing))
  end
  if strict and #report.unexpected > 0 then
    table.insert(lines, "unexpected: " .. quoted(report.unexpected))
  end
  if #lines > 0 then table.insert(lines, "{strict = false} loads what there is") end
  return table.move(report.errors, 1, #report.errors, #lines + 1, lines)
end

--- Goes through a dict: in its order if it has one, else by name.
local function entries(dict)
  local meta = getmetatable(dict)
  if type(meta) == "table" and meta.__pairs then
    return pairs(dict)
  end
  local names = {}
  for name in pairs(dict) do
    names[#names + 1] = name
  end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  local i = 0
  return function()
    i = i + 1
    return names[i], dict[names[i]]
  end
end

--- The entries as a table of our own, which modules may change while they load.
local function copy_of(dict)
  if type(dict) ~= "table" then
    core.raise(("load_state_dict: a table of names and tensors was expected, got %s"):format(core.describe(dict)))
  end
  local copy = StateDict.ordered()
  for key, value in entries(dict) do
    if type(key) ~= "string" then
      core.raise(("load_state_dict: the names are strings, not %s"):format(core.describe(key)))
    end
    copy[key] = value
  end
  return copy
end

-- What load_state_dict returns: missing_keys, unexpected_keys, and those skipped on request.
local IncompatibleKeys = {__name = "nnlua.IncompatibleKeys"}
IncompatibleKeys.__index = IncompatibleKeys

function IncompatibleKeys:__tostring()
  if #self.missing_keys + #self.unexpected_keys + #self.mismatched_keys == 0 then
    return "<All keys matched successfully>"
  end
  return ("IncompatibleKeys(missing_keys={%s}, unexpected_keys={%s}, mismatched_keys={%s})"):format(
    quoted(self.missing_keys), quoted(self.unexpected_keys), quoted(self.mismatched_keys))
end

--- Leaves out the errors of mismatched shapes.
local function forgive_shapes(report)
  local others = {}
  for _, text in ipairs(report.errors) do
    if not text:find("': the shape in the state dict is", 1, true) then
      table.insert(others, text)
    end
  end
  report.errors = others
end

local function raise_problems(module, lines)
  core.raise(("load_state_dict: the state does not fit %s, and nothing was loaded:\n  %s"):format(
    core.class_name(module), table.concat(lines, "\n  ")))
end

--- Whether a table is one that state_dict made.
local function is_own(dict)
  local meta = getmetatable(dict)
  return type(meta) == "table" and rawget(meta, "__index") ~= nil
end

--- Finds what a dict has for a module and all below it: a report, and a list of those that want to hear of the end.
local function find_state(module, dict, assign)
  local copy, report, listeners = copy_of(dict), new_report(assign), {}
  local metadata = is_own(dict) and with_metadata(dict) or {}
  walk(module, LOAD_POST, function(path, child)
    local prefix, own = path_prefix(path), metadata[path] or {}
    hooks.call_of(LOAD_PRE, child, true, copy, prefix, own, true, report.missing, report.unexpected, report.errors)
    child:_load_from_state_dict(copy, prefix, own, report)
  end, function(_, child) table.insert(listeners, child) end)
  for key in pairs(copy) do
    if not report.expected[key] then
      table.insert(report.unexpected, key)
    end
  end
  return report, listeners
end

local function load(module, dict, options)
  local strict = options.strict ~= false
  local report, listeners = find_state(module, dict, options.assign)
  if options.skip_mismatched then
    forgive_shapes(report)
  end
  local keys = setmetatable({
    missing_keys = report.missing, unexpected_keys = report.unexpected,
    mismatched_keys = options.skip_mismatched and report.skipped or {},
  }, IncompatibleKeys)
  local function tell()
    for _, one in ipairs(listeners) do hooks.call_of(LOAD_POST, one, false, keys) end
    report.missing, report.unexpected = keys.missing_keys, keys.unexpected_keys
  end
  local lines = problems(report, strict)
  local told = #lines > 0 and #report.errors == 0 and #listeners > 0
  if told then
    tell()
    lines = problems(report, strict)
  end
  if #lines > 0 then
    raise_problems(module, lines)
  end
  nl.no_grad(function()
    for _, step in ipairs(report.steps) do
      step()
    end
  end)
  if not told then tell() end
  return keys
end

local function load_options(value)
  if type(value) ~= "table" then
    return {strict = value}
  end
  args.check_names("load_state_dict", value, {"strict", "skip_mismatched", "assign"})
  return value
end

--- Adds state_dict and load_state_dict to Module.
function state.install(Module)
  install_hooks(Module)
  install_taking(Module)
  install_module_loading(Module)

  --- Copies a state into the module's tensors: all of it, or, if anything does not fit, nothing. Options: strict
  --- (missing and unexpected names are errors; true by default), skip_mismatched (leave tensors of another shape
  --- as they are), assign (take the state's tensors themselves, with their dtypes, in place of copying: a module on the
  --- meta device gets its elements so; programs refuse it). Returns the missing, unexpected and mismatched names.
  ---     > a, b = nn.Linear(2, 1), nn.Linear(2, 1)
  ---     > b:load_state_dict(a:state_dict());
  ---     > nl.equal(a.weight, b.weight)
  ---     true
  function Module:load_state_dict(dict, options)
    core.check_self(self, "load_state_dict")
    return load(self, dict, load_options(options))
  end
end

return state
