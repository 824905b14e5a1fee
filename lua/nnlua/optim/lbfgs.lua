-- L-BFGS: steps by an estimate of the curvature from the last gradients.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local fused = require "nnlua.optim.fused"
local line_search = require "nnlua.optim.line_search"
local nl = require "nnlua"
local optimizer = require "nnlua.optim.optimizer"

local raise = core.raise

--- L-BFGS (Nocedal and Wright, algorithm 7.5) for smooth losses of all data at once: `optimizer:step(closure)` calls
--- the closure, which computes the loss and its gradients, several times. `optim.LBFGS(params, {lr = 1, max_iter = 20,
--- max_eval = max_iter * 5 // 4, tolerance_grad = 1e-7, tolerance_change = 1e-9, history_size = 100,
--- line_search_fn = nil or "strong_wolfe"})`. All parameters are one group.
---     > w = nl.tensor({1.0}, {requires_grad = true})
---     > optimizer = optim.LBFGS({w}, {lr = 0.5})
---     > function closure() optimizer:zero_grad() local loss = (w - 3):square():sum() loss:backward() return loss end
---     > optimizer:step(closure);
---     > w.data:round({decimals = 2})
---     tensor([3.])
---@class LBFGS: Optimizer
local LBFGS = optimizer.class "optim.LBFGS"

local parse = args.parser("optim.LBFGS", {
  {"params", "any"}, {"lr", "rate", 1}, {"max_iter", "integer", 20}, {"max_eval", "integer?"},
  {"tolerance_grad", "number", 1e-7}, {"tolerance_change", "number", 1e-9}, {"history_size", "integer", 100},
  {"line_search_fn", "string?"},
})

function LBFGS:init(...)
  local params, lr, iterations, evaluations, gradient, change, history, search = parse(...)
  LBFGS.super.init(self, params, {
    lr = lr, max_iter = iterations, max_eval = evaluations or iterations * 5 // 4, tolerance_grad = gradient,
    tolerance_change = change, history_size = history, line_search_fn = search,
  })
end

local numbers = {"max_iter", "max_eval", "tolerance_grad", "tolerance_change", "history_size"}

local function check_options(self, group)
  if not group or #group.params == 0 then raise(self.__name .. ": there are no parameters") end
  if type(fused.number_of(group.lr)) ~= "number" then
    raise(("%s: lr must be a number, not %s"):format(self.__name, core.describe(group.lr)))
  end
  for _, name in ipairs(numbers) do
    if type(group[name]) ~= "number" then
      raise(("%s: %s must be a number, not %s"):format(self.__name, name, core.describe(group[name])))
    end
  end
  if group.line_search_fn and group.line_search_fn ~= "strong_wolfe" then
    raise(("%s: line_search_fn is 'strong_wolfe' or nil, not '%s'"):format(
      self.__name, tostring(group.line_search_fn)))
  elseif group.history_size < 1 then
    raise(("%s: history_size must be from 1 on, not %s"):format(self.__name, group.history_size))
  end
end

function LBFGS:_check_group(group)
  if self.param_groups[1] then raise(self.__name .. ": all parameters must be in one group") end
  check_options(self, group)
end

-- ------------------------------------------------- parameters as one vector

local function dot(a, b)
  return (a * b):sum():item()
end

local function largest(t)
  return t:abs():max():item()
end

--- A tensor as real numbers: a complex one is two for each element.
local function as_real(t)
  return t:is_complex() and nl.view_as_real(t) or t
end

--- The gradients of all parameters, one after another.
local function flat_gradient(params)
  local parts = {}
  for i, p in ipairs(params) do
    parts[i] = as_real((p.grad or nl.zeros_like(p)):detach()):reshape(-1)
  end
  return nl.cat(parts, 1)
end

--- Moves the parameters along a direction.
local function move(params, direction, t)
  local first = 1
  for _, p in ipairs(params) do
    local real = as_real(p)
    local n = real:numel()
    if n > 0 then real:add_(direction:narrow(1, first, n):view_as(real), {alpha = t}) end
    first = first + n
  end
end

--- The loss and the gradients where the parameters are now.
local function look(self, params, closure)
  local loss = nl.enable_grad(closure)
  local number = core.is_tensor(loss) and loss:item() or loss
  if type(number) ~= "number" then
    raise(("%s: the closure must return the loss, not %s"):format(self.__name, core.describe(loss)))
  end
  return number, flat_gradient(params), loss
end

-- ------------------------------------------------------------------- steps

