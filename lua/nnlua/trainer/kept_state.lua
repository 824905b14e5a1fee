-- What a training changes, kept while something is tried: tensors, gradients, objects, tables, random numbers.

local checkpoint = require "nnlua.checkpoint"
local core = require "nnlua.nn.core"
local deepcopy = require "nnlua.nn.copy"
local nl = require "nnlua"

--- Each of these functions adds to a list the functions that put back what it is given.
local function keep_tensor(undo, t)
  local values = t:detach():clone()
  undo[#undo + 1] = function() t.data:copy_(values) end
end

--- The buffers that a module and those below it have; of those that state_dict leaves out the values too.
local function keep_buffers(undo, root)
  for module in root:modules() do
    for _, kind in ipairs {core.BUFFER, core.TRANSIENT} do
      for _, name in ipairs(core.slot_names(module, kind)) do
        local buffer = core.attributes(module)[name]
        undo[#undo + 1] = function() core.set_raw(module, name, buffer, kind) end
        if buffer and kind == core.TRANSIENT then keep_tensor(undo, buffer) end
      end
    end
  end
end

local keep_value

local function keep_table(undo, t, seen)
  local content = {}
  for key, value in pairs(t) do
    content[key] = value
    keep_value(undo, value, seen)
  end
  undo[#undo + 1] = function()
    for key in pairs(t) do t[key] = content[key] end
    for key, value in pairs(content) do t[key] = value end
  end
end

--- `seen` are the values that are kept, and are not to be kept twice.
function keep_value(undo, value, seen)
  local kind = checkpoint._kind_of(value)
  if seen[value] or kind == "plain" and not core.is_tensor(value) then return end
  seen[value] = true
  if core.is_module(value) then keep_buffers(undo, value) end
  if kind == "object" then
    local state = deepcopy(value:state_dict())
    undo[#undo + 1] = function() value:load_state_dict(state) end
  elseif kind == "generator" then
    local state = value:get_state()
    undo[#undo + 1] = function() value:set_state(state) end
  elseif kind == "table" then keep_table(undo, value, seen)
  else keep_tensor(undo, value) end
end

--- The gradients of parameters are put aside.
local function keep_gradient(undo, p)
  local grad = p.grad
  p.grad = nil
  undo[#undo + 1] = function() p.grad = grad end
end

local function keep_parameters(undo, trainer)
  local of_model = {}
  for p in trainer.model:parameters() do
    of_model[p] = true
    keep_gradient(undo, p)
  end
  for _, group in ipairs(trainer.optimizer.param_groups) do
    for _, p in ipairs(group.params) do
      if not of_model[p] then
        keep_tensor(undo, p)
        keep_gradient(undo, p)
      end
    end
  end
end

local function keep_loader(undo, loader)
  if not loader.state_dict then return end
  local state = loader:state_dict()
  state.ended = loader._resumed == nil -- a loop that was left isn't gone on with
  undo[#undo + 1] = function() loader:load_state_dict(state) end
end

--- Remembers what training with a trainer over a loader changes; gradients are none from then on. Closing what it gives
--- puts all back, each thing by itself: a failure is told when the others are back, unless an error is told already.
return function(trainer, loader)
  local undo, random, extra = {}, nl.get_rng_state(), trainer.extra
  keep_value(undo, {trainer.model, trainer.optimizer, trainer.loss, trainer.scheduler, trainer.scaler, extra}, {})
  keep_loader(undo, loader)
  keep_parameters(undo, trainer)
  undo[#undo + 1] = function() nl.set_rng_state(random) end
  undo[#undo + 1] = function() trainer.extra = extra end
  return setmetatable({}, {__close = function(_, problem)
    local failure
    for _, put_back in ipairs(undo) do
      local ok, why = pcall(put_back)
      if not ok then failure = failure or why end
    end
    if failure and problem == nil then error(failure, 0) end
  end})
end
