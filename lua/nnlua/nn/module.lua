-- nn.Module: the methods that every module has. What they rest on is C (src/nn).

local args = require "nnlua.args"
local core = require "nnlua.nn.core"

local raise, check_self, is_callable = core.raise, core.check_self, args.is_callable
local PARAMETER, BUFFER, TRANSIENT = core.PARAMETER, core.BUFFER, core.TRANSIENT

--- The base of all modules, and of classes of one's own. Assigning a Parameter or a module registers it, in the order
--- of the assignments; so write one a line, as Lua carries out `self.a, self.b = x, y` from the right.
---     > Net = nn.class("Net")
---     > function Net:init(hidden) self.fc = nn.Linear(10, hidden) end
---     > function Net:forward(x) return nl.relu(self.fc(x)) end
---     > Net(3)(nl.ones(2, 10)).shape
---     [2, 3]
---@class Module
---@field training boolean
local Module = core.class("nn.Module")

-- ------------------------------------------------------------- registering

--- Registers a Parameter, or an empty slot for one, under a name.
---     > net = nn.Module()
---     > net:register_parameter("scale", nn.Parameter(nl.ones(2)))
---     > net:get_parameter("scale").shape
---     [2]
function Module:register_parameter(name, parameter)
  core.register_parameter(self, name, parameter)
end

--- Registers a tensor that is state but no parameter. One that is not persistent is left out of state dicts.
---     > net = nn.Module()
---     > net:register_buffer("mean", nl.zeros(2))
---     > net.mean
---     tensor([0., 0.])
function Module:register_buffer(name, tensor, persistent)
  core.register_buffer(self, name, tensor, args.only("register_buffer", "persistent", persistent))
end

--- Registers a child module, or an empty slot for one.
---     > net = nn.Module()
---     > net:register_module("act", nn.ReLU())
---     > net.act
---     ReLU()
function Module:register_module(name, module)
  core.register_module(self, name, module)
end

Module.add_module = Module.register_module

--- Removes a parameter, buffer, child or plain attribute together with its place.
---     > net = nn.Linear(2, 1)
---     > net:unregister "bias"
---     > net.bias
---     nil
function Module:unregister(name)
  core.unregister(self, name)
end

--- Whether the module's class is `class` or comes from it.
---     > nn.Linear(2, 1):is_a(nn.Module), nn.Linear(2, 1):is_a(nn.ReLU)
---     true	false
function Module:is_a(class)
  return core.is_a(self, class)
end

--- The name of the module's class.
---     > nn.Linear(2, 1):class_name()
---     Linear
---@return string
function Module:class_name()
  return core.class_name(self)
end

Module._get_name = Module.class_name

-- --------------------------------------------------------------- iterating

local iterator, members = core.iterator, core.members

local parse_members = args.parser("named_parameters", {
  {"prefix", "string", ""}, {"recurse", "boolean", true}, {"remove_duplicate", "boolean", true},
})
local parse_recurse = args.parser("parameters", {{"recurse", "boolean", true}})

--- Goes through names and parameters: `for name, p in net:named_parameters() do`.
---     > for name, p in nn.Linear(4, 2):named_parameters() do print(name, p.shape) end
---     weight	[2, 4]
---     bias	[2]
function Module:named_parameters(...)
  local prefix, recurse, once = parse_members(...)
  return iterator(members(self, PARAMETER, prefix, recurse, once), true)
end

--- Goes once through the parameters: an iterator, which optimizers take as it is.
---     > count = 0
---     > for p in nn.Linear(4, 2):parameters() do count = count + p:numel() end
---     > count
---     10
function Module:parameters(...)
  return iterator(members(self, PARAMETER, nil, parse_recurse(...), true))
end

local parse_count = args.parser("num_parameters", {{"only_trainable", "boolean", false}})