--- Adds the last change to what is known of the curvature; one that doesn't fit is left out.
local function remember(state, gradient, size)
  local y, s = gradient - state.prev_flat_grad, state.d * state.t
  local ys = dot(y, s)
  if ys <= 1e-10 then return end
  if #state.old_dirs == size then
    for _, list in ipairs {state.old_dirs, state.old_stps, state.ro} do table.remove(list, 1) end
  end
  table.insert(state.old_dirs, y)
  table.insert(state.old_stps, s)
  table.insert(state.ro, 1 / ys)
  state.H_diag = ys / dot(y, y)
end

--- The direction: minus the gradient times the estimated inverse of the curvature.
local function direction_of(state, gradient)
  local y, s, ro, alpha = state.old_dirs, state.old_stps, state.ro, {}
  local d = -gradient
  for i = #y, 1, -1 do
    alpha[i] = dot(s[i], d) * ro[i]
    d:add_(y[i], {alpha = -alpha[i]})
  end
  d:mul_(state.H_diag)
  for i = 1, #y do
    d:add_(s[i], {alpha = alpha[i] - dot(y[i], d) * ro[i]})
  end
  return d
end

local function next_direction(state, gradient, size)
  state.n_iter = state.n_iter + 1
  if state.n_iter == 1 then
    state.old_dirs, state.old_stps, state.ro, state.H_diag = {}, {}, {}, 1
    state.d = -gradient
  else
    remember(state, gradient, size)
    state.d = direction_of(state, gradient)
  end
end

--- Goes along the direction as far as a search says. Gives the loss and gradient there, and how many looks it took.
local function search(self, group, state, closure, loss, gradient, slope)
  local params, kept, looks = group.params, {}, 0
  for i, p in ipairs(params) do kept[i] = p:detach():clone() end
  local function evaluate(t)
    looks = looks + 1
    move(params, state.d, t)
    local there, slopes = look(self, params, closure)
    for i, p in ipairs(params) do p:copy_(kept[i]) end
    return {t = t, loss = there, gradient = slopes, slope = dot(slopes, state.d)}
  end
  local start = {t = 0, loss = loss, gradient = gradient, slope = slope}
  local smallest = group.tolerance_change / largest(state.d)
  local point = line_search.strong_wolfe(evaluate, state.t, start, smallest)
  state.t = point.t
  move(params, state.d, point.t)
  return point.loss, point.gradient, looks
end

--- Whether the iterations are over.
local function is_done(group, state, looks, loss, gradient)
  return looks >= group.max_eval or largest(gradient) <= group.tolerance_grad or
    largest(state.d * state.t) <= group.tolerance_change or math.abs(loss - state.prev_loss) < group.tolerance_change
end

local function iterate(self, group, state, closure, loss, gradient)
  local looks = 1
  for i = 1, group.max_iter do
    next_direction(state, gradient, group.history_size)
    state.prev_flat_grad, state.prev_loss = gradient, loss
    state.t = (state.n_iter == 1 and math.min(1, 1 / gradient:abs():sum():item()) or 1) * fused.number_of(group.lr)
    local slope, taken = dot(gradient, state.d), 0
    if slope > -group.tolerance_change then return end
    if group.line_search_fn then
      loss, gradient, taken = search(self, group, state, closure, loss, gradient, slope)
    else
      move(group.params, state.d, state.t)
      if i < group.max_iter then
        loss, gradient = look(self, group.params, closure)
        taken = 1
      end
    end
    looks, state.func_evals = looks + taken, state.func_evals + taken
    if i == group.max_iter or is_done(group, state, looks, loss, gradient) then return end
  end
end

local function first_state(self, p)
  if type(self.state) ~= "table" then
    raise(("%s: its field state must be a table, not %s"):format(self.__name, core.describe(self.state)))
  end
  local state = rawget(self.state, p) or {}
  state.func_evals, state.n_iter = state.func_evals or 0, state.n_iter or 0
  self.state[p] = state
  return state
end

function LBFGS:_step(closure)
  if closure == nil then raise(self.__name .. ": a step takes a closure that computes the loss and its gradients") end
  return nl.no_grad(function()
    local group = self.param_groups[1]
    check_options(self, group)
    for i = 1, #group.params do
      local p = group.params[i]
      if not core.is_tensor(p) then
        raise(("%s: parameter %d of the group is no tensor but %s"):format(self.__name, i, core.describe(p)))
      end
    end
    local state = first_state(self, group.params[1])
    local loss, gradient, first = look(self, group.params, closure)
    state.func_evals = state.func_evals + 1
    if largest(gradient) > group.tolerance_grad then iterate(self, group, state, closure, loss, gradient) end
    nl._keep(state)
    return first
  end)
end

return {LBFGS = LBFGS}
