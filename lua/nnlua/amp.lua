-- nl.amp: training in mixed precision.

local args = require "nnlua.args"
local class = require "nnlua.class"
local core = require "nnlua.nn.core"
local nl = require "nnlua"
local tree = require "nnlua.func.tree"

local amp = {autocast = nl.autocast}

local raise = core.raise

--- Whether autocast can be had for a device: "cpu" has it.
---     > nl.amp.is_autocast_available("cpu")
---     true
function amp.is_autocast_available(device_type)
  return device_type == "cpu"
end

-- ------------------------------------------------------------ custom functions

--- The function and the options of a decorator: both, or options alone, and then the function comes later.
local function decorated(name, f, options, known, decorate)
  if not args.is_callable(f) then
    f, options = nil, f
  end
  if type(options) ~= "table" then
    raise(("%s: options with a device_type are wanted, not %s"):format(name, core.describe(options)))
  end
  args.check_names(name, options, known)
  if type(options.device_type) ~= "string" then
    raise(('%s: device_type is a text such as "cpu", not %s'):format(name, core.describe(options.device_type)))
  end
  if f then return decorate(f, options) end
  return function(later) return decorate(later, options) end
end

local function converted(values, dtype)
  for i = 1, values.n do
    values[i] = tree.map(values[i], function(x)
      local fits = core.is_tensor(x) and x:is_floating_point() and x.dtype ~= nl.float64
      return fits and x:to(dtype) or x
    end)
  end
  return table.unpack(values, 1, values.n)
end

--- Wraps the forward of an autograd.Function for autocast. With cast_inputs, the floating point tensors it gets under
--- autocast are converted to that dtype, and it runs without autocast; without, it runs as it is called.
---     > Double = nl.autograd.Function "Double"
---     > options = {device_type = "cpu", cast_inputs = nl.float32}
---     > Double.forward = nl.amp.custom_fwd(function(ctx, x) return x * 2 end, options)
---     > Double.backward = nl.amp.custom_bwd(function(ctx, dy) return dy * 2 end, {device_type = "cpu"})
---     > nl.autocast("cpu", function() return Double.apply(nl.ones(1, {dtype = nl.bfloat16})).dtype end)
---     nnlua.float32
---@param fwd? function without it: options are given to a function that wraps one
---@param options table {device_type = "cpu", cast_inputs = dtype}
function amp.custom_fwd(fwd, options)
  return decorated("amp.custom_fwd", fwd, options, {"device_type", "cast_inputs"}, function(f, given)
    return function(ctx, ...)
      local on = nl.is_autocast_enabled()
      ctx._dtype, ctx._fwd_used_autocast = nl.get_autocast_dtype(), on and given.cast_inputs == nil
      if not on or given.cast_inputs == nil then return f(ctx, ...) end
      local _ <close> = nl.autocast("cpu", {enabled = false})
      return f(ctx, converted(table.pack(...), given.cast_inputs))
    end
  end)
end

--- Wraps the backward of an autograd.Function so that it runs under autocast if the forward, wrapped by custom_fwd,
--- did.
---     > Double, options = nl.autograd.Function "Double", {device_type = "cpu"}
---     > Double.forward = nl.amp.custom_fwd(function(ctx, x) return x * 2 end, options)
---     > Double.backward = nl.amp.custom_bwd(function(ctx, dy) return dy * 2 end, options)
---     > x = nl.ones(2, {requires_grad = true})
---     > nl.autocast("cpu", function() return Double.apply(x):sum() end):backward()
---     > x.grad
---     tensor([2., 2.])
---@param bwd? function without it: options are given to a function that wraps one
---@param options table {device_type = "cpu"}
function amp.custom_bwd(bwd, options)
  return decorated("amp.custom_bwd", bwd, options, {"device_type"}, function(f)
    return function(ctx, ...)
      if ctx._fwd_used_autocast == nil then raise "amp.custom_bwd: the forward must be wrapped by amp.custom_fwd" end
      local _ <close> = nl.autocast("cpu", {enabled = ctx._fwd_used_autocast, dtype = ctx._dtype})
      return f(ctx, ...)
    end
  end)
end

-- ------------------------------------------------------------------- GradScaler

