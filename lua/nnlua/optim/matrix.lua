-- Optimizers that look at a parameter as a matrix: along its rows and columns, or at its singular values.

local composed = require "nnlua.optim.composed"
local core = require "nnlua.nn.core"
local fused = require "nnlua.optim.fused"
local nl = require "nnlua"

local matrix = {}

local format, raise = core.format, core.raise
local vector_norm = nl.linalg.vector_norm
local not_negative, number_of, state_of = fused.not_negative, fused.number_of, composed.state_of

-- ----------------------------------------------------------------- Adafactor

local function is_pair(eps)
  if type(eps) ~= "table" or #eps ~= 2 then return false end
  local least, smallest = eps[1], eps[2]
  return (least == nl.none or type(least) == "number" and least >= 0) and type(smallest) == "number" and smallest >= 0
end

local function check_adafactor(name, group)
  not_negative(name, group, "lr", "weight_decay")
  if type(group.beta2_decay) ~= "number" or group.beta2_decay > 0 then
    raise(format("%s: beta2_decay must be a number up to 0, not %s", name, group.beta2_decay))
  elseif type(group.d) ~= "number" or group.d < 1 then
    raise(format("%s: d must be a number from 1 on, not %s", name, group.d))
  elseif not is_pair(group.eps) then
    raise(name .. ": eps must be {nl.none, number} or {number, number}, of numbers from 0 on")
  end
end

--- The mean square along a dimension, which is kept.
local function mean_square(grad, dim)
  return vector_norm(grad, 2, {dim}, true):square_():div_(grad:size(dim))
end

--- The root of the mean square of all elements.
local function magnitude(t)
  return vector_norm(t):item() / t:numel() ^ 0.5
end

--- A matrix's second moments as a product of the rows' and the columns', which are moved on by a share.
local function factored(name, p, grad, state, share, eps)
  local rows, columns = mean_square(grad, -1), mean_square(grad, -2)
  local row_var = state_of(name, p, state, "row_var", nl.zeros_like(rows))
  local col_var = state_of(name, p, state, "col_var", nl.zeros_like(columns))
  state.row_var, state.col_var = row_var:lerp_(rows, share), col_var:lerp_(columns, share)
  return row_var:matmul(col_var):div_(row_var:mean(-2, true):clamp_ {min = eps})
end

local function adafactor(name, p, grad, state, group)
  local step = state_of(name, p, state, "step", nl.tensor(0.0))
  local count, eps = step:item() + 1, group.eps[1]
  if eps == nl.none then eps = nl.finfo(p.dtype).eps end
  if group.maximize then grad = -grad end
  local lr = number_of(group.lr)
  local share, rho = count ^ group.beta2_decay, math.min(lr, 1 / count ^ 0.5)
  local alpha = math.max(group.eps[2], magnitude(p)) * rho
  local moments
  if p.ndim > 1 then
    moments = factored(name, p, grad, state, share, eps)
  else
    state.variance = state_of(name, p, state, "variance", nl.zeros_like(grad)):lerp_(grad * grad, share)
    moments = state.variance:clone()
  end
  local update = moments:clamp_({min = eps * eps}):rsqrt_():mul_(grad)
  local shrink = math.max(1, magnitude(update) / group.d)
  if group.weight_decay ~= 0 then p:mul_(1 - lr * group.weight_decay) end
  p:add_(update, {alpha = -alpha / shrink})
  state.step = step:fill_(count)
end

--- Adafactor (Shazeer and Stern, 2018): Adam's second moments by a number for each row and each column, so that of a
--- matrix of n times m elements n + m numbers are kept. `optim.Adafactor(params, {lr = 0.01, beta2_decay = -0.8,
--- eps = {nl.none, 1e-3}, d = 1, weight_decay = 0, maximize = false})`. lr bounds the steps, which get shorter by
--- themselves; `nl.none` for the first eps is the dtype's own.
---     > w = nl.tensor({1.0}, {requires_grad = true})
---     > optimizer = optim.Adafactor({w}, {lr = 0.1})
---     > (w * 3):sum():backward()
---     > optimizer:step()
---     > w.data
---     tensor([0.9000])
---@class Adafactor: Optimizer
matrix.Adafactor = composed.class("Adafactor", {
  {"lr", "rate", 1e-2}, {"beta2_decay", "number", -0.8}, {"eps", "list", {nl.none, 1e-3}}, {"d", "number", 1.0},
  {"weight_decay", "number", 0.0}, {"foreach", "boolean?"}, {"maximize", "boolean", false},
}, check_adafactor, adafactor)