--- How many numbers the parameters hold, each counted once; with only_trainable those that require gradients.
---     > nn.Linear(4, 2):num_parameters()
---     10
---@param only_trainable? boolean
---@return integer
function Module:num_parameters(...)
  local only_trainable, count = parse_count(...), 0
  for name, p in self:named_parameters() do
    if not core.is_tensor(p) then
      raise(("num_parameters: '%s' has no shape yet: the first call of its module gives it one"):format(name))
    end
    if p.requires_grad or not only_trainable then count = count + p:numel() end
  end
  return count
end

--- Goes through names and buffers.
---     > for name, buffer in nn.BatchNorm1d(3):named_buffers() do print(name, buffer.shape) end
---     running_mean	[3]
---     running_var	[3]
---     num_batches_tracked	[]
function Module:named_buffers(...)
  local prefix, recurse, once = parse_members(...)
  return iterator(members(self, BUFFER | TRANSIENT, prefix, recurse, once), true)
end

--- Goes once through the buffers.
---     > for buffer in nn.BatchNorm1d(3):buffers() do print(buffer.shape) end
---     [3]
---     [3]
---     []
function Module:buffers(...)
  return iterator(members(self, BUFFER | TRANSIENT, nil, parse_recurse(...), true))
end

local parse_modules = args.parser("named_modules", {{"prefix", "string", ""}, {"remove_duplicate", "boolean", true}})

--- Goes through paths and modules, itself first, parents before children.
---     > for name, m in nn.Sequential(nn.ReLU()):named_modules() do print("'" .. name .. "'", m:is_a(nn.ReLU)) end
---     ''	false
---     '0'	true
function Module:named_modules(...)
  local prefix, once = parse_modules(...)
  return iterator(core.modules(self, prefix, once), true)
end

--- Goes through the modules, itself first.
---     > count = 0
---     > for module in nn.Sequential(nn.ReLU(), nn.Tanh()):modules() do count = count + 1 end
---     > count
---     3
function Module:modules()
  return iterator(core.modules(self, nil, true))
end

--- Goes through names and direct children.
---     > for name, child in nn.Sequential(nn.ReLU(), nn.Tanh()):named_children() do print(name, child) end
---     0	ReLU()
---     1	Tanh()
function Module:named_children()
  return iterator(members(self, core.MODULE, "", false, true), true)
end

--- Goes through the direct children.
---     > for m in nn.Sequential(nn.ReLU(), nn.Tanh()):children() do print(m) end
---     ReLU()
---     Tanh()
function Module:children()
  return iterator(members(self, core.MODULE, nil, false, true))
end