--- Multiplies losses, so that small gradients in half precision don't become 0, and divides the gradients again before
--- the step. A step with a gradient that isn't finite is left out, and the scale falls; after `growth_interval` steps
--- without one it grows.
---
---     > net, scaler = nn.Linear(2, 1), nl.amp.GradScaler()
---     > optimizer = optim.SGD(net:parameters(), {lr = 0.1})
---     > scaler:scale(net(nl.ones(1, 2)):sum()):backward()
---     > scaler:step(optimizer)
---     > scaler:update()
---     > scaler:get_scale()
---     65536.0
---@class GradScaler
local GradScaler = class.new "amp.GradScaler"

local parse = args.parser("amp.GradScaler", {
  {"device", "string", "cpu"}, {"init_scale", "number", 65536.0}, {"growth_factor", "number", 2.0},
  {"backoff_factor", "number", 0.5}, {"growth_interval", "integer", 2000}, {"enabled", "boolean", true},
})

function GradScaler:init(...)
  local device, init_scale, growth, backoff, interval, enabled = parse(...)
  if device ~= "cpu" then raise(('amp.GradScaler: device must be "cpu", not "%s"'):format(device)) end
  if growth <= 1 then raise "amp.GradScaler: growth_factor must be greater than 1" end
  if backoff >= 1 then raise "amp.GradScaler: backoff_factor must be less than 1" end
  self._enabled, self._scale, self._growth_tracker = enabled, init_scale + 0.0, 0
  self._growth_factor, self._backoff_factor, self._growth_interval = growth, backoff, interval
  self._of = setmetatable({}, {__mode = "k"}) -- by optimizer: what has been done for its step
end

--- A loss, or a list of tensors, times the scale.
function GradScaler:scale(outputs)
  if not self._enabled then return outputs end
  if core.is_tensor(outputs) then return outputs * nl.tensor(self._scale, {dtype = outputs.dtype}) end
  if type(outputs) ~= "table" then
    raise("scale: a tensor or a list of tensors is wanted, not " .. core.describe(outputs))
  end
  local scaled = {}
  for key, value in pairs(outputs) do scaled[key] = self:scale(value) end
  return scaled
end

local function state_of(self, optimizer)
  self._of[optimizer] = self._of[optimizer] or {stage = "ready"}
  return self._of[optimizer]
end

--- Divides the gradients of an optimizer's parameters by the scale, for who clips them before the step.
---     > w, scaler = nl.ones(1, {requires_grad = true}), nl.amp.GradScaler({init_scale = 8})
---     > scaler:scale((w * 3):sum()):backward()
---     > scaler:unscale_(optim.SGD({w}, {lr = 0.1}))
---     > w.grad
---     tensor([3.])
function GradScaler:unscale_(optimizer)
  if not self._enabled then return end
  local state = state_of(self, optimizer)
  if state.stage == "unscaled" then
    raise "unscale_: it has been called on this optimizer since the last update()"
  elseif state.stage == "stepped" then
    raise "unscale_: it is called after step()"
  end
  local inverse, finite = 1 / self._scale, true
  local _ <close> = nl.no_grad()
  for _, group in ipairs(optimizer.param_groups) do
    for _, parameter in ipairs(group.params) do
      local grad = parameter.grad
      if grad then
        if grad.dtype == nl.float16 then raise "unscale_: a gradient is float16; parameters are kept in float32" end
        grad:mul_(inverse)
        finite = finite and grad:isfinite():all():item()
      end
    end
  end
  state.stage, state.found_inf = "unscaled", not finite
end

--- Steps an optimizer, with the gradients divided by the scale, unless one of them isn't finite. What follows goes to
--- the optimizer's step.
function GradScaler:step(optimizer, ...)
  if not self._enabled then return optimizer:step(...) end
  if select("#", ...) > 0 and args.is_callable((...)) then
    raise "step: a closure can't be used with a scaler that is enabled"
  end
  local state = state_of(self, optimizer)
  if state.stage == "stepped" then raise "step: it has been called since the last update()" end
  if state.stage == "ready" then self:unscale_(optimizer) end
  state.stage = "stepped"
  if not state.found_inf then return optimizer:step(...) end
end