-- ---------------------------------------------------------------------- Muon

-- By how much the rate of a matrix of n rows and m columns is another one.
local adjustments = {
  original = function(n, m) return math.sqrt(math.max(1, n / m)) end,
  match_rms_adamw = function(n, m) return 0.2 * math.sqrt(math.max(n, m)) end,
  spectral_unclamped = function(n, m) return math.sqrt(n / m) end,
}

local function are_three_numbers(list)
  return type(list) == "table" and #list == 3 and type(list[1]) == "number" and type(list[2]) == "number"
    and type(list[3]) == "number"
end

local function check_muon(name, group)
  not_negative(name, group, "lr", "momentum", "weight_decay", "ns_steps", "eps")
  local adjust = group.adjust_lr_fn
  if not are_three_numbers(group.ns_coefficients) then
    raise(name .. ": ns_coefficients must be a list of three numbers")
  elseif group.ns_steps >= 100 then
    raise(format("%s: ns_steps must be below 100, not %s", name, group.ns_steps))
  elseif adjust and adjust ~= nl.none and not adjustments[adjust] then
    raise(("%s: adjust_lr_fn is 'original', 'match_rms_adamw' or 'spectral_unclamped', not %s"):format(name,
      type(adjust) == "string" and "'" .. adjust .. "'" or core.describe(adjust)))
  end
  for _, p in ipairs(group.params) do
    if core.is_tensor(p) and p.ndim ~= 2 then
      raise(("%s: a parameter is of shape %s; only matrices are taken, others are for another optimizer"):format(
        name, p.shape))
    end
  end
end

--- A matrix with about the same singular vectors whose singular values are near 1: Newton and Schulz's iteration in
--- bfloat16.
local function orthogonal(t, group)
  local a, b, c = table.unpack(group.ns_coefficients)
  local is_tall = t:size(1) > t:size(2)
  local x = t:to(nl.bfloat16)
  if is_tall then x = x:t() end
  x = x / vector_norm(x):clamp {min = group.eps}
  for _ = 1, group.ns_steps do
    local gram = x:matmul(x:t())
    x = nl.addmm(x, nl.addmm(gram, gram, gram, {beta = b, alpha = c}), x, {beta = a})
  end
  return is_tall and x:t() or x
end

local function muon(name, p, grad, state, group)
  local velocity = state_of(name, p, state, "momentum_buffer", nl.zeros_like(grad)):lerp_(grad, 1 - group.momentum)
  state.momentum_buffer = velocity
  local update = orthogonal(group.nesterov and grad:lerp(velocity, group.momentum) or velocity, group)
  local adjust, lr = adjustments[group.adjust_lr_fn] or adjustments.original, number_of(group.lr)
  p:mul_(1 - lr * group.weight_decay)
  p:add_(update, {alpha = -lr * adjust(p:size(1), p:size(2))})
end

--- Momentum whose steps are made orthogonal (Jordan et al., 2024), for the matrices within a net; biases, embeddings
--- and the last layer are for another optimizer. `optim.Muon(params, {lr = 0.001, weight_decay = 0.1, momentum = 0.95,
--- nesterov = true, ns_coefficients = {3.4445, -4.775, 2.0315}, eps = 1e-7, ns_steps = 5, adjust_lr_fn = nil (or
--- "original", "match_rms_adamw", "spectral_unclamped")})`.
---     > w = nl.tensor({{1.0, 2.0}}, {requires_grad = true})
---     > optimizer = optim.Muon({w}, {lr = 0.1})
---     > (w * 3):sum():backward()
---     > optimizer:step()
---     > w.data
---     tensor([[0.9416, 1.9316]])
---@class Muon: Optimizer
matrix.Muon = composed.class("Muon", {
  {"lr", "rate", 1e-3}, {"weight_decay", "number", 0.1}, {"momentum", "number", 0.95}, {"nesterov", "boolean", true},
  {"ns_coefficients", "list", {3.4445, -4.7750, 2.0315}}, {"eps", "number", 1e-7}, {"ns_steps", "integer", 5},
  {"adjust_lr_fn", "string?"},
}, check_muon, muon)

return matrix