--- All modules below and the module itself, children before parents; a child of two parents comes twice.
local function children_first(module)
  local list, waiting = {}, {module}
  while #waiting > 0 do
    local next_one = table.remove(waiting)
    list[#list + 1] = next_one
    for child in next_one:children() do
      waiting[#waiting + 1] = child
    end
  end
  local n = #list
  for i = 1, n // 2 do
    list[i], list[n + 1 - i] = list[n + 1 - i], list[i]
  end
  return list
end

--- Calls `f` with every module, children first, itself last. Returns the module.
---     > nn.Sequential(nn.ReLU(), nn.Tanh()):apply(function(m) print(m:_get_name()) end);
---     ReLU
---     Tanh
---     Sequential
function Module:apply(f)
  check_self(self, "apply")
  if not is_callable(f) then
    raise(("apply: a function of a module was expected, got %s"):format(core.describe(f)))
  end
  for _, module in ipairs(children_first(self)) do
    f(module)
  end
  return self
end

-- ------------------------------------------------------------------ paths

local function submodule(root, path, steps)
  local module = root
  for name in steps:gmatch "[^.]+" do
    local child = module[name]
    if child == nil then
      raise(("%s has no attribute '%s' (of '%s')"):format(core.class_name(module), name, path))
    elseif not core.is_module(child) then
      raise(("'%s' of %s is %s, not a module (of '%s')"):format(
        name, core.class_name(module), core.describe(child), path))
    end
    module = child
  end
  return module
end

local function split(path)
  local steps, name = path:match "^(.*)%.([^.]*)$"
  return steps or "", name or path
end

local function checked_path(name, path)
  if type(path) ~= "string" then
    raise(("%s: a path is a string such as 'encoder.0', not %s"):format(name, core.describe(path)))
  end
  return path
end

--- The module at a path such as "encoder.0"; "" is the module itself.
---     > nn.Sequential(nn.ReLU()):get_submodule "0"
---     ReLU()
function Module:get_submodule(path)
  check_self(self, "get_submodule")
  return submodule(self, path, checked_path("get_submodule", path))
end

local function get_slot(root, path, kind)
  check_self(root, "get_" .. kind)
  local steps, name = split(checked_path("get_" .. kind, path))
  local module = submodule(root, path, steps)
  local value = module[name]
  if core.kind(module, name) ~= kind or value == nil then
    raise(("%s has no %s '%s'%s"):format(core.class_name(module), kind, name,
      value ~= nil and ", but " .. core.describe(value) .. " of that name" or ""))
  end
  return value
end

--- The Parameter at a path such as "encoder.0.weight".
---     > nn.Sequential(nn.Linear(2, 3), nn.ReLU()):get_parameter("0.weight").shape
---     [3, 2]
function Module:get_parameter(path)
  return get_slot(self, path, "parameter")
end

--- The buffer at a path.
---     > nn.Sequential(nn.BatchNorm1d(2)):get_buffer "0.running_mean"
---     tensor([0., 0.])
function Module:get_buffer(path)
  return get_slot(self, path, "buffer")
end

--- Puts a module at a path. With strict = true there must be one already.
---     > net = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
---     > net:set_submodule("1", nn.Tanh())
---     > net[2]
---     Tanh()
function Module:set_submodule(path, module, strict)
  check_self(self, "set_submodule")
  if type(strict) == "table" then strict = strict.strict end
  if checked_path("set_submodule", path) == "" then
    raise "set_submodule: the path is empty, and a module can't replace itself"
  elseif not core.is_module(module) then
    raise(("set_submodule: a module was expected, got %s"):format(core.describe(module)))
  end
  local steps, name = split(path)
  local parent = submodule(self, path, steps)
  local old = parent[name]
  if strict and old == nil then
    raise(("%s has no attribute '%s'"):format(core.class_name(parent), name))
  elseif old ~= nil and not core.is_module(old) then
    raise(("'%s' of %s is %s, not a module"):format(name, core.class_name(parent), core.describe(old)))
  end
  core.set_raw(parent, name, nil, core.MODULE)
  parent[name] = module
end

-- ------------------------------------------------------------------- modes

--- Sets training mode (or evaluation, with false) here and below. Returns the module.
---     > nn.Dropout():train().training
---     true
function Module:train(mode)
  if mode == nil then mode = true end
  if type(mode) ~= "boolean" then
    raise(("train: the mode is true or false, not %s"):format(core.describe(mode)))
  end
  core.train(self, mode)
  return self
end

--- Sets evaluation mode here and below. Returns the module.
---     > nn.Dropout():eval().training
---     false
function Module:eval()
  check_self(self, "eval")
  return self:train(false)
end

--- Sets whether the parameters require gradients. Returns the module.
---     > nn.Linear(2, 1):requires_grad_(false).weight.requires_grad
---     false
function Module:requires_grad_(flag)
  check_self(self, "requires_grad_")
  for parameter in self:parameters() do
    parameter:requires_grad_(flag == nil or flag)
  end
  return self
end

--- Drops all gradients; with set_to_none = false fills them with zeros instead.
---     > net = nn.Linear(2, 1)
---     > net(nl.ones(1, 2)):sum():backward()
---     > net:zero_grad()
---     > net.weight.grad
---     nil
function Module:zero_grad(set_to_none)
  set_to_none = args.only("zero_grad", "set_to_none", set_to_none)
  core.zero_grads(members(self, PARAMETER, nil, true, true), set_to_none ~= false)
end

return Module