--- Lets the scale fall or grow by what the steps since the last time have met; with a number, sets it.
function GradScaler:update(new_scale)
  if not self._enabled then return end
  local any, found = false, false
  for _, state in pairs(self._of) do
    any = any or state.found_inf ~= nil
    found = found or state.found_inf
  end
  self._of = setmetatable({}, {__mode = "k"})
  if new_scale ~= nil then
    local number = core.is_tensor(new_scale) and new_scale:item() or new_scale
    if type(number) ~= "number" then raise("update: new_scale is a number, not " .. core.describe(new_scale)) end
    self._scale = number + 0.0
    return
  end
  if not any then raise "update: no step, or unscale_, has been made since the last time" end
  if found then
    self._scale, self._growth_tracker = self._scale * self._backoff_factor, 0
    return
  end
  self._growth_tracker = self._growth_tracker + 1
  if self._growth_tracker >= self._growth_interval then
    self._scale, self._growth_tracker = self._scale * self._growth_factor, 0
  end
end

--- The scale; 1 if the scaler isn't enabled.
function GradScaler:get_scale()
  return self._enabled and self._scale or 1.0
end

--- The factor by which the scale grows.
---     > nl.amp.GradScaler():get_growth_factor()
---     2.0
function GradScaler:get_growth_factor() return self._growth_factor end

--- The factor by which the scale falls.
---     > nl.amp.GradScaler():get_backoff_factor()
---     0.5
function GradScaler:get_backoff_factor() return self._backoff_factor end

--- After how many steps in a row the scale grows.
---     > nl.amp.GradScaler():get_growth_interval()
---     2000
function GradScaler:get_growth_interval() return self._growth_interval end

local function positive(name, value, is_right)
  if type(value) ~= "number" or not is_right(value) then raise(("%s: %s"):format(name, core.describe(value))) end
  return value
end

--- Sets the factor by which the scale grows: more than 1.
---     > scaler = nl.amp.GradScaler()
---     > scaler:set_growth_factor(4.0)
---     > scaler:get_growth_factor()
---     4.0
function GradScaler:set_growth_factor(factor)
  self._growth_factor = positive("set_growth_factor: a number over 1 is wanted", factor, function(f) return f > 1 end)
end

--- Sets the factor by which the scale falls: less than 1.
---     > scaler = nl.amp.GradScaler()
---     > scaler:set_backoff_factor(0.25)
---     > scaler:get_backoff_factor()
---     0.25
function GradScaler:set_backoff_factor(factor)
  self._backoff_factor = positive("set_backoff_factor: a number below 1 is wanted", factor,
    function(f) return f < 1 end)
end

--- Sets after how many steps in a row the scale grows.
---     > scaler = nl.amp.GradScaler()
---     > scaler:set_growth_interval(100)
---     > scaler:get_growth_interval()
---     100
function GradScaler:set_growth_interval(interval)
  self._growth_interval = positive("set_growth_interval: a whole number is wanted", interval, math.tointeger)
end

--- Whether the scaler does anything.
---     > nl.amp.GradScaler({enabled = false}):is_enabled()
---     false
function GradScaler:is_enabled() return self._enabled end

--- What load_state_dict takes; empty if the scaler isn't enabled.
---     > nl.amp.GradScaler():state_dict().growth_factor
---     2.0
function GradScaler:state_dict()
  if not self._enabled then return {} end
  return {scale = self._scale, growth_factor = self._growth_factor, backoff_factor = self._backoff_factor,
    growth_interval = self._growth_interval, _growth_tracker = self._growth_tracker}
end

--- Takes over what state_dict gave.
---     > scaler = nl.amp.GradScaler()
---     > scaler:load_state_dict(nl.amp.GradScaler({init_scale = 8}):state_dict())
---     > scaler:get_scale()
---     8.0
function GradScaler:load_state_dict(state)
  if not self._enabled then return end
  if type(state) ~= "table" or type(state.scale) ~= "number" then
    raise "load_state_dict: there is no scale in it: it may come from a scaler that wasn't enabled"
  end
  self._scale, self._growth_tracker = state.scale, state._growth_tracker
  self._growth_factor, self._backoff_factor = state.growth_factor, state.backoff_factor
  self._growth_interval = state.growth_interval
end

amp.GradScaler = GradScaler

return amp
